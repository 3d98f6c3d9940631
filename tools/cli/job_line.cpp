#include "job_line.hpp"

#include <cstdint>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include <twiliowa/types/error.hpp>

#include "moment.hpp"
#include "outbox/fallback_json.hpp"
#include "outbox/message_json.hpp"

namespace cli {

namespace {

using twiliowa::Error;
using twiliowa::JobOptions;
using twiliowa::NewJob;
using twiliowa::Result;
using twiliowa::TextField;
using twiliowa::TimePoint;
using MessageJson = nlohmann::json;

constexpr std::pair<std::string_view, TextField JobOptions::*> texts[] = {
    {"key", &JobOptions::key},
    {"tenant", &JobOptions::tenant},
    {"tag", &JobOptions::tag},
    {"account", &JobOptions::account},
    {"order_key", &JobOptions::order_key},
    {"quota", &JobOptions::quota}};
constexpr std::pair<std::string_view, std::optional<TimePoint> JobOptions::*> times[] = {
    {"not_before", &JobOptions::not_before}, {"expires_at", &JobOptions::expires_at}};

Result<void> read_time(std::string_view name, const MessageJson& json,
                       std::optional<TimePoint>& into) {
    if (json.is_string()) {
        into = time_of(json.get_ref<const std::string&>());
    } else if (json.is_number_integer()) {
        into = time_of(std::to_string(json.get<std::int64_t>()));
    }
    if (into) return {};
    return Error::invalid_request(name, "is no time",
                                  "write 2026-11-21T06:10:00Z, or the seconds since 1970");
}

/// One member of JobOptions; false if it is none.
Result<bool> read_option(std::string_view name, const MessageJson& json, JobOptions& options) {
    for (const auto& [each, member] : times) {
        if (name != each) continue;
        if (const auto read = read_time(name, json, options.*member); !read) return read.error();
        return true;
    }
    const auto* const text = json.get_ptr<const std::string*>();
    for (const auto& [each, member] : texts) {
        if (name != each) continue;
        if (text == nullptr) return Error::invalid_request(name, "is not a text");
        options.*member = *text;
        return true;
    }
    if (name == "fallbacks") {
        auto fallbacks = twiliowa::detail::read_fallbacks_json(
            json.dump(-1, ' ', false, MessageJson::error_handler_t::strict));
        if (!fallbacks) return fallbacks.error();
        options.fallbacks = std::move(*fallbacks);
        return true;
    }
    if (name == "cost") {
        if (!json.is_number_integer()) {
            return Error::invalid_request(name, "is no number of thousandths");
        }
        options.cost = twiliowa::QuotaAmount::thousandths(json.get<std::int64_t>());
        return true;
    }
    if (name == "lane") {
        const auto lane = text == nullptr ? std::nullopt : twiliowa::parse_lane(*text);
        if (!lane) {
            return Error::invalid_request(name, "is none of urgent, high, normal, bulk");
        }
        options.lane = *lane;
        return true;
    }
    if (name == "on_unknown") {
        const auto policy = twiliowa::OnUnknown::parse(text == nullptr ? "" : *text);
        if (!policy) {
            return policy.error().with(
                [&](twiliowa::ErrorData& data) { data.field = std::string{name}; });
        }
        options.on_unknown = *policy;
        return true;
    }
    return false;
}

/// One object, in which no name comes twice; discarded if it is not.
MessageJson parse_object(std::string_view line, bool& twice) {
    constexpr int deepest = 8;
    std::vector<std::set<std::string>> names;
    bool deep = false;
    auto json = MessageJson::parse(
        line,
        [&](int depth, MessageJson::parse_event_t event, MessageJson& value) {
            using Event = MessageJson::parse_event_t;
            if (event == Event::object_start) names.emplace_back();
            if (event == Event::object_end) names.pop_back();
            if (event == Event::key) {
                twice = !names.back().insert(value.get<std::string>()).second || twice;
            }
            deep = deep || depth > deepest;
            return depth <= deepest;
        },
        false);
    return deep ? MessageJson(MessageJson::value_t::discarded) : json;
}

}  // namespace

Result<NewJob> read_job_line(std::string_view line) {
    bool twice = false;
    auto json = parse_object(line, twice);
    if (json.is_discarded() || !json.is_object()) {
        return Error::invalid_request("message", "is not one JSON object on one line");
    }
    if (twice) return Error::invalid_request("message", "has a member twice");
    NewJob job;
    auto rest = MessageJson::object();
    for (const auto& [name, value] : json.items()) {
        if (value.is_null()) continue;
        const auto is_option = read_option(name, value, job.options);
        if (!is_option) return is_option.error();
        if (!*is_option) rest[name] = value;
    }
    auto message = twiliowa::detail::read_message_json(
        rest.dump(-1, ' ', false, MessageJson::error_handler_t::strict));
    if (!message) return message.error();
    job.message = std::move(*message);
    return job;
}

std::string member_of_field(std::string_view field) {
    return twiliowa::detail::member_of_send(field);
}

}  // namespace cli
