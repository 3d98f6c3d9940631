#include <twiliowa/http/http_transport.hpp>

#include "detail/ascii.hpp"

namespace twiliowa {

std::string_view to_string(HttpMethod method) noexcept {
    switch (method) {
        case HttpMethod::get:
            return "GET";
        case HttpMethod::post:
            return "POST";
        case HttpMethod::put:
            return "PUT";
        case HttpMethod::delete_:
            return "DELETE";
    }
    return "GET";
}

std::string_view HttpResponse::header(std::string_view name) const noexcept {
    for (const auto& [key, value] : headers) {
        if (detail::equals_ignoring_case(key, name)) return value;
    }
    return {};
}

}  // namespace twiliowa
