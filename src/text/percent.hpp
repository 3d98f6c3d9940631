/// @file
/// Percent-encoding, in its two dialects.
#pragma once

#include <string>
#include <string_view>

#include <twiliowa/export.hpp>

namespace twiliowa::detail {

/// As application/x-www-form-urlencoded: letters, digits and *-._ stay, a space becomes +.
void append_form_encoded(std::string& out, std::string_view text);

/// As RFC 3986: letters, digits and -._~ stay, a space becomes %20.
TWILIOWA_EXPORT void append_percent_encoded(std::string& out, std::string_view text);

/// Lenient: an escape that is none stays as it is.
TWILIOWA_EXPORT std::string percent_decode(std::string_view text, bool plus_is_space);

}  // namespace twiliowa::detail
