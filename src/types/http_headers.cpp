#include <twiliowa/types/http_headers.hpp>

#include "text/ascii.hpp"

namespace twiliowa {

std::string_view find_header(const HttpHeaders& headers, std::string_view name) noexcept {
    for (const auto& [key, value] : headers) {
        if (key == name || detail::equals_ignoring_case(key, name)) return value;
    }
    return {};
}

}  // namespace twiliowa
