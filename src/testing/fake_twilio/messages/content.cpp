#include "testing/fake_twilio/messages/content.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/types/placeholders.hpp>

#include "text/utf8.hpp"

namespace twiliowa::testing::fake {

namespace {

const std::string* find_default(const testing::FakeContent& content, std::string_view name) {
    const auto found = std::find_if(content.variables.begin(), content.variables.end(),
                                    [&](const auto& entry) { return entry.first == name; });
    return found == content.variables.end() ? nullptr : &found->second;
}

bool has_placeholder(std::string_view text, std::string_view name) {
    if (name.empty()) return false;  // as that of one that is malformed
    auto placeholder = find_placeholder(text);
    while (placeholder && placeholder->name != name) {
        placeholder = find_placeholder(text, placeholder->end);
    }
    return placeholder.has_value();
}

bool declares_variable(const testing::FakeContent& content, std::string_view name) {
    return find_default(content, name) != nullptr || has_placeholder(content.body, name) ||
           has_placeholder(content.types, name) ||
           // The code of an authentication template is written nowhere.
           (name == "1" && content.types.find("whatsapp/authentication") != std::string::npos);
}

constexpr std::size_t max_variable = 1'600;
constexpr std::size_t max_template_text = 1'024;

FakeProblem bad_variables(std::string_view why) {
    return {400, 21656, "ContentVariables cannot be used: " + std::string{why}};
}

}  // namespace

FakeRefusal read_variables(std::string_view json, const testing::FakeContent& content,
                           FakeVariables& variables) {
    if (json.empty()) return std::nullopt;
    const auto document = nlohmann::json::parse(json, nullptr, false);
    if (document.is_discarded()) return bad_variables("the text is not JSON");
    if (!document.is_object()) return bad_variables("the JSON is not an object");
    for (const auto& [name, value] : document.items()) {
        if (!value.is_string()) return bad_variables("a value is not a string");
        const auto& text = value.get_ref<const std::string&>();
        if (text.empty()) return bad_variables("a value is empty");
        if (detail::count_code_points(text) > max_variable) {
            return FakeProblem{400, 21658, "A value of ContentVariables is too long", {}};
        }
        if (!declares_variable(content, name)) {
            return bad_variables("a name is not one of the template's");
        }
        variables.insert_or_assign(name, text);
    }
    return std::nullopt;
}

int find_misfit(const FakeVariables& variables, const testing::FakeContent& content,
                std::string_view body) {
    for (const auto& [name, value] : variables) {
        if (value.find_first_of("\n\r\t") != std::string::npos ||
            value.find("     ") != std::string::npos) {
            return 63013;
        }
    }
    const std::string_view text = content.types.empty() ? content.body : content.types;
    for (auto placeholder = find_placeholder(text); placeholder;
         placeholder = find_placeholder(text, placeholder->end)) {
        if (!placeholder->name.empty() && variables.find(placeholder->name) == variables.end() &&
            find_default(content, placeholder->name) == nullptr) {
            return 63028;
        }
    }
    return detail::count_code_points(body) > max_template_text ? 63021 : 0;
}

std::size_t filled_size(const FakeContent& content, const FakeVariables& variables) {
    const std::string_view text = content.types.empty() ? content.body : content.types;
    std::size_t size = text.size();
    for (auto placeholder = find_placeholder(text); placeholder;
         placeholder = find_placeholder(text, placeholder->end)) {
        if (const auto given = variables.find(placeholder->name); given != variables.end()) {
            size += given->second.size();
        } else if (const auto* fallback = find_default(content, placeholder->name)) {
            size += fallback->size();
        }
    }
    return size;
}

std::string fill_placeholders(std::string_view text, const testing::FakeContent& content,
                              const FakeVariables& variables) {
    std::string filled;
    std::size_t done = 0;
    while (const auto placeholder = find_placeholder(text, done)) {
        filled += text.substr(done, placeholder->begin - done);
        const auto given = variables.find(placeholder->name);
        const auto* fallback = find_default(content, placeholder->name);
        if (given != variables.end()) {
            filled += given->second;
        } else if (fallback != nullptr) {
            filled += *fallback;
        } else {
            filled += text.substr(placeholder->begin, placeholder->end - placeholder->begin);
        }
        done = placeholder->end;
    }
    filled += text.substr(done);
    return filled;
}

}  // namespace twiliowa::testing::fake

namespace twiliowa::testing {

FakeContent FakeContent::quick_reply(std::string_view body,
                                     const std::vector<std::string>& titles) {
    auto actions = nlohmann::ordered_json::array();
    for (const auto& title : titles) {
        actions.push_back({{"type", "QUICK_REPLY"}, {"title", title}, {"id", title}});
    }
    const nlohmann::ordered_json types = {
        {"twilio/quick-reply", {{"body", body}, {"actions", std::move(actions)}}}};
    FakeContent content;
    content.types = types.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    return content;
}

}  // namespace twiliowa::testing
