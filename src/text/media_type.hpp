/// @file
/// What a Content-Type header says.
#pragma once

#include <string_view>

#include "text/ascii.hpp"

namespace twiliowa::detail {

inline constexpr std::string_view form_type = "application/x-www-form-urlencoded";

/// The type without its parameters: `text/xml` of ` text/xml ; charset=utf-8`.
inline std::string_view bare_media_type(std::string_view content_type) noexcept {
    return trim(content_type.substr(0, content_type.find(';')), blanks);
}

/// Whether it is `type`, in whatever case, with parameters or without.
inline bool is_media_type(std::string_view content_type, std::string_view type) noexcept {
    return equals_ignoring_case(bare_media_type(content_type), type);
}

/// A body without a type counts as a form, too.
inline bool is_form_type(std::string_view content_type) noexcept {
    if (content_type == form_type) return true;  // as Twilio writes it
    const auto type = bare_media_type(content_type);
    return type.empty() || equals_ignoring_case(type, form_type);
}

}  // namespace twiliowa::detail
