#include <twiliowa/content/definition.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>
#include <utility>

#include "content/definition_json.hpp"
#include "content/members.hpp"
#include "content/variable_text.hpp"

namespace twiliowa {

namespace detail {
namespace {

/// What only an answer has.
constexpr std::array<std::string_view, 10> answer_members{
    "sid",        "account_sid",       "url",
    "links",      "date_created",      "date_updated",
    "approvals",  "approval_requests", "approval_content",
    "legacy_body"};

template <class Part>
Part read_part(ContentJson json);

/// A number, also one that is given as text, in the one spelling in which it is written.
std::string number_text(const ContentJson& json) {
    if (!json.is_string()) return json.dump();
    const auto& text = json.get_ref<const std::string&>();
    const auto number = ContentJson::parse(text, nullptr, false);
    return number.is_number() ? number.dump() : text;
}

/// Takes the members out that are as they are expected; what is left is unknown.
class MemberReader {
public:
    explicit MemberReader(ContentJson& json) : json_(json) {}

    void operator()(const char* name, TextField& text) {
        take(name, [&](ContentJson& value) {
            if (!value.is_string()) return false;
            text = std::move(value.get_ref<std::string&>());
            return true;
        });
    }
    void operator()(const char* name, ContentActionType& type) {
        take(name, [&](const ContentJson& value) {
            if (!value.is_string()) return false;
            type = ContentActionType{value.get_ref<const std::string&>()};
            return true;
        });
    }
    void operator()(const char* name, NumberText number) {
        take(name, [&](const ContentJson& value) {
            if (!value.is_string() && !value.is_number()) return false;
            number.text = number_text(value);
            return true;
        });
    }
    void operator()(const char* name, std::optional<bool>& flag) {
        take(name, [&](const ContentJson& value) {
            if (!value.is_boolean()) return false;
            flag = value.get<bool>();
            return true;
        });
    }
    void operator()(const char* name, std::optional<int>& number) {
        take(name, [&](const ContentJson& value) {
            if (!value.is_number_integer()) return false;
            const auto whole = value.get<std::int64_t>();
            if (whole < std::numeric_limits<int>::min() ||
                whole > std::numeric_limits<int>::max()) {
                return false;
            }
            number = static_cast<int>(whole);
            return true;
        });
    }
    void operator()(const char* name, TextList& texts) {
        take(name, [&](ContentJson& value) {
            const auto is_text = [](const ContentJson& each) { return each.is_string(); };
            if (!value.is_array() || !std::all_of(value.begin(), value.end(), is_text)) {
                return false;
            }
            for (auto& each : value) texts.push_back(std::move(each.get_ref<std::string&>()));
            return true;
        });
    }
    template <class Part>
    void operator()(const char* name, std::vector<Part>& parts) {
        take(name, [&](ContentJson& value) {
            const auto is_part = [](const ContentJson& each) { return each.is_object(); };
            if (!value.is_array() || !std::all_of(value.begin(), value.end(), is_part)) {
                return false;
            }
            for (auto& each : value) parts.push_back(read_part<Part>(std::move(each)));
            return true;
        });
    }

private:
    /// null is the same as absent.
    template <class Take>
    void take(const char* name, Take take_value) {
        const auto found = json_.find(name);
        if (found == json_.end()) return;
        if (found->is_null() || take_value(*found)) json_.erase(found);
    }
    ContentJson& json_;
};

template <class Part>
Part read_part(ContentJson json) {
    Part part;
    visit_members(part, MemberReader{json});
    if (!json.empty()) part.extra = dump_content_json(json);
    return part;
}

template <class Part>
ContentJson write_part(const Part& part);

/// Writes what is not empty.
class MemberWriter {
public:
    explicit MemberWriter(ContentJson& json) : json_(json) {}

    void operator()(const char* name, const TextField& text) {
        if (!text.empty()) json_[name] = static_cast<const std::string&>(text);
    }
    void operator()(const char* name, const ContentActionType& type) {
        if (!type.empty()) json_[name] = type.str();
    }
    void operator()(const char* name, NumberText number) {
        if (number.text.empty()) return;
        auto value = ContentJson::parse(number.text, nullptr, false);
        json_[name] = value.is_number() ? std::move(value)
                                        : ContentJson(static_cast<std::string&>(number.text));
    }
    template <class Value>
    void operator()(const char* name, const std::optional<Value>& value) {
        if (value) json_[name] = *value;
    }
    void operator()(const char* name, const TextList& texts) {
        if (!texts.empty()) json_[name] = static_cast<const std::vector<std::string>&>(texts);
    }
    template <class Part>
    void operator()(const char* name, const std::vector<Part>& parts) {
        if (parts.empty()) return;
        auto& list = json_[name] = ContentJson::array();
        for (const auto& part : parts) list.push_back(write_part(part));
    }

private:
    ContentJson& json_;
};

/// Adds unknown members behind the known ones, which win.
void write_unknown(ContentJson& json, const UnknownMembers& extra) {
    if (extra.empty()) return;
    auto unknown = parse_content_object(extra, "extra");
    if (!unknown) return;
    for (auto& [name, value] : unknown->items()) {
        if (!json.contains(name)) json[name] = std::move(value);
    }
}

template <class Part>
ContentJson write_part(const Part& part) {
    auto json = ContentJson::object();
    auto copy = part;  // one list of members serves both ways
    visit_members(copy, MemberWriter{json});
    write_unknown(json, part.extra);
    return json;
}

/// Reads `json` as the alternative of the name `type`, if there is one and it is an object.
template <std::size_t Index = 0>
ContentType read_type(const std::string& type, ContentJson& json) {
    using Type = std::variant_alternative_t<Index, ContentType>;
    if constexpr (std::is_same_v<Type, OtherContent>) {
        return OtherContent{.type = type, .json = dump_content_json(json)};
    } else {
        if (type == Type::type && json.is_object()) return read_part<Type>(std::move(json));
        return read_type<Index + 1>(type, json);
    }
}

/// The samples, if all are texts with names of their own; otherwise they stay unknown.
bool read_samples(const ContentJson& json, TemplateVariables& variables) {
    if (!json.is_object()) return false;
    for (const auto& [name, value] : json.items()) {
        if (!value.is_string()) return false;
    }
    for (const auto& [name, value] : json.items()) {
        variables.set(name, value.get_ref<const std::string&>());
    }
    return true;
}

/// `text` with every placeholder written the same way.
std::string in_one_spelling(std::string_view text) {
    return replace_variables(text, [](std::string_view name, std::string_view) {
        return std::string("{{").append(name).append("}}");
    });
}

/// For comparison: what is named in the order of its names, placeholders in one spelling.
ContentJson in_one_form(const ContentJson& json) {
    if (json.is_string()) return in_one_spelling(json.get_ref<const std::string&>());
    if (json.is_array()) {
        auto ordered = ContentJson::array();
        for (const auto& each : json) ordered.push_back(in_one_form(each));
        return ordered;
    }
    if (!json.is_object()) return json;
    std::vector<std::string> names;
    for (const auto& [name, value] : json.items()) names.push_back(name);
    std::sort(names.begin(), names.end());
    auto ordered = ContentJson::object();
    for (const auto& name : names) ordered[name] = in_one_form(json[name]);
    return ordered;
}

}  // namespace

ContentJson write_content_type(const ContentType& content) {
    return std::visit(
        [](const auto& each) -> ContentJson {
            if constexpr (std::is_same_v<std::decay_t<decltype(each)>, OtherContent>) {
                auto json = parse_content_json(each.json, "types");
                return json ? std::move(*json) : ContentJson(nullptr);
            } else {
                return write_part(each);
            }
        },
        content);
}

ContentDefinition read_definition(ContentJson json) {
    ContentDefinition definition;
    for (const auto name : answer_members) json.erase(std::string(name));
    MemberReader read{json};
    read("friendly_name", definition.friendly_name);
    definition.language.clear();
    read("language", definition.language);
    const auto samples = json.find("variables");
    if (samples != json.end() &&
        (samples->is_null() || read_samples(*samples, definition.variables))) {
        json.erase(samples);
    }
    const auto types = json.find("types");
    if (types != json.end() && types->is_object()) {
        for (auto& [name, value] : types->items()) {
            if (!value.is_null()) definition.types.push_back(read_type(name, value));
        }
        json.erase(types);
    }
    if (!json.empty()) definition.extra = dump_content_json(json);
    return definition;
}

ContentJson write_definition(const ContentDefinition& definition) {
    auto json = ContentJson::object();
    MemberWriter write{json};
    write("friendly_name", definition.friendly_name);
    write("language", definition.language);
    if (!definition.variables.empty()) {
        auto& samples = json["variables"] = ContentJson::object();
        for (const auto& [name, value] : definition.variables.entries()) samples[name] = value;
    }
    if (!definition.types.empty()) {
        auto& types = json["types"] = ContentJson::object();
        for (const auto& content : definition.types) {
            types[std::string(type_name(content))] = write_content_type(content);
        }
    }
    write_unknown(json, definition.extra);
    return json;
}

}  // namespace detail

ContentAction ContentAction::quick_reply(TextField title, TextField id) {
    if (id.empty()) id.assign(title);
    return {.type = ContentActionType{ContentActionType::quick_reply},
            .title = std::move(title),
            .id = std::move(id)};
}

ContentAction ContentAction::open_url(TextField title, TextField url) {
    return {.type = ContentActionType{ContentActionType::url},
            .title = std::move(title),
            .url = std::move(url)};
}

ContentAction ContentAction::call_phone(TextField title, TextField phone) {
    return {.type = ContentActionType{ContentActionType::phone_number},
            .title = std::move(title),
            .phone = std::move(phone)};
}

ContentAction ContentAction::copy_code(TextField title, TextField code) {
    return {.type = ContentActionType{ContentActionType::copy_code},
            .title = std::move(title),
            .code = std::move(code)};
}

std::string_view type_name(const ContentType& content) noexcept {
    return std::visit([](const auto& each) -> std::string_view { return each.type; }, content);
}

Result<ContentDefinition> ContentDefinition::from_json(std::string_view json) {
    auto document = detail::parse_content_object(json, "definition");
    if (!document) return document.error();
    return detail::read_definition(std::move(*document));
}

std::string ContentDefinition::to_json(int indent) const {
    return detail::dump_content_json(detail::write_definition(*this), indent);
}

bool ContentDefinition::same_content(const ContentDefinition& other) const {
    return detail::in_one_form(detail::write_definition(*this)) ==
           detail::in_one_form(detail::write_definition(other));
}

}  // namespace twiliowa
