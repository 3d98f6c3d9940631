/// An outbox in a PostgreSQL that goes away, is another one, or is not as it should be.
#include <doctest/doctest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/postgresql/postgres_outbox.hpp>
#include <twiliowa/state/store.hpp>

#include "database.hpp"
#include "postgresql/outbox_schema.hpp"
#include "support/show.hpp"
#include "unit/outbox/outbox_service.hpp"

namespace postgres_outbox_failure_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;

namespace {

const TimePoint long_ago{std::chrono::hours{24} * 365 * 40};

StoredJob job_of(const std::string& key) {
    static std::atomic<unsigned char> last{0};
    JobId::Bytes bytes{};
    bytes[0] = ++last;
    StoredJob job;
    job.id = JobId{bytes};
    job.key = key;
    job.content_hash = "hash";
    job.payload = "{}";
    job.sender = "whatsapp:+15005550006";
    job.created_at = long_ago;
    job.updated_at = long_ago;
    job.not_before = long_ago;
    return job;
}

/// What the error of a work says; empty if there was none.
template <class Work>
std::string refusal(PostgresOutbox& storage, const Work& work) {
    const auto done = storage.transact([&](OutboxTransaction& t) -> Result<void> {
        if (auto result = work(t); !result) return result.error();
        return {};
    });
    if (done) return {};
    CHECK(is_store_error(done.error()));
    CHECK_FALSE(done.error().hint().empty());
    return done.error().what();
}
std::string refusal_of_insert(PostgresOutbox& storage, const std::string& key) {
    const auto job = job_of(key);
    return refusal(storage, [&](OutboxTransaction& t) { return t.insert(job); });
}

/// What opening it says; empty if it opens.
std::string refusal_to_open(const std::string& url, PostgresOutboxOptions options = {}) {
    try {
        const PostgresOutbox storage{url, options};
        return {};
    } catch (const TransportError& error) {
        CHECK_FALSE(error.error().hint().empty());
        return error.what();
    }
}

std::string end_sessions_of(const std::string& database) {
    return "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '" +
           database + "' and pid <> pg_backend_pid()";
}

}  // namespace

// ---- Connections that end

TEST_CASE("a work whose connection ends is run again on another, and done once") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    int runs = 0;
    const auto job = job_of("once");
    SUBCASE("between two works") {
        database.psql(end_sessions_of(database.name));
        CHECK(refusal_of_insert(storage, "once").empty());
    }
    SUBCASE("after it has written") {
        const auto refused = refusal(storage, [&](OutboxTransaction& t) {
            auto inserted = t.insert(job);
            static_cast<void>(t.list({.limit = 1}));
            if (++runs == 1) database.psql(end_sessions_of(database.name));
            return inserted;
        });
        CHECK(refused.empty());
        CHECK(runs == 2);
    }
    SUBCASE("before it has written") {
        const auto refused = refusal(storage, [&](OutboxTransaction& t) {
            if (++runs == 1) database.psql(end_sessions_of(database.name));
            return t.insert(job);
        });
        CHECK(refused.empty());
        CHECK(runs == 2);
    }
    CHECK(database.psql("select count(*) from twiliowa.job") == "1");
    CHECK(database.psql("select sum(jobs) from twiliowa.job_tally") == "1");
    CHECK(storage.stats().connections == 2);
}

TEST_CASE("a server that ends again and again is named, and nothing is done") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    const auto refused = refusal(storage, [&](OutboxTransaction& t) {
        database.psql(end_sessions_of(database.name));
        return t.insert(job_of("never"));
    });
    CHECK(refused == containing("store: cannot be reached"));
    CHECK(database.psql("select count(*) from twiliowa.job") == "0");
}

TEST_CASE("a commit that ended without an answer, and was not made, is made anew") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    // The commit takes until somebody ends it.
    database.psql(
        "create table may_end (at boolean); create function wait() returns trigger language "
        "plpgsql as $$ begin while not exists (select from may_end) loop perform pg_sleep(0.01); "
        "end loop; return null; end $$; create constraint trigger waits after insert on "
        "twiliowa.job_key deferrable initially deferred for each row execute function wait()");
    std::string refused;
    std::thread writer{[&] { refused = refusal_of_insert(storage, "once"); }};
    const auto commits = "select count(*) from pg_stat_activity where datname = '" + database.name +
                         "' and query = 'commit' and state = 'active'";
    while (database.psql(commits) != "1") std::this_thread::yield();
    database.psql("insert into may_end values (true); " + end_sessions_of(database.name));
    writer.join();
    CHECK(refused.empty());
    CHECK(database.psql("select count(*) from twiliowa.job") == "1");
}

TEST_CASE("a commit that ended without an answer, and was made, is found out, and not made twice") {
    if (lacks_postgres()) return;
    TestPostgres server;
    const auto name = server.new_database();
    PostgresOutbox storage{server.url(name)};
    // Written down here, it waits for a standby that there is not.
    server.psql(name, "alter system set synchronous_standby_names = 'nobody'");
    server.psql(name, "select pg_reload_conf()");
    while (server.psql(name, "show synchronous_standby_names") != "nobody") {
        std::this_thread::yield();
    }
    std::string refused;
    int runs = 0;
    std::thread writer{[&] {
        refused = refusal(storage, [&](OutboxTransaction& t) {
            ++runs;
            return t.insert(job_of("once"));
        });
    }};
    while (server.psql(
               name, "select count(*) from pg_stat_activity where wait_event = 'SyncRep'") != "1") {
        std::this_thread::yield();
    }
    server.psql(name,
                "select count(pg_terminate_backend(pid)) from pg_stat_activity where "
                "wait_event = 'SyncRep'");
    writer.join();
    CHECK(refused.empty());
    CHECK(runs == 1);
    CHECK(server.psql(name, "select count(*) from twiliowa.job") == "1");
}

TEST_CASE("a commit for which nobody answers any more says that it may have been made") {
    if (lacks_postgres()) return;
    TestPostgres server;
    const auto name = server.new_database();
    PostgresOutbox storage{server.url(name), {.connect_timeout = 1s, .statement_timeout = 1s}};
    server.psql(name, "alter system set synchronous_standby_names = 'nobody'");
    server.psql(name, "select pg_reload_conf()");
    while (server.psql(name, "show synchronous_standby_names") != "nobody") {
        std::this_thread::yield();
    }
    std::thread killer{[&] {
        while (server.psql(name,
                           "select count(*) from pg_stat_activity where wait_event = "
                           "'SyncRep'") != "1") {
            std::this_thread::yield();
        }
        server.kill_now();
    }};
    const auto done = storage.transact([&](OutboxTransaction& t) -> Result<void> {
        if (auto inserted = t.insert(job_of("once")); !inserted) return inserted.error();
        return {};
    });
    killer.join();
    REQUIRE_FALSE(done);
    CHECK(is_store_error(done.error()));
    CHECK(done.error().effect() == Effect::unknown);
    server.start();
    CHECK(server.psql(name, "select count(*) from twiliowa.job") == "1");
}

TEST_CASE("a server that stands still is named in time, and what was asked of it is not done") {
    if (lacks_postgres()) return;
    TestPostgres server;
    const auto name = server.new_database();
    PostgresOutbox storage{server.url(name), {.connect_timeout = 1s, .statement_timeout = 1s}};
    const auto begin = std::chrono::steady_clock::now();
    const auto refused = refusal(storage, [&](OutboxTransaction& t) {
        auto inserted = t.insert(job_of("lost"));
        server.pause();
        return inserted;
    });
    CHECK(refused == containing("store: "));
    CHECK(std::chrono::steady_clock::now() - begin < 30s);
    server.resume();
    CHECK(refusal_of_insert(storage, "next").empty());
    CHECK(server.psql(name, "select string_agg(key, ',') from twiliowa.jobs") == "next");
    server.stop();
    CHECK(refusal_of_insert(storage, "down") == containing("store: cannot be reached"));
    server.start();
    CHECK(refusal_of_insert(storage, "again").empty());
}

// ---- Another database

TEST_CASE("after a connection to another database no job is given before somebody knows of it") {
    if (lacks_postgres()) return;
    const Database database;
    const auto storage = std::make_shared<PostgresOutbox>(database.url());
    outbox_test::Service service;
    service.wrapped = [&] { return storage; };
    service.restart();
    const auto before = storage->identity();
    CHECK_FALSE(before.empty());
    service.enqueue("Sent since the backup", {.key = "a"});
    // As if it had been put back to before it was sent.
    const auto backup = database.name + "_backup";
    database.server.psql("postgres", end_sessions_of(database.name));
    database.server.psql("postgres", "create database " + backup + " template " + database.name);
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 1);
    database.server.psql("postgres", end_sessions_of(database.name));
    database.server.psql("postgres", "drop database " + database.name);
    database.server.psql("postgres", "alter database " + backup + " rename to " + database.name);
    CHECK(service.outbox->find("", "a")->state == JobState::ready);
    CHECK(refusal(*storage, [](OutboxTransaction& t) {
              return t.ready({.now = t.now(), .held_before = t.now(), .limit = 1});
          }) == containing("another database"));
    service.outbox->run_until_idle();
    CHECK(storage->identity() != before);
    CHECK(service.at_twilio() == 1);
    CHECK(service.outbox->find("", "a")->state != JobState::ready);
}

// ---- What it is opened on

TEST_CASE("tables of another version or another program are named, and left as they are") {
    if (lacks_postgres()) return;
    const Database database;
    SUBCASE("none, and none may be made") {
        CHECK(refusal_to_open(database.url(), {.create = false}) == containing("lacks its tables"));
        CHECK(database.psql("select count(*) from pg_namespace where nspname = 'twiliowa'") == "0");
    }
    SUBCASE("a later version, also once it is open") {
        PostgresOutbox storage{database.url()};
        database.psql("update twiliowa.schema_version set version = 99");
        CHECK(refusal_to_open(database.url()) == containing("of a later version"));
        CHECK(refusal_of_insert(storage, "a") == containing("of a later version"));
        const auto migrated = PostgresOutbox::migrate(database.url());
        REQUIRE_FALSE(migrated.has_value());
        CHECK(migrated.error().what() == containing("of a later version"));
        CHECK(database.psql("select count(*) from twiliowa.job") == "0");
    }
    SUBCASE("another program's") {
        database.psql("create schema twiliowa; create table twiliowa.other (a integer)");
        CHECK(refusal_to_open(database.url()) == containing("another program"));
    }
    SUBCASE("a role without rights") {
        const auto role = "weak_" + database.name;
        database.psql("create role " + role + " login");
        CHECK(refusal_to_open(database.url(role)) == containing("may not make them"));
        { const PostgresOutbox storage{database.url()}; }
        CHECK(refusal_to_open(database.url(role)) == containing("refuses this role"));
        database.psql(
            "grant usage on schema twiliowa to " + role +
            "; grant select, insert, update, delete on all tables in schema twiliowa to " + role +
            "; grant usage on all sequences in schema twiliowa to " + role);
        PostgresOutbox storage{database.url(role)};
        CHECK(refusal_of_insert(storage, "a").empty());
        CHECK(refusal_of_insert(storage, "a").empty());
        database.psql("drop owned by " + role + "; drop role " + role);
    }
    SUBCASE("made by the script") {
        database.psql(PostgresOutbox::migration_sql());
        PostgresOutbox storage{database.url(), {.create = false}};
        CHECK(refusal_of_insert(storage, "a").empty());
    }
}

TEST_CASE("options and URLs that cannot be are refused by their names") {
    const auto said = [](const std::string& url, PostgresOutboxOptions options) -> std::string {
        try {
            const PostgresOutbox storage{url, options};
            return {};
        } catch (const InvalidRequestError& error) {
            return error.what();
        }
    };
    CHECK(said("postgresql://a:secret@b/c", {}) == containing("url"));
    CHECK(said("postgresql://b/c", {.statement_timeout = 0ms}) == containing("statement_timeout"));
    CHECK(said("postgresql://b/c", {.connect_timeout = -1ms}) == containing("connect_timeout"));
}

// ---- What an error says

TEST_CASE("no error quotes what a row holds") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    const std::string canary = "CANARY";
    std::vector<std::string> said;
    const auto fail_with = [&](const std::function<void(StoredJob&)>& spoil) {
        auto job = job_of(canary + std::to_string(said.size()));
        job.customer = canary;
        job.payload = canary;
        spoil(job);
        const auto done = storage.transact([&](OutboxTransaction& t) -> Result<void> {
            if (const auto inserted = t.insert(job); !inserted) return inserted.error();
            if (job.fence < 0) return t.save(t.load({&job.id, 1}).value().front());
            return {};
        });
        REQUIRE_FALSE(done.has_value());
        said.push_back(done.error().what() + done.error().message() + done.error().hint());
    };
    fail_with([&](StoredJob& job) { job.sender = std::string(5'000, 'C') + canary; });
    fail_with([&](StoredJob& job) { job.key = std::string(5'000, 'C') + canary; });
    fail_with([&](StoredJob& job) { job.lane = static_cast<Lane>(9); });
    database.psql("alter table twiliowa.job add constraint none check (customer <> 'CANARY')");
    fail_with([](StoredJob&) {});
    database.psql("drop table twiliowa.job_payload cascade");
    fail_with([](StoredJob& job) { job.customer.clear(); });
    for (const auto& text : said) {
        CAPTURE(text);
        CHECK(text.find("CANARY") == std::string::npos);
    }
    CHECK(said.size() == 5);
}

}  // namespace postgres_outbox_failure_test
