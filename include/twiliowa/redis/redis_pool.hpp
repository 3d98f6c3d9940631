/// @file
/// Connections to one server of Redis, made by hiredis. Link `twiliowa::redis`.
#pragma once

#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <twiliowa/redis/redis_connection.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/secret.hpp>

namespace twiliowa {

/// Options of RedisPool.
struct RedisPoolOptions {
    /// How many connections are kept, at most: so many threads do not wait for one another. Each is
    /// opened when it is first needed.
    int connections = 4;
    /// For a connection to be made, the login included; never longer than the command may take. To
    /// look up a name takes as long as the system's resolver lets it.
    std::chrono::milliseconds connect_timeout{5'000};
    /// Default: that of the environment variable REDISCLI_AUTH, if there is one.
    Secret password = {};
    /// For `rediss://`: a file of certificates (PEM) that are trusted. Default: the system's.
    std::string ca_file = {};
};

/// Connections to one server of Redis, each lent to a thread for one command. No thread of its own.
///
/// A server that is away is named at once: after each attempt that failed, the next one is made a
/// while later (50 milliseconds at first, a second at most, with jitter), and what is asked for
/// meanwhile fails as the last attempt did. What a server answers to the login is the
/// command's answer. A connection that ended, or whose answer did not come
/// in time, is thrown away; nothing is sent a second time. One whose server says that it may only
/// be read is thrown away too: its name may lead to another server now.
///
/// A cluster answers MOVED, which RedisStore names: use a client that knows clusters behind
/// `RedisConnection`.
///
/// Thread-safe. Open one in each process after fork(); one that was opened before answers an error
/// in the child.
class RedisPool final : public RedisConnection {
public:
    /// Whether this build of hiredis has TLS, and so `rediss://` can be used.
    static bool has_tls() noexcept;

    /// Connects to nothing yet.
    /// @param url  `redis://[user@]host[:port][/database]`, the same with `rediss://` for TLS, in
    ///     which the server's certificate must be for that host, or
    ///     `unix:///path/of/the/socket[?db=database]`. A password in it is refused: the options or
    ///     REDISCLI_AUTH give it.
    /// @throws InvalidRequestError if the URL is none of these, is of TLS where hiredis has none
    ///     (field "url"), or an option is wrong.
    explicit RedisPool(const std::string& url, const RedisPoolOptions& options = {});
    RedisPool(const RedisPool&) = delete;
    RedisPool& operator=(const RedisPool&) = delete;
    ~RedisPool() override;

    Result<RedisReply> command(std::span<const std::string_view> arguments,
                               MonotonicTime deadline) override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa
