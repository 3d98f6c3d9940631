/// @file
/// What a verified webhook is known by: `event_key`.
#pragma once

#include <string_view>

#include <twiliowa/export.hpp>
#include <twiliowa/state/dedup_store.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/webhook/parse_webhook.hpp>

namespace twiliowa {

/// The key of a webhook whose signature was verified, for `DedupStore::claim`: a message's or a
/// status's SIDs, kind and status; for an UnknownWebhook, which need not have any, the signature.
/// WebhookHandler does this for you. By yourself:
///
/// @code
/// if (!validator.validate(request_with(signature))) return 403;
/// const auto event = parse_webhook(request);
/// const auto key = event ? event_key(*event, signature) : event.error();
/// if (!key) return 400;
/// const auto claim = dedup.claim(*key);
/// @endcode
///
/// @param signature  the `X-Twilio-Signature` header as it was verified. The key holds the
/// first 90 bits of it, which the claim binds to the event.
///
/// Errors: InvalidRequestError if the AccountSid (AC...) or MessageSid (SM..., MM...) of a message
/// or status is not whole, 32 hexadecimal digits after its letters, or the status is not one word
/// in lower case: cut differently, the signed text says something else. Thread-safe.
TWILIOWA_EXPORT Result<EventKey> event_key(const WebhookEvent& event, std::string_view signature);

}  // namespace twiliowa
