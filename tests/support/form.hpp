/// @file
/// Forms, encoded by the tests themselves: of the public API only, so that their tests run against
/// the single header, too.
#pragma once

#include <cctype>
#include <string>
#include <string_view>

namespace twiliowa::test {

/// Adds `name=value`, encoded, and the & before it where one is needed.
inline void append_form_field(std::string& body, std::string_view name, std::string_view value) {
    const auto append = [&body](std::string_view text) {
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            if (std::isalnum(byte) != 0) {
                body += c;
            } else if (c == ' ') {
                body += '+';
            } else {
                constexpr std::string_view digits = "0123456789ABCDEF";
                body += {'%', digits[byte >> 4], digits[byte & 15]};
            }
        }
    };
    if (!body.empty()) body += '&';
    append(name);
    body += '=';
    append(value);
}

}  // namespace twiliowa::test
