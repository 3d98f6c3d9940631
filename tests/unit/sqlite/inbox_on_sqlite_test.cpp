/// What an inbox promises, on the files of SQLite.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>

#include <twiliowa/sqlite/sqlite_outbox.hpp>

#include "unit/outbox/inbox_service.hpp"
#include "unit/sqlite/file_service.hpp"

namespace inbox_on_sqlite_test {

using namespace std::chrono_literals;
using inbox_test::InboxState;
using inbox_test::ManualClock;
using inbox_test::message;
using inbox_test::Program;
using inbox_test::sid_of;
using sqlite_test::TestDirectory;
using twiliowa::InboundMessage;
using twiliowa::JobState;
using twiliowa::MessagingResponse;
using twiliowa::NativeTransaction;
using twiliowa::Turn;
using twiliowa::WebhookHandler;

namespace {

/// Each time another file of the directory.
Program::Storages files_in(const TestDirectory& directory) {
    return [&directory, files = 0](const std::shared_ptr<ManualClock>& clock) mutable {
        return std::make_shared<twiliowa::SqliteOutbox>(
            directory.path + "/" + std::to_string(++files) + ".db",
            twiliowa::SqliteOutboxOptions{
                .clock = clock, .lease_clock = [clock] {
                    return twiliowa::LeaseTime{
                        "boot", std::chrono::duration_cast<std::chrono::microseconds>(
                                    clock->monotonic_now().time_since_epoch())
                                    .count()};
                }});
    };
}

void run_sql(sqlite3* database, const std::string& sql) {
    if (sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
        throw std::runtime_error{"the statement failed"};
    }
}

int orders_in(const std::string& file) {
    sqlite3* database = nullptr;
    REQUIRE(sqlite3_open(file.c_str(), &database) == SQLITE_OK);
    sqlite3_stmt* select = nullptr;
    REQUIRE(sqlite3_prepare_v2(database, "select count(*) from shop_order", -1, &select, nullptr) ==
            SQLITE_OK);
    REQUIRE(sqlite3_step(select) == SQLITE_ROW);
    const int orders = sqlite3_column_int(select, 0);
    sqlite3_finalize(select);
    sqlite3_close(database);
    return orders;
}

/// A process's life: it takes messages in and handles them, until one of them kills it.
void live(const std::string& file, unsigned seed, int first_message) {
    const auto clock = std::make_shared<ManualClock>();
    clock->advance(std::chrono::hours{seed});
    const auto storage = std::make_shared<twiliowa::SqliteOutbox>(
        file, twiliowa::SqliteOutboxOptions{
                  .clock = clock, .lease_clock = [seed] {
                      return twiliowa::LeaseTime{"boot", std::int64_t{seed} * 3'600'000'000};
                  }});
    twiliowa::Outbox outbox{storage, {.clock = clock}};
    const auto inbox =
        std::make_shared<twiliowa::DurableInbox>(outbox, twiliowa::InboxOptions{.clock = clock});
    WebhookHandler handler{twiliowa::RequestValidator{twiliowa::test::token},
                           {.public_url = twiliowa::PublicUrl::fixed("https://example.com"),
                            .inbox = inbox,
                            .clock = clock}};
    std::minstd_rand dice{seed};
    enum { in_handler, in_commit, after_it };
    handler.on_text([&](Turn& turn) {
        const bool dies = seed != 0 && dice() % 4 == 0;
        const auto where = dice() % 3;
        turn.reply("You said: " + turn.message().body);
        if (dies && where == in_handler) std::raise(SIGKILL);
        turn.at_commit([=](const NativeTransaction&) {
            if (dies && where == in_commit) std::raise(SIGKILL);
        });
    });
    for (int i = 0; i < 3; ++i) {
        const auto number = first_message + i;
        const auto from = "whatsapp:+4477009001" + std::to_string(10 + number % 5);
        handler.handle(message(number, std::to_string(number), from));
        if (seed != 0 && dice() % 6 == after_it) std::raise(SIGKILL);
    }
    inbox->run_until_idle();
}

}  // namespace

TEST_CASE("in a file, each customer's events are handled in order and answered once") {
    const TestDirectory directory;
    inbox_test::answer_in_order(files_in(directory));
}

TEST_CASE("in a file, accounts take turns") {
    const TestDirectory directory;
    inbox_test::take_turns(files_in(directory));
}

TEST_CASE("rows of the program's own are there with the event, or not at all") {
    const TestDirectory directory;
    Program program{{}, {}, files_in(directory)};
    program.storage
        ->transact([](twiliowa::OutboxTransaction& transaction) -> twiliowa::Result<void> {
            run_sql(transaction.native().sqlite, "create table shop_order (number text unique)");
            return {};
        })
        .value();
    int runs = 0;
    program.use([&](WebhookHandler& handler) {
        handler.on_text([&](Turn& turn) {
            const bool fails = ++runs == 1;
            turn.reply("It is ordered.");
            turn.at_commit([=](const NativeTransaction& transaction) {
                REQUIRE(transaction.sqlite != nullptr);
                run_sql(transaction.sqlite, "insert into shop_order (number) values ('A-1042')");
                if (fails) throw std::runtime_error{"no"};
            });
        });
    });
    program.receive(message(1, "Order"));
    CHECK(program.inbox->run_until_idle().failed == 1);
    CHECK(orders_in(directory.path + "/1.db") == 0);
    CHECK(program.outbox->counts().of(JobState::ready) == 0);
    program.run_all();
    CHECK(runs == 2);
    CHECK(orders_in(directory.path + "/1.db") == 1);
    CHECK(program.outbox->counts().of(JobState::ready) == 1);
}

TEST_CASE("a COMMIT in at_commit fails the try by name, and nothing of the event is written") {
    const TestDirectory directory;
    Program program{{.max_tries = 2}, {}, files_in(directory)};
    program.use([&](WebhookHandler& handler) {
        handler.on_text([&](Turn& turn) {
            turn.reply("It is ordered.");
            turn.at_commit([](const NativeTransaction& transaction) {
                sqlite3_exec(transaction.sqlite, "commit", nullptr, nullptr, nullptr);
            });
        });
    });
    program.receive(message(1, "Order"));
    program.run_all();
    CHECK(program.outbox->counts().of(JobState::ready) == 0);
    const auto dead = program.inbox->list({.state = InboxState::dead});
    REQUIRE(dead.size() == 1);
    CHECK(dead.front().problem.find("lost its transaction") != std::string::npos);
}

TEST_CASE(
    "a hundred processes that are killed leave each event done, with its one answer, or dead") {
    constexpr int messages_of_each = 3;
    const TestDirectory directory;
    const auto file = directory.path + "/killed.db";
    live(file, 0, 0);
    int kills = 0;
    unsigned lives = 0;
    while (kills < 100) {
        ++lives;
        const auto child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            live(file, lives, static_cast<int>(lives) * messages_of_each);
            ::_exit(0);
        }
        int status = 0;
        REQUIRE(::waitpid(child, &status, 0) == child);
        if (WIFSIGNALED(status)) ++kills;
    }
    const auto clock = std::make_shared<ManualClock>();
    clock->advance(std::chrono::hours{24 * 365});
    const auto storage = std::make_shared<twiliowa::SqliteOutbox>(
        file, twiliowa::SqliteOutboxOptions{.clock = clock, .lease_clock = [] {
                                                return twiliowa::LeaseTime{"next", 0};
                                            }});
    twiliowa::Outbox outbox{storage, {.clock = clock}};
    const auto inbox =
        std::make_shared<twiliowa::DurableInbox>(outbox, twiliowa::InboxOptions{.clock = clock});
    WebhookHandler handler{twiliowa::RequestValidator{twiliowa::test::token},
                           {.inbox = inbox, .clock = clock}};
    handler.on_text([](const InboundMessage& inbound) {
        return MessagingResponse{"You said: " + inbound.body};
    });
    inbox->run_until_idle();
    std::int64_t done = 0;
    for (const auto& event : inbox->list({.limit = 10'000})) {
        const bool is_dead = event.state == InboxState::dead;
        CHECK((is_dead || event.state == InboxState::done));
        const auto answer = outbox.find("", event.message_sid + "/1");
        CHECK(answer.has_value() != is_dead);
        if (is_dead) CHECK(event.tries == 5);
        if (!is_dead) ++done;
    }
    CHECK(outbox.counts().of(JobState::ready) == done);
    CHECK(done > 100);
}

TEST_CASE("killed at any of its works on a file, an inbox answers at most once") {
    const TestDirectory directory;
    CHECK(inbox_test::kill_at_each_work(files_in(directory)) > 20);
}

TEST_CASE("a file that was put back to a backup answers nothing again") {
    const TestDirectory directory;
    inbox_test::restore_to_nothing(files_in(directory));
}

}  // namespace inbox_on_sqlite_test
