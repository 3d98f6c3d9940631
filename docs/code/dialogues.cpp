// What docs/dialogues.md shows.
#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <twiliowa/outbox/dialogue.hpp>
#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/memory_outbox.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;
using namespace std::chrono_literals;

namespace {

// [steps]
void register_players(wa::Dialogue& registration) {
    registration.first("hello", [](wa::DialogueTurn& t) {
        t.reply("Hello! How old is the player?");
        t.next("age");
    });
    registration.step("age", [](wa::DialogueTurn& t) {
        const auto age = t.number();
        if (!age) return t.reply("Please write the age as a number.");  // and ask again
        t.set("age", *age);
        t.buttons("Which team?", {"Lions", "Panthers"});
        t.next("team");
    });
    registration.step("team", [](wa::DialogueTurn& t) {
        t.reply("Registered for the " + t.answer() + ", aged " + t.get("age") + ".");
        t.end();
    });
}
// [steps]

// [bot]
struct Bot {
    Bot(const std::string& auth_token, const wa::MessagesClient& client,
        const wa::ContentClient& contents, std::shared_ptr<wa::OutboxStorage> jobs,
        std::shared_ptr<wa::Store> store)
        : outbox{std::move(jobs), {.client = [=](std::string_view) { return client; }}},
          inbox{std::make_shared<wa::DurableInbox>(outbox)},
          handler{wa::RequestValidator{auth_token},
                  {.public_url = wa::PublicUrl::fixed("https://bot.example.com"), .inbox = inbox}},
          registration{std::move(store), {.name = "registration", .time_out = 48h}} {
        register_players(registration);
        registration.ensure(contents);  // the contents of buttons: found, or made
        registration.attach(handler);
    }

    wa::Outbox outbox;
    std::shared_ptr<wa::DurableInbox> inbox;
    wa::WebhookHandler handler;
    wa::Dialogue registration;
};
// [bot]

// [plain]
void attach_without_inbox(wa::WebhookHandler& handler, const wa::MessagesClient& client,
                          const std::shared_ptr<wa::Store>& store,
                          const wa::ContentClient& contents) {
    wa::Dialogue registration{store,
                              {.name = "registration",
                               .client = client,  // sends what is no text
                               .keeper = std::make_shared<wa::LeaseKeeper>()}};
    register_players(registration);
    registration.ensure(contents);
    registration.attach(handler, !wa::inbound::text("help"));
}
// [plain]

// [version]
wa::DialogueOptions second_version() {
    return {.name = "registration",
            .version = 2,
            .convert = [](const wa::DialogueState& old) -> std::optional<wa::DialogueState> {
                auto now = old;
                if (now.step == "age") now.step = "birthday";
                return now;
            }};
}
// [version]

// [begin]
void ask_parent(wa::Dialogue& registration, const wa::MessagesClient& client,
                const std::string& parent) {
    registration.begin(parent, "age", {{"season", "2026"}}, "+14155238886");
    client.send_template({.to = parent, .content_sid = "HX00000000000000000000000000000001"});
}
// [begin]

// [test]
bool registers_a_player(Bot& bot, wa::testing::FakeTwilio& twilio) {
    const auto parent = twilio.customer("+447700900123");
    const auto after = [&] {
        twilio.run_until_idle();      // the webhook is written down
        bot.inbox->run_until_idle();  // and handled
        bot.outbox.run_until_idle();  // and answered
        return parent.sees().body;
    };
    parent.sends_text("Hi");
    after();
    parent.sends_text("12");
    if (after() != "Which team?") return false;
    const auto state = bot.registration.state_of("+447700900123", "+14155238886");
    if (!state || state->step != "team" || state->values.at("age") != "12") return false;
    parent.taps("Panthers");
    return after() == "Registered for the Panthers, aged 12.";
}
// [test]

}  // namespace

int main() {
    using wa::testing::FakeTwilio;
    auto twilio = FakeTwilio::with_account({.lifecycle = wa::testing::Lifecycle::automatic});
    const wa::MessagesClient client{twilio->credentials(), twilio->client_options()};
    const wa::ContentClient contents{twilio->credentials(), twilio->client_options()};
    const auto store = std::make_shared<wa::MemoryStore>();
    Bot bot{std::string{FakeTwilio::demo_auth_token}, client, contents,
            std::make_shared<wa::testing::MemoryOutbox>(), store};
    twilio->connect(bot.handler, "https://bot.example.com/hook");
    if (!registers_a_player(bot, *twilio)) return 1;

    ask_parent(bot.registration, client, "+447700900124");
    wa::Dialogue later{store, second_version()};
    if (later.state_of("+447700900124", "+14155238886")->step != "age") return 1;

    wa::WebhookHandler plain{wa::RequestValidator{FakeTwilio::demo_auth_token},
                             {.public_url = wa::PublicUrl::fixed("https://bot.example.com")}};
    attach_without_inbox(plain, client, store, contents);
    twilio->connect(plain, "https://bot.example.com/hook");
    const auto other = twilio->customer("+447700900124");
    other.sends_text("12");
    return other.sees().body == "Which team?" ? 0 : 1;
}
