/// What somebody, or something, might do to an outbox.
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/http/rate_limiter.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/state/store.hpp>

#include "outbox/marker.hpp"
#include "unit/outbox/crashing_storage.hpp"
#include "unit/outbox/holding_transport.hpp"
#include "unit/outbox/outbox_service.hpp"

namespace outbox_attack_test {

using namespace std::chrono_literals;
using outbox_test::client_over;
using outbox_test::CrashingStorage;
using outbox_test::customer;
using outbox_test::HoldingTransport;
using outbox_test::Service;
using twiliowa::AccountSid;
using twiliowa::DeadReason;
using twiliowa::EnqueuedJob;
using twiliowa::Evidence;
using twiliowa::JobOptions;
using twiliowa::JobOutcome;
using twiliowa::JobState;
using twiliowa::MessagesClient;
using twiliowa::MessageSid;
using twiliowa::MonotonicTime;
using twiliowa::OnUnknown;
using twiliowa::OutboundMessage;
using twiliowa::OutboundText;
using twiliowa::Outbox;
using twiliowa::OutboxAccount;
using twiliowa::OutboxOptions;
using twiliowa::OutboxTransaction;
using twiliowa::Resolution;
using twiliowa::Result;
using twiliowa::StatusCallback;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::Fault;
using twiliowa::testing::MemoryOutbox;

namespace {

/// Passes everything on, and may do harm on the way.
class HarmfulStorage final : public twiliowa::OutboxStorage {
public:
    explicit HarmfulStorage(std::shared_ptr<twiliowa::OutboxStorage> inner)
        : inner_(std::move(inner)) {}

    Result<void> transact(const Work& work) override {
        if (throws) throw std::bad_alloc{};
        if (fails_after >= 0 && fails_after-- == 0) {
            // The commit itself fails: what was done is undone.
            return inner_->transact([&](OutboxTransaction& transaction) -> Result<void> {
                if (auto done = work(transaction); !done) return done;
                return twiliowa::store_error("has no room to write");
            });
        }
        if (twice) {
            static_cast<void>(inner_->transact([&](OutboxTransaction& transaction) -> Result<void> {
                static_cast<void>(work(transaction));
                return twiliowa::store_error("begins anew");
            }));
        }
        return inner_->transact(work);
    }
    std::uint32_t outbox_id() const override { return inner_->outbox_id(); }
    twiliowa::LeaseTime lease_now() const override { return inner_->lease_now(); }
    std::string identity() const override { return inner_->identity(); }

    std::atomic<bool> throws{false};
    std::atomic<int> fails_after{-1};  ///< Works that still succeed.
    std::atomic<bool> twice{false};

private:
    std::shared_ptr<twiliowa::OutboxStorage> inner_;
};

class HarmfulLimiter final : public twiliowa::RateLimiter {
public:
    MonotonicTime reserve(std::string_view, MonotonicTime now) override {
        if (throws) throw std::runtime_error("no limit to be had");
        ++taken;
        return never ? MonotonicTime::max() : now;
    }
    void release(std::string_view) noexcept override { --taken; }

    std::atomic<bool> throws{false};
    std::atomic<bool> never{false};
    std::atomic<int> taken{0};
};

/// Carries what was given to a FakeTwilio, as its I/O thread.
class Pump {
public:
    explicit Pump(std::shared_ptr<FakeTwilio> fake)
        : thread_([this, fake = std::move(fake)] {
              while (!over_) {
                  fake->run_until_idle();
                  std::this_thread::yield();
              }
          }) {}
    ~Pump() {
        over_ = true;
        thread_.join();
    }
    Pump(const Pump&) = delete;
    Pump& operator=(const Pump&) = delete;

private:
    std::atomic<bool> over_{false};
    std::thread thread_;
};

/// Calls a function when an attempt has ended at the client.
struct Watching : twiliowa::Observer {
    void on_attempt(const twiliowa::AttemptEvent&) noexcept override {
        if (then) then();
    }
    std::function<void()> then;
};

}  // namespace

TEST_CASE("more expired jobs than one sweep takes do not hold up a step") {
    Service service;
    std::vector<EnqueuedJob> jobs;
    for (int i = 0; i < 450; ++i) {
        jobs.push_back(
            service.enqueue(std::to_string(i), {.expires_at = service.clock->now() + 1min}));
    }
    service.advance(2min);
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 0);
    CHECK(service.outbox->counts().of(JobState::dead) == 450);
}

TEST_CASE("a callback without a SID changes nothing") {
    Service service;
    const auto job = service.enqueue();
    service.fake->next_fault(Fault::close_after);
    service.outbox->run_until_idle();
    auto empty = service.callback("delivered");
    empty.sid = {};
    service.outbox->learn(empty);
    CHECK(service.state(job) == JobState::unknown);
    CHECK(service.job(job).attempts[0].state == twiliowa::AttemptState::open);
    CHECK_FALSE(service.outbox->resolve(job.id, Resolution::sent({})));
    service.outbox->learn(service.callback("delivered"));
    CHECK(service.state(job) == JobState::delivered);
}

TEST_CASE("a policy or a time that cannot be reckoned with is refused by name") {
    Service service;
    const auto refused = [&](OnUnknown policy) {
        const auto answer = service.outbox->try_enqueue(OutboundText{.to = customer, .body = "Hi"},
                                                        {.on_unknown = policy});
        return !answer && answer.error().field() == "on_unknown";
    };
    CHECK(refused(OnUnknown::drop(std::chrono::milliseconds::max())));
    CHECK(refused(OnUnknown::drop(-1ms)));
    CHECK(refused(OnUnknown::resend_after(-1h)));
    CHECK(refused(OnUnknown::resend_after(1h, -1)));
    CHECK(refused(OnUnknown::resend_now_may_duplicate(0)));
    CHECK_THROWS(Outbox(service.storage, {.on_unknown = OnUnknown::drop(-1ms)}));
}

TEST_CASE("what is kept for ever is not purged at once") {
    constexpr auto for_ever = std::chrono::milliseconds::max();
    Service service{{.payload_kept = for_ever, .jobs_kept = for_ever, .keys_kept = for_ever}};
    const auto job = service.enqueue("Hi", {.key = "k"});
    service.outbox->run_until_idle();
    service.outbox->learn(service.callback("delivered"));
    service.advance(1s);
    service.outbox->start();
    CHECK(service.outbox->drain(10s));
    service.outbox->stop();
    const auto kept = service.outbox->try_find(job.id).value();
    REQUIRE(kept);
    CHECK(kept->message);
    CHECK(service.enqueue("Hi", {.key = "k"}).existed);
}

TEST_CASE("a storage that throws, or fails, at the commit of an answer does not lose it") {
    twiliowa::ClientOptions chosen;
    const auto watching = std::make_shared<Watching>();
    chosen.observer = watching;
    Service service{{}, chosen};
    const auto harmful = std::make_shared<HarmfulStorage>(service.storage);
    service.wrapped = [&] { return harmful; };
    service.restart();
    const auto job = service.enqueue();
    SUBCASE("throws") {
        watching->then = [&] { harmful->throws = true; };
    }
    SUBCASE("fails") {
        watching->then = [&] { harmful->fails_after = 0; };
    }
    CHECK_FALSE(service.outbox->try_run_until_idle());
    watching->then = {};
    harmful->throws = false;
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::accepted);
    CHECK(service.job(job).evidence == Evidence::answer);
    CHECK(service.at_twilio() == 1);
}

TEST_CASE("functions of the program that throw are errors, and the next step goes on") {
    twiliowa::ClientOptions chosen;
    const auto limiter = std::make_shared<HarmfulLimiter>();
    chosen.rate_limiter = limiter;
    OutboxOptions options;
    std::atomic<bool> throws{false};
    std::atomic<int> asked{0};
    Service service{options, chosen};
    const auto inner = service.options.client;
    service.options.client = [&, inner](std::string_view name) -> OutboxAccount {
        ++asked;
        if (throws) throw std::runtime_error("no account");
        return inner(name);
    };
    service.options.random = [&]() -> double {
        if (throws) throw std::runtime_error("no dice");
        return 0.5;
    };
    service.restart();
    const auto job = service.enqueue();
    std::atomic<int> told{0};
    service.outbox->on_outcome([&](const JobOutcome&) { ++told; });
    limiter->throws = true;
    CHECK_FALSE(service.outbox->try_run_until_idle());
    throws = true;
    static_cast<void>(service.outbox->try_run_until_idle());
    CHECK(service.at_twilio() == 0);
    const int before = asked;
    service.outbox->start();
    while (asked == before) std::this_thread::yield();
    service.outbox->stop();
    CHECK(service.at_twilio() == 0);
    limiter->throws = false;
    throws = false;
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::accepted);
    CHECK(told == 1);
}

TEST_CASE("what ends after its outbox is gone wakes nobody") {
    Service service;
    const auto job = service.enqueue();
    service.fake->next_fault(Fault::close_after);
    service.outbox->run_until_idle();
    REQUIRE(service.state(job) == JobState::unknown);
    service.advance(6s);
    const auto transport = std::make_shared<HoldingTransport>();
    const auto client = client_over(service, transport);
    service.options.client = [&](std::string_view) { return OutboxAccount{client}; };
    service.restart();
    service.outbox->start();
    while (transport->count() == 0) std::this_thread::yield();
    service.outbox.reset();
    transport->end_all();
    CHECK(transport->count() == 0);
}

TEST_CASE("an outbox is started, drained, stopped and asked by many threads at once") {
    auto fake = FakeTwilio::with_account();
    const Pump pump{fake};
    auto storage = std::make_shared<MemoryOutbox>();
    const MessagesClient client{fake->credentials(), fake->client_options()};
    OutboxOptions options;
    options.client = [&](std::string_view) { return OutboxAccount{client}; };
    Outbox outbox{storage, options};
    std::atomic<int> told{0};
    outbox.on_outcome([&](const JobOutcome&) { ++told; });
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 15; ++i) {
                const auto name = std::to_string(t) + '/' + std::to_string(i);
                outbox.enqueue(OutboundText{.to = customer, .body = name}, {.key = name});
                outbox.start();
                if (i % 5 == 4) outbox.drain(5ms);
                if (i % 7 == 6) outbox.stop();
                outbox.on_outcome([&](const JobOutcome&) { ++told; });
                StatusCallback callback;
                callback.sid = MessageSid{"SM" + std::string(32, '1')};
                callback.status = twiliowa::MessageStatus{"sent"};
                outbox.learn(callback);
                static_cast<void>(outbox.counts());
            }
        });
    }
    for (auto& thread : threads) thread.join();
    outbox.stop();
    CHECK(outbox.drain(10s));
    CHECK(fake->messages().size() <= 60);
    const auto counts = outbox.counts();
    CHECK(counts.of(JobState::sending) == 0);
    CHECK(counts.of(JobState::ready) + counts.of(JobState::accepted) +
              counts.of(JobState::unknown) ==
          60);
}

TEST_CASE("a handler may stop its outbox") {
    auto fake = FakeTwilio::with_account();
    const Pump pump{fake};
    auto storage = std::make_shared<MemoryOutbox>();
    const MessagesClient client{fake->credentials(), fake->client_options()};
    OutboxOptions options;
    options.client = [&](std::string_view) { return OutboxAccount{client}; };
    Outbox outbox{storage, options};
    std::atomic<bool> told{false};
    outbox.on_outcome([&](const JobOutcome&) {
        outbox.stop();
        told = true;
    });
    outbox.enqueue(OutboundText{.to = customer, .body = "Hi"});
    outbox.start();
    while (!told) std::this_thread::yield();
    outbox.stop();
    CHECK(outbox.counts().of(JobState::accepted) == 1);
}

TEST_CASE("a callback of another account does not touch what a look had found") {
    Service service;
    const auto job = service.enqueue("Its own");
    service.fake->next_fault(Fault::close_after);
    service.outbox->run_until_idle();
    service.advance(6s);
    service.outbox->run_until_idle();
    REQUIRE(service.job(job).evidence == Evidence::list);
    auto foreign = service.callback("undelivered");
    foreign.account_sid = AccountSid{"AC" + std::string(32, '9')};
    foreign.query.clear();
    service.outbox->learn(foreign);
    CHECK(service.state(job) == JobState::accepted);
    CHECK(service.job(job).status != "undelivered");
}

TEST_CASE("an attempt that nobody knows is not proven by another account") {
    Service service;
    const auto job = service.enqueue();
    StatusCallback forged;
    forged.sid = MessageSid{"SM" + std::string(32, '7')};
    forged.account_sid = AccountSid{"AC" + std::string(32, '9')};
    forged.status = twiliowa::MessageStatus{"delivered"};
    forged.to = std::string("whatsapp:") + customer;
    const twiliowa::detail::Marker marker{service.storage->outbox_id(), job.id, {1, 2, 3}};
    forged.query = {{"twj", marker.str()}};
    service.outbox->learn(forged);
    CHECK(service.state(job) == JobState::ready);
    CHECK_FALSE(service.job(job).suspect);
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 1);
}

TEST_CASE("a message that the storage never knew makes it suspect once, however often it is told") {
    Service service;
    const auto first = service.enqueue("first");
    StatusCallback lost;
    lost.sid = MessageSid{"SM" + std::string(32, '7')};
    lost.account_sid = AccountSid{FakeTwilio::demo_account_sid};
    lost.to = std::string("whatsapp:") + customer;
    const twiliowa::detail::Marker marker{
        service.storage->outbox_id(), twiliowa::JobId{{9, 9, 9}}, {1, 2, 3}};
    lost.query = {{"twj", marker.str()}};
    lost.status = twiliowa::MessageStatus{"read"};
    service.outbox->learn(lost);
    CHECK_FALSE(service.job(first).suspect);
    lost.status = twiliowa::MessageStatus{"sent"};
    service.outbox->learn(lost);
    CHECK(service.job(first).suspect);
    const auto second = service.enqueue("second");
    lost.status = twiliowa::MessageStatus{"delivered"};
    service.outbox->learn(lost);
    CHECK_FALSE(service.job(second).suspect);
}

TEST_CASE("two names of one account share its limit and nothing is sent beyond it") {
    twiliowa::ClientOptions chosen;
    chosen.rate_limiter = twiliowa::token_bucket({.per_second = 10.0});
    Service service{{}, chosen};
    const auto send = [&](std::string account, int count) {
        for (int i = 0; i < count; ++i) {
            service.outbox->enqueue(
                OutboundText{.to = customer, .body = account + std::to_string(i)},
                {.account = account});
        }
    };
    send("a", 3);
    service.outbox->run_until_idle();
    send("a", 20);
    send("b", 20);
    const auto begun = service.clock->monotonic_now();
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 43);
    CHECK(service.clock->monotonic_now() - begun >= 3'900ms);
    CHECK(service.clock->monotonic_now() - begun <= 4'100ms);
}

TEST_CASE("a limiter that said never is asked again, and keeps no slot") {
    twiliowa::ClientOptions chosen;
    const auto limiter = std::make_shared<HarmfulLimiter>();
    chosen.rate_limiter = limiter;
    Service service{{}, chosen};
    const auto job = service.enqueue();
    limiter->never = true;
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::ready);
    CHECK(limiter->taken == 0);
    limiter->never = false;
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::accepted);
    CHECK(limiter->taken == 1);
}

TEST_CASE("a slot that comes while the step still chooses is used at once") {
    /// Each question takes a millisecond, and the slot is then.
    struct Thoughtful final : twiliowa::RateLimiter {
        MonotonicTime reserve(std::string_view, MonotonicTime now) override {
            clock->advance(1ms);
            return now + 1ms;
        }
        std::shared_ptr<twiliowa::testing::ManualClock> clock = {};
    };
    twiliowa::ClientOptions chosen;
    const auto limiter = std::make_shared<Thoughtful>();
    chosen.rate_limiter = limiter;
    Service service{{}, chosen};
    limiter->clock = service.clock;
    const auto job = service.enqueue();
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::accepted);
}

TEST_CASE("a limiter that lets many go at once does not make them go one by one") {
    /// Each question takes a microsecond, after which the slot is.
    struct Generous final : twiliowa::RateLimiter {
        MonotonicTime reserve(std::string_view, MonotonicTime) override {
            clock->advance(1us);
            return clock->monotonic_now();
        }
        std::shared_ptr<twiliowa::testing::ManualClock> clock = {};
    };
    twiliowa::ClientOptions chosen;
    const auto limiter = std::make_shared<Generous>();
    chosen.rate_limiter = limiter;
    Service service{{}, chosen};
    limiter->clock = service.clock;
    constexpr int plenty = 1'000;
    std::shared_ptr<CrashingStorage> storage;
    service.wrapped = [&] {
        return storage = std::make_shared<CrashingStorage>(service.storage, plenty, false);
    };
    service.restart();
    for (int i = 0; i < 40; ++i) service.enqueue("Text " + std::to_string(i));
    const int before = storage->left;
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 40);
    const int works = before - storage->left;
    CAPTURE(works);
    CHECK(works < 20);
}

TEST_CASE("a slot that ripens while a step is written down is kept for what waits") {
    /// One each ten milliseconds.
    struct Paced final : twiliowa::RateLimiter {
        MonotonicTime reserve(std::string_view, MonotonicTime now) override {
            last = std::max(now, last + 10ms);
            return last;
        }
        void release(std::string_view) noexcept override { ++released; }
        MonotonicTime last = {};
        int released = 0;
    };
    /// Its disk takes a while.
    struct SlowStorage final : twiliowa::OutboxStorage {
        Result<void> transact(const Work& work) override {
            auto done = storage->transact(work);
            clock->advance(15ms);
            return done;
        }
        std::uint32_t outbox_id() const override { return storage->outbox_id(); }
        twiliowa::LeaseTime lease_now() const override { return storage->lease_now(); }
        std::string identity() const override { return storage->identity(); }
        std::shared_ptr<twiliowa::OutboxStorage> storage = {};
        std::shared_ptr<twiliowa::testing::ManualClock> clock = {};
    };
    twiliowa::ClientOptions chosen;
    const auto limiter = std::make_shared<Paced>();
    chosen.rate_limiter = limiter;
    Service service{{}, chosen};
    const auto storage = std::make_shared<SlowStorage>();
    storage->storage = service.storage;
    storage->clock = service.clock;
    service.wrapped = [&] { return storage; };
    service.restart();
    for (int i = 0; i < 10; ++i) service.enqueue("Text " + std::to_string(i));
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 10);
    // The one that was taken for an eleventh.
    CHECK(limiter->released <= 1);
}

TEST_CASE(
    "a slot that nothing uses any more is given back, also when its account is named no more") {
    /// Its first slot is now, the next ones a second later each.
    struct Slow final : twiliowa::RateLimiter {
        MonotonicTime reserve(std::string_view, MonotonicTime now) override {
            return now + 1s * taken++;
        }
        void release(std::string_view) noexcept override { --taken; }
        int taken = 0;
    };
    twiliowa::ClientOptions chosen;
    const auto limiter = std::make_shared<Slow>();
    chosen.rate_limiter = limiter;
    const auto watching = std::make_shared<Watching>();
    chosen.observer = watching;
    Service service{{}, chosen};
    service.enqueue("1");
    const auto second = service.enqueue("2");
    watching->then = [&] { service.outbox->cancel(second.id); };
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 1);
    SUBCASE("in time") {
        service.advance(2s);
        service.outbox->run_until_idle();
    }
    SUBCASE("when the outbox ends") {}
    service.outbox.reset();
    CHECK(limiter->taken == 1);
}

TEST_CASE("a refusal that never reached Twilio does not end an outage") {
    auto store = std::make_shared<twiliowa::MemoryStore>();
    auto opt_outs = std::make_shared<twiliowa::OptOuts>(store);
    Service service{{}, {.opt_outs = opt_outs}};
    service.options.concurrency = 1;
    service.restart();
    service.fake->set_fault_rate(Fault::internal_error, 1.0);
    for (int i = 0; i < 3; ++i) service.enqueue("Outage " + std::to_string(i));
    service.outbox->run_until_idle();
    REQUIRE(service.outbox->counts().of(JobState::unknown) == 3);
    const auto gone = service.outbox->enqueue(OutboundText{.to = "+447700900555", .body = "No"});
    opt_outs->opt_out(FakeTwilio::demo_sender, "whatsapp:+447700900555").value();
    for (int i = 0; i < 10; ++i) service.enqueue("More " + std::to_string(i));
    service.advance(16s);
    service.outbox->run_until_idle();
    CHECK(service.job(gone).reason == DeadReason::opted_out);
    CHECK(service.outbox->counts().of(JobState::unknown) == 4);
}

TEST_CASE("a message of a job that went twice is not taken for another job's") {
    Service service;
    const auto twice = service.enqueue(
        "The same", {.key = "1", .on_unknown = OnUnknown::resend_now_may_duplicate(2)});
    service.fake->next_fault(Fault::close_after);
    service.outbox->run_until_idle();
    REQUIRE(service.at_twilio() == 2);
    auto first = service.callback("sent");
    for (const auto& message : service.fake->messages()) {
        if (message.sid == service.job(twice).sid) continue;
        first.sid = message.sid;
        for (const auto& [name, value] : service.fake->parameters(message.sid.str())) {
            if (name == "StatusCallback") {
                first.query = {{"twj", value.substr(value.find("twj=") + 4, 32)}};
            }
        }
    }
    service.outbox->learn(first);
    REQUIRE(service.job(twice).doubles.size() == 1);
    const auto lost = service.enqueue("The same", {.key = "2"});
    service.fake->next_fault(Fault::internal_error);
    service.outbox->run_until_idle();
    service.advance(6s);
    service.outbox->run_until_idle();
    CHECK(service.state(lost) == JobState::unknown);
    CHECK(service.at_twilio() == 2);
}

TEST_CASE("messages that Twilio's list does not tell apart are twins") {
    OutboundMessage one = OutboundText{.to = customer, .body = "The picture"};
    auto other = one;
    SUBCASE("other media") {
        one.media_url = {"https://a.example/1.png"};
        other.media_url = {"https://a.example/2.png"};
    }
    SUBCASE("other blanks") {
        one.whitespace = twiliowa::WhitespacePolicy::normalise;
        other.whitespace = twiliowa::WhitespacePolicy::normalise;
        other.body = "The  picture";
    }
    Service service;
    const auto a = service.outbox->enqueue(one);
    const auto b = service.outbox->enqueue(other);
    service.fake->next_fault(Fault::internal_error);
    service.fake->next_fault(Fault::close_after);
    service.outbox->run_until_idle();
    REQUIRE(service.at_twilio() == 1);
    service.advance(6s);
    service.outbox->run_until_idle();
    CHECK(service.state(a) != JobState::accepted);
    CHECK(service.state(b) != JobState::accepted);
}

TEST_CASE("outcomes of jobs that are gone do not keep back those that come after") {
    Service service{{.jobs_kept = 0ms}};
    std::vector<std::string> told;
    for (int i = 0; i < 3; ++i) service.enqueue(std::to_string(i));
    service.outbox->run_until_idle();
    service.handler = [&](const JobOutcome& outcome) { told.push_back(outcome.job.message->body); };
    service.restart();
    service.outbox->learn(service.callback("delivered"));
    service.advance(1s);
    // What was not told yet is not purged.
    service.outbox->try_purge(service.clock->now()).value();
    service.outbox->run_until_idle();
    CHECK(told.size() == 4);
    service.outbox->try_purge(service.clock->now()).value();
    CHECK(service.outbox->counts().of(JobState::delivered) == 0);
}

TEST_CASE("what cannot be fetched for want of its account does not keep back the others") {
    OutboxOptions options;
    Service service{options};
    const auto inner = service.options.client;
    bool gone = false;
    service.options.client = [&, inner](std::string_view name) -> OutboxAccount {
        if (gone && name == "gone") return OutboxAccount::unknown();
        return inner(name);
    };
    service.restart();
    for (int i = 0; i < 25; ++i) service.enqueue(std::to_string(i), {.account = "gone"});
    service.outbox->run_until_idle();
    service.advance(1s);
    const auto job = service.enqueue("here");
    service.outbox->run_until_idle();
    gone = true;
    service.fake->set_status(service.job(job).sid.str(), "delivered");
    for (int i = 0; i < 4; ++i) {
        service.advance(25h);
        service.outbox->run_until_idle();
    }
    CHECK(service.state(job) == JobState::delivered);
}

TEST_CASE("a customer's number is the customer's on every channel and in every way it is written") {
    Service service;
    std::string to = customer;
    std::string told = to;
    SUBCASE("Mexico") {
        to = "+525512345678";
        told = "whatsapp:+5215512345678";
    }
    SUBCASE("Brazil") {
        to = "+5511987654321";
        told = "whatsapp:+551187654321";
    }
    SUBCASE("another channel") {
        told = customer;
    }
    SUBCASE("a user id") {
        told = "whatsapp:GB.4f1a";
    }
    SUBCASE("nothing that can be read") {
        told = std::string(100'000, '\xff');
    }
    const auto job = service.outbox->enqueue(OutboundText{.to = to, .body = "Hi"});
    service.fake->next_fault(Fault::close_after);
    service.outbox->run_until_idle();
    auto callback = service.callback("sent");
    callback.to = told;
    service.outbox->learn(callback);
    CHECK(service.state(job) == JobState::accepted);
}

TEST_CASE("works that a storage runs twice have no other effect") {
    Service service{{.exclusive_senders = true}};
    const auto harmful = std::make_shared<HarmfulStorage>(service.storage);
    harmful->twice = true;
    service.wrapped = [&] { return harmful; };
    int told = 0;
    service.handler = [&](const JobOutcome&) { ++told; };
    service.restart();
    auto store = std::make_shared<twiliowa::MemoryStore>();
    const twiliowa::Customers customers{store, {.clock = service.clock}};
    const auto part = service.outbox->personal_data();
    customers.add_part(part);
    const auto address = *twiliowa::Address::parse(customer);
    const auto job = service.enqueue("Only once", {.key = "k"});
    CHECK_FALSE(job.existed);
    CHECK(service.enqueue("Only once", {.key = "k"}).existed);
    const auto text = *customers.export_of(address);
    CHECK(text.find("Only once") != std::string::npos);
    CHECK(text.find("Only once") == text.rfind("Only once"));
    CHECK(service.outbox->run_until_idle().sent == 1);
    service.outbox->learn(service.callback("delivered"));
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 1);
    CHECK(service.state(job) == JobState::delivered);
    CHECK(told == 2);
}

TEST_CASE("a daily limit keeps the account back until the next day") {
    Service service;
    int asked = 0;
    struct Limited final : twiliowa::HttpTransport {
        explicit Limited(int& asked) : asked_(asked) {}
        Result<twiliowa::HttpResponse> send(const twiliowa::HttpRequest&,
                                            const twiliowa::CallContext&) override {
            ++asked_;
            return twiliowa::HttpResponse{
                .status = 429, .body = R"({"code":63038,"message":"daily limit","status":429})"};
        }
        int& asked_;
    };
    auto client_options = service.fake->client_options();
    client_options.transport = std::make_shared<Limited>(asked);
    client_options.retry.max_attempts = 1;
    const MessagesClient limited{service.fake->credentials(), client_options};
    service.options.client = [&](std::string_view) { return OutboxAccount{limited}; };
    service.options.concurrency = 1;
    service.restart();
    for (int i = 0; i < 5; ++i) service.enqueue(std::to_string(i));
    service.outbox->run_until_idle();
    for (int i = 0; i < 3; ++i) {
        service.advance(1h);
        service.outbox->run_until_idle();
    }
    CHECK(asked == 1);
    service.advance(24h);
    static_cast<void>(service.outbox->run_until_idle());
    CHECK(asked == 2);
    CHECK(service.outbox->counts().of(JobState::ready) == 5);
}

TEST_CASE("an expiry is told to Twilio, too") {
    Service service;
    service.enqueue("Code", {.expires_at = service.clock->now() + 10min});
    service.outbox->run_until_idle();
    std::string validity;
    for (const auto& [name, value] :
         service.fake->parameters(service.fake->messages().front().sid.str())) {
        if (name == "ValidityPeriod") validity = value;
    }
    CHECK(validity == "600");
}

TEST_CASE("who can sign for one account makes nothing of another account suspect") {
    Service service;
    auto other_options = service.fake->client_options();
    const auto other_sid = "AC" + std::string(32, '9');
    service.fake->add_account(other_sid, "token-of-another");
    const MessagesClient other{twiliowa::Credentials::auth_token(other_sid, "token-of-another"),
                               other_options};
    service.options.client = [&](std::string_view account) {
        return OutboxAccount{account == "other" ? other : *service.client};
    };
    service.restart();
    const auto mine = service.enqueue("mine");
    const auto theirs = service.enqueue("theirs", {.account = "other"});
    StatusCallback forged;
    forged.sid = MessageSid{"SM" + std::string(32, '7')};
    forged.account_sid = AccountSid{other_sid};
    forged.status = twiliowa::MessageStatus{"sent"};
    forged.to = std::string("whatsapp:") + customer;
    const twiliowa::detail::Marker marker{
        service.storage->outbox_id(), twiliowa::JobId{{9, 9, 9}}, {1, 2, 3}};
    forged.query = {{"twj", marker.str()}};
    service.outbox->learn(forged);
    CHECK_FALSE(service.job(mine).suspect);
    CHECK(service.job(theirs).suspect);
}

TEST_CASE("a status of any length is not kept") {
    Service service;
    const auto job = service.enqueue();
    service.outbox->run_until_idle();
    service.outbox->learn(service.callback(std::string(100'000, 'x')));
    CHECK(service.job(job).status.str().size() < 40);
    service.outbox->learn(service.callback("a_status_of_tomorrow"));
    CHECK(service.job(job).status == "a_status_of_tomorrow");
}

TEST_CASE("a transport that ends nothing does not keep an outbox from stopping") {
    Service service;
    const auto job = service.enqueue();
    const auto transport = std::make_shared<HoldingTransport>();
    const auto client = client_over(service, transport);
    service.options.client = [&](std::string_view) { return OutboxAccount{client}; };
    service.restart();
    service.outbox->start();
    while (transport->count() == 0) std::this_thread::yield();
    std::atomic<bool> stopped{false};
    std::thread stopping{[&] {
        service.outbox->stop();
        stopped = true;
    }};
    while (!stopped) {
        service.advance(1s);
        service.outbox->learn(StatusCallback{.sid = MessageSid{"SM" + std::string(32, '1')}});
        std::this_thread::yield();
    }
    stopping.join();
    transport->end_all();
    // Its lease may have ended meanwhile, as the clock goes.
    CHECK(service.job(job).sid.empty());
    CHECK(service.state(job) != JobState::ready);
}

TEST_CASE("a name that is not UTF-8 is refused by name, by an outbox that seals, too") {
    twiliowa::OutboxOptions options;
    SUBCASE("in the clear") {}
    SUBCASE("sealed") {
        options.sealer = twiliowa::Sealer{
            *twiliowa::KeyRing::try_parse(twiliowa::KeyRing::new_key("k1").reveal())};
    }
    Service service{options};
    const std::string text = "\xff\xfe";
    const std::pair<const char*, JobOptions> wrong[] = {{"key", {.key = text}},
                                                        {"tenant", {.tenant = text}},
                                                        {"tag", {.tag = text}},
                                                        {"account", {.account = text}},
                                                        {"order_key", {.order_key = text}},
                                                        {"quota", {.quota = text}}};
    for (const auto& each : wrong) {
        CAPTURE(each.first);
        const auto taken =
            service.outbox->try_enqueue(OutboundText{.to = customer, .body = "Hi"}, each.second);
        REQUIRE_FALSE(taken);
        CHECK(taken.error().field() == each.first);
    }
    CHECK(service.outbox->list().empty());
}

}  // namespace outbox_attack_test
