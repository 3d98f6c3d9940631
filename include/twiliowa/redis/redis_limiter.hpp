/// @file
/// A rate limit that processes of several machines keep together, in a server of Redis. Link
/// `twiliowa::redis`.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include <twiliowa/http/leased_limiter.hpp>
#include <twiliowa/redis/redis_connection.hpp>
#include <twiliowa/state/sealer.hpp>

namespace twiliowa {

/// Options of RedisLimiter. Those of all processes must be the same, but for the last four.
struct RedisLimiterOptions {
    double per_second = 80.0;              ///< Of each sender, by all processes: 1e-6 to 1e6.
    double burst = 1.0;                    ///< How many may leave at once after a pause, 1 to 1e6.
    std::chrono::milliseconds lease{100};  ///< A block of permits may leave in this time.
    /// What its keys in Redis begin with. Limiters with different ones have nothing in common.
    std::string prefix = "twiliowa:limit:";
    /// Whose blind indexes stand for senders in the keys. Without it hashes do, which tell a sender
    /// to who tries all phone numbers.
    std::optional<Sealer> sealer = {};
    std::string key_id = {};  ///< Of the sealer's ring: which key hashes, for good.
    /// For Redis to answer a question, after which it counts as away.
    std::chrono::milliseconds timeout{1'000};
    int processes = 0;                        ///< As LeasedLimiterOptions says it.
    bool own_thread = true;                   ///< As LeasedLimiterOptions says it.
    std::shared_ptr<Observer> observer = {};  ///< Hears when the limit is shared, and when not.
    std::shared_ptr<Clock> clock = {};        ///< Default: the machine's.
};

/// A limit for each sender in Redis 5 or later, or Valkey, that any number of processes keep
/// together; LeasedLimiter says how. The clock is Redis' own, and what is kept is one time for each
/// sender, in microseconds, and when each process was heard of last:
///
///     twiliowa:limit:sender:HASH    a text; gone when the sender's permits are free again
///     twiliowa:limit:processes      a sorted set; gone ten seconds after the last process
///
/// Over the wire goes a script for each block of permits (EVALSHA; EVAL where Redis does not know
/// it yet) and one a second that counts the processes: at 80 a second 11 commands a second for
/// a process and sender, at most. Each touches one key.
///
/// A Redis that is away, full, a replica, or fails in whatever other way is told (`state`,
/// Observer::on_limiter), and each process keeps to its share meanwhile. One that takes over, or
/// has lost what it held, gives a block to each process once more. It may be one that evicts.
///
/// The user needs `+eval +evalsha +time +get +set +zadd +zremrangebyscore +zcard +pexpire` and the
/// keys of the prefix.
///
/// Thread-safe. Make one in each process after fork().
class RedisLimiter final : public LeasedLimiter {
public:
    /// Asks Redis how many processes there are. One that does not answer is no error.
    /// @throws InvalidRequestError if there is no connection, or an option is wrong.
    explicit RedisLimiter(std::shared_ptr<RedisConnection> connection,
                          const RedisLimiterOptions& options = {});
};

}  // namespace twiliowa
