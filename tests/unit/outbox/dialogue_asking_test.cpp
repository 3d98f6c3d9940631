/// How a dialogue asks, and what is kept of its customers.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include <twiliowa/content_client.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/testing/fake_twilio.hpp>

#include "outbox/dialogue_contents.hpp"
#include "support/store_doubles.hpp"
#include "unit/outbox/dialogue_service.hpp"

namespace dialogue_asking_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using dialogue_test::count_messages;
using dialogue_test::PlainProgram;
using dialogue_test::said_by;
using inbox_test::FakeTwilio;
using inbox_test::InboxState;
using inbox_test::message;
using inbox_test::Program;
using test::customer;
using twiliowa::testing::Fault;
using twiliowa::testing::GlassStore;
using twiliowa::testing::Lifecycle;
using twiliowa::testing::ManualClock;

namespace {

/// Asks with buttons, then with rows, and says what was meant.
void ask(Dialogue& dialogue) {
    dialogue.first("hello", [](DialogueTurn& t) {
        t.reply("Hello");
        t.buttons("Which team?", {"Red", "Blue"});
        t.next("team");
    });
    dialogue.step("team", [](DialogueTurn& t) {
        t.set("team", t.answer());
        t.rows("Which day?", {"Monday", "Tuesday", "Wednesday", "Thursday"});
        t.next("day");
    });
    dialogue.step("day", [](DialogueTurn& t) {
        t.reply(t.get("team") + " on " + t.answer());
        t.end();
    });
}

/// Twilio, and a bot of which the customer is Lee.
struct AskingBot {
    explicit AskingBot(DialogueOptions options = {}, bool has_client = true) {
        options.clock = clock;
        options.from = std::string{FakeTwilio::demo_sender};
        auto with = fake->client_options();
        with.retry.max_attempts = 1;
        if (has_client) options.client.emplace(fake->credentials(), with);
        dialogue = std::make_unique<Dialogue>(store, options);
        ask(*dialogue);
        dialogue->attach(service.handler);
        fake->connect(service.handler, "https://example.com/hook");
    }

    ContentClient contents() const {
        return ContentClient{fake->credentials(), fake->client_options()};
    }
    std::string conversation() const {
        std::string all;
        for (const auto& each : lee.conversation()) all += each.body + '|';
        return all;
    }
    void says(const std::string& text) {
        lee.sends_text(text);
        fake->run_until_idle();
    }

    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<FakeTwilio> fake =
        FakeTwilio::with_account({.clock = clock, .lifecycle = Lifecycle::automatic});
    testing::FakeCustomer lee = fake->customer("+447700900123");
    std::shared_ptr<Store> store = std::make_shared<MemoryStore>();
    test::Service service{[this](WebhookOptions& options) { options.clock = clock; }};
    std::unique_ptr<Dialogue> dialogue;
};

std::string refused_field(const std::function<void()>& call) {
    try {
        call();
    } catch (const InvalidRequestError& error) {
        return error.field();
    }
    return "nothing";
}

}  // namespace

TEST_CASE("contents are found or made at start-up, one for each number of buttons or rows") {
    AskingBot bot;
    const auto before = bot.fake->templates().size();
    bot.dialogue->ensure(bot.contents(), {.buttons = 3, .rows = 4});
    CHECK(bot.fake->templates().size() == before + 7);
    bot.dialogue->ensure(bot.contents(), {.buttons = 3, .rows = 4});
    CHECK(bot.fake->templates().size() == before + 7);
    bot.dialogue->ensure(bot.contents());
    CHECK(bot.fake->templates().size() == before + 13);
    CHECK(bot.fake->templates().back().content.friendly_name == "twiliowa_rows_10");
    for (const auto& [contents, field] : std::vector<std::pair<DialogueContents, std::string>>{
             {{.buttons = 4}, "buttons"},
             {{.rows = 11}, "rows"},
             {{.rows_button = ""}, "rows_button"},
             {{.rows_button = "longer than twenty characters"}, "rows_button"},
             {{.name = ""}, "name"}}) {
        CHECK(bot.dialogue->try_ensure(bot.contents(), contents).error().field() == field);
    }
    INFO("Twilio would take each of them");
    for (int count = 1; count <= 10; ++count) {
        using detail::asking_content;
        CHECK(asking_content(detail::AskedBy::rows, count, {}).check(ContentUse::session).empty());
        if (count > 3) continue;
        CHECK(
            asking_content(detail::AskedBy::buttons, count, {}).check(ContentUse::session).empty());
    }
}

TEST_CASE("a tap arrives as what it means") {
    AskingBot bot;
    bot.dialogue->ensure(bot.contents());
    const auto templates = bot.fake->templates().size();
    bot.says("Hi");
    CHECK(bot.conversation() == "Hi|Hello|Which team?|");
    bot.lee.taps("Blue");
    bot.fake->run_until_idle();
    CHECK(bot.dialogue->state_of(customer)->values.at("team") == "Blue");
    bot.lee.chooses("Thursday");
    bot.fake->run_until_idle();
    CHECK(bot.lee.conversation().back().body == "Blue on Thursday");
    CHECK_FALSE(bot.dialogue->state_of(customer));
    CHECK(bot.fake->templates().size() == templates);
}

TEST_CASE("a button of the program's own means its payload") {
    std::string meant;
    PlainProgram program{std::make_shared<MemoryStore>(), [&](Dialogue& dialogue) {
                             dialogue.first("any", [&](DialogueTurn& t) { meant = t.answer(); });
                         }};
    int number = 0;
    const auto receive = [&](WebhookParameters parameters) {
        for (auto& each : WebhookParameters{{"MessageSid", inbox_test::sid_of(++number)},
                                            {"AccountSid", test::account},
                                            {"From", customer},
                                            {"To", test::sender}}) {
            parameters.push_back(each);
        }
        CHECK(program.service.handler.handle(test::Service::request(parameters)).status == 200);
        return meant;
    };
    CHECK(receive({{"ButtonPayload", "confirm"}, {"ButtonText", "Yes"}, {"Body", "Yes"}}) ==
          "confirm");
    CHECK(receive({{"ButtonPayload", "twiliowa:2"}, {"ButtonText", "Blue"}, {"Body", "Blue"}}) ==
          "Blue");
    CHECK(receive({{"ButtonPayload", "twiliowa:2"}, {"Body", "Blue "}}) == "Blue");
    CHECK(receive({{"ListId", "day-1"}, {"ListTitle", "Monday"}, {"Body", "Monday"}}) == "day-1");
    CHECK(receive({{"ListId", "twiliowa:1"}, {"ListTitle", "Monday"}, {"Body", "Monday"}}) ==
          "Monday");
}

TEST_CASE("what cannot be asked is refused at once, by name") {
    const auto refused = [](const std::string& question, const TextList& titles,
                            bool rows = false) {
        return refused_field([&] {
            detail::asking_variables(rows ? detail::AskedBy::rows : detail::AskedBy::buttons,
                                     question, titles)
                .value();
        });
    };
    CHECK(refused("Which?", {"One"}) == "nothing");
    CHECK(refused("Which?", {}) == "buttons");
    CHECK(refused("Which?", {"1", "2", "3", "4"}) == "buttons");
    CHECK(refused("Which?", {"1", "2", "3", "4"}, true) == "nothing");
    CHECK(refused("Which?", TextList(std::vector<std::string>(11, "x")), true) == "rows");
    CHECK(refused("", {"One"}) == "question");
    CHECK(refused(std::string(1'025, 'x'), {"One"}) == "question");
    CHECK(refused("Which?", {"One", ""}) == "titles[1]");
    CHECK(refused("Which?", {"One", "One"}) == "titles[1]");
    CHECK(refused("Which?", {std::string(21, 'x')}) == "titles[0]");
    CHECK(refused("Which?", {std::string(24, 'x')}, true) == "nothing");
    CHECK(refused("Which?", {std::string(25, 'x')}, true) == "titles[0]");
    CHECK(refused("Which?", {"\xff"}) == "titles[0]");
    CHECK(refused("two\nlines", {"One"}) != "nothing");
    std::string wide;
    for (int i = 0; i < 20; ++i) wide += "\xc3\xa9";
    CHECK(refused("Which?", {wide}) == "nothing");
}

TEST_CASE("without contents or a client a question is refused, and the state stays") {
    SUBCASE("no contents") {
        AskingBot bot;
        bot.says("Hi");
        CHECK(bot.service.heard->entries.back().reason.find("buttons") != std::string::npos);
        CHECK_FALSE(bot.dialogue->state_of(customer));
        CHECK(bot.conversation() == "Hi|");
    }
    SUBCASE("no client") {
        AskingBot bot{{}, false};
        bot.dialogue->ensure(bot.contents());
        bot.says("Hi");
        CHECK(bot.service.heard->entries.back().reason.find("client") != std::string::npos);
        CHECK(bot.conversation() == "Hi|");
    }
}

TEST_CASE("outside the window a reply is refused before the network") {
    const auto window_clock = std::make_shared<ManualClock>();
    const auto window = std::make_shared<ConversationWindow>(
        std::make_shared<MemoryStore>(), ConversationWindowOptions{.clock = window_clock});
    AskingBot bot{{.window = window}};
    bot.dialogue->ensure(bot.contents());
    window->record_inbound(test::sender, customer).value();
    window_clock->advance(25h);
    bot.says("Hi");
    const auto& heard = bot.service.heard->entries.back();
    CHECK(heard.status == 500);
    CHECK(heard.reason.find("63016") != std::string::npos);
    CHECK(bot.fake->messages().size() == 1);
    CHECK_FALSE(bot.dialogue->state_of(customer));
    window->record_inbound(test::sender, customer).value();
    bot.says("Hi again");
    CHECK(bot.dialogue->state_of(customer));
}

TEST_CASE("without an inbox what was refused is undone, and what may have left is not repeated") {
    AskingBot bot;
    bot.dialogue->ensure(bot.contents());
    const auto hook = [&](const std::string& body) {
        return bot.service.handler.handle(message(1, body)).status;
    };
    SUBCASE("nothing left") {
        bot.fake->next_fault(Fault::too_many_requests);
        CHECK(hook("Hi") == 500);
        CHECK_FALSE(bot.dialogue->state_of(customer));
        CHECK(hook("Hi") == 200);
        CHECK(bot.conversation() == "Hello|Which team?|");
    }
    SUBCASE("nothing of the second one") {
        bot.fake->next_fault(Fault::none);
        bot.fake->next_fault(Fault::too_many_requests);
        CHECK(hook("Hi") == 500);
        CHECK(bot.dialogue->state_of(customer)->step == "team");
        CHECK(hook("Hi") == 200);
        CHECK(bot.conversation() == "Hello|");
    }
    SUBCASE("nobody knows") {
        bot.fake->next_fault(Fault::close_after);
        CHECK(hook("Hi") == 500);
        CHECK(bot.dialogue->state_of(customer)->step == "team");
        CHECK(hook("Hi") == 200);
        CHECK(bot.conversation() == "Hello|");
    }
}

TEST_CASE("with an inbox questions are jobs, which expire with the window") {
    const auto store = std::make_shared<MemoryStore>();
    Program program;
    const auto window = std::make_shared<ConversationWindow>(
        store, ConversationWindowOptions{.clock = program.clock});
    program.webhook_options.window = window;
    program.restart();
    Dialogue dialogue{store, {.from = test::sender, .window = window, .clock = program.clock}};
    ask(dialogue);
    dialogue.ensure(ContentClient{program.fake->credentials(), program.fake->client_options()});
    program.use([&](WebhookHandler& handler) { dialogue.attach(handler); });
    program.receive(message(1, "Hi"));
    SUBCASE("handled in time") {
        program.run_all();
        for (const auto& job : program.outbox->list({})) {
            CHECK(job.expires_at == program.clock->now() + 24h);
        }
        program.outbox->run_until_idle();
        CHECK(program.sent() == std::vector<std::string>{"Which team?", "Hello"});
    }
    SUBCASE("handled too late") {
        program.advance(25h);
        program.run_all();
        CHECK(program.count(InboxState::dead) == 1);
        CHECK(program.heard->tries.back().reason.find("63016") != std::string::npos);
        CHECK_FALSE(dialogue.state_of(customer));
    }
    SUBCASE("sent too late") {
        program.run_all();
        program.advance(25h);
        program.outbox->run_until_idle();
        CHECK(program.sent().empty());
        for (const auto& job : program.outbox->list({})) {
            CHECK(job.reason == DeadReason::expired);
        }
    }
}

TEST_CASE("a program may enqueue and write with a turn where there is an inbox") {
    const auto steps = [](Dialogue& dialogue) {
        dialogue.first("one", [](DialogueTurn& t) {
            t.enqueue(OutboundText{.to = "+447700900999", .body = "a new one"}, {.key = "mine"});
            t.at_commit([](const NativeTransaction&) {});
        });
    };
    Program program;
    Dialogue dialogue{std::make_shared<MemoryStore>(), {.clock = program.clock}};
    steps(dialogue);
    program.use([&](WebhookHandler& handler) { dialogue.attach(handler); });
    program.receive(message(1, "Hi"));
    program.run_all();
    CHECK(program.outbox->find("", "mine"));
    PlainProgram plain{std::make_shared<MemoryStore>(), steps};
    CHECK(plain.receive(1, "Hi").status == 500);
    CHECK(plain.service.heard->entries.back().reason.find("client") != std::string::npos);
}

TEST_CASE("what a dialogue knows of a customer is exported, and forgotten with the rest") {
    const auto clock = std::make_shared<ManualClock>();
    const auto store = std::make_shared<GlassStore>();
    const auto customers =
        std::make_shared<Customers>(store, CustomersOptions{.key = Secret{"k"}, .clock = clock});
    DialogueOptions options{.customers = customers};
    PlainProgram program{store, count_messages, options};
    program.receive(1, "Hi");
    program.receive(2, "Lee Panther");
    PlainProgram other{store, count_messages, {.name = "survey", .customers = customers}};
    other.receive(3, "Hi");
    REQUIRE(store->holds("7700900123"));
    const auto json = customers->export_of(customer).value();
    INFO(json);
    CHECK(json.find(R"("dialogue":[{"address":"whatsapp:+447700900123")") != std::string::npos);
    CHECK(json.find(R"("values":{"count":"1","name":"Lee Panther"})") != std::string::npos);
    CHECK(json.find(R"("dialogue survey":[{)") != std::string::npos);

    const auto report = customers->forget(customer).value();
    CHECK(report.complete());
    CHECK(report.erased == std::vector<std::string>{"dialogue", "dialogue survey", "links"});
    INFO("nowhere in the store");
    for (const auto& text :
         {std::string{"7700900123"}, std::string{"Lee"}, inbox_test::sid_of(2)}) {
        CHECK_FALSE(store->holds(text));
    }
    CHECK_FALSE(program.state());
    CHECK(customers->export_of(customer).value().find("Lee") == std::string::npos);
}

TEST_CASE("a dialogue that began under a number goes on under a user id") {
    const auto clock = std::make_shared<ManualClock>();
    const auto store = std::make_shared<GlassStore>();
    const auto customers =
        std::make_shared<Customers>(store, CustomersOptions{.key = Secret{"k"}, .clock = clock});
    PlainProgram program{store, count_messages, {.customers = customers}};
    program.receive(1, "Hi");
    const auto sender = Sender::parse(test::sender).value();
    const Address id = Address::from_wire("whatsapp:GB.4f1a");
    const Address number = Address::from_wire(customer);
    customers->learn(sender, std::vector{number, id}).value();
    CHECK(program.dialogue.state_of("whatsapp:GB.4f1a")->step == "count");
    const auto answer = program.service.handler.handle(message(2, "Lee", "whatsapp:GB.4f1a"));
    CHECK(said_by(answer) == "Lee 1");
    CHECK(program.state()->values.at("name") == "Lee");
    INFO("who has the number next has nothing of it");
    clock->advance(1h);
    program.service.clock->advance(30min);
    customers->learn(sender, std::vector{number, Address::from_wire("whatsapp:GB.9zzz")}).value();
    program.service.clock->advance(1h);
    CHECK_FALSE(program.state());
    CHECK(said_by(program.receive(3, "Hi")) == "Hello. What is your name?");
}

}  // namespace dialogue_asking_test
