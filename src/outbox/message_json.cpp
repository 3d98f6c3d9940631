#include "outbox/message_json.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "text/json_scanner.hpp"

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

/// Throws where it is not UTF-8.
void append_json_text(std::string& out, std::string_view text) {
    const bool is_plain = std::all_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
    });
    if (is_plain) {
        out.append(1, '"').append(text).append(1, '"');
    } else {
        out += MessageJson(text).dump();
    }
}

/// Writes one member after the other, as text: the objects of the library would cost more than the
/// check of the message.
class MessageWriter {
public:
    explicit MessageWriter(const OutboundMessage& message) : message_(message) {
        json_.reserve(512);
    }

    void write(const OutboundTextMember& each) {
        const std::string& text = message_.*each.member;
        if (!text.empty()) write_text(each.name, text);
    }
    void write(const OutboundSwitchMember& each) {
        const auto& value = message_.*each.member;
        if (value) name(each.name) += *value ? "true" : "false";
    }
    void write(const OutboundNumberMember& each) {
        const auto& value = message_.*each.member;
        if (value) name(each.name) += std::to_string(*value);
    }
    void write(const OutboundListMember& each) {
        const std::vector<std::string>& texts = message_.*each.member;
        if (!texts.empty()) write_list(each.name, texts);
    }
    void write_values(const OutboundVariablesMember& each) {
        const auto& entries = (message_.*each.member).entries();
        if (entries.empty()) return;
        std::map<std::string_view, std::string_view> sorted;
        for (const auto& [variable, value] : entries) sorted[variable] = value;
        name(each.name);
        char before = '{';
        for (const auto& [variable, value] : sorted) {
            json_ += before;
            append_json_text(json_, variable);
            json_ += ':';
            append_json_text(json_, value);
            before = ',';
        }
        json_ += '}';
    }
    void write_defaults(const OutboundVariablesMember& each) {
        const auto& variables = message_.*each.member;
        if (variables.uses_all_defaults()) {
            name(each.defaults) += "true";
        } else if (!variables.defaults().empty()) {
            write_list(each.defaults, variables.defaults());
        }
    }
    void write_category() {
        if (!message_.category.empty()) write_text("category", message_.category.str());
    }
    void write_intent() {
        const auto& intent = message_.message_intent;
        if (!intent.empty()) write_text("message_intent", intent.str());
    }
    void write_extra() {
        if (message_.extra.empty()) return;
        name("extra");
        char before = '[';
        for (const auto& [parameter, value] : message_.extra) {
            json_ += before;
            json_ += '[';
            append_json_text(json_, parameter);
            json_ += ',';
            append_json_text(json_, value);
            json_ += ']';
            before = ',';
        }
        json_ += ']';
    }
    void write_price() {
        if (message_.max_price) name("max_price") += MessageJson(*message_.max_price).dump();
    }
    void write_time() {
        if (!message_.send_at) return;
        const auto time = std::chrono::floor<std::chrono::seconds>(*message_.send_at);
        name("send_at") += std::to_string(time.time_since_epoch().count());
    }
    void write_whitespace() {
        if (message_.whitespace == WhitespacePolicy::refuse) return;
        for (const auto& [policy, word] : whitespace_names) {
            if (message_.whitespace == policy) write_text("whitespace", word);
        }
    }

    std::string finish() && {
        if (json_.empty()) json_ += '{';
        json_ += '}';
        return std::move(json_);
    }

private:
    std::string& name(std::string_view name) {
        json_ += json_.empty() ? '{' : ',';
        json_.append(1, '"').append(name).append("\":");
        return json_;
    }
    void write_text(std::string_view member, std::string_view text) {
        append_json_text(name(member), text);
    }
    void write_list(std::string_view member, const std::vector<std::string>& texts) {
        name(member);
        char before = '[';
        for (const auto& text : texts) {
            json_ += before;
            append_json_text(json_, text);
            before = ',';
        }
        json_ += ']';
    }

    const OutboundMessage& message_;
    std::string json_ = {};
};

/// All members, in the order of their names.
using WriteMember = std::function<void(MessageWriter&)>;
const std::map<std::string_view, WriteMember>& message_writers() {
    static const auto writers = [] {
        std::map<std::string_view, WriteMember> all{
            {"category", &MessageWriter::write_category},
            {"extra", &MessageWriter::write_extra},
            {"max_price", &MessageWriter::write_price},
            {"message_intent", &MessageWriter::write_intent},
            {"send_at", &MessageWriter::write_time},
            {"whitespace", &MessageWriter::write_whitespace}};
        const auto add = [&](const auto& members) {
            for (const auto& each : members) {
                all.emplace(each.name, [&each](MessageWriter& to) { to.write(each); });
            }
        };
        add(outbound_texts);
        add(outbound_switches);
        add(outbound_numbers);
        add(outbound_lists);
        for (const auto& each : outbound_variables) {
            all.emplace(each.name, [&each](MessageWriter& to) { to.write_values(each); });
            all.emplace(each.defaults, [&each](MessageWriter& to) { to.write_defaults(each); });
        }
        return all;
    }();
    return writers;
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

/// What most messages are, texts and variables, as `write_message_json` writes it: in one pass,
/// which costs a sixth. Whatever else it meets is left to the reader of all members.
class PlainMessageReader final : public JsonEvents {
public:
    static std::optional<OutboundMessage> read(std::string_view json) {
        PlainMessageReader reader;
        if (!scan_json(json, reader) || !reader.plain_) return std::nullopt;
        return std::move(reader.message_);
    }

private:
    void start_object() override {
        plain_ = plain_ && (depth_ == 0 || (depth_ == 1 && variables_ != nullptr));
        ++depth_;
        last_variable_.reset();
    }
    void end_object() override { --depth_; }
    void start_array() override { plain_ = false; }
    void end_array() override {}
    void key(std::string_view name) override {
        if (depth_ > 1) {
            // One that is there twice is refused, and others come in this order.
            plain_ = plain_ && (!last_variable_ || *last_variable_ < name);
            last_variable_ = name;
            return;
        }
        plain_ = plain_ && last_member_ < name;
        last_member_ = name;
        text_ = nullptr;
        variables_ = nullptr;
        for (const auto& each : outbound_texts) {
            if (name == each.name) text_ = &(message_.*each.member);
        }
        for (const auto& each : outbound_variables) {
            if (name == each.name) variables_ = &(message_.*each.member);
        }
    }
    void string(std::string_view text) override {
        if (depth_ == 2 && variables_ != nullptr) {
            variables_->set(*last_variable_, std::string{text});
        } else if (depth_ == 1 && text_ != nullptr) {
            *text_ = std::string{text};
        } else {
            plain_ = false;
        }
    }
    void integer(std::int64_t) override { plain_ = false; }
    void other() override { plain_ = false; }

    OutboundMessage message_ = {};
    bool plain_ = true;
    int depth_ = 0;
    std::string last_member_ = {};
    std::optional<std::string> last_variable_ = {};
    TextField* text_ = nullptr;
    TemplateVariables* variables_ = nullptr;
};

}  // namespace

Result<std::string> write_message_json(const OutboundMessage& message) {
    MessageWriter writer{message};
    try {
        for (const auto& each : message_writers()) each.second(writer);
    } catch (const MessageJson::exception&) {
        return Error::invalid_request("message", "has text that is not UTF-8");
    }
    return std::move(writer).finish();
}

Result<OutboundMessage> read_message_json(std::string_view text) {
    if (text.size() > longest_message) return wrong_member("message", "is longer than 256 KiB");
    if (auto plain = PlainMessageReader::read(text)) return std::move(*plain);
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

std::string member_of_send(std::string_view field) {
    if (field == "ContentVariables") return "variables";
    std::string name;
    for (const char c : field) {
        const bool is_upper = c >= 'A' && c <= 'Z';
        if (is_upper && !name.empty()) name += '_';
        name += is_upper ? static_cast<char>(c - 'A' + 'a') : c;
    }
    return name;
}

}  // namespace twiliowa::detail
