/// @file
/// What the tests against a Redis share.
#pragma once

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/redis/redis_pool.hpp>
#include <twiliowa/redis/redis_store.hpp>

#include "support/servers.hpp"
#include "support/skip.hpp"

namespace twiliowa::test {

/// Reports the test as skipped where there is no Redis: return after it.
inline bool lacks_redis() {
    if (TestRedis::is_installed()) return false;
    skip("Redis is not installed");
    return true;
}

/// Long enough for a busy machine; who tests that it ends gives less.
constexpr std::chrono::seconds patience{30};

inline std::shared_ptr<RedisPool> pool_to(const std::string& url, int connections = 4) {
    return std::make_shared<RedisPool>(
        url, RedisPoolOptions{.connections = connections, .connect_timeout = patience});
}

inline std::shared_ptr<RedisStore> store_on(std::shared_ptr<RedisConnection> connection,
                                            std::string prefix = "twiliowa:") {
    return std::make_shared<RedisStore>(
        std::move(connection), RedisStoreOptions{.prefix = std::move(prefix), .timeout = patience});
}

/// One command, with its words.
inline RedisReply told(RedisConnection& connection, std::initializer_list<std::string_view> words) {
    const std::vector<std::string_view> command{words};
    return connection.command(command, std::chrono::steady_clock::now() + patience).value();
}

/// Gives scripts a time that is moved by hand in place of the server's.
class MovedRedisTime final : public RedisConnection {
public:
    explicit MovedRedisTime(std::shared_ptr<RedisConnection> to) : to_(std::move(to)) {
        const auto time = told(*to_, {"TIME"});
        micros_ = std::stoll(time.list[0].text) * 1'000'000 + std::stoll(time.list[1].text);
    }
    void pass(std::chrono::microseconds time) { micros_ += time.count(); }

    Result<RedisReply> command(std::span<const std::string_view> arguments,
                               MonotonicTime deadline) override {
        // The text comes then, in which the time is put.
        if (arguments[0] == "EVALSHA") return RedisReply{RedisReplyKind::error, "NOSCRIPT"};
        if (arguments[0] != "EVAL") return to_->command(arguments, deadline);
        constexpr std::string_view call = "redis.call('TIME')";
        std::string script{arguments[1]};
        const auto found = script.find(call);
        REQUIRE(found != std::string::npos);
        const auto now = micros_.load();
        script.replace(found, call.size(),
                       "{'" + std::to_string(now / 1'000'000) + "','" +
                           std::to_string(now % 1'000'000) + "'}");
        std::vector<std::string_view> moved{arguments.begin(), arguments.end()};
        moved[1] = script;
        return to_->command(moved, deadline);
    }

private:
    std::shared_ptr<RedisConnection> to_;
    std::atomic<long long> micros_{0};
};

/// Counts what goes to a server.
class CountedRedis final : public RedisConnection {
public:
    explicit CountedRedis(std::shared_ptr<RedisConnection> to) : to_(std::move(to)) {}
    Result<RedisReply> command(std::span<const std::string_view> arguments,
                               MonotonicTime deadline) override {
        commands.emplace_back(arguments[0]);
        return to_->command(arguments, deadline);
    }
    std::vector<std::string> commands = {};

private:
    std::shared_ptr<RedisConnection> to_;
};

/// A prefix of its own in the server that all share, and connections to it.
struct RedisMemory {
    TestRedis& server = TestRedis::shared();
    std::string prefix = new_prefix();
    std::shared_ptr<RedisPool> pool = pool_to(server.url());

    std::shared_ptr<RedisStore> open() const { return store_on(pool, prefix); }

private:
    static std::string new_prefix() {
        static std::atomic<int> count{0};
        return "test-" + std::to_string(++count) + ":";
    }
};

template <class T>
std::string store_problem(const Result<T>& result) {
    if (result) return "it was done";
    CHECK(is_store_error(result.error()));
    CHECK_FALSE(result.error().hint().empty());
    CHECK(std::string{result.error().what()}.find("canary") == std::string::npos);
    CHECK(std::string{result.error().hint()}.find("canary") == std::string::npos);
    return result.error().what();
}

/// Opening it fails, with these words.
template <class Open>
std::string store_refusal(const Open& open) {
    try {
        open();
    } catch (const TransportError& error) {
        CHECK(is_store_error(error.error()));
        CHECK_FALSE(error.error().hint().empty());
        return error.what();
    }
    return "it was opened";
}

inline std::uint64_t put_into(Store& store, std::string_view key,
                              std::chrono::milliseconds lives = std::chrono::hours{1}) {
    return store.compare_and_set(key, 0, "v", lives, Keep::pinned).value();
}

inline bool is_in(Store& store, std::string_view key) {
    return store.get(key).value().has_value();
}

}  // namespace twiliowa::test
