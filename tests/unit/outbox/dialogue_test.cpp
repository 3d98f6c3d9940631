#include <twiliowa/outbox/dialogue.hpp>

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "support/store_doubles.hpp"
#include "unit/outbox/dialogue_service.hpp"

namespace dialogue_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using inbox_test::InboxState;
using inbox_test::ManualClock;
using inbox_test::message;
using inbox_test::Program;
using inbox_test::sid_of;
using test::customer;
using twiliowa::testing::GlassStore;
using twiliowa::testing::SteppedStore;

namespace {

/// A store whose writes of dialogues go wrong.
class FaultyStore final : public Store {
public:
    enum class Write { right, refused, lost, overtaken };

    Result<std::optional<StoredValue>> get(std::string_view key) override { return inner.get(key); }
    Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                          std::string_view value,
                                          std::chrono::milliseconds time_to_live,
                                          Keep keep) override {
        if (!key.starts_with("dialogue ")) {
            return inner.compare_and_set(key, expected, value, time_to_live, keep);
        }
        ++writes;
        if (write == Write::refused) return store_error("cannot be reached");
        if (write == Write::overtaken) return std::uint64_t{0};
        auto written = inner.compare_and_set(key, expected, value, time_to_live, keep);
        if (write == Write::lost) return store_error("lost the answer");
        return written;
    }
    Result<bool> erase(std::string_view key, std::uint64_t expected) override {
        return inner.erase(key, expected);
    }

    MemoryStore inner;
    Write write = Write::right;
    int writes = 0;
};

/// With an inbox, and the dialogue attached anew after each restart.
struct BotProgram {
    explicit BotProgram(std::shared_ptr<Store> kept, PlainProgram::Steps chosen = count_messages,
                        InboxOptions inbox = {})
        : store(std::move(kept)), steps(std::move(chosen)), program(std::move(inbox)) {
        program.use([this](WebhookHandler& handler) {
            dialogue = make();
            dialogue->attach(handler);
        });
    }

    std::unique_ptr<Dialogue> make() const {
        auto with = options;
        with.clock = program.clock;
        with.from = test::sender;
        auto made = std::make_unique<Dialogue>(store, with);
        steps(*made);
        return made;
    }
    void receive(int number, const std::string& body) {
        CHECK(program.receive(message(number, body)) == 200);
    }
    void run_all() {
        program.run_all();
        program.outbox->run_until_idle();
    }
    /// What was sent, oldest first.
    std::string sent() const {
        std::string all;
        auto bodies = program.sent();
        for (auto it = bodies.rbegin(); it != bodies.rend(); ++it) all += *it + '|';
        return all;
    }
    std::optional<DialogueState> state() const { return dialogue->state_of(customer); }

    std::shared_ptr<Store> store;
    PlainProgram::Steps steps;
    DialogueOptions options;
    Program program;
    std::unique_ptr<Dialogue> dialogue;
};

int status_of_typo(bool caught) {
    const auto store = std::make_shared<MemoryStore>();
    PlainProgram program{store, [&](Dialogue& dialogue) {
                             count_messages(dialogue);
                             dialogue.step("wrong", [caught](DialogueTurn& t) {
                                 t.set("name", "changed");
                                 t.reply("This must not leave");
                                 try {
                                     t.next("typo");
                                 } catch (const InvalidRequestError& error) {
                                     CHECK(error.field() == "next");
                                     if (!caught) throw;
                                 }
                             });
                         }};
    program.dialogue.begin(customer, "wrong", {{"name", "Lee"}});
    const auto before = program.state();
    const auto answer = program.receive(1, "Hi");
    CHECK(said_by(answer).empty());
    CHECK(program.state() == before);
    return answer.status;
}

}  // namespace

TEST_CASE("each message reaches the step that the one before has named") {
    PlainProgram program{std::make_shared<MemoryStore>()};
    CHECK_FALSE(program.state());
    CHECK(said_by(program.receive(1, "Hi")) == "Hello. What is your name?");
    CHECK(program.state() == DialogueState{1, "count", {}});
    CHECK(said_by(program.receive(2, " Lee ")) == "Lee 1");
    CHECK(said_by(program.receive(3, "more")) == "Lee 2");
    CHECK(program.state() == DialogueState{1, "count", {{"count", "2"}, {"name", "Lee"}}});
    CHECK_FALSE(program.dialogue.state_of("+447700900999"));
}

TEST_CASE("with an inbox answers leave through its outbox, over restarts") {
    BotProgram bot{std::make_shared<MemoryStore>()};
    bot.receive(1, "Hi");
    bot.receive(2, "Lee");
    bot.run_all();
    bot.program.restart();
    bot.receive(3, "more");
    bot.receive(2, "Lee");
    bot.run_all();
    CHECK(bot.sent() == "Hello. What is your name?|Lee 1|Lee 2|");
    CHECK(bot.state()->values.at("count") == "2");
}

TEST_CASE("a dialogue that has ended begins anew, and remembers nothing") {
    PlainProgram program{std::make_shared<MemoryStore>(), [](Dialogue& dialogue) {
                             dialogue.first("one", [](DialogueTurn& t) {
                                 CHECK(t.get("word").empty());
                                 t.set("word", t.answer());
                                 t.next("two");
                             });
                             dialogue.step("two", [](DialogueTurn& t) {
                                 CHECK(t.step() == "two");
                                 t.reply(t.get("word"));
                                 t.end();
                             });
                         }};
    for (int i = 0; i < 2; ++i) {
        program.receive(2 * i + 1, "word");
        CHECK(said_by(program.receive(2 * i + 2, "?")) == "word");
        CHECK_FALSE(program.state());
    }
}

TEST_CASE("a step that names no next one is reached again") {
    PlainProgram program{std::make_shared<MemoryStore>(), [](Dialogue& dialogue) {
                             dialogue.first("age", [](DialogueTurn& t) {
                                 if (!t.number()) return t.reply("A number, please");
                                 t.reply(std::to_string(*t.number() + 1));
                             });
                         }};
    CHECK(said_by(program.receive(1, "twelve")) == "A number, please");
    CHECK(said_by(program.receive(2, " 12 ")) == "13");
    CHECK(said_by(program.receive(3, "+7")) == "8");
    CHECK(said_by(program.receive(4, "-7")) == "-6");
    CHECK(said_by(program.receive(5, "1.5")) == "A number, please");
    CHECK(said_by(program.receive(6, "99999999999999999999")) == "A number, please");
    CHECK(said_by(program.receive(7, "+-7")) == "A number, please");
}

TEST_CASE("a next step that is not there fails the turn and leaves the state as it was") {
    CHECK(status_of_typo(false) == 500);
    CHECK(status_of_typo(true) == 500);
}

TEST_CASE("what cannot be a dialogue is refused when it is set up") {
    const auto store = std::make_shared<MemoryStore>();
    test::Service service;
    const auto refused = [](const std::function<void()>& call) {
        try {
            call();
        } catch (const InvalidRequestError& error) {
            return error.field();
        }
        return std::string{"nothing"};
    };
    Dialogue dialogue{store};
    CHECK(refused([&] { dialogue.attach(service.handler); }) == "first");
    dialogue.step("other", [](DialogueTurn&) {});
    CHECK(refused([&] { dialogue.attach(service.handler); }) == "first");
    CHECK(refused([&] { dialogue.step("", [](DialogueTurn&) {}); }) == "step");
    CHECK(refused([&] { dialogue.step(std::string(101, 'x'), [](DialogueTurn&) {}); }) == "step");
    CHECK(refused([&] { dialogue.step("other", [](DialogueTurn&) {}); }) == "step");
    CHECK(refused([&] { dialogue.step("empty", {}); }) == "step");
    dialogue.first("one", [](DialogueTurn&) {});
    CHECK(refused([&] { dialogue.first("two", [](DialogueTurn&) {}); }) == "first");
    dialogue.attach(service.handler);
    CHECK(refused([&] { dialogue.step("late", [](DialogueTurn&) {}); }) == "step");
    CHECK(refused([&] { dialogue.begin(customer, "typo"); }) == "step");
    CHECK(refused([&] { static_cast<void>(dialogue.state_of(customer)); }) == "sender");
    CHECK(refused([&] { static_cast<void>(dialogue.state_of("Lee", test::sender)); }) == "To");
    CHECK(refused([&] { Dialogue{nullptr}; }) == "store");
    CHECK(refused([&] { Dialogue(store, {.name = ""}); }) == "name");
    CHECK(refused([&] { Dialogue(store, {.time_out = 0ms}); }) == "time_out");
    CHECK(refused([&] { Dialogue(store, {.wait = -1ms}); }) == "wait");
}

TEST_CASE("a step that another write overtakes runs again on what is remembered now") {
    const auto store = std::make_shared<SteppedStore>();
    const auto other_store = std::shared_ptr<Store>(store, &store->inner);
    SUBCASE("with an inbox") {
        BotProgram bot{store};
        Dialogue other{other_store, {.from = test::sender, .clock = bot.program.clock}};
        count_messages(other);
        bot.receive(1, "Hi");
        bot.run_all();
        bot.receive(2, "Lee");
        store->before_write = [&] { other.begin(customer, "count", {{"name", "Ann"}}); };
        bot.run_all();
        CHECK(bot.sent() == "Hello. What is your name?|Ann 1|");
        CHECK(bot.state()->values.at("name") == "Ann");
    }
    SUBCASE("without one") {
        PlainProgram program{store};
        Dialogue other{other_store, program.with_clock({})};
        count_messages(other);
        program.receive(1, "Hi");
        const auto overtake = [&] { other.begin(customer, "count", {{"name", "Ann"}}); };
        // Ahead of it the customer is claimed.
        store->before_write = [&] { store->before_write = overtake; };
        CHECK(said_by(program.receive(2, "Lee")) == "Ann 1");
    }
}

TEST_CASE("a step that is overtaken each time gives up, and nothing leaves") {
    const auto store = std::make_shared<FaultyStore>();
    SUBCASE("with an inbox it is tried again") {
        BotProgram bot{store};
        bot.receive(1, "Hi");
        store->write = FaultyStore::Write::overtaken;
        bot.program.inbox->run_until_idle();
        CHECK(store->writes == 4);
        store->write = FaultyStore::Write::right;
        bot.run_all();
        CHECK(bot.sent() == "Hello. What is your name?|");
        CHECK(bot.program.heard->tries.front().outcome == InboxOutcome::failed);
    }
    SUBCASE("without one Twilio is asked to try again") {
        PlainProgram program{store};
        store->write = FaultyStore::Write::overtaken;
        const auto answer = program.receive(1, "Hi");
        CHECK(answer.status == 503);
        CHECK(said_by(answer).empty());
        CHECK(store->writes == 4);
    }
}

TEST_CASE("no reply leaves without its state") {
    const auto store = std::make_shared<FaultyStore>();
    store->write = FaultyStore::Write::refused;
    SUBCASE("with an inbox") {
        BotProgram bot{store, count_messages, {.max_tries = 2}};
        bot.receive(1, "Hi");
        bot.run_all();
        CHECK(bot.sent().empty());
        CHECK(bot.program.count(InboxState::dead) == 1);
        CHECK_FALSE(bot.state());
    }
    SUBCASE("without one") {
        PlainProgram program{store};
        const auto answer = program.receive(1, "Hi");
        CHECK(answer.status == 503);
        CHECK(said_by(answer).empty());
        CHECK_FALSE(program.state());
        store->write = FaultyStore::Write::right;
        CHECK(said_by(program.receive(1, "Hi")) == "Hello. What is your name?");
    }
}

TEST_CASE("a write whose answer was lost is made good by the next try, and nothing is said twice") {
    const auto store = std::make_shared<FaultyStore>();
    SUBCASE("with an inbox") {
        BotProgram bot{store};
        bot.receive(1, "Hi");
        bot.receive(2, "Lee");
        store->write = FaultyStore::Write::lost;
        bot.program.inbox->run_until_idle();
        store->write = FaultyStore::Write::right;
        bot.run_all();
        CHECK(bot.sent() == "Hello. What is your name?|Lee 1|");
    }
    SUBCASE("without one") {
        PlainProgram program{store};
        program.receive(1, "Hi");
        store->write = FaultyStore::Write::lost;
        CHECK(program.receive(2, "Lee").status == 503);
        store->write = FaultyStore::Write::right;
        CHECK(said_by(program.receive(2, "Lee")) == "Lee 1");
        CHECK(said_by(program.receive(3, "more")) == "Lee 2");
    }
}

TEST_CASE("a message that another process has answered, and others after it, changes nothing") {
    const auto store = std::make_shared<MemoryStore>();
    PlainProgram program{store};
    PlainProgram forgetful{store};  // it knows no events of the other
    program.receive(1, "Hi");
    program.receive(2, "Lee");
    program.receive(3, "more");
    const auto before = program.state();
    const auto answer = forgetful.receive(2, "Lee");
    CHECK(answer.status == 200);
    CHECK(said_by(answer).empty());
    CHECK(program.state() == before);
    INFO("the newest one is answered again, as its answer may not have left");
    CHECK(said_by(forgetful.receive(3, "more")) == "Lee 2");
    CHECK(program.state() == before);
}

TEST_CASE("what an overtaken step has said is not said when the message is another's by now") {
    const auto store = std::make_shared<SteppedStore>();
    PlainProgram program{store};
    program.receive(1, "Hi");
    BotProgram other{std::shared_ptr<Store>(store, &store->inner)};  // its turns take no lease
    const auto overtake = [&] {
        other.receive(2, "Lee");
        other.receive(3, "more");
        other.run_all();
    };
    store->before_write = [&] { store->before_write = overtake; };
    const auto answer = program.receive(2, "Lee");
    CHECK(answer.status == 200);
    CHECK(said_by(answer).empty());
    CHECK(other.sent() == "Lee 1|Lee 2|");
}

TEST_CASE("a process that dies at any of its works with the storage loses and doubles nothing") {
    int deaths = 0;
    for (const bool writes_last : {false, true}) {
        for (int works = 3;; ++works) {
            BotProgram bot{std::make_shared<MemoryStore>(), count_messages, {.max_tries = 50}};
            auto& program = bot.program;
            const auto whole = program.storage;
            const auto dying =
                std::make_shared<outbox_test::CrashingStorage>(whole, works, writes_last);
            program.storage = dying;
            program.restart();
            std::vector<int> answered;
            for (int i = 1; i <= 4; ++i) answered.push_back(program.receive(message(i, "Lee")));
            static_cast<void>(program.inbox->try_run_until_idle());
            static_cast<void>(program.outbox->try_run_until_idle());
            const bool died = dying->left <= 0;
            program.storage = whole;
            program.restart();
            program.advance(2min);
            for (int i = 1; i <= 4; ++i) {
                if (answered[static_cast<std::size_t>(i - 1)] != 200) {
                    program.receive(message(i, "Lee"));
                }
            }
            bot.run_all();
            CAPTURE(works);
            CHECK(program.count(InboxState::done) == 4);
            CHECK(bot.state()->values.at("count") == "3");
            std::vector<std::string> jobs;
            for (const auto& job : program.outbox->list({})) jobs.push_back(job.message->body);
            CHECK(jobs ==
                  std::vector<std::string>{"Hello. What is your name?", "Lee 1", "Lee 2", "Lee 3"});
            if (!died) break;
            ++deaths;
        }
    }
    CHECK(deaths > 20);
}

TEST_CASE("a turn whose commit fails in the end leaves the state as it was") {
    int commits = 0;
    BotProgram bot{std::make_shared<MemoryStore>(),
                   [&](Dialogue& dialogue) {
                       count_messages(dialogue);
                       dialogue.step("order", [&](DialogueTurn& t) {
                           t.reply("It is ordered");
                           t.at_commit([&](const NativeTransaction&) {
                               ++commits;
                               throw std::runtime_error{"no"};
                           });
                           t.end();
                       });
                   },
                   {.max_tries = 3}};
    bot.dialogue->begin(customer, "order", {{"what", "shoes"}});
    const auto before = bot.state();
    bot.receive(1, "yes");
    bot.run_all();
    CHECK(commits == 3);
    CHECK(bot.program.count(InboxState::dead) == 1);
    CHECK(bot.state() == before);
    CHECK(bot.sent().empty());
}

TEST_CASE("who has lost the event to another process changes nothing") {
    const auto store = std::make_shared<SteppedStore>();
    BotProgram bot{store};
    int processes = 0;
    std::function<void()> in_first_step;
    bot.steps = [&](Dialogue& made) {
        const auto process = std::to_string(++processes);
        made.first("hello", [&, process](DialogueTurn& t) {
            if (const auto act = std::exchange(in_first_step, nullptr)) act();
            t.reply("of " + process);
            t.set("said", process);
            t.next("more");
        });
        made.step("more", [process](DialogueTurn& t) {
            t.reply("more of " + process);
            t.set("more", process);
        });
    };
    bot.program.restart();
    // A second process, on the same storage, takes the event when the lease of the first has ended.
    std::unique_ptr<Outbox> outbox;
    std::shared_ptr<DurableInbox> inbox;
    std::unique_ptr<WebhookHandler> handler;
    std::unique_ptr<Dialogue> dialogue;
    const auto other_process = [&] {
        auto& program = bot.program;
        program.advance(1min);
        outbox = std::make_unique<Outbox>(program.storage, OutboxOptions{.clock = program.clock});
        inbox = std::make_shared<DurableInbox>(*outbox, program.options);
        handler = std::make_unique<WebhookHandler>(
            RequestValidator{test::token},
            WebhookOptions{.public_url = PublicUrl::fixed("https://example.com"), .inbox = inbox});
        dialogue = bot.make();
        dialogue->attach(*handler);
        while (true) {
            const auto report = inbox->run_until_idle();
            if (!report.next_due) return;
            program.clock->advance(*report.next_due - program.clock->now());
        }
    };
    std::string more;
    SUBCASE("that it had begun to handle") {
        in_first_step = other_process;
        bot.receive(1, "one");
    }
    SUBCASE("before it had read what is remembered") {
        bot.receive(1, "one");
        store->before_read = other_process;
    }
    SUBCASE("when others have come after it") {
        in_first_step = other_process;
        bot.receive(1, "one");
        bot.receive(2, "two");
        more = "2";
    }
    bot.run_all();
    CHECK(processes == 2);
    CHECK(bot.state()->values.at("said") == "2");
    CHECK(bot.state()->values.contains("more") == !more.empty());
    std::string jobs;
    for (const auto& job : bot.program.outbox->list({})) jobs += job.message->body + '|';
    CHECK(jobs == (more.empty() ? "of 2|" : "of 2|more of 2|"));
}

TEST_CASE("a program of another version meets what an older one has left") {
    const auto store = std::make_shared<MemoryStore>();
    PlainProgram older{store, count_messages, {.version = 2}};
    older.receive(1, "Hi");
    older.receive(2, "Lee");
    const auto left = older.state();
    const auto steps = [](Dialogue& dialogue) {
        dialogue.first("start", [](DialogueTurn& t) {
            t.reply("Welcome back, " + t.get("name"));
            t.next("count");
        });
        dialogue.step("count", [](DialogueTurn& t) { t.reply("new " + t.get("name")); });
    };
    SUBCASE("a later one begins again, with what was known") {
        PlainProgram later{store, steps, {.version = 3}};
        CHECK(said_by(later.receive(3, "more")) == "Welcome back, Lee");
        CHECK(later.state() == DialogueState{3, "count", {{"count", "1"}, {"name", "Lee"}}});
        CHECK(said_by(later.receive(4, "more")) == "new Lee");
    }
    SUBCASE("a step that is there no more is another version") {
        PlainProgram later{store,
                           [](Dialogue& dialogue) {
                               dialogue.first("start", [](DialogueTurn& t) {
                                   t.reply("Welcome back, " + t.get("name"));
                               });
                           },
                           {.version = 2}};
        CHECK(said_by(later.receive(3, "more")) == "Welcome back, Lee");
    }
    SUBCASE("an earlier one leaves it to the later one") {
        PlainProgram earlier{store, count_messages, {.version = 1}};
        const auto answer = earlier.receive(3, "more");
        CHECK(answer.status == 503);
        CHECK(said_by(answer).empty());
        CHECK(older.state() == left);
        CHECK(said_by(older.receive(3, "more")) == "Lee 2");
    }
    SUBCASE("a function makes the new of the old") {
        PlainProgram later{store, steps, {.version = 3, .convert = [&](const DialogueState& old) {
                                              CHECK(old == *left);
                                              auto made = old;
                                              made.values["name"] += " P.";
                                              return std::optional{made};
                                          }}};
        CHECK(said_by(later.receive(3, "more")) == "new Lee P.");
        CHECK(later.state()->version == 3);
    }
    SUBCASE("what that function cannot go on with stays") {
        PlainProgram later{store, steps, {.version = 3, .convert = [](const DialogueState&) {
                                              return std::optional<DialogueState>{};
                                          }}};
        CHECK(later.receive(3, "more").status == 503);
        CHECK(later.state() == left);
    }
    SUBCASE("a step that it names wrongly is said") {
        PlainProgram later{
            store, steps, {.version = 3, .convert = [](const DialogueState& old) {
                               return std::optional{DialogueState{3, "typo", old.values}};
                           }}};
        CHECK(later.receive(3, "more").status == 500);
        CHECK(later.state() == left);
    }
}

TEST_CASE("what something else has written is left as it is") {
    const auto store = std::make_shared<GlassStore>();
    PlainProgram program{store};
    program.receive(1, "Hi");
    const auto key = store->all("dialogue ").begin()->first;
    const auto version = store->get(key)->value().version;
    store->compare_and_set(key, version, "dialogue2 of another format", 1h, Keep::pinned).value();
    CHECK(program.receive(2, "Lee").status == 503);
    CHECK(store->get(key)->value().value == "dialogue2 of another format");
}

TEST_CASE("a dialogue that nobody goes on with is over when its time is") {
    const auto clock = std::make_shared<ManualClock>();
    const auto store = std::make_shared<MemoryStore>(MemoryStoreOptions{.clock = clock});
    PlainProgram program{store, count_messages, {.time_out = 10min}};
    program.receive(1, "Hi");
    clock->advance(9min);
    CHECK(said_by(program.receive(2, "Lee")) == "Lee 1");
    clock->advance(9min);
    CHECK(said_by(program.receive(3, "more")) == "Lee 2");
    clock->advance(10min);
    CHECK_FALSE(program.state());
    CHECK(said_by(program.receive(4, "again")) == "Hello. What is your name?");
}

TEST_CASE("a state that would be too large fails the turn and changes nothing") {
    const auto store = std::make_shared<MemoryStore>();
    const auto keep = [](std::size_t bytes) {
        return [bytes](Dialogue& dialogue) {
            dialogue.first("keep", [bytes](DialogueTurn& t) {
                t.set("long", std::string(bytes, 'x'));
                t.reply("kept");
            });
        };
    };
    PlainProgram small{store, keep(3'800)};
    CHECK(said_by(small.receive(1, "Hi")) == "kept");
    CHECK(said_by(small.receive(2, "Hi")) == "kept");
    const auto before = small.state();
    PlainProgram large{store, keep(4'000)};
    const auto answer = large.receive(3, "Hi");
    CHECK(answer.status == 500);
    CHECK(large.service.heard->entries.back().reason.find("state") != std::string::npos);
    CHECK(large.state() == before);
}

TEST_CASE("any bytes are remembered, and those that are no text are not sent") {
    const std::string bytes{"\xff\xfe\0 x", 5};
    BotProgram bot{std::make_shared<MemoryStore>(), [&](Dialogue& dialogue) {
                       dialogue.first("keep", [&](DialogueTurn& t) {
                           t.set(bytes, bytes);
                           t.next("show");
                       });
                       dialogue.step("show", [&](DialogueTurn& t) {
                           CHECK(t.get(bytes) == bytes);
                           t.unset(bytes);
                           t.unset("not there");
                           CHECK_THROWS_AS(t.buttons(bytes, {"One"}), InvalidRequestError);
                           t.reply("still here");
                       });
                   }};
    bot.receive(1, "Hi");
    bot.run_all();
    CHECK(bot.state()->values.at(bytes) == bytes);
    bot.receive(2, "Hi");
    bot.run_all();
    CHECK(bot.sent() == "still here|");
    CHECK(bot.state()->values.empty());
}

TEST_CASE("what a step throws leaves the state as it was") {
    bool throws = true;
    PlainProgram program{std::make_shared<MemoryStore>(), [&](Dialogue& dialogue) {
                             dialogue.first("one", [&](DialogueTurn& t) {
                                 t.set("a", 1);
                                 t.reply("said");
                                 if (throws) throw std::runtime_error{"no"};
                             });
                         }};
    CHECK(program.receive(1, "Hi").status == 500);
    CHECK_FALSE(program.state());
    throws = false;
    CHECK(said_by(program.receive(1, "Hi")) == "said");
}

TEST_CASE("a customer is not waited for without end") {
    const auto store = std::make_shared<MemoryStore>();
    PlainProgram other{store};
    int status = 0;
    PlainProgram program{store, [&](Dialogue& dialogue) {
                             dialogue.first("slow", [&](DialogueTurn& t) {
                                 status = other.receive(2, "meanwhile").status;
                                 t.reply("done");
                             });
                         }};
    CHECK(said_by(program.receive(1, "Hi")) == "done");
    CHECK(status == 503);
    CHECK(other.service.heard->entries.back().reason.find("another message") != std::string::npos);
    INFO("and is free afterwards");
    CHECK(other.receive(2, "meanwhile").status == 200);
}

TEST_CASE("a dialogue may be begun and ended from outside") {
    PlainProgram program{std::make_shared<MemoryStore>()};
    program.dialogue.begin(customer, "count", {{"name", "Lee"}});
    CHECK(said_by(program.receive(1, "Hi")) == "Lee 1");
    CHECK(program.dialogue.end(customer));
    CHECK_FALSE(program.dialogue.end(customer));
    CHECK_FALSE(program.state());
    CHECK(said_by(program.receive(2, "Hi")) == "Hello. What is your name?");
}

TEST_CASE("dialogues of another name, sender or scope are others") {
    const auto store = std::make_shared<MemoryStore>();
    PlainProgram one{store};
    one.receive(1, "Hi");
    CHECK(one.state());
    CHECK_FALSE(PlainProgram(store, count_messages, {.name = "other"}).state());
    CHECK_FALSE(PlainProgram(store, count_messages, {.scope = "other"}).state());
    CHECK_FALSE(one.dialogue.state_of(customer, "+14155238887"));
}

}  // namespace dialogue_test
