/// @file
/// One connection to a server of Redis, whose every step ends in time. Not thread-safe.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <twiliowa/redis/redis_connection.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/secret.hpp>

#include "redis/address.hpp"
#include "redis/tls.hpp"

struct redisContext;

namespace twiliowa::detail {

/// Where to, and as whom.
struct RedisTarget {
    RedisAddress address = {};
    Secret password = {};
    std::shared_ptr<const RedisTls> tls = {};  ///< Null without TLS.
};

class RedisLink {
public:
    explicit RedisLink(std::shared_ptr<const RedisTarget> target) noexcept;
    RedisLink(const RedisLink&) = delete;
    RedisLink& operator=(const RedisLink&) = delete;
    ~RedisLink();

    bool is_open() const noexcept { return context_ != nullptr; }
    /// Connects, logs in and chooses the database. It is not open if the server answered with an
    /// error to one of them; a store_error where there was no answer.
    Result<RedisReply> open(MonotonicTime deadline);
    /// Of an open one. After an error it is closed.
    Result<RedisReply> exchange(std::span<const std::string_view> arguments,
                                MonotonicTime deadline);
    /// Whoever was not asked and says something says good-bye.
    bool has_ended() const noexcept;
    void close() noexcept;

private:
    Result<void> connect(MonotonicTime deadline);
    Result<void> adopt(int socket, MonotonicTime deadline);
    Result<RedisReply> log_in(MonotonicTime deadline);
    Result<RedisReply> choose_database(MonotonicTime deadline);
    Result<RedisReply> introduce(std::span<const std::string_view> command, MonotonicTime deadline);
    bool send(std::span<const std::string_view> arguments, MonotonicTime deadline);
    bool receive(void*& reply, MonotonicTime deadline);

    struct End {
        void operator()(redisContext* context) const noexcept;
    };
    std::shared_ptr<const RedisTarget> target_;
    std::unique_ptr<redisContext, End> context_;
    ssl_st* tls_ = nullptr;  ///< The context's.
};

}  // namespace twiliowa::detail
