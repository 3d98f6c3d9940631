#include <twiliowa/redis/redis_limiter.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/state/store.hpp>

#include "http/limit_of.hpp"
#include "redis/fault.hpp"
#include "redis/script.hpp"
#include "state/masked_sender.hpp"
#include "types/duration_bound.hpp"
#include "types/random_name.hpp"

namespace twiliowa {

namespace detail {
namespace {

// Times are microseconds; they stay below 2^53, up to which Lua's numbers are exact.

/// 1: microseconds from one permit to the next. 2: how early one may come. 3: permits that are
/// owed. 4: permits that are wanted. 5: how far ahead these may lie. Answers how many of them there
/// are, and how long to wait for the first. A time so far ahead that no process can have brought it
/// there is of a clock that was set back since.
constexpr std::string_view take_script = R"(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local interval, early = tonumber(ARGV[1]), tonumber(ARGV[2])
local owed, wanted, furthest = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local full_at = tonumber(redis.call('GET', KEYS[1]) or '0')
if full_at > now + early + 2 * furthest then full_at = now end
full_at = math.max(full_at, now) + math.ceil(owed * interval)
local room = math.floor((now + early + furthest - full_at) / interval)
local granted = math.max(0, math.min(wanted, room))
local wait = full_at - early - now
full_at = full_at + math.ceil(granted * interval)
redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', string.format('%.0f', math.ceil((full_at - now) / 1000) + 1))
return {string.format('%.0f', granted), string.format('%.0f', wait)}
)";

/// 1: this process. 2: microseconds after which one that is not heard of is gone.
constexpr std::string_view count_script = R"(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local kept = tonumber(ARGV[2])
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - kept))
redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('%.0f', now + kept), '+inf')
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', kept / 500))
return redis.call('ZCARD', KEYS[1])
)";

constexpr std::chrono::microseconds process_kept = std::chrono::seconds{5};

std::string permit_interval_text(double microseconds) {
    char text[40];
    std::snprintf(text, sizeof text, "%.9f", microseconds);
    return text;
}

std::optional<std::int64_t> limiter_number(std::string_view text) noexcept {
    std::int64_t number = 0;
    const auto* const end = text.data() + text.size();
    const auto [stopped, fault] = std::from_chars(text.data(), end, number);
    if (fault != std::errc{} || stopped != end) return std::nullopt;
    return number;
}

/// Permits of a Redis.
class RedisPermits final : public PermitSource {
public:
    RedisPermits(std::shared_ptr<RedisConnection> connection, const RedisLimiterOptions& options)
        : connection_(std::move(connection)),
          prefix_(options.prefix),
          timeout_(options.timeout),
          sealer_(options.sealer),
          key_id_(options.key_id) {}

    Result<Permits> take(const PermitRequest& request) override {
        const auto sender = masked_sender(request.sender, sealer_, key_id_);
        if (!sender) return sender.error();
        const std::string values[] = {permit_interval_text(request.interval),
                                      std::to_string(request.tolerance),
                                      std::to_string(request.owed), std::to_string(request.wanted),
                                      std::to_string(request.furthest)};
        const auto reply = run(taking_, prefix_ + "sender:" + *sender, values);
        if (!reply) return reply.error();
        if (reply->list.size() != 2) return redis_error(RedisFault::not_ours);
        const auto granted = limiter_number(reply->list[0].text);
        const auto wait = limiter_number(reply->list[1].text);
        if (!granted || !wait) return redis_error(RedisFault::not_ours);
        return Permits{*granted, std::chrono::microseconds{*wait}};
    }

    Result<int> count_processes() override {
        const std::string values[] = {process_, std::to_string(process_kept.count())};
        const auto reply = run(counting_, prefix_ + "processes", values);
        if (!reply) return reply.error();
        if (reply->kind != RedisReplyKind::number || reply->number < 1) {
            return redis_error(RedisFault::not_ours);
        }
        return static_cast<int>(std::min<std::int64_t>(reply->number, 1'000'000));
    }

private:
    Result<RedisReply> run(const RedisScript& script, const std::string& key,
                           std::span<const std::string> values) {
        const auto until = std::chrono::steady_clock::now() + timeout_;
        std::vector<std::string_view> command{"EVALSHA", script.sha, "1", key};
        command.insert(command.end(), values.begin(), values.end());
        auto reply = connection_->command(command, until);
        if (reply && reply->kind == RedisReplyKind::error &&
            redis_fault(reply->text) == RedisFault::no_script) {
            command[0] = "EVAL";
            command[1] = script.text;
            reply = connection_->command(command, until);
        }
        if (reply && reply->kind == RedisReplyKind::error) return redis_answer_error(reply->text);
        return reply;
    }

    const std::shared_ptr<RedisConnection> connection_;
    const std::string prefix_;
    const std::chrono::milliseconds timeout_;
    const std::optional<Sealer> sealer_;
    const std::string key_id_;
    const std::string process_ = random_name();
    const RedisScript taking_{take_script};
    const RedisScript counting_{count_script};
};

std::shared_ptr<PermitSource> redis_permits(std::shared_ptr<RedisConnection> connection,
                                            const RedisLimiterOptions& options) {
    if (!connection) Error::invalid_request("connection", "is null").raise();
    if (auto wrong = wrong_duration("timeout", options.timeout)) wrong->raise();
    return std::make_shared<RedisPermits>(std::move(connection), options);
}

}  // namespace
}  // namespace detail

RedisLimiter::RedisLimiter(std::shared_ptr<RedisConnection> connection,
                           const RedisLimiterOptions& options)
    : LeasedLimiter(detail::redis_permits(std::move(connection), options),
                    detail::limit_of(options)) {}

}  // namespace twiliowa
