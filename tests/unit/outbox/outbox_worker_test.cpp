/// Steps of a worker, one at a time, between which anything may happen.
#include "outbox/worker.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/state/store.hpp>

#include "unit/outbox/holding_transport.hpp"
#include "unit/outbox/open_gate.hpp"
#include "unit/outbox/outbox_service.hpp"

namespace outbox_worker_test {

using namespace std::chrono_literals;
using outbox_test::client_over;
using outbox_test::customer;
using outbox_test::HoldingTransport;
using outbox_test::OpenGate;
using outbox_test::Service;
using twiliowa::EnqueuedJob;
using twiliowa::Evidence;
using twiliowa::JobState;
using twiliowa::OutboundText;
using twiliowa::OutboxAccount;
using twiliowa::OutboxStorage;
using twiliowa::OutboxTransaction;
using twiliowa::Result;
using twiliowa::detail::OutboxCore;
using twiliowa::detail::OutboxWorker;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::Fault;

namespace {

/// What becomes of a commit.
enum class Commit {
    succeeds,
    fails,       ///< Nothing is written.
    is_unknown,  ///< It is written, and the answer is lost.
};

/// Does something right after a commit, or fails that of a job that is sending.
class InterruptedStorage final : public OutboxStorage {
public:
    explicit InterruptedStorage(std::shared_ptr<OutboxStorage> inner) : inner_(std::move(inner)) {}

    Result<void> transact(const Work& work) override {
        bool is_lost = false;
        auto done = inner_->transact([&](OutboxTransaction& transaction) -> Result<void> {
            is_lost = false;
            if (auto worked = work(transaction); !worked) return worked;
            if (of_sending == Commit::succeeds) return {};
            is_lost = transaction.counts().value()[JobState::sending] > 0;
            if (is_lost && of_sending == Commit::fails) return twiliowa::store_error("is away");
            return {};
        });
        if (after) after();
        return is_lost ? twiliowa::store_error("is away") : done;
    }
    std::uint32_t outbox_id() const override { return inner_->outbox_id(); }
    twiliowa::LeaseTime lease_now() const override { return inner_->lease_now(); }
    std::string identity() const override { return inner_->identity(); }

    std::function<void()> after;
    Commit of_sending = Commit::succeeds;

private:
    std::shared_ptr<OutboxStorage> inner_;
};

/// A service whose steps the test takes itself.
struct SteppedService : Service {
    explicit SteppedService(twiliowa::OutboxOptions asked = {}, twiliowa::ClientOptions chosen = {})
        : Service(std::move(asked), std::move(chosen)) {
        worker = make_worker();
    }
    std::unique_ptr<OutboxWorker> make_worker() {
        return std::make_unique<OutboxWorker>(
            std::make_shared<const OutboxCore>(interrupted, options), "worker", [] {});
    }
    /// The first step learns which accounts there are to ask for.
    OutboxWorker::Step step(bool blocking = true) {
        auto done = worker->step(blocking, true).value();
        return done.sent + done.looks > 0 ? done : worker->step(blocking, true).value();
    }

    std::shared_ptr<InterruptedStorage> interrupted = std::make_shared<InterruptedStorage>(storage);
    std::unique_ptr<OutboxWorker> worker;
};

}  // namespace

TEST_CASE("who sleeps between the commit and the send sends nothing, and it costs no try") {
    SteppedService service{{.max_tries = 1}};
    const auto job = service.enqueue();
    static_cast<void>(service.worker->step(true, true).value());
    service.interrupted->after = [&] { service.advance(1min); };
    CHECK(service.worker->step(true, true).value().sent == 1);
    service.interrupted->after = nullptr;
    CHECK(service.at_twilio() == 0);
    static_cast<void>(service.worker->step(true, false).value());
    const auto told = service.job(job);
    CHECK(told.state == JobState::ready);
    REQUIRE(told.attempts.size() == 1);
    CHECK(told.attempts[0].state == twiliowa::AttemptState::not_sent);
    CHECK(told.attempts[0].problem == "the time of the attempt was over before it began");
    service.advance(1min);
    service.step();
    CHECK(service.at_twilio() == 1);
}

TEST_CASE("what was judged, and whose commit failed, is judged anew and goes once") {
    for (const auto becomes : {Commit::fails, Commit::is_unknown}) {
        CAPTURE(static_cast<int>(becomes));
        const auto gate = std::make_shared<OpenGate>();
        SteppedService service{{.gate = gate}};
        const auto one = service.enqueue("one");
        const auto two = service.enqueue("two");
        service.interrupted->of_sending = becomes;
        for (int i = 0; i < 4 && service.worker->step(true, true); ++i) {
        }
        CHECK(gate->asked == 2);
        CHECK(service.at_twilio() == 0);
        service.interrupted->of_sending = Commit::succeeds;
        service.advance(10min);
        for (int i = 0; i < 8; ++i) static_cast<void>(service.worker->step(true, true).value());
        CHECK(service.at_twilio() == (becomes == Commit::fails ? 2 : 0));
        const auto state = becomes == Commit::fails ? JobState::accepted : JobState::unknown;
        CHECK(service.state(one) == state);
        CHECK(service.state(two) == state);
        if (becomes == Commit::fails) CHECK(gate->asked == 4);
    }
}

TEST_CASE("who is stopped between the commit and the send sends nothing") {
    SteppedService service;
    const auto job = service.enqueue();
    static_cast<void>(service.worker->step(true, true).value());
    service.interrupted->after = [&] { service.worker->cancel(); };
    static_cast<void>(service.worker->step(true, true).value());
    service.interrupted->after = nullptr;
    static_cast<void>(service.worker->step(true, false).value());
    CHECK(service.at_twilio() == 0);
    REQUIRE(service.job(job).attempts.size() == 1);
    CHECK(service.job(job).attempts[0].problem ==
          "the time of the attempt was over before it began");
    CHECK(service.state(job) == JobState::ready);
}

TEST_CASE("nothing leaves without its commit, whether that failed or nobody knows") {
    for (const auto commit : {Commit::fails, Commit::is_unknown}) {
        for (const bool blocking : {true, false}) {
            CAPTURE(static_cast<int>(commit));
            CAPTURE(blocking);
            SteppedService service;
            const auto job = service.enqueue();
            service.interrupted->of_sending = commit;
            int steps = 0;
            while (steps < 5 && service.worker->step(blocking, true)) ++steps;
            REQUIRE(steps < 5);
            service.fake->run_until_idle();
            CHECK(service.at_twilio() == 0);
            CHECK(service.worker->under_way() == 0);
            service.interrupted->of_sending = Commit::succeeds;
            // What was written may have left, for all that anybody can tell: it is looked for.
            const bool is_written = commit == Commit::is_unknown;
            CHECK(service.state(job) == (is_written ? JobState::sending : JobState::ready));
            for (int i = 0; i < 10; ++i) {
                static_cast<void>(service.worker->step(blocking, true).value());
                service.fake->run_until_idle();
                service.advance(1min);
            }
            CHECK(service.at_twilio() == (is_written ? 0 : 1));
            if (is_written) CHECK(service.job(job).attempts.size() == 1);
        }
    }
}

TEST_CASE("who takes in one answer after the other looks around ten times a second, or when idle") {
    SteppedService service{{.concurrency = 1}};
    for (int i = 0; i < 4; ++i) service.enqueue();
    service.step();
    service.outbox->pause({.of = twiliowa::Pause::Of::tenant, .name = "paused"});
    const auto expires_in = [&](std::chrono::milliseconds time) {
        return service.enqueue("Hi",
                               {.tenant = "paused", .expires_at = service.clock->now() + time});
    };
    const auto old = expires_in(50ms);
    service.advance(50ms);
    service.step();
    CHECK(service.state(old) == JobState::ready);
    service.advance(50ms);
    service.step();
    CHECK(service.state(old) == JobState::dead);
    const auto next = expires_in(1ms);
    service.advance(1ms);
    service.step();
    CHECK(service.at_twilio() == 4);
    CHECK(service.state(next) == JobState::ready);
    // It takes in the last answer, and finds nothing to send; then it has nothing to take in.
    static_cast<void>(service.worker->step(true, true).value());
    static_cast<void>(service.worker->step(true, true).value());
    CHECK(service.state(next) == JobState::dead);
}

TEST_CASE("a look that is under way is not made twice") {
    SteppedService service;
    const auto job = service.enqueue();
    service.fake->next_fault(Fault::close_after);
    service.outbox->run_until_idle();
    REQUIRE(service.state(job) == JobState::unknown);
    service.advance(6s);
    const auto transport = std::make_shared<HoldingTransport>();
    const auto silent = client_over(service, transport);
    service.options.client = [&](std::string_view) { return OutboxAccount{silent}; };
    service.worker = service.make_worker();
    CHECK(service.step(false).looks == 1);
    CHECK(service.step(false).looks == 0);
    CHECK(transport->count() == 1);
}

TEST_CASE("one message that may be either of two suspects' is bound to neither") {
    Service service;
    const auto first = service.enqueue("The same", {.key = "1"});
    auto backup = service.storage->copy();
    service.outbox->run_until_idle();
    REQUIRE(service.at_twilio() == 1);
    service.storage = backup;
    service.restart();
    const auto second = service.enqueue("The same", {.key = "2"});
    CHECK(*service.outbox->try_suspect(twiliowa::TimePoint{}) == 2);
    service.outbox->run_until_idle();
    CHECK(service.state(first) == JobState::held);
    CHECK(service.state(second) == JobState::held);
    CHECK(service.job(first).candidates.size() == 1);
    CHECK(service.at_twilio() == 1);
}

TEST_CASE("too many at once: fewer of the account go at once, whatever their senders") {
    twiliowa::OutboxOptions options;
    options.concurrency = 8;
    SteppedService service{options};
    const auto transport = std::make_shared<HoldingTransport>();
    const auto held_back = client_over(service, transport);
    service.options.client = [&](std::string_view) { return OutboxAccount{held_back}; };
    service.worker = service.make_worker();
    for (int i = 0; i < 40; ++i) {
        OutboundText text{.to = customer, .body = "Text " + std::to_string(i)};
        if (i % 2 == 0) text.from = "+15005550006";
        service.outbox->enqueue(text);
    }
    REQUIRE(service.step(false).sent == 8);
    const auto refuse_all = [&] {
        transport->end_all(twiliowa::HttpResponse{
            .status = 429, .body = R"({"code":20429,"message":"Too Many Requests","status":429})"});
    };
    refuse_all();
    CHECK(service.step(false).sent == 4);
    refuse_all();
    CHECK(service.step(false).sent == 2);
}

TEST_CASE("a silent message is asked for after a day, an SMS after a day and a half") {
    Service service;
    service.fake->add_sender(FakeTwilio::demo_account_sid, "+15005550006");
    const auto whatsapp = service.enqueue("WhatsApp");
    const auto sms = service.outbox->enqueue(
        OutboundText{.to = "sms:+447700900124", .body = "SMS", .from = "sms:+15005550006"});
    service.outbox->run_until_idle();
    REQUIRE(service.state(whatsapp) == JobState::accepted);
    REQUIRE(service.state(sms) == JobState::accepted);
    const auto before = service.job(sms).updated_at;
    service.advance(25h);
    CHECK(service.outbox->run_until_idle().looks == 1);
    CHECK(service.job(whatsapp).updated_at > before);
    CHECK(service.job(sms).updated_at == before);
    service.advance(11h);
    CHECK(service.outbox->run_until_idle().looks == 1);
    CHECK(service.job(sms).updated_at > before);
}

TEST_CASE("an answer takes its message from a job whose own answer comes with it") {
    SteppedService service;
    const auto transport = std::make_shared<HoldingTransport>();
    const auto held_back = client_over(service, transport);
    service.options.client = [&](std::string_view) { return OutboxAccount{held_back}; };
    service.worker = service.make_worker();
    const auto first = service.enqueue("The first");
    const auto second = service.enqueue("The second");
    REQUIRE(service.step(false).sent == 2);
    // Meanwhile another worker looked, and took the one's message for the other's.
    const auto of_first = "SM" + std::string(32, '1');
    const auto of_second = "SM" + std::string(32, '2');
    const auto mistaken = service.storage->transact([&](OutboxTransaction& transaction) {
        auto job = transaction.load(std::span{&second.id, 1}).value().front();
        job.state = JobState::accepted;
        job.sid = of_first;
        job.evidence = Evidence::list;
        return transaction.save(job);
    });
    REQUIRE(mistaken);
    const auto created = [](const std::string& sid) {
        return twiliowa::HttpResponse{.status = 201,
                                      .body = R"({"sid":")" + sid + R"(","status":"queued"})"};
    };
    transport->end_each({created(of_first), created(of_second)});
    service.step(false);
    CHECK(service.job(first).sid.str() == of_first);
    CHECK(service.job(second).sid.str() == of_second);
    CHECK(service.job(second).doubles.empty());
}

/// How often Twilio was asked for one message, and for a page of its list.
struct CountedAsks final : twiliowa::Observer {
    void on_call(const twiliowa::CallEvent& event) noexcept override {
        fetches += event.call.operation == "messages.fetch" ? 1 : 0;
        pages += event.call.operation == "messages.list" ? 1 : 0;
    }
    int fetches = 0;
    int pages = 0;
};

TEST_CASE("many messages of one day that fell silent are read in Twilio's list") {
    const auto asks = std::make_shared<CountedAsks>();
    SteppedService service{{}, {.observer = asks}};
    std::vector<EnqueuedJob> jobs;
    constexpr int three_pages = 2'100;
    for (int i = 0; i < three_pages; ++i) {
        jobs.push_back(service.enqueue("Text " + std::to_string(i)));
    }
    service.outbox->run_until_idle();
    const auto all_are = [&](JobState state) {
        return std::all_of(jobs.begin(), jobs.end(),
                           [&](const EnqueuedJob& job) { return service.state(job) == state; });
    };
    REQUIRE(all_are(JobState::accepted));
    const auto report = [&](const EnqueuedJob& job, std::string_view status) {
        service.fake->set_status(service.job(job).sid.str(), status);
    };

    SUBCASE("all of them") {
        for (const auto& job : jobs) report(job, "delivered");
        service.advance(25h);
        service.outbox->run_until_idle();
        CHECK(all_are(JobState::delivered));
        CHECK(asks->pages == 3);
        CHECK(asks->fetches == 0);
    }
    SUBCASE("what was sent on another day than it was handed over is fetched") {
        service.advance(25h);
        for (const auto& job : jobs) report(job, "delivered");
        service.outbox->run_until_idle();
        CHECK(all_are(JobState::delivered));
        CHECK(asks->pages == 1);
        CHECK(asks->fetches == three_pages);
    }
    SUBCASE("what has no final status yet is asked for a day later again") {
        for (const auto& job : jobs) report(job, "sent");
        service.advance(25h);
        service.outbox->run_until_idle();
        CHECK(all_are(JobState::accepted));
        CHECK(asks->pages == 3);
        service.outbox->run_until_idle();
        CHECK(asks->pages == 3);
        service.advance(25h);
        service.outbox->run_until_idle();
        CHECK(asks->pages == 6);
        CHECK(asks->fetches == 0);
    }
    SUBCASE("who takes nothing new any more asks for no further page") {
        service.advance(25h);
        service.step();
        REQUIRE(asks->pages == 1);
        for (int i = 0; i < 3; ++i) {
            CHECK(service.worker->step(true, false).value().progress == (i == 0));
        }
        CHECK(asks->pages == 1);
        // Who goes on, goes on where it was.
        for (int i = 0; i < 6; ++i) static_cast<void>(service.worker->step(true, true).value());
        CHECK(asks->pages == 3);
        CHECK(asks->fetches == 0);
    }
    SUBCASE("without an answer of the list they are fetched") {
        for (const auto& job : jobs) report(job, "delivered");
        service.fake->next_fault(Fault::internal_error);
        service.advance(25h);
        service.outbox->run_until_idle();
        CHECK(all_are(JobState::delivered));
        CHECK(asks->pages == 1);
        CHECK(asks->fetches == three_pages);
    }
}

}  // namespace outbox_worker_test
