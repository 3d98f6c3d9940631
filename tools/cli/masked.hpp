/// @file
/// Numbers of customers, so that they can be told apart and not be called.
#pragma once

#include <string>
#include <string_view>

#include "text/masked.hpp"

namespace cli {

using twiliowa::detail::masked;
using twiliowa::detail::with_numbers_masked;

/// Whether numbers of customers are shown whole.
enum class Numbers { masked, whole };

/// An address, and a text that a person or a program has written, as they are to be shown.
inline std::string address_shown(const std::string& address, Numbers numbers) {
    return numbers == Numbers::whole ? address : masked(address);
}
inline std::string text_shown(const std::string& text, Numbers numbers) {
    return numbers == Numbers::whole ? text : with_numbers_masked(text);
}

}  // namespace cli
