/// What an outbox tells its observer of jobs, pauses and breakers.
#include <doctest/doctest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/metrics_observer.hpp>
#include <twiliowa/state/store.hpp>

#include "support/show.hpp"
#include "unit/outbox/outbox_service.hpp"
#include "unit/outbox/watched_outbox.hpp"

namespace outbox_observer_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using outbox_test::customer;
using outbox_test::Heard;
using outbox_test::Service;
using outbox_test::Texts;
using outbox_test::Watched;
using testing::Fault;

namespace {

/// Fails a commit after its work was done, or does the work twice, as an engine may.
struct UncertainStorage final : OutboxStorage {
    explicit UncertainStorage(std::shared_ptr<OutboxStorage> behind) : inner(std::move(behind)) {}
    Result<void> transact(const Work& work) override {
        if (fails) {
            static_cast<void>(inner->transact([&](OutboxTransaction& transaction) -> Result<void> {
                if (auto done = work(transaction); !done) return done;
                return store_error("is away");
            }));
            return store_error("is away");
        }
        if (begins_anew) {
            static_cast<void>(inner->transact([&](OutboxTransaction& transaction) -> Result<void> {
                if (auto done = work(transaction); !done) return done;
                return store_error("begins anew");
            }));
        }
        return inner->transact(work);
    }
    std::uint32_t outbox_id() const override { return inner->outbox_id(); }
    LeaseTime lease_now() const override { return inner->lease_now(); }
    std::optional<TimePoint> now() const override { return inner->now(); }
    std::string identity() const override { return inner->identity(); }

    const std::shared_ptr<OutboxStorage> inner;
    bool fails = false;
    bool begins_anew = false;
};

}  // namespace

TEST_CASE("a job that is sent, delivered and read is told step by step, by its id") {
    Watched watched;
    const auto job = watched.service.enqueue();
    CHECK(watched.heard->take() == Texts{"enqueued >ready"});
    CHECK(watched.heard->last_job == job.id.str());
    CHECK(watched.run() == Texts{"sending ready>sending", "accepted sending>accepted answer"});
    watched.service.outbox->learn(watched.service.callback("read"));
    CHECK(watched.heard->take() ==
          Texts{"delivered accepted>delivered answer", "read accepted>delivered answer"});
    // What is known already is not told again.
    watched.service.outbox->learn(watched.service.callback("read"));
    CHECK(watched.service.enqueue("Hi", {.key = "1"}).existed == false);
    watched.heard->take();
    CHECK(watched.service.enqueue("Hi", {.key = "1"}).existed);
    CHECK(watched.heard->take().empty());
}

TEST_CASE("an unknown outcome, the looks for it, and what a person decides are told") {
    Watched watched;
    const auto job = watched.service.enqueue();
    watched.service.fake->next_fault(Fault::close_before);
    watched.heard->take();
    CHECK(watched.run() == Texts{"sending ready>sending", "unknown sending>unknown"});
    watched.service.advance(6s);
    CHECK(watched.run() == Texts{"looked unknown>unknown"});
    REQUIRE(watched.service.outbox->resolve(job.id, Resolution::not_sent()));
    CHECK(watched.heard->take() == Texts{"requeued unknown>ready"});
    CHECK(watched.run() == Texts{"sending ready>sending", "accepted sending>accepted answer"});
}

TEST_CASE("what a look finds is told with its evidence; what goes twice, too") {
    Watched watched{{.on_unknown = OnUnknown::resend_now_may_duplicate()}};
    watched.service.enqueue();
    watched.service.fake->next_fault(Fault::close_after);
    watched.heard->take();
    CHECK(watched.run() == Texts{"sending ready>sending", "unknown sending>ready",
                                 "requeued sending>ready", "sending ready>sending",
                                 "accepted sending>accepted answer"});
    for (const auto& message : watched.service.fake->messages()) {
        watched.service.outbox->learn(watched.service.callback_of(message, "sent"));
    }
    CHECK(watched.heard->take() == Texts{"doubled accepted>accepted answer"});

    Watched held;
    held.service.enqueue();
    held.service.fake->next_fault(Fault::close_after);
    held.service.outbox->run_until_idle();
    held.heard->take();
    held.service.advance(6s);
    CHECK(held.run() == Texts{"accepted unknown>accepted list"});
}

TEST_CASE("what is told of a job has the program's tag") {
    Watched watched;
    watched.service.enqueue("Hi", {.tag = "request 4f1a"});
    CHECK(watched.heard->last_tag == "request 4f1a");
    watched.heard->last_tag.clear();
    CHECK_FALSE(watched.run().empty());
    CHECK(watched.heard->last_tag == "request 4f1a");
}

TEST_CASE("a refusal, a cancel and a retry are told") {
    Watched watched;
    const auto job = watched.service.enqueue();
    watched.service.fake->next_fault(Fault::too_many_requests);
    watched.heard->take();
    CHECK(watched.run() == Texts{"sending ready>sending", "not_sent sending>ready 20429"});
    REQUIRE(watched.service.outbox->cancel(job.id));
    CHECK(watched.heard->take() == Texts{"cancelled ready>cancelled 20429"});
    const auto late =
        watched.service.enqueue("Hi", {.expires_at = watched.service.clock->now() + 1s});
    watched.service.advance(2s);
    watched.heard->take();
    CHECK(watched.run() == Texts{"dead ready>dead expired"});
    REQUIRE(watched.service.outbox->retry(late.id));
    CHECK(watched.heard->take() == Texts{"requeued dead>ready"});
}

TEST_CASE("what was not committed is not told, and what was tried twice is told once") {
    Watched watched;
    const auto storage = std::make_shared<UncertainStorage>(watched.service.storage);
    watched.service.wrapped = [&] { return storage; };
    watched.service.restart();
    storage->fails = true;
    CHECK_FALSE(watched.service.outbox->try_enqueue(OutboundText{.to = customer, .body = "Hi"}));
    CHECK(watched.heard->take().empty());
    storage->fails = false;
    storage->begins_anew = true;
    watched.service.enqueue();
    CHECK(watched.heard->take() == Texts{"enqueued >ready"});
}

TEST_CASE("an observer may use the outbox that tells it") {
    Watched watched;
    std::vector<JobState> states;
    watched.heard->during = [&] {
        const auto id = JobId::parse(watched.heard->last_job).value();
        states.push_back(watched.service.outbox->find(id).value().state);
    };
    watched.service.enqueue();
    watched.service.outbox->run_until_idle();
    CHECK(states == std::vector{JobState::ready, JobState::sending, JobState::accepted});
}

TEST_CASE("a full outbox is told, of all and of a tenant") {
    Watched watched{{.max_waiting = 2, .max_waiting_per_tenant = 1}};
    watched.service.enqueue("1", {.tenant = "a"});
    watched.heard->take();
    const OutboundText text{.to = customer, .body = "2"};
    CHECK_FALSE(watched.service.outbox->try_enqueue(text, {.tenant = "a"}));
    CHECK(watched.heard->take() == Texts{"tenant full: 1 of 1"});
    watched.service.enqueue("2", {.tenant = "b"});
    watched.heard->take();
    CHECK_FALSE(watched.service.outbox->try_enqueue(text, {.tenant = "c"}));
    CHECK(watched.heard->take() == Texts{"outbox full: 2 of 2"});
}

TEST_CASE("pauses are told: a person's, and the outbox's own for refused credentials") {
    Watched watched;
    watched.service.outbox->pause({Pause::Of::sender, "whatsapp:+15005550006", "too slow"});
    watched.service.outbox->pause({Pause::Of::tenant, "acme", "has not paid"});
    watched.service.outbox->resume(Pause::Of::tenant, "acme");
    watched.service.outbox->resume(Pause::Of::tenant, "acme");
    watched.service.outbox->resume(Pause::Of::sender, "whatsapp:+15005550006");
    // A number is not told.
    CHECK(watched.heard->take() == Texts{"paused sender ''", "paused tenant 'acme'",
                                         "resumed tenant 'acme'", "resumed sender ''"});
    watched.service.enqueue("Hi", {.account = "main"});
    watched.heard->take();
    const MessagesClient wrong{
        Credentials::auth_token(testing::FakeTwilio::demo_account_sid, "wrong"),
        watched.service.fake->client_options()};
    watched.service.options.client = [&](std::string_view) { return OutboxAccount{wrong}; };
    watched.service.restart();
    CHECK(watched.run() == Texts{"sending ready>sending", "not_sent sending>ready 20003",
                                 "paused account 'main' by itself"});
    watched.service.options.client = [&](std::string_view) {
        return OutboxAccount{*watched.service.client};
    };
    watched.service.restart();
    watched.service.advance(1min);
    CHECK(watched.run() == Texts{"resumed account 'main' by itself", "sending ready>sending",
                                 "accepted sending>accepted answer"});
}

TEST_CASE(
    "an outage opens a sender's breaker, and its end closes it; a metric has how many are open") {
    const auto metrics = std::make_shared<MetricsObserver>();
    const auto heard = std::make_shared<Heard>();
    Service service{{.concurrency = 1,
                     .observer = std::make_shared<CompositeObserver>(
                         std::vector<std::shared_ptr<Observer>>{heard, metrics})}};
    for (int i = 0; i < 5; ++i) service.enqueue("Hi " + std::to_string(i));
    service.fake->set_fault_rate(Fault::internal_error, 1.0);
    const auto breakers = [&] {
        service.outbox->run_until_idle();
        Texts some;
        for (auto& text : heard->take()) {
            if (text.starts_with("breaker")) some.push_back(std::move(text));
        }
        return some;
    };
    CHECK(breakers() == Texts{"breaker opened 15000"});
    CHECK(metrics->text().find("\ntwiliowa_outbox_breakers_open 1\n") != std::string::npos);
    service.advance(15s);
    CHECK(breakers() == Texts{"breaker still_open 30000"});
    service.fake->clear_faults();
    service.advance(30s);
    CHECK(breakers() == Texts{"breaker closed 0"});
    const auto text = metrics->text();
    CHECK(text.find("\ntwiliowa_outbox_breakers_open 0\n") != std::string::npos);
    CHECK(text.find("\ntwiliowa_outbox_enqueued_total{lane=\"normal\"} 5\n") != std::string::npos);
    CHECK(text.find("\ntwiliowa_outbox_attempts_total{outcome=\"unknown\"} 4\n") !=
          std::string::npos);
}

TEST_CASE("a storage that went back in time is told once, with the number of its jobs") {
    Watched watched;
    watched.service.enqueue("1");
    watched.service.enqueue("2");
    watched.heard->take();
    CHECK(watched.service.outbox->try_suspect({}).value() == 2);
    CHECK(watched.heard->take() ==
          Texts{"2 suspect: somebody said that its storage went back in time"});
}

TEST_CASE("a handler of outcomes that throws is told each time, until it does not") {
    Watched watched;
    bool fails = true;
    watched.service.outbox->on_outcome([&](const JobOutcome&) {
        if (fails) throw std::runtime_error("no");
    });
    watched.service.enqueue();
    CHECK_FALSE(watched.service.outbox->try_run_until_idle());
    CHECK(watched.heard->take().back() == "not handled accepted");
    fails = false;
    CHECK(watched.run() == Texts{"handled accepted"});
}

TEST_CASE("a quota that is used up is told for each job that waits for it") {
    QuotasOptions quotas{.windows = {QuotaWindow::per_minute(1)}};
    const auto heard = std::make_shared<Heard>();
    quotas.observer = heard;
    Watched watched{{.quotas = quotas}};
    watched.service.enqueue("1", {.quota = "acme"});
    watched.service.enqueue("2", {.quota = "acme"});
    watched.heard->take();
    CHECK(watched.run() == Texts{"sending ready>sending", "postponed ready>ready",
                                 "accepted sending>accepted answer"});
    CHECK(heard->take() == Texts{"refused by acme in this minute"});
}

}  // namespace outbox_observer_test
