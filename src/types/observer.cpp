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
        case WebhookOutcome::switched_off:
            return "switched_off";
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

std::string_view to_string(JobChange change) noexcept {
    switch (change) {
        case JobChange::enqueued:
            return "enqueued";
        case JobChange::adopted:
            return "adopted";
        case JobChange::sending:
            return "sending";
        case JobChange::not_sent:
            return "not_sent";
        case JobChange::postponed:
            return "postponed";
        case JobChange::unknown:
            return "unknown";
        case JobChange::looked:
            return "looked";
        case JobChange::held:
            return "held";
        case JobChange::accepted:
            return "accepted";
        case JobChange::delivered:
            return "delivered";
        case JobChange::read:
            return "read";
        case JobChange::undelivered:
            return "undelivered";
        case JobChange::doubled:
            return "doubled";
        case JobChange::dead:
            return "dead";
        case JobChange::cancelled:
            return "cancelled";
        case JobChange::requeued:
            return "requeued";
    }
    return "other";
}

std::string_view to_string(BreakerChange change) noexcept {
    switch (change) {
        case BreakerChange::opened:
            return "opened";
        case BreakerChange::still_open:
            return "still_open";
        case BreakerChange::closed:
            return "closed";
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
void CompositeObserver::on_quota_refused(const QuotaRefusedEvent& event) noexcept {
    for (const auto& observer : observers_) observer->on_quota_refused(event);
}
void CompositeObserver::on_job(const JobEvent& event) noexcept {
    for (const auto& observer : observers_) observer->on_job(event);
}
void CompositeObserver::on_outbox_full(const OutboxFullEvent& event) noexcept {
    for (const auto& observer : observers_) observer->on_outbox_full(event);
}
void CompositeObserver::on_suspect_jobs(const SuspectJobsEvent& event) noexcept {
    for (const auto& observer : observers_) observer->on_suspect_jobs(event);
}
void CompositeObserver::on_pause(const PauseEvent& event) noexcept {
    for (const auto& observer : observers_) observer->on_pause(event);
}
void CompositeObserver::on_breaker(const BreakerEvent& event) noexcept {
    for (const auto& observer : observers_) observer->on_breaker(event);
}
void CompositeObserver::on_outcome_told(const OutcomeToldEvent& event) noexcept {
    for (const auto& observer : observers_) observer->on_outcome_told(event);
}
void CompositeObserver::on_queue_failed(const QueueFailedEvent& event) noexcept {
    for (const auto& observer : observers_) observer->on_queue_failed(event);
}
void CompositeObserver::on_campaign(const CampaignEvent& event) noexcept {
    for (const auto& observer : observers_) observer->on_campaign(event);
}

}  // namespace twiliowa
