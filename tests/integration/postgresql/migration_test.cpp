// The schema, its versions, and what a server must be.
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/state/store.hpp>

#include "database.hpp"
#include "postgresql/migration.hpp"
#include "postgresql/server_check.hpp"
#include "support/show.hpp"

namespace migration_test {

using namespace twiliowa;
using namespace twiliowa::detail;
using namespace twiliowa::test;

namespace {

constexpr const char* steps[] = {
    "create table twiliowa.thing (id bigint primary key);\n",
    "alter table twiliowa.thing add column name text;\n",
};
const PostgresMigration first{"thing", std::span{steps}.first(1)};
const PostgresMigration second{"thing", steps};
constexpr const char* other_steps[] = {"create table twiliowa.other (id bigint primary key);\n"};
const PostgresMigration other{"other", other_steps};

template <class T>
std::string refusal(const Result<T>& result) {
    if (result) return "it was done";
    CHECK(is_store_error(result.error()));
    CHECK_FALSE(result.error().hint().empty());
    return result.error().what();
}

constexpr const char* columns_of_thing =
    "select string_agg(column_name, ',') from information_schema.columns where table_schema = "
    "'twiliowa' and table_name = 'thing'";

}  // namespace

TEST_CASE("tables are made and brought up to date, each component's by itself") {
    if (lacks_postgres()) return;
    const Database d;
    const auto connection = d.connect();
    CHECK(schema_version(*connection, first).value() == 0);
    CHECK(refusal(check_schema(*connection, first)) == containing("lacks its tables of the thing"));
    REQUIRE(migrate(*connection, first).has_value());
    REQUIRE(migrate(*connection, first).has_value());
    CHECK(check_schema(*connection, first).has_value());
    CHECK(refusal(check_schema(*connection, second)) == containing("an old version of its tables"));
    CHECK(check_schema(*connection, {"thing", steps, 1}).has_value());
    CHECK(schema_version(*connection, other).value() == 0);
    REQUIRE(migrate(*connection, other).has_value());
    REQUIRE(migrate(*connection, second).has_value());
    CHECK(d.psql(columns_of_thing) == "id,name");
    CHECK(schema_version(*connection, second).value() == 2);
    CHECK(schema_version(*connection, other).value() == 1);
    CHECK(
        connection->execute({"select twiliowa.now() = statement_timestamp()"}).value().flag(0, 0));
}

TEST_CASE("tables of a later version, or of another program, stay as they are") {
    if (lacks_postgres()) return;
    const Database later;
    const auto connection = later.connect();
    REQUIRE(migrate(*connection, second).has_value());
    CHECK(refusal(migrate(*connection, first)) == containing("of a later version"));
    CHECK(refusal(check_schema(*connection, first)) == containing("of a later version"));
    CHECK(later.psql(columns_of_thing) == "id,name");
    const Database foreign;
    foreign.psql("create schema twiliowa create table thing (number int)");
    const auto there = foreign.connect();
    CHECK(refusal(migrate(*there, first)) == containing("of another program"));
    CHECK(foreign.psql(columns_of_thing) == "number");
    const Database alike;
    alike.psql("create schema twiliowa create table schema_version (number int)");
    CHECK(refusal(migrate(*alike.connect(), first)) == containing("of another program"));
}

TEST_CASE("a step that fails leaves the tables as they were") {
    if (lacks_postgres()) return;
    const Database d;
    const auto connection = d.connect();
    constexpr const char* wrong[] = {steps[0],
                                     "alter table twiliowa.nothing add column name text;\n"};
    CHECK_FALSE(migrate(*connection, {"thing", wrong}).has_value());
    CHECK(d.psql("select to_regnamespace('twiliowa') is null") == "t");
}

TEST_CASE("who may not make tables is told what to run, and works with those that others made") {
    if (lacks_postgres()) return;
    const Database d;
    d.psql("drop role if exists modest");
    d.psql("create role modest login");
    const auto connection = connection_to(d.url("modest"));
    CHECK(refusal(migrate(*connection, first)) == containing("this role may not make them"));
    CHECK(connection->fault() == PostgresFault::no_rights);
    d.psql(migration_sql(first));
    CHECK(refusal(check_schema(*connection, first)) == containing("refuses this role"));
    d.psql(
        "grant usage on schema twiliowa to modest; "
        "grant select on all tables in schema twiliowa to modest");
    CHECK(check_schema(*connection, first).has_value());
    CHECK(migrate(*connection, first).has_value());
    d.psql(migration_sql(second, 1));
    CHECK(check_schema(*connection, second).has_value());
    CHECK_THROWS(d.psql(migration_sql(second, 1)));
    CHECK_THROWS(d.psql(migration_sql(second)));
    d.psql(migration_sql(other));
    CHECK(d.psql(columns_of_thing) == "id,name");
}

TEST_CASE("a schema that was made for the role is filled") {
    if (lacks_postgres()) return;
    const Database d;
    d.psql("drop role if exists owner");
    d.psql("create role owner login");
    d.psql("create schema twiliowa authorization owner");
    CHECK(migrate(*connection_to(d.url("owner")), first).has_value());
}

TEST_CASE("those who migrate at once wait for one another") {
    if (lacks_postgres()) return;
    const Database d;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] { CHECK(migrate(*d.connect(), second).has_value()); });
    }
    for (auto& thread : threads) thread.join();
    CHECK(schema_version(*d.connect(), second).value() == 2);
}

TEST_CASE("a server is known by its identifier and its timeline") {
    if (lacks_postgres()) return;
    const Database d;
    const auto server = check_durable(*d.connect()).value();
    CHECK(server.version >= oldest_postgres);
    CHECK(server.timeline == 1);
    CHECK(server.system_identifier == d.psql("select system_identifier from pg_control_system()"));
}

TEST_CASE("a server that would lose what it said it had is refused by name") {
    if (lacks_postgres()) return;
    const Database d;
    for (const std::string mode : {"off", "local"}) {
        d.psql("alter database " + d.name + " set synchronous_commit = " + mode);
        CHECK(refusal(check_durable(*d.connect())) ==
              containing("does not wait for its commits (synchronous_commit=" + mode + ")"));
    }
    d.psql("create database latin encoding 'LATIN1' template template0");
    CHECK(refusal(check_durable(*connection_to(d.server.url("latin")))) ==
          containing("not in UTF-8"));
    const TestPostgres careless{{.settings = {"fsync=off"}}};
    CHECK(refusal(check_durable(*connection_to(careless.url("postgres")))) ==
          containing("fsync=off"));
}

}  // namespace migration_test
