/// @file
/// A template's text in the program, whose variables the compiler checks: `template_text`.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <twiliowa/types/placeholders.hpp>
#include <twiliowa/types/template_variables.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

/// A string literal as a template argument.
template <std::size_t Size>
struct LiteralText {
    char characters[Size] = {};  ///< With a NUL at the end.

    /// From a string literal.
    consteval LiteralText(const char (&literal)[Size]) noexcept {
        std::copy_n(literal, Size, characters);
    }
    /// The text without the NUL.
    constexpr std::string_view view() const noexcept { return {characters, Size - 1}; }
};

/// A value for the variable `Name`; made by `named<Name>(value)`.
template <LiteralText Name>
struct NamedValue {
    std::string value = {};  ///< What the variable gets.
};

/// A value for the variable of that name: `named<"order">("42")`.
template <LiteralText Name, NamedTextPart Value>
NamedValue<Name> named(Value&& value) {
    return {NamedText{"", std::forward<Value>(value)}.pair().second};
}

namespace detail {

template <class>
inline constexpr bool is_named_value = false;
template <LiteralText Name>
inline constexpr bool is_named_value<NamedValue<Name>> = true;

/// The names of a text's variables, each once, in the order of the text.
struct PlaceholderNames {
    std::array<std::string_view, 100> names = {};
    std::size_t size = 0;
    bool malformed = false;  ///< Whether one of them is no placeholder, or there are too many.

    constexpr bool has(std::string_view name) const noexcept {
        return std::find(names.begin(), names.begin() + size, name) != names.begin() + size;
    }
    /// Whether they are the numbers 1 to `size`, in any order.
    constexpr bool are_numbers() const noexcept {
        for (std::size_t number = 1; number <= size; ++number) {
            const char digits[] = {static_cast<char>('0' + number / 100),
                                   static_cast<char>('0' + number / 10 % 10),
                                   static_cast<char>('0' + number % 10)};
            const std::size_t width = number < 10 ? 1 : number < 100 ? 2 : 3;
            if (!has({digits + 3 - width, width})) return false;
        }
        return true;
    }
};

constexpr PlaceholderNames placeholder_names(std::string_view text) noexcept {
    PlaceholderNames found;
    std::size_t done = 0;
    while (const auto placeholder = find_placeholder(text, done)) {
        done = placeholder->end;
        if (found.has(placeholder->name)) continue;
        if (placeholder->name.empty() || found.size == found.names.size()) {
            found.malformed = true;
            return found;
        }
        found.names[found.size++] = placeholder->name;
    }
    return found;
}

}  // namespace detail

/// The text of `template_text`.
template <LiteralText Text>
class TemplateText {
    static constexpr detail::PlaceholderNames found = detail::placeholder_names(Text.view());
    static_assert(!found.malformed,
                  "the template's text has a malformed placeholder: write {{name}} with 1 to 16 "
                  "letters, digits and underscores, and at most 100 of them");

    template <LiteralText Name>
    static consteval bool check_name(NamedValue<Name>*) noexcept {
        static_assert(found.has(Name.view()), "the template has no variable of that name");
        return true;
    }
    template <LiteralText Name>
    static consteval std::string_view name_of(NamedValue<Name>*) noexcept {
        return Name.view();
    }
    template <class... Values>
    static consteval bool are_distinct() noexcept {
        const std::array<std::string_view, sizeof...(Values)> given{
            name_of(static_cast<Values*>(nullptr))...};
        for (std::size_t i = 0; i < given.size(); ++i) {
            if (std::find(given.begin(), given.begin() + i, given[i]) != given.begin() + i) {
                return false;
            }
        }
        return true;
    }
    template <LiteralText Name>
    static void set(TemplateVariables& variables, NamedValue<Name>&& value) {
        variables.set(std::string{Name.view()}, std::move(value.value));
    }

public:
    /// How many variables it has.
    static constexpr std::size_t size = found.size;

    /// The text as it is written.
    static constexpr std::string_view text() noexcept { return Text.view(); }
    /// The names of its variables, each once, in the order of the text.
    static constexpr std::array<std::string_view, size> names() noexcept {
        std::array<std::string_view, size> names{};
        std::copy_n(found.names.begin(), size, names.begin());
        return names;
    }
    /// For a definition: `TextContent{.body = template_text<"Hi {{1}}">}`.
    operator TextField() const { return std::string{text()}; }

    /// Values for all its variables: of {{1}}, {{2}}, ... in their order, or each with its name, in
    /// any order. Another number, another name or one twice does not compile.
    template <class... Values>
    static TemplateVariables variables(Values&&... values) {
        if constexpr (sizeof...(Values) > 0 &&
                      (detail::is_named_value<std::remove_cvref_t<Values>> && ...)) {
            static_assert((check_name(static_cast<std::remove_cvref_t<Values>*>(nullptr)) && ...));
            static_assert(are_distinct<std::remove_cvref_t<Values>...>(),
                          "the same variable is given twice");
            static_assert(sizeof...(Values) == size,
                          "the template has variables that are not given a value");
            TemplateVariables named_variables;
            (set(named_variables, NamedValue{std::forward<Values>(values)}), ...);
            return named_variables;
        } else {
            static_assert((!detail::is_named_value<std::remove_cvref_t<Values>> && ...),
                          "give all values with their names, or none");
            static_assert(found.are_numbers(),
                          "the template's variables have names, or numbers with gaps: give each "
                          "value as named<\"name\">(value)");
            static_assert(sizeof...(Values) == size,
                          "give as many values as the template has variables");
            TextList list;
            list.reserve(sizeof...(Values));
            (list.push_back(NamedText{"", std::forward<Values>(values)}.pair().second), ...);
            return TemplateVariables::positional(std::move(list));
        }
    }
};

/// A template's text in the program. Placeholders that are malformed do not compile, nor values
/// that do not fit:
///
/// ```
/// constexpr auto order_ready = template_text<"Hi {{1}}, your {{2}} is ready">;
/// client.send_template({.to = to, .content_sid = sid,
///                       .variables = order_ready.variables("Ann", "order")});
/// template_text<"Hi {{name}}">.variables(named<"name">("Ann"));
/// ```
///
/// Whether Twilio's template has that text, the compiler does not know.
template <LiteralText Text>
inline constexpr TemplateText<Text> template_text{};

}  // namespace twiliowa
