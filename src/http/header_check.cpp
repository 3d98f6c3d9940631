#include "http/header_check.hpp"

#include <algorithm>
#include <string_view>

#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

/// RFC 9110, 5.6.2.
bool is_header_token(std::string_view name) noexcept {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
        return is_letter_or_digit(c) || marks.find(c) != std::string_view::npos;
    });
}

bool is_header_value(std::string_view value) noexcept {
    return std::all_of(value.begin(), value.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte >= 0x20 && byte != 0x7f) || c == '\t';
    });
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
