/// How PostgreSQL finds what a worker claims, in its own words: the plans that it ran, by
/// auto_explain.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>

#include <twiliowa/postgresql/postgres_outbox.hpp>

#include "database.hpp"
#include "support/show.hpp"

namespace claim_plans_test {

using namespace twiliowa;
using namespace twiliowa::test;

namespace {

/// Tables of which a plan reads every row, and those that it reads by an index.
struct TablesRead {
    std::set<std::string> whole = {};
    std::set<std::string> by_index = {};
};

/// The text after `key` in a line `"key": "text",`; empty if it is another line.
std::string value_of(const std::string& line, const std::string& key) {
    const auto begin = line.find('"' + key + "\": \"");
    if (begin == std::string::npos) return {};
    const auto text = line.substr(begin + key.size() + 5);
    return text.substr(0, text.find('"'));
}

/// A node of a plan says what it is, then what it reads, then what is below it.
TablesRead tables_in(const std::string& plans) {
    TablesRead read;
    std::istringstream lines{plans};
    std::string node;
    for (std::string line; std::getline(lines, line);) {
        if (const auto type = value_of(line, "Node Type"); !type.empty()) node = type;
        const auto table = value_of(line, "Relation Name");
        if (table.empty()) continue;
        (node == "Seq Scan" ? read.whole : read.by_index).insert(table);
    }
    return read;
}

/// A database with tables whose server writes down every plan that it runs for it.
struct ExplainedDatabase : Database {
    ExplainedDatabase() {
        REQUIRE(PostgresOutbox::migrate(url()).has_value());
        for (const std::string setting :
             {"session_preload_libraries = auto_explain", "auto_explain.log_min_duration = 0",
              "auto_explain.log_format = json", "auto_explain.log_nested_statements = on"}) {
            psql("alter database " + name + " set " + setting);
        }
    }

    /// What the work's plans read when it is done again and again: a statement that comes again is
    /// planned once, whatever its values are.
    template <class Work>
    TablesRead read_by(PostgresOutbox& storage, const Work& work) const {
        const auto do_it = [&] {
            REQUIRE(storage
                        .transact([&](OutboxTransaction& t) -> Result<void> {
                            work(t);
                            return {};
                        })
                        .has_value());
        };
        do_it();
        do_it();
        const auto log = server.directory() / "log";
        const auto before = std::filesystem::file_size(log);
        do_it();
        std::ifstream file{log, std::ios::binary};
        file.seekg(static_cast<std::streamoff>(before));
        return tables_in({std::istreambuf_iterator<char>{file}, {}});
    }
};

}  // namespace

TEST_CASE("the next jobs are found by an index among many that wait") {
    if (lacks_postgres()) return;
    const ExplainedDatabase database;
    database.psql(
        "insert into twiliowa.job (sequence, id, tenant, key, content_hash, sender, created_at, "
        "has_payload, state, not_before, updated_at) select n, decode(lpad(to_hex(n), 20, '0'), "
        "'hex'), convert_to('tenant-' || n % 10, 'utf8'), convert_to('key-' || n, 'utf8'), 'hash', "
        "'whatsapp:+15005550006', n, false, " +
        std::to_string(static_cast<int>(JobState::ready)) +
        ", n, n from generate_series(1, 20000) as n");
    database.psql("analyze");
    PostgresOutbox storage{database.url()};
    const auto read = database.read_by(storage, [](OutboxTransaction& t) {
        const auto groups = t.ready_groups().value();
        REQUIRE(groups.size() == 10);
        REQUIRE(t.ready({groups.front(), t.now(), {}, 50}).value().size() == 50);
    });
    CHECK(read.by_index.count("job") == 1);
    CHECK(read.whole.count("job") == 0);
}

TEST_CASE("the next events are found by an index among many that wait") {
    if (lacks_postgres()) return;
    const ExplainedDatabase database;
    // Of ten accounts. Nobody has looked yet who waits for whom: a line has twenty events. Among
    // few it would read all at once, rightly: a thousand are looked at.
    database.psql(
        "insert into twiliowa.inbox_event (sequence, key, account_sid, kind, line, arrived_at, "
        "not_before, updated_at) select n, convert_to('key-' || n, "
        "'utf8'), "
        "convert_to('account-' || n % 10, 'utf8'), 'message', convert_to('line-' || n % 5000, "
        "'utf8'), n, n, n from generate_series(1, 100000) as n");
    database.psql("analyze");
    PostgresOutbox storage{database.url()};
    const auto read = database.read_by(storage, [](OutboxTransaction& t) {
        auto& inbox = *t.inbox();
        const auto accounts = inbox.ready_accounts({.now = t.now(), .limit = 20}).value();
        REQUIRE(accounts.size() == 10);
        const auto events =
            inbox.ready({.account_sid = accounts.front(), .now = t.now(), .limit = 50}).value();
        REQUIRE(events.size() == 50);
        REQUIRE(inbox.abandoned({.boot = "boot", .microseconds = 1}, 50).value().empty());
    });
    CHECK(read.by_index.count("inbox_event") == 1);
    CHECK(read.whole.count("inbox_event") == 0);
}

}  // namespace claim_plans_test
