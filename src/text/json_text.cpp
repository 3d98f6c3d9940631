#include "text/json_text.hpp"

#include <nlohmann/json.hpp>

namespace twiliowa::detail {

void append_json_string(std::string& out, std::string_view text) {
    bool plain = true;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        plain = plain && byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\';
    }
    if (plain) {
        out.append(1, '"').append(text).append(1, '"');
        return;
    }
    out += nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace twiliowa::detail
