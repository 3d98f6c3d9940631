// An outbox in a file of SQLite, beside bare C on SQLite that does what any queue has to do: insert
// a row; mark it as being sent, and mark it as done, each on the disk before the next step. In
// turns, in one process, on the same disk.
//
// Usage: outbox_beside_sqlite <directory> [messages] [rounds]
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>

#include "measure.hpp"

namespace {

using namespace twiliowa;
using benchmark_support::cpu_seconds;
using benchmark_support::median;
using benchmark_support::wall_seconds;

constexpr int in_flight = 50;
constexpr int submitters = 64;

std::string body_of(int number) {
    auto body = "Your order " + std::to_string(number) + " is on its way. ";
    body.resize(350, 'x');
    return body;
}

void need(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "%s failed\n", what);
    std::exit(1);
}

/// What anybody would write.
class BareQueue {
public:
    explicit BareQueue(const std::string& path) {
        need(sqlite3_open(path.c_str(), &database_) == SQLITE_OK, "open");
        run("pragma journal_mode = wal; pragma synchronous = full; pragma secure_delete = on;"
            "create table job (id integer primary key, key text not null unique, "
            "sender text not null, state integer not null, not_before integer not null, "
            "payload text not null, sid text not null default '') strict;"
            "create index job_ready on job (sender, not_before, id) where state = 0;"
            "create index job_sid on job (sid) where sid <> '';");
        insert_ = prepare(
            "insert into job (key, sender, state, not_before, payload) "
            "values (?, 'sender', 0, 0, ?)");
        claim_ = prepare(
            "update job set state = 1 where id in (select id from job where state = 0 "
            "and sender = 'sender' order by not_before, id limit ?) "
            "returning id, payload");
        finish_ = prepare("update job set state = 2, sid = ? where id = ?");
    }
    ~BareQueue() {
        for (auto* statement : {insert_, claim_, finish_}) sqlite3_finalize(statement);
        sqlite3_close(database_);
    }
    BareQueue(const BareQueue&) = delete;
    BareQueue& operator=(const BareQueue&) = delete;

    void enqueue(int first, int count) {
        run("begin immediate");
        for (int i = first; i < first + count; ++i) {
            const auto key = "key-" + std::to_string(i);
            const auto body = body_of(i);
            bind(insert_, 1, key);
            bind(insert_, 2, body);
            need(sqlite3_step(insert_) == SQLITE_DONE, "insert");
            sqlite3_reset(insert_);
        }
        run("commit");
    }
    /// Sends all there are, so many at a time.
    void drain(int at_a_time, const std::function<std::string(const std::string&)>& send) {
        while (true) {
            std::vector<std::pair<std::int64_t, std::string>> jobs;
            run("begin immediate");
            sqlite3_bind_int(claim_, 1, at_a_time);
            while (sqlite3_step(claim_) == SQLITE_ROW) {
                const auto* const text = sqlite3_column_text(claim_, 1);
                jobs.emplace_back(sqlite3_column_int64(claim_, 0),
                                  reinterpret_cast<const char*>(text));
            }
            sqlite3_reset(claim_);
            run("commit");
            if (jobs.empty()) return;
            for (auto& job : jobs) job.second = send(job.second);
            run("begin immediate");
            for (const auto& [id, sid] : jobs) {
                bind(finish_, 1, sid);
                sqlite3_bind_int64(finish_, 2, id);
                need(sqlite3_step(finish_) == SQLITE_DONE, "finish");
                sqlite3_reset(finish_);
            }
            run("commit");
        }
    }

private:
    void run(const char* sql) {
        need(sqlite3_exec(database_, sql, nullptr, nullptr, nullptr) == SQLITE_OK, sql);
    }
    sqlite3_stmt* prepare(const char* sql) {
        sqlite3_stmt* statement = nullptr;
        need(sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr) == SQLITE_OK, sql);
        return statement;
    }
    static void bind(sqlite3_stmt* statement, int position, const std::string& text) {
        sqlite3_bind_text(statement, position, text.data(), static_cast<int>(text.size()), nullptr);
    }

    sqlite3* database_ = nullptr;
    sqlite3_stmt* insert_ = nullptr;
    sqlite3_stmt* claim_ = nullptr;
    sqlite3_stmt* finish_ = nullptr;
};

/// Answers at once, each time with another SID.
class CountingTransport final : public HttpTransport {
public:
    Result<HttpResponse> send(const HttpRequest&, const CallContext&) override {
        char sid[40];
        std::snprintf(sid, sizeof sid, "SM%032lx", ++count_);
        HttpResponse answer;
        answer.status = 201;
        answer.body = std::string{R"({"sid":")"} + sid + R"(","status":"queued","account_sid":)" +
                      R"("AC00000000000000000000000000000001"})";
        return answer;
    }

private:
    std::atomic<unsigned long> count_{0};
};

MessagesClient make_client() {
    ClientOptions options;
    options.from = "+14155238886";
    options.transport = std::make_shared<CountingTransport>();
    return MessagesClient{Credentials::auth_token("AC00000000000000000000000000000001", "token"),
                          options};
}

OutboundMessage message_of(int number) {
    return OutboundText{.to = "+447700900123", .body = body_of(number)};
}

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

/// Microseconds that a worker needs to find its next 50 jobs, with so many rows there.
double claim_microseconds(const std::string& path, int final_jobs, int waiting_jobs) {
    auto storage = std::make_shared<SqliteOutbox>(path);
    sqlite3* database = nullptr;
    need(sqlite3_open(path.c_str(), &database) == SQLITE_OK, "open");
    const auto fill = [&](const char* state, int count) {
        const auto sql =
            "pragma synchronous = off; begin; with recursive n(i) as (select 1 union all select "
            "i + 1 from n where i < " +
            std::to_string(count) +
            ") insert into outbox_job (tenant, key, content_hash, sender, customer, state, "
            "not_before, payload) select '', '" +
            state + "-' || i, 'hash', 'whatsapp:+14155238886', 'customer-' || (i % 10000), " +
            state + ", i, '{\"body\":\"x\"}' from n; commit";
        need(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK, "fill");
    };
    if (final_jobs > 0) fill("6", final_jobs);
    fill("0", waiting_jobs);
    sqlite3_close(database);
    std::vector<double> times;
    for (int i = 0; i < 200; ++i) {
        const auto begun = wall_seconds();
        const auto done = storage->transact([&](OutboxTransaction& transaction) -> Result<void> {
            const auto groups = transaction.ready_groups();
            need(groups && groups->size() == 1, "groups");
            const auto jobs = transaction.ready({groups->front(), transaction.now(), {}, 50});
            need(jobs && jobs->size() == 50, "ready");
            return {};
        });
        need(done.has_value(), "claim");
        times.push_back((wall_seconds() - begun) * 1e6);
    }
    return median(times);
}

}  // namespace

int main(int count, char** arguments) try {
    if (count < 2) {
        std::fprintf(stderr, "usage: outbox_beside_sqlite <directory> [messages] [rounds]\n");
        return 2;
    }
    const auto folder = std::filesystem::path{arguments[1]};
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
    const auto few_rows = claim_microseconds((folder / "few.db").string(), 0, 10'000);
    const auto many_rows = claim_microseconds((folder / "many.db").string(), 1'000'000, 100'000);
    std::printf(
        "finding 50 jobs: %.0f us with 10,000 waiting; with 1,000,000 final and 100,000 "
        "waiting %.0f us, ratio %.2f (target 1.5)\n",
        few_rows, many_rows, many_rows / few_rows);
    std::printf("a send alone takes %.1f us of CPU\n", median(send_cpu));
} catch (const TwilioError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
