#include <twiliowa/http/http_transport.hpp>

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
    return find_header(headers, name);
}

}  // namespace twiliowa
