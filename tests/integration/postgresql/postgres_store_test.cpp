#include <twiliowa/postgresql/postgres_store.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/testing/check_store.hpp>

#include "database.hpp"
#include "state/store_deadline.hpp"
#include "support/forked_store.hpp"
#include "support/show.hpp"

namespace postgres_store_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;
using twiliowa::testing::check_store;

namespace {

using Faults = std::vector<std::string>;

/// In keys and values, and in no error.
const std::string canary = "canary+447700900123";

PostgresStoreOptions patiently() {
    return {.connect_timeout = 30s, .statement_timeout = 30s};
}

std::shared_ptr<PostgresStore> opened(const std::string& url,
                                      PostgresStoreOptions options = patiently()) {
    return std::make_shared<PostgresStore>(url, options);
}

/// Opening it fails, with these words.
std::string refusal(const std::string& url, PostgresStoreOptions options = patiently()) {
    try {
        opened(url, options);
    } catch (const TransportError& error) {
        CHECK(is_store_error(error.error()));
        CHECK_FALSE(error.error().hint().empty());
        return error.what();
    }
    return "it was opened";
}

template <class T>
std::string problem(const Result<T>& result) {
    if (result) return "it was done";
    CHECK(is_store_error(result.error()));
    CHECK(std::string{result.error().what()}.find("canary") == std::string::npos);
    CHECK(std::string{result.error().hint()}.find("canary") == std::string::npos);
    return result.error().what();
}

std::uint64_t put(Store& store, std::string_view key, std::chrono::milliseconds lives = 1h) {
    return store.compare_and_set(key, 0, "v", lives, Keep::pinned).value();
}

bool has(Store& store, std::string_view key) {
    return store.get(key).value().has_value();
}

/// A database whose time is moved by hand.
struct Memory : Database {
    std::shared_ptr<PostgresStore> open(PostgresStoreOptions options = patiently()) const {
        return opened(url(), options);
    }
    void stop_time() const {
        psql(
            "create table public.moved (now timestamptz); "
            "insert into public.moved values (pg_catalog.clock_timestamp()); "
            "create or replace function twiliowa.now() returns timestamptz language sql stable "
            "as 'select now from public.moved'");
    }
    void pass(std::chrono::microseconds time) const {
        psql("update public.moved set now = now + " + std::to_string(time.count()) +
             " * interval '1 microsecond'");
    }
    std::string entries() const { return psql("select count(*) from twiliowa.store_entry"); }
};

std::chrono::milliseconds taken(const std::function<void()>& work) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 begin);
}

}  // namespace

TEST_CASE("a PostgresStore keeps the contract of a store") {
    if (lacks_postgres()) return;
    const Memory m;
    m.open();
    m.stop_time();
    CHECK(check_store([&] { return m.open(); }, {.pass_time = [&](auto time) { m.pass(time); }}) ==
          Faults{});
    const auto store = m.open();
    CHECK(check_store([&] { return store; }, {.pass_time = [&](auto time) { m.pass(time); }}) ==
          Faults{});
}

TEST_CASE("a PostgresStore keeps the contract through PgBouncer in transaction mode") {
    if (lacks_pgbouncer()) return;
    const Memory m;
    TestPgBouncer pooler{m.server};
    const auto open = [&] { return opened(pooler.url(m.name)); };
    open();
    m.stop_time();
    CHECK(check_store(open, {.pass_time = [&](auto time) { m.pass(time); }}) == Faults{});
}

TEST_CASE("by the server's own time, too") {
    if (lacks_postgres()) return;
    const Memory m;
    const auto store = m.open();
    const auto version = put(*store, "k", 24h);
    CHECK(m.psql("select expires_at - now() between interval '23 hours' and interval '24 hours' "
                 "from twiliowa.store_entry") == "t");
    CHECK(m.psql("select version / 1000 between (extract(epoch from now()) - 60) * 1000000 and "
                 "extract(epoch from now()) * 1000000 from twiliowa.store_entry") == "t");
    CHECK(store->get("k").value()->version == version);
}

TEST_CASE("what a PostgresStore holds is there when it is opened again") {
    if (lacks_postgres()) return;
    const Memory m;
    const auto version = put(*m.open(), "k");
    const auto store = m.open();
    CHECK(store->get("k").value()->value == "v");
    CHECK(store->get("k").value()->version == version);
    const OptOuts opt_outs{store};
    CHECK(opt_outs.opt_out("whatsapp:+447700900001", "whatsapp:+447700900123").has_value());
    CHECK(
        OptOuts{m.open()}.is_opted_out("whatsapp:+447700900001", "whatsapp:+447700900123").value());
}

TEST_CASE("a version is not given again by a database that forgot its last writes") {
    if (lacks_postgres()) return;
    const Memory m;
    const auto store = m.open();
    const auto erased = put(*store, "k");
    CHECK(store->erase("k", erased).value());
    const auto written = put(*store, "k");
    CHECK(written > erased);
    // As from a backup that was made before all of it.
    m.psql("truncate twiliowa.store_entry");
    CHECK(put(*m.open(), "k") > written);
    // As if the clock had been set back since: an entry's versions grow all the same.
    m.psql("update twiliowa.store_entry set version = 9000000000000000000");
    const auto later =
        store->compare_and_set("k", 9'000'000'000'000'000'000ULL, "v", 0s, Keep::pinned);
    CHECK(later.value() == 9'000'000'000'000'000'001ULL);
    const auto next = put(*store, "k");
    CHECK(next == 9'000'000'000'000'000'002ULL);
    CHECK(store->erase("k", next).value());
    CHECK_FALSE(store->erase("k", next).value());
    CHECK_FALSE(has(*store, "k"));
    CHECK(put(*store, "k") == 9'000'000'000'000'000'003ULL);
}

TEST_CASE("an entry of a PostgresStore expires to the microsecond") {
    if (lacks_postgres()) return;
    const Memory m;
    const auto store = m.open();
    m.stop_time();
    put(*store, "k", 10s);
    m.pass(10s - 1us);
    CHECK(has(*store, "k"));
    m.pass(1us);
    CHECK_FALSE(has(*store, "k"));
}

TEST_CASE("entries of a PostgresStore that have expired go with later writes, a few at a time") {
    if (lacks_postgres()) return;
    const Memory m;
    const auto store = m.open();
    m.stop_time();
    for (int i = 0; i < 20; ++i) put(*store, "old" + std::to_string(i), 1s);
    put(*store, "kept");
    m.pass(1s);
    const auto version = put(*store, "new");
    CHECK(m.entries() == "14");
    CHECK(store->erase("new", version).value());
    put(*store, "new");
    CHECK(m.entries() == "2");
    CHECK(has(*store, "kept"));
}

TEST_CASE("keys and values of no bytes, of many, and a great many keys at once") {
    if (lacks_postgres()) return;
    const Memory m;
    const auto store = m.open({.max_entry_bytes = 3'000'000, .statement_timeout = 30s});
    CHECK(store->compare_and_set(std::string_view{}, 0, std::string_view{}, 1h, Keep::pinned)
              .value() != 0);
    CHECK(store->get(std::string_view{}).value()->value.empty());
    // Of random bytes, which an index cannot make smaller.
    std::string key;
    for (unsigned i = 0, x = 1; i < 2'600; ++i)
        key += static_cast<char>((x = x * 69'069 + 1) >> 24);
    const std::string value(2'000'000, '\xff');
    CHECK(store->compare_and_set(key, 0, value, 1h, Keep::evictable).value() != 0);
    CHECK(store->get(key).value()->value == value);
    CHECK(problem(store->compare_and_set(key + "x", 0, "v", 1h, Keep::pinned)) ==
          containing("refuses a key of that size"));
    put(*store, "0");
    put(*store, "2500");
    std::vector<std::string> keys;
    for (int i = 0; i <= 2'500; ++i) keys.push_back(std::to_string(i));
    const auto entries = store->get_each(keys).value();
    REQUIRE(entries.size() == keys.size());
    CHECK(entries.front().has_value());
    CHECK(entries.back().has_value());
    CHECK(std::count_if(entries.begin(), entries.end(), [](auto& e) { return e.has_value(); }) ==
          2);
}

TEST_CASE("an entry over the size limit is refused by a PostgresStore") {
    if (lacks_postgres()) return;
    const Memory m;
    const auto store = m.open({.max_entry_bytes = 8});
    CHECK(store->compare_and_set("1234", 0, "5678", 1h, Keep::pinned).value() != 0);
    CHECK(problem(store->compare_and_set("1234", 0, "56789", 1h, Keep::pinned)) ==
          containing("refuses an entry of that size"));
    CHECK(is_store_error(store->compare_and_set("123456789", 0, "", 1h, Keep::pinned).error()));
}

TEST_CASE("options that a PostgresStore cannot have are refused before anything is connected to") {
    const std::string nowhere = "postgresql://a@/b?host=/nowhere";
    CHECK_THROWS_AS(opened(nowhere, {.max_entry_bytes = 0}), InvalidRequestError);
    CHECK_THROWS_AS(opened(nowhere, {.connections = 0}), InvalidRequestError);
    CHECK_THROWS_AS(opened(nowhere, {.connect_timeout = 0ms}), InvalidRequestError);
    CHECK_THROWS_AS(opened(nowhere, {.statement_timeout = -1ms}), InvalidRequestError);
    CHECK_THROWS_AS(opened(""), InvalidRequestError);
    CHECK_THROWS_AS(opened("sqlite:state.db"), InvalidRequestError);
    CHECK_THROWS_AS(opened("postgresql://role:secret@host/database"), InvalidRequestError);
    CHECK(PostgresStore::try_migrate("postgresql://role:secret@host/database").error().kind() ==
          ErrorKind::invalid_request);
    CHECK(refusal(nowhere) == containing("store: cannot be reached"));
}

TEST_CASE("a login or a database that is refused is named") {
    if (lacks_postgres()) return;
    const Memory m;
    CHECK(refusal(m.server.url("nowhere")) == containing("store: has no such database"));
    CHECK(refusal(m.url("nobody_known")) == containing("store: refuses the login"));
}

TEST_CASE("a role that may not make tables is told so, and works with those of another") {
    if (lacks_postgres()) return;
    const Memory m;
    m.psql("drop role if exists teller; create role teller login");
    CHECK(refusal(m.url("teller")) ==
          containing("store: lacks its tables of the store, and this role may not make them"));
    m.psql(PostgresStore::migration_sql());
    CHECK(refusal(m.url("teller")) == containing("store: refuses this role"));
    m.psql(
        "grant usage on schema twiliowa to teller; "
        "grant select, insert, update, delete on all tables in schema twiliowa to teller");
    const auto store = opened(m.url("teller"));
    CHECK(put(*store, "k") != 0);
    m.psql("revoke insert on twiliowa.store_entry from teller");
    CHECK(problem(store->compare_and_set(canary, 0, canary, 1h, Keep::pinned)) ==
          containing("refuses this role (PostgreSQL 42501)"));
    CHECK(has(*store, "k"));
}

TEST_CASE(
    "tables are made when they are asked for, and stay as they are where they are another's") {
    if (lacks_postgres()) return;
    SUBCASE("not by who only wants to use them") {
        const Memory m;
        CHECK(refusal(m.url(), {.create = false}) ==
              containing("store: lacks its tables of the store"));
        PostgresStore::migrate(m.url());
        PostgresStore::migrate(m.url());
        CHECK(put(*m.open({.create = false}), "k") != 0);
    }
    SUBCASE("a later version's") {
        const Memory m;
        put(*m.open(), "k");
        m.psql("update twiliowa.schema_version set version = 2 where component = 'store'");
        CHECK(refusal(m.url()) == containing("of a later version of this library"));
        CHECK(m.entries() == "1");
    }
    SUBCASE("another program's") {
        const Memory m;
        m.psql("create schema twiliowa; create table twiliowa.store_entry (id int)");
        CHECK(refusal(m.url()) == containing("finds a schema twiliowa of another program"));
        CHECK(PostgresStore::try_migrate(m.url()).error().what() ==
              containing("of another program"));
    }
}

TEST_CASE("a database that may only be read, and a standby, are refused by name") {
    if (lacks_postgres()) return;
    const Memory m;
    const auto store = m.open();
    put(*store, "k");
    m.psql("alter database " + m.name + " set default_transaction_read_only = on");
    const auto reader = m.open();
    CHECK(has(*reader, "k"));
    CHECK(problem(reader->compare_and_set(canary, 0, canary, 1h, Keep::pinned)) ==
          containing("is read-only (PostgreSQL 25006)"));
    CHECK(problem(reader->erase(canary, 1)) == containing("is read-only"));
    const TestPostgres standby{{.standby_of = &m.server}};
    CHECK(refusal(standby.url(m.name)) == containing("store: is a standby"));
    // Found by libpq among several.
    const auto both = "postgresql://twiliowa@/postgres?host=" + standby.directory().string() + "," +
                      m.server.directory().string();
    CHECK(refusal(both) == containing("store: is a standby"));
    CHECK(opened(both + "&target_session_attrs=read-write") != nullptr);
}

TEST_CASE("a server that goes away is named, and used again when it is back") {
    if (lacks_postgres()) return;
    TestPostgres server;
    const auto store = opened(server.url("postgres"));
    const auto version = put(*store, canary);
    server.restart();
    CHECK(has(*store, canary));
    server.kill_now();
    CHECK(problem(store->get(canary)) == containing("cannot be reached"));
    CHECK(problem(store->compare_and_set(canary, version, canary, 1h, Keep::pinned)) ==
          containing("cannot be reached"));
    CHECK(problem(store->erase(canary, version)) == containing("cannot be reached"));
    CHECK(problem(store->get_each(std::vector{canary})) == containing("cannot be reached"));
    server.start();
    CHECK(store->get(canary).value()->version == version);
}

TEST_CASE("a server that stands still is named when the time is over") {
    if (lacks_postgres()) return;
    TestPostgres server;
    opened(server.url("postgres"));
    const auto store =
        opened(server.url("postgres"), {.connect_timeout = 1s, .statement_timeout = 1s});
    put(*store, "k");
    server.pause();
    const auto reading = taken(
        [&] { CHECK(problem(store->get(canary)) == containing("lost its server in the middle")); });
    CHECK(reading >= 1s);
    CHECK(reading < 20s);
    const auto writing = taken([&] {
        CHECK(problem(store->compare_and_set(canary, 0, canary, 1h, Keep::pinned)) ==
              containing("cannot be reached"));
    });
    CHECK(writing >= 1s);
    CHECK(writing < 20s);
    server.resume();
    CHECK(has(*opened(server.url("postgres")), "k"));
}

TEST_CASE("a server that stands still is waited for no longer than who asks has time") {
    if (lacks_postgres()) return;
    TestPostgres server;
    opened(server.url("postgres"));
    const auto store =
        opened(server.url("postgres"), {.connect_timeout = 24h, .statement_timeout = 24h});
    put(*store, "k");
    server.pause();
    {
        const detail::StoreDeadline wanted{50ms};
        // It is asked once more on another connection, for which no time is left.
        CHECK(problem(store->get(canary)) == containing("cannot be reached"));
    }
    server.resume();
    CHECK(has(*store, "k"));
}

TEST_CASE("a write that waits for others is ended in the server too, and the others' stays") {
    if (lacks_postgres()) return;
    const Memory m;
    const auto store = m.open({.statement_timeout = 1s});
    const auto version = put(*store, canary);
    const auto holder = m.connect();
    detail::PostgresTransaction holding{*holder};
    REQUIRE(holding.begin().has_value());
    REQUIRE(holder->execute({"update twiliowa.store_entry set pinned = false"}).has_value());
    CHECK(problem(store->compare_and_set(canary, version, canary, 1h, Keep::pinned)) ==
          containing("waited too long for others"));
    // Readers do not wait.
    CHECK(has(*store, canary));
    CHECK(m.psql("select count(*) from pg_stat_activity where datname = current_database() and "
                 "wait_event_type = 'Lock'") == "0");
    REQUIRE(holding.commit().has_value());
    CHECK(store->get(canary).value()->version == version);
}

TEST_CASE("threads do not wait for one another's write") {
    if (lacks_postgres()) return;
    const Memory m;
    const auto store = m.open();
    const auto version = put(*store, "held");
    const auto holder = m.connect();
    detail::PostgresTransaction holding{*holder};
    REQUIRE(holding.begin().has_value());
    REQUIRE(holder->execute({"update twiliowa.store_entry set pinned = false"}).has_value());
    std::thread waits{[&] {
        CHECK(store->compare_and_set("held", version, "v", 1h, Keep::pinned).value() != 0);
    }};
    while (m.psql("select count(*) from pg_stat_activity where datname = current_database() and "
                  "wait_event_type = 'Lock'") != "1") {
    }
    CHECK(put(*store, "free") != 0);
    CHECK(has(*store, "held"));
    REQUIRE(holding.commit().has_value());
    waits.join();
}

TEST_CASE("a thread for which no connection is free says so when the time is over") {
    if (lacks_postgres()) return;
    const Memory m;
    m.open();
    const auto store = m.open({.connections = 1, .statement_timeout = 1s});
    const auto version = put(*store, "held");
    const auto holder = m.connect();
    detail::PostgresTransaction holding{*holder};
    REQUIRE(holding.begin().has_value());
    REQUIRE(holder->execute({"lock twiliowa.store_entry"}).has_value());
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&] {
            CHECK_FALSE(store->compare_and_set("held", version, "v", 1h, Keep::pinned).has_value());
        });
    }
    for (auto& thread : threads) thread.join();
    REQUIRE(holding.commit().has_value());
    CHECK(store->compare_and_set("held", version, "v", 1h, Keep::pinned).value() != 0);
}

TEST_CASE("what a trigger of the server says of a value is not in an error") {
    if (lacks_postgres()) return;
    const Memory m;
    const auto store = m.open();
    m.psql(
        "create function public.refuse() returns trigger language plpgsql as $$ begin "
        "raise warning '%', encode(new.value, 'escape'); "
        "raise exception '%', encode(new.value, 'escape') using "
        "detail = encode(new.key, 'escape'), hint = encode(new.key, 'escape'); end $$; "
        "create trigger refuse before insert on twiliowa.store_entry for each row execute "
        "function public.refuse()");
    CHECK(problem(store->compare_and_set(canary, 0, canary, 1h, Keep::pinned)) ==
          containing("failed (PostgreSQL P0001)"));
    m.psql("drop table twiliowa.store_entry");
    CHECK(problem(store->get(canary)) == containing("lacks a table that it needs"));
}

TEST_CASE("a PostgresStore that was opened before fork() answers an error in the child") {
    if (lacks_postgres()) return;
    const Memory m;
    check_forked_store([&] { return m.open(); });
}

}  // namespace postgres_store_test
