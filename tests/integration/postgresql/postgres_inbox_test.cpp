/// The events of an inbox in a PostgreSQL: the contract, and what several processes do at once.
#include <doctest/doctest.h>
#include <libpq-fe.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <latch>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/postgresql/postgres_outbox.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/testing/check_inbox_storage.hpp>

#include "database.hpp"
#include "open_transaction.hpp"
#include "postgresql/outbox_schema.hpp"
#include "support/show.hpp"

namespace postgres_inbox_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;
using Sequences = std::vector<std::int64_t>;

namespace {

const TimePoint long_ago{std::chrono::hours{24} * 365 * 40};

StoredEvent event_of(const std::string& key, const std::string& line = {}) {
    StoredEvent event;
    event.key = key;
    event.kind = "message";
    event.message_sid = "SM" + key;
    event.line = line;
    event.customer = "whatsapp:+447700900123";
    event.payload = "the text";
    event.arrived_at = long_ago;
    event.not_before = long_ago;
    event.updated_at = long_ago;
    return event;
}

using InboxWork = std::function<Result<void>(InboxTransaction&)>;
Result<void> try_work(PostgresOutbox& storage, const InboxWork& work) {
    return storage.transact([&](OutboxTransaction& t) { return work(*t.inbox()); });
}
void work(PostgresOutbox& storage, const InboxWork& do_it) {
    const auto done = try_work(storage, do_it);
    REQUIRE_MESSAGE(done.has_value(), (done ? "" : done.error().what()));
}

std::function<Result<void>(OutboxTransaction&)> taking(const StoredEvent& event) {
    return [event](OutboxTransaction& t) -> Result<void> {
        const auto taken = t.inbox()->take(event, {});
        return taken ? Result<void>{} : taken.error();
    };
}
/// Its number.
std::int64_t take(PostgresOutbox& storage, const StoredEvent& event) {
    std::int64_t sequence = 0;
    work(storage, [&](InboxTransaction& t) -> Result<void> {
        REQUIRE(t.take(event, {}).value() == TakenIn::taken);
        sequence = t.list({.message_sid = event.message_sid}).value().at(0).sequence;
        return {};
    });
    return sequence;
}

/// Takes up what is due.
Result<std::vector<StoredEvent>> claim(InboxTransaction& t, std::size_t limit = 100) {
    auto events = t.ready({.now = long_ago, .limit = limit});
    if (!events) return events;
    for (auto& event : *events) {
        event.state = InboxState::running;
        if (auto saved = t.save(event); !saved) return saved.error();
    }
    return events;
}
std::vector<StoredEvent> claimed(PostgresOutbox& storage, std::size_t limit = 100) {
    std::vector<StoredEvent> events;
    work(storage, [&](InboxTransaction& t) -> Result<void> {
        auto some = claim(t, limit);
        if (!some) return some.error();
        events = std::move(*some);
        return {};
    });
    return events;
}
Sequences claimed_sequences(PostgresOutbox& storage, std::size_t limit = 100) {
    Sequences sequences;
    for (const auto& event : claimed(storage, limit)) sequences.push_back(event.sequence);
    return sequences;
}
std::function<Result<void>(OutboxTransaction&)> moving(std::int64_t sequence, InboxState state) {
    return [=](OutboxTransaction& t) -> Result<void> {
        auto events = t.inbox()->load({&sequence, 1});
        if (!events) return events.error();
        events->at(0).state = state;
        return t.inbox()->save(events->at(0));
    };
}
void move(PostgresOutbox& storage, std::int64_t sequence, InboxState state) {
    REQUIRE(storage.transact(moving(sequence, state)).has_value());
}

/// Until a statement waits for another transaction, or who was to wait has not.
void await_waiting(const Database& database, const std::atomic<bool>& ended) {
    const auto waits = "select count(*) from pg_stat_activity where datname = '" + database.name +
                       "' and wait_event_type = 'Lock'";
    while (database.psql(waits) != "1" && !ended) std::this_thread::yield();
}

std::string shown(const std::vector<std::string>& faults) {
    std::string text;
    for (const auto& fault : faults) text += fault + '\n';
    return text;
}

}  // namespace

TEST_CASE("PostgreSQL keeps the contract of an inbox's storage") {
    if (lacks_postgres()) return;
    const Database database;
    const auto faults = testing::check_inbox_storage(
        [&] { return std::make_shared<PostgresOutbox>(database.url()); });
    CHECK(shown(faults) == "");
}

TEST_CASE("it keeps that contract through PgBouncer in transaction mode, too") {
    if (lacks_pgbouncer()) return;
    const Database database;
    const TestPgBouncer bouncer{database.server};
    const auto faults = testing::check_inbox_storage(
        [&] { return std::make_shared<PostgresOutbox>(bouncer.url(database.name)); });
    CHECK(shown(faults) == "");
}

// ---- Who has an event, and in which order

namespace {

/// Of whom an event or a line is while it is handled, and what came of it.
class Handled {
public:
    void begin(const StoredEvent& event) {
        const std::lock_guard lock(mutex_);
        if (!running_.insert(event.sequence).second || !events_.insert(event.sequence).second) {
            ++doubles_;
        }
        if (event.line.empty()) return;
        if (!lines_.insert(event.line).second) ++lines_at_once_;
        auto& last = last_[event.line];
        if (event.sequence < last) ++out_of_order_;
        last = event.sequence;
    }
    void end(const StoredEvent& event) {
        const std::lock_guard lock(mutex_);
        running_.erase(event.sequence);
        lines_.erase(event.line);
    }
    std::size_t events() const { return events_.size(); }
    int doubles() const { return doubles_; }
    int lines_at_once() const { return lines_at_once_; }
    int out_of_order() const { return out_of_order_; }

private:
    mutable std::mutex mutex_;
    std::set<std::int64_t> running_;
    std::set<std::int64_t> events_;
    std::set<std::string> lines_;
    std::map<std::string, std::int64_t> last_;
    int doubles_ = 0;
    int lines_at_once_ = 0;
    int out_of_order_ = 0;
};

}  // namespace

TEST_CASE("of several processes one has an event, and a customer's are handled in their order") {
    if (lacks_postgres()) return;
    for (const int workers : {2, 8}) {
        CAPTURE(workers);
        constexpr int events = 600;
        constexpr int lines = 12;
        const Database database;
        std::vector<std::unique_ptr<PostgresOutbox>> storages;
        for (int i = 0; i < workers; ++i) {
            storages.push_back(std::make_unique<PostgresOutbox>(database.url()));
        }
        std::atomic<int> taken{0};
        Handled handled;
        std::vector<std::thread> threads;
        for (int worker = 0; worker < workers; ++worker) {
            threads.emplace_back([&, worker] {
                auto& storage = *storages[static_cast<std::size_t>(worker)];
                bool comes_again = true;
                while (comes_again) {
                    // Each takes in, and takes up; some for nobody's line.
                    comes_again = false;
                    for (int n = 0; n < 7; ++n) {
                        const int number = taken++;
                        if (number >= events) break;
                        comes_again = true;
                        const auto line =
                            number % 10 == 0 ? "" : "line-" + std::to_string(number % lines);
                        CHECK(storage.transact(taking(event_of(std::to_string(number), line)))
                                  .has_value());
                    }
                    std::vector<StoredEvent> mine;
                    CHECK(try_work(storage, [&](InboxTransaction& t) -> Result<void> {
                              mine.clear();
                              auto some = claim(t, 3);
                              if (!some) return some.error();
                              mine = std::move(*some);
                              return {};
                          }).has_value());
                    comes_again = comes_again || !mine.empty();
                    for (const auto& event : mine) handled.begin(event);
                    for (const auto& event : mine) handled.end(event);
                    for (const auto& event : mine) {
                        CHECK(
                            storage.transact(moving(event.sequence, InboxState::done)).has_value());
                    }
                }
            });
        }
        for (auto& thread : threads) thread.join();
        // What was another's when each looked last.
        while (true) {
            const auto rest = claimed(*storages.front());
            if (rest.empty()) break;
            for (const auto& event : rest) {
                handled.begin(event);
                handled.end(event);
                move(*storages.front(), event.sequence, InboxState::done);
            }
        }
        CHECK(handled.events() == events);
        CHECK(handled.doubles() == 0);
        CHECK(handled.lines_at_once() == 0);
        CHECK(database.psql("select count(*) from twiliowa.inbox_event") == "0");
        CHECK(database.psql("select count(*) from twiliowa.inbox_event_done where revision = 3") ==
              std::to_string(events));
        CHECK(database.psql("select sum(events) from twiliowa.inbox_tally where state = 2") ==
              std::to_string(events));
    }
}

TEST_CASE("a customer's events are handled in the order in which they were taken in") {
    if (lacks_postgres()) return;
    constexpr int events = 300;
    constexpr int lines = 5;
    constexpr int workers = 6;
    const Database database;
    PostgresOutbox first{database.url()};
    for (int i = 0; i < events; ++i) {
        take(first, event_of(std::to_string(i), "line-" + std::to_string(i % lines)));
    }
    Handled handled;
    std::vector<std::thread> threads;
    for (int worker = 0; worker < workers; ++worker) {
        threads.emplace_back([&] {
            PostgresOutbox storage{database.url()};
            while (handled.events() < events) {
                std::vector<StoredEvent> mine;
                CHECK(try_work(storage, [&](InboxTransaction& t) -> Result<void> {
                          mine.clear();
                          auto some = claim(t, 2);
                          if (!some) return some.error();
                          mine = std::move(*some);
                          return {};
                      }).has_value());
                for (const auto& event : mine) {
                    handled.begin(event);
                    handled.end(event);
                    CHECK(storage.transact(moving(event.sequence, InboxState::done)).has_value());
                }
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(handled.doubles() == 0);
    CHECK(handled.lines_at_once() == 0);
    CHECK(handled.out_of_order() == 0);
}

TEST_CASE("a claim of an event by `where sequence = (select ... limit 1)` would give it twice") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    constexpr int events = 1'000;
    work(storage, [](InboxTransaction& t) -> Result<void> {
        for (int i = 0; i < events; ++i) t.take(event_of(std::to_string(i)), {}).value();
        return {};
    });
    Handled handled;
    std::vector<std::thread> threads;
    for (int worker = 0; worker < 8; ++worker) {
        threads.emplace_back([&] {
            const auto connection = database.connect();
            while (true) {
                const auto rows = connection->execute(
                    {"update twiliowa.inbox_event set state = 1 where sequence = (select sequence "
                     "from twiliowa.inbox_event where state = 0 order by not_before, sequence "
                     "limit 1) returning sequence"});
                if (!rows || rows->empty()) return;
                StoredEvent event;
                event.sequence = rows->number(0, 0);
                handled.begin(event);
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(handled.doubles() > 0);
}

TEST_CASE("what another transaction is taking up is passed over, and nobody waits for it") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox one{database.url()};
    PostgresOutbox other{database.url()};
    const auto first = take(one, event_of("1", "line"));
    const auto second = take(one, event_of("2", "line"));
    const auto elsewhere = take(one, event_of("3", "another"));
    {
        OpenTransaction claiming{one, [](OutboxTransaction& t) -> Result<void> {
                                     const auto mine = claim(*t.inbox(), 1);
                                     return mine ? Result<void>{} : mine.error();
                                 }};
        CHECK(claimed_sequences(other) == Sequences{elsewhere});
        CHECK(claiming.commit());
    }
    CHECK(claimed_sequences(other).empty());
    {
        OpenTransaction ending{one, moving(first, InboxState::done)};
        CHECK(claimed_sequences(other).empty());
        CHECK(ending.commit());
    }
    CHECK(claimed_sequences(other) == Sequences{second});
}

TEST_CASE("an event whose earlier one somebody has in hand waits for it") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox one{database.url()};
    PostgresOutbox other{database.url()};
    const auto first = take(one, event_of("1", "line"));
    take(one, event_of("2", "line"));
    OpenTransaction changing{one, moving(first, InboxState::waiting)};
    CHECK(claimed_sequences(other).empty());
    CHECK(database.psql("select count(*) from twiliowa.inbox_event where behind") == "0");
    CHECK(changing.commit());
    CHECK(claimed_sequences(other) == Sequences{first});
}

TEST_CASE("an event that is committed late does not run beside a later one of its line") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox slow{database.url()};
    PostgresOutbox quick{database.url()};
    PostgresOutbox third{database.url()};
    OpenTransaction taking_in{slow, taking(event_of("1", "line"))};
    const auto second = take(quick, event_of("2", "line"));
    Sequences late;
    std::atomic<bool> ended{false};
    std::thread waiting;
    {
        OpenTransaction claiming{quick, [](OutboxTransaction& t) -> Result<void> {
                                     const auto mine = claim(*t.inbox());
                                     return mine ? Result<void>{} : mine.error();
                                 }};
        CHECK(taking_in.commit());
        // Sees the first, and not yet that the second runs.
        waiting = std::thread([&] {
            late = claimed_sequences(third);
            ended = true;
        });
        await_waiting(database, ended);
        CHECK(claiming.commit());
    }
    waiting.join();
    CHECK(late.empty());
    CHECK(database.psql("select count(*) from twiliowa.inbox_event where state = 1") == "1");
    move(quick, second, InboxState::done);
    CHECK(claimed_sequences(quick).size() == 1);
}

TEST_CASE("one of two that take the same event in at once has taken it, the other says so") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox one{database.url()};
    PostgresOutbox other{database.url()};
    const auto taking_signed = [](const std::string& key, TakenIn& taken) {
        return [&taken, key](OutboxTransaction& t) -> Result<void> {
            const auto answer = t.inbox()->take(event_of(key), "signature");
            if (!answer) return answer.error();
            taken = *answer;
            return {};
        };
    };
    auto second_key = std::string{};
    auto expected = TakenIn::duplicate;
    SUBCASE("with one signature") {
        second_key = "1";
    }
    SUBCASE("as another event with the same signature") {
        second_key = "2";
        expected = TakenIn::recut;
    }
    auto first_answer = TakenIn::recut;
    auto second_answer = TakenIn::taken;
    std::atomic<bool> ended{false};
    std::thread late;
    {
        OpenTransaction open{one, taking_signed("1", first_answer)};
        late = std::thread(
            [&] { CHECK(other.transact(taking_signed(second_key, second_answer)).has_value()); });
        await_waiting(database, ended);
        CHECK(open.commit());
    }
    late.join();
    CHECK(first_answer == TakenIn::taken);
    CHECK(second_answer == expected);
    CHECK(database.psql("select count(*) from twiliowa.inbox_event") == "1");
    CHECK(database.psql("select sum(events) from twiliowa.inbox_tally") == "1");
}

// ---- Lines in which many wait

TEST_CASE("those that wait behind others are read over once, and the next one goes on at once") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    // Of each line the first is tried again later.
    database.psql(
        "insert into twiliowa.inbox_event (key, line, arrived_at, not_before, updated_at, tries) "
        "select convert_to('k' || i, 'UTF8'), convert_to('line-' || (i % 50), 'UTF8'), 1000 + i, "
        "case when i < 50 then 4000000000000000 else 1000 + i end, 1000, 0 "
        "from generate_series(0, 4999) as i; "
        "insert into twiliowa.inbox_key (key, event) select key, sequence from "
        "twiliowa.inbox_event");
    const auto behind = "select count(*) from twiliowa.inbox_event where behind";
    CHECK(claimed_sequences(storage).empty());
    CHECK(database.psql(behind) == "4950");
    move(storage, 1, InboxState::done);
    CHECK(claimed_sequences(storage) == Sequences{51});
    CHECK(database.psql(behind) == "4949");
    move(storage, 51, InboxState::waiting);
    move(storage, 51, InboxState::dead);
    CHECK(claimed_sequences(storage) == Sequences{101});
}

TEST_CASE("of two who take events out of one line at once the later one clears the next") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox one{database.url()};
    PostgresOutbox other{database.url()};
    auto later = event_of("1", "line");
    later.not_before = long_ago + 1h;
    const auto first = take(one, later);
    const auto second = take(one, event_of("2", "line"));
    const auto third = take(one, event_of("3", "line"));
    CHECK(claimed_sequences(one).empty());
    // What was changed is looked at anew.
    move(one, second, InboxState::waiting);
    CHECK(database.psql("select string_agg(behind::text, ',' order by sequence) from "
                        "twiliowa.inbox_event") == "false,false,true");
    std::atomic<bool> ended{false};
    std::thread late;
    {
        OpenTransaction dropping{one, moving(first, InboxState::dropped)};
        late = std::thread([&] {
            CHECK(other.transact(moving(second, InboxState::dropped)).has_value());
            ended = true;
        });
        await_waiting(database, ended);
        CHECK(dropping.commit());
    }
    late.join();
    CHECK(claimed_sequences(one) == Sequences{third});
}

TEST_CASE("one is not behind another that is gone by the time that it is seen") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox worker{database.url()};
    PostgresOutbox other{database.url()};
    const auto first = take(worker, event_of("1", "line"));
    const auto second = take(worker, event_of("2", "line"));
    CHECK(claimed_sequences(worker) == Sequences{first});
    {
        OpenTransaction ending{worker, moving(first, InboxState::done)};
        CHECK(claimed_sequences(other).empty());
        CHECK(ending.commit());
    }
    CHECK(claimed_sequences(other) == Sequences{second});
}

// ---- One commit, also with what a program writes

namespace {

StoredJob answer_of(const std::string& key) {
    static std::atomic<unsigned char> last{0};
    JobId::Bytes bytes{};
    bytes[0] = ++last;
    StoredJob job;
    job.id = JobId{bytes};
    job.key = key;
    job.content_hash = "hash";
    job.payload = "{}";
    job.created_at = long_ago;
    job.updated_at = long_ago;
    job.not_before = long_ago;
    return job;
}

}  // namespace

TEST_CASE("an event, its answer and a program's row are there with one commit, or none is") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    database.psql("create table shop_order (number text)");
    const auto event = take(storage, event_of("1", "line"));
    CHECK(claimed_sequences(storage) == Sequences{event});
    const auto end_it = [&](OutboxTransaction& t) -> Result<void> {
        if (auto done = moving(event, InboxState::done)(t); !done) return done;
        t.insert(answer_of("answer")).value();
        PGconn* const connection = t.native().postgresql;
        REQUIRE(connection != nullptr);
        PQclear(PQexec(connection, "insert into shop_order values ('A-1042')"));
        // What the work did can be seen there.
        auto* const seen = PQexec(connection, "select key from twiliowa.jobs");
        CHECK(PQntuples(seen) == 1);
        PQclear(seen);
        return t.check_native();
    };
    const auto what_is_there =
        "select (select count(*) from twiliowa.inbox_event_done), "
        "(select count(*) from twiliowa.job), (select count(*) from shop_order), "
        "(select count(*) from twiliowa.inbox_payload), "
        "(select coalesce(sum(events), 0) from twiliowa.inbox_tally where state = 2)";
    const auto undone = storage.transact([&](OutboxTransaction& t) -> Result<void> {
        if (auto done = end_it(t); !done) return done;
        return Error::invalid_request("check", "fails");
    });
    CHECK_FALSE(undone.has_value());
    CHECK(database.psql(what_is_there) == "0|0|0|1|0");
    CHECK(storage.transact(end_it).has_value());
    CHECK(database.psql(what_is_there) == "1|1|1|1|1");
}

TEST_CASE("how a program may not leave the transaction is told, and nothing of it is there") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    std::string sql;
    std::string says;
    SUBCASE("ended") {
        sql = "rollback";
        says = "lost its transaction to a statement of the program's";
    }
    SUBCASE("failed") {
        sql = "select 1 / 0";
        says = "a statement of the program's that failed";
    }
    SUBCASE("in the middle") {
        sql = "copy pg_class to stdout";
        says = "in the middle of the program's statements";
    }
    const auto done = storage.transact([&](OutboxTransaction& t) -> Result<void> {
        if (auto taken = taking(event_of("1"))(t); !taken) return taken;
        PQclear(PQexec(t.native().postgresql, sql.c_str()));
        return t.check_native();
    });
    REQUIRE_FALSE(done.has_value());
    CHECK(is_store_error(done.error()));
    CHECK(done.error().what() == containing(says));
    CHECK_FALSE(done.error().hint().empty());
    CHECK(database.psql("select count(*) from twiliowa.inbox_event") == "0");
    take(storage, event_of("2"));
}

// ---- Connections that end, and versions

TEST_CASE("a work of an inbox whose connection ends is run again, and done once") {
    if (lacks_postgres()) return;
    const Database database;
    const auto end_sessions =
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where datname = '" +
        database.name + "' and pid <> pg_backend_pid()";
    PostgresOutbox storage{database.url()};
    const auto event = take(storage, event_of("1", "line"));
    int taken = 1;
    const std::vector<std::pair<std::string, std::function<Result<void>(OutboxTransaction&)>>>
        steps{{"take",
               [&](OutboxTransaction& t) {
                   return taking(event_of(std::to_string(++taken), "line"))(t);
               }},
              {"ready",
               [](OutboxTransaction& t) -> Result<void> {
                   const auto mine = claim(*t.inbox());
                   return mine ? Result<void>{} : mine.error();
               }},
              {"renew",
               [&](OutboxTransaction& t) -> Result<void> {
                   auto events = t.inbox()->load({&event, 1});
                   if (!events) return events.error();
                   events->front().lease_until.microseconds += 1'000;
                   return t.inbox()->save(events->front());
               }},
              {"save", moving(event, InboxState::done)},
              {"redact",
               [](OutboxTransaction& t) -> Result<void> {
                   const auto erased = t.inbox()->redact(long_ago + 1h, 10);
                   return erased ? Result<void>{} : erased.error();
               }},
              {"purge", [](OutboxTransaction& t) -> Result<void> {
                   const auto gone = t.inbox()->purge(long_ago + 1h, long_ago, 10);
                   return gone ? Result<void>{} : gone.error();
               }}};
    for (const auto& each : steps) {
        const auto& [name, step] = each;
        CAPTURE(each.first);
        for (const bool after : {false, true}) {
            int runs = 0;
            if (name == "ready") move(storage, event, InboxState::waiting);
            const auto done = storage.transact([&, &step = step](OutboxTransaction& t) {
                const bool ends = ++runs == 1;
                if (ends && !after) database.psql(end_sessions);
                auto result = step(t);
                if (ends && after) database.psql(end_sessions);
                return result;
            });
            CHECK(done.has_value());
            CHECK(runs == 2);
        }
    }
    CHECK(database.psql("select count(*), sum(revision) from twiliowa.inbox_event") == "2|2");
    CHECK(database.psql("select count(*) from twiliowa.inbox_event_done") == "0");
    CHECK(database.psql("select count(*) from twiliowa.inbox_key") == "3");
    CHECK(database.psql("select state, sum(events) from twiliowa.inbox_tally group by state "
                        "having sum(events) <> 0") == "0|2");
}

TEST_CASE(
    "tables of the version before keep jobs as they were, and events once they are migrated") {
    if (lacks_postgres()) return;
    const Database database;
    const auto& newest = detail::outbox_migration();
    const detail::PostgresMigration before{"outbox", newest.steps.first(1)};
    REQUIRE(detail::migrate(*database.connect(), before).has_value());
    PostgresOutbox storage{database.url()};
    const auto insert = [&](const std::string& key) {
        return storage.transact([&](OutboxTransaction& t) -> Result<void> {
            const auto inserted = t.insert(answer_of(key));
            return inserted ? Result<void>{} : inserted.error();
        });
    };
    CHECK(insert("before").has_value());
    const auto shared = std::make_shared<PostgresOutbox>(database.url());
    try {
        const DurableInbox inbox{shared};
        FAIL("there are no tables");
    } catch (const InvalidRequestError& error) {
        CHECK(error.what() == containing("storage: keeps no events"));
        CHECK(error.hint() == containing("migrate"));
    }
    SUBCASE("by the library") {
        CHECK(PostgresOutbox::migrate(database.url()).has_value());
    }
    SUBCASE("by a person") {
        database.psql(PostgresOutbox::migration_sql(1));
        CHECK_THROWS(database.psql(PostgresOutbox::migration_sql(1)));
    }
    take(storage, event_of("1"));
    CHECK_NOTHROW(DurableInbox{shared});
    CHECK(insert("after").has_value());
    CHECK(database.psql("select string_agg(key, ',' order by sequence) from twiliowa.jobs") ==
          "before,after");
    CHECK(database.psql("select kind, message_sid, state from twiliowa.events") ==
          "message|SM1|waiting");
}

TEST_CASE("accounts take turns on tables of the version before, and on those of this one") {
    if (lacks_postgres()) return;
    const Database database;
    const auto& newest = detail::outbox_migration();
    const detail::PostgresMigration before{"outbox", newest.steps.first(4)};
    REQUIRE(detail::migrate(*database.connect(), before).has_value());
    PostgresOutbox storage{database.url()};
    int events = 0;
    for (const auto* const account : {"AC1", "AC1", "AC2", "AC1"}) {
        auto event = event_of(std::to_string(++events));
        event.account_sid = account;
        take(storage, event);
    }
    const auto turns_and_counts = [&] {
        std::string told;
        work(storage, [&](InboxTransaction& t) -> Result<void> {
            for (const auto& account : t.ready_accounts({.now = long_ago, .limit = 5}).value()) {
                told += account + ' ';
            }
            const auto next = t.ready_accounts({.now = long_ago, .after = "AC1", .limit = 5});
            told += next.value().at(0) + ' ' + std::to_string(t.waiting("AC1", 10).value()) + ' ' +
                    std::to_string(t.waiting("AC2", 10).value());
            return {};
        });
        return told;
    };
    CHECK(turns_and_counts() == "AC1 AC2 AC2 3 1");
    SUBCASE("by the library") {
        CHECK(PostgresOutbox::migrate(database.url()).has_value());
    }
    SUBCASE("by a person") {
        database.psql(PostgresOutbox::migration_sql(4));
    }
    CHECK(turns_and_counts() == "AC1 AC2 AC2 3 1");
}

TEST_CASE("no error of an inbox quotes what a row holds") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    const std::string canary = "CANARY";
    std::vector<std::string> said;
    const auto fail_with = [&](const std::function<void(StoredEvent&)>& spoil) {
        auto event = event_of(canary + std::to_string(said.size()), canary);
        event.customer = canary;
        event.payload = canary;
        spoil(event);
        const auto done = storage.transact(taking(event));
        REQUIRE_FALSE(done.has_value());
        said.push_back(done.error().what() + done.error().message() + done.error().hint());
    };
    fail_with([&](StoredEvent& event) { event.key = std::string(5'000, 'C') + canary; });
    fail_with([&](StoredEvent& event) { event.line = std::string(5'000, 'C') + canary; });
    database.psql(
        "alter table twiliowa.inbox_event add constraint none check (customer <> 'CANARY')");
    fail_with([](StoredEvent&) {});
    database.psql("drop table twiliowa.inbox_payload cascade");
    fail_with([](StoredEvent& event) { event.customer.clear(); });
    for (const auto& text : said) {
        CAPTURE(text);
        CHECK(text.find("CANARY") == std::string::npos);
    }
    CHECK(said.size() == 4);
}

TEST_CASE("a day of events that are over is a table, and goes when nothing is left in it") {
    if (lacks_postgres()) return;
    const Database database;
    PostgresOutbox storage{database.url()};
    const auto days =
        "select count(*) from pg_inherits where inhparent = 'twiliowa.inbox_event_done'::regclass";
    CHECK(database.psql(days) == "4");
    const auto event = take(storage, event_of("1"));
    TimePoint now{};
    work(storage, [&](InboxTransaction& t) -> Result<void> {
        auto events = t.load({&event, 1}).value();
        events.front().state = InboxState::done;
        events.front().updated_at = now = *storage.now();
        return t.save(events.front());
    });
    CHECK(database.psql("select count(*) from twiliowa.inbox_event_done_rest") == "0");
    const auto day = std::chrono::floor<std::chrono::days>(now);
    database.psql(
        "create table twiliowa.inbox_event_done_20010101 partition of "
        "twiliowa.inbox_event_done for values from (978307200000000) to "
        "(978393600000000)");
    CHECK(database.psql(days) == "5");
    work(storage, [&](InboxTransaction& t) -> Result<void> {
        CHECK(t.purge(day, std::nullopt, 10).value() == 0);
        return {};
    });
    CHECK(database.psql(days) == "4");
}

}  // namespace postgres_inbox_test
