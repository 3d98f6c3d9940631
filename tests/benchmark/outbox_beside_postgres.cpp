// An outbox in PostgreSQL, beside bare libpq that does what any queue has to do: take the next
// rows, skipping those that others have, and mark them as done, one prepared statement and one
// commit each; and beside PostgreSQL's own pgbench with a script that does the same and sends
// nothing. In turns, on the server that libpq's variables name (twiliowa_servers).
//
// Usage: outbox_beside_postgres [messages] [rounds]
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/postgresql/postgres_outbox.hpp>

#include "measure.hpp"
#include "outbox_sample.hpp"
#include "postgres_session.hpp"

namespace {

using namespace twiliowa;
using benchmark_support::body_of;
using benchmark_support::cpu_seconds;
using benchmark_support::make_client;
using benchmark_support::make_database;
using benchmark_support::median;
using benchmark_support::message_of;
using benchmark_support::need;
using benchmark_support::Session;
using benchmark_support::wall_seconds;

/// What anybody would write.
class BareQueue {
public:
    explicit BareQueue(std::string database) : database_(std::move(database)) {
        make_database(database_);
        Session session{database_};
        session.run(
            "create table job (id bigserial primary key, key text not null unique, sender text not "
            "null, state integer not null default 0, not_before timestamptz not null default "
            "now(), "
            "payload text not null, sid text not null default '') with (fillfactor = 80);"
            "create index job_ready on job (sender, not_before, id) where state = 0;"
            "create index job_sid on job (sid) where sid <> ''");
    }
    void fill(int count) {
        Session session{database_};
        session.run("insert into job (key, sender, payload) select 'key-' || n, 'sender', '" +
                    body_of(1) + "' from generate_series(1, " + std::to_string(count) + ") n");
        session.run("analyze job");
    }
    /// The same once more, when all is done.
    void fill_again(int count) {
        Session{database_}.run("truncate job");
        fill(count);
    }
    /// Sends until nothing is left, so many at a time.
    void drain(int at_a_time, const MessagesClient& client) const {
        Session session{database_};
        session.prepare(
            "claim",
            "with next as materialized (select id from job where state = 0 and sender = "
            "'sender' and not_before <= now() order by not_before, id limit $1::int for "
            "update skip locked) update job set state = 1 from next where job.id = "
            "next.id returning job.id, payload");
        session.prepare("finish",
                        "update job set state = 2, sid = done.sid from unnest($1::bigint[], "
                        "$2::text[]) as done (id, sid) where job.id = done.id");
        while (true) {
            const auto jobs = session.ask("claim", {std::to_string(at_a_time)});
            if (jobs.empty()) return;
            std::string ids = "{";
            std::string sids = "{";
            for (const auto& [id, body] : jobs) {
                const auto sent =
                    client.try_send(OutboundText{.to = "+447700900123", .body = body});
                if (ids.size() > 1) {
                    ids += ',';
                    sids += ',';
                }
                ids += id;
                sids += sent.value().sid.str();
            }
            session.ask("finish", {ids + '}', sids + '}'});
        }
    }

private:
    const std::string database_;
};

/// pgbench, which is not in the path everywhere; empty without it.
std::string pgbench_program() {
    const std::filesystem::path versions{"/usr/lib/postgresql"};
    std::error_code none;
    for (const auto& version : std::filesystem::directory_iterator{versions, none}) {
        const auto program = version.path() / "bin" / "pgbench";
        if (std::filesystem::exists(program)) return program.string();
    }
    return std::system("command -v pgbench >/dev/null") == 0 ? "pgbench" : "";
}

/// Messages a second of the same queue by a script of pgbench's; 0 without it.
double pgbench_rate(const std::string& database, int messages, int workers, int at_a_time) {
    static const auto program = pgbench_program();
    if (program.empty()) return 0;
    const auto script = std::filesystem::temp_directory_path() / (database + ".sql");
    std::ofstream{script}
        << "with next as materialized (select id from job where state = 0 and sender = 'sender' "
           "and not_before <= now() order by not_before, id limit "
        << at_a_time
        << " for update skip locked), claimed as (update job set state = 1 from next where job.id "
           "= next.id returning job.id) select coalesce(array_agg(id), '{}') as ids from claimed "
           "\\gset\nupdate job set state = 2, sid = 'SM' || id where id = any(:ids::bigint[]);\n";
    const auto command = program + " -n -M prepared -c " + std::to_string(workers) + " -j " +
                         std::to_string(workers) + " -t " +
                         std::to_string(messages / workers / at_a_time) + " -f " + script.string() +
                         " " + database + " 2>&1";
    double rate = 0;
    auto* const output = popen(command.c_str(), "r");
    need(output != nullptr, "pgbench");
    char line[512];
    while (std::fgets(line, sizeof line, output) != nullptr) {
        double transactions = 0;
        if (std::sscanf(line, "tps = %lf", &transactions) == 1) rate = transactions * at_a_time;
    }
    need(pclose(output) == 0 && rate > 0, "pgbench");
    std::filesystem::remove(script);
    return rate;
}

/// Messages a second.
double rate_of(int messages, int workers, const std::function<void()>& work) {
    const auto begun = wall_seconds();
    std::vector<std::thread> threads;
    for (int i = 0; i < workers; ++i) threads.emplace_back(work);
    for (auto& thread : threads) thread.join();
    return messages / (wall_seconds() - begun);
}

void compare(const char* what, int messages, int rounds, int workers, int at_a_time,
             const char* target) {
    const auto client = make_client();
    std::vector<double> ours;
    std::vector<double> bare;
    std::vector<double> ratios;
    std::vector<double> pgbench;
    std::vector<double> pgbench_ratios;
    std::vector<double> cpu;
    for (int round = 0; round < rounds; ++round) {
        const auto name = "outbox_" + std::to_string(round);
        make_database(name);
        {
            const auto open = [&] {
                return std::make_shared<PostgresOutbox>("postgresql:///" + name);
            };
            std::vector<std::unique_ptr<Outbox>> outboxes;
            for (int i = 0; i < workers; ++i) {
                outboxes.push_back(std::make_unique<Outbox>(
                    open(), OutboxOptions{.client = [&](std::string_view) { return client; },
                                          .concurrency = at_a_time}));
            }
            std::vector<NewJob> jobs;
            for (int n = 0; n < messages; ++n) {
                jobs.push_back({message_of(n), {.key = "key-" + std::to_string(n)}});
            }
            for (const auto& job : outboxes.front()->enqueue_all(jobs)) {
                need(job.has_value(), "enqueue");
            }
            Session{name}.run("analyze");
            std::atomic<std::size_t> next{0};
            std::atomic<int> sent{0};
            const auto before = cpu_seconds();
            ours.push_back(rate_of(messages, workers,
                                   [&] { sent += outboxes[next++]->run_until_idle().sent; }));
            cpu.push_back((cpu_seconds() - before) * 1e6 / messages);
            need(sent == messages, "sending each once");
        }
        BareQueue queue{"bare_" + std::to_string(round)};
        queue.fill(messages);
        bare.push_back(rate_of(messages, workers, [&] { queue.drain(at_a_time, client); }));
        ratios.push_back(ours.back() / bare.back());
        queue.fill_again(messages);
        pgbench.push_back(
            pgbench_rate("bare_" + std::to_string(round), messages, workers, at_a_time));
        pgbench_ratios.push_back(ours.back() / pgbench.back());
    }
    std::printf("%-34s %8.0f/s  bare %8.0f/s  ratio %5.2f (target %s)  CPU of the client %.0f us\n",
                what, median(ours), median(bare), median(ratios), target, median(cpu));
    if (median(pgbench) == 0) {
        std::printf("%-34s there is no pgbench\n", "");
    } else {
        std::printf("%-34s %10s  pgbench %5.0f/s  ratio %5.2f (target %s)\n", "", "",
                    median(pgbench), median(pgbench_ratios), target);
    }
}

}  // namespace

int main(int count, char** arguments) try {
    const int messages = count > 1 ? std::atoi(arguments[1]) : 10'000;
    const int rounds = count > 2 ? std::atoi(arguments[2]) : 5;
    compare("sent and noted, 4 x 50 at a time", messages, rounds, 4, 50, "0.7");
    compare("sent and noted, 16 x one at a time", messages / 10, rounds, 16, 1, "0.8");
} catch (const TwilioError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
