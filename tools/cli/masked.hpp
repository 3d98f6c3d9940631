/// @file
/// Numbers of customers, so that they can be told apart and not be called.
#pragma once

#include <string>
#include <string_view>

namespace cli {

/// Whether numbers of customers are shown whole.
enum class Numbers { masked, whole };

/// Enough of an address to know it again: whatsapp:+44*******23.
std::string masked(const std::string& address);
/// The same of every number that stands in a text: 6 digits and more, however they are grouped.
std::string with_numbers_masked(std::string_view text);

/// An address, and a text that a person or a program has written, as they are to be shown.
std::string address_shown(const std::string& address, Numbers numbers);
std::string text_shown(const std::string& text, Numbers numbers);

}  // namespace cli
