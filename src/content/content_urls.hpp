/// @file
/// URLs in templates, with variables in them.
#pragma once

#include <string>
#include <string_view>

namespace twiliowa::detail {

/// What is wrong with the URL of a button, whatever its variable will be; empty if nothing is.
std::string_view button_url_problem(std::string_view url);
/// The same for the URL of a file.
std::string_view media_url_problem(std::string_view url);

/// Why nobody outside could ask for that URL, which has no variables; empty if one could.
std::string_view called_url_problem(std::string_view url) noexcept;

/// `.png` of `https://example.com/a.PNG?x=1`; empty without one.
std::string file_ending_of(std::string_view url);
/// Whether files of that ending are pictures, videos, sounds or documents; others may be the names
/// of a server's programs, which answer with anything.
bool is_known_file_ending(std::string_view ending) noexcept;

/// E.164: `+` and up to 15 digits.
bool is_phone_number(std::string_view text) noexcept;

}  // namespace twiliowa::detail
