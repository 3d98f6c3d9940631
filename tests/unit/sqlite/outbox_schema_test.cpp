/// Files of an outbox that another version of this library wrote.
#include <doctest/doctest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/state/store.hpp>

#include "sqlite/outbox_schema.hpp"
#include "support/at_scale.hpp"
#include "support/show.hpp"
#include "unit/outbox/outbox_service.hpp"
#include "unit/sqlite/file_service.hpp"
#include "unit/sqlite/recording_vfs.hpp"

namespace outbox_schema_test {

using namespace std::chrono_literals;
using outbox_test::customer;
using sqlite_test::Database;
using sqlite_test::FileService;
using sqlite_test::RecordingVfs;
using twiliowa::JobState;
using twiliowa::OutboundText;
using twiliowa::Resolution;
using twiliowa::SqliteOutbox;
using twiliowa::test::at_scale;
using twiliowa::test::containing;
using twiliowa::testing::FakeTwilio;

namespace {

/// A service on the file that the first version wrote.
struct InheritedService {
    InheritedService() {
        files.path = files.directory + "/inherited.db";
        std::ifstream dump{std::string{TWILIOWA_TEST_DATA} + "/outbox_schema_1.sql"};
        const std::string sql{std::istreambuf_iterator<char>{dump}, {}};
        REQUIRE(Database{files.path}.run(sql));
    }

    FileService files;
    outbox_test::Service& service = files.service;
};

const auto is_later = containing("store: was written by a later version of this library");

}  // namespace

TEST_CASE("a file that the first version wrote is opened, and goes on where it was") {
    InheritedService inherited;
    auto& service = inherited.service;
    // Not by being opened.
    try {
        inherited.files.open(inherited.files.path);
        FAIL("it was opened");
    } catch (const twiliowa::TransportError& error) {
        CHECK(error.what() == containing("store: has tables of an earlier version"));
        CHECK(error.error().hint() == containing("migrate"));
    }
    SqliteOutbox::migrate(inherited.files.path).value();
    service.restart();
    auto& outbox = *service.outbox;
    CHECK(outbox.find("", "delivered")->state == JobState::delivered);
    CHECK(outbox.find("", "delivered")->tag == "orders");
    CHECK_FALSE(outbox.find("", "delivered")->sid.empty());
    CHECK(outbox.try_pauses()->size() == 1);
    const OutboundText known{.to = customer, .body = "Delivered"};
    CHECK(outbox.enqueue(known, {.key = "delivered"}).existed);
    const auto unknown = outbox.find("", "unknown").value();
    CHECK(unknown.state == JobState::unknown);
    CHECK(unknown.attempts.size() == 1);
    CHECK(outbox.resolve(unknown.id, Resolution::not_sent()));
    outbox.run_until_idle();
    service.advance(2h);
    outbox.run_until_idle();
    CHECK(outbox.find("club", "ready")->state == JobState::accepted);
    CHECK(outbox.counts().of(JobState::accepted) == 3);
    CHECK(service.at_twilio() == 3);
    CHECK(Database{inherited.files.path}.text_of("pragma integrity_check") == "ok");
}

TEST_CASE("the tables of the first version are what they were") {
    const InheritedService inherited;
    const auto& files = inherited.files;
    const auto made = files.directory + "/made.db";
    SqliteOutbox::migrate(made).value();
    const auto* const schema =
        "select group_concat(lower(sql), ';') from (select sql from sqlite_schema "
        "where name not like 'sqlite_%' order by name)";
    SqliteOutbox::migrate(files.path).value();
    CHECK(Database{files.path}.text_of(schema) == Database{made}.text_of(schema));
    for (const auto* const path : {&files.path, &made}) {
        CHECK(Database{*path}.text_of("pragma user_version") == "5");
        CHECK(Database{*path}.text_of("select version from twiliowa_schema") == "5");
    }
    // A second time there is nothing to do.
    CHECK(SqliteOutbox::migrate(files.path).has_value());
}

TEST_CASE("four that migrate a file may be killed at any change of it" *
          doctest::test_suite("at scale")) {
    int kills = 0;
    for (int n = 0;; ++n) {
        REQUIRE(n < 1'000);
        const InheritedService inherited;
        const auto& path = inherited.files.path;
        const auto jobs = Database{path}.text_of("select count(*) from outbox_job");
        std::vector<pid_t> children(4);
        for (auto& child : children) {
            child = ::fork();
            if (child != 0) continue;
            RecordingVfs disk;
            disk.records = false;
            disk.before_change = [left = n]() mutable {
                if (left-- == 0) ::kill(::getpid(), SIGKILL);
            };
            const auto migrated = SqliteOutbox::migrate(path);
            if (migrated) ::_exit(0);
            // On a slow machine the others may take longer than one waits.
            const auto& why = migrated.error().what();
            if (why.find("is locked by another process") != std::string::npos) ::_exit(0);
            std::fprintf(stderr, "%s\n", why.c_str());
            ::_exit(1);
        }
        int died = 0;
        for (const auto child : children) {
            int status = 0;
            REQUIRE(::waitpid(child, &status, 0) == child);
            if (WIFSIGNALED(status)) {
                ++died;
            } else {
                CHECK(WEXITSTATUS(status) == 0);
            }
        }
        INFO("after " << n << " changes");
        {
            const Database file{path};
            CHECK(file.text_of("pragma integrity_check") == "ok");
            // All of it was done, or none.
            const auto version = file.text_of("pragma user_version");
            CHECK((version == "1" || version == "5"));
            CHECK(file.text_of("select count(*) from outbox_job") == jobs);
        }
        REQUIRE(SqliteOutbox::migrate(path).has_value());
        const Database file{path};
        CHECK(file.text_of("select version from twiliowa_schema") == "5");
        CHECK(file.text_of("select count(*) from outbox_job") == jobs);
        kills += died;
        if (died == 0) break;
    }
    CHECK(kills >= 40);
}

TEST_CASE("a file of many jobs is migrated" * doctest::test_suite("at scale")) {
    const InheritedService inherited;
    const auto& path = inherited.files.path;
    const auto many = std::to_string(at_scale(20'000, 1'000'000));
    REQUIRE(Database{path}.run(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < " + many +
        ") insert into outbox_message (key, not_before, payload) select 'many-' || i, 0, "
        "'{\"to\": \"+447700900123\", \"body\": \"One of many\"}' from n"));
    const auto jobs = Database{path}.text_of("select count(*) from outbox_job");
    const auto begin = std::chrono::steady_clock::now();
    REQUIRE(SqliteOutbox::migrate(path).has_value());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    MESSAGE(many << " jobs were migrated in " << took.count() << " s");
    const Database file{path};
    CHECK(file.text_of("select count(*) from outbox_job") == jobs);
    CHECK(file.text_of("select version from twiliowa_schema") == "5");
    CHECK(file.text_of("pragma quick_check") == "ok");
}

TEST_CASE("a file of version 3 is refused, migrated, and goes on where it was") {
    FileService files;
    auto& service = files.service;
    service.outbox.reset();
    files.path = files.directory + "/version_3.db";
    {
        std::ifstream dump{std::string{TWILIOWA_TEST_DATA} + "/outbox_schema_1.sql"};
        const std::string sql{std::istreambuf_iterator<char>{dump}, {}};
        const Database file{files.path};
        REQUIRE(file.run(sql));
        for (const auto* const step : twiliowa::detail::outbox_migrations().subspan(1, 2)) {
            REQUIRE(file.run(step));
        }
        REQUIRE(
            file.run("insert into twiliowa_schema (component, version) values ('outbox', 3); "
                     "pragma user_version = 3"));
        REQUIRE(
            file.run("insert into outbox_message (key, not_before, payload) values ('door', 0, "
                     "'{\"to\": \"+447700900123\", \"body\": \"From the door\"}')"));
    }
    const auto reasons = Database{files.path}.text_of("select reason from outbox_job");
    CHECK_THROWS_AS(files.open(files.path), twiliowa::TransportError);
    REQUIRE(SqliteOutbox::migrate(files.path).has_value());
    {
        const Database file{files.path};
        CHECK(file.text_of("select version from twiliowa_schema") == "5");
        CHECK(file.text_of("select reason from outbox_job") == reasons);
        CHECK(file.text_of("select count(*) from outbox_job where campaign <> '' or spend <> 0 or "
                           "coalesce(chain_due, price_due, later_reason) is not null") == "0");
        CHECK(file.text_of("pragma integrity_check") == "ok");
        CHECK(
            file.run("insert into outbox_message (key, not_before, payload) values ('new', 0, "
                     "'{\"to\": \"+447700900123\", \"body\": \"From the door, later\"}')"));
    }
    service.restart();
    service.outbox->run_until_idle();
    service.advance(2h);
    service.outbox->run_until_idle();
    for (const auto* const key : {"door", "new"}) {
        CAPTURE(key);
        CHECK(service.outbox->find("", key)->state == JobState::accepted);
    }
    CHECK(service.outbox->find("club", "ready")->state == JobState::accepted);
    CHECK(Database{files.path}.text_of("select count(*) from outbox_job where campaign <> ''") ==
          "0");
}

TEST_CASE("a program's table that a migration would make is refused by name, and nothing is done") {
    const InheritedService inherited;
    const auto& path = inherited.files.path;
    REQUIRE(Database{path}.run("create table inbox_key (number)"));
    const auto migrated = SqliteOutbox::migrate(path);
    REQUIRE_FALSE(migrated.has_value());
    CHECK(migrated.error().what() == containing("store: has another program's inbox_key"));
    CHECK(Database{path}.text_of("pragma user_version") == "1");
    CHECK(Database{path}.text_of("select count(*) from sqlite_schema where name like 'inbox%'") ==
          "1");
}

TEST_CASE("who has a file of the first version open notices that it was migrated") {
    const InheritedService inherited;
    const auto& path = inherited.files.path;
    // What the first version looks at before each work.
    const Database earlier{path};
    CHECK(earlier.text_of("pragma user_version") == "1");
    SqliteOutbox::migrate(path).value();
    CHECK(earlier.text_of("pragma application_id") == "1417107311");
    CHECK(earlier.text_of("pragma user_version") == "5");
}

TEST_CASE("a file that lost what it says of its version is damaged, and not migrated again") {
    FileService files;
    REQUIRE(Database{files.path}.run("drop table twiliowa_schema"));
    const auto migrated = SqliteOutbox::migrate(files.path);
    REQUIRE_FALSE(migrated.has_value());
    CHECK(migrated.error().what() == containing("store: is damaged"));
    CHECK_FALSE(files.service.outbox->try_run_until_idle().has_value());
}

TEST_CASE("who has a file open while a later version changes it does nothing more to it") {
    FileService files;
    auto& service = files.service;
    const auto job = service.enqueue("Waits");
    {
        const Database later{files.path};
        REQUIRE(
            later.run("begin immediate; alter table outbox_job add column more text; "
                      "update twiliowa_schema set version = 6; commit"));
    }
    const auto done = service.outbox->try_run_until_idle();
    REQUIRE_FALSE(done.has_value());
    CHECK(done.error().what() == is_later);
    CHECK_FALSE(done.error().hint().empty());
    const auto refused =
        service.outbox->try_enqueue(OutboundText{.to = customer, .body = "Hi"}, {.key = "k"});
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().what() == is_later);
    CHECK(service.at_twilio() == 0);
    const Database file{files.path};
    CHECK(file.text_of("select count(*) || max(state) from outbox_job") == "10");
    // Who opens it anew is refused, too, and so is who would migrate it.
    CHECK_THROWS_AS(files.open(files.path), twiliowa::TransportError);
    const auto migrated = SqliteOutbox::migrate(files.path);
    REQUIRE_FALSE(migrated.has_value());
    CHECK(migrated.error().what() == is_later);
    CHECK(file.text_of("select version from twiliowa_schema") == "6");
    // The old one goes on when the file is put back.
    REQUIRE(
        file.run("begin; alter table outbox_job drop column more; "
                 "update twiliowa_schema set version = 5; commit"));
    service.outbox->run_until_idle();
    CHECK(service.state(job) == JobState::accepted);
}

TEST_CASE("a file of unknown tables is not migrated, and stays as it was") {
    const sqlite_test::TestDirectory directory;
    const auto path = directory.path + "/other.db";
    std::string words = "store: is a database of another program";
    SUBCASE("another program's") {
        REQUIRE(Database{path}.run("create table invoice (number)"));
    }
    SUBCASE("another program's, which says so") {
        REQUIRE(Database{path}.run("pragma application_id = 7; create table invoice (number)"));
    }
    SUBCASE("a later version's") {
        REQUIRE(
            Database{path}.run("pragma application_id = 1417107311; pragma user_version = 9; "
                               "create table invoice (number)"));
        words = "store: was written by a later version";
    }
    const auto migrated = SqliteOutbox::migrate(path);
    REQUIRE_FALSE(migrated.has_value());
    CHECK(is_store_error(migrated.error()));
    CHECK(migrated.error().what() == containing(words));
    CHECK_FALSE(migrated.error().hint().empty());
    CHECK(Database{path}.text_of("select group_concat(name) from sqlite_schema") == "invoice");
}

}  // namespace outbox_schema_test
