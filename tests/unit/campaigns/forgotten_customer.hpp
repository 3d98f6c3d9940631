/// @file
/// Somebody of whom everything is kept that can be, and who asks to be forgotten: what is left of
/// them, whichever engine keeps it.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/campaign/campaigns.hpp>
#include <twiliowa/campaign/sending_rules.hpp>
#include <twiliowa/outbox/dialogue.hpp>
#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/state/consents.hpp>
#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/webhook_handler.hpp>

namespace campaign_test {

/// Where a program keeps everything.
struct Places {
    std::shared_ptr<twiliowa::testing::ManualClock> clock;
    std::shared_ptr<twiliowa::OutboxStorage> jobs;
    std::shared_ptr<twiliowa::Store> store;
    std::shared_ptr<twiliowa::ConsentStorage> consents;
    /// Every table and column, of all of them, in which that text stands.
    std::function<std::vector<std::string>(std::string_view text)> that_hold;
};

/// A program that keeps all that the library can keep of a customer.
class RememberingProgram {
public:
    explicit RememberingProgram(Places places) : places_(std::move(places)) {
        fake_ = twiliowa::testing::FakeTwilio::with_account(
            {.clock = places_.clock, .lifecycle = twiliowa::testing::Lifecycle::automatic});
        fake_->add_sender(twiliowa::testing::FakeTwilio::demo_account_sid, "+15005550006");
        fake_->set_webhook(twiliowa::testing::FakeTwilio::demo_sender,
                           "https://a.example/whatsapp");
        customers_ = std::make_shared<twiliowa::Customers>(
            places_.store,
            twiliowa::CustomersOptions{.key = twiliowa::Secret{"0123456789abcdef0123456789abcdef"},
                                       .clock = places_.clock});
        const auto consents = std::make_shared<twiliowa::Consents>(
            places_.consents, customers_, twiliowa::ConsentsOptions{.clock = places_.clock});
        const auto window = std::make_shared<twiliowa::ConversationWindow>(
            places_.store,
            twiliowa::ConversationWindowOptions{.clock = places_.clock, .customers = customers_});
        const auto opt_outs = std::make_shared<twiliowa::OptOuts>(
            places_.store,
            twiliowa::OptOutOptions{
                .clock = places_.clock, .customers = customers_, .consents = consents});
        const auto rules = std::make_shared<twiliowa::SendingRules>(twiliowa::SendingRulesOptions{
            .consents = consents,
            .opt_outs = opt_outs,
            .window = window,
            .prices = twiliowa::PriceTable::from_csv("price,currency\n0.05,USD\n").value()});
        auto client_options = fake_->client_options();
        client_options.window = window;
        client_options.opt_outs = opt_outs;
        const twiliowa::MessagesClient client{fake_->credentials(), client_options};
        outbox_ = std::make_unique<twiliowa::Outbox>(
            places_.jobs,
            twiliowa::OutboxOptions{.client = [client](std::string_view) { return client; },
                                    .status_callback = "https://a.example/status",
                                    .gate = rules,
                                    .customers = customers_,
                                    .clock = places_.clock});
        inbox_ = std::make_shared<twiliowa::DurableInbox>(
            *outbox_, twiliowa::InboxOptions{.customers = customers_, .clock = places_.clock});
        campaigns_ = std::make_unique<twiliowa::Campaigns>(*outbox_, rules);
        twiliowa::WebhookOptions webhooks;
        webhooks.public_url = twiliowa::PublicUrl::fixed("https://a.example");
        webhooks.clock = places_.clock;
        webhooks.window = window;
        webhooks.opt_outs = opt_outs;
        webhooks.customers = customers_;
        webhooks.inbox = inbox_;
        handler_ = std::make_unique<twiliowa::WebhookHandler>(
            twiliowa::RequestValidator{std::string{twiliowa::testing::FakeTwilio::demo_auth_token}},
            webhooks);
        handler_->on_status(
            [this](const twiliowa::StatusCallback& callback) { outbox_->learn(callback); });
        handler_->on_opt_out([](const twiliowa::InboundMessage&) {});
        dialogue_ = std::make_unique<twiliowa::Dialogue>(
            places_.store,
            twiliowa::DialogueOptions{.customers = customers_, .clock = places_.clock});
        dialogue_->first("hello", [](twiliowa::DialogueTurn& turn) {
            turn.set("from", turn.message().from);
            turn.reply("Who plays?");
        });
        dialogue_->attach(*handler_, twiliowa::inbound::text("register"));
        handler_->on_message([this](const twiliowa::InboundMessage& message) {
            outbox_->enqueue(
                twiliowa::OutboundText{.to = message.from, .body = "Thank you, " + message.from});
        });
        fake_->on_webhook([this](const std::string&, const twiliowa::WebhookRequest& request) {
            return handler_->handle(request);
        });
    }

    void run() {
        for (int i = 0; i < 30; ++i) {
            fake_->advance(std::chrono::minutes{1});
            inbox_->run_until_idle();
            outbox_->run_until_idle();
        }
    }

    /// Both write, begin a dialogue, agree, and are in a campaign, whose message reaches Lee by SMS
    /// alone. Then Lee wants no more of it, and somebody writes to Lee all the same.
    void meet(const std::string& lee, const std::string& kim) {
        using namespace std::chrono_literals;
        for (const auto& each : {lee, kim}) {
            fake_->customer(each).sends_text("I am " + each);
            fake_->customer(each).sends_text("Register");
        }
        run();
        fake_->customer(lee).has_whatsapp(false, 63024);
        twiliowa::CampaignDefinition definition;
        definition.id = "spring";
        definition.require_consent = "news";
        definition.variants.push_back({.message = twiliowa::OutboundText{.body = "Spring"}});
        definition.fallbacks = {{.message = twiliowa::OutboundText{.body = "Spring, by SMS",
                                                                   .from = "sms:+15005550006"}}};
        campaigns_->create(definition);
        std::vector<twiliowa::CampaignRecipient> recipients;
        for (const auto& each : {lee, kim}) {
            recipients.push_back({.to = each,
                                  .consent_at = places_.clock->now() - 1h,
                                  .consent_source = "said by " + each});
        }
        CHECK(campaigns_->add("spring", recipients).added == 2);
        // The SMS asks for a consent of its own.
        consents_of_sms(recipients);
        campaigns_->start("spring");
        run();
        const auto progress = campaigns_->progress("spring");
        CHECK(progress.sent == 2);
        CHECK(progress.further == 1);
        const auto messages = fake_->messages();
        const auto by_sms =
            std::count_if(messages.begin(), messages.end(), [](const twiliowa::Message& message) {
                return message.body == "Spring, by SMS" && message.status == "delivered";
            });
        CHECK(by_sms == 1);
        fake_->customer(lee).stops();
        run();
        outbox_->enqueue(twiliowa::OutboundText{.to = lee, .body = "All the same"});
        run();
    }

    twiliowa::ForgetReport forget(const std::string& number) const {
        return customers_->forget(number).value();
    }
    std::string export_of(const std::string& number) const {
        return customers_->export_of(number).value();
    }

private:
    void consents_of_sms(const std::vector<twiliowa::CampaignRecipient>& recipients) const {
        const twiliowa::Consents consents{places_.consents, customers_,
                                          twiliowa::ConsentsOptions{.clock = places_.clock}};
        for (const auto& each : recipients) {
            consents
                .grant(twiliowa::Sender::parse("sms:+15005550006").value(),
                       twiliowa::Address::parse("sms:" + std::string{each.to}).value(),
                       {.purpose = "news", .at = *each.consent_at, .source = each.consent_source})
                .value();
        }
    }

    Places places_;
    std::shared_ptr<twiliowa::testing::FakeTwilio> fake_;
    std::shared_ptr<twiliowa::Customers> customers_;
    std::unique_ptr<twiliowa::Outbox> outbox_;
    std::shared_ptr<twiliowa::DurableInbox> inbox_;
    std::unique_ptr<twiliowa::Campaigns> campaigns_;
    std::unique_ptr<twiliowa::WebhookHandler> handler_;
    std::unique_ptr<twiliowa::Dialogue> dialogue_;
};

/// Of Lee nothing is left, and of Kim everything.
inline void forget_without_trace(const Places& places) {
    const std::string lee = "+447700900123";
    const std::string kim = "+447700900124";
    // As digits, so that it is found with a plus and without, in JSON and in a key.
    const auto digits = [](const std::string& number) { return number.substr(1); };
    RememberingProgram program{places};
    program.meet(lee, kim);
    const auto before = places.that_hold(digits(lee));
    INFO(program.export_of(lee));
    // Jobs and events, links, notes, windows and opt-outs, and where a consent comes from.
    CHECK(before.size() >= 4);
    const auto report = program.forget(lee);
    CHECK(report.complete());
    for (const auto* const part : {"outbox", "inbox", "consents", "opt_outs", "dialogue"}) {
        CHECK(std::count(report.erased.begin(), report.erased.end(), part) == 1);
    }
    CHECK(std::count(report.kept.begin(), report.kept.end(), "opt_outs") == 1);
    std::string left;
    for (const auto& place : places.that_hold(digits(lee))) left.append(place).append(" ");
    CHECK(left == "");
    CHECK(places.that_hold(digits(kim)).size() >= 4);
    CHECK(program.export_of(lee).find(digits(lee)) == program.export_of(lee).rfind(digits(lee)));
}

}  // namespace campaign_test
