#include "template_header.hpp"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <tuple>
#include <utility>
#include <variant>

#include <twiliowa/content/render.hpp>

#include "identifiers.hpp"
#include "layout.hpp"
#include "template_places.hpp"

namespace cli {

namespace {

using twiliowa::ContentTemplate;
using twiliowa::TemplateCategory;

/// `text` as a string literal. Only names and SIDs become one, but they come from the network.
std::string literal(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool plain = byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\' && c != '?';
        if (plain) {
            quoted += c;
            continue;
        }
        quoted += '\\';
        for (const unsigned shift : {6U, 3U, 0U}) {
            quoted += static_cast<char>('0' + ((byte >> shift) & 7U));
        }
    }
    return quoted + '"';
}

/// Whether it turns text around or is not to be seen: what a comment must not hide.
bool misleads(std::string_view character) {
    if (character.size() != 3) return false;
    const auto code = static_cast<unsigned char>(character[0]) << 16U |
                      static_cast<unsigned char>(character[1]) << 8U |
                      static_cast<unsigned char>(character[2]);
    return (code >= 0xe2808b && code <= 0xe2808f) ||  // U+200B to 200F
           (code >= 0xe280a8 && code <= 0xe280ae) ||  // U+2028 to 202E
           (code >= 0xe281a0 && code <= 0xe281af) ||  // U+2060 to 206F
           code == 0xefbbbf;                          // U+FEFF
}

/// `text` for a comment to the end of the line, in quotation marks: short, on one line, and what it
/// looks like.
std::string quoted_in_comment(std::string_view text) {
    constexpr std::size_t longest = 70;
    const auto clean = printable(text);
    std::string quoted;
    std::size_t characters = 0;
    for (std::size_t i = 0; i < clean.size();) {
        if (++characters > longest) {
            quoted += "...";
            break;
        }
        auto next = i + 1;
        while (next < clean.size() && (static_cast<unsigned char>(clean[next]) & 0xc0U) == 0x80U) {
            ++next;
        }
        const auto character = std::string_view{clean}.substr(i, next - i);
        if (!misleads(character)) quoted += character;
        i = next;
    }
    // The mark at the end keeps a backslash from joining the next line.
    return '"' + quoted + '"';
}

std::string hex_of(std::string_view text) {
    constexpr char digits[] = "0123456789abcdef";
    std::string hex;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        hex += {digits[byte >> 4U], digits[byte & 15U]};
    }
    return hex;
}

std::vector<std::string> parameter_names(const std::vector<VariablePlace>& places) {
    // What the struct has besides.
    std::vector<std::vector<std::string>> candidates{{"content_sid"}, {"variable_names"}};
    for (const auto& place : places) {
        const auto name = readable_name(place);
        const bool numbered = std::all_of(place.name.begin(), place.name.end(),
                                          [](char c) { return c >= '0' && c <= '9'; });
        // Who has the name already keeps it.
        std::vector<std::string> names{name, numbered ? name + "_" + place.name : name};
        if (name == place.name) names.push_back(name);
        names.push_back(name + "_value");
        names.push_back("variable_" + hex_of(place.name));
        candidates.push_back(std::move(names));
    }
    auto names = distinct_names(candidates);
    names.erase(names.begin(), names.begin() + 2);
    return names;
}

std::vector<std::string> function_names(const std::vector<ContentTemplate>& contents) {
    // The header has a function of that name.
    std::vector<std::vector<std::string>> candidates{{"expectations"}};
    for (const auto& content : contents) {
        const auto& sid = content.sid.str();
        auto name = snake_identifier(content.definition.friendly_name, "template_");
        if (name.empty()) name = "template_";
        const auto in_language = snake_identifier(name + " " + content.definition.language, "");
        candidates.push_back({name, in_language,
                              snake_identifier(in_language + " " + sid.substr(0, 10), ""),
                              in_language + "_" + hex_of(sid)});
    }
    auto names = distinct_names(candidates);
    names.erase(names.begin());
    return names;
}

std::string first_body(const ContentTemplate& content) {
    for (const auto& type : content.definition.types) {
        const auto body = std::visit(
            [](const auto& each) -> std::string {
                if constexpr (requires { each.body; }) return each.body;
                return {};
            },
            type);
        if (!body.empty()) return body;
    }
    return {};
}

/// As an expression; empty where it is not known.
std::string category_of(const ContentTemplate& content) {
    if (!content.approval) return {};
    const auto& category = content.approval->category;
    const auto expression = [](const char* name) {
        return std::string{"::twiliowa::TemplateCategory{::twiliowa::TemplateCategory::"} + name +
               "}";
    };
    if (category == TemplateCategory::authentication) return expression("authentication");
    if (category == TemplateCategory::marketing) return expression("marketing");
    if (category == TemplateCategory::utility) return expression("utility");
    return {};
}

void write_function(const ContentTemplate& content, const std::string& function,
                    std::string& text) {
    const auto places = variable_places(content.definition);
    const auto parameters = parameter_names(places);
    const auto type = pascal_identifier(function) + "Variables";

    text += "\n// " + quoted_in_comment(content.definition.friendly_name) + ", " +
            quoted_in_comment(content.definition.language) + ":\n// " +
            quoted_in_comment(first_body(content)) + "\n";
    text += "struct " + type + " {\n";
    text += "    static constexpr const char* content_sid = " + literal(content.sid.str()) + ";\n";
    text += "    static constexpr ::std::array<::std::string_view, " +
            std::to_string(places.size()) + "> variable_names{";
    for (const auto& place : places) {
        text += (&place == places.data() ? "" : ", ") + literal(place.name);
    }
    text += "};\n";
    for (std::size_t i = 0; i < places.size(); ++i) {
        text +=
            "    ::twiliowa::TemplateValue " + parameters[i] + ";  // {{" + places[i].name + "}}\n";
    }
    text += "};\n";

    text += "inline ::twiliowa::OutboundTemplate " + function +
            "(\n    const ::twiliowa::TextField& to";
    if (!places.empty()) text += ", const " + type + "& values";
    text += ") {\n    ::twiliowa::OutboundTemplate message;\n";
    text += "    message.to = to;\n";
    text += "    message.content_sid = " + type + "::content_sid;\n";
    for (std::size_t i = 0; i < places.size(); ++i) {
        text += "    values." + parameters[i] + ".fill(message.variables, " +
                literal(places[i].name) + ");\n";
    }
    const auto category = category_of(content);
    if (!category.empty()) text += "    message.category = " + category + ";\n";
    text += "    return message;\n}\n";
}

/// What `Templates::verify` compares with the account.
void write_expectation(const ContentTemplate& content, const std::string& function,
                       std::string& text) {
    text += "        {.content_sid = " + pascal_identifier(function) +
            "Variables::content_sid,\n         .variables = {";
    const auto places = variable_places(content.definition);
    for (const auto& place : places) {
        text += (&place == places.data() ? "" : ", ") + literal(place.name);
    }
    text += "}";
    const auto category = category_of(content);
    if (!category.empty()) text += ",\n         .category = " + category;
    auto unfilled = content.definition;
    unfilled.variables = {};
    const auto body = render(unfilled).body;
    // A literal ends with a NUL.
    if (!body.empty() && body.find('\0') == std::string::npos) {
        text += ",\n         .body = " + literal(body);
    }
    text += "},\n";
}

}  // namespace

TemplateHeader write_header(std::vector<ContentTemplate> contents, std::string_view name_space) {
    std::sort(contents.begin(), contents.end(), [](const auto& a, const auto& b) {
        const auto key = [](const ContentTemplate& each) {
            return std::tie(each.definition.friendly_name, each.definition.language, each.sid);
        };
        return key(a) < key(b);
    });
    TemplateHeader header;
    header.text =
        "// The account's templates, a function for each. Written by twiliowa template pull: what "
        "is\n"
        "// changed here is lost when it is written again.\n"
        "// clang-format off\n"
        "#pragma once\n\n"
        "#include <array>\n#include <string_view>\n#include <vector>\n\n"
        "#include <twiliowa/content/template_value.hpp>\n"
        "#include <twiliowa/templates.hpp>\n"
        "#include <twiliowa/types/outbound.hpp>\n\n"
        "namespace " +
        std::string{name_space} + " {\n";
    const auto names = function_names(contents);
    for (std::size_t i = 0; i < contents.size(); ++i) {
        write_function(contents[i], names[i], header.text);
        header.functions.push_back({names[i], contents[i].sid});
    }
    header.text +=
        "\n// What the functions were written for: templates->verify_all(expectations()) tells "
        "what "
        "has "
        "changed.\ninline ::std::vector<::twiliowa::TemplateExpectation> expectations() {\n"
        "    return {\n";
    for (std::size_t i = 0; i < contents.size(); ++i) {
        write_expectation(contents[i], names[i], header.text);
    }
    header.text += "    };\n}\n";
    header.text.append("\n}  // namespace ").append(name_space).append("\n");
    return header;
}

std::string namespace_of_file(const std::string& file) {
    const auto name = snake_identifier(std::filesystem::path{file}.stem().string(), "templates_");
    return name.empty() ? "templates" : name;
}

bool is_namespace(std::string_view text) {
    while (true) {
        const auto end = std::min(text.find("::"), text.size());
        if (!is_free_identifier(text.substr(0, end))) return false;
        if (end == text.size()) return true;
        text.remove_prefix(end + 2);
    }
}

}  // namespace cli
