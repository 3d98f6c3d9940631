#include <twiliowa/redis/redis_store.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

#include "redis/fault.hpp"
#include "redis/script.hpp"
#include "redis/script_runner.hpp"
#include "redis/version_digits.hpp"
#include "state/store_writes.hpp"

namespace twiliowa {

namespace detail {
namespace {

// An entry is a hash: v its version, x the microsecond at which it has expired (none: never), d its
// value. One without d is a tombstone, which keeps the version. Numbers stay below 2^53, up to
// which Lua's are exact: of a version, what stands before its three random digits.

/// Answers a list with [version, value] for each key, and false for what is not there.
constexpr std::string_view read_script = R"(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local found = {}
for i, key in ipairs(KEYS) do
    local entry = redis.call('HMGET', key, 'v', 'x', 'd')
    local live = entry[1] and entry[3] and (not entry[2] or now < tonumber(entry[2]))
    found[i] = live and {entry[1], entry[3]} or false
end
return found
)";

/// Of each key: the version that it must have; the value; the milliseconds to live, empty: for
/// ever; three digits at random. Answers the new versions, up to the first that is 0. What expires
/// at once leaves a tombstone; so does everything else that expires, for a day, or until the clock
/// has come to its version.
constexpr std::string_view write_script = R"(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local versions = {}
for i, key in ipairs(KEYS) do
    local expected, value, lives, digits = unpack(ARGV, 4 * i - 3, 4 * i)
    local entry = redis.call('HMGET', key, 'v', 'x')
    local version = entry[1]
    local live = version and (not entry[2] or now < tonumber(entry[2])) and redis.call('HEXISTS', key, 'd') == 1
    if (live and version or '0') ~= expected then
        versions[i] = '0'
        break
    end
    local moment = now
    if version then moment = math.max(now, tonumber(string.sub(version, 1, -4)) + 1) end
    version = string.format('%.0f', moment) .. digits
    versions[i] = version
    if lives == '' then
        redis.call('HSET', key, 'v', version, 'd', value)
        redis.call('HDEL', key, 'x')
        redis.call('PERSIST', key)
    else
        local left = tonumber(lives)
        if left > 0 then
            redis.call('HSET', key, 'v', version, 'd', value, 'x', string.format('%.0f', now + left * 1000))
        else
            redis.call('HSET', key, 'v', version)
            redis.call('HDEL', key, 'd')
        end
        local lasts = left + 86400000 + math.ceil((moment - now) / 1000)
        redis.call('PEXPIRE', key, string.format('%.0f', lasts))
    end
end
return versions
)";

/// 1: the version that it must have. Needs no memory: a server that is full runs it too.
constexpr std::string_view erase_script = R"(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local entry = redis.call('HMGET', KEYS[1], 'v', 'x')
local version = entry[1]
local live = version and (not entry[2] or now < tonumber(entry[2])) and redis.call('HEXISTS', KEYS[1], 'd') == 1
if not live or version ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'd')
local ahead = math.max(0, tonumber(string.sub(version, 1, -4)) - now)
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', 86400000 + math.ceil(ahead / 1000)))
return 1
)";

constexpr std::size_t keys_in_one_script = 256;
/// So that a moment in microseconds stays a number that Lua has.
constexpr std::chrono::milliseconds redis_forever = std::chrono::hours{24} * 365 * 100;

Error not_understood() {
    return redis_error(RedisFault::not_ours);
}

std::optional<std::uint64_t> version_of(std::string_view text) noexcept {
    std::uint64_t version = 0;
    const auto* const end = text.data() + text.size();
    const auto [stopped, fault] = std::from_chars(text.data(), end, version);
    if (fault != std::errc{} || stopped != end) return std::nullopt;
    return version;
}

Result<std::optional<StoredValue>> read_entry(RedisReply& reply) {
    if (reply.kind == RedisReplyKind::nothing) return std::optional<StoredValue>{};
    if (reply.kind != RedisReplyKind::list || reply.list.size() != 2) return not_understood();
    const auto version = version_of(reply.list[0].text);
    if (!version || *version == 0) return not_understood();
    return std::optional<StoredValue>{{std::move(reply.list[1].text), *version}};
}

std::string milliseconds_text(std::chrono::milliseconds time_to_live) {
    if (time_to_live >= redis_forever) return {};
    return std::to_string(std::max<std::int64_t>(time_to_live.count(), 0));
}

}  // namespace
}  // namespace detail

struct RedisStore::State {
    State(std::shared_ptr<RedisConnection> to, RedisStoreOptions chosen)
        : options(std::move(chosen)), runner(std::move(to), options.timeout) {}

    std::string full_key(std::string_view key) const {
        std::string full;
        full.reserve(options.prefix.size() + key.size());
        return full.append(options.prefix).append(key);
    }

    Result<RedisReply> run(const detail::RedisScript& script, std::string_view key,
                           std::span<const std::string_view> values = {}) {
        const std::string keys[] = {full_key(key)};
        return runner.run(script, keys, values);
    }

    Result<RedisReply> write(std::span<const StoreWrite> writes) {
        std::vector<std::string> keys;
        std::vector<std::string> texts;
        std::vector<std::string_view> values;
        keys.reserve(writes.size());
        texts.reserve(3 * writes.size());
        values.reserve(4 * writes.size());
        for (const auto& each : writes) {
            keys.push_back(full_key(each.key));
            values.push_back(texts.emplace_back(std::to_string(each.expected)));
            values.push_back(each.value);
            values.push_back(texts.emplace_back(detail::milliseconds_text(each.time_to_live)));
            values.push_back(texts.emplace_back(digits.next()));
        }
        return runner.answer(writing, keys, values);
    }

    const RedisStoreOptions options;
    const detail::RedisScript reading{detail::read_script};
    const detail::RedisScript writing{detail::write_script};
    const detail::RedisScript erasing{detail::erase_script};
    detail::VersionDigits digits = {};
    detail::RedisScriptRunner runner;
};

RedisStore::RedisStore(std::shared_ptr<RedisConnection> connection, RedisStoreOptions options) {
    if (!connection) Error::invalid_request("connection", "is null").raise();
    if (options.max_entry_bytes == 0) Error::invalid_request("max_entry_bytes", "is 0").raise();
    if (options.timeout.count() <= 0) Error::invalid_request("timeout", "is not positive").raise();
    state_ = std::make_unique<State>(std::move(connection), std::move(options));
    state_->runner.begin().value();
}

RedisStore::~RedisStore() = default;

Result<std::optional<StoredValue>> RedisStore::get(std::string_view key) {
    auto reply = state_->run(state_->reading, key);
    if (!reply) return reply.error();
    if (reply->list.size() != 1) return detail::not_understood();
    return detail::read_entry(reply->list.front());
}

Result<std::uint64_t> RedisStore::compare_and_set(std::string_view key, std::uint64_t expected,
                                                  std::string_view value,
                                                  std::chrono::milliseconds time_to_live,
                                                  Keep keep) {
    return detail::write_alone(*this, {key, expected, value, time_to_live, keep});
}

Result<std::vector<std::uint64_t>> RedisStore::compare_and_set_each(
    std::span<const StoreWrite> writes) {
    for (const auto& each : writes) {
        const auto most = state_->options.max_entry_bytes;
        if (const auto fits = detail::check_entry_size(each.key, each.value, most); !fits) {
            return fits.error();
        }
    }
    std::vector<std::uint64_t> versions;
    versions.reserve(writes.size());
    while (versions.size() < writes.size()) {
        const auto left = writes.subspan(versions.size());
        const auto some = left.first(std::min(left.size(), detail::keys_in_one_script));
        auto reply = state_->write(some);
        if (!reply) return reply.error();
        // Keys of a cluster lie on several nodes. One key lies on one.
        if (some.size() > 1 && detail::RedisScriptRunner::is_error(*reply, "CROSSSLOT")) {
            const auto rest = Store::compare_and_set_each(left);
            if (!rest) return rest.error();
            versions.insert(versions.end(), rest->begin(), rest->end());
            return versions;
        }
        if (reply->kind == RedisReplyKind::error) return detail::redis_answer_error(reply->text);
        if (reply->list.empty() || reply->list.size() > some.size()) {
            return detail::not_understood();
        }
        for (const auto& answer : reply->list) {
            const auto version = detail::version_of(answer.text);
            if (!version) return detail::not_understood();
            versions.push_back(*version);
        }
        if (versions.back() == 0) break;
        if (reply->list.size() != some.size()) return detail::not_understood();
    }
    return versions;
}

Result<bool> RedisStore::erase(std::string_view key, std::uint64_t expected) {
    const auto version = std::to_string(expected);
    const std::string_view values[] = {version};
    const auto reply = state_->run(state_->erasing, key, values);
    if (!reply) return reply.error();
    if (reply->kind != RedisReplyKind::number) return detail::not_understood();
    return reply->number == 1;
}

Result<std::vector<std::optional<StoredValue>>> RedisStore::get_each(
    std::span<const std::string> keys) {
    std::vector<std::optional<StoredValue>> entries;
    entries.reserve(keys.size());
    while (entries.size() < keys.size()) {
        const auto left = keys.subspan(entries.size());
        const auto some = left.first(std::min(left.size(), detail::keys_in_one_script));
        std::vector<std::string> full;
        full.reserve(some.size());
        for (const auto& key : some) full.push_back(state_->full_key(key));
        auto reply = state_->runner.answer(state_->reading, full);
        if (!reply) return reply.error();
        // Keys of a cluster lie on several nodes.
        if (detail::RedisScriptRunner::is_error(*reply, "CROSSSLOT")) return Store::get_each(keys);
        if (reply->kind == RedisReplyKind::error) return detail::redis_answer_error(reply->text);
        if (reply->list.size() != some.size()) return detail::not_understood();
        for (auto& found : reply->list) {
            auto entry = detail::read_entry(found);
            if (!entry) return entry.error();
            entries.push_back(std::move(*entry));
        }
    }
    return entries;
}

}  // namespace twiliowa
