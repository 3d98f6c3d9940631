/// @file
/// What a failing check shows: enumerations and words of Twilio's by their names, and the text in
/// which something was looked for. Every test is compiled with it (tests/CMakeLists.txt).
#pragma once

#include <doctest/doctest.h>

#include <concepts>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/request_validator.hpp>
#include <twiliowa/state/dedup_store.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/types/error_advice.hpp>
#include <twiliowa/types/observer.hpp>

namespace twiliowa::test {

inline doctest::String shown(std::string_view text) {
    return {text.data(), static_cast<unsigned>(text.size())};
}

/// `CHECK(text == containing("part"))` fails with the whole text, which `text.find("part")` does
/// not.
struct Containing {
    std::string part;

    friend bool operator==(std::string_view text, const Containing& wanted) {
        return text.find(wanted.part) != std::string_view::npos;
    }
    friend std::ostream& operator<<(std::ostream& out, const Containing& wanted) {
        return out << "containing \"" << wanted.part << '"';
    }
};

inline Containing containing(std::string_view part) {
    return {std::string(part)};
}

/// A value that has its text: a SID, a status, an address.
template <class T>
concept HasText = requires(const T& value) {
    { value.str() }
    noexcept->std::same_as<const std::string&>;
};

}  // namespace twiliowa::test

namespace twiliowa {

// doctest finds these beside the enumeration; its own for all of them shows a number.
inline doctest::String toString(ErrorKind value) {
    return test::shown(to_string(value));
}
inline doctest::String toString(Effect value) {
    return test::shown(to_string(value));
}
inline doctest::String toString(Stage value) {
    return test::shown(to_string(value));
}
inline doctest::String toString(ErrorCategory value) {
    return test::shown(to_string(value));
}
inline doctest::String toString(RetryAdvice value) {
    return test::shown(to_string(value));
}
inline doctest::String toString(WebhookOutcome value) {
    return test::shown(to_string(value));
}
inline doctest::String toString(HttpMethod value) {
    return test::shown(to_string(value));
}
inline doctest::String toString(VerdictReason value) {
    return test::shown(to_string(value));
}
inline doctest::String toString(ClaimOutcome value) {
    switch (value) {
        case ClaimOutcome::claimed:
            return "claimed";
        case ClaimOutcome::recut:
            return "recut";
        case ClaimOutcome::running:
            return "running";
        case ClaimOutcome::done:
            return "done";
    }
    return "no outcome of a claim";
}

}  // namespace twiliowa

template <twiliowa::test::HasText T>
struct doctest::StringMaker<T> {
    static String convert(const T& value) { return twiliowa::test::shown(value.str()); }
};

/// What check_store and its like found.
template <>
struct doctest::StringMaker<std::vector<std::string>> {
    static String convert(const std::vector<std::string>& texts) {
        std::string all = "[" + std::to_string(texts.size()) + "]";
        for (const auto& text : texts) all += "\n  " + text;
        return twiliowa::test::shown(all);
    }
};

template <class T>
struct doctest::StringMaker<std::optional<T>> {
    static String convert(const std::optional<T>& value) {
        return value ? toString(*value) : String("nothing");
    }
};
