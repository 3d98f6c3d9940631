// An outbox in a file of SQLite, beside bare C on SQLite that does what any queue has to do: insert
// a row; mark it as being sent, and mark it as done, each on the disk before the next step. In
// turns, in one process, on the same disk.
//
// Usage: outbox_beside_sqlite <directory> [messages] [rounds]
//        outbox_beside_sqlite <directory> claim <final jobs> <waiting jobs>: only what it costs to
//        find the next jobs among so many; fails if that is more than 1.5 times as much.
//        outbox_beside_sqlite <directory> cycle <messages>: only sends and notes them, for valgrind
//        --tool=callgrind '--toggle-collect=twiliowa::Outbox::run_until_idle()'.
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>

#include "measure.hpp"
#include "outbox_sample.hpp"
#include "sqlite_session.hpp"

namespace {

using namespace twiliowa;
using benchmark_support::body_of;
using benchmark_support::cpu_seconds;
using benchmark_support::fill_jobs;
using benchmark_support::make_client;
using benchmark_support::median;
using benchmark_support::message_of;
using benchmark_support::need;
using benchmark_support::SqliteSession;
using benchmark_support::wall_seconds;

constexpr int in_flight = 50;
constexpr int submitters = 64;

/// What anybody would write.
class BareQueue {
public:
    explicit BareQueue(const std::string& path) : session_(path) {
        session_.run(
            "pragma journal_mode = wal; pragma synchronous = full; pragma secure_delete = on;"
            "create table job (id integer primary key, key text not null unique, "
            "sender text not null, state integer not null, not_before integer not null, "
            "payload text not null, sid text not null default '') strict;"
            "create index job_ready on job (sender, not_before, id) where state = 0;"
            "create index job_sid on job (sid) where sid <> '';");
        insert_ = session_.prepare(
            "insert into job (key, sender, state, not_before, payload) "
            "values (?, 'sender', 0, 0, ?)");
        claim_ = session_.prepare(
            "update job set state = 1 where id in (select id from job where state = 0 "
            "and sender = 'sender' order by not_before, id limit ?) "
            "returning id, payload");
        finish_ = session_.prepare("update job set state = 2, sid = ? where id = ?");
    }

    void enqueue(int first, int count) {
        session_.run("begin immediate");
        for (int i = first; i < first + count; ++i) {
            const auto key = "key-" + std::to_string(i);
            const auto body = body_of(i);
            SqliteSession::bind(insert_, 1, key);
            SqliteSession::bind(insert_, 2, body);
            SqliteSession::execute(insert_);
        }
        session_.run("commit");
    }
    /// Sends all there are, so many at a time.
    void drain(int at_a_time, const std::function<std::string(const std::string&)>& send) {
        while (true) {
            std::vector<std::pair<std::int64_t, std::string>> jobs;
            session_.run("begin immediate");
            sqlite3_bind_int(claim_, 1, at_a_time);
            while (sqlite3_step(claim_) == SQLITE_ROW) {
                const auto* const text = sqlite3_column_text(claim_, 1);
                jobs.emplace_back(sqlite3_column_int64(claim_, 0),
                                  reinterpret_cast<const char*>(text));
            }
            sqlite3_reset(claim_);
            session_.run("commit");
            if (jobs.empty()) return;
            for (auto& job : jobs) job.second = send(job.second);
            session_.run("begin immediate");
            for (const auto& [id, sid] : jobs) {
                SqliteSession::bind(finish_, 1, sid);
                sqlite3_bind_int64(finish_, 2, id);
                SqliteSession::execute(finish_);
            }
            session_.run("commit");
        }
    }

private:
    SqliteSession session_;
    sqlite3_stmt* insert_ = nullptr;
    sqlite3_stmt* claim_ = nullptr;
    sqlite3_stmt* finish_ = nullptr;
};

struct Measured {
    double per_second = 0;
    double cpu_microseconds = 0;
};

Measured measure(int messages, const std::function<void()>& work) {
    const auto cpu = cpu_seconds();
    const auto begun = wall_seconds();
    work();
    return {messages / (wall_seconds() - begun), (cpu_seconds() - cpu) * 1e6 / messages};
}

void print(const char* what, const std::vector<Measured>& ours, const std::vector<Measured>& bare,
           const char* target) {
    std::vector<double> ratios;
    std::vector<double> speeds;
    std::vector<double> bare_speeds;
    std::vector<double> cpu;
    std::vector<double> bare_cpu;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        ratios.push_back(ours[i].per_second / bare[i].per_second);
        speeds.push_back(ours[i].per_second);
        bare_speeds.push_back(bare[i].per_second);
        cpu.push_back(ours[i].cpu_microseconds);
        bare_cpu.push_back(bare[i].cpu_microseconds);
    }
    std::printf(
        "%-34s %8.0f/s  bare %8.0f/s  ratio %5.2f (target %s)  CPU %6.1f us, bare %5.1f us\n", what,
        median(speeds), median(bare_speeds), median(ratios), target, median(cpu), median(bare_cpu));
}

/// Microseconds that these works of a worker and a person take, with so many rows there.
struct Works {
    double claim = 0;
    double list = 0;
    double purge = 0;
};

template <class Work>
double median_microseconds(int times, const Work& work) {
    std::vector<double> taken;
    for (int i = 0; i < times; ++i) {
        const auto begun = wall_seconds();
        work();
        taken.push_back((wall_seconds() - begun) * 1e6);
    }
    return median(taken);
}

Works measure_works(const std::string& path, int final_jobs, int waiting_jobs) {
    SqliteOutbox storage{path};
    if (final_jobs > 0) fill_jobs(path, JobState::delivered, final_jobs);
    fill_jobs(path, JobState::ready, waiting_jobs);
    const auto transact = [&](const OutboxStorage::Work& work) {
        need(storage.transact(work).has_value(), "transact");
    };
    Works works;
    works.claim = median_microseconds(200, [&] {
        transact([&](OutboxTransaction& transaction) -> Result<void> {
            const auto groups = transaction.ready_groups();
            need(groups && groups->size() == 1, "groups");
            const auto jobs = transaction.ready({groups->front(), transaction.now(), {}, 50});
            need(jobs && jobs->size() == 50, "ready");
            return {};
        });
    });
    works.list = median_microseconds(20, [&] {
        transact([&](OutboxTransaction& transaction) -> Result<void> {
            const auto jobs = transaction.list({.state = JobState::ready});
            need(jobs && jobs->size() == 100, "list");
            return {};
        });
    });
    if (final_jobs == 0) return works;
    works.purge = median_microseconds(20, [&] {
        transact([&](OutboxTransaction& transaction) -> Result<void> {
            const auto gone = transaction.purge((TimePoint::max)(), std::nullopt, 100);
            need(gone && *gone == 100, "purge");
            return {};
        });
    });
    return works;
}

/// Whether that costs at most 1.5 times of what it does with 10,000 waiting and nothing else.
bool compare_works(const std::filesystem::path& folder, int final_jobs, int waiting_jobs) {
    const auto few_rows = measure_works((folder / "few.db").string(), 0, 10'000);
    const auto many_rows = measure_works((folder / "many.db").string(), final_jobs, waiting_jobs);
    std::printf(
        "finding 50 jobs: %.0f us with 10,000 waiting; with %d final and %d waiting %.0f us, "
        "ratio %.2f (target 1.5)\n",
        few_rows.claim, final_jobs, waiting_jobs, many_rows.claim,
        many_rows.claim / few_rows.claim);
    std::printf("listing 100 that wait: %.0f us, and %.0f us; purging 100 of %d: %.1f ms\n",
                few_rows.list, many_rows.list, final_jobs, many_rows.purge * 1e-3);
    return many_rows.claim <= 1.5 * few_rows.claim;
}

void run_cycle(const std::string& path, int messages) {
    const auto client = make_client();
    Outbox outbox{std::make_shared<SqliteOutbox>(path),
                  {.client = [&](std::string_view) { return client; }, .concurrency = in_flight}};
    std::vector<NewJob> jobs;
    for (int n = 0; n < messages; ++n) {
        jobs.push_back({message_of(n), {.key = "key-" + std::to_string(n)}});
    }
    for (const auto& job : outbox.enqueue_all(jobs)) need(job.has_value(), "enqueue");
    const auto work = [&] { need(outbox.run_until_idle().sent == messages, "sending"); };
    std::printf("CPU of sending and noting: %.1f us\n", measure(messages, work).cpu_microseconds);
}

}  // namespace

int main(int count, char** arguments) try {
    if (count < 2) {
        std::fprintf(stderr, "usage: outbox_beside_sqlite <directory> [messages] [rounds]\n");
        return 2;
    }
    const auto folder = std::filesystem::path{arguments[1]};
    if (count == 5 && std::string_view{arguments[2]} == "claim") {
        return compare_works(folder, std::atoi(arguments[3]), std::atoi(arguments[4])) ? 0 : 1;
    }
    if (count == 4 && std::string_view{arguments[2]} == "cycle") {
        run_cycle((folder / "cycle.db").string(), std::atoi(arguments[3]));
        return 0;
    }
    const int messages = count > 2 ? std::atoi(arguments[2]) : 4'000;
    const int rounds = count > 3 ? std::atoi(arguments[3]) : 5;
    const int few = std::max(messages / 20, 50);
    const auto client = make_client();
    std::vector<Measured> enqueue[2];
    std::vector<Measured> cycle[2];
    std::vector<Measured> single[2];
    std::vector<double> send_cpu;
    for (int round = 0; round < rounds; ++round) {
        const auto file = [&](const char* name) {
            const auto path = folder / (name + std::to_string(round) + ".db");
            return path.string();
        };
        {
            auto storage = std::make_shared<SqliteOutbox>(file("outbox"));
            Outbox outbox{
                storage,
                {.client = [&](std::string_view) { return client; }, .concurrency = in_flight}};
            enqueue[0].push_back(measure(messages, [&] {
                std::vector<std::thread> threads;
                std::atomic<int> next{0};
                for (int i = 0; i < submitters; ++i) {
                    threads.emplace_back([&] {
                        for (int n = next++; n < messages; n = next++) {
                            outbox.enqueue(message_of(n), {.key = "key-" + std::to_string(n)});
                        }
                    });
                }
                for (auto& thread : threads) thread.join();
            }));
            cycle[0].push_back(measure(
                messages, [&] { need(outbox.run_until_idle().sent == messages, "sending"); }));
        }
        {
            BareQueue bare{file("bare")};
            enqueue[1].push_back(measure(messages, [&] {
                for (int n = 0; n < messages; n += submitters) {
                    bare.enqueue(n, std::min(submitters, messages - n));
                }
            }));
            const auto send = [&](const std::string& body) {
                auto sent = client.try_send(OutboundText{.to = "+447700900123", .body = body});
                return sent.value().sid.str();
            };
            cycle[1].push_back(measure(messages, [&] { bare.drain(in_flight, send); }));
            send_cpu.push_back(measure(messages, [&] {
                                   for (int n = 0; n < messages; ++n) {
                                       static_cast<void>(client.try_send(message_of(n)).value());
                                   }
                               }).cpu_microseconds);
        }
        {
            Outbox outbox{std::make_shared<SqliteOutbox>(file("single")),
                          {.client = [&](std::string_view) { return client; }, .concurrency = 1}};
            std::vector<NewJob> jobs;
            for (int n = 0; n < few; ++n) jobs.push_back({message_of(n), {}});
            for (const auto& job : outbox.enqueue_all(jobs)) need(job.has_value(), "enqueue");
            single[0].push_back(measure(few, [&] { outbox.run_until_idle(); }));
            BareQueue bare{file("bare_single")};
            bare.enqueue(0, few);
            const auto send = [&](const std::string& body) {
                auto sent = client.try_send(OutboundText{.to = "+447700900123", .body = body});
                return sent.value().sid.str();
            };
            single[1].push_back(measure(few, [&] { bare.drain(1, send); }));
        }
    }
    print("enqueue, 64 threads", enqueue[0], enqueue[1], "0.8");
    print("sent and noted, 50 at a time", cycle[0], cycle[1], "0.7");
    print("sent and noted, one at a time", single[0], single[1], "0.9");
    compare_works(folder, 1'000'000, 100'000);
    std::vector<double> engine;
    for (int round = 0; round < rounds; ++round) {
        const auto at = static_cast<std::size_t>(round);
        engine.push_back(cycle[0][at].cpu_microseconds - send_cpu[at]);
    }
    std::printf("CPU beside the send, 50 at a time: %.1f us (target 25); a send alone %.1f us\n",
                median(engine), median(send_cpu));
} catch (const TwilioError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
