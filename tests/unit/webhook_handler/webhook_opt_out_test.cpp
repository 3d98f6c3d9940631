// An opt-out is not answered by accident.
#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "support/webhook_service.hpp"

namespace webhook_opt_out_test {

using namespace twiliowa;
using namespace twiliowa::test;

namespace {

/// A bot with a handler of each sort; says which ran.
struct Bot : Service {
    template <class Change>
    explicit Bot(Change change) : Service(change) {
        handler.on(inbound::text("help") && inbound::from(customer), named("help"))
            .on(!inbound::text("help") && inbound::media(), named("media"))
            .on_text(named("text"))
            .on_message(named("message"))
            .on_opt_out(named("opt_out"));
    }
    Bot() : Bot([](WebhookOptions&) {}) {}

    std::function<void(const InboundMessage&)> named(std::string name) {
        return [this, name = std::move(name)](const InboundMessage&) { ran += name; };
    }

    std::string ran_for(const std::string& body, const std::string& type = {},
                        const WebhookParameters& more = {}) {
        ran.clear();
        auto number = std::to_string(++count);
        WebhookParameters fields{{"MessageSid", sid.substr(0, 34 - number.size()) + number},
                                 {"AccountSid", account},
                                 {"From", customer},
                                 {"To", sender},
                                 {"Body", body},
                                 {"NumMedia", "0"}};
        if (!type.empty()) fields.emplace_back("OptOutType", type);
        fields.insert(fields.end(), more.begin(), more.end());
        CHECK(handler.handle(request(fields)).status == 200);
        return ran;
    }

    std::string ran;
    int count = 0;
};

}  // namespace

TEST_CASE("what Twilio calls an opt-out reaches on_opt_out and no general handler") {
    Bot bot;
    CHECK(bot.ran_for("Arret", "STOP") == "opt_out");
    CHECK(bot.ran_for("yes please", "START") == "opt_out");
    CHECK(bot.ran_for("info", "HELP") == "opt_out");
    CHECK(bot.ran_for("info", "stop") == "opt_out");
    CHECK(bot.ran_for("info", "NEWS") == "text");
}

TEST_CASE("a handler that names the very text has it") {
    Bot bot;
    CHECK(bot.ran_for("Help", "HELP") == "help");
    CHECK(bot.ran_for("Help") == "help");

    Service service;
    std::string ran;
    service.handler.on(inbound::text("menu") || inbound::text("stop"),
                       [&](const InboundMessage&) { ran += "named"; });
    CHECK(service.handler.handle(text("STOP")).status == 200);
    CHECK(ran == "named");
}

TEST_CASE("without a word of Twilio's only the unmistakable ones are held back, alone") {
    Bot bot;
    for (const std::string word :
         {"STOP", "stop", " Stop\n", "STOPALL", "unsubscribe", "Revoke", "OPTOUT"}) {
        CHECK(bot.ran_for(word) == "opt_out");
    }
    for (const std::string word :
         {"START", "CANCEL", "END", "QUIT", "UNSTOP", "YES", "stop it", "STOP!", "please stop"}) {
        CHECK(bot.ran_for(word) == "text");
    }
    CHECK(bot.ran_for("HELP") == "help");
    // What Twilio says goes before words.
    CHECK(bot.ran_for("STOP", "HELP") == "opt_out");
    // A tap is not typed.
    CHECK(bot.ran_for("Stop", {}, {{"ButtonText", "Stop"}}) == "message");
}

TEST_CASE("an OptOutType that nobody knows yet lets no STOP through") {
    Bot bot;
    CHECK(bot.ran_for("STOP", "NEWS") == "opt_out");
    CHECK(bot.ran_for("unsubscribe", "STOP_MARKETING") == "opt_out");
    CHECK(bot.ran_for("hello", "NEWS") == "text");
    Bot none{[](WebhookOptions& options) { options.stop_words.clear(); }};
    CHECK(none.ran_for("STOP", "NEWS") == "text");
}

TEST_CASE("no bot answers STOP") {
    Service service;
    service.handler.on_text(
        [](const InboundMessage& m) { return MessagingResponse{"You said: " + m.body}; });
    CHECK(service.handler.handle(text("STOP")).body == nothing);
    CHECK(service.heard->entries.back().outcome == WebhookOutcome::handled);
}

TEST_CASE("words can be chosen, and no words") {
    Bot none{[](WebhookOptions& options) { options.stop_words.clear(); }};
    CHECK(none.ran_for("STOP") == "text");
    CHECK(none.ran_for("x", "STOP") == "opt_out");
    Bot german{[](WebhookOptions& options) { options.stop_words = {"STOPP"}; }};
    CHECK(german.ran_for("stopp") == "opt_out");
    CHECK(german.ran_for("stop") == "text");
}

TEST_CASE("what the opt-outs take for a stop is held back, too") {
    const auto opt_outs =
        std::make_shared<OptOuts>(std::make_shared<MemoryStore>(),
                                  OptOutOptions{.read_words = true, .stop_words = {"CANCEL"}});
    Bot bot{[&](WebhookOptions& options) { options.opt_outs = opt_outs; }};
    CHECK(bot.ran_for("cancel") == "opt_out");
    CHECK(*opt_outs->is_opted_out(sender, customer));
    CHECK(bot.ran_for("quit") == "text");
    CHECK(bot.ran_for("start") == "text");
    CHECK_FALSE(*opt_outs->is_opted_out(sender, customer));
}

TEST_CASE("text handlers do not run for what nobody typed") {
    Bot bot;
    CHECK(bot.ran_for("Yes", {}, {{"MessageType", "interactive"}}) == "message");
    CHECK(bot.ran_for("\xF0\x9F\x91\x8D", {}, {{"MessageType", "reaction"}}) == "message");
    CHECK(bot.ran_for("hi", {}, {{"MessageType", "text"}}) == "text");
}

}  // namespace webhook_opt_out_test
