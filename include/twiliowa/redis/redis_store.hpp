/// @file
/// A Store in a server of Redis: processes of several machines share what may be lost. Link
/// `twiliowa::redis`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/redis/redis_connection.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// Options of RedisStore.
struct RedisStoreOptions {
    /// What its keys in Redis begin with. Stores with different ones have nothing in common.
    std::string prefix = "twiliowa:";
    /// Key and value together; a larger entry is refused.
    std::size_t max_entry_bytes = 2'000'000;
    /// For a whole operation: a connection that is free or made, and the answer.
    std::chrono::milliseconds timeout{5'000};
};

/// A store in Redis 5 or later, or Valkey, for any number of threads and processes, of any number
/// of machines. An operation is one script, which touches one key, and one round trip.
///
/// Redis loses what it acknowledged when it takes over (a replica lags) or restarts (a second's
/// worth, with `appendfsync everysec`; everything, without persistence). So keep there what may be
/// lost: which webhooks were handled, statuses, windows. Opt-outs belong into a PostgresStore or a
/// SqliteStore.
///
/// No version is given to a key twice, and they grow: a version is the server's time in
/// microseconds, at least one more than the version before, and three random digits. A day's
/// tombstone keeps it when its entry has expired or was erased. What remains is a clock that is set
/// back by more than a day, or a server that takes over and whose clock is behind: the key's next
/// version may then be smaller, and is the same in one of a thousand cases that fall into the very
/// microsecond.
///
/// The server decides when an entry has expired: clocks of other machines do not matter.
///
/// A server that may drop entries before their time (`maxmemory-policy` other than `noeviction`) is
/// refused, and so are a replica and a Redis before 5. That is looked at by the constructor, if the
/// server is there, or by the first operation that finds it; and again after each failure: another
/// server may have taken over. Until that is passed each operation answers an error that names what
/// is wrong, so a service may begin while Redis is away. A full Redis refuses writes.
///
/// Thread-safe. Errors are those of `store_error`, each with its way out, with Redis' word for it
/// (`OOM`), and without keys, values and whatever else the server says.
class RedisStore final : public Store {
public:
    /// Looks what server it is. One that is away, starts or is busy is no error: that takes
    /// `timeout` at most, and each operation says so until it is there.
    /// @throws InvalidRequestError if there is no connection, or an option is wrong.
    /// @throws TransportError (field "store") if the server answers, and refuses the login or the
    ///     database, or is one of those that are refused.
    explicit RedisStore(std::shared_ptr<RedisConnection> connection,
                        RedisStoreOptions options = {});
    RedisStore(const RedisStore&) = delete;
    RedisStore& operator=(const RedisStore&) = delete;
    ~RedisStore() override;

    Result<std::optional<StoredValue>> get(std::string_view key) override;
    Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                          std::string_view value,
                                          std::chrono::milliseconds time_to_live,
                                          Keep keep) override;
    Result<bool> erase(std::string_view key, std::uint64_t expected) override;
    /// In one round trip for each 256 keys; in a cluster, one for each key.
    Result<std::vector<std::optional<StoredValue>>> get_each(
        std::span<const std::string> keys) override;
    /// The same for writes.
    Result<std::vector<std::uint64_t>> compare_and_set_each(
        std::span<const StoreWrite> writes) override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa
