#include "metrics.hpp"

namespace dealer {

twiliowa::MetricsOptions metric_names() {
    return {.aliases = {{.name = "webhook_requests_total",
                         .help = "Webhooks that came.",
                         .of = "twiliowa_webhooks_total",
                         .labels = {{"source", "twilio"}}},
                        {.name = "webhook_signature_errors_total",
                         .help = "Webhooks that are not signed by Twilio.",
                         .of = "twiliowa_webhooks_total",
                         .only = {{"outcome", "bad_signature"}, {"outcome", "recut"}},
                         .labels = {{"source", "twilio"}}},
                        {.name = "twilio_messages_sent_total",
                         .help = "Messages that Twilio has taken.",
                         .of = "twiliowa_calls_total",
                         .only = {{"operation", "messages.create"}, {"outcome", "success"}}},
                        // Refused, or not delivered; what nobody knows of is told by callbacks.
                        {.name = "twilio_send_failures_total",
                         .help = "Messages that could not be sent, or did not arrive.",
                         .of = "twiliowa_calls_total",
                         .only = {{"operation", "messages.create"}},
                         .except = {{"outcome", "success"}, {"outcome", "outcome_unknown"}}},
                        {.name = "twilio_send_failures_total",
                         .of = "twiliowa_message_statuses_total",
                         .only = {{"status", "failed"}, {"status", "undelivered"}}},
                        {.name = "twilio_rate_limit_exceeded_total",
                         .help = "Requests that were too many: Twilio's 429, or ours.",
                         .of = "twiliowa_attempts_total",
                         .only = {{"outcome", "rate_limit"}},
                         .labels = {{"side", "send"}}},
                        {.name = "twilio_rate_limit_exceeded_total",
                         .of = "twiliowa_webhooks_total",
                         .only = {{"outcome", "too_many"}},
                         .labels = {{"side", "webhook"}}}}};
}

}  // namespace dealer
