#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include <twiliowa/content/definition.hpp>

#include "content/definition_json.hpp"
#include "content/finding_list.hpp"
#include "content/json.hpp"
#include "content/member_checks.hpp"
#include "content/rule_checks.hpp"
#include "content/samples.hpp"
#include "content/variable_checks.hpp"
#include "text/utf8.hpp"

namespace twiliowa::detail {

namespace {

class ContentChecker {
public:
    ContentChecker(const ContentDefinition& definition, ContentUse use)
        : definition_(definition),
          json_(write_definition(definition)),
          samples_(samples_of(json_)),
          list_(use) {}

    ContentFindings check() {
        check_top();
        check_types();
        check_variables(definition_, json_, samples_, list_);
        return list_.take();
    }

private:
    // The definition itself.

    void check_top() {
        check_extra(definition_.extra, "extra", list_);
        check_texts(json_, "");
        expect_kind("friendly_name", "text", &ContentJson::is_string);
        expect_kind("language", "text", &ContentJson::is_string);
        expect_kind("variables", "an object", &ContentJson::is_object);
        expect_kind("types", "an object", &ContentJson::is_object);
        if (is_empty_member(find_member(json_, "language"))) {
            list_.refuse("language", "is missing", "write one, such as en or en_US");
        }
        if (is_empty_member(find_member(json_, "types"))) {
            list_.refuse("types", "is missing", "a template needs a type, such as twilio/text");
        }
    }

    void expect_kind(const char* name, std::string_view wanted,
                     bool (ContentJson::*is_right)() const noexcept) {
        const auto* value = find_member(json_, name);
        if (is_absent(value) || (value->*is_right)()) return;
        list_.refuse(name,
                     "is " + std::string(kind_of_json(*value)) + ", not " + std::string(wanted));
    }

    /// Finds bytes that would not go out as they are.
    void check_texts(const ContentJson& json, const std::string& path) {
        if (json.is_string()) {
            const auto& text = json.get_ref<const std::string&>();
            if (!is_valid_utf8(text)) list_.refuse(path, "is not valid UTF-8");
            if (text.find('\0') != std::string::npos) {
                list_.refuse(path, "holds a NUL", "is it binary, or cut off in the wrong place?");
            }
            return;
        }
        std::size_t index = 0;
        if (json.is_array()) {
            for (const auto& each : json) check_texts(each, path_of_item(path, index++));
        } else if (json.is_object()) {
            for (const auto& [name, value] : json.items()) {
                const auto here = path_of_member(path, name, index++);
                if (!is_valid_utf8(name)) list_.refuse(here, "has a name that is not valid UTF-8");
                check_texts(value, here);
            }
        }
    }

    // The types.

    void check_types() {
        const auto* types = find_member(json_, "types");
        if (types == nullptr || !types->is_object()) return;
        for (std::size_t i = 0; i < definition_.types.size(); ++i) {
            check_type(definition_.types[i], *types, i);
        }
    }

    void check_type(const ContentType& content, const ContentJson& types, std::size_t index) {
        const auto type = type_name(content);
        const auto path = path_of_member("types", type, index);
        const auto before = definition_.types.begin() + static_cast<std::ptrdiff_t>(index);
        const bool twice =
            std::any_of(definition_.types.begin(), before,
                        [&](const ContentType& each) { return type_name(each) == type; });
        if (twice) return list_.refuse(path, "is there twice", "keep one of the two");
        const auto* json = find_member(types, type);
        if (json == nullptr) return;
        std::visit(
            [&](const auto& each) {
                if constexpr (std::is_same_v<std::decay_t<decltype(each)>, OtherContent>) {
                    check_other(each, *json, path);
                } else {
                    check_known(each, *json, path);
                }
            },
            content);
    }

    template <class Part>
    void check_known(const Part& part, const ContentJson& json, const std::string& path) {
        check_members(part, json, path, list_);
        check_rules(json, Part::type, path, samples_, list_);
    }

    void check_other(const OtherContent& content, const ContentJson& json,
                     const std::string& path) {
        if (content.type.empty()) {
            list_.refuse(path, "has no name", "name the type, as Twilio writes it");
        }
        if (!parse_content_json(content.json, "types")) {
            return list_.refuse(path, "is not valid JSON", "give one JSON object");
        }
        if (!json.is_object()) {
            return list_.refuse(path, "is " + std::string(kind_of_json(json)) + ", not an object");
        }
        // One that is known may be given as JSON, too.
        auto alone = ContentJson::object();
        alone["types"][content.type] = json;
        const auto read = read_definition(std::move(alone));
        std::visit(
            [&](const auto& each) {
                if constexpr (std::is_same_v<std::decay_t<decltype(each)>, OtherContent>) {
                    list_.warn(path, "is passed unchecked, but for its variables",
                               "this version knows no rules of it: Twilio judges");
                } else {
                    check_known(each, json, path);
                }
            },
            read.types.front());
    }

    const ContentDefinition& definition_;
    ContentJson json_;
    ContentSamples samples_;
    FindingList list_;
};

}  // namespace

}  // namespace twiliowa::detail

namespace twiliowa {

ContentFindings ContentDefinition::check(ContentUse use) const {
    return detail::ContentChecker{*this, use}.check();
}

}  // namespace twiliowa
