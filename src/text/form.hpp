/// @file
/// Form bodies: application/x-www-form-urlencoded.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/export.hpp>

namespace twiliowa::detail {

/// Adds `name=value`, encoded, and the & before it where one is needed.
TWILIOWA_EXPORT void append_form_field(std::string& body, std::string_view name,
                                       std::string_view value);

/// The fields in their order, repeated ones too; what comes after `max_fields` is left out.
std::vector<std::pair<std::string, std::string>> parse_form(std::string_view body,
                                                            std::size_t max_fields = 1000);

}  // namespace twiliowa::detail
