/// @file
/// Which inbound messages a handler is for: small filters that combine.
#pragma once

#include <functional>
#include <string_view>
#include <utility>

#include <twiliowa/export.hpp>
#include <twiliowa/webhook/inbound_message.hpp>

namespace twiliowa {

/// A yes or no about a message. Combine them with `&&`, `||` and `!`, or make one from a lambda:
/// `inbound::text() && InboundFilter([](const InboundMessage& m) { return m.body.size() < 5; })`
class TWILIOWA_EXPORT InboundFilter {
public:
    using Test = std::function<bool(const InboundMessage&)>;

    explicit InboundFilter(Test test) : test_(std::move(test)) {}
    /// One that names what it is about. Only such a one, alone or joined to others, is asked about
    /// STOP and its like: see `inbound::opt_out`.
    static InboundFilter naming(Test test) {
        InboundFilter filter{std::move(test)};
        filter.is_named_ = filter.test_;
        return filter;
    }

    bool operator()(const InboundMessage& message) const { return test_(message); }
    /// Whether it says yes because of something that it names.
    bool names(const InboundMessage& message) const { return is_named_ && is_named_(message); }

    friend InboundFilter operator&&(InboundFilter a, InboundFilter b) {
        InboundFilter filter{
            [a, b](const InboundMessage& message) { return a(message) && b(message); }};
        if (a.is_named_ || b.is_named_) {
            filter.is_named_ = [a = std::move(a), b = std::move(b)](const InboundMessage& message) {
                return a(message) && b(message) && (a.names(message) || b.names(message));
            };
        }
        return filter;
    }
    friend InboundFilter operator||(InboundFilter a, InboundFilter b) {
        InboundFilter filter{
            [a, b](const InboundMessage& message) { return a(message) || b(message); }};
        if (a.is_named_ || b.is_named_) {
            filter.is_named_ = [a = std::move(a), b = std::move(b)](const InboundMessage& message) {
                return a.names(message) || b.names(message);
            };
        }
        return filter;
    }
    friend InboundFilter operator!(InboundFilter a) {
        return InboundFilter{
            [a = std::move(a)](const InboundMessage& message) { return !a(message); }};
    }

private:
    Test test_;
    Test is_named_ = {};  ///< Says yes to no more than `test_`.
};

namespace inbound {

/// Every message.
TWILIOWA_EXPORT InboundFilter any();
/// Words the customer typed: a body without media, location, button, list or flow, whose
/// MessageType, if there is one, is `text`.
TWILIOWA_EXPORT InboundFilter text();
/// The body is this, but for the case of ASCII letters and spaces around it.
TWILIOWA_EXPORT InboundFilter text(std::string_view words);
/// The customer wants no more messages, wants them again, or asks how that works: OptOutType is
/// STOP, START or HELP, or WebhookHandler took the text for it (WebhookOptions::stop_words).
/// WebhookHandler gives such a message to handlers that name it, and to no others: those of this
/// filter, of `text("stop")`, `button("stop")` and `list("stop")`, and what they are part of.
TWILIOWA_EXPORT InboundFilter opt_out();
TWILIOWA_EXPORT InboundFilter media();
/// A file of this kind: `image/png`; `image/`, `image/*` or `image` for all images; `*/*` or `*`
/// for any file. Case and parameters (`; charset=...`) do not count.
/// @throws InvalidRequestError naming content_type if it can fit nothing: an empty text, `/png`,
/// `image/p*`, `image/png, image/jpeg`.
TWILIOWA_EXPORT InboundFilter media(std::string_view content_type);
TWILIOWA_EXPORT InboundFilter location();
TWILIOWA_EXPORT InboundFilter button();
/// The button whose answer is this; see InboundMessage::button_answer.
TWILIOWA_EXPORT InboundFilter button(std::string_view answer);
TWILIOWA_EXPORT InboundFilter list();
/// The list item with this id.
TWILIOWA_EXPORT InboundFilter list(std::string_view id);
/// The answer to a flow.
TWILIOWA_EXPORT InboundFilter flow();
/// Came through an advertisement.
TWILIOWA_EXPORT InboundFilter referral();
/// From this customer, as on the wire: `whatsapp:+447700900123`.
TWILIOWA_EXPORT InboundFilter from(std::string_view address);
/// To this sender of yours, as on the wire.
TWILIOWA_EXPORT InboundFilter to(std::string_view address);

}  // namespace inbound

}  // namespace twiliowa
