/// @file
/// Consents that are kept in a file of SQLite. Link `twiliowa::sqlite`.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/state/consent_storage.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// Options of SqliteConsents.
struct SqliteConsentsOptions {
    /// Whether a file that is not there is made, for its owner alone.
    bool create = true;
    /// How long an operation waits for another process that writes, before it answers an error.
    std::chrono::milliseconds busy_timeout{5'000};
};

/// Keeps consents in one file, on a disk of this machine (not of the network), for any number of
/// threads and processes. What was answered is on the disk (WAL, synchronous=FULL); what is erased
/// is overwritten.
///
/// Thread-safe: one connection, behind a mutex. Open one in each process after fork(); one that was
/// opened before answers an error in the child.
///
/// Errors are those of `store_error`, each with its way out, without persons and paths. One file
/// holds consents and nothing else.
class SqliteConsents final : public ConsentStorage {
public:
    /// Opens the file, and makes its tables where it is new.
    /// @throws InvalidRequestError if an option is wrong.
    /// @throws TransportError (field "store") if the file cannot be opened, is another program's or
    /// of a later version of this library; it stays as it was.
    explicit SqliteConsents(const std::string& path, SqliteConsentsOptions options = {});
    SqliteConsents(const SqliteConsents&) = delete;
    SqliteConsents& operator=(const SqliteConsents&) = delete;
    ~SqliteConsents() override;

    Result<std::size_t> add(std::span<const ConsentRecord> records) override;
    Result<std::vector<ConsentAnswer>> latest(std::span<const ConsentQuestion> questions) override;
    Result<std::vector<ConsentRecord>> history(std::string_view person) override;
    Result<ForgottenConsents> forget(std::string_view person, TimePoint since,
                                     TimePoint before) override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa
