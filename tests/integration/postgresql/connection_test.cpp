// Statements and transactions, and what is said of a server that fails.
#include <libpq-fe.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/state/store.hpp>

#include "database.hpp"
#include "support/show.hpp"

namespace connection_test {

using namespace twiliowa;
using namespace twiliowa::detail;
using namespace twiliowa::test;
using namespace std::chrono_literals;

namespace {

/// In what is asked for, and in no error.
constexpr const char* canary = "canary+447700900123";

template <class T>
std::string refusal(const Result<T>& result) {
    if (result) return "it was done";
    CHECK(is_store_error(result.error()));
    CHECK(std::string{result.error().what()}.find("canary") == std::string::npos);
    CHECK(result.error().hint().find("canary") == std::string_view::npos);
    return result.error().what();
}

std::chrono::milliseconds taken(const std::function<void()>& work) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                 begin);
}

PostgresStatement insert_of(const std::string& text) {
    PostgresStatement statement{"insert into t (text) values ($1) returning id"};
    statement.values.text(text);
    return statement;
}

std::int64_t count_of(PostgresConnection& connection) {
    return connection.execute({"select count(*) from t"}).value().number(0, 0);
}

/// Statements of ours that are prepared in the session of the connection.
std::int64_t count_prepared(PostgresConnection& connection) {
    REQUIRE(connection.open().has_value());
    auto* const result = PQexec(connection.native(), "select name from pg_prepared_statements");
    const auto count = PQntuples(result);
    PQclear(result);
    return count;
}

std::string answer_to(PostgresConnection& connection, const std::string& text) {
    PostgresStatement statement{"select $1"};
    statement.values.text(text);
    return std::string{connection.execute(statement).value().bytes(0, 0)};
}

/// A database with a table.
struct Table : Database {
    Table() { psql("create table t (id int generated always as identity, text text unique)"); }
};

}  // namespace

TEST_CASE("values of every kind come back as they were sent") {
    if (lacks_postgres()) return;
    const Database d;
    const auto connection = d.connect();
    std::string every_byte;
    for (int i = 0; i < 256; ++i) every_byte += static_cast<char>(i);
    PostgresStatement statement{"select $1, $2, $3, $4, $5, $6, 7::smallint, -8::int, $7"};
    statement.values.bytes(every_byte)
        .bytes("")
        .text("Zoë")
        .number(std::numeric_limits<std::int64_t>::min())
        .flag(true)
        .number(std::nullopt)
        .bytes(std::nullopt);
    const auto rows = connection->execute(statement).value();
    REQUIRE(rows.size() == 1);
    CHECK(rows.bytes(0, 0) == every_byte);
    CHECK(rows.bytes(0, 1).empty());
    CHECK_FALSE(rows.is_null(0, 1));
    CHECK(rows.bytes(0, 2) == "Zoë");
    CHECK(rows.number(0, 3) == std::numeric_limits<std::int64_t>::min());
    CHECK(rows.flag(0, 4));
    CHECK(rows.is_null(0, 5));
    CHECK(rows.number(0, 6) == 7);
    CHECK(rows.number(0, 7) == -8);
    CHECK(rows.is_null(0, 8));
}

TEST_CASE("arrays are sent as rows, with what is absent in them") {
    if (lacks_postgres()) return;
    const Database d;
    const auto connection = d.connect();
    PostgresArray bytes{PostgresType::bytes};
    PostgresArray numbers{PostgresType::number};
    PostgresArray flags{PostgresType::flag};
    for (int i = 0; i < 3; ++i) {
        bytes.add(std::string(static_cast<std::size_t>(i), '\0'));
        numbers.add_number(i == 1 ? std::nullopt : std::optional<std::int64_t>{-i});
        flags.add_flag(i == 2);
    }
    PostgresStatement statement{"select * from unnest($1, $2, $3)"};
    statement.values.array(bytes).array(numbers).array(flags);
    const auto rows = connection->execute(statement).value();
    REQUIRE(rows.size() == 3);
    CHECK(rows.bytes(2, 0) == std::string(2, '\0'));
    CHECK(rows.is_null(1, 1));
    CHECK(rows.number(2, 1) == -2);
    CHECK(rows.flag(2, 2));
    PostgresStatement none{"select * from unnest($1)"};
    none.values.array(PostgresArray{PostgresType::text});
    CHECK(connection->execute(none).value().empty());
}

TEST_CASE("of statements that are sent at once all are done or none") {
    if (lacks_postgres()) return;
    const Table d;
    const auto connection = d.connect();
    const auto done = connection->execute_all(std::vector{insert_of("a"), insert_of("b")}).value();
    REQUIRE(done.size() == 2);
    CHECK(done[1].number(0, 0) == 2);
    CHECK(done[1].changed() == 1);
    CHECK(refusal(connection->execute_all(
              std::vector{insert_of("c"), insert_of("a"), insert_of("d")})) ==
          containing("finds what it was to make (PostgreSQL 23505)"));
    CHECK(connection->fault() == PostgresFault::exists);
    CHECK(count_of(*connection) == 2);
    CHECK(connection->fault() == PostgresFault::none);
}

TEST_CASE("a transaction that is not committed leaves nothing") {
    if (lacks_postgres()) return;
    const Table d;
    const auto connection = d.connect();
    {
        PostgresTransaction transaction{*connection};
        REQUIRE(transaction.begin().has_value());
        REQUIRE(connection->execute(insert_of("a")).has_value());
    }
    CHECK_FALSE(connection->is_in_transaction());
    CHECK(count_of(*connection) == 0);
    PostgresTransaction transaction{*connection};
    REQUIRE(transaction.begin().has_value());
    REQUIRE(connection->execute(insert_of("a")).has_value());
    REQUIRE(transaction.commit().has_value());
    CHECK(count_of(*connection) == 1);
}

TEST_CASE("a transaction in which a statement failed is not committed in silence") {
    if (lacks_postgres()) return;
    const Table d;
    const auto connection = d.connect();
    PostgresTransaction transaction{*connection};
    REQUIRE(transaction.begin().has_value());
    REQUIRE(connection->execute(insert_of("a")).has_value());
    CHECK_FALSE(connection->execute(insert_of("a")).has_value());
    CHECK(refusal(transaction.commit()) == containing("cannot commit what failed before"));
}

TEST_CASE("a transaction that another was in the way of is begun anew") {
    if (lacks_postgres()) return;
    const Table d;
    const auto connection = d.connect();
    int attempts = 0;
    const auto done = in_transaction(*connection, [&](PostgresConnection& c) -> Result<int> {
        // What a deadlock ends with.
        PostgresStatement fail{"do $$ begin raise exception using errcode = '40P01'; end $$"};
        if (++attempts < 3) {
            if (auto failed = c.execute(fail); !failed) return failed.error();
        }
        if (auto inserted = c.execute(insert_of("a")); !inserted) return inserted.error();
        return attempts;
    });
    CHECK(done.value() == 3);
    CHECK(count_of(*connection) == 1);
}

TEST_CASE("a lock that others hold is waited for as long as the options say, and named") {
    if (lacks_postgres()) return;
    const Table d;
    const auto holder = d.connect();
    PostgresTransaction holding{*holder};
    REQUIRE(holding.begin().has_value());
    REQUIRE(holder->execute({"lock table t"}).has_value());
    auto options = patient();
    options.statement_timeout = 1s;
    const auto connection = d.connect(options);
    PostgresTransaction waiting{*connection};
    REQUIRE(waiting.begin().has_value());
    CHECK(refusal(connection->execute(insert_of(canary))) == containing("waited too long"));
    CHECK(connection->fault() == PostgresFault::busy);
}

TEST_CASE("what the server says of a row is not in an error") {
    if (lacks_postgres()) return;
    const Table d;
    const auto connection = d.connect();
    REQUIRE(connection->execute(insert_of(canary)).has_value());
    refusal(connection->execute(insert_of(canary)));
    PostgresStatement cast{"select $1::text::int"};
    cast.values.text(canary);
    CHECK(refusal(connection->execute(cast)) == containing("failed (PostgreSQL 22P02)"));
    refusal(connection->run_script(std::string{"raise "} + canary));
}

TEST_CASE("an address is refused by name, without a word of it") {
    const auto problem = [](const std::string& url) {
        const auto target = parse_postgres_url(url);
        REQUIRE_FALSE(target.has_value());
        CHECK(target.error().kind() == ErrorKind::invalid_request);
        CHECK(target.error().field() == "url");
        CHECK(std::string{target.error().what()}.find("canary") == std::string::npos);
        return std::string{target.error().what()};
    };
    for (const std::string url :
         {"postgresql://role:canary@host/database", "postgres://host/database?password=canary",
          "host=host password='canary'", "postgresql://role:p@canary@host/database",
          "postgresql://role@host/database?sslpassword=canary"}) {
        CAPTURE(url);
        CHECK(problem(url) == containing("holds a password"));
    }
    for (const std::string url :
         {"", "canary", "mysql://canary/database", "postgresql://host/database?canary=1",
          "host=a,b,c port=1,2 dbname=canary", "host=canary foo=bar"}) {
        CAPTURE(url);
        CHECK(problem(url) == containing("is no address of a PostgreSQL server"));
    }
    CHECK(parse_postgres_url("postgresql://a,b/database").value().servers.size() == 2);
    CHECK(parse_postgres_url("postgresql://role@/database?host=/tmp&port=5433").has_value());
    CHECK(parse_postgres_url("service=mine").has_value());
}

TEST_CASE("what keeps a connection from being made is named") {
    if (lacks_postgres()) return;
    const Database d;
    const auto fault_of = [&](const std::string& url, std::string_view expected) {
        const auto connection = connection_to(url);
        CHECK(refusal(connection->open()) == containing(expected));
        return connection->fault();
    };
    CHECK(fault_of(d.server.url("canary"), "has no such database (PostgreSQL 3D000)") ==
          PostgresFault::no_database);
    CHECK(fault_of(d.url("canary"), "refuses the login (PostgreSQL 28000)") ==
          PostgresFault::no_login);
    CHECK(fault_of("postgresql://a@/canary?host=/nowhere", "cannot be reached") ==
          PostgresFault::unreachable);
    CHECK(fault_of("postgresql://a@127.0.0.1:1/canary", "cannot be reached") ==
          PostgresFault::unreachable);
    d.server.psql("postgres", "create role guarded login password 'tested'");
    // Asked for a password, and having none.
    CHECK(fault_of(d.url("guarded"), "refuses the login") == PostgresFault::no_login);
    ::setenv("PGPASSWORD", "canary", 1);
    CHECK(fault_of(d.url("guarded"), "refuses the login (PostgreSQL 28P01)") ==
          PostgresFault::no_login);
    ::setenv("PGPASSWORD", "tested", 1);
    CHECK(connection_to(d.url("guarded"))->open().has_value());
    ::unsetenv("PGPASSWORD");
}

TEST_CASE("of several servers the first that answers is taken") {
    if (lacks_postgres()) return;
    const Database d;
    const auto connection = connection_to("postgresql://twiliowa@/" + d.name + "?host=/nowhere," +
                                          d.server.directory().string());
    CHECK(connection->open().has_value());
}

TEST_CASE("a server that was restarted between two statements is not noticed") {
    if (lacks_postgres()) return;
    TestPostgres server;
    const auto connection = connection_to(server.url("postgres"));
    REQUIRE(connection->execute({"select 1"}).has_value());
    server.restart();
    CHECK(connection->execute({"select 1"}).has_value());
    server.kill_now();
    CHECK(refusal(connection->execute({"select 1"})) == containing("cannot be reached"));
    CHECK(connection->fault() == PostgresFault::unreachable);
    server.start();
    CHECK(connection->execute({"select 1"}).has_value());
    // In a transaction it is: what is left of it must not be done by itself.
    REQUIRE(connection->run_script("create table t (id int, text text)").has_value());
    PostgresTransaction transaction{*connection};
    REQUIRE(transaction.begin().has_value());
    REQUIRE(connection->execute({"insert into t values (1, 'a')"}).has_value());
    server.kill_now();
    server.start();
    CHECK(refusal(connection->execute({"insert into t values (2, 'b')"})) ==
          containing("lost its server in the middle"));
    CHECK(connection->fault() == PostgresFault::lost);
    CHECK_FALSE(connection->execute({"insert into t values (3, 'c')"}).has_value());
    CHECK_FALSE(transaction.commit().has_value());
    CHECK(server.psql("postgres", "select count(*) from t") == "0");
}

TEST_CASE("a server that stands still is given up in time") {
    if (lacks_postgres()) return;
    TestPostgres server;
    auto options = patient();
    options.connect_timeout = 1s;
    options.statement_timeout = 1s;
    const auto connection = connection_to(server.url("postgres"), options);
    REQUIRE(connection->execute({"select 1"}).has_value());
    server.pause();
    const auto waited = taken([&] {
        CHECK(refusal(connection->execute({"select 1"})) == containing("lost its server"));
    });
    CHECK(waited >= 1s);
    CHECK(waited < 15s);
    // The kernel still takes connections for it.
    const auto connecting = taken([&] {
        CHECK(refusal(connection->execute({"select 1"})) == containing("cannot be reached"));
    });
    CHECK(connecting >= 1s);
    CHECK(connecting < 15s);
    server.resume();
    connection->allow(30s);
    const auto again = connection_to(server.url("postgres"));
    CHECK(again->execute({"select 1"}).has_value());
}

TEST_CASE("more than a socket takes at once is sent and received") {
    if (lacks_postgres()) return;
    const Database d;
    const auto connection = d.connect();
    PostgresStatement echo{"select $1"};
    echo.values.bytes(std::string(20'000'000, 'x'));
    CHECK(connection->execute(echo).value().bytes(0, 0).size() == 20'000'000);
    echo.values = {};
    echo.values.bytes(std::string(1'000'000, 'x'));
    CHECK(connection->execute_all(std::vector<PostgresStatement>(20, echo)).value().size() == 20);
}

TEST_CASE("a connection through PgBouncer in transaction mode leaves nothing in a session") {
    if (lacks_pgbouncer()) return;
    const Table d;
    TestPgBouncer pooler{d.server};
    const auto connection = connection_to(pooler.url(d.name));
    const auto other = connection_to(pooler.url(d.name));
    for (int i = 0; i < 3; ++i) {
        const auto text = std::to_string(i);
        REQUIRE(connection->execute_all(std::vector{insert_of("a" + text), insert_of("b" + text)})
                    .has_value());
        PostgresTransaction transaction{*connection};
        REQUIRE(transaction.begin().has_value());
        REQUIRE(connection->execute(insert_of("c" + text)).has_value());
        CHECK(count_of(*other) == 3 * i + 2);
        REQUIRE(transaction.commit().has_value());
    }
    CHECK(other->execute({"show statement_timeout"}).value().bytes(0, 0) == "0");
    CHECK(count_prepared(*other) == 0);
    pooler.stop();
    pooler.start();
    CHECK(count_of(*connection) == 9);
    CHECK_FALSE(connection_to(pooler.url("nowhere"))->open().has_value());
}

TEST_CASE("a statement that comes again is prepared, also among others, and in each new session") {
    if (lacks_postgres()) return;
    const Table d;
    const auto connection = d.connect();
    for (int session = 0; session < 2; ++session) {
        CHECK(answer_to(*connection, "a") == "a");
        CHECK(count_prepared(*connection) == 0);
        CHECK(answer_to(*connection, "b") == "b");
        CHECK(answer_to(*connection, "c") == "c");
        CHECK(count_prepared(*connection) == 1);
        for (const auto* const text : {"1", "2", "3"}) {
            const auto name = std::to_string(session) + text;
            const std::vector both{insert_of(name + "a"), insert_of(name + "b")};
            CHECK(connection->execute_all(both).has_value());
        }
        CHECK(count_prepared(*connection) == 2);
        connection->close();
    }
    CHECK(count_of(*connection) == 12);
}

TEST_CASE("a plan is made anew when it is old") {
    if (lacks_postgres()) return;
    const Database d;
    auto options = patient();
    options.plans_kept = 0ms;
    const auto connection = d.connect(options);
    for (const auto* const text : {"a", "b", "c", "d"}) CHECK(answer_to(*connection, text) == text);
    PostgresTransaction transaction{*connection};
    REQUIRE(transaction.begin().has_value());
    CHECK(answer_to(*connection, "e") == "e");
    CHECK(connection->execute({"select nothing"}).has_value() == false);
    // Nothing can be prepared or forgotten there.
    CHECK_FALSE(connection->execute({"select 1"}).has_value());
}

TEST_CASE("who finds no more what it has prepared begins anew, and prepares nothing more") {
    if (lacks_postgres()) return;
    const Table d;
    const auto connection = d.connect();
    for (const auto* const text : {"a", "b", "c"}) CHECK(answer_to(*connection, text) == text);
    // As a pooler would that gives each transaction another session.
    REQUIRE(connection->run_script("deallocate all").has_value());
    int begun = 0;
    const auto done = in_transaction(*connection, [&](PostgresConnection& c) -> Result<void> {
        ++begun;
        PostgresStatement statement{"select $1"};
        statement.values.text("d");
        if (const auto rows = c.execute(statement); !rows) return rows.error();
        return {};
    });
    CHECK(done.has_value());
    CHECK(begun == 2);
    for (const auto* const text : {"e", "f", "g"}) CHECK(answer_to(*connection, text) == text);
    CHECK(count_prepared(*connection) == 0);
}

TEST_CASE("a connection that is lent does its work in the transaction of who lends it") {
    if (lacks_postgres()) return;
    const Table d;
    PGconn* const lent = PQconnectdb(d.url().c_str());
    REQUIRE(PQstatus(lent) == CONNECTION_OK);
    {
        BorrowedPostgres borrowed{lent};
        CHECK_FALSE(borrowed.check_in_transaction().has_value());
    }
    PQclear(PQexec(lent, "begin"));
    {
        BorrowedPostgres borrowed{lent};
        REQUIRE(borrowed.check_in_transaction().has_value());
        CHECK(borrowed.connection().execute(insert_of("a")).has_value());
        CHECK(borrowed.connection().execute_all(std::vector{insert_of("b")}).has_value());
    }
    CHECK(PQisnonblocking(lent) == 0);
    CHECK(d.psql("select count(*) from t") == "0");
    PQclear(PQexec(lent, "commit"));
    CHECK(d.psql("select count(*) from t") == "2");
    PQfinish(lent);
}

}  // namespace connection_test
