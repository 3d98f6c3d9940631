#include "http/header_check.hpp"

#include <algorithm>
#include <string_view>

#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

/// RFC 9110, 5.6.2.
constexpr auto in_token = with(letters_and_digits, "!#$%&'*+-.^_`|~");

/// RFC 9110, 5.5.
constexpr ByteTable in_value = [] {
    ByteTable table{};
    for (unsigned byte = 0x20; byte < table.size(); ++byte) table[byte] = byte != 0x7f;
    table['\t'] = true;
    return table;
}();

bool is_all_of(const ByteTable& table, std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(),
                       [&](char c) { return table[static_cast<unsigned char>(c)]; });
}

bool is_header_token(std::string_view name) noexcept {
    return !name.empty() && is_all_of(in_token, name);
}

bool is_header_value(std::string_view value) noexcept {
    return is_all_of(in_value, value);
}

}  // namespace

std::optional<Error> wrong_header(const HttpRequest& request) {
    for (const auto& [name, value] : request.headers) {
        if (!is_header_token(name)) {
            return Error::invalid_request("headers", "have a name that is no token");
        }
        if (!is_header_value(value)) {
            return Error::invalid_request("headers", "have a control character in a value");
        }
    }
    if (!is_header_value(request.authorization.reveal())) {
        return Error::invalid_request("authorization", "has a control character in it");
    }
    return std::nullopt;
}

}  // namespace twiliowa::detail
