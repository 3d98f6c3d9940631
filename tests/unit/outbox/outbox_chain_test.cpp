/// One message after another, when the one before did not arrive: once, whatever is reported.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/outbox/job_gate.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/state/store.hpp>

#include "outbox/job_intake.hpp"
#include "outbox/message_json.hpp"
#include "types/hmac.hpp"
#include "unit/outbox/outbox_service.hpp"

namespace outbox_chain_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using outbox_test::customer;
using outbox_test::Service;
using testing::FakeTwilio;
using testing::Fault;
using testing::MemoryOutbox;

namespace {

constexpr std::string_view sms_sender = "+15005550006";
constexpr std::string_view a_template = "HX00000000000000000000000000000001";

Fallback sms(std::string_view body = "by SMS") {
    return {.message = OutboundText{.body = std::string{body}, .from = "sms:+15005550006"}};
}

Fallback sms_within(std::chrono::seconds time) {
    auto fallback = sms();
    fallback.after_may_reach_twice = time;
    return fallback;
}

Fallback as_template() {
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
class ClosedWindow final : public JobGate {
public:
    bool concerns(const ReadyGroup&) const override { return true; }
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
    CampaignStanding stand(StoredCampaign&, TimePoint) const override { return {}; }
    bool note_failure(StoredCampaign&, const StoredJob&,
                      std::span<const CampaignCount>) const override {
        return false;
    }

    bool closed = true;
};

struct ChainService : Service {
    explicit ChainService(OutboxOptions asked = {}, ClientOptions chosen = {})
        : Service(std::move(asked), std::move(chosen)) {
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
        storage
            ->transact([&](OutboxTransaction& transaction) -> Result<void> {
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
};

std::string refused_field(const Result<EnqueuedJob>& answer) {
    return answer ? std::string{} : std::string{answer.error().field()};
}

}  // namespace

TEST_CASE("who is not reached on WhatsApp gets one SMS, however often that is reported") {
    ChainService service;
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
}

TEST_CASE("a late delivered takes back an SMS that has not left, and none that has") {
    for (const bool left : {false, true}) {
        ChainService service;
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
}

TEST_CASE("a text whose window was closed becomes a template, and that an SMS") {
    ChainService service;
    service.hand_over({as_template(), sms()});
    service.run();
    service.tell("order-17", "failed", 63016);
    service.tell("order-17", "undelivered", 63016);
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
    // Neither of the two that failed begins anew.
    service.tell("order-17", "undelivered", 63003);
    service.tell("order-17/template", "failed", 63003);
    service.run();
    CHECK(service.at_twilio() == 3);
}

TEST_CASE("the first of a chain that arrives after all takes back what is two steps further") {
    ChainService service;
    service.hand_over({as_template(), sms()});
    service.run();
    service.tell("order-17", "failed", 63016);
    service.run();
    service.tell("order-17/template", "undelivered", 63024);
    service.tell("order-17", "delivered");
    service.run();
    CHECK(service.known("order-17/template/sms").state == JobState::cancelled);
    CHECK(service.by_sms() == 0);
}

TEST_CASE("an SMS takes the place of a template that is not there") {
    ChainService service;
    service.hand_over({sms()});
    service.run();
    service.tell("order-17", "failed", 63016);
    service.run();
    CHECK(service.by_sms() == 1);
}

TEST_CASE("nothing follows a failure that says something else") {
    for (const int code :
         {0, 21610, 63033, 63050, 63013, 21656, 63018, 63017, 63038, 63015, 21211, 63049, 30008}) {
        CAPTURE(code);
        ChainService service;
        service.hand_over({as_template(), sms()});
        service.run();
        service.tell("order-17", "undelivered", code);
        service.run();
        CHECK(service.known("order-17").state == JobState::undelivered);
        CHECK(service.later_steps() == 0);
    }
}

TEST_CASE("a marketing template that Meta keeps back is not sent by SMS, another one is") {
    for (const auto category : {TemplateCategory::marketing, TemplateCategory::utility}) {
        ChainService service;
        service.outbox->enqueue(OutboundTemplate{.to = customer,
                                                 .content_sid = std::string{a_template},
                                                 .variables = {{"1", "Lee"}, {"2", "Monday"}},
                                                 .category = TemplateCategory{category}},
                                {.key = "order-17", .fallbacks = {sms()}});
        service.run();
        service.tell("order-17", "undelivered", 63049);
        service.run();
        CHECK(service.by_sms() == (category == TemplateCategory::utility ? 1 : 0));
    }
}

TEST_CASE("what was refused before it left for its window is followed by its template") {
    const auto gate = std::make_shared<ClosedWindow>();
    ChainService service{{.gate = gate}};
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
}

TEST_CASE("a job whose next step did nothing is sent again, and its chain has ended") {
    const auto gate = std::make_shared<ClosedWindow>();
    ChainService service{{.gate = gate}};
    service.outbox->pause({.of = Pause::Of::sender, .name = std::string{FakeTwilio::demo_sender}});
    const auto job = service.hand_over({as_template(), sms()});
    service.outbox->resume(Pause::Of::sender, FakeTwilio::demo_sender);
    service.storage
        ->transact([&](OutboxTransaction& transaction) -> Result<void> {
            const auto core = detail::OutboxParts::of(*service.outbox).core;
            return core->apply_to(transaction, job.id,
                                  [](detail::JobMachine& machine) {
                                      return machine.refuse(0, DeadReason::refused, 63016,
                                                            "closed");
                                  })
                           .value()
                       ? Result<void>{}
                       : Result<void>{store_error("did nothing")};
        })
        .value();
    const auto step = service.known("order-17/template");
    REQUIRE(step.state == JobState::ready);
    CHECK(!service.outbox->retry(job.id));
    CHECK(service.outbox->cancel(step.id));
    gate->closed = false;
    CHECK(service.outbox->retry(job.id));
    service.run();
    CHECK(service.state(job) == JobState::accepted);
    service.tell("order-17", "undelivered", 63016);
    service.run();
    CHECK(service.at_twilio() == 1);
}

TEST_CASE("a job in doubt starts nothing") {
    ChainService service;
    service.fake->next_fault(Fault::close_after);
    const auto job = service.hand_over({sms_within(30s)},
                                       {.on_unknown = OnUnknown::resend_now_may_duplicate(2)});
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
}

TEST_CASE("an unknown outcome is followed by nothing until a callback shows the message") {
    ChainService service;
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
}

TEST_CASE("a message that is not delivered in time is followed by an SMS, once") {
    ChainService service;
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
}

TEST_CASE("what is delivered in time, or cancelled, is followed by nothing") {
    for (const bool delivered : {true, false}) {
        ChainService service;
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
}

TEST_CASE("a text that took too long and then says that its window was closed is not sent again") {
    ChainService service;
    service.hand_over({as_template(), sms_within(30s)});
    service.run();
    service.advance(30s);
    service.run();
    CHECK(service.by_sms() == 1);
    service.tell("order-17", "failed", 63016);
    service.run();
    CHECK(service.at_twilio() == 2);
}

TEST_CASE("in whatever order its reports come, there is one SMS at most") {
    // Delivered, undelivered twice, the time, and the first callback, which shows the message.
    constexpr std::string_view sorted = "ADTUU";
    for (const bool answered : {true, false}) {
        for (const bool eager : {true, false}) {
            std::string order{sorted};
            do {
                CAPTURE(answered);
                CAPTURE(eager);
                CAPTURE(order);
                ChainService service;
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

TEST_CASE("a commit that fails leaves nothing half done") {
    ChainService service;
    std::shared_ptr<FailingStorage> failing;
    service.wrapped = [&] { return failing = std::make_shared<FailingStorage>(service.storage); };
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
}

TEST_CASE("fallbacks are part of the message that a key stands for") {
    ChainService service;
    const auto job = service.hand_over({sms()});
    CHECK(service.hand_over({sms()}).existed);
    const auto again = [&](std::vector<Fallback> fallbacks) {
        return refused_field(
            service.outbox->try_enqueue(OutboundText{.to = customer, .body = "Your order is here"},
                                        {.key = "order-17", .fallbacks = std::move(fallbacks)}));
    };
    CHECK(again({}) == "key");
    CHECK(again({sms("another text")}) == "key");
    CHECK(again({sms_within(30s)}) == "key");
    CHECK(again({as_template(), sms()}) == "key");
    CHECK(again({sms()}) == "");
    CHECK(service.job(job).state == JobState::ready);
}

TEST_CASE("fallbacks are checked when they are handed over, by their names") {
    ChainService service;
    const auto refused = [&](std::vector<Fallback> fallbacks) {
        return refused_field(service.outbox->try_enqueue(OutboundText{.to = customer, .body = "Hi"},
                                                         {.fallbacks = std::move(fallbacks)}));
    };
    CHECK(refused({sms()}) == "");
    auto wrong = sms();
    wrong.message.from.clear();
    CHECK(refused({wrong}) == "fallbacks[0].message.from");
    wrong = sms();
    wrong.message.body.clear();
    CHECK(refused({wrong}) == "fallbacks[0].message.body");
    wrong = sms(std::string(1'601, 'a'));
    CHECK(refused({as_template(), wrong}) == "fallbacks[1].message.body");
    wrong = as_template();
    wrong.message.content_sid = "HX1";
    CHECK(refused({wrong}) == "fallbacks[0].message.content_sid");
    CHECK(refused({sms(std::string(140'000, 'x') + "\xff")}) != "");
    CHECK(service.stored().size() == 1);
}

TEST_CASE("the payload of a job without fallbacks is its message and nothing else") {
    ChainService service;
    service.enqueue("Hi", {.key = "a"});
    service.enqueue("Hi", {.key = "b", .time_zone = "Europe/London"});
    service.enqueue("Hi", {.key = "c", .time_zone = "Europe/London", .fallbacks = {sms()}});
    const auto all = service.stored();
    constexpr std::string_view message =
        R"({"body":"Hi","from":"whatsapp:+14155238886","to":"+447700900123"})";
    const auto hash = detail::sha256_hex(message);
    CHECK(all[0].payload == message);
    CHECK(all[0].content_hash == std::string(hash.data(), hash.size()));
    CHECK(all[1].payload ==
          R"({"message":)" + std::string{message} + R"(,"time_zone":"Europe/London"})");
    CHECK(all[1].content_hash == all[0].content_hash);
    CHECK(all[2].payload ==
          R"({"message":)" + std::string{message} +
              R"(,"fallbacks":[{"message":{"body":"by SMS","from":"sms:+15005550006"},)"
              R"("when":"unreachable"}],"time_zone":"Europe/London"})");
    CHECK(all[2].content_hash.starts_with("chain:"));
}

TEST_CASE("sealed, a chain goes on, and its texts and keys are hidden") {
    OutboxOptions options;
    options.sealer = Sealer{*KeyRing::try_parse(KeyRing::new_key("k1").reveal())};
    ChainService service{options};
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
        CHECK(job.payload.find("SMS") == std::string::npos);
        CHECK(job.key.find("order-17") == std::string::npos);
        CHECK(job.customer.find("447700900123") == std::string::npos);
    }
}

TEST_CASE("a chain that was handed over in the clear is sealed, and found under its new key") {
    ChainService service;
    service.hand_over({as_template(), sms()});
    service.run();
    service.tell("order-17", "failed", 63016);
    service.options.sealer = Sealer{*KeyRing::try_parse(KeyRing::new_key("k1").reveal())};
    service.restart();
    CHECK(service.outbox->try_reseal().value() == 2);
    CHECK(service.hand_over({as_template(), sms()}).existed);
    service.tell("order-17", "delivered");
    CHECK(service.known("order-17/template").state == JobState::cancelled);
}

TEST_CASE("what is reported where the keys are not is gone on with by who has them") {
    OutboxOptions options;
    options.sealer = Sealer{*KeyRing::try_parse(KeyRing::new_key("k1").reveal())};
    ChainService service{options};
    const auto job = service.hand_over({as_template(), sms()});
    service.run();
    const auto told = service.report(service.known("order-17"), "failed", 63016);
    Outbox without_keys{service.storage, {.clock = service.clock}};
    without_keys.learn(told);
    without_keys.learn(told);
    CHECK(service.state(job) == JobState::undelivered);
    CHECK(service.later_steps() == 0);
    service.run();
    CHECK(service.known("order-17/template").state == JobState::accepted);
    CHECK(!service.stored().front().chain_due);
    CHECK(service.at_twilio() == 2);
}

TEST_CASE("what was accepted where the keys are not is overtaken in its time, and not before") {
    OutboxOptions options;
    options.sealer = Sealer{*KeyRing::try_parse(KeyRing::new_key("k1").reveal())};
    ChainService service{options};
    const auto job = service.hand_over({sms_within(30s)});
    service.run();
    service.storage
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
}

TEST_CASE("what was erased before it failed is followed by nothing, and says so") {
    ChainService service;
    service.fake->next_fault(Fault::close_after);
    const auto job = service.hand_over({sms()}, {.on_unknown = OnUnknown::drop(1s)});
    service.run();
    service.advance(5s);
    auto told = service.callback("undelivered");
    told.error_code = 63003;
    service.outbox->resolve(job.id, Resolution::drop());
    service.storage
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
    CHECK(service.job(job).problem == "what was to follow it did not: its message was erased");
}

TEST_CASE("a job of the program's own under the key of a step stays as it is") {
    ChainService service;
    const auto own =
        service.enqueue("Mine", {.key = "order-17/sms", .not_before = service.clock->now() + 24h});
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
}

TEST_CASE("who has no phone number gets no SMS") {
    ChainService service;
    service.outbox->enqueue(OutboundText{.to = "whatsapp:GB.1234abcd", .body = "Hi"},
                            {.key = "order-17", .fallbacks = {sms_within(30s)}});
    service.run();
    service.advance(1min);
    service.run();
    service.tell("order-17", "undelivered", 63003);
    service.run();
    CHECK(service.later_steps() == 0);
}

TEST_CASE("who has opted out of the SMS sender gets none") {
    auto store = std::make_shared<MemoryStore>();
    ClientOptions chosen;
    chosen.opt_outs = std::make_shared<OptOuts>(store);
    ChainService service{{}, chosen};
    chosen.opt_outs->opt_out("sms:+15005550006", "sms:+447700900123").value();
    service.hand_over({sms()});
    service.run();
    service.tell("order-17", "undelivered", 63003);
    service.run();
    CHECK(service.by_sms() == 0);
    CHECK(service.known("order-17/sms").reason == DeadReason::opted_out);
}

TEST_CASE("what came too late for its chain dies as expired") {
    ChainService service;
    service.hand_over({sms()}, {.expires_at = service.clock->now() + 1min});
    service.run();
    service.advance(2min);
    service.tell("order-17", "undelivered", 63003);
    service.run();
    CHECK(service.by_sms() == 0);
    CHECK(service.known("order-17/sms").reason == DeadReason::expired);
}

TEST_CASE("outcomes are told of each message by itself") {
    ChainService service;
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
}

TEST_CASE("a storage that went back in time looks for the next step before it sends it") {
    ChainService service;
    service.hand_over({sms()});
    service.run();
    const auto told = service.report(service.known("order-17"), "undelivered", 63003);
    const auto before = service.storage->copy();
    service.outbox->learn(told);
    service.run();
    REQUIRE(service.by_sms() == 1);
    // The copy knows nothing of the SMS, and Twilio tells again.
    service.storage = before;
    service.storage->set_identity("another");
    service.restart();
    service.outbox->try_suspect(TimePoint{}).value();
    service.outbox->learn(told);
    CHECK(service.known("order-17/sms").suspect);
    service.run();
    CHECK(service.by_sms() == 1);
}

TEST_CASE("who asks to be forgotten is forgotten by every step") {
    ChainService service;
    const Customers customers{std::make_shared<MemoryStore>(), {.clock = service.clock}};
    const auto part = service.outbox->personal_data();
    customers.add_part(part);
    const auto address = *Address::parse(customer);
    const auto sender = *Sender::parse(FakeTwilio::demo_sender);
    customers.note(sender, address, 24h).value();
    service.hand_over({sms("Secret of Lee")});
    CHECK(customers.export_of(address)->find("Secret of Lee") != std::string::npos);
    service.run();
    service.tell("order-17", "undelivered", 63003);
    service.run();
    const auto report = customers.forget(address).value();
    CHECK(!report.not_yet.empty());
    CHECK(service.known("order-17").message);
    service.tell("order-17/sms", "delivered");
    customers.note(sender, address, 24h).value();
    CHECK(customers.forget(address)->complete());
    for (const auto& job : service.stored()) {
        CHECK(job.payload.empty());
        CHECK(job.customer.empty());
    }
}

}  // namespace outbox_chain_test
