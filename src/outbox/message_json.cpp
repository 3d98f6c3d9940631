#include "outbox/message_json.hpp"

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace twiliowa::detail {
namespace {

using MessageJson = nlohmann::json;

struct OutboundTextMember {
    const char* name;
    TextField OutboundMessage::*member;
};
struct OutboundSwitchMember {
    const char* name;
    std::optional<bool> OutboundMessage::*member;
};
struct OutboundNumberMember {
    const char* name;
    std::optional<int> OutboundMessage::*member;
};
struct OutboundListMember {
    const char* name;
    TextList OutboundMessage::*member;
};
struct OutboundVariablesMember {
    const char* name;
    const char* defaults;
    TemplateVariables OutboundMessage::*member;
};

constexpr OutboundTextMember outbound_texts[] = {
    {"to", &OutboundMessage::to},
    {"from", &OutboundMessage::from},
    {"messaging_service_sid", &OutboundMessage::messaging_service_sid},
    {"body", &OutboundMessage::body},
    {"content_sid", &OutboundMessage::content_sid},
    {"status_callback", &OutboundMessage::status_callback},
    {"application_sid", &OutboundMessage::application_sid},
    {"schedule_type", &OutboundMessage::schedule_type},
    {"content_retention", &OutboundMessage::content_retention},
    {"address_retention", &OutboundMessage::address_retention},
    {"traffic_type", &OutboundMessage::traffic_type},
    {"risk_check", &OutboundMessage::risk_check},
    {"fallback_from", &OutboundMessage::fallback_from},
    {"fallback_content_sid", &OutboundMessage::fallback_content_sid}};
constexpr OutboundSwitchMember outbound_switches[] = {
    {"provide_feedback", &OutboundMessage::provide_feedback},
    {"force_delivery", &OutboundMessage::force_delivery},
    {"smart_encoded", &OutboundMessage::smart_encoded},
    {"shorten_urls", &OutboundMessage::shorten_urls},
    {"send_as_mms", &OutboundMessage::send_as_mms}};
constexpr OutboundNumberMember outbound_numbers[] = {
    {"validity_period", &OutboundMessage::validity_period}, {"attempt", &OutboundMessage::attempt}};
constexpr OutboundListMember outbound_lists[] = {
    {"media_url", &OutboundMessage::media_url},
    {"persistent_action", &OutboundMessage::persistent_action}};
constexpr OutboundVariablesMember outbound_variables[] = {
    {"variables", "use_defaults", &OutboundMessage::content_variables},
    {"fallback_variables", "fallback_use_defaults", &OutboundMessage::fallback_variables}};

constexpr std::pair<WhitespacePolicy, const char*> whitespace_names[] = {
    {WhitespacePolicy::refuse, "refuse"},
    {WhitespacePolicy::normalise, "normalise"},
    {WhitespacePolicy::allow, "allow"}};

constexpr int deepest_message = 8;

Error wrong_member(std::string_view name, std::string_view problem, std::string_view hint = {}) {
    return Error::invalid_request(name, problem, hint);
}

/// Whether a name can be that of a member: anything else, such as a number, is not repeated.
bool is_plain_name(std::string_view name) {
    constexpr std::size_t longest = 32;
    return name.size() <= longest &&
           name.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos;
}

MessageJson pairs_json(const std::vector<NamedText::Pair>& pairs) {
    auto list = MessageJson::array();
    for (const auto& [name, value] : pairs) list.push_back({name, value});
    return list;
}

Result<TextList> read_texts(const MessageJson& json, std::string_view name) {
    if (json.is_string()) return TextList{json.get<std::string>()};
    if (!json.is_array()) return wrong_member(name, "is neither a text nor a list of texts");
    TextList texts;
    for (const auto& each : json) {
        if (!each.is_string()) return wrong_member(name, "holds something that is no text");
        texts.push_back(each.get<std::string>());
    }
    return texts;
}

Result<int> read_int(const MessageJson& json, std::string_view name) {
    if (!json.is_number_integer()) return wrong_member(name, "is not a whole number");
    const auto number = json.get<std::int64_t>();
    if (number < 0 || number > 1'000'000'000) return wrong_member(name, "is out of its range");
    return static_cast<int>(number);
}

/// One member of a message; whether its name is one that is known.
class MessageReader {
public:
    Result<void> read(const std::string& name, const MessageJson& json) {
        if (json.is_null()) return {};
        for (const auto& each : outbound_texts) {
            if (name == each.name) return read_text(name, json, message.*each.member);
        }
        for (const auto& each : outbound_switches) {
            if (name != each.name) continue;
            if (!json.is_boolean()) return wrong_member(name, "is neither true nor false");
            message.*each.member = json.get<bool>();
            return {};
        }
        for (const auto& each : outbound_numbers) {
            if (name != each.name) continue;
            const auto number = read_int(json, name);
            if (!number) return number.error();
            message.*each.member = *number;
            return {};
        }
        for (const auto& each : outbound_lists) {
            if (name != each.name) continue;
            auto texts = read_texts(json, name);
            if (!texts) return texts.error();
            message.*each.member = std::move(*texts);
            return {};
        }
        for (const auto& each : outbound_variables) {
            if (name == each.name) return read_variables(name, json, message.*each.member);
            if (name == each.defaults) return read_defaults(name, json, message.*each.member);
        }
        return read_other(name, json);
    }

    OutboundMessage message = {};

private:
    static Result<void> read_text(std::string_view name, const MessageJson& json, TextField& text) {
        if (!json.is_string()) return wrong_member(name, "is not a text");
        text = json.get<std::string>();
        return {};
    }

    static Result<void> read_variables(std::string_view name, const MessageJson& json,
                                       TemplateVariables& variables) {
        if (!json.is_object()) {
            return wrong_member(name, "is not an object of texts", R"(write {"1": "Lee"})");
        }
        for (const auto& [each, value] : json.items()) {
            if (!value.is_string()) return wrong_member(name, "has a value that is not a text");
            variables.set(each, value.get<std::string>());
        }
        return {};
    }

    static Result<void> read_defaults(std::string_view name, const MessageJson& json,
                                      TemplateVariables& variables) {
        if (json.is_boolean()) {
            if (json.get<bool>()) variables.use_all_defaults();
            return {};
        }
        auto names = read_texts(json, name);
        if (!names) return names.error();
        for (auto& each : *names) variables.use_default(std::move(each));
        return {};
    }

    Result<void> read_other(const std::string& name, const MessageJson& json) {
        if (name == "send_at") {
            if (!json.is_number_integer()) {
                return wrong_member(name, "is not a whole number",
                                    "write the seconds since 1970, UTC");
            }
            const std::chrono::seconds time{json.get<std::int64_t>()};
            constexpr auto last = std::chrono::floor<std::chrono::seconds>(TimePoint::max());
            if (time < time.zero() || time > last.time_since_epoch()) {
                return wrong_member(name, "is out of its range");
            }
            message.send_at = TimePoint{time};
            return {};
        }
        if (name == "max_price") {
            if (!json.is_number()) return wrong_member(name, "is not a number");
            message.max_price = json.get<double>();
            return {};
        }
        if (name == "whitespace") {
            for (const auto& [policy, word] : whitespace_names) {
                if (!json.is_string() || json.get_ref<const std::string&>() != word) continue;
                message.whitespace = policy;
                return {};
            }
            return wrong_member(name, "is none of refuse, normalise, allow");
        }
        if (name == "category" || name == "message_intent") {
            if (!json.is_string()) return wrong_member(name, "is not a text");
            const auto& word = json.get_ref<const std::string&>();
            if (name == "category") {
                message.category = TemplateCategory{word};
            } else {
                message.message_intent = MessageIntent{word};
            }
            return {};
        }
        if (name == "extra") return read_extra(json);
        constexpr std::string_view hint =
            "write the members of OutboundMessage; see docs/outbox.md";
        if (is_plain_name(name)) return wrong_member(name, "is no member of a message", hint);
        return wrong_member("message", "has a member that is not known", hint);
    }

    Result<void> read_extra(const MessageJson& json) {
        const auto wrong = [] {
            return wrong_member("extra", "is not a list of pairs", R"(write [["Name", "value"]])");
        };
        if (!json.is_array()) return wrong();
        for (const auto& pair : json) {
            if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() ||
                !pair[1].is_string()) {
                return wrong();
            }
            message.extra.push_back({pair[0].get<std::string>(), pair[1].get<std::string>()});
        }
        return {};
    }
};

}  // namespace

Result<std::string> write_message_json(const OutboundMessage& message) {
    auto json = MessageJson::object();
    for (const auto& each : outbound_texts) {
        const std::string& text = message.*each.member;
        if (!text.empty()) json[each.name] = text;
    }
    for (const auto& each : outbound_switches) {
        if (message.*each.member) json[each.name] = *(message.*each.member);
    }
    for (const auto& each : outbound_numbers) {
        if (message.*each.member) json[each.name] = *(message.*each.member);
    }
    for (const auto& each : outbound_lists) {
        const std::vector<std::string>& texts = message.*each.member;
        if (!texts.empty()) json[each.name] = texts;
    }
    for (const auto& each : outbound_variables) {
        const auto& variables = message.*each.member;
        for (const auto& [name, value] : variables.entries()) json[each.name][name] = value;
        if (variables.uses_all_defaults()) {
            json[each.defaults] = true;
        } else if (!variables.defaults().empty()) {
            json[each.defaults] = variables.defaults();
        }
    }
    if (message.send_at) {
        json["send_at"] =
            std::chrono::floor<std::chrono::seconds>(*message.send_at).time_since_epoch().count();
    }
    if (message.max_price) json["max_price"] = *message.max_price;
    for (const auto& [policy, word] : whitespace_names) {
        if (message.whitespace == policy && policy != WhitespacePolicy::refuse) {
            json["whitespace"] = word;
        }
    }
    if (!message.category.empty()) json["category"] = message.category.str();
    if (!message.message_intent.empty()) json["message_intent"] = message.message_intent.str();
    if (!message.extra.empty()) json["extra"] = pairs_json(message.extra);
    try {
        return json.dump();
    } catch (const MessageJson::exception&) {
        return Error::invalid_request("message", "has text that is not UTF-8");
    }
}

Result<OutboundMessage> read_message_json(std::string_view text) {
    if (text.size() > longest_message) return wrong_member("message", "is longer than 256 KiB");
    // The library keeps the last of two members of one name; the first would be lost.
    std::vector<std::set<std::string>> names;
    bool twice = false;
    bool deep = false;
    using Event = MessageJson::parse_event_t;
    const auto json = MessageJson::parse(
        text,
        [&](int depth, Event event, MessageJson& value) {
            if (event == Event::object_start) names.emplace_back();
            if (event == Event::object_end) names.pop_back();
            if (event == Event::key) {
                twice = !names.back().insert(value.get<std::string>()).second || twice;
            }
            deep = deep || depth > deepest_message;
            return depth <= deepest_message;
        },
        false);
    if (json.is_discarded() || !json.is_object() || deep) {
        return wrong_member("message", "is not one JSON object");
    }
    if (twice) return wrong_member("message", "has a member twice");
    MessageReader reader;
    for (const auto& [name, value] : json.items()) {
        if (const auto read = reader.read(name, value); !read) return read.error();
    }
    return std::move(reader.message);
}

}  // namespace twiliowa::detail
