#include "sqlite/outbox_rows.hpp"

#include <tuple>
#include <utility>

#include "outbox/job_columns.hpp"
#include "sqlite/row_values.hpp"

namespace twiliowa::detail {

namespace {

/// Whether the column `reason` does not take it: it goes to `later_reason`.
bool is_later(DeadReason reason) noexcept {
    return reason > DeadReason::unknown;
}

}  // namespace

JobTexts::JobTexts(const StoredJob& job)
    : on_unknown(job.on_unknown.str()),
      doubles(join_texts(job.doubles)),
      candidates(join_texts(job.candidates)),
      counted(write_counted(job.counted)) {}

StoredJob read_job(const SqliteStatement& row) {
    ColumnReader next{row};
    StoredJob job;
    read_handed_over(next, job);
    job.expires_at = next.optional_time();
    job.created_at = next.time();
    read_course(next, job);
    job.revision = next.number();
    job.attempts.resize(static_cast<std::size_t>(next.number()));
    job.payload = next.text();
    job.quota = next.text();
    job.cost = next.number();
    job.counted = read_counted(next.bytes());
    job.campaign = next.text();
    job.variant = next.small();
    job.step = next.small();
    job.spend = next.number();
    job.chain_due = next.optional_time();
    job.price_due = next.optional_time();
    if (const auto later = next.one_of<DeadReason>(); later != DeadReason::none) job.reason = later;
    return job;
}

NewJobColumns columns_of(const StoredJob& job) noexcept {
    return {
        .order = !job.order_key.empty(),
        .campaign = !job.campaign.empty() || job.variant != 0 || job.step != 0 || job.spend != 0};
}

std::string insert_job_sql(std::string_view schema, NewJobColumns columns) {
    const auto table = std::string{schema} + "outbox_job";
    std::string names =
        "id, tenant, key, content_hash, tag, account, sender, customer, order_key, lane, "
        "on_unknown, expires_at, created_at, not_before, updated_at, payload, quota, cost";
    std::string values =
        "?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18";
    if (columns.campaign) {
        names += ", campaign, variant, step, spend";
        values += ", ?19, ?20, ?21, ?22";
    }
    if (columns.order) {
        names += ", behind";
        values += ", exists (select 1 from " + table +
                  " where tenant = ?2 and order_key = ?9 and order_key <> '' and state < 5 and "
                  "state <> 4)";
    }
    return "insert into " + table + " (" + names + ") values (" + values + ")";
}

void bind_new_job(SqliteStatement& insert, NewJobColumns columns, const StoredJob& job,
                  const JobTexts& texts) {
    ValueWriter next{insert};
    next.blob(bytes_of(job.id));
    next.text(job.tenant);
    next.text(job.key);
    next.text(job.content_hash);
    next.text(job.tag);
    next.text(job.account);
    next.text(job.sender);
    next.text(job.customer);
    next.text(job.order_key);
    next.one_of(job.lane);
    next.text(texts.on_unknown);
    next.time(job.expires_at);
    next.time(job.created_at);
    next.time(job.not_before);
    next.time(job.updated_at);
    next.text(job.payload);
    next.text(job.quota);
    next.number(job.cost);
    if (!columns.campaign) return;
    next.text(job.campaign);
    next.number(job.variant);
    next.number(job.step);
    next.number(job.spend);
}

JobChange change_of(const StoredJob& before, const StoredJob& now) {
    const auto rest = [](const StoredJob& job) {
        return std::tie(job.expires_at, job.reason, job.not_before, job.tries, job.price,
                        job.price_unit, job.error_code, job.problem, job.doubles, job.candidates,
                        job.unknown_since, job.looks, job.looks_answered, job.last_answer,
                        job.next_look, job.suspect_since, job.decision, job.cancel_requested,
                        job.counted);
    };
    const auto campaign = [](const StoredJob& job) {
        return std::tuple{job.spend, job.chain_due, job.price_due,
                          is_later(job.reason) ? job.reason : DeadReason::none};
    };
    const bool erased = now.payload.empty();
    return {.rest = erased || rest(before) != rest(now),
            .campaign = campaign(before) != campaign(now),
            .erased = erased};
}

std::string update_job_sql(JobChange change) {
    std::string sql =
        "update outbox_job set state = ?, fence = ?, worker = ?, lease_boot = ?, lease_until = ?, "
        "sid = ?, evidence = ?, status = ?, updated_at = ?, attempts = ?, ";
    if (change.rest) {
        sql +=
            "expires_at = ?, reason = ?, not_before = ?, tries = ?, price = ?, price_unit = ?, "
            "error_code = ?, problem = ?, doubles = ?, candidates = ?, unknown_since = ?, "
            "looks = ?, looks_answered = ?, last_answer = ?, next_look = ?, suspect_since = ?, "
            "decided_by = ?, decided_why = ?, decided_at = ?, cancel_requested = ?, counted = ?, ";
    }
    if (change.campaign) sql += "spend = ?, chain_due = ?, price_due = ?, later_reason = ?, ";
    if (change.erased) sql += "payload = '', ";
    return sql + "revision = revision + 1 where sequence = ? and revision = ?";
}

void bind_changed_job(SqliteStatement& update, JobChange change, const StoredJob& job,
                      const JobTexts& texts) {
    ValueWriter next{update};
    next.one_of(job.state);
    next.number(job.fence);
    next.text(job.worker);
    next.text(job.lease_until.boot);
    if (is_leased(job)) {
        next.number(job.lease_until.microseconds);
    } else {
        next.null();
    }
    next.text(job.sid);
    next.one_of(job.evidence);
    next.text(job.status);
    next.time(job.updated_at);
    next.number(static_cast<std::int64_t>(job.attempts.size()));
    if (change.rest) {
        next.time(job.expires_at);
        next.one_of(is_later(job.reason) ? DeadReason::none : job.reason);
        next.time(job.not_before);
        next.number(job.tries);
        next.text(job.price);
        next.text(job.price_unit);
        next.number(job.error_code);
        next.text(job.problem);
        next.text(texts.doubles);
        next.text(texts.candidates);
        next.time(job.unknown_since);
        next.number(job.looks);
        next.number(job.looks_answered);
        next.time(job.last_answer);
        next.time(job.next_look);
        next.time(job.suspect_since);
        next.text(job.decision ? job.decision->by : std::string_view{});
        next.text(job.decision ? job.decision->why : std::string_view{});
        next.time(job.decision ? std::optional{job.decision->at} : std::nullopt);
        next.flag(job.cancel_requested);
        next.text(texts.counted);
    }
    if (change.campaign) {
        next.number(job.spend);
        next.time(job.chain_due);
        next.time(job.price_due);
        if (is_later(job.reason)) {
            next.one_of(job.reason);
        } else {
            next.null();
        }
    }
    next.number(job.sequence);
    next.number(job.revision);
}

StoredAttempt read_attempt(const SqliteStatement& row) {
    ColumnReader next{row};
    StoredAttempt attempt;
    attempt.number = next.small();
    attempt.nonce = read_nonce(next.bytes());
    attempt.state = next.one_of<AttemptState>();
    attempt.started_at = next.time();
    attempt.account_sid = next.text();
    attempt.sid = next.text();
    attempt.evidence = next.one_of<Evidence>();
    attempt.http_status = next.small();
    attempt.error_code = next.small();
    attempt.problem = next.text();
    attempt.may_duplicate = next.flag();
    attempt.marked = next.flag();
    return attempt;
}

std::string upsert_attempt_sql() {
    return "insert into outbox_attempt (job, number, nonce, state, started_at, account_sid, "
           "sid, "
           "evidence, http_status, error_code, problem, may_duplicate, marked) "
           "values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (job, nonce) do update "
           "set "
           "state = excluded.state, started_at = excluded.started_at, "
           "account_sid = excluded.account_sid, sid = excluded.sid, evidence = excluded.evidence, "
           "http_status = excluded.http_status, error_code = excluded.error_code, "
           "problem = excluded.problem, may_duplicate = excluded.may_duplicate, "
           "marked = excluded.marked";
}

void bind_attempt(SqliteStatement& upsert, std::int64_t job, const StoredAttempt& attempt) {
    ValueWriter next{upsert};
    next.number(job);
    next.number(attempt.number);
    next.blob(bytes_of(attempt.nonce));
    next.one_of(attempt.state);
    next.time(attempt.started_at);
    next.text(attempt.account_sid);
    next.text(attempt.sid);
    next.one_of(attempt.evidence);
    next.number(attempt.http_status);
    next.number(attempt.error_code);
    next.text(attempt.problem);
    next.flag(attempt.may_duplicate);
    next.flag(attempt.marked);
}

}  // namespace twiliowa::detail
