/// What an inbox promises, on the files of SQLite.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <memory>
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

}  // namespace

TEST_CASE("in a file, each customer's events are handled in order and answered once") {
    const TestDirectory directory;
    Program program{{}, {}, files_in(directory)};
    std::string seen;
    bool fails = true;
    program.use([&](WebhookHandler& handler) {
        handler.on_text([&](const InboundMessage& inbound) {
            seen += inbound.body + ' ';
            if (std::exchange(fails, false)) throw std::runtime_error{"no"};
            return MessagingResponse{"You said: " + inbound.body};
        });
        handler.on_status(
            [&](const twiliowa::StatusCallback& callback) { seen += callback.status.str() + ' '; });
    });
    program.receive(message(1, "A1"));
    program.receive(message(2, "A2"));
    program.receive(message(3, "B1", "whatsapp:+447700900124"));
    program.receive(twiliowa::test::status("delivered"));
    program.run_all();
    CHECK(seen == "delivered A1 B1 A1 A2 ");
    program.restart();
    program.receive(message(1, "A1"));
    program.run_all();
    program.outbox->run_until_idle();
    CHECK(program.sent().size() == 3);
    CHECK(program.count(InboxState::done) == 4);
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

TEST_CASE("killed at any of its works on a file, an inbox answers at most once") {
    const TestDirectory directory;
    CHECK(inbox_test::kill_at_each_work(files_in(directory)) > 20);
}

}  // namespace inbox_on_sqlite_test
