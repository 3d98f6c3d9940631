/// One message after another, when the one before did not arrive: once, whatever is reported.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/state/opt_outs.hpp>

#include "outbox/job_intake.hpp"
#include "types/hmac.hpp"
#include "unit/outbox/outbox_chain.hpp"

namespace outbox_chain_test {

using namespace chain_test;

TEST_CASE("a chain in memory") {
    for (const auto& scenario : scenarios()) {
        SUBCASE(scenario.name) {
            scenario.play(in_memory());
        }
    }
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

TEST_CASE("a job whose next step did nothing is sent again, and its chain has ended") {
    const auto gate = std::make_shared<ClosedWindow>();
    ChainService service{in_memory(), {.gate = gate}};
    service.outbox->pause({.of = Pause::Of::sender, .name = std::string{FakeTwilio::demo_sender}});
    const auto job = service.hand_over({as_template(), sms()});
    service.outbox->resume(Pause::Of::sender, FakeTwilio::demo_sender);
    service.kept
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

TEST_CASE("in whatever order its reports come, there is one SMS at most") {
    report_in_all_orders(in_memory(), 1);
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
    ChainService service{in_memory(), {}, chosen};
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

TEST_CASE("a storage that went back in time looks for the next step before it sends it") {
    ChainService service;
    service.wrapped = nullptr;
    service.restart();
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

}  // namespace outbox_chain_test
