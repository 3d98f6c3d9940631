#include <twiliowa/types/observer.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/show.hpp"

namespace observer_test {

using namespace twiliowa;

namespace {

/// Writes its name and that of the event to a log it shares.
struct Names final : Observer {
    Names(std::string n, std::vector<std::string>& l) : name(std::move(n)), log(l) {}
    void on_call(const CallEvent&) noexcept override { heard("call"); }
    void on_attempt(const AttemptEvent&) noexcept override { heard("attempt"); }
    void on_retry(const RetryEvent&) noexcept override { heard("retry"); }
    void on_result(const ResultEvent&) noexcept override { heard("result"); }
    void on_webhook(const WebhookResultEvent&) noexcept override { heard("webhook"); }
    void on_stale_template(const StaleTemplateEvent&) noexcept override { heard("stale_template"); }
    void on_number_changed_hands(const NumberChangedHandsEvent&) noexcept override {
        heard("number_changed_hands");
    }
    void on_inbox(const InboxResultEvent&) noexcept override { heard("inbox"); }
    void on_limiter(const LimiterEvent&) noexcept override { heard("limiter"); }
    void on_quota_level(const QuotaLevelEvent&) noexcept override { heard("quota_level"); }
    void on_quota_refused(const QuotaRefusedEvent&) noexcept override { heard("quota_refused"); }
    void on_job(const JobEvent&) noexcept override { heard("job"); }
    void on_outbox_full(const OutboxFullEvent&) noexcept override { heard("outbox_full"); }
    void on_suspect_jobs(const SuspectJobsEvent&) noexcept override { heard("suspect_jobs"); }
    void on_pause(const PauseEvent&) noexcept override { heard("pause"); }
    void on_breaker(const BreakerEvent&) noexcept override { heard("breaker"); }
    void on_outcome_told(const OutcomeToldEvent&) noexcept override { heard("outcome_told"); }
    void on_queue_failed(const QueueFailedEvent&) noexcept override { heard("queue_failed"); }
    void on_campaign(const CampaignEvent&) noexcept override { heard("campaign"); }
    void heard(const std::string& event) { log.push_back(name + " " + event); }
    std::string name;
    std::vector<std::string>& log;
};

}  // namespace

// tests/structure/observers.sh looks whether an event is missing here.
TEST_CASE("a composite tells all of its observers of every event, in their order") {
    std::vector<std::string> log;
    CompositeObserver both{{std::make_shared<Names>("1", log), std::make_shared<Names>("2", log)}};
    const CallInfo call;
    const Error error{{.kind = ErrorKind::timeout}};
    std::vector<std::string> expected;
    const auto told = [&](const std::string& event) {
        expected.push_back("1 " + event);
        expected.push_back("2 " + event);
        CHECK(log == expected);
    };
    both.on_call({.call = call});
    told("call");
    both.on_attempt({.call = call});
    told("attempt");
    both.on_retry({.call = call});
    told("retry");
    both.on_result({.call = call});
    told("result");
    both.on_webhook({});
    told("webhook");
    both.on_stale_template({.error = error});
    told("stale_template");
    both.on_number_changed_hands({});
    told("number_changed_hands");
    both.on_inbox({});
    told("inbox");
    both.on_limiter({});
    told("limiter");
    both.on_quota_level({});
    told("quota_level");
    both.on_quota_refused({});
    told("quota_refused");
    both.on_job({});
    told("job");
    both.on_outbox_full({});
    told("outbox_full");
    both.on_suspect_jobs({});
    told("suspect_jobs");
    both.on_pause({});
    told("pause");
    both.on_breaker({});
    told("breaker");
    both.on_outcome_told({});
    told("outcome_told");
    both.on_queue_failed({.error = error});
    told("queue_failed");
    both.on_campaign({});
    told("campaign");
}

TEST_CASE("a composite of none is silent, and one with a null is refused by name") {
    const CallInfo call;
    CompositeObserver{{}}.on_call({.call = call});
    try {
        CompositeObserver{{nullptr}};
        FAIL("was taken");
    } catch (const InvalidRequestError& error) {
        CHECK(error.error().field() == "observers");
    }
}

}  // namespace observer_test
