/// What an inbox promises, in a PostgreSQL that several processes share.
#include <doctest/doctest.h>
#include <libpq-fe.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/postgresql/postgres_outbox.hpp>

#include "database.hpp"
#include "support/show.hpp"
#include "timed_database.hpp"
#include "unit/outbox/inbox_service.hpp"

namespace inbox_on_postgres_test {

using namespace std::chrono_literals;
using inbox_test::InboxState;
using inbox_test::ManualClock;
using inbox_test::message;
using inbox_test::Program;
using inbox_test::sid_of;
using twiliowa::DurableInbox;
using twiliowa::InboundMessage;
using twiliowa::JobState;
using twiliowa::MessagingResponse;
using twiliowa::NativeTransaction;
using twiliowa::PostgresOutbox;
using twiliowa::Turn;
using twiliowa::WebhookHandler;
using twiliowa::test::containing;
using twiliowa::test::Database;
using twiliowa::test::lacks_postgres;
using twiliowa::test::TimedDatabase;
using twiliowa::test::TimedStorage;

namespace {

/// Each time as if it were another database.
Program::Storages storages_in(const TimedDatabase& database) {
    return [&database](const std::shared_ptr<ManualClock>& clock) {
        database.clear();
        return std::make_shared<TimedStorage>(database.url(), clock);
    };
}

void run_sql(PGconn* connection, const std::string& sql) {
    auto* const result = PQexec(connection, sql.c_str());
    const bool done = PQresultStatus(result) == PGRES_COMMAND_OK;
    PQclear(result);
    if (!done) throw std::runtime_error{"the statement failed"};
}

std::string end_sessions_of(const Database& database) {
    return "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '" +
           database.name + "' and pid <> pg_backend_pid()";
}

}  // namespace

TEST_CASE("in PostgreSQL, each customer's events are handled in order and answered once") {
    if (lacks_postgres()) return;
    const TimedDatabase database;
    inbox_test::answer_in_order(storages_in(database));
}

TEST_CASE("in PostgreSQL, accounts take turns") {
    if (lacks_postgres()) return;
    const TimedDatabase database;
    inbox_test::take_turns(storages_in(database));
}

TEST_CASE("killed at any of its works in PostgreSQL, an inbox answers at most once") {
    if (lacks_postgres()) return;
    const TimedDatabase database;
    CHECK(inbox_test::kill_at_each_work(storages_in(database)) > 20);
}

TEST_CASE("a database that was put back to a backup answers nothing again") {
    if (lacks_postgres()) return;
    const TimedDatabase database;
    inbox_test::restore_to_nothing(storages_in(database));
}

TEST_CASE("a server that ends its sessions in any of an inbox's works loses and doubles nothing") {
    if (lacks_postgres()) return;
    /// In one of its works the connection ends, before or after what it does.
    struct Severed final : twiliowa::OutboxStorage {
        twiliowa::Result<void> transact(const Work& work) override {
            const bool severs = left > 0 && --left == 0;
            bool first = severs;
            return storage->transact([&](twiliowa::OutboxTransaction& t) {
                const bool now = std::exchange(first, false);
                if (now && !after) database->psql(end_sessions_of(*database));
                auto done = work(t);
                if (now && after) database->psql(end_sessions_of(*database));
                return done;
            });
        }
        std::uint32_t outbox_id() const override { return storage->outbox_id(); }
        twiliowa::LeaseTime lease_now() const override { return storage->lease_now(); }
        std::optional<twiliowa::TimePoint> now() const override { return storage->now(); }
        std::string identity() const override { return storage->identity(); }
        std::shared_ptr<PostgresOutbox> storage;
        const Database* database = nullptr;
        int left = 0;
        bool after = false;
    };
    for (const bool after : {false, true}) {
        for (int works = 1;; ++works) {
            CAPTURE(works);
            CAPTURE(after);
            const Database database;
            const auto severed = std::make_shared<Severed>();
            severed->storage = std::make_shared<PostgresOutbox>(database.url());
            severed->database = &database;
            severed->after = after;
            Program program{{}, {}, [&](const auto&) { return severed; }};
            program.use([](WebhookHandler& handler) {
                handler.on_text([](const InboundMessage& inbound) {
                    return MessagingResponse{"You said: " + inbound.body};
                });
            });
            severed->left = works;
            CHECK(program.receive(message(1, "Hi")) == 200);
            program.inbox->run_until_idle();
            program.outbox->run_until_idle();
            const bool was_severed = severed->left == 0;
            CHECK(program.count(InboxState::done) == 1);
            CHECK(program.sent() == std::vector<std::string>{"You said: Hi"});
            if (!was_severed) break;
            CHECK(severed->storage->stats().connections == 2);
        }
    }
}

// ---- With the event, or not at all

TEST_CASE("in PostgreSQL, rows of the program's own are there with the event, or not at all") {
    if (lacks_postgres()) return;
    const TimedDatabase database;
    database.psql("create table shop_order (number text unique)");
    Program program{{}, {}, storages_in(database)};
    int runs = 0;
    program.use([&](WebhookHandler& handler) {
        handler.on_text([&](Turn& turn) {
            const bool fails = ++runs == 1;
            turn.reply("It is ordered.");
            turn.at_commit([=](const NativeTransaction& transaction) {
                REQUIRE(transaction.postgresql != nullptr);
                CHECK(transaction.sqlite == nullptr);
                run_sql(transaction.postgresql, "insert into shop_order values ('A-1042')");
                if (fails) throw std::runtime_error{"no"};
            });
        });
    });
    program.receive(message(1, "Order"));
    CHECK(program.inbox->run_until_idle().failed == 1);
    CHECK(database.psql("select count(*) from shop_order") == "0");
    CHECK(program.outbox->counts().of(JobState::ready) == 0);
    program.run_all();
    CHECK(runs == 2);
    CHECK(database.psql("select count(*) from shop_order") == "1");
    CHECK(program.outbox->counts().of(JobState::ready) == 1);
    CHECK(program.count(InboxState::done) == 1);
}

TEST_CASE("a statement that fails in at_commit, and that nobody looks at, fails the try by name") {
    if (lacks_postgres()) return;
    const TimedDatabase database;
    Program program{{.max_tries = 2}, {}, storages_in(database)};
    program.use([&](WebhookHandler& handler) {
        handler.on_text([&](Turn& turn) {
            turn.reply("It is ordered.");
            turn.at_commit([](const NativeTransaction& transaction) {
                PQclear(PQexec(transaction.postgresql, "insert into nowhere values (1)"));
            });
        });
    });
    program.receive(message(1, "Order"));
    program.receive(message(2, "of another", "whatsapp:+447700900124"));
    program.run_all();
    CHECK(program.count(InboxState::dead) == 2);
    CHECK(program.outbox->counts().of(JobState::ready) == 0);
    const auto dead = program.inbox->list({.state = InboxState::dead});
    REQUIRE(dead.size() == 2);
    CHECK(dead.front().problem == containing("a statement of the program's that failed"));
}

// ---- Whose time it is

TEST_CASE("an event is due when it comes, whatever its machine's clock says") {
    if (lacks_postgres()) return;
    for (const auto later : {-24h, 24h}) {
        const TimedDatabase database;
        Program program{{}, {}, [&](const std::shared_ptr<ManualClock>& clock) {
                            return std::make_shared<TimedStorage>(database.url(), clock, later);
                        }};
        int runs = 0;
        program.use([&](WebhookHandler& handler) {
            handler.on_text([&](const InboundMessage&) {
                if (++runs < 3) throw std::runtime_error{"no"};
            });
        });
        program.receive(message(1, "Hi"));
        auto report = program.inbox->run_until_idle();
        CHECK(runs == 1);
        REQUIRE(report.next_due.has_value());
        // Its pauses are the database's, too.
        const auto pause = *report.next_due - (program.clock->now() + later);
        CHECK(pause > 1s);
        CHECK(pause < 10s);
        program.advance(10s);
        program.inbox->run_until_idle();
        CHECK(runs == 2);
        program.advance(1min);
        program.inbox->run_until_idle();
        CHECK(program.count(InboxState::done) == 1);
    }
}

// ---- Who is forgotten

TEST_CASE("in PostgreSQL a customer is exported, and forgotten in what is over") {
    if (lacks_postgres()) return;
    const TimedDatabase database;
    Program program{{}, {}, storages_in(database)};
    program.use([&](WebhookHandler& handler) {
        handler.on_text([](const InboundMessage& inbound) {
            if (inbound.body == "dead") throw std::runtime_error{"no"};
        });
    });
    program.receive(message(1, "dead"));
    program.receive(message(2, "done"));
    program.receive(message(3, "another's", "whatsapp:+447700900124"));
    program.run_all();
    program.receive(message(4, "waits"));
    const auto part = program.inbox->personal_data();
    const std::vector<twiliowa::CustomerConversation> of{
        {twiliowa::Sender::parse(twiliowa::test::sender).value(),
         {.addresses = {{twiliowa::Address::parse(twiliowa::test::customer).value()}}}}};
    const auto exported = part->export_of(of).value();
    for (const std::string body : {"dead", "done", "waits"}) CHECK(exported == containing(body));
    CHECK(part->forget(of).value().not_yet);
    program.run_all();
    CHECK_FALSE(part->forget(of).value().not_yet);
    CHECK(part->export_of(of).value() == "[]");
    CHECK(program.count(InboxState::dropped) == 1);
    CHECK(database.psql("select count(*) from twiliowa.inbox_payload") == "1");
    CHECK(database.psql("select count(*) from twiliowa.inbox_event_done where customer <> ''") ==
          "1");
}

// ---- Processes that are killed

namespace {

struct BotProcess {
    explicit BotProcess(const Database& database)
        : storage(std::make_shared<PostgresOutbox>(
              database.url(),
              twiliowa::PostgresOutboxOptions{.connect_timeout = 1min, .statement_timeout = 1min})),
          inbox(std::make_shared<DurableInbox>(
              outbox, twiliowa::InboxOptions{.lease = 1s, .pauses = 0ms})) {}

    std::shared_ptr<PostgresOutbox> storage;
    twiliowa::Outbox outbox{storage, {}};
    std::shared_ptr<DurableInbox> inbox;
    WebhookHandler handler{
        twiliowa::RequestValidator{twiliowa::test::token},
        {.public_url = twiliowa::PublicUrl::fixed("https://example.com"), .inbox = inbox}};
};

/// A process's life: it takes messages in and handles them, until one of them kills it.
void live(const Database& database, unsigned seed, int first_message) {
    BotProcess bot{database};
    std::minstd_rand dice{seed};
    enum { in_handler, in_commit, after_it };
    bot.handler.on_text([&](Turn& turn) {
        const bool dies = dice() % 4 == 0;
        const auto where = dice() % 3;
        turn.reply("You said: " + turn.message().body);
        if (dies && where == in_handler) std::raise(SIGKILL);
        turn.at_commit([=](const NativeTransaction& transaction) {
            run_sql(transaction.postgresql, "insert into answered values (1)");
            if (dies && where == in_commit) std::raise(SIGKILL);
        });
    });
    for (int i = 0; i < 3; ++i) {
        const auto number = first_message + i;
        const auto from = "whatsapp:+4477009001" + std::to_string(10 + number % 5);
        bot.handler.handle(message(number, std::to_string(number), from));
        if (dice() % 6 == after_it) std::raise(SIGKILL);
    }
    bot.inbox->run_until_idle();
}

}  // namespace

TEST_CASE(
    "processes that are killed, several at once on one database, leave each event done, with its "
    "one answer, or dead") {
    if (lacks_postgres()) return;
    constexpr int messages_of_each = 3;
    constexpr int at_once = 3;
    const Database database;
    REQUIRE(PostgresOutbox::migrate(database.url()).has_value());
    database.psql("create table answered (one integer)");
    int kills = 0;
    unsigned lives = 0;
    while (kills < 40) {
        std::vector<pid_t> children;
        for (int i = 0; i < at_once; ++i) {
            ++lives;
            const auto child = ::fork();
            REQUIRE(child >= 0);
            if (child == 0) {
                try {
                    live(database, lives, static_cast<int>(lives) * messages_of_each);
                } catch (const std::exception& error) {
                    std::fprintf(stderr, "life %u: %s\n", lives, error.what());
                    ::_exit(1);
                }
                ::_exit(0);
            }
            children.push_back(child);
        }
        for (const auto child : children) {
            int status = 0;
            REQUIRE(::waitpid(child, &status, 0) == child);
            if (WIFSIGNALED(status)) {
                ++kills;
            } else {
                REQUIRE(WEXITSTATUS(status) == 0);
            }
        }
    }
    BotProcess last{database};
    last.handler.on_text([](Turn& turn) {
        turn.reply("You said: " + turn.message().body);
        turn.at_commit([=](const NativeTransaction& transaction) {
            run_sql(transaction.postgresql, "insert into answered values (1)");
        });
    });
    // Leases that are left end by the database's time.
    database.psql("update twiliowa.inbox_event set lease_until = 0 where state = 1");
    last.inbox->run_until_idle();
    std::int64_t done = 0;
    for (const auto& event : last.inbox->list({.limit = 10'000})) {
        const bool is_dead = event.state == InboxState::dead;
        CHECK((is_dead || event.state == InboxState::done));
        const auto answer = last.outbox.find("", event.message_sid + "/1");
        CHECK(answer.has_value() != is_dead);
        if (is_dead) CHECK(event.tries == 5);
        if (!is_dead) ++done;
    }
    CHECK(last.outbox.counts().of(JobState::ready) == done);
    CHECK(database.psql("select count(*) from answered") == std::to_string(done));
    CHECK(done > 40);
}

}  // namespace inbox_on_postgres_test
