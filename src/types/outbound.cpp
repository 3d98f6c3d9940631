#include <twiliowa/types/outbound.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <string>
#include <utility>

namespace twiliowa {

namespace detail {
namespace {

/// What all four typed messages have in common.
template <class Typed>
OutboundMessage take_common(Typed& typed) {
    OutboundMessage message;
    message.to = std::move(typed.to);
    message.from = std::move(typed.from);
    message.messaging_service_sid = std::move(typed.messaging_service_sid);
    message.status_callback = std::move(typed.status_callback);
    message.message_intent = std::move(typed.message_intent);
    return message;
}

/// What goes instead of a free-form message outside the window.
template <class Typed>
void take_fallback(Typed& typed, OutboundMessage& message) {
    message.fallback_content_sid = std::move(typed.fallback_content_sid);
    message.fallback_variables = std::move(typed.fallback_variables);
    message.whitespace = typed.whitespace;
}

/// Degrees with six decimals (about 10 cm), whatever the locale. Not a number stays recognisable:
/// the send refuses it.
void append_degrees(std::string& text, double degrees) {
    std::array<char, 400> buffer{};
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), degrees,
                                   std::chars_format::fixed, 6)
                         .ptr;
    text.append(buffer.data(), end);
}

}  // namespace
}  // namespace detail

OutboundTemplate::operator OutboundMessage() && {
    auto message = detail::take_common(*this);
    message.content_sid = std::move(content_sid);
    message.content_variables = std::move(variables);
    message.whitespace = whitespace;
    message.category = std::move(category);
    message.send_at = send_at;
    return message;
}

OutboundText::operator OutboundMessage() && {
    auto message = detail::take_common(*this);
    detail::take_fallback(*this, message);
    message.body = std::move(body);
    message.send_at = send_at;
    return message;
}

OutboundMedia::operator OutboundMessage() && {
    auto message = detail::take_common(*this);
    detail::take_fallback(*this, message);
    message.body = std::move(body);
    message.media_url.push_back(std::move(media_url));
    message.send_at = send_at;
    return message;
}

OutboundLocation::operator OutboundMessage() && {
    auto message = detail::take_common(*this);
    detail::take_fallback(*this, message);
    message.body = std::move(name);
    std::string action = "geo:";
    detail::append_degrees(action, latitude);
    action += ',';
    detail::append_degrees(action, longitude);
    if (!label.empty()) action.append(1, '|').append(label);
    message.persistent_action.push_back(std::move(action));
    return message;
}

OutboundTemplate::operator OutboundMessage() const& {
    return OutboundTemplate(*this);
}
OutboundText::operator OutboundMessage() const& {
    return OutboundText(*this);
}
OutboundMedia::operator OutboundMessage() const& {
    return OutboundMedia(*this);
}
OutboundLocation::operator OutboundMessage() const& {
    return OutboundLocation(*this);
}

}  // namespace twiliowa
