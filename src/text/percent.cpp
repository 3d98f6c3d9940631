#include "text/percent.hpp"

#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

constexpr std::string_view percent_digits = "0123456789ABCDEF";

void append_escape(std::string& out, char c) {
    const auto byte = static_cast<unsigned char>(c);
    const char escape[3] = {'%', percent_digits[byte >> 4], percent_digits[byte & 15]};
    out.append(escape, 3);
}

}  // namespace

void append_form_encoded(std::string& out, std::string_view text) {
    for (const char c : text) {
        if (is_letter_or_digit(c) || c == '*' || c == '-' || c == '.' || c == '_') {
            out += c;
        } else if (c == ' ') {
            out += '+';
        } else {
            append_escape(out, c);
        }
    }
}

void append_percent_encoded(std::string& out, std::string_view text) {
    for (const char c : text) {
        if (is_letter_or_digit(c) || c == '-' || c == '.' || c == '_' || c == '~') {
            out += c;
        } else {
            append_escape(out, c);
        }
    }
}

std::string percent_decode(std::string_view text, bool plus_is_space) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size()) {
            const int high = hex_value(text[i + 1]);
            const int low = hex_value(text[i + 2]);
            if (high >= 0 && low >= 0) {
                out += static_cast<char>(high * 16 + low);
                i += 2;
                continue;
            }
        }
        out += plus_is_space && text[i] == '+' ? ' ' : text[i];
    }
    return out;
}

}  // namespace twiliowa::detail
