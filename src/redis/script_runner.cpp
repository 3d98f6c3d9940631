#include "redis/script_runner.hpp"

#include <algorithm>
#include <new>
#include <utility>
#include <vector>

#include <twiliowa/state/store.hpp>

#include "redis/fault.hpp"
#include "redis/redis_server.hpp"
#include "state/store_deadline.hpp"

namespace twiliowa::detail {
namespace {

/// Of somebody else's client.
Error connection_broke() {
    return store_error("has a connection that does not keep its contract",
                       "RedisConnection::command answers a store_error, and throws nothing");
}

}  // namespace

RedisScriptRunner::RedisScriptRunner(std::shared_ptr<RedisConnection> connection,
                                     std::chrono::milliseconds timeout) noexcept
    : connection_(std::move(connection)), timeout_(timeout) {}

MonotonicTime RedisScriptRunner::deadline() const {
    const auto own = std::chrono::steady_clock::now() +
                     std::min<std::chrono::milliseconds>(timeout_, std::chrono::hours{24});
    return std::min(own, store_deadline());
}

Result<RedisReply> RedisScriptRunner::ask(std::span<const std::string_view> arguments,
                                          MonotonicTime until) {
    try {
        auto reply = connection_->command(arguments, until);
        if (reply) return reply;
        must_look_ = true;
        return is_store_error(reply.error()) ? reply : connection_broke();
    } catch (const std::bad_alloc&) {
        throw;
    } catch (...) {
        must_look_ = true;
        return connection_broke();
    }
}

Result<RedisReply> RedisScriptRunner::ask_what_it_is(MonotonicTime until) {
    const std::string_view command[] = {"INFO"};
    return ask(command, until);
}

Result<void> RedisScriptRunner::judge(const RedisReply& info) {
    if (info.kind == RedisReplyKind::error) return redis_answer_error(info.text);
    if (auto checked = check_redis_server(info.text); !checked) return checked.error();
    must_look_ = false;
    return {};
}

Result<void> RedisScriptRunner::look_if_needed(MonotonicTime until) {
    if (!must_look_) return {};
    // After a failure another server may have taken over.
    const auto info = ask_what_it_is(until);
    if (!info) return info.error();
    return judge(*info);
}

Result<void> RedisScriptRunner::begin() {
    const auto info = ask_what_it_is(deadline());
    const bool is_there =
        info && !(info->kind == RedisReplyKind::error && passes_by_itself(redis_fault(info->text)));
    if (!is_there) return {};
    return judge(*info);
}

Result<RedisReply> RedisScriptRunner::answer(const RedisScript& script,
                                             std::span<const std::string> keys,
                                             std::span<const std::string_view> values) {
    const auto until = deadline();
    if (auto looked = look_if_needed(until); !looked) return looked.error();
    const auto count = std::to_string(keys.size());
    std::vector<std::string_view> command{"EVALSHA", script.sha, count};
    command.insert(command.end(), keys.begin(), keys.end());
    command.insert(command.end(), values.begin(), values.end());
    auto reply = ask(command, until);
    if (reply && is_error(*reply, "NOSCRIPT")) {
        command[0] = "EVAL";
        command[1] = script.text;
        reply = ask(command, until);
    }
    if (reply && reply->kind == RedisReplyKind::error) must_look_ = true;
    return reply;
}

Result<RedisReply> RedisScriptRunner::run(const RedisScript& script,
                                          std::span<const std::string> keys,
                                          std::span<const std::string_view> values) {
    auto reply = answer(script, keys, values);
    if (!reply || reply->kind != RedisReplyKind::error) return reply;
    return redis_answer_error(reply->text);
}

bool RedisScriptRunner::is_error(const RedisReply& reply, std::string_view word) noexcept {
    return reply.kind == RedisReplyKind::error && redis_word(reply.text) == word;
}

}  // namespace twiliowa::detail
