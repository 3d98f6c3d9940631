#include "request_validator/signature_url.hpp"

namespace twiliowa::detail {

SignaturePorts ports_to_try(const UrlParts& url) noexcept {
    SignaturePorts ports;
    ports.list[ports.count++] = url.port;
    if (!url.port.empty()) ports.list[ports.count++] = {};
    if (url.port != url.default_port()) ports.list[ports.count++] = url.default_port();
    return ports;
}

std::string respell_query(std::string_view rest, std::string_view from, std::string_view to) {
    const auto question = rest.find('?');
    if (question == std::string_view::npos) return {};
    auto found = rest.find(from, question);
    if (found == std::string_view::npos) return {};
    std::string text;
    text.reserve(rest.size() + 16);
    std::size_t copied = 0;
    for (; found != std::string_view::npos; found = rest.find(from, copied)) {
        text += rest.substr(copied, found - copied);
        text += to;
        copied = found + from.size();
    }
    text += rest.substr(copied);
    return text;
}

}  // namespace twiliowa::detail
