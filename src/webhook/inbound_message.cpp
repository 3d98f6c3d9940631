#include <twiliowa/webhook/inbound_message.hpp>

#include "webhook/webhook_fields.hpp"

namespace twiliowa {

std::string_view InboundMessage::button_answer() const noexcept {
    if (!button) return {};
    if (!button->payload.empty()) return button->payload;
    return button->text.empty() ? body : button->text;
}

std::string_view InboundMessage::parameter(std::string_view name) const noexcept {
    return detail::find_parameter(other, name);
}

std::string_view InboundMessage::query_parameter(std::string_view name) const noexcept {
    return detail::find_parameter(query, name);
}

}  // namespace twiliowa
