// An inbox in a file of SQLite, and in PostgreSQL where libpq's variables name a server, beside
// what anybody would write for it: insert a row for each webhook, take it up, mark it as done, each
// on the disk before the next step. In turns, in one process. And how long a webhook takes to its
// answer when 100 come in a second.
//
// Usage: inbox_beside_inserts <directory> [messages] [rounds]
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

#include <twiliowa/outbox/durable_inbox.hpp>
#include <twiliowa/outbox/outbox.hpp>
#ifdef WITH_POSTGRESQL
#include <twiliowa/postgresql/postgres_outbox.hpp>
#endif
#include <twiliowa/request_validator.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/webhook_handler.hpp>

#include "measure.hpp"
#include "outbox_sample.hpp"
#ifdef WITH_POSTGRESQL
#include "postgres_session.hpp"
#endif
#include "sqlite_session.hpp"

namespace {

using namespace twiliowa;
using namespace std::chrono_literals;
using benchmark_support::make_client;
using benchmark_support::median;
using benchmark_support::need;
using benchmark_support::SqliteSession;
using benchmark_support::wall_seconds;

constexpr int threads_at_once = 8;

/// A signed webhook; each is another message, of a thousand customers.
WebhookRequest webhook(int number) {
    static const RequestValidator validator{"token"};
    char sid[35];
    std::snprintf(sid, sizeof sid, "SM%032x", static_cast<unsigned>(number));
    const auto customer = "whatsapp%3A%2B44770090" + std::to_string(1'000 + number % 1'000);
    WebhookRequest request;
    request.method = "POST";
    request.target = "/hook";
    request.body = std::string{"MessageSid="} + sid +
                   "&AccountSid=AC00000000000000000000000000000001&From=" + customer +
                   "&To=whatsapp%3A%2B14155238886&Body=Where+is+my+order%3F&NumMedia=0"
                   "&ProfileName=Lee&MessageType=text&ApiVersion=2010-04-01";
    const std::string type = "application/x-www-form-urlencoded";
    const auto signature = validator.sign(
        {.url = "https://example.com/hook", .content_type = type, .body = request.body});
    request.headers = {{"Content-Type", type}, {"X-Twilio-Signature", signature}};
    return request;
}

/// In so many threads, each number once.
void share_out(int count, const std::function<void(int number)>& work) {
    std::atomic<int> next{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < threads_at_once; ++i) {
        threads.emplace_back([&] {
            for (int n = next++; n < count; n = next++) work(n);
        });
    }
    for (auto& thread : threads) thread.join();
}

double rate_of(int messages, const std::function<void()>& work) {
    const auto begun = wall_seconds();
    work();
    return messages / (wall_seconds() - begun);
}

struct Rates {
    double taken = 0;
    double handled = 0;
};

struct Bot {
    explicit Bot(const std::shared_ptr<OutboxStorage>& storage, bool answers)
        : outbox(storage,
                 {.client = [client = make_client()](std::string_view) { return client; }}),
          inbox(std::make_shared<DurableInbox>(outbox, InboxOptions{.workers = threads_at_once})),
          handler(RequestValidator{"token"},
                  {.public_url = PublicUrl::fixed("https://example.com"), .inbox = inbox}) {
        handler.on_text([this, answers](const InboundMessage&) {
            ++handled;
            return answers ? MessagingResponse{"It is on its way."} : MessagingResponse{};
        });
    }

    Outbox outbox;
    std::shared_ptr<DurableInbox> inbox;
    WebhookHandler handler;
    std::atomic<int> handled{0};
};

Rates run_ours(const std::shared_ptr<OutboxStorage>& storage, int messages) {
    std::vector<WebhookRequest> requests;
    for (int n = 0; n < messages; ++n) requests.push_back(webhook(n));
    Bot bot{storage, false};
    Rates rates;
    rates.taken = rate_of(messages, [&] {
        share_out(messages, [&](int n) {
            const auto answer = bot.handler.handle(requests[static_cast<std::size_t>(n)]);
            need(answer.status == 200, "taking a webhook in");
        });
    });
    rates.handled = rate_of(messages, [&] {
        bot.inbox->start();
        while (bot.inbox->counts().of(InboxState::done) < messages) {
            std::this_thread::sleep_for(2ms);
        }
    });
    bot.inbox->stop();
    return rates;
}

/// Milliseconds from a webhook's time to its answer, when 100 come a second, are handled and
/// answered.
void measure_answers(const char* engine, const std::shared_ptr<OutboxStorage>& storage,
                     int seconds) {
    const int messages = seconds * 100;
    std::vector<WebhookRequest> requests;
    for (int n = 0; n < messages; ++n) requests.push_back(webhook(n));
    Bot bot{storage, true};
    bot.outbox.start();
    bot.inbox->start();
    std::vector<double> taken(static_cast<std::size_t>(messages));
    const auto begun = std::chrono::steady_clock::now();
    share_out(messages, [&](int n) {
        const auto due = begun + n * 10ms;
        std::this_thread::sleep_until(due);
        const auto answer = bot.handler.handle(requests[static_cast<std::size_t>(n)]);
        need(answer.status == 200, "taking a webhook in");
        taken[static_cast<std::size_t>(n)] =
            std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - due)
                .count();
    });
    bot.inbox->drain(30s);
    bot.inbox->stop();
    bot.outbox.stop();
    std::sort(taken.begin(), taken.end());
    const auto at = [&](double share) {
        return taken[static_cast<std::size_t>(share * (messages - 1))];
    };
    std::printf(
        "%-10s 100 webhooks a second: answered in %.1f ms (50 %%), %.1f ms (99 %%, target 50), "
        "%.1f ms (most)\n",
        engine, at(0.5), at(0.99), at(1));
}

/// What comes in is committed as many at a time as threads would wait.
class BareFile {
public:
    explicit BareFile(const std::string& path) : session_(path) {
        session_.run(
            "pragma journal_mode = wal; pragma synchronous = full;"
            "create table event (id integer primary key, key text not null unique, customer text "
            "not null, state integer not null default 0, payload text not null) strict;"
            "create index event_ready on event (id) where state = 0");
    }

    Rates measure(int messages, const std::vector<std::string>& bodies) {
        Rates rates;
        rates.taken = rate_of(messages, [&] {
            auto* const insert =
                session_.prepare("insert into event (key, customer, payload) values (?, ?, ?)");
            for (int n = 0; n < messages; ++n) {
                if (n % threads_at_once == 0)
                    session_.run(n == 0 ? "begin immediate" : "commit; begin immediate");
                const auto& body = bodies[static_cast<std::size_t>(n)];
                const auto key = body.substr(0, 45);
                const auto customer = body.substr(90, 30);
                SqliteSession::bind(insert, 1, key);
                SqliteSession::bind(insert, 2, customer);
                SqliteSession::bind(insert, 3, body);
                SqliteSession::execute(insert);
            }
            session_.run("commit");
        });
        rates.handled = rate_of(messages, [&] {
            auto* const take = session_.prepare(
                "update event set state = 1 where id in (select id from event where state = 0 "
                "order by id limit 8) returning id, payload");
            auto* const finish = session_.prepare("update event set state = 2 where id = ?");
            while (true) {
                std::vector<std::int64_t> taken;
                session_.run("begin immediate");
                while (sqlite3_step(take) == SQLITE_ROW)
                    taken.push_back(sqlite3_column_int64(take, 0));
                sqlite3_reset(take);
                session_.run("commit");
                if (taken.empty()) break;
                session_.run("begin immediate");
                for (const auto id : taken) {
                    sqlite3_bind_int64(finish, 1, id);
                    SqliteSession::execute(finish);
                }
                session_.run("commit");
            }
        });
        return rates;
    }

private:
    SqliteSession session_;
};

#ifdef WITH_POSTGRESQL

using benchmark_support::make_database;
using benchmark_support::Session;

/// As many connections as threads, each with commits of its own.
Rates measure_bare_database(int messages, const std::vector<std::string>& bodies) {
    make_database("bare");
    Session{"bare"}.run(
        "create table event (id bigserial primary key, key text not null unique, customer text not "
        "null, state integer not null default 0, payload text not null) with (fillfactor = 80);"
        "create index event_ready on event (id) where state = 0");
    const auto each = [&](const std::function<void(Session&)>& work) {
        std::vector<std::thread> threads;
        for (int i = 0; i < threads_at_once; ++i) {
            threads.emplace_back([&] {
                Session session{"bare"};
                session.prepare("insert",
                                "insert into event (key, customer, payload) values ($1, $2, $3)");
                session.prepare(
                    "take",
                    "with next as materialized (select id from event where state = 0 order "
                    "by id limit 1 for update skip locked) update event set state = 1 from "
                    "next where event.id = next.id returning event.id, payload");
                session.prepare("finish", "update event set state = 2 where id = $1::bigint");
                work(session);
            });
        }
        for (auto& thread : threads) thread.join();
    };
    Rates rates;
    std::atomic<int> next{0};
    rates.taken = rate_of(messages, [&] {
        each([&](Session& session) {
            for (int n = next++; n < messages; n = next++) {
                const auto& body = bodies[static_cast<std::size_t>(n)];
                session.ask("insert", {body.substr(0, 45), body.substr(90, 30), body});
            }
        });
    });
    rates.handled = rate_of(messages, [&] {
        each([&](Session& session) {
            while (true) {
                const auto event = session.ask("take", {});
                if (event.empty()) return;
                session.ask("finish", {event.front().first});
            }
        });
    });
    return rates;
}

#endif

void print(const char* engine, const char* what, const std::vector<Rates>& ours,
           const std::vector<Rates>& bare, double Rates::*rate) {
    std::vector<double> ratios;
    std::vector<double> speeds;
    std::vector<double> bare_speeds;
    for (std::size_t i = 0; i < ours.size(); ++i) {
        speeds.push_back(ours[i].*rate);
        bare_speeds.push_back(bare[i].*rate);
        ratios.push_back(speeds.back() / bare_speeds.back());
    }
    std::printf("%-10s %-22s %8.0f/s  bare %8.0f/s  ratio %5.2f\n", engine, what, median(speeds),
                median(bare_speeds), median(ratios));
}

}  // namespace

int main(int count, char** arguments) try {
    if (count < 2) {
        std::fprintf(stderr, "usage: inbox_beside_inserts <directory> [messages] [rounds]\n");
        return 2;
    }
    const std::filesystem::path folder{arguments[1]};
    const int messages = count > 2 ? std::atoi(arguments[2]) : 2'000;
    const int rounds = count > 3 ? std::atoi(arguments[3]) : 3;
    constexpr int seconds = 10;
    std::vector<std::string> bodies;
    for (int n = 0; n < messages; ++n) bodies.push_back(webhook(n).body);
    const auto file = [&](const char* name, int round) {
        return (folder / (name + std::to_string(round) + ".db")).string();
    };
    std::vector<Rates> ours;
    std::vector<Rates> bare;
    for (int round = 0; round < rounds; ++round) {
        ours.push_back(run_ours(std::make_shared<SqliteOutbox>(file("inbox", round)), messages));
        bare.push_back(BareFile{file("bare", round)}.measure(messages, bodies));
    }
    print("SQLite", "taken in, 8 threads", ours, bare, &Rates::taken);
    print("SQLite", "handled, 8 workers", ours, bare, &Rates::handled);
    measure_answers("SQLite", std::make_shared<SqliteOutbox>(file("answers", 0)), seconds);
#ifdef WITH_POSTGRESQL
    if (std::getenv("PGHOST") == nullptr) return 0;
    ours.clear();
    bare.clear();
    const auto database = [] {
        make_database("inbox");
        return std::make_shared<PostgresOutbox>("postgresql:///inbox");
    };
    for (int round = 0; round < rounds; ++round) {
        ours.push_back(run_ours(database(), messages));
        bare.push_back(measure_bare_database(messages, bodies));
    }
    print("PostgreSQL", "taken in, 8 threads", ours, bare, &Rates::taken);
    print("PostgreSQL", "handled, 8 workers", ours, bare, &Rates::handled);
    measure_answers("PostgreSQL", database(), seconds);
#endif
    return 0;
} catch (const TwilioError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
