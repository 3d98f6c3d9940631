// The reader of multipart/form-data: never takes more than it was given, and what it makes of a
// body is what it makes of the same fields written anew. The first line is the Content-Type.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "text/multipart.hpp"

namespace {

/// A boundary that is in none of the values.
std::string free_boundary(std::string_view body) {
    std::string boundary = "b";
    while (body.find("--" + boundary) != std::string_view::npos) boundary += 'x';
    return boundary;
}

std::string quoted_name(std::string_view name) {
    std::string quoted;
    for (const char c : name) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto line = std::min(input.find('\n'), input.size());
    const auto type = input.substr(0, line);
    const auto body = input.substr(std::min(line + 1, input.size()));
    const auto fields = twiliowa::detail::parse_multipart(type, body);
    if (!fields) return 0;

    std::size_t taken = 0;
    for (const auto& [name, value] : *fields) taken += name.size() + value.size();
    if (fields->size() > 1000 || taken > body.size()) std::abort();

    const auto boundary = free_boundary(body);
    if (boundary.size() > 70) return 0;
    std::string anew;
    for (const auto& [name, value] : *fields) {
        anew += "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" +
                quoted_name(name) + "\"\r\n\r\n" + value + "\r\n";
    }
    anew += "--" + boundary + "--\r\n";
    const auto again =
        twiliowa::detail::parse_multipart("multipart/form-data; boundary=" + boundary, anew);
    if (!again || *again != *fields) std::abort();
    return 0;
}
