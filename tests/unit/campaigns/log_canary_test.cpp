/// A whole conversation, told to a log at its lowest level: nobody's number, text or token is in
/// it.
#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/campaign/campaigns.hpp>
#include <twiliowa/campaign/sending_rules.hpp>
#include <twiliowa/log_observer.hpp>
#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/webhook_handler.hpp>

#include "support/webhook_service.hpp"
#include "unit/outbox/outbox_service.hpp"

namespace log_canary_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using testing::FakeTwilio;
using testing::Fault;

namespace {

/// Any of these in the log is one too many; the last is the token.
constexpr std::string_view canaries[] = {"447700900",
                                         "4155238886",
                                         "canary",
                                         "CANARY",
                                         "example.com",
                                         "twj=",
                                         "whatsapp:+1",
                                         "whatsapp:+4",
                                         "Messages.json",
                                         "https://",
                                         "0123456789abcdef0123456789abcdef"};

/// Empty: there is none.
std::string line_with(const std::vector<std::string>& lines, std::string_view text) {
    for (const auto& line : lines) {
        if (line.find(text) != std::string::npos) return line;
    }
    return {};
}

}  // namespace

TEST_CASE("log: a whole conversation leaves no number, no text and no token in it") {
    for (const auto format : {LogFormat::json, LogFormat::text}) {
        std::vector<std::string> lines;
        const auto clock = std::make_shared<testing::ManualClock>();
        const auto log = std::make_shared<LogObserver>(
            [&](LogLevel, std::string_view line) { lines.emplace_back(line); },
            LogOptions{.level = LogLevel::debug, .format = format, .clock = clock});

        const auto rules = std::make_shared<SendingRules>(SendingRulesOptions{.observer = log});
        QuotasOptions quotas{.windows = {QuotaWindow::per_minute(1)}};
        quotas.observer = log;
        ClientOptions client;
        client.observer = log;
        const auto opt_outs = std::make_shared<OptOuts>(std::make_shared<MemoryStore>());
        client.opt_outs = opt_outs;
        outbox_test::Service service{
            {.max_waiting = 5, .quotas = quotas, .gate = rules, .observer = log}, client};
        auto& outbox = *service.outbox;
        bool handler_fails = true;
        outbox.on_outcome([&](const JobOutcome&) {
            if (std::exchange(handler_fails, false)) throw std::runtime_error("canary");
        });

        const auto inbox = std::make_shared<DurableInbox>(
            outbox, InboxOptions{.max_tries = 2, .observer = log, .clock = service.clock});
        WebhookOptions webhooks;
        webhooks.public_url = PublicUrl::fixed("https://example.com");
        webhooks.clock = service.clock;
        webhooks.observer = log;
        webhooks.inbox = inbox;
        webhooks.opt_outs = opt_outs;
        WebhookHandler handler{RequestValidator{test::token}, webhooks};
        handler.on_message([&](const InboundMessage& inbound) {
            if (inbound.body == "canary fails") throw std::runtime_error("canary");
            return MessagingResponse{"canary answer"};
        });

        // It writes, is answered, has its handler fail, and says STOP; somebody forges and recuts.
        handler.handle(test::text("canary question", "SM00000000000000000000000000000001"));
        handler.handle(test::text("canary fails", "SM00000000000000000000000000000002"));
        handler.handle(test::text("STOP", "SM00000000000000000000000000000003"));
        auto forged = test::text("canary forged", "SM00000000000000000000000000000004");
        forged.body += "&Body=CANARY";
        handler.handle(forged);
        handler.handle({.method = "POST", .target = "/canary?+447700900123", .body = "%"});
        for (int i = 0; i < 4; ++i) {
            inbox->run_until_idle();
            service.advance(1min);
        }

        // Jobs that go, wait for a quota, are refused, are unknown and looked for, and are held.
        const auto to = [](int i) { return "+4477009001" + std::to_string(20 + i); };
        const auto enqueue = [&](int i, JobOptions options = {}) {
            return outbox.try_enqueue(OutboundText{.to = to(i), .body = "canary text"}, options);
        };
        enqueue(0, {.key = "canary-key", .tag = "request 17"}).value();
        enqueue(1, {.quota = "acme"}).value();
        enqueue(2, {.quota = "acme"}).value();
        service.fake->next_fault(Fault::close_before);
        static_cast<void>(outbox.try_run_until_idle());
        service.fake->next_fault(Fault::internal_error);
        for (int i = 3; i < 9; ++i) static_cast<void>(enqueue(i));
        for (int i = 0; i < 24; ++i) {
            static_cast<void>(outbox.try_run_until_idle());
            service.advance(2h);
        }
        for (const auto& message : service.fake->messages()) {
            outbox.learn(service.callback_of(message, "undelivered"));
        }
        // Calls that are refused here, that Twilio refuses, and that have no answer.
        static_cast<void>(service.client->try_send_text(
            {.to = "+447700900199", .body = std::string(2'000, 'x')}));
        static_cast<void>(service.client->try_send_text({.to = "canary", .body = "canary"},
                                                        {.correlation_id = "request-1"}));
        static_cast<void>(service.client->try_send_text(
            {.to = "+447700900199", .body = "canary", .from = "+447700900777"}));
        service.fake->next_fault(Fault::garbage);
        static_cast<void>(service.client->try_send_text({.to = to(1), .body = "canary"}));
        static_cast<void>(service.client->try_list({.to = to(1)}).begin());
        outbox.pause({Pause::Of::sender, std::string{FakeTwilio::demo_sender}, ""});
        outbox.resume(Pause::Of::sender, FakeTwilio::demo_sender);
        static_cast<void>(outbox.try_suspect({}));

        Campaigns campaigns{outbox, rules};
        CampaignDefinition definition;
        definition.id = "spring";
        definition.variants.push_back({.message = OutboundText{.body = "canary spring"}});
        campaigns.create(definition);
        const std::vector<CampaignRecipient> recipients{{.to = to(20)}, {.to = to(21)}};
        static_cast<void>(campaigns.try_add("spring", recipients));
        campaigns.start("spring");
        campaigns.cancel("spring");

        for (const auto canary : canaries) {
            CHECK_MESSAGE(line_with(lines, canary).empty(), canary, line_with(lines, canary));
        }
        // It was told of all that: what says nothing has no canaries either.
        const auto of = [&](std::string_view event, std::string_view member) {
            const auto name = format == LogFormat::json ? "\"event\":\"" + std::string{event} + "\""
                                                        : " " + std::string{event} + " ";
            for (const auto& line : lines) {
                if (line.find(name) != std::string::npos &&
                    line.find(member) != std::string::npos) {
                    return true;
                }
            }
            return false;
        };
        CHECK(of("webhook", "taken_in"));
        CHECK(of("webhook", "bad_signature"));
        CHECK(of("inbox", "handled"));
        CHECK(of("inbox", "dead"));
        CHECK(of("call", "messages.create"));
        CHECK(of("attempt", "messages.list"));
        CHECK(of("result", "request-1"));
        CHECK(of("quota_refused", "acme"));
        CHECK(of("outbox_full", "limit"));
        CHECK(of("outcome_told", "accepted"));
        CHECK(of("pause", "sender"));
        CHECK(of("campaign", "spring"));
        for (const auto change : {JobChange::enqueued, JobChange::sending, JobChange::accepted,
                                  JobChange::postponed, JobChange::unknown, JobChange::looked,
                                  JobChange::held, JobChange::undelivered, JobChange::cancelled}) {
            CAPTURE(to_string(change));
            CHECK(of("job", to_string(change)));
        }
    }
}

}  // namespace log_canary_test
