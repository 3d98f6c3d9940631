#include <twiliowa/types/observer.hpp>

namespace twiliowa {

std::string_view to_string(WebhookOutcome outcome) noexcept {
    switch (outcome) {
        case WebhookOutcome::handled:
            return "handled";
        case WebhookOutcome::duplicate:
            return "duplicate";
        case WebhookOutcome::running:
            return "running";
        case WebhookOutcome::bad_method:
            return "bad_method";
        case WebhookOutcome::too_many:
            return "too_many";
        case WebhookOutcome::too_large:
            return "too_large";
        case WebhookOutcome::bad_signature:
            return "bad_signature";
        case WebhookOutcome::unreadable:
            return "unreadable";
        case WebhookOutcome::handler_failed:
            return "handler_failed";
        case WebhookOutcome::store_failed:
            return "store_failed";
        case WebhookOutcome::unverified:
            return "unverified";
        case WebhookOutcome::recut:
            return "recut";
        case WebhookOutcome::lease_lost:
            return "lease_lost";
    }
    return "unknown";
}

}  // namespace twiliowa
