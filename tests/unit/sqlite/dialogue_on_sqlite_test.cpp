/// A conversation with a dialogue whose state and jobs are in files, over restarts.
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>

#include <twiliowa/content_client.hpp>
#include <twiliowa/outbox/dialogue.hpp>
#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/sqlite/sqlite_store.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/webhook_handler.hpp>

#include "unit/sqlite/file_service.hpp"

namespace dialogue_on_sqlite_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::Lifecycle;
using twiliowa::testing::ManualClock;

namespace {

void register_player(Dialogue& registration) {
    registration.first("hello", [](DialogueTurn& t) {
        t.reply("Hello! What is the player's first name?");
        t.next("name");
    });
    registration.step("name", [](DialogueTurn& t) {
        t.set("name", t.answer());
        t.reply("How old is " + t.get("name") + "?");
        t.next("age");
    });
    registration.step("age", [](DialogueTurn& t) {
        const auto age = t.number();
        if (!age || *age < 4 || *age > 99) return t.reply("Please write the age as a number.");
        t.set("age", *age);
        t.rows("Which team?", {"Lions", "Panthers", "Tigers", "Wolves"});
        t.next("team");
    });
    registration.step("team", [](DialogueTurn& t) {
        t.set("team", t.answer());
        t.buttons(t.get("name") + ", " + t.get("age") + ", " + t.get("team") + ". Is that right?",
                  {"Yes", "No"});
        t.next("confirm");
    });
    registration.step("confirm", [](DialogueTurn& t) {
        if (t.answer() == "No") {
            t.reply("Again, then. What is the player's first name?");
            return t.next("name");
        }
        t.reply("Thank you. " + t.get("name") + " is one of the " + t.get("team") + " now.");
        t.end();
    });
}

/// One life of the program.
struct RegistrationProcess {
    RegistrationProcess(const std::string& directory, FakeTwilio& fake,
                        const std::shared_ptr<Clock>& clock)
        : client(fake.credentials(), fake.client_options()),
          outbox(std::make_shared<SqliteOutbox>(directory + "/bot.db",
                                                SqliteOutboxOptions{.clock = clock}),
                 {.client = [this](std::string_view) { return client; }, .clock = clock}),
          inbox(std::make_shared<DurableInbox>(outbox, InboxOptions{.clock = clock})),
          handler(RequestValidator{FakeTwilio::demo_auth_token},
                  {.public_url = PublicUrl::fixed("https://example.com"),
                   .inbox = inbox,
                   .clock = clock}),
          dialogue(std::make_shared<SqliteStore>(directory + "/state.db",
                                                 SqliteStoreOptions{.clock = clock}),
                   {.name = "registration",
                    .from = std::string{FakeTwilio::demo_sender},
                    .clock = clock}) {
        register_player(dialogue);
        dialogue.ensure(ContentClient{fake.credentials(), fake.client_options()});
        dialogue.attach(handler);
        fake.connect(handler);
    }

    MessagesClient client;
    Outbox outbox;
    std::shared_ptr<DurableInbox> inbox;
    WebhookHandler handler;
    Dialogue dialogue;
};

/// Twilio, a customer, and a program that begins anew after every message.
struct Club {
    void restart() {
        process.reset();
        process.emplace(directory.path, *fake, clock);
    }
    /// What the phone shows then.
    std::string after() {
        fake->run_until_idle();  // the webhook is written down
        restart();
        process->inbox->run_until_idle();  // and handled
        restart();
        process->outbox.run_until_idle();  // and answered
        fake->run_until_idle();
        return parent.conversation().back().body;
    }
    std::string says(const std::string& text) {
        clock->advance(1s);
        parent.sends_text(text);
        return after();
    }

    sqlite_test::TestDirectory directory;
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<FakeTwilio> fake =
        FakeTwilio::with_account({.clock = clock, .lifecycle = Lifecycle::automatic});
    testing::FakeCustomer parent = fake->customer("+447700900123");
    std::optional<RegistrationProcess> process;
};

}  // namespace

TEST_CASE("a registration goes on over restarts, with buttons and rows, and says nothing twice") {
    Club club;
    club.restart();
    CHECK(club.says("Hi") == "Hello! What is the player's first name?");
    CHECK(club.says("Lee") == "How old is Lee?");
    CHECK(club.says("twelve") == "Please write the age as a number.");
    CHECK(club.says("12") == "Which team?");
    club.clock->advance(1s);
    club.parent.chooses("Panthers");
    CHECK(club.after() == "Lee, 12, Panthers. Is that right?");
    club.clock->advance(1s);
    club.parent.taps("No");
    CHECK(club.after() == "Again, then. What is the player's first name?");
    CHECK(club.says("Ann") == "How old is Ann?");
    CHECK(club.says("13") == "Which team?");
    club.clock->advance(1s);
    club.parent.chooses("Wolves");
    CHECK(club.after() == "Ann, 13, Wolves. Is that right?");
    CHECK(club.process->dialogue.state_of("+447700900123")->step == "confirm");
    club.clock->advance(1s);
    club.parent.taps("Yes");
    CHECK(club.after() == "Thank you. Ann is one of the Wolves now.");
    CHECK_FALSE(club.process->dialogue.state_of("+447700900123"));
    CHECK(club.parent.conversation().size() == 20);
    CHECK(club.process->inbox->counts().of(InboxState::done) ==
          static_cast<std::int64_t>(club.process->inbox->list().size()));
}

}  // namespace dialogue_on_sqlite_test
