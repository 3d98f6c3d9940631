// Webhooks: any form is read or refused, and what was read can be answered.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <variant>

#include <twiliowa/messaging_response.hpp>
#include <twiliowa/webhook/parse_webhook.hpp>

#include "text/utf8.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace twiliowa;
    const std::string_view form(reinterpret_cast<const char*>(data), size);
    const auto event = parse_webhook_form(form);
    if (!event) return 0;
    if (const auto* message = std::get_if<InboundMessage>(&*event)) {
        if (message->sid.empty()) std::abort();
        if (!detail::is_valid_utf8(message->body)) std::abort();
        static_cast<void>(message->button_answer());
        if (message->body.empty()) return 0;
        const auto xml = MessagingResponse{message->body}.try_xml();
        if (xml && !detail::is_valid_utf8(*xml)) std::abort();
    } else if (const auto* callback = std::get_if<StatusCallback>(&*event)) {
        if (callback->sid.empty() || callback->status.empty()) std::abort();
        static_cast<void>(callback->advice());
    }
    WebhookRequest request;
    request.target.append("/status?").append(form);
    const auto called = parse_webhook(request);
    if (!called) return 0;
    for (const auto& [name, value] : std::get<UnknownWebhook>(*called).query) {
        if (!detail::is_valid_utf8(name) || !detail::is_valid_utf8(value)) std::abort();
    }
    return 0;
}
