// Messages, a Twilio that answers at once, and files full of jobs, for what measures an outbox.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/messages_client.hpp>
#include <twiliowa/outbox/job.hpp>

namespace benchmark_support {

inline void need(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "%s failed\n", what);
    std::exit(1);
}

inline std::string body_of(int number) {
    auto body = "Your order " + std::to_string(number) + " is on its way. ";
    body.resize(350, 'x');
    return body;
}

inline twiliowa::OutboundMessage message_of(int number) {
    return twiliowa::OutboundText{.to = "+447700900123", .body = body_of(number)};
}

/// A message that was created, each time with another SID; of a list, an empty page.
inline twiliowa::HttpResponse answer_to(const twiliowa::HttpRequest& request) {
    static std::atomic<unsigned long> count{0};
    twiliowa::HttpResponse answer;
    if (request.method == twiliowa::HttpMethod::get) {
        answer.status = 200;
        answer.body = R"({"messages":[]})";
        return answer;
    }
    char sid[40];
    std::snprintf(sid, sizeof sid, "SM%032lx", ++count);
    answer.status = 201;
    answer.body = std::string{R"({"sid":")"} + sid + R"(","status":"queued","account_sid":)" +
                  R"("AC00000000000000000000000000000001"})";
    return answer;
}

class CountingTransport final : public twiliowa::HttpTransport {
public:
    twiliowa::Result<twiliowa::HttpResponse> send(const twiliowa::HttpRequest& request,
                                                  const twiliowa::CallContext&) override {
        return answer_to(request);
    }
};

inline twiliowa::MessagesClient make_client(
    std::shared_ptr<twiliowa::HttpTransport> transport = std::make_shared<CountingTransport>(),
    std::shared_ptr<twiliowa::RateLimiter> limiter = {}) {
    twiliowa::ClientOptions options;
    options.rate_limiter = std::move(limiter);
    options.from = "+14155238886";
    options.transport = std::move(transport);
    return twiliowa::MessagesClient{
        twiliowa::Credentials::auth_token("AC00000000000000000000000000000001", "token"), options};
}

/// Puts so many jobs of a state into an outbox's file: as if they had come one after the other, and
/// those that are sending, by a process of the machine's last start. Not safe from a loss of power.
inline void fill_jobs(const std::string& path, twiliowa::JobState state, int count) {
    sqlite3* database = nullptr;
    need(sqlite3_open(path.c_str(), &database) == SQLITE_OK, "open");
    const auto number = std::to_string(static_cast<int>(state));
    const bool was_sent = state != twiliowa::JobState::ready;
    const bool is_final = state == twiliowa::JobState::delivered;
    const auto sql =
        "pragma synchronous = off; begin;"
        "create temp table first as select coalesce(max(sequence), 0) as job from outbox_job;"
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < " +
        std::to_string(count) +
        ") insert into outbox_job (id, tenant, key, content_hash, sender, customer, state, "
        "not_before, updated_at, sid, attempts, lease_boot, lease_until, payload) select "
        "cast(printf('" +
        number + "%09d', i) as blob), '', '" + number +
        "-' || i, 'hash', 'whatsapp:+14155238886', 'customer-' || (i % 10000), " + number +
        ", i, i, " + (is_final ? "'SM' || lower(hex(randomblob(16)))" : "''") + ", " +
        (was_sent ? "1" : "0") + (was_sent && !is_final ? ", 'last start', 1, " : ", '', null, ") +
        "'{\"body\":\"" + std::string(350, 'x') +
        "\",\"from\":\"whatsapp:+14155238886\",\"to\":\"+447700900123\"}' from n;"
        "insert into outbox_key (tenant, key, job_id, content_hash) select tenant, key, id, "
        "content_hash from outbox_job where sequence > (select job from first);"
        "insert into outbox_attempt (job, nonce, number, state, started_at, account_sid, sid) "
        "select sequence, randomblob(6), 1, sid <> '', updated_at, "
        "'AC00000000000000000000000000000001', sid from outbox_job "
        "where attempts = 1 and sequence > (select job from first);"
        "insert into outbox_outcome (job, outcome, at) select sequence, 1, updated_at "
        "from outbox_job where sid <> '' and sequence > (select job from first);"
        "insert into outbox_tally values ('', " +
        number + ", " + std::to_string(count) + "); drop table first; commit;";
    need(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK, "fill");
    sqlite3_close(database);
}

}  // namespace benchmark_support
