/// @file
/// Texts that are filled in with braces. std::string takes two texts in braces for the two ends of
/// one, without a warning: one brace too many, or a list where one text belongs, and the program
/// reads memory that is not its own. These take them for what they are, or do not compile.
#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace twiliowa {

/// A text: a std::string that two texts in braces do not make.
class TextField : public std::string {
public:
    using std::string::string;
    TextField() noexcept = default;
    TextField(std::string text) noexcept : std::string(std::move(text)) {}
    /// Two texts are not one.
    TextField(const char*, const char*) = delete;
    /// The same text.
    TextField(const TextField&) = default;
    /// Takes the other's text.
    TextField(TextField&&) noexcept = default;

    using std::string::operator=;
    // These are said, since g++ 11 takes those of std::string for its own, and warns.
    /// The same text.
    TextField& operator=(const TextField&) = default;
    /// Takes the other's text.
    TextField& operator=(TextField&&) noexcept = default;
    ~TextField() = default;
};

/// Several texts.
class TextList : public std::vector<std::string> {
public:
    TextList() noexcept = default;
    TextList(std::vector<std::string> texts) noexcept : vector(std::move(texts)) {}
    TextList(std::initializer_list<TextField> texts) : vector(texts.begin(), texts.end()) {}
};

/// What a name or a value may be given as.
template <class T>
concept NamedTextPart =
    std::convertible_to<T, std::string> || std::convertible_to<T, std::string_view>;

/// A name and a value, in braces. Two such pairs in braces do not make one.
class NamedText {
public:
    using Pair = std::pair<std::string, std::string>;

    template <NamedTextPart Name, NamedTextPart Value>
    NamedText(Name&& name, Value&& value)
        : pair_(text_of(std::forward<Name>(name)), text_of(std::forward<Value>(value))) {}
    template <class P>
    requires std::same_as<P, Pair> NamedText(P pair)
    noexcept : pair_(std::move(pair)) {}

    const Pair& pair() const noexcept { return pair_; }

private:
    template <class T>
    static std::string text_of(T&& text) {
        if constexpr (std::convertible_to<T, std::string>)
            return std::forward<T>(text);
        else
            return std::string(std::string_view(std::forward<T>(text)));
    }
    Pair pair_;
};

/// Names and values, in the order given.
class NamedTexts : public std::vector<NamedText::Pair> {
public:
    NamedTexts() noexcept = default;
    NamedTexts(std::vector<NamedText::Pair> pairs) noexcept : vector(std::move(pairs)) {}
    NamedTexts(std::initializer_list<NamedText> pairs) {
        reserve(pairs.size());
        for (const auto& each : pairs) push_back(each.pair());
    }
};

}  // namespace twiliowa
