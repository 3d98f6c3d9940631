/// @file
/// Texts without the phone numbers that they hold.
#pragma once

#include <string>
#include <string_view>

#include <twiliowa/export.hpp>

namespace twiliowa::detail {

/// An address of which the first three characters and the last two stay: `whatsapp:+44*******23`.
TWILIOWA_EXPORT std::string masked(const std::string& address);
/// A text in which every number of six digits or more is masked.
TWILIOWA_EXPORT std::string with_numbers_masked(std::string_view text);

}  // namespace twiliowa::detail
