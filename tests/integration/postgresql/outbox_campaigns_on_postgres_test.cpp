/// Campaigns, chains and what jobs cost in a PostgreSQL that several processes share.
#include <twiliowa/postgresql/postgres_outbox.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include <twiliowa/types/error.hpp>

#include "database.hpp"
#include "open_transaction.hpp"
#include "postgresql/outbox_schema.hpp"
#include "support/show.hpp"
#include "testing/outbox_check.hpp"

namespace outbox_campaigns_on_postgres_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;

namespace {

const TimePoint long_ago{std::chrono::hours{24} * 365 * 40};

StoredJob job_of(const std::string& key, const std::string& campaign = "sale") {
    static unsigned last = 0;
    JobId::Bytes bytes{};
    bytes[0] = static_cast<unsigned char>(++last >> 8U);
    bytes[1] = static_cast<unsigned char>(last);
    StoredJob job;
    job.id = JobId{bytes};
    job.key = key;
    job.content_hash = "hash";
    job.payload = "{}";
    job.sender = "whatsapp:+15005550006";
    job.created_at = job.updated_at = job.not_before = long_ago;
    job.campaign = campaign;
    return job;
}

/// A work's answer; an error of it fails the test.
template <class Work>
auto read_by(OutboxStorage& storage, const Work& work) {
    std::invoke_result_t<Work, OutboxTransaction&> answer{};
    const auto done = storage.transact([&](OutboxTransaction& t) -> Result<void> {
        answer = work(t);
        return {};
    });
    REQUIRE(done.has_value());
    return answer;
}

void insert(OutboxStorage& storage, const std::vector<StoredJob>& jobs) {
    const auto done = storage.transact([&](OutboxTransaction& t) -> Result<void> {
        for (const auto& job : jobs) t.insert(job).value();
        return {};
    });
    REQUIRE(done.has_value());
}

StoredJob load(OutboxStorage& storage, const StoredJob& job) {
    return read_by(storage, [&](OutboxTransaction& t) {
        return t.load({&job.id, 1}).value().at(0);
    });
}

/// Changes a job as it is there now.
template <class Change>
void change(OutboxStorage& storage, const StoredJob& job, const Change& how) {
    const auto done = storage.transact([&](OutboxTransaction& t) -> Result<void> {
        auto found = t.load({&job.id, 1}).value().at(0);
        how(found);
        return t.save(found);
    });
    REQUIRE(done.has_value());
}

std::vector<JobId> due(OutboxStorage& storage, Due what) {
    return read_by(storage, [&](OutboxTransaction& t) {
        std::vector<JobId> ids;
        for (const auto& job : t.due(what, long_ago + 1h, 10).value()) ids.push_back(job.id);
        return ids;
    });
}

std::vector<CampaignCount> counts_of(OutboxStorage& storage, std::string_view campaign) {
    return read_by(storage,
                   [&](OutboxTransaction& t) { return t.campaign_counts(campaign).value(); });
}

/// What differs of two; empty: nothing does.
std::string difference(const StoredJob& a, const StoredJob& b) {
    return a.revision == b.revision ? testing::outbox_check::different_member(a, b) : "revision";
}

/// What a work is refused with.
template <class Work>
std::string refusal_of(OutboxStorage& storage, const Work& work) {
    const auto done = storage.transact([&](OutboxTransaction& t) -> Result<void> {
        auto answer = work(t);
        if (!answer) return answer.error();
        return {};
    });
    return done ? std::string{} : std::string{done.error().what()};
}

/// Which kind somebody waits for, as soon as somebody does.
std::string awaited_lock(const Database& database) {
    while (true) {
        auto kind = database.psql("select locktype from pg_locks where not granted limit 1");
        if (!kind.empty()) return kind;
    }
}

/// A database with tables of an earlier version.
struct EarlierDatabase : Database {
    explicit EarlierDatabase(std::size_t version) {
        const detail::PostgresMigration before{"outbox",
                                               detail::outbox_migration().steps.first(version)};
        REQUIRE(detail::migrate(*connect(), before).has_value());
    }
};

/// One in each state, some with a quota: what tables of any version keep.
std::vector<StoredJob> jobs_in_all_states(OutboxStorage& storage, bool quotas) {
    std::vector<StoredJob> jobs;
    for (int state = 0; state <= static_cast<int>(JobState::cancelled); ++state) {
        auto job = job_of("job-" + std::to_string(state), "");
        if (quotas && state % 2 == 0) {
            job.quota = "org";
            job.cost = 1'500;
        }
        insert(storage, {job});
        change(storage, job, [&](StoredJob& changed) {
            changed.state = static_cast<JobState>(state);
            if (changed.state == JobState::claimed || changed.state == JobState::sending) {
                changed.lease_until = {"", 1};
            }
            if (changed.state == JobState::dead) changed.reason = DeadReason::refused;
            if (!changed.quota.empty()) {
                changed.counted = {{.number = 1, .time_slots = {{60, TimePoint{60s}}}}};
            }
        });
        jobs.push_back(load(storage, job));
    }
    return jobs;
}

}  // namespace

// ---- Another version of the tables

TEST_CASE("jobs of every state are the same on tables with campaigns, and go on there") {
    if (lacks_postgres()) return;
    std::size_t version = 3;
    SUBCASE("from those with quotas") {}
    SUBCASE("from those with an inbox") {
        version = 2;
    }
    SUBCASE("from the first") {
        version = 1;
    }
    const EarlierDatabase database{version};
    PostgresOutbox storage{database.url()};
    const auto jobs = jobs_in_all_states(storage, version >= 3);
    CHECK(PostgresOutbox::migrate(database.url()).has_value());
    for (const auto& job : jobs) {
        CAPTURE(to_string(job.state));
        CHECK(difference(load(storage, job), job) == "");
        // What was there before may cost something, and be final for other reasons.
        change(storage, job, [](StoredJob& changed) {
            changed.spend = 78'900;
            changed.chain_due = long_ago;
            changed.counted.push_back({2, true, {{60, TimePoint{60s}}}, "budget", 78'900});
        });
        auto expected = job;
        expected.revision = job.revision + 1;
        expected.spend = 78'900;
        expected.chain_due = long_ago;
        expected.counted.push_back({2, true, {{60, TimePoint{60s}}}, "budget", 78'900});
        CHECK(difference(load(storage, job), expected) == "");
        change(storage, job, [](StoredJob& changed) {
            changed.state = JobState::dead;
            changed.reason = DeadReason::quiet;
        });
        CHECK(load(storage, job).reason == DeadReason::quiet);
    }
    CHECK(due(storage, Due::chain).size() == jobs.size());
    CHECK(read_by(storage, [](OutboxTransaction& t) { return t.counts().value(); }) ==
          std::map<JobState, std::int64_t>{{JobState::dead, jobs.size()}});
    // A row that other programs put in has the reason checked as before.
    CHECK_THROWS(database.psql(
        "insert into twiliowa.job (id, key, created_at, has_payload, reason, not_before, "
        "updated_at) values ('0123456789', 'k', 0, false, 8, 0, 0)"));
}

TEST_CASE("on earlier tables jobs go without campaigns, and what needs them is refused") {
    if (lacks_postgres()) return;
    const EarlierDatabase database{3};
    PostgresOutbox storage{database.url()};
    const auto plain = job_of("plain", "");
    insert(storage, {plain});
    const auto with_campaign = job_of("of a campaign");
    const auto insert_one = [&](OutboxTransaction& t) { return t.insert(with_campaign); };
    CHECK(refusal_of(storage, insert_one) == containing("which keep no campaigns"));
    CHECK(refusal_of(storage, [&](OutboxTransaction& t) {
              auto job = t.load({&plain.id, 1}).value().at(0);
              job.price_due = long_ago;
              return t.save(job);
          }) == containing("which keep no campaigns"));
    CHECK(refusal_of(storage, [](OutboxTransaction& t) { return t.campaigns({}); }) ==
          containing("keeps no campaigns"));
    CHECK(refusal_of(storage, [](OutboxTransaction& t) { return t.campaign_counts("sale"); }) ==
          containing("keeps no campaigns"));
    CHECK(due(storage, Due::chain).empty());
    CHECK(due(storage, Due::price).empty());
    CHECK(read_by(storage, [](OutboxTransaction& t) {
              return t.list({.campaign = "sale"}).value();
          }).empty());
    const auto groups =
        read_by(storage, [](OutboxTransaction& t) { return t.ready_groups().value(); });
    CHECK(groups == std::vector{ReadyGroup{plain.sender}});
    CHECK(PostgresOutbox::migrate(database.url()).has_value());
    CHECK(refusal_of(storage, insert_one).empty());
    CHECK(counts_of(storage, "sale") ==
          std::vector{CampaignCount{0, 0, JobState::ready, DeadReason::none, 1, 0}});
}

TEST_CASE("a transaction that began on earlier tables ends on them") {
    if (lacks_postgres()) return;
    const EarlierDatabase database{3};
    PostgresOutbox storage{database.url()};
    const auto job = job_of("plain", "");
    OpenTransaction open{storage, [&](OutboxTransaction& t) -> Result<void> {
                             t.insert(job).value();
                             return {};
                         }};
    std::thread migration{[&] { CHECK(PostgresOutbox::migrate(database.url()).has_value()); }};
    CHECK(awaited_lock(database) == "advisory");
    CHECK(open.commit());
    migration.join();
    CHECK(load(storage, job).key == "plain");
}

TEST_CASE("a role that is no owner keeps campaigns once it may use their tables") {
    if (lacks_postgres()) return;
    const EarlierDatabase database{3};
    const auto role = "weak_" + database.name;
    const std::string grants =
        "grant usage on schema twiliowa to " + role +
        "; grant select, insert, update, delete on all tables in schema twiliowa to " + role +
        "; grant usage on all sequences in schema twiliowa to " + role;
    database.psql("create role " + role + " login; " + grants);
    PostgresOutbox storage{database.url(role)};
    insert(storage, {job_of("before", "")});
    CHECK_FALSE(PostgresOutbox::migrate(database.url(role)).has_value());
    database.psql(PostgresOutbox::migration_sql(3));
    const auto job = job_of("after");
    const auto load_it = [&](OutboxTransaction& t) { return t.load({&job.id, 1}); };
    CHECK(refusal_of(storage, load_it) == containing("refuses this role"));
    database.psql(grants);
    insert(storage, {job});
    change(storage, job, [](StoredJob& changed) { changed.state = JobState::delivered; });
    CHECK(counts_of(storage, "sale").at(0).state == JobState::delivered);
    database.psql("drop owned by " + role + "; drop role " + role);
}

// ---- What others do at the same moment

TEST_CASE("who counts jobs of a campaign waits for nobody who counts the same") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    const auto other = database.connect();
    REQUIRE(other
                ->run_script("begin; insert into twiliowa.outbox_campaign_tally "
                             "values ('sale', 0, 0, 0, 0, 5, 500)")
                .has_value());
    auto job = job_of("a");
    job.spend = 100;
    insert(storage, {job});
    CHECK(counts_of(storage, "sale").at(0).jobs == 1);
    REQUIRE(other->run_script("commit").has_value());
    CHECK(counts_of(storage, "sale") ==
          std::vector{CampaignCount{0, 0, JobState::ready, DeadReason::none, 6, 600}});
}

TEST_CASE("many rows of counts are folded by who reads them, and where nobody does by a purge") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    database.psql(
        "insert into twiliowa.outbox_campaign_tally select convert_to(name, 'UTF8'), 1, 0, "
        "state, 0, case when state = 6 then 1 else -1 end, 10 from generate_series(1, 600), "
        "(values (6), (0)) as s(state), (values ('read'), ('unread')) as c(name); "
        "insert into twiliowa.outbox_campaign_tally values ('read', 1, 0, 0, 0, 600, -6000), "
        "('few', 1, 0, 0, 0, 1, 0), ('few', 1, 0, 0, 0, 1, 0)");
    const auto rows_of = [&](const std::string& campaign) {
        return database.psql(
            "select count(*) from twiliowa.outbox_campaign_tally "
            "where campaign = '" +
            campaign + "'");
    };
    const std::vector expected{
        CampaignCount{1, 0, JobState::delivered, DeadReason::none, 600, 6'000}};
    CHECK(counts_of(storage, "read") == expected);
    CHECK(rows_of("read") == "1");
    CHECK(counts_of(storage, "read") == expected);
    CHECK(rows_of("unread") == "1200");
    read_by(storage,
            [](OutboxTransaction& t) { return t.purge(long_ago - 1h, std::nullopt, 10).value(); });
    CHECK(rows_of("unread") == "2");
    CHECK(rows_of("few") == "2");
}

TEST_CASE("one looks for what is due of a chain or a price at a time, and nobody waits for it") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    PostgresOutbox other{database.url()};
    const auto job = job_of("a");
    insert(storage, {job});
    change(storage, job, [](StoredJob& changed) {
        changed.state = JobState::accepted;
        changed.chain_due = changed.price_due = long_ago;
    });
    for (const auto what : {Due::chain, Due::price}) {
        OpenTransaction open{storage, [&](OutboxTransaction& t) -> Result<void> {
                                 CHECK(t.due(what, long_ago, 10).value().size() == 1);
                                 return {};
                             }};
        CHECK(due(other, what).empty());
        CHECK(due(other, what == Due::chain ? Due::price : Due::chain).size() == 1);
        CHECK(open.commit());
        CHECK(due(other, what).size() == 1);
    }
}

TEST_CASE("what another has written beside a job since it was read is not written over") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    const auto job = job_of("a");
    insert(storage, {job});
    int runs = 0;
    change(storage, job, [&](StoredJob& changed) {
        if (++runs == 1) {
            // As a claim would see it that has waited for the row of the job alone.
            database.psql("update twiliowa.outbox_campaign_job set spend = 50, revision = 2");
        }
        changed.spend += 100;
    });
    CHECK(runs == 2);
    CHECK(load(storage, job).spend == 150);
}

TEST_CASE("of two that read a campaign and save it at once one begins anew") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    PostgresOutbox other{database.url()};
    const StoredCampaign campaign{.id = "sale", .definition = "{}", .course = "0"};
    read_by(storage, [&](OutboxTransaction& t) { return t.insert_campaign(campaign).value(); });
    const auto add_one = [](OutboxTransaction& t) -> Result<void> {
        auto found = t.campaigns({}).value().at(0);
        found.course = std::to_string(std::stoi(found.course) + 1);
        return t.save_campaign(found);
    };
    OpenTransaction open{storage, add_one};
    std::thread second{[&] { CHECK(other.transact(add_one).has_value()); }};
    CHECK(awaited_lock(database) == "transactionid");
    CHECK(open.commit());
    second.join();
    CHECK(database.psql("select encode(course, 'escape') || revision from "
                        "twiliowa.outbox_campaign") == "23");
    CHECK(other.stats().begun_anew == 1);
}

// ---- Rows

TEST_CASE("a job that is no longer final is its campaign's again") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    const auto job = job_of("a");
    insert(storage, {job, job_of("b", ""), job_of("c", "")});
    change(storage, job, [](StoredJob& changed) { changed.state = JobState::dead; });
    CHECK(database.psql("select count(*) from twiliowa.job_done where campaign = 'sale'") == "1");
    change(storage, job, [](StoredJob& changed) { changed.state = JobState::ready; });
    const ReadyGroup its_group{.sender = job.sender, .campaign = "sale"};
    const auto ready = read_by(storage, [&](OutboxTransaction& t) {
        return t.ready({its_group, long_ago, long_ago, 10}).value();
    });
    REQUIRE(ready.size() == 1);
    CHECK(ready[0].id == job.id);
}

TEST_CASE("a job without a campaign has no row beside it, and nothing of it is counted") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    auto job = job_of("a", "");
    job.quota = "org";
    insert(storage, {job});
    change(storage, job, [](StoredJob& changed) {
        changed.state = JobState::delivered;
        changed.counted = {{.number = 1, .time_slots = {{60, TimePoint{60s}}}}};
    });
    CHECK(database.psql("select count(*) from twiliowa.outbox_campaign_job") == "0");
    CHECK(database.psql("select count(*) from twiliowa.outbox_campaign_tally") == "0");
}

TEST_CASE("what a purge removes of a job it removes beside it, and the counts stay") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    const auto job = job_of("a");
    insert(storage, {job, job_of("b")});
    change(storage, job, [](StoredJob& changed) { changed.state = JobState::delivered; });
    CHECK(read_by(storage, [](OutboxTransaction& t) {
              return t.purge(long_ago + 1h, std::nullopt, 10).value();
          }) == 1);
    CHECK(database.psql("select count(*) from twiliowa.outbox_campaign_job") == "1");
    CHECK(counts_of(storage, "sale").size() == 2);
}

TEST_CASE("people see the campaign of a job, wherever its row is") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    auto job = job_of("a");
    job.variant = 2;
    job.step = 1;
    job.spend = 78'900;
    insert(storage, {job, job_of("b", "")});
    const std::string shown =
        "select string_agg(concat_ws(' ', encode(key::bytea, 'escape'), state, campaign, variant, "
        "step, spend::numeric(9, 4)), ', ' order by sequence) from twiliowa.jobs";
    CHECK(database.psql(shown) == "a ready sale 2 1 0.0789, b ready  0 0 0.0000");
    change(storage, job, [](StoredJob& changed) { changed.state = JobState::delivered; });
    CHECK(database.psql(shown) == "a delivered sale 2 1 0.0789, b ready  0 0 0.0000");
}

TEST_CASE("a job of a campaign is not handed over in a transaction of the program's own") {
    if (lacks_postgres()) return;
    const Database database;
    const PostgresOutbox storage{database.url()};
    const auto connection = database.connect();
    REQUIRE(connection->run_script("begin").has_value());
    const auto refused = PostgresOutbox::insert_into(connection->native(), job_of("a"));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().what() == containing("campaign: is not handed over"));
    CHECK(PostgresOutbox::insert_into(connection->native(), job_of("a", "")).has_value());
    CHECK_THROWS_AS(OutboxSql::insert(job_of("b")), InvalidRequestError);
}

}  // namespace outbox_campaigns_on_postgres_test
