/// @file
/// fmt formatters for what may be logged. Opt-in, header-only; link `twiliowa::fmt`, which needs
/// fmt.
///
/// Formatted: Error and the exceptions (`what()`: free of secrets, phone numbers and message text),
/// ErrorKind, Effect, Stage, ErrorCategory, RetryAdvice, HttpMethod, MessageStatus, Direction and
/// the SIDs. They take the format specification of a string.
///
/// Deliberately not formatted: Secret and Credentials; Address, Message and the outbound messages,
/// which hold phone numbers and text. A log line that wants those must say so, field by field.
#pragma once

#include <concepts>
#include <string_view>
#include <type_traits>

#include <fmt/format.h>

#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/types/error_advice.hpp>
#include <twiliowa/types/message.hpp>
#include <twiliowa/types/sid.hpp>

namespace twiliowa::detail {

template <class T>
concept NamedEnum = std::is_enum_v<T> && requires(T value) {
    { to_string(value) } -> std::convertible_to<std::string_view>;
};

template <class T>
concept LoggableEnum = NamedEnum<T> &&
    (std::same_as<T, ErrorKind> || std::same_as<T, Effect> || std::same_as<T, Stage> ||
     std::same_as<T, ErrorCategory> || std::same_as<T, RetryAdvice> || std::same_as<T, HttpMethod>);

template <class T>
inline constexpr bool is_sid = false;
template <const SidKind& Kind>
inline constexpr bool is_sid<Sid<Kind>> = true;

template <class T>
concept LoggableWord = is_sid<T> || std::same_as<T, MessageStatus> || std::same_as<T, Direction>;

template <class T>
concept LoggableError = std::same_as<T, Error> || std::derived_from<T, TwilioError>;

template <LoggableEnum T>
std::string_view loggable_text(T value) noexcept {
    return to_string(value);
}
template <LoggableWord T>
std::string_view loggable_text(const T& value) noexcept {
    return value.str();
}
template <LoggableError T>
std::string_view loggable_text(const T& value) noexcept {
    return value.what();
}

template <class T>
concept Loggable = LoggableEnum<T> || LoggableWord<T> || LoggableError<T>;

}  // namespace twiliowa::detail

/// @cond
template <twiliowa::detail::Loggable T>
struct fmt::formatter<T, char> : fmt::formatter<fmt::string_view, char> {
    template <class Context>
    auto format(const T& value, Context& context) const {
        const std::string_view text = twiliowa::detail::loggable_text(value);
        return fmt::formatter<fmt::string_view, char>::format(
            fmt::string_view(text.data(), text.size()), context);
    }
};
/// @endcond
