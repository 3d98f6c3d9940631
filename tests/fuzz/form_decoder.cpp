// Forms: what was encoded decodes to itself, and anything at all can be decoded.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "text/base64.hpp"
#include "text/form.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace twiliowa;
    const std::string text(reinterpret_cast<const char*>(data), size);
    const auto fields = detail::parse_form(text);
    if (fields.size() > 1000) std::abort();
    std::string body;
    for (const auto& [name, value] : fields) detail::append_form_field(body, name, value);
    if (detail::parse_form(body) != fields) std::abort();
    std::string encoded;
    detail::append_base64(encoded, text);
    if (detail::decode_base64(encoded) != text) std::abort();
    static_cast<void>(detail::decode_base64(text));
    return 0;
}
