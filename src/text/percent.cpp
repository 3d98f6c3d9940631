#include "text/percent.hpp"

#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

constexpr std::string_view percent_digits = "0123456789ABCDEF";

constexpr auto plain_in_form = with(letters_and_digits, "*-._");

/// RFC 3986, 2.3.
constexpr auto unreserved = with(letters_and_digits, "-._~");

/// What is plain stays as it is, piece by piece; `encode` writes any other character.
template <class Encode>
void append_encoded(std::string& out, std::string_view text, const ByteTable& plain,
                    Encode encode) {
    const char* const end = text.data() + text.size();
    for (const char* at = text.data(); at != end;) {
        const char* const piece = at;
        while (at != end && plain[static_cast<unsigned char>(*at)]) ++at;
        out.append(piece, at);
        if (at != end) encode(*at++);
    }
}

void append_escape(std::string& out, char c) {
    const auto byte = static_cast<unsigned char>(c);
    const char escape[3] = {'%', percent_digits[byte >> 4], percent_digits[byte & 15]};
    out.append(escape, 3);
}

}  // namespace

void append_form_encoded(std::string& out, std::string_view text) {
    append_encoded(out, text, plain_in_form, [&](char c) {
        if (c == ' ') {
            out += '+';
        } else {
            append_escape(out, c);
        }
    });
}

void append_percent_encoded(std::string& out, std::string_view text) {
    append_encoded(out, text, unreserved, [&](char c) { append_escape(out, c); });
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
