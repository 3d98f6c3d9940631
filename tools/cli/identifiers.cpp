#include "identifiers.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <map>

namespace cli {

namespace {

constexpr bool is_lower(char c) {
    return c >= 'a' && c <= 'z';
}
constexpr bool is_upper(char c) {
    return c >= 'A' && c <= 'Z';
}
constexpr bool is_number(char c) {
    return c >= '0' && c <= '9';
}
constexpr char lower(char c) {
    return is_upper(c) ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Keywords, words that are one in some places, and macros of common systems.
constexpr std::string_view taken_words[] = {"alignas",
                                            "alignof",
                                            "and",
                                            "and_eq",
                                            "asm",
                                            "assert",
                                            "auto",
                                            "bitand",
                                            "bitor",
                                            "bool",
                                            "break",
                                            "case",
                                            "catch",
                                            "char",
                                            "char16_t",
                                            "char32_t",
                                            "char8_t",
                                            "class",
                                            "co_await",
                                            "co_return",
                                            "co_yield",
                                            "compl",
                                            "concept",
                                            "const",
                                            "const_cast",
                                            "consteval",
                                            "constexpr",
                                            "constinit",
                                            "continue",
                                            "contract_assert",
                                            "decltype",
                                            "default",
                                            "delete",
                                            "do",
                                            "double",
                                            "dynamic_cast",
                                            "else",
                                            "emit",
                                            "enum",
                                            "errno",
                                            "explicit",
                                            "export",
                                            "extern",
                                            "false",
                                            "far",
                                            "final",
                                            "float",
                                            "for",
                                            "foreach",
                                            "friend",
                                            "goto",
                                            "i386",
                                            "if",
                                            "import",
                                            "inline",
                                            "int",
                                            "interface",
                                            "linux",
                                            "long",
                                            "major",
                                            "makedev",
                                            "max",
                                            "min",
                                            "minor",
                                            "module",
                                            "mutable",
                                            "namespace",
                                            "near",
                                            "new",
                                            "noexcept",
                                            "not",
                                            "not_eq",
                                            "nullptr",
                                            "offsetof",
                                            "operator",
                                            "or",
                                            "or_eq",
                                            "override",
                                            "private",
                                            "protected",
                                            "public",
                                            "reflexpr",
                                            "register",
                                            "reinterpret_cast",
                                            "requires",
                                            "return",
                                            "setjmp",
                                            "short",
                                            "signals",
                                            "signed",
                                            "sizeof",
                                            "slots",
                                            "small",
                                            "static",
                                            "static_assert",
                                            "static_cast",
                                            "std",
                                            "stderr",
                                            "stdin",
                                            "stdout",
                                            "struct",
                                            "switch",
                                            "synchronized",
                                            "template",
                                            "this",
                                            "thread_local",
                                            "throw",
                                            "true",
                                            "try",
                                            "twiliowa",
                                            "typedef",
                                            "typeid",
                                            "typename",
                                            "typeof",
                                            "union",
                                            "unix",
                                            "unsigned",
                                            "using",
                                            "va_arg",
                                            "va_copy",
                                            "va_end",
                                            "va_start",
                                            "virtual",
                                            "void",
                                            "volatile",
                                            "wchar_t",
                                            "while",
                                            "xor",
                                            "xor_eq"};

bool is_taken(std::string_view word) {
    return std::find(std::begin(taken_words), std::end(taken_words), word) != std::end(taken_words);
}

}  // namespace

bool is_free_identifier(std::string_view text) {
    if (text.empty() || text.front() == '_' || is_number(text.front()) || is_taken(text) ||
        text.find("__") != std::string_view::npos) {
        return false;
    }
    return std::all_of(text.begin(), text.end(), [](char c) {
        return is_lower(c) || is_upper(c) || is_number(c) || c == '_';
    });
}

std::string snake_identifier(std::string_view text, std::string_view prefix) {
    std::string name;
    char last = ' ';
    for (const char c : text) {
        const bool stays = is_lower(c) || is_upper(c) || is_number(c);
        const bool begins_word = !stays || (is_upper(c) && is_lower(last));
        if (begins_word && !name.empty() && name.back() != '_') name += '_';
        if (stays) name += lower(c);
        last = c;
    }
    while (!name.empty() && name.back() == '_') name.pop_back();
    if (!name.empty() && is_number(name.front())) name.insert(0, prefix);
    if (is_taken(name)) name += '_';
    return name;
}

std::string pascal_identifier(std::string_view snake) {
    std::string name;
    bool begins = true;
    for (std::size_t i = 0; i < snake.size(); ++i) {
        const bool joins = snake[i] == '_' && i + 1 < snake.size() && is_lower(snake[i + 1]);
        if (!joins) {
            name +=
                begins && is_lower(snake[i]) ? static_cast<char>(snake[i] - 'a' + 'A') : snake[i];
        }
        begins = joins;
    }
    return name;
}

std::vector<std::string> distinct_names(const std::vector<std::vector<std::string>>& candidates) {
    std::vector<std::size_t> levels(candidates.size(), 0);
    while (true) {
        std::map<std::string, int> uses;
        for (std::size_t i = 0; i < candidates.size(); ++i) ++uses[candidates[i][levels[i]]];
        bool distinct = true;
        for (std::size_t i = 0; i < candidates.size(); ++i) {
            if (uses[candidates[i][levels[i]]] == 1 || levels[i] + 1 == candidates[i].size()) {
                continue;
            }
            ++levels[i];
            distinct = false;
        }
        if (distinct) break;
    }
    std::vector<std::string> names;
    for (std::size_t i = 0; i < candidates.size(); ++i) names.push_back(candidates[i][levels[i]]);
    return names;
}

}  // namespace cli
