/// The events of an inbox, and a program's own rows, in the file of an outbox.
#include <doctest/doctest.h>
#include <sqlite3.h>

#include <fstream>
#include <functional>
#include <iterator>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/testing/check_inbox_storage.hpp>

#include "sqlite/inbox_transaction.hpp"
#include "support/at_scale.hpp"
#include "support/show.hpp"
#include "unit/sqlite/file_service.hpp"

namespace sqlite_inbox_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using sqlite_test::Database;
using sqlite_test::TestDirectory;
using twiliowa::test::at_scale;
using twiliowa::test::containing;
using twiliowa::testing::check_inbox_storage;

namespace {

struct InboxFile {
    std::shared_ptr<SqliteOutbox> open(SqliteOutboxOptions options = {}) const {
        options.busy_timeout = 60s;
        return std::make_shared<SqliteOutbox>(path, std::move(options));
    }
    std::string text_of(const std::string& sql) const { return Database{path}.text_of(sql); }

    TestDirectory directory;
    std::string path = directory.path + "/outbox.db";
};

std::string lines_of(const std::vector<std::string>& faults) {
    std::string lines;
    for (const auto& fault : faults) lines += fault + '\n';
    return lines;
}

StoredEvent event_of(int number) {
    StoredEvent event;
    event.key = "key-" + std::to_string(number);
    event.line = "line-" + std::to_string(number);
    event.customer = "whatsapp:+447700900123";
    event.payload = "the secret word";
    return event;
}

Result<void> take(OutboxStorage& storage, int number) {
    return storage.transact([number](OutboxTransaction& t) -> Result<void> {
        const auto taken = t.inbox()->take(event_of(number), {});
        if (!taken) return taken.error();
        return {};
    });
}

/// Runs one statement of the program's in a work: SQLite's code.
int run_natively(OutboxTransaction& t, const std::string& sql) {
    return sqlite3_exec(t.native().sqlite, sql.c_str(), nullptr, nullptr, nullptr);
}

/// Works that are handed over while another is under way: in one commit, as far as they can be.
std::vector<Result<void>> run_in_one_commit(SqliteOutbox& storage,
                                            const std::vector<OutboxStorage::Work>& works) {
    std::latch started{1};
    std::latch go_on{1};
    std::thread first{[&] {
        storage
            .transact([&](OutboxTransaction&) -> Result<void> {
                started.count_down();
                go_on.wait();
                return {};
            })
            .value();
    }};
    started.wait();
    std::vector<Result<void>> results(works.size());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < works.size(); ++i) {
        threads.emplace_back([&, i] { results[i] = storage.transact(works[i]); });
        // In this order.
        while (storage.stats().waiting <= i) std::this_thread::yield();
    }
    go_on.count_down();
    for (auto& thread : threads) thread.join();
    first.join();
    return results;
}

OutboxStorage::Work taking(int number) {
    return [number](OutboxTransaction& t) -> Result<void> {
        t.inbox()->take(event_of(number), {}).value();
        return {};
    };
}

/// What SQLite did for a statement that is run to its end.
struct StatementCost {
    int rows = 0;
    int steps = 0;    ///< Of its virtual machine.
    int scanned = 0;  ///< Rows of a table that no index leads to.
    int sorted = 0;
    std::string plan = {};
};

/// Of the account that is named by nothing.
StatementCost cost_of(sqlite3* database, const std::string& sql, std::int64_t limit) {
    StatementCost cost;
    sqlite3_stmt* statement = nullptr;
    REQUIRE(sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK);
    sqlite3_bind_text(statement, 1, "", 0, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, 4'000'000'000'000'000);
    sqlite3_bind_int64(statement, 3, limit);
    while (sqlite3_step(statement) == SQLITE_ROW) ++cost.rows;
    cost.steps = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 0);
    cost.scanned = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_FULLSCAN_STEP, 0);
    cost.sorted = sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_SORT, 0);
    sqlite3_finalize(statement);
    REQUIRE(sqlite3_prepare_v2(database, ("explain query plan " + sql).c_str(), -1, &statement,
                               nullptr) == SQLITE_OK);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        cost.plan += reinterpret_cast<const char*>(sqlite3_column_text(statement, 3));
        cost.plan += '\n';
    }
    sqlite3_finalize(statement);
    return cost;
}

/// So many that are done, and others that wait, in lines of equal length.
void fill(const std::string& path, int done, int waiting, int lines) {
    const Database file{path};
    const auto count = [](int number) {
        return "with recursive n(i) as (select 1 union all select i + 1 from n where i < " +
               std::to_string(number) + ") ";
    };
    REQUIRE(file.run(
        "begin; " + count(done) +
        "insert into inbox_event (key, line, message_sid, state, not_before, payload) "
        "select 'done-' || i, 'line-' || (i % " +
        std::to_string(lines) + "), 'SM' || i, 2, 1000 + i, 'payload' from n; " + count(waiting) +
        "insert into inbox_event (key, line, message_sid, not_before, behind, payload) "
        "select 'waits-' || i, 'line-' || (i % " +
        std::to_string(lines) + "), 'SN' || i, 1000 + i, i > " + std::to_string(lines) +
        ", 'payload' from n; "
        "insert into inbox_key (key, event) select key, sequence from inbox_event; "
        "update inbox_tally set events = (select count(*) from inbox_event "
        "where inbox_event.state = inbox_tally.state); commit"));
}

}  // namespace

TEST_CASE("a SqliteOutbox keeps the contract of an inbox's storage") {
    const InboxFile file;
    CHECK(lines_of(check_inbox_storage([&] { return file.open(); })) == "");
    CHECK(file.text_of("pragma integrity_check") == "ok");
    // What is counted is what is there.
    CHECK(file.text_of("select count(*) from (select state, count(*) from inbox_event group by 1 "
                       "except select state, events from inbox_tally)") == "0");
    CHECK(file.text_of(
              "select sum(events) = (select count(*) from inbox_event) from inbox_tally") == "1");
    CHECK(file.text_of("select count(*) from inbox_event where key not in "
                       "(select key from inbox_key)") == "0");
}

TEST_CASE("one SqliteOutbox serves the inbox of any number of threads") {
    const InboxFile file;
    const auto storage = file.open();
    CHECK(lines_of(check_inbox_storage([&] { return storage; }, {.threads = 16})) == "");
}

TEST_CASE("whose turn it is costs as little with a million events that are done as with none") {
    const InboxFile few;
    const InboxFile many;
    for (const auto* const file : {&few, &many}) static_cast<void>(file->open());
    fill(few.path, 1'000, 1'000, 1'000);
    fill(many.path, at_scale(50'000, 1'000'000), at_scale(20'000, 100'000), 1'000);
    const auto sql = detail::ready_events_sql();
    const auto with_few = cost_of(Database{few.path}.handle, sql, 50);
    const auto with_many = cost_of(Database{many.path}.handle, sql, 50);
    for (const auto& cost : {with_few, with_many}) {
        CHECK(cost.rows == 50);
        CHECK(cost.scanned == 0);
        CHECK(cost.sorted == 0);
        // By three indexes, and by no scan of a table.
        CHECK(cost.plan == containing("inbox_event_account (account_sid=? AND behind=? AND "
                                      "not_before<?)"));
        CHECK(cost.plan == containing("inbox_event_running (line=?)"));
        CHECK(cost.plan == containing("inbox_event_line (line=? AND sequence<?)"));
        CHECK_FALSE(cost.plan == containing("SCAN"));
    }
    CHECK(with_many.steps <= with_few.steps + 10);
    CHECK(with_many.steps < 50 * 100);
}

TEST_CASE(
    "the next account is found as fast where one has many events, or many are behind others") {
    const InboxFile file;
    const auto storage = file.open();
    fill(file.path, 1'000, at_scale(20'000, 100'000), 10);
    REQUIRE(Database{file.path}.run(
        "insert into inbox_event (key, account_sid, not_before) values ('other', 'AC1', 1000), "
        "('third', 'AC2', 1000)"));
    const Database database{file.path};
    const auto cost = cost_of(database.handle, detail::next_account_sql(), 0);
    CHECK(cost.rows == 1);
    CHECK(cost.scanned == 0);
    CHECK(cost.sorted == 0);
    CHECK(cost.steps < 100);
    CHECK(cost.plan == containing("inbox_event_account"));
    storage
        ->transact([&](OutboxTransaction& t) -> Result<void> {
            auto& inbox = *t.inbox();
            const auto far = TimePoint{} + 24h * 365 * 100;
            CHECK(inbox.ready_accounts({.now = far, .limit = 100}).value() ==
                  std::vector<std::string>{"", "AC1", "AC2"});
            CHECK(inbox.waiting("", 1'000'000).value() == at_scale(20'000, 100'000));
            CHECK(inbox.waiting("", 10).value() == 10);
            sqlite3_stmt* statement = nullptr;
            while ((statement = sqlite3_next_stmt(t.native().sqlite, statement)) != nullptr) {
                const std::string sql = sqlite3_sql(statement);
                if (sql.find("inbox_event_account") == std::string::npos) continue;
                if (sql.find("count(*)") != std::string::npos) continue;
                CAPTURE(sql);
                CHECK(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 0) < 1'000);
            }
            return {};
        })
        .value();
}

TEST_CASE("of a line the first alone is looked at, whatever became of it") {
    const InboxFile file;
    const auto storage = file.open();
    const auto change = [&](std::int64_t sequence, InboxState state) {
        storage
            ->transact([&](OutboxTransaction& t) -> Result<void> {
                auto event = t.inbox()->load({&sequence, 1}).value().at(0);
                event.state = state;
                return t.inbox()->save(event);
            })
            .value();
    };
    const auto behind = [&] {
        return file.text_of("select behind from inbox_event where state = 0 order by sequence");
    };
    for (int i = 0; i < 4; ++i) {
        storage
            ->transact([&](OutboxTransaction& t) -> Result<void> {
                auto event = event_of(i);
                event.line = "line";
                t.inbox()->take(event, {}).value();
                return {};
            })
            .value();
    }
    CHECK(behind() == "0111");
    change(1, InboxState::running);
    CHECK(behind() == "111");
    change(1, InboxState::waiting);
    CHECK(behind() == "0111");
    change(2, InboxState::dead);
    CHECK(behind() == "011");
    change(1, InboxState::done);
    CHECK(behind() == "01");
    // One in the middle that waits again, behind one before it.
    change(4, InboxState::dead);
    change(4, InboxState::waiting);
    CHECK(behind() == "01");
    // And the first: the mark of the one that was is left to what `ready` asks.
    change(2, InboxState::waiting);
    CHECK(behind() == "001");
}

TEST_CASE("nothing that an inbox asks walks over what is done") {
    const InboxFile file;
    const auto storage = file.open();
    fill(file.path, 50'000, 10'000, 1'000);
    storage
        ->transact([&](OutboxTransaction& t) -> Result<void> {
            auto& inbox = *t.inbox();
            const auto far = TimePoint{} + 24h * 365 * 100;
            auto event = event_of(1);
            event.line = "line-1";
            inbox.take(event, "signature").value();
            inbox.take(event, "another").value();
            auto first = inbox.ready({.now = far, .limit = 1}).value().at(0);
            for (const auto state : {InboxState::running, InboxState::waiting, InboxState::dead,
                                     InboxState::waiting, InboxState::running, InboxState::done}) {
                first.state = state;
                inbox.save(first).value();
                inbox.abandoned({"boot", 1}, 10).value();
            }
            auto second = inbox.ready({.now = far, .limit = 1}).value().at(0);
            second.line = "line-2";
            inbox.rewrite(second).value();
            inbox.next_due().value();
            inbox.newest_arrival().value();
            inbox.oldest_waiting().value();
            inbox.counts().value();
            for (const auto state : {InboxState::waiting, InboxState::running, InboxState::dead,
                                     InboxState::dropped}) {
                inbox.list({.state = state, .limit = 10}).value();
            }
            inbox.list({.message_sid = "SM40000"}).value();
            inbox.list({.customers = {event.customer}}).value();
            inbox.redact(far, 10).value();
            inbox.purge(far, far, 10).value();
            // Each row that is walked over costs some of these; there are fifty thousand.
            constexpr int most_steps = 5'000;
            int asked = 0;
            sqlite3_stmt* statement = nullptr;
            while ((statement = sqlite3_next_stmt(t.native().sqlite, statement)) != nullptr) {
                const std::string sql = sqlite3_sql(statement);
                if (sql.find("inbox_") == std::string::npos) continue;
                ++asked;
                CAPTURE(sql);
                CHECK(sqlite3_stmt_status(statement, SQLITE_STMTSTATUS_VM_STEP, 0) < most_steps);
            }
            CHECK(asked > 25);
            return {};
        })
        .value();
}

TEST_CASE("the indexes of what waits hold nothing that is over") {
    const InboxFile file;
    const auto storage = file.open();
    for (int i = 0; i < 3; ++i) take(*storage, i).value();
    const auto hot = [&] {
        // Each by the condition of its index, word by word.
        return file.text_of(
                   "select count(*) from inbox_event indexed by inbox_event_ready where state = "
                   "0") +
               file.text_of(
                   "select count(*) from inbox_event indexed by inbox_event_account where state = "
                   "0") +
               file.text_of(
                   "select count(*) from inbox_event indexed by inbox_event_line "
                   "where state = 0 and out_of_order = 0 and line <> ''") +
               file.text_of(
                   "select count(*) from inbox_event indexed by inbox_event_running "
                   "where state = 1 and out_of_order = 0 and line <> ''") +
               file.text_of(
                   "select count(*) from inbox_event indexed by inbox_event_open where state < 2") +
               file.text_of(
                   "select count(*) from inbox_event indexed by inbox_event_lease where state = 1");
    };
    CHECK(hot() == "333030");
    storage
        ->transact([](OutboxTransaction& t) -> Result<void> {
            for (auto& event : t.inbox()->list({}).value()) {
                event.state = InboxState::done;
                t.inbox()->save(event).value();
            }
            return {};
        })
        .value();
    CHECK(hot() == "000000");
}

TEST_CASE("what an inbox erased is not left in its file") {
    const InboxFile file;
    {
        const auto storage = file.open();
        take(*storage, 1).value();
        storage
            ->transact([](OutboxTransaction& t) -> Result<void> {
                auto event = t.inbox()->list({}).value().at(0);
                event.state = InboxState::done;
                t.inbox()->save(event).value();
                CHECK(t.inbox()->redact(event.updated_at + 1h, 10).value() == 1);
                return {};
            })
            .value();
    }
    std::ifstream bytes{file.path, std::ios::binary};
    const std::string left{std::istreambuf_iterator<char>{bytes}, {}};
    CHECK(left.find("secret word") == std::string::npos);
    CHECK(left.find("447700900123") == std::string::npos);
}

TEST_CASE("a statement of an inbox that failed undoes its work, even if that took no notice") {
    const InboxFile file;
    const auto storage = file.open();
    const auto result = storage->transact([](OutboxTransaction& t) -> Result<void> {
        t.set_fact("name", "value").value();
        auto too_long = event_of(1);
        too_long.key = std::string(5'000, 'k');
        const auto refused = t.inbox()->take(too_long, {});
        CHECK_FALSE(refused.has_value());
        CHECK(refused.error().what() == containing("store: refuses a value"));
        return {};
    });
    REQUIRE_FALSE(result.has_value());
    CHECK(is_store_error(result.error()));
    CHECK(file.text_of("select count(*) from outbox_fact") == "0");
}

// ---- A program's own rows

TEST_CASE("a program's rows are committed with an event, or undone with it") {
    const InboxFile file;
    const auto storage = file.open();
    REQUIRE(Database{file.path}.run("create table invoice (number integer primary key)"));
    const auto work = [](bool fails) {
        return [fails](OutboxTransaction& t) -> Result<void> {
            CHECK(t.native().postgresql == nullptr);
            t.inbox()->take(event_of(1), {}).value();
            CHECK(run_natively(t, "insert into invoice values (1)") == SQLITE_OK);
            if (fails) return Error::invalid_request("n", "fails");
            return {};
        };
    };
    const auto* const both =
        "select (select count(*) from invoice) || '/' || "
        "(select count(*) from inbox_event)";
    CHECK_FALSE(storage->transact(work(true)).has_value());
    CHECK(file.text_of(both) == "0/0");
    CHECK(storage->transact(work(false)).has_value());
    CHECK(file.text_of(both) == "1/1");
}

TEST_CASE("a work that only a program's statements change is committed, whatever they are") {
    const InboxFile file;
    const auto storage = file.open();
    const auto run = [&](const std::string& sql) {
        return storage->transact([&](OutboxTransaction& t) -> Result<void> {
            if (run_natively(t, sql) != SQLITE_OK) return Error::invalid_request("n", "fails");
            return {};
        });
    };
    CHECK(run("create table invoice (number integer primary key)").has_value());
    CHECK(run("pragma user_version = 7").has_value());
    CHECK(run("insert into invoice values (1)").has_value());
    CHECK(file.text_of("pragma user_version") == "7");
    CHECK(file.text_of("select count(*) from invoice") == "1");
    // And undone, if it fails beside others.
    const auto failing = [](OutboxTransaction& t) -> Result<void> {
        CHECK(run_natively(t, "create table made (number)") == SQLITE_OK);
        return Error::invalid_request("n", "fails");
    };
    const auto results = run_in_one_commit(*storage, {taking(1), failing, taking(2)});
    CHECK_FALSE(results[1].has_value());
    CHECK(file.text_of("select count(*) from sqlite_schema where name = 'made'") == "0");
    CHECK(file.text_of("select count(*) from inbox_event") == "2");
}

TEST_CASE("a program's statement that fails is undone alone") {
    const InboxFile file;
    const auto storage = file.open();
    REQUIRE(Database{file.path}.run(
        "create table invoice (number integer primary key); "
        "create table entry (number integer primary key on conflict rollback); "
        "insert into invoice values (1); insert into entry values (1)"));
    std::string before;
    std::string statement;
    SUBCASE("a conflict") {
        statement = "insert into invoice values (1)";
    }
    SUBCASE("a conflict after other rows") {
        before = "insert into invoice values (2)";
        statement = "insert into invoice values (1)";
    }
    SUBCASE("a conflict that keeps what was before it") {
        statement = "insert or fail into invoice values (2), (3), (1)";
    }
    SUBCASE("a table that it had made") {
        before = "create table made (number)";
        statement = "insert into invoice values (1)";
    }
    SUBCASE("a conflict that ends the transaction") {
        statement = "insert or rollback into invoice values (1)";
    }
    SUBCASE("a table whose conflicts end the transaction") {
        before = "insert into invoice values (2)";
        statement = "insert into entry values (1)";
    }
    SUBCASE("a commit") {
        before = "insert into invoice values (2)";
        statement = "commit";
    }
    const auto failing = [&](OutboxTransaction& t) -> Result<void> {
        t.inbox()->take(event_of(100), {}).value();
        if (!before.empty()) CHECK(run_natively(t, before) == SQLITE_OK);
        CHECK(run_natively(t, statement) != SQLITE_OK);
        return Error::invalid_request("program", "fails");
    };
    // Before others and after them, and with one that has its own statement.
    const auto with_own = [](OutboxTransaction& t) -> Result<void> {
        t.inbox()->take(event_of(3), {}).value();
        CHECK(run_natively(t, "insert into invoice values (10)") == SQLITE_OK);
        return {};
    };
    const auto results =
        run_in_one_commit(*storage, {taking(1), failing, taking(2), with_own, taking(4)});
    CHECK(results[0].has_value());
    REQUIRE_FALSE(results[1].has_value());
    CHECK(results[1].error().what() == containing("program: fails"));
    for (const std::size_t i : {2U, 3U, 4U}) CHECK(results[i].has_value());
    CHECK(file.text_of("select group_concat(key) from inbox_event") == "key-1,key-2,key-3,key-4");
    CHECK(file.text_of("select group_concat(number) from invoice") == "1,10");
    CHECK(file.text_of("select count(*) from sqlite_schema where name = 'made'") == "0");
    CHECK(file.text_of("select events from inbox_tally where state = 0") == "4");
    // Alone, too.
    const auto alone = storage->transact(failing);
    REQUIRE_FALSE(alone.has_value());
    CHECK(alone.error().what() == containing("program: fails"));
    CHECK(take(*storage, 5).has_value());
    CHECK(file.text_of("select group_concat(number) from invoice") == "1,10");
}

TEST_CASE("a work whose transaction a program's statement ended is told so, and others are not") {
    const InboxFile file;
    const auto storage = file.open();
    REQUIRE(Database{file.path}.run("create table invoice (number integer primary key)"));
    std::string statement;
    SUBCASE("by a commit") {
        statement = "commit";
    }
    SUBCASE("by a rollback") {
        statement = "rollback";
    }
    SUBCASE("by a rollback and another beginning") {
        statement = "rollback; begin; insert into invoice values (5)";
    }
    const auto ending = [&](OutboxTransaction& t) -> Result<void> {
        t.inbox()->take(event_of(100), {}).value();
        run_natively(t, "insert into invoice values (1)");
        run_natively(t, statement);
        return {};
    };
    const auto results = run_in_one_commit(*storage, {taking(1), ending, taking(2)});
    CHECK(results[0].has_value());
    CHECK(results[2].has_value());
    REQUIRE_FALSE(results[1].has_value());
    CHECK(is_store_error(results[1].error()));
    CHECK(results[1].error().what() == containing("statement of the program's"));
    CHECK_FALSE(results[1].error().hint().empty());
    CHECK(file.text_of("select group_concat(key) from inbox_event") == "key-1,key-2");
    CHECK(file.text_of("select count(*) from invoice") == "0");
    CHECK_FALSE(storage->transact(ending).has_value());
    CHECK(take(*storage, 3).has_value());
}

TEST_CASE("a statement that a program left running stops no commit, and holds no one's view") {
    const InboxFile file;
    const auto storage = file.open();
    REQUIRE(
        Database{file.path}.run("create table invoice (number integer primary key); "
                                "insert into invoice values (1), (2)"));
    std::string sql;
    SUBCASE("one that reads") {
        sql = "select number from invoice";
    }
    SUBCASE("one that writes") {
        sql = "insert into invoice values (3), (4) returning number";
    }
    sqlite3_stmt* statement = nullptr;
    storage
        ->transact([&](OutboxTransaction& t) -> Result<void> {
            CHECK(sqlite3_prepare_v2(t.native().sqlite, sql.c_str(), -1, &statement, nullptr) ==
                  SQLITE_OK);
            CHECK(sqlite3_step(statement) == SQLITE_ROW);
            return {};
        })
        .value();
    // Another process writes meanwhile.
    REQUIRE(Database{file.path}.run("insert into invoice values (9)"));
    CHECK(take(*storage, 1).has_value());
    storage
        ->transact([&](OutboxTransaction&) -> Result<void> {
            sqlite3_finalize(statement);
            return {};
        })
        .value();
    CHECK(file.text_of("select count(*) from invoice") == (sql.front() == 's' ? "3" : "5"));
}

TEST_CASE("a foreign key of a program's that is deferred breaks nobody's commit") {
    const InboxFile file;
    const auto storage = file.open();
    REQUIRE(Database{file.path}.run(
        "create table invoice (number integer primary key); create table line (invoice integer "
        "references invoice (number) deferrable initially deferred)"));
    const auto dangling = [](OutboxTransaction& t) -> Result<void> {
        run_natively(t, "pragma foreign_keys = on");
        CHECK(run_natively(t, "insert into line values (7)") == SQLITE_OK);
        return {};
    };
    for (const auto& result : run_in_one_commit(*storage, {taking(1), dangling, taking(2)})) {
        CHECK(result.has_value());
    }
}

// ---- A file of a program's

TEST_CASE("an outbox's tables are made beside a program's, and leave the header to it") {
    const InboxFile file;
    REQUIRE(
        Database{file.path}.run("create table invoice (number); insert into invoice values (1)"));
    const auto state_of = [&] {
        return file.text_of("pragma application_id") + '/' + file.text_of("pragma user_version");
    };
    std::string header = "0/0";
    SUBCASE("without a header of its own") {}
    SUBCASE("with a header of its own") {
        REQUIRE(Database{file.path}.run("pragma application_id = 77; pragma user_version = 12"));
        header = "77/12";
    }
    SUBCASE("with the header of a later outbox's version by chance") {
        REQUIRE(Database{file.path}.run("pragma user_version = 9"));
        header = "0/9";
    }
    // Not without having been asked to, and without a trace.
    const auto refused = SqliteOutbox::migrate(file.path);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().what() == containing("store: is a database of another program"));
    CHECK(refused.error().hint() == containing("allow_other_tables"));
    CHECK(file.text_of("pragma journal_mode") == "delete");
    CHECK_THROWS_AS(file.open({.create = false, .allow_other_tables = true}), TransportError);

    take(*file.open({.allow_other_tables = true}), 1).value();
    CHECK(state_of() == header);
    CHECK(file.text_of("select version from twiliowa_schema") == "5");
    CHECK(file.text_of("pragma journal_mode") == "wal");
    CHECK(file.text_of("select count(*) from invoice") == "1");
    // Who opens it needs not to know, and the program goes on with its header and its tables.
    const auto other = file.open({.create = false});
    take(*other, 2).value();
    REQUIRE(Database{file.path}.run("create table later (number); pragma user_version = 13"));
    take(*other, 3).value();
    take(*file.open(), 4).value();
    CHECK(SqliteOutbox::migrate(file.path).has_value());
    CHECK(file.text_of("pragma user_version") == "13");
    CHECK(file.text_of("select count(*) from inbox_event") == "4");
    // A later version is noticed here, too.
    REQUIRE(Database{file.path}.run("update twiliowa_schema set version = 6"));
    const auto late = take(*other, 5);
    REQUIRE_FALSE(late.has_value());
    CHECK(late.error().what() == containing("later version"));
    CHECK_THROWS_AS(file.open({.allow_other_tables = true}), TransportError);
}

TEST_CASE("a program makes its tables in an outbox's file, before or after") {
    const InboxFile file;
    std::string header;
    SUBCASE("of a file that is the outbox's alone") {
        take(*file.open(), 1).value();
        CHECK(file.text_of("pragma user_version") == "5");
    }
    SUBCASE("of a file that was made to be shared") {
        take(*file.open({.allow_other_tables = true}), 1).value();
        CHECK(file.text_of("pragma user_version") == "0");
        CHECK(file.text_of("pragma application_id") == "0");
    }
    const auto storage = file.open({.allow_other_tables = true});
    // With whatever it does to the header: the tables know themselves.
    REQUIRE(Database{file.path}.run("create table invoice (number integer primary key)"));
    for (const auto* const sql : {"pragma user_version = 1", "pragma user_version = 40",
                                  "pragma application_id = 5", "pragma application_id = 0"}) {
        REQUIRE(Database{file.path}.run(sql));
        CHECK(storage->transact([](OutboxTransaction& t) -> Result<void> {
            CHECK(run_natively(t, "insert into invoice values (null)") == SQLITE_OK);
            return {};
        }));
        CHECK_NOTHROW(file.open());
        CHECK_NOTHROW(file.open({.allow_other_tables = true}));
        CHECK(SqliteOutbox::migrate(file.path).has_value());
    }
    CHECK(file.text_of("pragma user_version") == "40");
    CHECK(file.text_of("select count(*) from inbox_event") == "1");
    CHECK(file.text_of("select count(*) from invoice") == "4");
}

TEST_CASE("a name that a program has taken is refused by name, and nothing is made") {
    const InboxFile file;
    std::string name;
    SUBCASE("a table") {
        REQUIRE(Database{file.path}.run("create table outbox (id)"));
        name = "outbox";
    }
    SUBCASE("a table, written otherwise") {
        REQUIRE(Database{file.path}.run("create table Inbox_Event (id)"));
        name = "inbox_event";
    }
    SUBCASE("a view") {
        REQUIRE(Database{file.path}.run("create view outbox_message as select 1"));
        name = "outbox_message";
    }
    SUBCASE("an index") {
        REQUIRE(
            Database{file.path}.run("create table t (id); create index outbox_job_sid on t (id)"));
        name = "outbox_job_sid";
    }
    const auto before = file.text_of("select group_concat(name) from sqlite_schema");
    for (const bool migrating : {false, true}) {
        std::string words;
        if (migrating) {
            const auto made = SqliteOutbox::migrate(file.path, {.allow_other_tables = true});
            REQUIRE_FALSE(made.has_value());
            words = made.error().what();
            CHECK_FALSE(made.error().hint().empty());
        } else {
            try {
                file.open({.allow_other_tables = true});
            } catch (const TransportError& error) {
                words = error.what();
            }
        }
        CHECK(words == containing("store: has another program's " + name));
    }
    CHECK(file.text_of("select group_concat(name) from sqlite_schema") == before);
}

TEST_CASE("a program's file in UTF-16 is refused, and stays as it was") {
    const InboxFile file;
    REQUIRE(Database{file.path}.run("pragma encoding = 'UTF-16'; create table invoice (number)"));
    const auto made = SqliteOutbox::migrate(file.path, {.allow_other_tables = true});
    REQUIRE_FALSE(made.has_value());
    CHECK(made.error().what() == containing("store: is kept in UTF-16"));
    CHECK(file.text_of("select group_concat(name) from sqlite_schema") == "invoice");
    CHECK(file.text_of("pragma journal_mode") == "delete");
}

TEST_CASE("several processes make an outbox's tables in a program's file at once") {
    const InboxFile file;
    REQUIRE(Database{file.path}.run("create table invoice (number)"));
    constexpr int many = 8;
    std::vector<std::thread> threads;
    for (int i = 0; i < many; ++i) {
        threads.emplace_back(
            [&, i] { CHECK(take(*file.open({.allow_other_tables = true}), i).has_value()); });
    }
    for (auto& thread : threads) thread.join();
    CHECK(file.text_of("select count(*) from inbox_event") == std::to_string(many));
}

TEST_CASE("a job is handed over in a program's own transaction on its own file") {
    const InboxFile file;
    const Database program{file.path};
    REQUIRE(program.run("create table invoice (number integer primary key); begin immediate"));
    StoredJob job;
    job.id = JobId{JobId::Bytes{1}};
    job.key = "key";
    job.content_hash = "hash";
    job.payload = "{}";
    const auto lacks = SqliteOutbox::insert_into(program.handle, job);
    REQUIRE_FALSE(lacks.has_value());
    CHECK(lacks.error().what() == containing("schema: has no tables of an outbox"));
    REQUIRE(program.run("commit; pragma user_version = 5"));
    const auto storage = file.open({.allow_other_tables = true});
    REQUIRE(program.run("begin immediate; insert into invoice values (1)"));
    CHECK(SqliteOutbox::insert_into(program.handle, job).value().inserted);
    REQUIRE(program.run("commit"));
    CHECK(file.text_of("select count(*) from outbox_job") == "1");
}

}  // namespace sqlite_inbox_test
