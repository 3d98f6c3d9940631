/// @file
/// Headers of HTTP requests and answers.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/export.hpp>

namespace twiliowa {

/// Names and values in their order; a name may occur again.
using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

/// The value of the first header of that name, in any case of letters; empty if there is none.
/// Valid as long as the headers are not changed.
TWILIOWA_EXPORT std::string_view find_header(const HttpHeaders& headers,
                                             std::string_view name) noexcept;

}  // namespace twiliowa
