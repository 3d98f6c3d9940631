/// @file
/// From a request to a typed event.
#pragma once

#include <string_view>
#include <variant>

#include <twiliowa/export.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/webhook/inbound_message.hpp>
#include <twiliowa/webhook/status_callback.hpp>
#include <twiliowa/webhook/webhook_request.hpp>

namespace twiliowa {

/// Neither an inbound message nor a status callback.
struct UnknownWebhook {
    MessageSid sid = {};  ///< Empty when there was none.
    AccountSid account_sid = {};
    WebhookParameters parameters = {};  ///< All of them, as they came.
    /// The parameters of the URL that Twilio called, which is signed with the rest. For a webhook
    /// by GET they are all of them.
    WebhookParameters query = {};
};

using WebhookEvent = std::variant<InboundMessage, StatusCallback, UnknownWebhook>;

/// Reads a webhook: the form in the body of a POST, or the query of a GET. Verifies no signature
/// (RequestValidator does).
///
/// When a parameter comes twice, the first counts; the others are in `other`. A parameter with an
/// unusable value (a latitude that is no number) counts as unknown and is in `other`, too. The
/// URL's parameters are in `query`, read like the form's: repeated ones too, in their order.
///
/// Errors: InvalidRequestError when the body is no form (its Content-Type says something else), it
/// or the URL has more than 1000 parameters, or it is an inbound message or status callback without
/// a readable MessageSid, or with a parameter in its body that may be the end of the URL, which a
/// signature does not tell from it: one whose name sorts before AccountSid and does not begin as
/// Twilio's do, with A and a small letter. Thread-safe; throws nothing but std::bad_alloc.
TWILIOWA_EXPORT Result<WebhookEvent> parse_webhook(const WebhookRequest& request);

/// The same from the form alone, without a `query`.
TWILIOWA_EXPORT Result<WebhookEvent> parse_webhook_form(std::string_view form);

}  // namespace twiliowa
