/// @file
/// Runs scripts in a server of Redis that is fit to keep state.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <twiliowa/redis/redis_connection.hpp>
#include <twiliowa/types/result.hpp>

#include "redis/script.hpp"

namespace twiliowa::detail {

/// Thread-safe.
class RedisScriptRunner {
public:
    /// @param timeout  for a whole operation
    RedisScriptRunner(std::shared_ptr<RedisConnection> connection,
                      std::chrono::milliseconds timeout) noexcept;

    /// Whether the server may keep state, at the start. One that is away, or will be ready by
    /// itself, is no error: it is looked at by the first operation, as after each failure.
    Result<void> begin();
    /// What the script answered, an error too. `keys` are whole.
    Result<RedisReply> answer(const RedisScript& script, std::span<const std::string> keys,
                              std::span<const std::string_view> values = {});
    /// The same; an error that it answered is a store_error.
    Result<RedisReply> run(const RedisScript& script, std::span<const std::string> keys,
                           std::span<const std::string_view> values = {});

    static bool is_error(const RedisReply& reply, std::string_view word) noexcept;

private:
    MonotonicTime deadline() const;
    Result<RedisReply> ask(std::span<const std::string_view> arguments, MonotonicTime until);
    Result<RedisReply> ask_what_it_is(MonotonicTime until);
    Result<void> judge(const RedisReply& info);
    Result<void> look_if_needed(MonotonicTime until);

    const std::shared_ptr<RedisConnection> connection_;
    const std::chrono::milliseconds timeout_;
    std::atomic<bool> must_look_{true};
};

}  // namespace twiliowa::detail
