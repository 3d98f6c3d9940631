/// The jobs of an outbox in a PostgreSQL: what the engine promises, and what is PostgreSQL's own.
#include <twiliowa/postgresql/postgres_outbox.hpp>

#include <doctest/doctest.h>
#include <libpq-fe.h>

#include <algorithm>
#include <atomic>
#include <latch>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <twiliowa/metrics_observer.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/testing/check_outbox_storage.hpp>

#include "database.hpp"
#include "open_transaction.hpp"
#include "postgresql/outbox_schema.hpp"
#include "support/show.hpp"
#include "unit/outbox/outbox_service.hpp"
#include "unit/outbox/sealed_rows.hpp"

namespace postgres_outbox_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;

namespace {

const TimePoint long_ago{std::chrono::hours{24} * 365 * 40};
const ReadyGroup group{"whatsapp:+15005550006", Lane::normal, "tenant", "account"};

const std::string remove_days =
    "do $$ declare name text; begin for name in select relname from pg_class "
    "where relname ~ '_done_[0-9]{8}$' loop execute format('drop table twiliowa.%I', name); "
    "end loop; end $$";

StoredJob job_of(const std::string& key, const std::string& order_key = {}) {
    static std::atomic<unsigned> last{0};
    JobId::Bytes bytes{};
    const auto number = ++last;
    for (std::size_t i = 0; i < 4; ++i) {
        bytes[i] = static_cast<unsigned char>(number >> (24 - 8 * i));
    }
    StoredJob job;
    job.id = JobId{bytes};
    job.key = key;
    job.order_key = order_key;
    job.content_hash = "hash";
    job.payload = "{}";
    job.sender = group.sender;
    job.tenant = group.tenant;
    job.account = group.account;
    job.created_at = long_ago;
    job.updated_at = long_ago;
    job.not_before = long_ago;
    return job;
}

Result<void> try_insert(PostgresOutbox& storage, const StoredJob& job) {
    return storage.transact([&](OutboxTransaction& t) -> Result<void> {
        const auto inserted = t.insert(job);
        return inserted ? Result<void>{} : inserted.error();
    });
}
void insert(PostgresOutbox& storage, const StoredJob& job) {
    REQUIRE(try_insert(storage, job).has_value());
}

/// Claims up to so many; their ids.
Result<std::vector<JobId>> claim(OutboxTransaction& t, std::size_t limit = 100) {
    std::vector<JobId> ids;
    auto jobs = t.ready({group, t.now(), t.now(), limit});
    if (!jobs) return jobs.error();
    for (auto& job : *jobs) {
        job.state = JobState::sending;
        job.lease_until = {{}, t.lease_now().microseconds + 60'000'000};
        if (auto saved = t.save(job); !saved) return saved.error();
        ids.push_back(job.id);
    }
    return ids;
}
std::vector<JobId> claimed(PostgresOutbox& storage, std::size_t limit = 100) {
    std::vector<JobId> ids;
    const auto done = storage.transact([&](OutboxTransaction& t) -> Result<void> {
        auto some = claim(t, limit);
        if (!some) return some.error();
        ids = std::move(*some);
        return {};
    });
    REQUIRE(done.has_value());
    return ids;
}
bool has_key(PostgresOutbox& storage, const std::string& key) {
    bool known = false;
    const auto done = storage.transact([&](OutboxTransaction& t) -> Result<void> {
        const auto found = t.find_key(group.tenant, key);
        if (!found) return found.error();
        known = found->has_value();
        return {};
    });
    REQUIRE(done.has_value());
    return known;
}
/// libpq's own, as a program has one.
struct OwnConnection {
    explicit OwnConnection(const std::string& url) : connection(PQconnectdb(url.c_str())) {
        REQUIRE(PQstatus(connection) == CONNECTION_OK);
        PQsetNoticeReceiver(
            connection, [](void*, const PGresult*) {}, nullptr);
    }
    ~OwnConnection() { PQfinish(connection); }
    void run(const std::string& sql) const { PQclear(PQexec(connection, sql.c_str())); }
    PGconn* connection;
};

/// Makes the database's time what it is told to be.
void set_time(const Database& database, TimePoint time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
    database.psql(
        "create or replace function twiliowa.now() returns timestamptz language sql "
        "stable as 'select to_timestamp(" +
        std::to_string(seconds) + ")'");
}

std::string shown(const std::vector<std::string>& faults) {
    std::string text;
    for (const auto& fault : faults) text += fault + '\n';
    return text;
}

/// As a program of another language hands over.
auto strangers_of(const Database& database) {
    return [&database](std::string_view key, std::string_view payload) {
        database.psql("select * from twiliowa.enqueue('{\"key\": \"" + std::string{key} +
                      "\", \"message\": " + std::string{payload} + "}')");
    };
}

}  // namespace

TEST_CASE("an outbox in PostgreSQL keeps the contract of a storage") {
    if (lacks_postgres()) return;
    const Database database;
    const auto faults = testing::check_outbox_storage(
        [&] { return std::make_shared<PostgresOutbox>(database.url()); },
        {.insert_as_stranger = strangers_of(database)});
    CHECK(shown(faults) == "");
}

TEST_CASE("it keeps it through PgBouncer in transaction mode, too") {
    if (lacks_pgbouncer()) return;
    const Database database;
    const TestPgBouncer bouncer{database.server};
    const auto faults = testing::check_outbox_storage(
        [&] { return std::make_shared<PostgresOutbox>(bouncer.url(database.name)); },
        {.insert_as_stranger = strangers_of(database)});
    CHECK(shown(faults) == "");
}

// ---- Claims

namespace {

constexpr int many_jobs = 2'000;

struct Claims {
    std::multiset<std::int64_t> sequences = {};
    std::size_t doubles() const {
        return sequences.size() - std::set<std::int64_t>(sequences.begin(), sequences.end()).size();
    }
};

void insert_many(PostgresOutbox& storage) {
    for (int i = 0; i < many_jobs; i += 200) {
        const auto done = storage.transact([&](OutboxTransaction& t) -> Result<void> {
            for (int n = 0; n < 200; ++n) {
                t.insert(job_of("many-" + std::to_string(i + n))).value();
            }
            return {};
        });
        REQUIRE(done.has_value());
    }
}

/// By so many workers, each with a connection of its own, until there is nothing left.
template <class ClaimSome>
Claims claims_of(int workers, const ClaimSome& claim_some) {
    Claims all;
    std::mutex mutex;
    std::vector<std::thread> threads;
    for (int i = 0; i < workers; ++i) {
        threads.emplace_back([&, i] {
            while (true) {
                const std::vector<std::int64_t> some = claim_some(i);
                if (some.empty()) return;
                const std::lock_guard lock(mutex);
                all.sequences.insert(some.begin(), some.end());
            }
        });
    }
    for (auto& thread : threads) thread.join();
    return all;
}

}  // namespace

TEST_CASE("workers of several processes claim each job once") {
    if (lacks_postgres()) return;
    for (const int workers : {2, 8}) {
        CAPTURE(workers);
        const Database database;
        std::vector<std::unique_ptr<PostgresOutbox>> storages;
        for (int i = 0; i < workers; ++i) {
            storages.push_back(std::make_unique<PostgresOutbox>(database.url()));
        }
        insert_many(*storages.front());
        const auto claims = claims_of(workers, [&](int worker) {
            std::vector<std::int64_t> some;
            const auto done = storages[static_cast<std::size_t>(worker)]->transact(
                [&](OutboxTransaction& t) -> Result<void> {
                    some.clear();
                    const auto ids = claim(t, 20);
                    if (!ids) return ids.error();
                    for (const auto& job : t.load(*ids).value()) some.push_back(job.sequence);
                    return {};
                });
            CHECK(done.has_value());
            return some;
        });
        CHECK(claims.sequences.size() == many_jobs);
        CHECK(claims.doubles() == 0);
        CHECK(database.psql("select count(*) from twiliowa.job where state = 2 and revision = 2") ==
              std::to_string(many_jobs));
    }
}

TEST_CASE("a claim by `where id = (select ... limit 1)` would give jobs twice") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    insert_many(storage);
    constexpr int workers = 8;
    std::vector<std::unique_ptr<detail::PostgresConnection>> connections;
    for (int i = 0; i < workers; ++i) connections.push_back(database.connect());
    const auto claims = claims_of(workers, [&](int worker) {
        std::vector<std::int64_t> some;
        const auto rows = connections[static_cast<std::size_t>(worker)]->execute(
            {"update twiliowa.job set state = 1, lease_until = 1 where sequence = (select sequence "
             "from twiliowa.job where state = 0 order by not_before, sequence limit 1) "
             "returning sequence"});
        if (rows && !rows->empty()) some.push_back(rows->number(0, 0));
        return some;
    });
    CHECK(claims.doubles() > 0);
}

TEST_CASE("what another transaction is claiming is passed over, and nobody waits") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox one{database.url()};
    PostgresOutbox other{database.url()};
    insert(one, job_of("first"));
    const auto second = job_of("second");
    insert(one, second);
    OpenTransaction open{one, [](OutboxTransaction& t) -> Result<void> {
                             const auto ids = claim(t, 1);
                             return ids ? Result<void>{} : ids.error();
                         }};
    CHECK(claimed(other) == std::vector<JobId>{second.id});
    CHECK(open.commit());
    CHECK(claimed(other).empty());
}

TEST_CASE(
    "a job waits for the one before it of its order_key, also while that is in an open "
    "transaction") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox one{database.url()};
    PostgresOutbox other{database.url()};
    const auto first = job_of("first", "line");
    const auto second = job_of("second", "line");
    insert(one, first);
    insert(one, second);
    {
        OpenTransaction claiming{one, [](OutboxTransaction& t) -> Result<void> {
                                     const auto ids = claim(t);
                                     return ids ? Result<void>{} : ids.error();
                                 }};
        CHECK(claimed(other).empty());
        CHECK(claiming.commit());
    }
    CHECK(claimed(other).empty());
    {
        OpenTransaction ending{one, [&](OutboxTransaction& t) -> Result<void> {
                                   auto jobs = t.load({&first.id, 1}).value();
                                   jobs.front().state = JobState::accepted;
                                   jobs.front().lease_until = {};
                                   return t.save(jobs.front());
                               }};
        CHECK(claimed(other).empty());
        CHECK(ending.commit());
    }
    CHECK(claimed(other) == std::vector<JobId>{second.id});
}

TEST_CASE("a job that two change at once is changed by both, one after the other") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox one{database.url()};
    PostgresOutbox other{database.url()};
    const auto job = job_of("one");
    insert(one, job);
    const auto add = [&](OutboxTransaction& t) -> Result<void> {
        auto jobs = t.load({&job.id, 1}).value();
        ++jobs.front().looks;
        return t.save(jobs.front());
    };
    // They outlive the thread, which may come again.
    std::latch begun{1};
    std::atomic<bool> told{false};
    std::thread late;
    {
        OpenTransaction open{one, add};
        late = std::thread([&] {
            CHECK(other
                      .transact([&](OutboxTransaction& t) -> Result<void> {
                          auto done = add(t);
                          if (!told.exchange(true)) begun.count_down();
                          return done;
                      })
                      .has_value());
        });
        begun.wait();
    }
    late.join();
    CHECK(database.psql("select looks, revision from twiliowa.job") == "2|3");
    CHECK(other.stats().begun_anew == 1);
}

TEST_CASE("one SID is bound to one of two jobs, whoever comes first") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox one{database.url()};
    PostgresOutbox other{database.url()};
    const auto first = job_of("first");
    const auto second = job_of("second");
    insert(one, first);
    insert(one, second);
    const auto bind = [](const JobId& id) {
        return [id](OutboxTransaction& t) -> Result<void> {
            const auto owner = t.find_sid("SM1");
            if (!owner) return owner.error();
            if (*owner) return {};
            auto jobs = t.load({&id, 1}).value();
            jobs.front().sid = "SM1";
            return t.save(jobs.front());
        };
    };
    // They outlive the thread, which may come again.
    std::latch begun{1};
    std::atomic<bool> told{false};
    std::thread late;
    {
        OpenTransaction open{one, bind(first.id)};
        late = std::thread([&] {
            CHECK(other
                      .transact([&](OutboxTransaction& t) -> Result<void> {
                          auto done = bind(second.id)(t);
                          if (!told.exchange(true)) begun.count_down();
                          return done;
                      })
                      .has_value());
        });
        begun.wait();
    }
    late.join();
    CHECK(database.psql("select key from twiliowa.jobs where sid <> ''") == "first");
}

TEST_CASE("what is set of a fact, and who goes by it, do not pass each other") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox one{database.url()};
    PostgresOutbox other{database.url()};
    const auto job = job_of("in doubt");
    insert(one, job);
    // One sees that nobody has the SID, and notes that it is a stranger's.
    const auto note = [&](OutboxTransaction& t) -> Result<void> {
        if (t.find_sid("SM1").value()) return {};
        static_cast<void>(t.load({&job.id, 1}).value());
        return t.set_fact("stranger SM1", "1");
    };
    // The other binds it, unless it is a stranger's.
    const auto bind = [&](OutboxTransaction& t) -> Result<void> {
        if (!t.fact("stranger SM1").value().empty()) return {};
        auto jobs = t.load({&job.id, 1}).value();
        jobs.front().sid = "SM1";
        return t.save(jobs.front());
    };
    const auto check_one_of_them = [&] {
        const auto facts = database.psql("select count(*) from twiliowa.fact");
        const auto bound = database.psql("select count(*) from twiliowa.job where sid <> ''");
        CHECK(facts != bound);
        database.psql("delete from twiliowa.fact");
        database.psql("delete from twiliowa.job_sid");
        database.psql("update twiliowa.job set sid = ''");
    };
    const auto run = [&](const auto& first, const auto& second) {
        std::latch begun{1};
        std::atomic<bool> told{false};
        std::thread late;
        {
            OpenTransaction open{one, first};
            late = std::thread([&] {
                CHECK(other
                          .transact([&](OutboxTransaction& t) -> Result<void> {
                              auto done = second(t);
                              if (!told.exchange(true)) begun.count_down();
                              return done;
                          })
                          .has_value());
            });
            begun.wait();
        }
        late.join();
        check_one_of_them();
    };
    run(note, bind);
    run(bind, note);
    // All of the note comes between what the other reads and what it writes.
    bool noted = false;
    CHECK(other
              .transact([&](OutboxTransaction& t) -> Result<void> {
                  if (!t.fact("stranger SM1").value().empty()) return {};
                  auto jobs = t.load({&job.id, 1}).value();
                  if (!std::exchange(noted, true)) CHECK(one.transact(note).has_value());
                  jobs.front().sid = "SM1";
                  return t.save(jobs.front());
              })
              .has_value());
    check_one_of_them();
}

// ---- Outcomes

TEST_CASE("an outcome of a transaction that began earlier and commits later is told of, too") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox slow{database.url()};
    PostgresOutbox quick{database.url()};
    const auto first = job_of("first");
    const auto second = job_of("second");
    insert(slow, first);
    insert(slow, second);
    const auto outcomes_after = [&](std::int64_t cursor) {
        std::vector<StoredOutcome> outcomes;
        CHECK(quick
                  .transact([&](OutboxTransaction& t) -> Result<void> {
                      outcomes = t.outcomes(cursor, 100).value();
                      return {};
                  })
                  .has_value());
        return outcomes;
    };
    OpenTransaction open{slow, [&](OutboxTransaction& t) {
                             return t.add_outcome({0, first.id, Outcome::accepted, long_ago});
                         }};
    CHECK(quick
              .transact([&](OutboxTransaction& t) {
                  return t.add_outcome({0, second.id, Outcome::accepted, long_ago});
              })
              .has_value());
    const auto before = outcomes_after(0);
    REQUIRE(before.size() == 1);
    CHECK(before[0].job == second.id);
    CHECK(open.commit());
    const auto after = outcomes_after(before[0].cursor);
    REQUIRE(after.size() == 1);
    CHECK(after[0].job == first.id);
    // By the order in which they were written it would have been passed.
    CHECK(database.psql("select string_agg(cursor::text, ',' order by id) from twiliowa.outcome") ==
          "2,1");
}

// ---- Doors for a program's own transaction

TEST_CASE("a message goes with the program's own transaction, or not at all") {
    if (lacks_postgres()) return;
    const Database database;
    const auto storage = std::make_shared<PostgresOutbox>(database.url());
    Outbox outbox{storage, {}};
    const OwnConnection own{database.url()};
    own.run("create table shop_order (number text)");
    const auto hand_over = [&](const std::string& key, const std::string& end) {
        own.run("begin");
        own.run("insert into shop_order values ('" + key + "')");
        const auto job = try_enqueue_in(
            own.connection, outbox,
            OutboundText{.to = "+447700900123", .body = "Thank you", .from = "+14155238886"},
            {.key = key});
        CHECK(PQtransactionStatus(own.connection) == PQTRANS_INTRANS);
        own.run(end);
        return job;
    };
    CHECK(hand_over("undone", "rollback").has_value());
    CHECK_FALSE(outbox.find("", "undone"));
    CHECK(hand_over("done", "commit").has_value());
    CHECK(outbox.find("", "done").has_value());
    const auto again = hand_over("done", "commit");
    REQUIRE(again.has_value());
    CHECK(again->existed);
    CHECK(database.psql("select string_agg(number, ',') from shop_order") == "done,done");
    CHECK(outbox.counts().of(JobState::ready) == 1);
}

TEST_CASE("an insert that fails leaves the program's transaction as it was") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    const OwnConnection own{database.url()};
    const auto unbegun = PostgresOutbox::insert_into(own.connection, job_of("a"));
    REQUIRE_FALSE(unbegun.has_value());
    CHECK(unbegun.error().what() == containing("is in no transaction"));
    own.run("create table shop_order (number text)");
    own.run("begin");
    own.run("insert into shop_order values ('kept')");
    auto wrong = job_of("wrong");
    wrong.sender = std::string(5'000, 'x');
    CHECK_FALSE(PostgresOutbox::insert_into(own.connection, wrong).has_value());
    CHECK(PQtransactionStatus(own.connection) == PQTRANS_INTRANS);
    own.run("commit");
    CHECK(database.psql("select number from shop_order") == "kept");
    CHECK_FALSE(has_key(storage, "wrong"));
}

TEST_CASE("any driver can run the insert as text, with the rights for nothing else") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    const auto role = "shop_" + database.name;
    database.psql("create role " + role + " login");
    database.psql("grant usage on schema twiliowa to " + role);
    database.psql("grant execute on function twiliowa.insert_job to " + role);
    const OwnConnection own{database.url(role)};
    const auto run = [&](const StoredJob& job) {
        const auto insert = OutboxSql::insert(job);
        std::vector<const char*> values;
        for (const auto& each : insert.parameters) {
            values.push_back(each ? each->c_str() : nullptr);
        }
        auto* const result =
            PQexecParams(own.connection, insert.text.c_str(), static_cast<int>(values.size()),
                         nullptr, values.data(), nullptr, nullptr, 0);
        REQUIRE(PQntuples(result) == 1);
        auto answer = OutboxSql::answer(PQgetvalue(result, 0, 0)).value();
        PQclear(result);
        return answer;
    };
    auto job = job_of(std::string("k\0\xff'", 4));
    job.content_hash = std::string("h\0", 2);
    own.run("begin");
    CHECK(run(job).inserted);
    own.run("rollback");
    CHECK_FALSE(has_key(storage, job.key));
    own.run("begin");
    CHECK(run(job).inserted);
    const auto again = run(job);
    own.run("commit");
    CHECK_FALSE(again.inserted);
    CHECK(again.id == job.id);
    CHECK(again.content_hash == job.content_hash);
    CHECK(has_key(storage, job.key));
    CHECK(database.server.psql(database.name, "select count(*) from twiliowa.job") == "1");
    CHECK_FALSE(OutboxSql::answer("2 0 00 00").has_value());
    CHECK_FALSE(OutboxSql::answer("").has_value());
    database.psql("drop owned by " + role + "; drop role " + role);
}

TEST_CASE("programs of other languages hand over by a function, in their own transactions") {
    if (lacks_postgres()) return;
    const Database database;
    outbox_test::Service service;
    service.wrapped = [&] { return std::make_shared<PostgresOutbox>(database.url()); };
    service.restart();
    const std::string job =
        "twiliowa.enqueue('{\"key\": \"a\", \"message\": {\"to\": "
        "\"+447700900123\", \"body\": \"Hi\"}}')";
    database.psql("begin; select * from " + job + "; rollback");
    CHECK_FALSE(service.outbox->find("", "a"));
    CHECK(database.psql("select existed from " + job) == "f");
    CHECK(database.psql("select existed from " + job) == "t");
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 1);
    CHECK(service.outbox->find("", "a")->state == JobState::accepted);
}

TEST_CASE("they may seal what they hand over, and be held to that") {
    if (lacks_postgres()) return;
    twiliowa::OutboxOptions options;
    options.sealer =
        twiliowa::Sealer{twiliowa::KeyRing::parse(twiliowa::KeyRing::new_key("k1").reveal())};
    SUBCASE("and what is in the clear is sealed then") {}
    SUBCASE("and nothing else") {
        options.refuse_unsealed_rows = true;
    }
    const Database database;
    outbox_test::Service service{options};
    service.wrapped = [&] { return std::make_shared<PostgresOutbox>(database.url()); };
    service.restart();
    outbox_test::take_sealed_rows(service, *options.sealer,
                                  [&](const std::string& key, const std::string& payload) {
                                      database.psql("select twiliowa.enqueue('{\"key\": \"" + key +
                                                    "\", \"message\": " + payload + "}')");
                                  });
}

// ---- The engine

TEST_CASE(
    "a job goes its way in PostgreSQL, and what is final leaves the table of those who work") {
    if (lacks_postgres()) return;
    const Database database;
    outbox_test::Service service;
    service.wrapped = [&] { return std::make_shared<PostgresOutbox>(database.url()); };
    service.restart();
    const auto job = service.enqueue("Hi", {.key = "a"});
    CHECK(service.enqueue("Hi", {.key = "a"}).existed);
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 1);
    CHECK(service.state(job) == JobState::accepted);
    service.outbox->learn(service.callback("delivered"));
    CHECK(service.state(job) == JobState::delivered);
    CHECK(database.psql("select count(*) from twiliowa.job") == "0");
    CHECK(database.psql("select count(*) from twiliowa.job_done") == "1");
    CHECK(database.psql("select count(*) from twiliowa.job_done_rest") == "0");
    service.outbox->learn(service.callback("read"));
    CHECK(service.job(job).status.str() == "read");
    CHECK(service.outbox->counts().of(JobState::delivered) == 1);
}

TEST_CASE("a day of jobs that are final is a table, and goes when nothing is left in it") {
    if (lacks_postgres()) return;
    const Database database;
    outbox_test::Service service;
    const auto storage = std::make_shared<PostgresOutbox>(database.url());
    service.wrapped = [&] { return storage; };
    service.restart();
    const auto days =
        "select count(*) from pg_inherits where inhparent = 'twiliowa.job_done'::regclass";
    const auto usual = std::stoi(database.psql(days));
    const auto job = service.enqueue();
    service.outbox->run_until_idle();
    service.outbox->learn(service.callback("delivered"));
    database.psql(
        "create table twiliowa.job_done_20010101 partition of twiliowa.job_done "
        "for values from (978307200000000) to (978393600000000)");
    CHECK(std::stoi(database.psql(days)) == usual + 1);
    const auto midnight = std::chrono::floor<std::chrono::days>(*storage->now());
    CHECK(service.outbox->try_purge(midnight).value() == 0);
    CHECK(std::stoi(database.psql(days)) == usual);
    CHECK(service.state(job) == JobState::delivered);
}

TEST_CASE("a job becomes final while somebody makes its day's table") {
    if (lacks_postgres()) return;
    const Database database;
    outbox_test::Service service;
    service.wrapped = [&] { return std::make_shared<PostgresOutbox>(database.url()); };
    service.restart();
    database.psql(remove_days);
    const auto job = service.enqueue();
    const auto other = database.connect();
    REQUIRE(other
                ->run_script(
                    "begin; create table twiliowa.all_days (like twiliowa.job_done including "
                    "defaults); alter table twiliowa.job_done attach partition twiliowa.all_days "
                    "for values from (0) to (9223372036854775807)")
                .has_value());
    bool cancelled = false;
    std::thread thread{[&] { cancelled = service.outbox->try_cancel(job.id).has_value(); }};
    while (database.psql("select count(*) from pg_locks where not granted") == "0") {
        std::this_thread::yield();
    }
    const bool committed = other->run_script("commit").has_value();
    thread.join();
    CHECK(committed);
    CHECK(cancelled);
    CHECK(database.psql("select count(*) from twiliowa.all_days") == "1");
}

TEST_CASE(
    "programs that start at once make the tables of the next days, and none is in another's way") {
    if (lacks_postgres()) return;
    const Database database;
    REQUIRE(PostgresOutbox::migrate(database.url()).has_value());
    const auto connection = database.connect();
    constexpr int programs = 8;
    constexpr int rounds = 20;
    std::vector<std::string> faults;
    std::mutex mutex;
    for (int round = 0; round < rounds; ++round) {
        REQUIRE(connection->run_script(remove_days).has_value());
        std::latch all_here{programs};
        std::vector<std::jthread> threads;
        for (int i = 0; i < programs; ++i) {
            threads.emplace_back([&] {
                auto own = database.connect();
                const bool opened = own->open().has_value();
                all_here.arrive_and_wait();
                std::string fault = opened ? "" : "cannot connect";
                for (const auto* const arguments :
                     {"twiliowa.microseconds(), 0",
                      "'inbox_event_done', twiliowa.microseconds(), 0"}) {
                    const auto tended = own->execute({detail::tend_days_sql(arguments)});
                    if (!tended) fault = tended.error().message();
                }
                const std::lock_guard lock{mutex};
                if (!fault.empty()) faults.push_back(fault);
            });
        }
        threads.clear();
        for (const std::string table : {"job_done", "inbox_event_done"}) {
            CHECK(database.psql("select count(*) from pg_inherits where inhparent = 'twiliowa." +
                                table + "'::regclass") == "4");
        }
    }
    INFO(shown(faults));
    CHECK(faults.empty());
}

TEST_CASE("times are the database's: a machine whose calendar is a day ahead sends nothing early") {
    if (lacks_postgres()) return;
    const Database database;
    outbox_test::Service service;
    REQUIRE(PostgresOutbox::migrate(database.url()).has_value());
    const auto begin = service.clock->now();
    set_time(database, begin);
    service.wrapped = [&] { return std::make_shared<PostgresOutbox>(database.url()); };
    service.restart();
    service.advance(24h);
    const auto at_once = service.enqueue("At once");
    const auto planned = service.enqueue("Planned", {.not_before = begin + 1h});
    set_time(database, begin + 1min);
    service.outbox->run_until_idle();
    CHECK(service.state(at_once) == JobState::accepted);
    CHECK(service.state(planned) == JobState::ready);
    CHECK(service.job(at_once).updated_at < begin + 2min);
    set_time(database, begin + 1h);
    service.outbox->run_until_idle();
    CHECK(service.state(planned) == JobState::accepted);
}

TEST_CASE("works of several threads share commits, and one that fails undoes itself alone") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    constexpr int threads = 8;
    constexpr int each = 30;
    std::vector<std::thread> workers;
    for (int i = 0; i < threads; ++i) {
        workers.emplace_back([&, i] {
            for (int n = 0; n < each; ++n) {
                const auto key = std::to_string(i) + '-' + std::to_string(n);
                const bool fails = (i + n) % 5 == 0;
                const auto done = storage.transact([&](OutboxTransaction& t) -> Result<void> {
                    t.insert(job_of(key)).value();
                    // Some have sent something by then, and some have not.
                    if (n % 2 == 0) static_cast<void>(t.list({.limit = 1}).value());
                    if (fails) return Error::invalid_request("check", "fails");
                    return {};
                });
                CHECK(done.has_value() != fails);
            }
        });
    }
    for (auto& worker : workers) worker.join();
    CHECK(database.psql("select count(*) from twiliowa.job") ==
          std::to_string(threads * each * 4 / 5));
    CHECK(database.psql("select sum(jobs) from twiliowa.job_tally") ==
          std::to_string(threads * each * 4 / 5));
    const auto commits = storage.stats().commits;
    CHECK(commits < storage.stats().works);
    // Each commit is in the samples of a scrape.
    MetricsObserver metrics;
    const auto source =
        metrics.add_source([&](MetricSamples& samples) { add_samples(samples, storage); });
    const auto text = metrics.text();
    for (const auto* const histogram : {"commit_seconds", "commit_works"}) {
        const auto line = "\ntwiliowa_outbox_" + std::string{histogram} + "_count " +
                          std::to_string(commits) + '\n';
        CHECK(text.find(line) != std::string::npos);
    }
}

}  // namespace postgres_outbox_test
