/// What is told of a campaign's phases.
#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <twiliowa/campaign/campaigns.hpp>
#include <twiliowa/campaign/sending_rules.hpp>

#include "support/show.hpp"
#include "unit/outbox/watched_outbox.hpp"

namespace campaign_events_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using outbox_test::customer;
using outbox_test::Heard;
using outbox_test::Texts;
using outbox_test::Watched;
using testing::Fault;

TEST_CASE("a campaign's phases are told, with why it is paused") {
    const auto rules = std::make_shared<SendingRules>();
    Watched watched{{.gate = rules}};
    Campaigns campaigns{*watched.service.outbox, rules};
    CampaignDefinition definition;
    definition.id = "spring";
    definition.variants.push_back({.message = OutboundText{.body = "Hi, it is spring"}});
    campaigns.create(definition);
    campaigns.create(definition);
    const std::vector<CampaignRecipient> recipients{{.to = customer}};
    campaigns.add("spring", recipients);
    campaigns.start("spring");
    campaigns.pause("spring", "the text is wrong");
    campaigns.pause("spring", "the text is wrong");
    campaigns.resume("spring");
    campaigns.cancel("spring");
    CHECK(watched.heard->take() ==
          Texts{"campaign spring >draft", "enqueued >ready", "campaign spring draft>running",
                "campaign spring running>paused: the text is wrong",
                "campaign spring paused>running", "campaign spring running>cancelled",
                "cancelled ready>cancelled"});
}

namespace {

/// A campaign that runs, and what is told of its phases.
struct Spring {
    explicit Spring(int recipients, CampaignRate rate = {}) {
        CampaignDefinition definition;
        definition.id = "spring";
        definition.rate = rate;
        definition.variants.push_back({.message = OutboundText{.body = "Hi, it is spring"}});
        campaigns.create(definition);
        for (int i = 0; i < recipients; ++i) add(i);
        campaigns.start("spring");
        static_cast<void>(phases());
    }
    void add(int i) {
        const std::vector<CampaignRecipient> one{{.to = "+44770090012" + std::to_string(i)}};
        campaigns.add("spring", one);
    }
    Texts phases() { return phases_of(*watched.heard); }
    Texts run() {
        watched.service.outbox->run_until_idle();
        return phases();
    }
    static Texts phases_of(Heard& heard) {
        Texts some;
        for (auto& text : heard.take()) {
            if (text.starts_with("campaign ")) some.push_back(text.substr(16));
        }
        return some;
    }

    const std::shared_ptr<SendingRules> rules = std::make_shared<SendingRules>();
    Watched watched{{.gate = rules}};
    Campaigns campaigns{*watched.service.outbox, rules};
};

}  // namespace

TEST_CASE("that a campaign is finished is told once, and that it is not any more") {
    Spring spring{3};
    CHECK(spring.run() == Texts{"running>finished"});
    CHECK(spring.run().empty());
    spring.add(3);
    CHECK(spring.phases() == Texts{"finished>running"});
    CHECK(spring.run() == Texts{"running>finished"});
    // What was known is nothing to send.
    spring.add(3);
    CHECK(spring.run().empty());
    for (const auto& message : spring.watched.service.fake->messages()) {
        spring.watched.service.outbox->learn(
            spring.watched.service.callback_of(message, "delivered"));
    }
    CHECK(spring.run().empty());
}

TEST_CASE("a campaign that is resumed with nothing left to send is finished again") {
    Spring spring{1};
    CHECK(spring.run() == Texts{"running>finished"});
    spring.campaigns.pause("spring", "to look");
    spring.campaigns.resume("spring");
    CHECK(spring.phases() ==
          Texts{"running>paused: to look", "paused>running", "running>finished"});
    CHECK(spring.run().empty());
}

TEST_CASE("a campaign is not finished while an outcome is unknown, and is by what shows it") {
    Spring spring{2};
    spring.watched.service.fake->next_fault(Fault::close_after);
    CHECK(spring.run().empty());
    std::vector<Message> sent = spring.watched.service.fake->messages();
    REQUIRE(sent.size() == 2);
    for (const auto& message : sent) {
        spring.watched.service.outbox->learn(spring.watched.service.callback_of(message, "sent"));
    }
    CHECK(spring.phases() == Texts{"running>finished"});
}

TEST_CASE("a campaign that is paused or cancelled is not finished, though its last job has ended") {
    Spring spring{1};
    spring.watched.service.fake->next_fault(Fault::close_after);
    CHECK(spring.run().empty());
    spring.campaigns.pause("spring");
    spring.watched.service.outbox->learn(spring.watched.service.callback("sent"));
    CHECK(spring.phases() == Texts{"running>paused"});
    spring.campaigns.cancel("spring");
    CHECK(spring.run() == Texts{"paused>cancelled"});
}

TEST_CASE("of programs on one storage the one that finds a campaign finished tells it, alone") {
    Spring spring{4, {.messages = 2, .per = 1s}};
    CHECK(spring.run().empty());
    auto options = spring.watched.service.options;
    const auto heard = std::make_shared<Heard>();
    options.observer = heard;
    Outbox other{spring.watched.service.storage, options};
    spring.watched.service.advance(1s);
    other.run_until_idle();
    CHECK(Spring::phases_of(*heard) == Texts{"running>finished"});
    CHECK(spring.run().empty());
    other.run_until_idle();
    CHECK(Spring::phases_of(*heard).empty());
}

}  // namespace campaign_events_test
