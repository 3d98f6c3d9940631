#include <twiliowa/types/observer.hpp>

#include <algorithm>
#include <utility>

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
        case WebhookOutcome::taken_in:
            return "taken_in";
        case WebhookOutcome::inbox_full:
            return "inbox_full";
    }
    return "unknown";
}

std::string_view to_string(InboxOutcome outcome) noexcept {
    switch (outcome) {
        case InboxOutcome::handled:
            return "handled";
        case InboxOutcome::failed:
            return "failed";
        case InboxOutcome::dead:
            return "dead";
        case InboxOutcome::lease_lost:
            return "lease_lost";
    }
    return "unknown";
}

CompositeObserver::CompositeObserver(std::vector<std::shared_ptr<Observer>> observers)
    : observers_(std::move(observers)) {
    if (std::find(observers_.begin(), observers_.end(), nullptr) != observers_.end()) {
        Error::invalid_request("observers", "has one that is null").raise();
    }
}

void CompositeObserver::on_call(const CallEvent& event) noexcept {
    for (const auto& observer : observers_) observer->on_call(event);
}
void CompositeObserver::on_attempt(const AttemptEvent& event) noexcept {
    for (const auto& observer : observers_) observer->on_attempt(event);
}
void CompositeObserver::on_retry(const RetryEvent& event) noexcept {
    for (const auto& observer : observers_) observer->on_retry(event);
}
void CompositeObserver::on_result(const ResultEvent& event) noexcept {
    for (const auto& observer : observers_) observer->on_result(event);
}
void CompositeObserver::on_webhook(const WebhookResultEvent& event) noexcept {
    for (const auto& observer : observers_) observer->on_webhook(event);
}
void CompositeObserver::on_stale_template(const StaleTemplateEvent& event) noexcept {
    for (const auto& observer : observers_) observer->on_stale_template(event);
}
void CompositeObserver::on_number_changed_hands(const NumberChangedHandsEvent& event) noexcept {
    for (const auto& observer : observers_) observer->on_number_changed_hands(event);
}
void CompositeObserver::on_inbox(const InboxResultEvent& event) noexcept {
    for (const auto& observer : observers_) observer->on_inbox(event);
}
void CompositeObserver::on_limiter(const LimiterEvent& event) noexcept {
    for (const auto& observer : observers_) observer->on_limiter(event);
}
void CompositeObserver::on_quota_level(const QuotaLevelEvent& event) noexcept {
    for (const auto& observer : observers_) observer->on_quota_level(event);
}

}  // namespace twiliowa
