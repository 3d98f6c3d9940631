/// What a worker's questions cost in a PostgreSQL in which many jobs wait and more are over.
#include <doctest/doctest.h>
#include <libpq-fe.h>

#include <cstdint>
#include <string>

#include <twiliowa/postgresql/postgres_outbox.hpp>

#include "database.hpp"
#include "support/at_scale.hpp"
#include "support/show.hpp"

namespace many_jobs_test {

using namespace twiliowa;
using namespace twiliowa::test;

namespace {

const std::string sender = "whatsapp:+15005550006";

/// As if they had come one after the other; of ten tenants.
void fill(const Database& database, const std::string& table, JobState state, int count) {
    database.psql("insert into twiliowa." + table +
                  " (sequence, id, tenant, key, content_hash, sender, created_at, has_payload, "
                  "state, not_before, "
                  "updated_at) select n, decode(lpad(to_hex(n), 20, '0'), 'hex'), "
                  "convert_to('tenant-' || n % 10, "
                  "'utf8'), convert_to('key-' || n, 'utf8'), 'hash', '" +
                  sender + "', n, false, " + std::to_string(static_cast<int>(state)) +
                  ", n, n from generate_series(nextval('twiliowa.job_sequence_seq'), "
                  "currval('twiliowa.job_sequence_seq') + " +
                  std::to_string(count) +
                  ") as n; select setval('twiliowa.job_sequence_seq', "
                  "currval('twiliowa.job_sequence_seq') + " +
                  std::to_string(count + 1) + ")");
}

/// Rows of jobs that this transaction has read, and of those that are over.
std::int64_t rows_read(OutboxTransaction& transaction) {
    auto* const result =
        ::PQexec(transaction.native().postgresql,
                 "select sum(coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)) from "
                 "pg_stat_xact_user_tables where schemaname = 'twiliowa' and relname like 'job%'");
    REQUIRE(::PQntuples(result) == 1);
    const auto rows = std::stoll(::PQgetvalue(result, 0, 0));
    ::PQclear(result);
    return rows;
}

/// Rows that a worker reads to find whose turn it is, and the next fifty of the first group.
std::int64_t rows_of_a_claim(OutboxStorage& storage) {
    std::int64_t rows = 0;
    const auto asked = storage.transact([&](OutboxTransaction& transaction) -> Result<void> {
        const auto before = rows_read(transaction);
        const auto groups = transaction.ready_groups().value();
        REQUIRE(groups.size() == 10);
        const auto jobs = transaction.ready({groups.front(), transaction.now(), {}, 50}).value();
        REQUIRE(jobs.size() == 50);
        rows = rows_read(transaction) - before;
        return {};
    });
    REQUIRE(asked.has_value());
    return rows;
}

}  // namespace

TEST_CASE("the next jobs cost as little with a million waiting and a million that are over" *
          doctest::test_suite("at scale")) {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    fill(database, "job", JobState::ready, 1'000);
    database.psql("analyze");
    const auto with_few = rows_of_a_claim(storage);
    const auto many = at_scale(20'000, 1'000'000);
    fill(database, "job", JobState::ready, many);
    fill(database, "job_done", JobState::delivered, many);
    // Also by the plans of an hour ago.
    CHECK(rows_of_a_claim(storage) <= with_few + 10);
    database.psql("analyze");
    CHECK(rows_of_a_claim(storage) <= with_few + 10);
    // One for each group, and each job once or twice.
    CHECK(with_few < 200);
}

}  // namespace many_jobs_test
