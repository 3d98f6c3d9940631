/// A conversation with a dialogue whose state and jobs are in files, over restarts.
#include <doctest/doctest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>

#include <twiliowa/content_client.hpp>
#include <twiliowa/outbox/dialogue.hpp>
#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/sqlite/sqlite_store.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/webhook_handler.hpp>

#include "unit/outbox/inbox_service.hpp"
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

/// A SqliteStore that may end the process when it has written a dialogue.
class DeadlyStore final : public Store {
public:
    DeadlyStore(const std::string& path, const std::shared_ptr<Clock>& clock)
        : inner_(path, SqliteStoreOptions{.clock = clock}) {}
    Result<std::optional<StoredValue>> get(std::string_view key) override {
        return inner_.get(key);
    }
    Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                          std::string_view value,
                                          std::chrono::milliseconds time_to_live,
                                          Keep keep) override {
        auto written = inner_.compare_and_set(key, expected, value, time_to_live, keep);
        if (std::exchange(kills_next, false)) std::raise(SIGKILL);
        return written;
    }
    Result<bool> erase(std::string_view key, std::uint64_t expected) override {
        return inner_.erase(key, expected);
    }

    bool kills_next = false;

private:
    SqliteStore inner_;
};

/// A process's life: it takes messages in and counts them for each customer, until one of them
/// kills it.
struct CountingLife {
    CountingLife(const std::string& directory, unsigned seed) : dice(seed) {
        clock->advance(std::chrono::hours{seed});
        store = std::make_shared<DeadlyStore>(directory + "/state.db", clock);
        outbox = std::make_unique<Outbox>(
            std::make_shared<SqliteOutbox>(
                directory + "/bot.db",
                SqliteOutboxOptions{
                    .clock = clock,
                    .lease_clock =
                        [seed] {
                            return LeaseTime{"boot", std::int64_t{seed} * 3'600'000'000};
                        }}),
            OutboxOptions{.clock = clock});
        inbox = std::make_shared<DurableInbox>(*outbox,
                                               InboxOptions{.max_tries = 1'000, .clock = clock});
        handler = std::make_unique<WebhookHandler>(
            RequestValidator{test::token},
            WebhookOptions{.public_url = PublicUrl::fixed("https://example.com"),
                           .inbox = inbox,
                           .clock = clock});
        dialogue = std::make_unique<Dialogue>(
            store, DialogueOptions{.time_out = 24h * 365, .from = test::sender, .clock = clock});
        dialogue->first("count", [this](DialogueTurn& t) {
            const int count = t.has("count") ? std::stoi(t.get("count")) + 1 : 1;
            t.set("count", count);
            t.reply(std::to_string(count));
            if (!is_mortal || dice() % 3 != 0) return;
            enum { in_step, after_state, in_commit };
            const auto where = dice() % 3;
            if (where == in_step) std::raise(SIGKILL);
            if (where == after_state) store->kills_next = true;
            if (where == in_commit) {
                t.at_commit([](const NativeTransaction&) { std::raise(SIGKILL); });
            }
        });
        dialogue->attach(*handler);
    }
    void run(int first_message) {
        for (int i = 0; i < 3; ++i) {
            const auto number = first_message + i;
            handler->handle(inbox_test::message(number, "more", customer_of(number)));
        }
        inbox->run_until_idle();
    }
    static std::string customer_of(int number) {
        return "whatsapp:+4477009001" + std::to_string(10 + number % 4);
    }

    bool is_mortal = true;
    std::minstd_rand dice;
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<DeadlyStore> store;
    std::unique_ptr<Outbox> outbox;
    std::shared_ptr<DurableInbox> inbox;
    std::unique_ptr<WebhookHandler> handler;
    std::unique_ptr<Dialogue> dialogue;
};

}  // namespace

TEST_CASE("processes that are killed leave each customer what they were told, and once") {
    const sqlite_test::TestDirectory directory;
    int kills = 0;
    unsigned lives = 0;
    while (kills < 60) {
        ++lives;
        const auto child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            CountingLife{directory.path, lives}.run(static_cast<int>(lives) * 3);
            ::_exit(0);
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        if (WIFSIGNALED(status)) ++kills;
    }
    CountingLife last{directory.path, lives + 1};
    last.is_mortal = false;
    last.run(static_cast<int>(lives + 1) * 3);
    std::map<std::string, int> counts;
    for (const auto& event : last.inbox->list({.limit = 10'000})) {
        REQUIRE(event.state == InboxState::done);
        const auto& from = std::get<InboundMessage>(*event.event).from;
        const auto answer = last.outbox->find("", event.message_sid + "/1");
        REQUIRE(answer);
        CHECK(answer->message->body == std::to_string(++counts[from]));
    }
    CHECK(counts.size() == 4);
    for (const auto& [customer, count] : counts) {
        CHECK(last.dialogue->state_of(customer)->values.at("count") == std::to_string(count));
    }
}

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
