/// @file
/// Reading JSON by the paths of its values, for records of which only a few members matter.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "text/ascii.hpp"
#include "text/dates.hpp"

namespace twiliowa::detail {

/// One JSON value that is not a container; null and the like have neither.
struct JsonScalar {
    std::optional<std::string_view> text = {};
    std::optional<std::int64_t> number = {};

    std::string as_text() const { return std::string(text.value_or("")); }
    std::optional<int> as_int() const noexcept {
        const auto value = text ? parse_number<std::int64_t>(*text) : number;
        if (!value || *value < std::numeric_limits<int>::min() ||
            *value > std::numeric_limits<int>::max()) {
            return std::nullopt;
        }
        return static_cast<int>(*value);
    }
    std::optional<CalendarTime> as_date() const {
        return text ? parse_twilio_date(*text) : std::nullopt;
    }
};

/// What a document is made of, in its order. A path joins names by dots, and has `[]` for each
/// array: `senders[].profile.name`; the document itself is the empty path.
struct JsonVisitor {
    std::function<void(std::string_view path, const JsonScalar& value)> on_value = {};
    std::function<void(std::string_view path)> on_object = {};  ///< One begins.
};

/// Whether `json` is one JSON document whose root is an object. What comes before a fault is
/// visited. What lies deeper than `deepest` is passed over.
bool walk_json(std::string_view json, const JsonVisitor& visitor, std::size_t deepest = 16);

}  // namespace twiliowa::detail
