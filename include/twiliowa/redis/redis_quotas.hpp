/// @file
/// Quotas that are counted in a server of Redis: processes of several machines share what may be
/// lost. Link `twiliowa::redis`.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/redis/redis_connection.hpp>
#include <twiliowa/state/quota_storage.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// Options of RedisQuotas.
struct RedisQuotasOptions {
    /// What its keys in Redis begin with. Quotas with different ones have nothing in common.
    std::string prefix = "twiliowa-quota:";
    /// For a whole operation: a connection that is free or made, and the answer.
    std::chrono::milliseconds timeout{5'000};
};

/// Counts quotas in Redis 5 or later, or Valkey, for any number of threads and processes, of any
/// number of machines. An operation is one script, which touches the four keys of one quota (they
/// lie in one slot of a cluster), and one round trip. The server's time counts.
///
/// Redis loses what it acknowledged when it takes over or restarts: what was used is forgotten
/// then, and may be used again. So keep there the windows of rates, a minute's or an hour's, and
/// those of plans in PostgresQuotas or SqliteQuotas: `Quotas` takes both.
///
/// A server that may drop entries before their time (`maxmemory-policy` other than `noeviction`) is
/// refused, and so are a replica and a Redis before 5: as by RedisStore, by the constructor if the
/// server is there, else by each operation.
///
/// Thread-safe. Errors are those of `store_error`, each with its way out, with Redis' word for it
/// (`OOM`), and without keys and whatever else the server says.
class RedisQuotas final : public QuotaStorage {
public:
    /// Looks what server it is. One that is away, starts or is busy is no error: that takes
    /// `timeout` at most, and each operation says so until it is there.
    /// @throws InvalidRequestError if there is no connection, or an option is wrong.
    /// @throws TransportError (field "store") if the server answers, and refuses the login or the
    ///     database, or is one of those that are refused.
    explicit RedisQuotas(std::shared_ptr<RedisConnection> connection,
                         RedisQuotasOptions options = {});
    RedisQuotas(const RedisQuotas&) = delete;
    RedisQuotas& operator=(const RedisQuotas&) = delete;
    ~RedisQuotas() override;

    Result<QuotaReply> reserve(const QuotaRequest& request) override;
    Result<QuotaSettlement> settle(std::string_view quota, std::string_view send,
                                   std::int64_t actual,
                                   std::chrono::milliseconds remembered) override;
    Result<QuotaEnd> release(std::string_view quota, std::string_view send) override;
    Result<QuotaReply> read(std::string_view quota,
                            const std::vector<QuotaSlot>& time_slots) override;
    /// Looks through all that is kept of the quota.
    Result<std::vector<QuotaCount>> history(std::string_view quota, std::int64_t period,
                                            TimePoint from, TimePoint to) override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa
