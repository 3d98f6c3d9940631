#include "postgresql/outbox_transaction.hpp"

namespace twiliowa::detail {

Result<std::int64_t> PostgresOutboxTransaction::redact(TimePoint before, std::size_t limit) {
    static const std::string sql =
        "with old as materialized (select updated_at, sequence from twiliowa.job_done "
        "where has_payload and updated_at < $1 order by updated_at limit $2), "
        "redacted as (update twiliowa.job_done as job set has_payload = false, "
        "revision = revision + 1 from old where job.updated_at = old.updated_at "
        "and job.sequence = old.sequence and job.has_payload returning job.sequence), "
        "gone as (delete from twiliowa.job_payload where job in (select sequence from redacted)) "
        "select count(*) from redacted";
    if (auto sent = flush(); !sent) return sent.error();
    PostgresStatement erase{sql};
    erase.values.number(stored_time(before)).number(row_limit(limit));
    const auto rows = statements_.change(erase);
    if (!rows) return rows.error();
    known_.clear();
    return rows->number(0, 0);
}

Result<std::int64_t> PostgresOutboxTransaction::purge(TimePoint before,
                                                      std::optional<TimePoint> keys_before,
                                                      std::size_t limit) {
    static const StoredJobsSql sql{[](JobTables tables) {
        std::string asides;
        for (const auto& [table, is_there] :
             {std::pair{"outbox_quota_job", tables != JobTables::plain},
              std::pair{"outbox_campaign_job", tables == JobTables::with_campaigns}}) {
            if (!is_there) continue;
            const std::string name{table};
            asides.append(name)
                .append(" as (delete from twiliowa.")
                .append(name)
                .append(" where job in (select sequence from gone)), ");
        }
        return "with old as materialized (select updated_at, sequence from twiliowa.job_done "
               "where updated_at < $1 order by updated_at limit $2), "
               "gone as (delete from twiliowa.job_done as job using old "
               "where job.updated_at = old.updated_at and job.sequence = old.sequence "
               "returning job.sequence, job.id, job.tenant, job.key, job.state, job.sid), "
               "payloads as (delete from twiliowa.job_payload where job in (select sequence from "
               "gone)), " +
               asides +
               "keys as (update twiliowa.job_key as key set removed_at = $3 from gone "
               "where key.tenant = gone.tenant and key.key = gone.key and key.job = gone.id), "
               "attempts as (update twiliowa.job_attempt as attempt set removed_at = $3, "
               "account_sid = '', sid = '', problem = '' from gone where attempt.job = gone.id), "
               "sids as (delete from twiliowa.job_sid as owned using gone "
               "where owned.sid = gone.sid and owned.job = gone.id), "
               "outcomes as (delete from twiliowa.outcome where job in (select id from gone)), "
               "tally as (insert into twiliowa.job_tally (tenant, state, jobs) "
               "select tenant, state, -count(*) from gone group by tenant, state) "
               "select count(*) from gone";
    }};
    if (auto sent = flush(); !sent) return sent.error();
    PostgresStatement tend{tend_days_sql("$1, $2")};
    tend.values.number(stored_time(now_)).number(stored_time(before));
    if (const auto done = statements_.ask(tend); !done) return done.error();
    PostgresStatement erase{sql.of(mode_.tables)};
    erase.values.number(stored_time(before)).number(row_limit(limit)).number(stored_time(now_));
    const auto rows = statements_.change(erase);
    if (!rows) return rows.error();
    if (mode_.has_quotas()) {
        // What another counts just now is left for another time.
        PostgresStatement forget{
            "delete from twiliowa.outbox_quota_count where (quota, period, began_at) in (select "
            "quota, period, began_at from twiliowa.outbox_quota_count where keep_until <= $1 "
            "limit 1000 for update skip locked)"};
        forget.values.number(stored_time(now_));
        if (const auto done = statements_.change(forget); !done) return done.error();
    }
    known_.clear();
    owners_.clear();
    if (keys_before) {
        for (const auto* const forget :
             {"delete from twiliowa.job_key where removed_at <= $1",
              "delete from twiliowa.job_attempt where removed_at <= $1"}) {
            PostgresStatement erase_old{forget};
            erase_old.values.number(stored_time(*keys_before));
            if (const auto done = statements_.change(erase_old); !done) return done.error();
        }
    }
    if (auto folded = fold_tally(); !folded) return folded.error();
    if (auto folded = fold_campaign_tallies(); !folded) return folded.error();
    return rows->number(0, 0);
}

}  // namespace twiliowa::detail
