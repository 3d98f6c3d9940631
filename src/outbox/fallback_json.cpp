#include "outbox/fallback_json.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "outbox/chain.hpp"
#include "outbox/message_json.hpp"

namespace twiliowa::detail {
namespace {

using FallbackJson = nlohmann::json;

Result<OutboundMessage> read_fallback_message(const FallbackJson& json, std::size_t index) {
    if (!json.is_object()) {
        return Error::invalid_request(fallback_field(index, "message"), "is no JSON object");
    }
    auto message = read_message_json(json.dump());
    if (message) return message;
    return message.error().with(
        [&](ErrorData& data) { data.field = fallback_field(index, "message." + data.field); });
}

Result<Fallback> read_fallback(const FallbackJson& json, std::size_t index) {
    const auto wrong = [&](std::string_view member, std::string_view problem) {
        return Error::invalid_request(fallback_field(index, member), problem);
    };
    if (!json.is_object()) return wrong({}, "is no JSON object");
    constexpr double longest_after = 1'000'000;
    Fallback fallback;
    for (const auto& [name, value] : json.items()) {
        if (name == "message") {
            auto message = read_fallback_message(value, index);
            if (!message) return message.error();
            fallback.message = std::move(*message);
        } else if (name == "when") {
            const auto* const text = value.get_ptr<const std::string*>();
            const auto when = text == nullptr ? std::nullopt : parse_fallback_when(*text);
            if (!when) return wrong(name, "is none of unreachable, window_closed");
            fallback.when = *when;
        } else if (name == "after_may_reach_twice") {
            if (!value.is_number_integer() || value.get<double>() < 0 ||
                value.get<double>() > longest_after) {
                return wrong(name, "is no number of seconds");
            }
            fallback.after_may_reach_twice = std::chrono::seconds{value.get<std::int64_t>()};
        } else {
            return wrong({}, "has a member that is none of a fallback");
        }
    }
    return fallback;
}

}  // namespace

Result<std::string> write_fallbacks_json(std::span<const Fallback> fallbacks) {
    std::string json;
    for (std::size_t i = 0; i < fallbacks.size(); ++i) {
        const auto message = write_message_json(fallbacks[i].message);
        if (!message) {
            return message.error().with(
                [&](ErrorData& data) { data.field = fallback_field(i, "message." + data.field); });
        }
        json += i == 0 ? "[{" : ",{";
        if (const auto& after = fallbacks[i].after_may_reach_twice) {
            json += R"("after_may_reach_twice":)" + std::to_string(after->count()) + ',';
        }
        json += R"("message":)" + *message + R"(,"when":")";
        json += to_string(fallbacks[i].when);
        json += R"("})";
    }
    return json.empty() ? "[]" : json + ']';
}

Result<std::vector<Fallback>> read_fallbacks_json(std::string_view text) {
    const auto json = FallbackJson::parse(text, nullptr, false);
    if (!json.is_array()) return Error::invalid_request("fallbacks", "are no JSON array");
    if (json.size() > most_fallbacks) return Error::invalid_request("fallbacks", "are more than 3");
    std::vector<Fallback> fallbacks;
    for (const auto& each : json) {
        auto fallback = read_fallback(each, fallbacks.size());
        if (!fallback) return fallback.error();
        fallbacks.push_back(std::move(*fallback));
    }
    return fallbacks;
}

}  // namespace twiliowa::detail
