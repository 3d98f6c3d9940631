#include <twiliowa/redis/redis_quotas.hpp>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "redis/fault.hpp"
#include "redis/script.hpp"
#include "redis/script_runner.hpp"
#include "state/quota_book.hpp"

namespace twiliowa {

namespace detail {
namespace {

// A quota has four keys, with one tag, so that a cluster keeps them together. 1: a hash of counts,
// by `period:begin`, `used|open|peak|keep_until`, and under `x` when all of it may go. 2: a hash of
// sends, `state|cost|lapses_at|forget_at|places`, states as in QuotaSendState. 3: sends, by the
// time at which they lapse, or are forgotten. 4: counts, by the time at which they are. Times are
// microseconds; all numbers stay below 2^53, up to which Lua's are exact.

/// What every script begins with: its tools; and what has lapsed is given back.
constexpr std::string_view quota_script = R"(
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local last = 9000000000000000
local function text(number) return string.format('%.0f', number) end
local function bounded(number) return math.max(0, math.min(number, last)) end
local function count_of(place)
    local kept = redis.call('HGET', KEYS[1], place)
    if not kept then return {used = 0, open = 0, peak = 0, keep = 0, is_new = true} end
    local used, open, peak, keep = string.match(kept, '^(%d+)|(%d+)|(%d+)|(%d+)$')
    return {used = tonumber(used), open = tonumber(open), peak = tonumber(peak), keep = tonumber(keep)}
end
local function write_count(place, count)
    redis.call('HSET', KEYS[1], place, text(count.used) .. '|' .. text(count.open) .. '|' ..
               text(count.peak) .. '|' .. text(count.keep))
    redis.call('ZADD', KEYS[4], text(count.keep), place)
end
local function send_of(key)
    local kept = redis.call('HGET', KEYS[2], key)
    if not kept then return nil end
    local state, cost, lapses, forget, places = string.match(kept, '^(%d)|(%d+)|(%d+)|(%d+)|(.*)$')
    return {state = tonumber(state), cost = tonumber(cost), lapses = tonumber(lapses),
            forget = tonumber(forget), places = places}
end
local function write_send(key, send)
    redis.call('HSET', KEYS[2], key, send.state .. '|' .. text(send.cost) .. '|' ..
               text(send.lapses) .. '|' .. text(send.forget) .. '|' .. send.places)
    redis.call('ZADD', KEYS[3], text(send.state == 0 and send.lapses or send.forget), key)
end
local function erase_send(key)
    redis.call('HDEL', KEYS[2], key)
    redis.call('ZREM', KEYS[3], key)
end
local function give_back(send)
    for place in string.gmatch(send.places, '[^,]+') do
        local count = count_of(place)
        if not count.is_new then
            count.used = bounded(count.used - send.cost)
            count.open = bounded(count.open - send.cost)
            write_count(place, count)
        end
    end
end
local function keep_all(until_then)
    local whole = math.max(until_then, tonumber(redis.call('HGET', KEYS[1], 'x') or '0'))
    redis.call('HSET', KEYS[1], 'x', text(whole))
    for i = 1, 4 do redis.call('PEXPIREAT', KEYS[i], text(math.ceil(whole / 1000))) end
end
while true do
    local due = redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', text(now), 'LIMIT', 0, 100)
    if #due == 0 then break end
    for _, key in ipairs(due) do
        local send = send_of(key)
        if send and send.state == 0 then
            give_back(send)
            send.state = 2
            write_send(key, send)
        else
            erase_send(key)
        end
    end
end
for _, place in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', text(now), 'LIMIT', 0, 32)) do
    redis.call('HDEL', KEYS[1], place)
    redis.call('ZREM', KEYS[4], place)
end
)";

/// 1: the send. 2: the cost. 3 and 4: the milliseconds until it lapses, and is forgotten then. From
/// 5 on, five of each slot: its place, begin, end, limit, and until when it is kept. Answers what
/// became of it (0 taken, 1 taken before, 2 refused, 3 another time), the time, and of each slot
/// used, open, peak, and the peak before.
constexpr std::string_view quota_reserve_script = R"(
local cost = tonumber(ARGV[2])
local time_slots = {}
for i = 5, #ARGV, 5 do
    local first, behind = tonumber(ARGV[i + 1]), tonumber(ARGV[i + 2])
    if now < first or now >= behind then return {3, now} end
    local count = count_of(ARGV[i])
    count.keep = math.max(count.keep, tonumber(ARGV[i + 4]))
    time_slots[#time_slots + 1] = {place = ARGV[i], limit = tonumber(ARGV[i + 3]), count = count, before = count.peak}
end
local known = send_of(ARGV[1])
local taken = 0
if known and known.state ~= 2 then taken = 1 else
    for _, slot in ipairs(time_slots) do
        if slot.count.used > slot.limit - cost then taken = 2 end
    end
end
local kept = 0
local places = {}
for i, slot in ipairs(time_slots) do
    local count = slot.count
    if taken == 0 then
        count.used = bounded(count.used + cost)
        count.open = bounded(count.open + cost)
        count.peak = math.max(count.peak, count.used)
    elseif taken == 2 and cost <= slot.limit and count.used > slot.limit - cost then
        count.peak = math.max(count.peak, slot.limit)
    end
    if taken == 0 or count.peak ~= slot.before then
        write_count(slot.place, count)
        kept = math.max(kept, count.keep)
    end
    places[i] = slot.place
end
if taken == 0 then
    local lapses = bounded(now + tonumber(ARGV[3]) * 1000)
    local forget = bounded(lapses + tonumber(ARGV[4]) * 1000)
    write_send(ARGV[1], {state = 0, cost = cost, lapses = lapses, forget = forget,
                         places = table.concat(places, ',')})
    kept = math.max(kept, forget)
end
if kept > 0 then keep_all(kept) end
local answer = {taken, now}
for _, slot in ipairs(time_slots) do
    local count = slot.count
    answer[#answer + 1] = {count.used, count.open, count.peak, slot.before}
end
return answer
)";

/// 1: the send. 2: what it has cost. 3: the milliseconds for which it is remembered. Answers how it
/// ended (0 done, 1 ended before, 2 not found), the time, and of each slot its place, used, open,
/// peak, and the peak before.
constexpr std::string_view quota_settle_script = R"(
local send = send_of(ARGV[1])
if not send then return {2, now} end
if send.state == 1 then return {1, now} end
local actual = tonumber(ARGV[2])
local answer = {0, now}
if send.state == 0 then give_back(send) end
for place in string.gmatch(send.places, '[^,]+') do
    local count = count_of(place)
    if not count.is_new then
        local before = count.peak
        count.used = bounded(count.used + actual)
        count.peak = math.max(count.peak, count.used)
        write_count(place, count)
        answer[#answer + 1] = {place, count.used, count.open, count.peak, before}
    end
end
send.state = 1
send.cost = actual
send.forget = bounded(now + tonumber(ARGV[3]) * 1000)
write_send(ARGV[1], send)
keep_all(send.forget)
return answer
)";

/// 1: the send. Answers as the one before.
constexpr std::string_view quota_release_script = R"(
local send = send_of(ARGV[1])
if not send then return {2, now} end
if send.state == 1 then return {1, now} end
if send.state == 0 then give_back(send) end
erase_send(ARGV[1])
return {0, now}
)";

/// The places. Answers 0, the time, and of each used, open and peak.
constexpr std::string_view quota_read_script = R"(
local answer = {0, now}
for _, place in ipairs(ARGV) do
    local count = count_of(place)
    answer[#answer + 1] = {count.used, count.open, count.peak, count.peak}
end
return answer
)";

/// 1: the period. 2 and 3: from when to when. 4: how many, at most. Answers as quota_settle_script.
constexpr std::string_view quota_history_script = R"(
local from, to = tonumber(ARGV[2]), tonumber(ARGV[3])
local begins = {}
for _, place in ipairs(redis.call('HKEYS', KEYS[1])) do
    local period, begin = string.match(place, '^(%d+):(-?%d+)$')
    if period == ARGV[1] and tonumber(begin) >= from and tonumber(begin) < to then
        begins[#begins + 1] = tonumber(begin)
    end
end
table.sort(begins)
local answer = {0, now}
for i = 1, math.min(#begins, tonumber(ARGV[4])) do
    local place = ARGV[1] .. ':' .. text(begins[i])
    local count = count_of(place)
    answer[#answer + 1] = {place, count.used, count.open, count.peak, count.peak}
end
return answer
)";

}  // namespace

/// With the tools before it.
struct QuotaScript {
    explicit QuotaScript(std::string_view own)
        : whole(std::string{quota_script}.append(own)), script(whole) {}
    QuotaScript(const QuotaScript&) = delete;
    QuotaScript& operator=(const QuotaScript&) = delete;
    ~QuotaScript() = default;

    std::string whole;
    RedisScript script;
};

namespace {

Error quotas_not_understood() {
    return redis_error(RedisFault::not_ours);
}

std::string place_text(std::int64_t period, QuotaMicros begin) {
    return std::to_string(period) + ':' + std::to_string(begin);
}

/// What the scripts can add to the time.
std::string wait_text(std::chrono::milliseconds wait) {
    return std::to_string(std::clamp<std::int64_t>(wait.count(), 0, QuotaSlot::no_limit / 1'000));
}

/// So that numbers are those that Lua has.
std::string bound_text(TimePoint time) {
    const auto micros = quota_micros(time);
    return std::to_string(
        std::clamp<QuotaMicros>(micros, -QuotaSlot::no_limit, QuotaSlot::no_limit));
}

/// Whether it is a list of a number, a time, and lists of `columns` each.
bool is_quota_answer(const RedisReply& reply, std::int64_t largest, std::size_t columns) {
    if (reply.kind != RedisReplyKind::list || reply.list.size() < 2) return false;
    if (reply.list[0].number < 0 || reply.list[0].number > largest) return false;
    return std::all_of(reply.list.begin() + 2, reply.list.end(), [&](const RedisReply& row) {
        return row.kind == RedisReplyKind::list && row.list.size() == columns;
    });
}

/// Of a row: used, open, peak, the peak before, from that column on.
void read_quota_numbers(const RedisReply& row, std::size_t column, QuotaCount& count) {
    count.used = row.list[column].number;
    count.open = row.list[column + 1].number;
    count.peak = row.list[column + 2].number;
    count.peak_before = row.list[column + 3].number;
}

/// In the order of the slots that were asked for.
Result<QuotaReply> read_quota_slots(const RedisReply& reply,
                                    const std::vector<QuotaSlot>& time_slots) {
    if (!is_quota_answer(reply, 3, 4)) return quotas_not_understood();
    QuotaReply answer{static_cast<QuotaTaken>(reply.list[0].number),
                      quota_time(reply.list[1].number)};
    if (answer.taken == QuotaTaken::other_time) return answer;
    if (reply.list.size() != time_slots.size() + 2) return quotas_not_understood();
    for (std::size_t i = 0; i < time_slots.size(); ++i) {
        auto& count = answer.counts.emplace_back();
        count.period = time_slots[i].period;
        count.begin = time_slots[i].begin;
        read_quota_numbers(reply.list[i + 2], 0, count);
    }
    return answer;
}

/// Those that the script names.
Result<QuotaSettlement> read_quota_places(const RedisReply& reply) {
    if (!is_quota_answer(reply, 2, 5)) return quotas_not_understood();
    QuotaSettlement answer{static_cast<QuotaEnd>(reply.list[0].number),
                           quota_time(reply.list[1].number)};
    for (std::size_t i = 2; i < reply.list.size(); ++i) {
        const auto& place = reply.list[i].list[0].text;
        const auto colon = place.find(':');
        if (colon == std::string::npos) return quotas_not_understood();
        auto& count = answer.counts.emplace_back();
        count.period = std::strtoll(place.c_str(), nullptr, 10);
        count.begin = quota_time(std::strtoll(place.c_str() + colon + 1, nullptr, 10));
        read_quota_numbers(reply.list[i], 1, count);
    }
    return answer;
}

}  // namespace
}  // namespace detail

struct RedisQuotas::State {
    State(std::shared_ptr<RedisConnection> to, RedisQuotasOptions chosen)
        : options(std::move(chosen)), runner(std::move(to), options.timeout) {}

    Result<RedisReply> run(const detail::QuotaScript& script, std::string_view quota,
                           const std::vector<std::string>& values) {
        // The letter, so that no tag is empty or begins with its end.
        const auto tagged = options.prefix + "{q" + std::string{quota} + "}";
        const std::string keys[] = {tagged + ":c", tagged + ":s", tagged + ":l", tagged + ":k"};
        const std::vector<std::string_view> views{values.begin(), values.end()};
        return runner.run(script.script, keys, views);
    }

    const RedisQuotasOptions options;
    detail::RedisScriptRunner runner;
    const detail::QuotaScript reserving{detail::quota_reserve_script};
    const detail::QuotaScript settling{detail::quota_settle_script};
    const detail::QuotaScript releasing{detail::quota_release_script};
    const detail::QuotaScript reading{detail::quota_read_script};
    const detail::QuotaScript listing{detail::quota_history_script};
};

RedisQuotas::RedisQuotas(std::shared_ptr<RedisConnection> connection, RedisQuotasOptions options) {
    if (!connection) Error::invalid_request("connection", "is null").raise();
    if (options.timeout.count() <= 0) Error::invalid_request("timeout", "is not positive").raise();
    state_ = std::make_unique<State>(std::move(connection), std::move(options));
    state_->runner.begin().value();
}

RedisQuotas::~RedisQuotas() = default;

Result<QuotaReply> RedisQuotas::reserve(const QuotaRequest& request) {
    if (auto checked = detail::check_quota_request(request); !checked) return checked.error();
    std::vector<std::string> values{std::string{request.send}, std::to_string(request.cost),
                                    detail::wait_text(request.lapses_after),
                                    detail::wait_text(request.remembered)};
    for (const auto& slot : request.time_slots) {
        values.push_back(detail::place_text(slot.period, detail::quota_micros(slot.begin)));
        values.push_back(detail::bound_text(slot.begin));
        values.push_back(detail::bound_text(slot.end));
        values.push_back(std::to_string(slot.limit));
        values.push_back(detail::bound_text(slot.keep_until));
    }
    const auto reply = state_->run(state_->reserving, request.quota, values);
    if (!reply) return reply.error();
    return detail::read_quota_slots(*reply, request.time_slots);
}

Result<QuotaSettlement> RedisQuotas::settle(std::string_view quota, std::string_view send,
                                            std::int64_t actual,
                                            std::chrono::milliseconds remembered) {
    if (auto checked = detail::check_quota_keys(quota, send); !checked) return checked.error();
    if (auto checked = detail::check_quota_actual(actual); !checked) return checked.error();
    const auto reply =
        state_->run(state_->settling, quota,
                    {std::string{send}, std::to_string(actual), detail::wait_text(remembered)});
    if (!reply) return reply.error();
    return detail::read_quota_places(*reply);
}

Result<QuotaEnd> RedisQuotas::release(std::string_view quota, std::string_view send) {
    if (auto checked = detail::check_quota_keys(quota, send); !checked) return checked.error();
    const auto reply = state_->run(state_->releasing, quota, {std::string{send}});
    if (!reply) return reply.error();
    const auto read = detail::read_quota_places(*reply);
    if (!read) return read.error();
    return read->end;
}

Result<QuotaReply> RedisQuotas::read(std::string_view quota,
                                     const std::vector<QuotaSlot>& time_slots) {
    if (auto checked = detail::check_quota_keys(quota, quota); !checked) return checked.error();
    if (auto checked = detail::check_quota_slots(time_slots); !checked) return checked.error();
    std::vector<std::string> places;
    places.reserve(time_slots.size());
    for (const auto& slot : time_slots) {
        places.push_back(detail::place_text(slot.period, detail::quota_micros(slot.begin)));
    }
    const auto reply = state_->run(state_->reading, quota, places);
    if (!reply) return reply.error();
    auto read = detail::read_quota_slots(*reply, time_slots);
    if (read) read->taken = QuotaTaken::refused;
    return read;
}

Result<std::vector<QuotaCount>> RedisQuotas::history(std::string_view quota, std::int64_t period,
                                                     TimePoint from, TimePoint to) {
    if (auto checked = detail::check_quota_keys(quota, quota); !checked) return checked.error();
    const auto reply =
        state_->run(state_->listing, quota,
                    {std::to_string(period), detail::bound_text(from), detail::bound_text(to),
                     std::to_string(detail::most_quota_history)});
    if (!reply) return reply.error();
    auto read = detail::read_quota_places(*reply);
    if (!read) return read.error();
    return std::move(read->counts);
}

}  // namespace twiliowa
