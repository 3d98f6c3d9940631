/// @file
/// Quotas that are counted in a file of SQLite: they survive the process, and processes of one
/// machine share them. Link `twiliowa::sqlite`.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/state/quota_storage.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// Options of SqliteQuotas.
struct SqliteQuotasOptions {
    /// Whether a file that is not there is made, for its owner alone.
    bool create = true;
    /// How long an operation waits for another process that writes, before it answers an error.
    std::chrono::milliseconds busy_timeout{5'000};
    /// Default: the machine's. Its calendar time counts.
    std::shared_ptr<Clock> clock = {};
};

/// Counts quotas in one file, on a disk of this machine (not of the network), for any number of
/// threads and processes. What was answered is on the disk (WAL, synchronous=FULL): reserve, settle
/// and release cost an fsync each.
///
/// Thread-safe: one connection, behind a mutex. Open one in each process after fork(); one that was
/// opened before answers an error in the child.
///
/// Errors are those of `store_error`, each with its way out, without keys and paths. One file holds
/// quotas and nothing else.
class SqliteQuotas final : public QuotaStorage {
public:
    /// Opens the file, and makes its tables where it is new.
    /// @throws InvalidRequestError if an option is wrong.
    /// @throws TransportError (field "store") if the file cannot be opened, is another program's or
    /// of a later version of this library; it stays as it was.
    explicit SqliteQuotas(const std::string& path, SqliteQuotasOptions options = {});
    SqliteQuotas(const SqliteQuotas&) = delete;
    SqliteQuotas& operator=(const SqliteQuotas&) = delete;
    ~SqliteQuotas() override;

    Result<QuotaReply> reserve(const QuotaRequest& request) override;
    Result<QuotaSettlement> settle(std::string_view quota, std::string_view send,
                                   std::int64_t actual,
                                   std::chrono::milliseconds remembered) override;
    Result<QuotaEnd> release(std::string_view quota, std::string_view send) override;
    Result<QuotaReply> read(std::string_view quota,
                            const std::vector<QuotaSlot>& time_slots) override;
    Result<std::vector<QuotaCount>> history(std::string_view quota, std::int64_t period,
                                            TimePoint from, TimePoint to) override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa
