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

/// Where the names of a text's variables stand, each once, in the order of the text.
struct PlaceholderNames {
    std::array<std::size_t, 100> begins = {};
    std::array<std::size_t, 100> lengths = {};
    std::size_t size = 0;
    bool malformed = false;  ///< Whether one of them is no placeholder, or there are too many.

    constexpr bool has(std::string_view text, std::string_view name) const noexcept {
        for (std::size_t i = 0; i < size; ++i) {
            if (text.substr(begins[i], lengths[i]) == name) return true;
        }
        return false;
    }
};

// Literals are taken by value, and places are kept as numbers: to g++ with -fsanitize=undefined a
// pointer into a template argument is not constant.

template <std::size_t Size>
constexpr PlaceholderNames placeholder_names(LiteralText<Size> literal) noexcept {
    const auto text = literal.view();
    PlaceholderNames found;
    std::size_t done = 0;
    while (const auto placeholder = find_placeholder(text, done)) {
        const auto name = placeholder->name;
        done = placeholder->end;
        if (found.has(text, name)) continue;
        found.malformed = name.empty() || found.size == found.begins.size();
        if (found.malformed) return found;
        found.begins[found.size] = text.find(name, placeholder->begin);
        found.lengths[found.size++] = name.size();
    }
    return found;
}

template <std::size_t Size, std::size_t NameSize>
constexpr bool has_variable(const PlaceholderNames& found, LiteralText<Size> text,
                            LiteralText<NameSize> name) noexcept {
    return found.has(text.view(), name.view());
}

/// Whether the variables are the numbers from 1 on, in any order.
template <std::size_t Size>
constexpr bool are_numbered(const PlaceholderNames& found, LiteralText<Size> text) noexcept {
    for (std::size_t number = 1; number <= found.size; ++number) {
        const char digits[] = {static_cast<char>('0' + number / 100),
                               static_cast<char>('0' + number / 10 % 10),
                               static_cast<char>('0' + number % 10)};
        const std::size_t width = number < 10 ? 1 : number < 100 ? 2 : 3;
        if (!found.has(text.view(), {digits + 3 - width, width})) return false;
    }
    return true;
}

/// Whether `T` is one of `Rest`.
template <class T, class... Rest>
inline constexpr bool is_any_type_of = (std::is_same_v<T, Rest> || ...);

template <class...>
inline constexpr bool are_distinct = true;
template <class First, class... Rest>
inline constexpr bool are_distinct<First, Rest...> =
    !is_any_type_of<First, Rest...> && are_distinct<Rest...>;

}  // namespace detail

/// The text of `template_text`.
template <LiteralText Text>
class TemplateText {
    static constexpr detail::PlaceholderNames found = detail::placeholder_names(Text);
    static_assert(!found.malformed,
                  "the template's text has a malformed placeholder: write {{name}} with 1 to 16 "
                  "letters, digits and underscores, and at most 100 of them");

    template <LiteralText Name>
    static consteval bool check_name(NamedValue<Name>*) noexcept {
        static_assert(detail::has_variable(found, Text, Name),
                      "the template has no variable of that name");
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
        for (std::size_t i = 0; i < size; ++i) {
            names[i] = Text.view().substr(found.begins[i], found.lengths[i]);
        }
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
            static_assert(detail::are_distinct<std::remove_cvref_t<Values>...>,
                          "the same variable is given twice");
            static_assert(sizeof...(Values) == size,
                          "the template has variables that are not given a value");
            TemplateVariables named_variables;
            (set(named_variables, NamedValue{std::forward<Values>(values)}), ...);
            return named_variables;
        } else {
            static_assert((!detail::is_named_value<std::remove_cvref_t<Values>> && ...),
                          "give all values with their names, or none");
            static_assert(detail::are_numbered(found, Text),
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
