/// @file
/// `parse_webhook` over a form that was decoded before.
#pragma once

#include <cstddef>

#include <twiliowa/types/result.hpp>
#include <twiliowa/webhook/parse_webhook.hpp>

#include "text/decoded_form.hpp"

namespace twiliowa::detail {

inline constexpr std::size_t max_webhook_fields = 1000;

/// The event of a request. `body` is its body's form, read if its method has a body that is one;
/// the parameters of a method without a body are in the query.
Result<WebhookEvent> read_webhook(const WebhookRequest& request, const DecodedForm& body);

}  // namespace twiliowa::detail
