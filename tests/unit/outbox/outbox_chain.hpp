/// @file
/// One message after another, when the one before did not arrive: what holds whichever engine keeps
/// it.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/outbox/job_gate.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/store.hpp>

#include "unit/outbox/open_gate.hpp"
#include "unit/outbox/outbox_service.hpp"

namespace chain_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using outbox_test::customer;
using outbox_test::OpenGate;
using outbox_test::Service;
using testing::FakeTwilio;
using testing::Fault;

inline constexpr std::string_view sms_sender = "+15005550006";
inline constexpr std::string_view a_template = "HX00000000000000000000000000000001";

inline Fallback sms(std::string_view body = "by SMS") {
    return {.message = OutboundText{.body = std::string{body}, .from = "sms:+15005550006"}};
}

inline Fallback sms_within(std::chrono::seconds time) {
    auto fallback = sms();
    fallback.after_may_reach_twice = time;
    return fallback;
}

inline Fallback as_template() {
    return {.message = OutboundTemplate{.content_sid = std::string{a_template},
                                        .variables = {{"1", "Lee"}, {"2", "Monday"}}},
            .when = FallbackWhen::window_closed};
}

/// Lets a commit fail when it is told to: what was done is undone.
class FailingStorage final : public OutboxStorage {
public:
    explicit FailingStorage(std::shared_ptr<OutboxStorage> inner) : inner_(std::move(inner)) {}

    Result<void> transact(const Work& work) override {
        return inner_->transact([&](OutboxTransaction& transaction) -> Result<void> {
            if (auto done = work(transaction); !done) return done;
            return fails ? Result<void>{store_error("has no room to write")} : Result<void>{};
        });
    }
    std::uint32_t outbox_id() const override { return inner_->outbox_id(); }
    LeaseTime lease_now() const override { return inner_->lease_now(); }
    std::string identity() const override { return inner_->identity(); }

    bool fails = false;

private:
    std::shared_ptr<OutboxStorage> inner_;
};

/// Refuses what is free-form on WhatsApp: the window is closed.
class ClosedWindow final : public OpenGate {
public:
    Result<std::vector<JobVerdict>> judge(std::span<const GatedJob> jobs,
                                          TimePoint) const override {
        std::vector<JobVerdict> verdicts;
        for (const auto& job : jobs) {
            auto& verdict = verdicts.emplace_back();
            if (!closed || !job.message->content_sid.empty()) continue;
            verdict.kind = JobVerdict::Kind::never;
            verdict.error_code = 63016;
            verdict.problem = "the window is closed";
        }
        return verdicts;
    }

    bool closed = true;
};

/// Makes a storage that is new, and answers how it is opened, and opened again.
using Engine = std::function<std::function<std::shared_ptr<OutboxStorage>()>(
    const std::shared_ptr<testing::ManualClock>&)>;

inline Engine in_memory() {
    return [](const std::shared_ptr<testing::ManualClock>& clock) {
        const auto storage = std::make_shared<testing::MemoryOutbox>(clock);
        return [storage] { return storage; };
    };
}

struct ChainService : Service {
    explicit ChainService(const Engine& engine = in_memory(), OutboxOptions asked = {},
                          ClientOptions chosen = {})
        : Service(std::move(asked), std::move(chosen)) {
        wrapped = [this, open = engine(clock)] { return kept = open(); };
        restart();
        fake->add_sender(FakeTwilio::demo_account_sid, sms_sender);
    }

    EnqueuedJob hand_over(std::vector<Fallback> fallbacks, JobOptions job = {}) {
        job.key = "order-17";
        job.fallbacks = std::move(fallbacks);
        return enqueue("Your order is here", job);
    }
    void run() { outbox->run_until_idle(); }
    Job known(std::string_view key) {
        const auto found = outbox->find("", key);
        REQUIRE(found);
        return *found;
    }
    bool is_there(std::string_view key) { return outbox->find("", key).has_value(); }
    /// What Twilio reports of a job's message.
    StatusCallback report(const Job& of, std::string_view status, int code = 0) const {
        for (const auto& message : fake->messages()) {
            if (message.sid != of.sid) continue;
            auto told = callback_of(message, status);
            told.error_code = code;
            return told;
        }
        FAIL("there is no such message");
        return {};
    }
    void tell(std::string_view key, std::string_view status, int code = 0) {
        outbox->learn(report(known(key), status, code));
    }
    std::size_t by_sms() const {
        const auto messages = fake->messages();
        return static_cast<std::size_t>(
            std::count_if(messages.begin(), messages.end(),
                          [](const Message& message) { return message.from == sms_sender; }));
    }
    std::vector<StoredJob> stored() const {
        std::vector<StoredJob> all;
        kept->transact([&](OutboxTransaction& transaction) -> Result<void> {
                all = transaction.list({}).value();
                return {};
            })
            .value();
        return all;
    }
    std::size_t later_steps() const {
        const auto all = stored();
        return static_cast<std::size_t>(
            std::count_if(all.begin(), all.end(), [](const auto& job) { return job.step > 0; }));
    }

    std::shared_ptr<OutboxStorage> kept;  ///< What the outbox was given last.
};

inline std::string refused_field(const Result<EnqueuedJob>& answer) {
    return answer ? std::string{} : std::string{answer.error().field()};
}

/// Every so many of the orders in which what is reported may come.
inline void report_in_all_orders(const Engine& engine, int every) {
    // Delivered, undelivered twice, the time, and the first callback, which shows the message.
    constexpr std::string_view sorted = "ADTUU";
    for (const bool answered : {true, false}) {
        for (const bool eager : {true, false}) {
            std::string order{sorted};
            int number = 0;
            do {
                if (number++ % every != 0) continue;
                CAPTURE(answered);
                CAPTURE(eager);
                CAPTURE(order);
                ChainService service{engine};
                if (!answered) service.fake->next_fault(Fault::close_after);
                const auto job = service.hand_over({sms_within(30s)});
                service.run();
                const auto first = service.callback("sent");
                auto undelivered = service.callback("undelivered");
                undelivered.error_code = 63003;
                const auto delivered = service.callback("delivered");
                for (const char event : order) {
                    if (event == 'A') service.outbox->learn(first);
                    if (event == 'D') service.outbox->learn(delivered);
                    if (event == 'U') service.outbox->learn(undelivered);
                    if (event == 'T') service.advance(31s);
                    if (eager) service.run();
                    CHECK(service.later_steps() <= 1);
                }
                service.run();
                service.advance(2min);
                service.run();
                const auto at = [&](char event) { return order.find(event); };
                const bool known = answered || at('A') < at('T');
                const bool before = at('U') < at('D') || (known && at('T') < at('D'));
                CHECK(service.state(job) == JobState::delivered);
                CHECK(service.by_sms() == (eager && before ? 1 : 0));
                if (at('D') < at('U') && at('D') < at('T')) CHECK(service.later_steps() == 0);
            } while (std::next_permutation(order.begin(), order.end()));
        }
    }
}

struct Scenario {
    const char* name;
    std::function<void(const Engine&)> play;
};

inline const std::vector<Scenario>& scenarios() {
    static const std::vector<Scenario> all{
        {"who is not reached on WhatsApp gets one SMS, however often that is reported",
         [](const Engine& engine) {
             ChainService service{engine};
             const auto expires = service.clock->now() + 1h;
             service.hand_over({sms()}, {.tag = "shop",
                                         .expires_at = expires,
                                         .lane = Lane::high,
                                         .on_unknown = OnUnknown::drop(5min),
                                         .time_zone = "Europe/London"});
             service.run();
             CHECK(service.known("order-17").fallbacks.size() == 1);
             const auto told = service.report(service.known("order-17"), "undelivered", 63003);
             service.outbox->learn(told);
             service.outbox->learn(told);
             service.run();
             service.outbox->learn(told);
             service.tell("order-17", "failed", 63024);
             service.run();
             CHECK(service.by_sms() == 1);
             CHECK(service.at_twilio() == 2);
             CHECK(service.known("order-17").state == JobState::undelivered);
             const auto step = service.known("order-17/sms");
             CHECK(step.state == JobState::accepted);
             CHECK(step.step == 1);
             CHECK(step.tag == "shop");
             CHECK(step.lane == Lane::high);
             CHECK(step.expires_at == expires);
             CHECK(step.on_unknown == OnUnknown::drop(5min));
             CHECK(step.time_zone == "Europe/London");
             CHECK(step.fallbacks.empty());
             CHECK(step.message->to == "sms:+447700900123");
             CHECK(step.message->body == "by SMS");
         }},
        {"a late delivered takes back an SMS that has not left, and none that has",
         [](const Engine& engine) {
             for (const bool left : {false, true}) {
                 ChainService service{engine};
                 service.hand_over({sms()});
                 service.run();
                 service.tell("order-17", "undelivered", 63003);
                 if (left) service.run();
                 service.tell("order-17", "delivered");
                 service.run();
                 service.tell("order-17", "undelivered", 63003);
                 service.run();
                 CHECK(service.known("order-17").state == JobState::delivered);
                 CHECK(service.by_sms() == (left ? 1 : 0));
                 CHECK(service.known("order-17/sms").state ==
                       (left ? JobState::accepted : JobState::cancelled));
             }
         }},
        {"a text whose window was closed becomes a template, and that an SMS",
         [](const Engine& engine) {
             ChainService service{engine};
             service.hand_over({as_template(), sms()});
             service.run();
             service.tell("order-17", "failed", 63016);
             service.tell("order-17", "undelivered", 63016);
             const auto first = service.known("order-17").id;
             CHECK(service.outbox->steps_after(first).size() == 1);
             service.run();
             const auto second = service.known("order-17/template");
             CHECK(second.state == JobState::accepted);
             CHECK(second.step == 1);
             CHECK(second.message->content_sid == a_template);
             CHECK(second.message->from == service.known("order-17").message->from);
             CHECK(second.fallbacks.size() == 1);
             CHECK(service.by_sms() == 0);
             service.tell("order-17/template", "undelivered", 63024);
             service.run();
             const auto third = service.known("order-17/template/sms");
             CHECK(third.step == 2);
             CHECK(third.state == JobState::accepted);
             CHECK(service.by_sms() == 1);
             CHECK(!service.is_there("order-17/sms"));
             const auto steps = service.outbox->steps_after(first);
             REQUIRE(steps.size() == 2);
             CHECK(steps[0].id == second.id);
             CHECK(steps[1].id == third.id);
             CHECK(steps[1].key == "order-17/template/sms");
             CHECK(service.outbox->steps_after(second.id).size() == 1);
             CHECK(service.outbox->steps_after(third.id).empty());
             CHECK(service.outbox->steps_after(JobId{}).empty());
             // Neither of the two that failed begins anew.
             service.tell("order-17", "undelivered", 63003);
             service.tell("order-17/template", "failed", 63003);
             service.run();
             CHECK(service.at_twilio() == 3);
         }},
        {"the first of a chain that arrives after all takes back what is two steps further",
         [](const Engine& engine) {
             ChainService service{engine};
             service.hand_over({as_template(), sms()});
             service.run();
             service.tell("order-17", "failed", 63016);
             service.run();
             service.tell("order-17/template", "undelivered", 63024);
             service.tell("order-17", "delivered");
             service.run();
             CHECK(service.known("order-17/template/sms").state == JobState::cancelled);
             CHECK(service.by_sms() == 0);
         }},
        {"what was refused before it left for its window is followed by its template",
         [](const Engine& engine) {
             const auto gate = std::make_shared<ClosedWindow>();
             ChainService service{engine, {.gate = gate}};
             const auto job = service.hand_over({as_template(), sms()});
             service.run();
             CHECK(service.state(job) == JobState::dead);
             CHECK(service.known("order-17/template").state == JobState::accepted);
             CHECK(service.at_twilio() == 1);
             // Sent again it would reach them twice.
             gate->closed = false;
             CHECK(!service.outbox->retry(job.id));
             service.run();
             CHECK(service.at_twilio() == 1);
         }},
        {"a job in doubt starts nothing",
         [](const Engine& engine) {
             ChainService service{engine};
             service.fake->next_fault(Fault::close_after);
             const auto job = service.hand_over(
                 {sms_within(30s)}, {.on_unknown = OnUnknown::resend_now_may_duplicate(2)});
             service.run();
             auto now = service.job(job);
             REQUIRE(now.state == JobState::accepted);
             REQUIRE(now.attempts.size() == 2);
             REQUIRE(now.attempts[0].state == AttemptState::open);
             service.tell("order-17", "undelivered", 63003);
             service.advance(1min);
             service.run();
             CHECK(service.later_steps() == 0);
             // Nor when it turns out that it went twice: the other may have arrived.
             for (const auto& message : service.fake->messages()) {
                 if (message.sid == now.sid) continue;
                 auto told = service.callback_of(message, "sent");
                 told.query = service.report(now, "sent").query;
                 for (const auto& [name, value] : service.fake->parameters(message.sid.str())) {
                     if (name != "StatusCallback") continue;
                     told.query = {{"twj", value.substr(value.find("twj=") + 4, 32)}};
                 }
                 service.outbox->learn(told);
             }
             service.run();
             now = service.job(job);
             CHECK(now.doubles.size() == 1);
             CHECK(service.later_steps() == 0);
         }},
        {"an unknown outcome is followed by nothing until a callback shows the message",
         [](const Engine& engine) {
             ChainService service{engine};
             service.fake->next_fault(Fault::close_after);
             const auto job = service.hand_over({sms()});
             service.run();
             REQUIRE(service.state(job) == JobState::unknown);
             CHECK(service.later_steps() == 0);
             auto told = service.callback("undelivered");
             told.error_code = 63003;
             service.outbox->learn(told);
             service.run();
             CHECK(service.state(job) == JobState::undelivered);
             CHECK(service.by_sms() == 1);
         }},
        {"a message that is not delivered in time is followed by an SMS, once",
         [](const Engine& engine) {
             ChainService service{engine};
             service.hand_over({sms_within(30s)}, {.lane = Lane::urgent});
             service.run();
             service.tell("order-17", "sent");
             service.advance(29s);
             service.run();
             CHECK(service.by_sms() == 0);
             // By whoever runs then.
             service.restart();
             service.advance(1s);
             service.run();
             CHECK(service.by_sms() == 1);
             CHECK(service.known("order-17").state == JobState::accepted);
             service.advance(1min);
             service.tell("order-17", "undelivered", 63003);
             service.run();
             CHECK(service.by_sms() == 1);
             CHECK(service.later_steps() == 1);
             CHECK(!service.stored().front().chain_due);
         }},
        {"what is delivered in time, or cancelled, is followed by nothing",
         [](const Engine& engine) {
             for (const bool delivered : {true, false}) {
                 ChainService service{engine};
                 const auto job = service.hand_over({sms_within(30s)});
                 service.run();
                 if (delivered) {
                     service.tell("order-17", "delivered");
                 } else {
                     CHECK(service.outbox->cancel(job.id));
                     CHECK(!service.outbox->cancel(job.id));
                 }
                 CHECK(!service.stored().front().chain_due);
                 service.advance(1min);
                 service.run();
                 if (!delivered) service.tell("order-17", "undelivered", 63003);
                 service.run();
                 CHECK(service.later_steps() == 0);
             }
         }},
        {"a text that took too long and then says that its window was closed is not sent again",
         [](const Engine& engine) {
             ChainService service{engine};
             service.hand_over({as_template(), sms_within(30s)});
             service.run();
             service.advance(30s);
             service.run();
             CHECK(service.by_sms() == 1);
             service.tell("order-17", "failed", 63016);
             service.run();
             CHECK(service.at_twilio() == 2);
         }},
        {"a commit that fails leaves nothing half done",
         [](const Engine& engine) {
             ChainService service{engine};
             std::shared_ptr<FailingStorage> failing;
             service.wrapped = [&] {
                 return failing = std::make_shared<FailingStorage>(service.kept);
             };
             service.restart();
             service.hand_over({sms_within(30s)});
             service.run();
             const auto told = service.report(service.known("order-17"), "undelivered", 63003);
             failing->fails = true;
             CHECK(!service.outbox->try_learn(told));
             failing->fails = false;
             CHECK(service.known("order-17").state == JobState::accepted);
             CHECK(service.later_steps() == 0);
             service.advance(30s);
             failing->fails = true;
             CHECK(!service.outbox->try_run_until_idle());
             failing->fails = false;
             CHECK(service.later_steps() == 0);
             CHECK(service.stored().front().chain_due);
             // Twilio tells again; nobody has seen the time.
             service.outbox->learn(told);
             service.outbox->learn(told);
             service.run();
             CHECK(service.by_sms() == 1);
             CHECK(service.known("order-17").state == JobState::undelivered);
         }},
        {"fallbacks are part of the message that a key stands for",
         [](const Engine& engine) {
             ChainService service{engine};
             const auto job = service.hand_over({sms()});
             CHECK(service.hand_over({sms()}).existed);
             const auto again = [&](std::vector<Fallback> fallbacks) {
                 return refused_field(service.outbox->try_enqueue(
                     OutboundText{.to = customer, .body = "Your order is here"},
                     {.key = "order-17", .fallbacks = std::move(fallbacks)}));
             };
             CHECK(again({}) == "key");
             CHECK(again({sms("another text")}) == "key");
             CHECK(again({sms_within(30s)}) == "key");
             CHECK(again({as_template(), sms()}) == "key");
             CHECK(again({sms()}) == "");
             CHECK(service.job(job).state == JobState::ready);
         }},
        {"sealed, a chain goes on, and its texts and keys are hidden",
         [](const Engine& engine) {
             OutboxOptions options;
             options.sealer = Sealer{*KeyRing::try_parse(KeyRing::new_key("k1").reveal())};
             ChainService service{engine, options};
             service.hand_over({as_template(), sms()});
             CHECK(service.hand_over({as_template(), sms()}).existed);
             service.run();
             service.tell("order-17", "failed", 63016);
             service.run();
             CHECK(service.outbox->try_reseal().value() == 0);
             service.tell("order-17/template", "undelivered", 63003);
             service.tell("order-17", "delivered");
             CHECK(service.known("order-17/template/sms").state == JobState::cancelled);
             for (const auto& job : service.stored()) {
                 CHECK(job.payload.find("by SMS") == std::string::npos);
                 CHECK(job.key.find("order-17") == std::string::npos);
                 CHECK(job.customer.find("447700900123") == std::string::npos);
             }
         }},
        {"a chain that was handed over in the clear is sealed, and found under its new key",
         [](const Engine& engine) {
             ChainService service{engine};
             service.hand_over({as_template(), sms()});
             service.run();
             service.tell("order-17", "failed", 63016);
             service.options.sealer = Sealer{*KeyRing::try_parse(KeyRing::new_key("k1").reveal())};
             service.restart();
             CHECK(service.outbox->try_reseal().value() == 2);
             CHECK(service.hand_over({as_template(), sms()}).existed);
             service.tell("order-17", "delivered");
             CHECK(service.known("order-17/template").state == JobState::cancelled);
         }},
        {"what is reported where the keys are not is gone on with by who has them",
         [](const Engine& engine) {
             OutboxOptions options;
             options.sealer = Sealer{*KeyRing::try_parse(KeyRing::new_key("k1").reveal())};
             ChainService service{engine, options};
             const auto job = service.hand_over({as_template(), sms()});
             service.run();
             const auto told = service.report(service.known("order-17"), "failed", 63016);
             Outbox without_keys{service.kept, {.clock = service.clock}};
             without_keys.learn(told);
             without_keys.learn(told);
             CHECK(service.state(job) == JobState::undelivered);
             CHECK(service.later_steps() == 0);
             service.run();
             CHECK(service.known("order-17/template").state == JobState::accepted);
             CHECK(!service.stored().front().chain_due);
             CHECK(service.at_twilio() == 2);
         }},
        {"what was accepted where the keys are not is overtaken in its time, and not before",
         [](const Engine& engine) {
             OutboxOptions options;
             options.sealer = Sealer{*KeyRing::try_parse(KeyRing::new_key("k1").reveal())};
             ChainService service{engine, options};
             const auto job = service.hand_over({sms_within(30s)});
             service.run();
             service.kept
                 ->transact([&](OutboxTransaction& transaction) -> Result<void> {
                     auto jobs = transaction.load(std::span{&job.id, 1}).value();
                     jobs.front().chain_due = transaction.now();
                     return transaction.save(jobs.front());
                 })
                 .value();
             service.run();
             CHECK(service.later_steps() == 0);
             service.advance(29s);
             service.run();
             CHECK(service.later_steps() == 0);
             service.advance(1s);
             service.run();
             CHECK(service.by_sms() == 1);
             CHECK(service.later_steps() == 1);
         }},
        {"what was erased before it failed is followed by nothing, and says so",
         [](const Engine& engine) {
             ChainService service{engine};
             service.fake->next_fault(Fault::close_after);
             const auto job = service.hand_over({sms()}, {.on_unknown = OnUnknown::drop(1s)});
             service.run();
             service.advance(5s);
             auto told = service.callback("undelivered");
             told.error_code = 63003;
             service.outbox->resolve(job.id, Resolution::drop());
             service.kept
                 ->transact([&](OutboxTransaction& transaction) -> Result<void> {
                     const auto erased = transaction.redact(service.clock->now() + 1s, 10);
                     return erased ? Result<void>{} : erased.error();
                 })
                 .value();
             REQUIRE(!service.job(job).message);
             service.outbox->learn(told);
             service.outbox->learn(told);
             service.run();
             CHECK(service.state(job) == JobState::undelivered);
             CHECK(service.later_steps() == 0);
             CHECK(service.job(job).problem ==
                   "what was to follow it did not: its message was erased");
         }},
        {"a job of the program's own under the key of a step stays as it is",
         [](const Engine& engine) {
             ChainService service{engine};
             const auto own = service.enqueue(
                 "Mine", {.key = "order-17/sms", .not_before = service.clock->now() + 24h});
             const auto job = service.hand_over({sms()});
             service.run();
             service.tell("order-17", "undelivered", 63003);
             service.run();
             CHECK(service.later_steps() == 0);
             CHECK(service.job(job).problem ==
                   "what was to follow it did not: its key was used for another message");
             service.tell("order-17", "delivered");
             CHECK(service.state(own) == JobState::ready);
             CHECK(service.job(job).problem.empty());
         }},
        {"outcomes are told of each message by itself",
         [](const Engine& engine) {
             ChainService service{engine};
             std::vector<std::string> told;
             service.handler = [&](const JobOutcome& outcome) {
                 told.push_back(outcome.job.key + " " + std::string{to_string(outcome.outcome)});
             };
             service.restart();
             service.hand_over({sms()});
             service.run();
             service.tell("order-17", "undelivered", 63003);
             service.run();
             CHECK(told == std::vector<std::string>{"order-17 accepted", "order-17 undelivered",
                                                    "order-17/sms accepted"});
         }},
        {"who asks to be forgotten is forgotten by every step",
         [](const Engine& engine) {
             ChainService service{engine};
             const Customers customers{std::make_shared<MemoryStore>(), {.clock = service.clock}};
             const auto part = service.outbox->personal_data();
             customers.add_part(part);
             const auto address = *Address::parse(customer);
             service.hand_over({sms("Secret of Lee")});
             CHECK(customers.export_of(address)->find("Secret of Lee") != std::string::npos);
             service.run();
             service.tell("order-17", "undelivered", 63003);
             service.run();
             const auto report = customers.forget(address).value();
             CHECK(!report.not_yet.empty());
             CHECK(service.known("order-17").message);
             service.tell("order-17/sms", "delivered");
             CHECK(customers.forget(address)->complete());
             for (const auto& job : service.stored()) {
                 CHECK(job.payload.empty());
                 CHECK(job.customer.empty());
             }
         }},
    };
    return all;
}

}  // namespace chain_test
