#include "postgresql/outbox_rows.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "outbox/job_columns.hpp"
#include "postgresql/row_columns.hpp"

namespace twiliowa::detail {

namespace {

/// What never changes after the insert, but by `rewrite`.
constexpr ColumnName fixed_columns[] = {
    {"sequence", number_array},  {"id", bytes_array},           {"tenant", bytes_array},
    {"key", bytes_array},        {"content_hash", bytes_array}, {"tag", bytes_array},
    {"account", bytes_array},    {"sender", bytes_array},       {"customer", bytes_array},
    {"order_key", bytes_array},  {"lane", number_array},        {"on_unknown", text_array},
    {"created_at", number_array}};

/// In the order of `add_changed`.
constexpr ColumnName changing_columns[] = {{"has_payload", flag_array},
                                           {"expires_at", number_array},
                                           {"state", number_array},
                                           {"reason", number_array},
                                           {"not_before", number_array},
                                           {"fence", number_array},
                                           {"worker", bytes_array},
                                           {"lease_boot", bytes_array},
                                           {"lease_until", number_array},
                                           {"tries", number_array},
                                           {"sid", bytes_array},
                                           {"evidence", number_array},
                                           {"status", bytes_array},
                                           {"price", bytes_array},
                                           {"price_unit", bytes_array},
                                           {"error_code", number_array},
                                           {"problem", bytes_array},
                                           {"doubles", bytes_array},
                                           {"candidates", bytes_array},
                                           {"unknown_since", number_array},
                                           {"looks", number_array},
                                           {"looks_answered", number_array},
                                           {"last_answer", number_array},
                                           {"next_look", number_array},
                                           {"suspect_since", number_array},
                                           {"decided_by", bytes_array},
                                           {"decided_why", bytes_array},
                                           {"decided_at", number_array},
                                           {"cancel_requested", flag_array},
                                           {"updated_at", number_array},
                                           {"attempts", number_array},
                                           {"revision", number_array}};

constexpr ColumnName new_columns[] = {
    {"id", bytes_array},           {"tenant", bytes_array},      {"key", bytes_array},
    {"content_hash", bytes_array}, {"tag", bytes_array},         {"account", bytes_array},
    {"sender", bytes_array},       {"customer", bytes_array},    {"order_key", bytes_array},
    {"lane", number_array},        {"on_unknown", text_array},   {"expires_at", number_array},
    {"created_at", number_array},  {"not_before", number_array}, {"updated_at", number_array},
    {"payload", bytes_array}};

/// Of jobs that have something aside; others have it empty.
constexpr ColumnName new_aside_columns[] = {{"has_aside", flag_array},  {"campaign", bytes_array},
                                            {"variant", number_array},  {"step", number_array},
                                            {"spend", number_array},    {"chain_due", number_array},
                                            {"price_due", number_array}};

/// In the order of `add_aside`.
constexpr ColumnName aside_columns[] = {{"spend", number_array},
                                        {"chain_due", number_array},
                                        {"price_due", number_array},
                                        {"counted", bytes_array}};

constexpr ColumnName attempt_column_names[] = {
    {"job", bytes_array},         {"nonce", bytes_array},       {"number", number_array},
    {"state", number_array},      {"started_at", number_array}, {"account_sid", bytes_array},
    {"sid", bytes_array},         {"evidence", number_array},   {"http_status", number_array},
    {"error_code", number_array}, {"problem", bytes_array},     {"may_duplicate", flag_array},
    {"marked", flag_array}};

/// What tells a row, and that nobody has changed it.
constexpr ColumnName read_columns[] = {{"read_sequence", number_array},
                                       {"read_revision", number_array}};

void add_changed(ColumnArrays& row, const StoredJob& job) {
    row.flag(!job.payload.empty());
    row.time(job.expires_at);
    row.one_of(job.state);
    row.one_of(job.reason);
    row.time(job.not_before);
    row.number(job.fence);
    row.bytes(job.worker);
    row.bytes(job.lease_until.boot);
    row.number(is_leased(job) ? std::optional{job.lease_until.microseconds} : std::nullopt);
    row.number(job.tries);
    row.bytes(job.sid);
    row.one_of(job.evidence);
    row.bytes(job.status);
    row.bytes(job.price);
    row.bytes(job.price_unit);
    row.number(job.error_code);
    row.bytes(job.problem);
    row.bytes(join_texts(job.doubles));
    row.bytes(join_texts(job.candidates));
    row.time(job.unknown_since);
    row.number(job.looks);
    row.number(job.looks_answered);
    row.time(job.last_answer);
    row.time(job.next_look);
    row.time(job.suspect_since);
    row.bytes(job.decision ? job.decision->by : std::string_view{});
    row.bytes(job.decision ? job.decision->why : std::string_view{});
    row.time(job.decision ? std::optional{job.decision->at} : std::nullopt);
    row.flag(job.cancel_requested);
    row.time(job.updated_at);
    row.number(static_cast<std::int64_t>(job.attempts.size()));
    row.number(job.revision);
}

PostgresValues changed_values(std::span<const ChangedJob> jobs) {
    ColumnArrays rows;
    for (const auto& each : jobs) {
        rows.number(each.job->sequence);
        rows.number(each.revision);
        add_changed(rows, *each.job);
        rows.end_row();
    }
    return rows.values();
}

PostgresValues aside_values(std::span<const ChangedJob> jobs) {
    ColumnArrays rows;
    for (const auto& [job, revision] : jobs) {
        const auto aside = aside_of(*job);
        rows.number(job->sequence);
        rows.number(revision);
        rows.number(aside.spend);
        rows.time(aside.chain_due);
        rows.time(aside.price_due);
        rows.bytes(write_counted(aside.counted));
        rows.end_row();
    }
    return rows.values();
}

/// The rows that were sent, as `changed`.
const std::string& changed_rows() {
    static const auto sql = unnest({read_columns, changing_columns}) + " as changed(" +
                            list_of(read_columns, {}) + ", " + list_of(changing_columns, {}) + ")";
    return sql;
}

}  // namespace

std::string_view table_of(JobPlace place) noexcept {
    return place == JobPlace::open ? "twiliowa.job" : "twiliowa.job_done";
}

std::string row_columns(std::string_view alias) {
    return list_of(fixed_columns, alias) + ", " + list_of(changing_columns, alias);
}

std::string select_stored_jobs(JobTables tables, const std::string& rows, std::string_view order) {
    std::string columns = ", payload.payload, null::bytea, null::bigint, null::bytea";
    std::string joins = beside_found("twiliowa.job_payload as payload", "job");
    if (tables != JobTables::plain) {
        columns = ", payload.payload, quota.quota, quota.cost, quota.counted";
        joins += beside_found("twiliowa.outbox_quota_job as quota", "job");
    }
    if (tables == JobTables::with_campaigns) {
        columns +=
            ", aside.campaign, aside.variant, aside.step, aside.spend, aside.chain_due, "
            "aside.price_due, aside.counted, aside.revision";
        joins += beside_found("twiliowa.outbox_campaign_job as aside", "job");
    } else {
        columns +=
            ", null::bytea, null::bigint, null::bigint, null::bigint, null::bigint, null::bigint, "
            "null::bytea, null::bigint";
    }
    return "with found as materialized (" + rows + ") select " + row_columns("found") + columns +
           " from found" + joins + " order by " + std::string{order};
}

StoredJobsSql select_stored_jobs(const std::string& rows, std::string_view order) {
    return StoredJobsSql{[&](JobTables tables) { return select_stored_jobs(tables, rows, order); }};
}

std::string job_rows_of(JobPlace place, std::string_view rest) {
    return "select " + row_columns("job") + " from " + std::string{table_of(place)} + " as job " +
           std::string{rest};
}

JobAside aside_of(const StoredJob& job) {
    JobAside aside{job.spend, job.chain_due, job.price_due, {}};
    if (job.quota.empty()) aside.counted = job.counted;
    return aside;
}

bool has_aside(const StoredJob& job) {
    return !job.campaign.empty() || job.variant != 0 || job.step != 0 ||
           aside_of(job) != JobAside{};
}

JobRow read_job(const PostgresRows& rows, std::size_t row) {
    PostgresColumns next{rows, row};
    JobRow read;
    auto& job = read.job;
    read_handed_over(next, job);
    job.created_at = next.time();
    static_cast<void>(next.flag());  // has_payload: the payload tells.
    job.expires_at = next.optional_time();
    read_course(next, job);
    job.attempts.resize(static_cast<std::size_t>(next.number()));
    job.revision = next.number();
    job.payload = next.text();
    job.quota = next.text();
    job.cost = next.number();
    const auto counted = next.bytes();
    job.campaign = next.text();
    job.variant = next.small();
    job.step = next.small();
    job.spend = next.number();
    job.chain_due = next.optional_time();
    job.price_due = next.optional_time();
    const auto counted_aside = next.bytes();
    job.counted = read_counted(job.quota.empty() ? counted_aside : counted);
    read.aside_revision = next.number();
    return read;
}

PostgresStatement update_jobs(std::span<const ChangedJob> jobs) {
    static const auto sql = "update twiliowa.job as job set " +
                            settings_of(changing_columns, "changed") + " from " + changed_rows() +
                            " where job.sequence = read_sequence and job.revision = read_revision";
    return {sql, changed_values(jobs)};
}

PostgresStatement move_jobs(JobTables tables, std::span<const ChangedJob> jobs, JobPlace from,
                            JobPlace to) {
    const auto sql_of = [](JobPlace source, JobPlace target) {
        return StoredJobsSql{[=](JobTables its) {
            const bool named = its == JobTables::with_campaigns;
            return "with moved as (delete from " + std::string{table_of(source)} +
                   " as job using " + changed_rows() +
                   " where job.sequence = read_sequence and job.revision = read_revision "
                   "returning " +
                   list_of(fixed_columns, "job") + ", " + list_of(changing_columns, "changed") +
                   (named ? ", job.campaign" : "") + ") insert into " +
                   std::string{table_of(target)} + " (" + row_columns({}) +
                   (named ? ", campaign" : "") + ") select * from moved";
        }};
    };
    static const std::map<std::pair<JobPlace, JobPlace>, StoredJobsSql> statements{
        {{JobPlace::open, JobPlace::done}, sql_of(JobPlace::open, JobPlace::done)},
        {{JobPlace::done, JobPlace::open}, sql_of(JobPlace::done, JobPlace::open)},
        {{JobPlace::done, JobPlace::done}, sql_of(JobPlace::done, JobPlace::done)}};
    return {statements.at({from, to}).of(tables), changed_values(jobs)};
}

PostgresStatement insert_jobs(std::span<const StoredJob> jobs) {
    // Of jobs that have nothing aside it asks nothing of these tables.
    static const auto sql_of = [](bool asides) {
        const std::span<const ColumnName> all{new_columns};
        const std::span<const ColumnName> more{new_aside_columns};
        const auto columns = list_of(all.first(all.size() - 1), {});
        return "with new as materialized (select * from " +
               (asides ? unnest({all, more}) : unnest({all})) + " with ordinality as new(" +
               list_of(all, {}) + (asides ? ", " + list_of(more, {}) : "") +
               ", place)), keys as (insert into twiliowa.job_key (tenant, key, job, content_hash) "
               "select tenant, key, id, content_hash from new order by place on conflict do "
               "nothing returning job), jobs as (insert into twiliowa.job (" +
               columns + (asides ? ", campaign" : "") + ", has_payload) select " + columns +
               (asides ? ", campaign" : "") +
               ", payload <> '' from new where id in (select job from keys) order by place "
               "returning sequence, id), " +
               (asides ? "asides as (insert into twiliowa.outbox_campaign_job (job, " +
                             list_of(more.subspan(1), {}) + ") select jobs.sequence, " +
                             list_of(more.subspan(1), "new") +
                             " from jobs join new using (id) where new.has_aside), "
                       : "") +
               "payloads as (insert into twiliowa.job_payload (job, payload) "
               "select jobs.sequence, new.payload from jobs join new using (id) "
               "where new.payload <> '') select count(*) from keys";
    };
    static const auto without_asides = sql_of(false);
    static const auto with_asides = sql_of(true);
    const bool asides = std::any_of(jobs.begin(), jobs.end(), has_aside);
    ColumnArrays rows;
    for (const auto& job : jobs) {
        rows.bytes(bytes_of(job.id));
        rows.bytes(job.tenant);
        rows.bytes(job.key);
        rows.bytes(job.content_hash);
        rows.bytes(job.tag);
        rows.bytes(job.account);
        rows.bytes(job.sender);
        rows.bytes(job.customer);
        rows.bytes(job.order_key);
        rows.one_of(job.lane);
        rows.text(job.on_unknown.str());
        rows.time(job.expires_at);
        rows.time(job.created_at);
        rows.time(job.not_before);
        rows.time(job.updated_at);
        rows.bytes(job.payload);
        if (asides) {
            rows.flag(has_aside(job));
            rows.bytes(job.campaign);
            rows.number(job.variant);
            rows.number(job.step);
            rows.number(job.spend);
            rows.time(job.chain_due);
            rows.time(job.price_due);
        }
        rows.end_row();
    }
    return {asides ? with_asides : without_asides, rows.values()};
}

std::optional<PostgresStatement> insert_quotas(std::span<const StoredJob> jobs) {
    PostgresArray ids{PostgresType::bytes};
    PostgresArray quotas{PostgresType::bytes};
    PostgresArray costs{PostgresType::number};
    for (const auto& job : jobs) {
        if (job.quota.empty()) continue;
        ids.add(bytes_of(job.id));
        quotas.add(job.quota);
        costs.add_number(job.cost);
    }
    if (ids.size() == 0) return std::nullopt;
    PostgresStatement insert{
        "insert into twiliowa.outbox_quota_job (job, quota, cost) "
        "select job.sequence, new.quota, new.cost "
        "from unnest($1::bytea[], $2::bytea[], $3::bigint[]) as new(id, quota, cost) "
        "join twiliowa.job as job using (id)"};
    insert.values.array(ids).array(quotas).array(costs);
    return insert;
}

PostgresStatement update_counted(std::span<const StoredJob* const> jobs) {
    PostgresArray sequences{PostgresType::number};
    PostgresArray counted{PostgresType::bytes};
    for (const auto* const job : jobs) {
        sequences.add_number(job->sequence);
        counted.add(write_counted(job->counted));
    }
    PostgresStatement update{
        "update twiliowa.outbox_quota_job as quota set counted = now.counted "
        "from unnest($1::bigint[], $2::bytea[]) as now(job, counted) where quota.job = now.job"};
    update.values.array(sequences).array(counted);
    return update;
}

PostgresStatement insert_asides(std::span<const ChangedJob> jobs) {
    static const auto sql =
        "insert into twiliowa.outbox_campaign_job (job, " + list_of(aside_columns, {}) +
        ") select read_sequence, " + list_of(aside_columns, {}) + " from " +
        unnest({read_columns, aside_columns}) + " as now(" + list_of(read_columns, {}) + ", " +
        list_of(aside_columns, {}) + ") on conflict do nothing";
    return {sql, aside_values(jobs)};
}

PostgresStatement update_asides(std::span<const ChangedJob> jobs) {
    static const auto sql =
        "update twiliowa.outbox_campaign_job as aside set revision = aside.revision + 1, " +
        settings_of(aside_columns, "now") + " from " + unnest({read_columns, aside_columns}) +
        " as now(" + list_of(read_columns, {}) + ", " + list_of(aside_columns, {}) +
        ") where aside.job = now.read_sequence and aside.revision = now.read_revision";
    return {sql, aside_values(jobs)};
}

PostgresStatement insert_job(const StoredJob& job) {
    PostgresStatement insert{
        job.quota.empty()
            ? "select inserted, job, hash, job_state from twiliowa.insert_job($1, $2, $3, $4, $5, "
              "$6, $7, $8, $9, $10::int, $11, $12, $13, $14, $15, $16)"
            : "select inserted, job, hash, job_state from twiliowa.insert_job_with_quota($1, $2, "
              "$3, $4, $5, $6, $7, $8, $9, $10::int, $11, $12, $13, $14, $15, $16, $17, $18)"};
    const auto time = [](const std::optional<TimePoint>& at) {
        return at ? std::optional{stored_time(*at)} : std::nullopt;
    };
    insert.values.bytes(bytes_of(job.id))
        .bytes(job.tenant)
        .bytes(job.key)
        .bytes(job.content_hash)
        .bytes(job.tag)
        .bytes(job.account)
        .bytes(job.sender)
        .bytes(job.customer)
        .bytes(job.order_key)
        .number(static_cast<std::int64_t>(job.lane))
        .text(job.on_unknown.str())
        .number(time(job.expires_at))
        .number(time(job.created_at))
        .number(time(job.not_before))
        .number(time(job.updated_at))
        .bytes(job.payload);
    if (!job.quota.empty()) insert.values.bytes(job.quota).number(job.cost);
    return insert;
}

InsertedJob read_inserted(const PostgresRows& rows) {
    InsertedJob answer;
    answer.inserted = rows.flag(0, 0);
    answer.id = read_job_id(rows.bytes(0, 1));
    answer.content_hash = rows.bytes(0, 2);
    answer.state = static_cast<JobState>(rows.number(0, 3));
    return answer;
}

StoredAttempt read_attempt(const PostgresRows& rows, std::size_t row) {
    PostgresColumns next{rows, row};
    static_cast<void>(next.bytes());  // The job.
    StoredAttempt attempt;
    attempt.nonce = read_nonce(next.bytes());
    attempt.number = next.small();
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

PostgresStatement upsert_attempts(std::span<const ChangedAttempt> attempts) {
    static const auto sql = [] {
        const std::span<const ColumnName> all{attempt_column_names};
        return "insert into twiliowa.job_attempt (" + list_of(all, {}) + ") select * from " +
               unnest({all}) + " on conflict (job, nonce) do update set " +
               settings_of(all.subspan(2), "excluded");
    }();
    ColumnArrays rows;
    for (const auto& [job, attempt] : attempts) {
        rows.bytes(bytes_of(job));
        rows.bytes(bytes_of(attempt.nonce));
        rows.number(attempt.number);
        rows.one_of(attempt.state);
        rows.time(attempt.started_at);
        rows.bytes(attempt.account_sid);
        rows.bytes(attempt.sid);
        rows.one_of(attempt.evidence);
        rows.number(attempt.http_status);
        rows.number(attempt.error_code);
        rows.bytes(attempt.problem);
        rows.flag(attempt.may_duplicate);
        rows.flag(attempt.marked);
        rows.end_row();
    }
    return {sql, rows.values()};
}

}  // namespace twiliowa::detail
