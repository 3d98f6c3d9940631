#include "postgresql/outbox_transaction.hpp"

#include <twiliowa/state/store.hpp>

namespace twiliowa::detail {

namespace {

/// The condition of the index of what can be claimed.
constexpr std::string_view may_be_claimed =
    "state = 0 and suspect_since is null and content_hash is not null";

/// What makes a group, in the order of that index.
std::string group_columns(JobTables tables, std::string_view alias = {}) {
    std::string list;
    for (const std::string_view column : {"sender", "lane", "tenant", "account", "campaign"}) {
        if (column == "campaign" && tables != JobTables::with_campaigns) continue;
        if (!list.empty()) list += ", ";
        list.append(alias).append(column);
    }
    return list;
}

/// Whether an earlier job of its order_key keeps `job` back; $`held` is since when one that is held
/// does not.
std::string is_kept_back(std::string_view held) {
    return "exists (select from twiliowa.job as earlier where earlier.tenant = job.tenant and "
           "earlier.order_key = job.order_key and earlier.order_key <> '' and earlier.state < 5 "
           "and "
           "earlier.sequence < job.sequence and not (earlier.state = 4 and earlier.updated_at < " +
           std::string{held} + "))";
}

/// The groups that have jobs, from one to the next, however many jobs each has.
std::string groups_sql(JobTables tables) {
    const auto group = group_columns(tables);
    const auto next = [&](const std::string& more) {
        return "(select " + group + " from twiliowa.job where " + std::string{may_be_claimed} +
               more + " order by " + group + " limit 1)";
    };
    return "with recursive groups as (" + next("") +
           " union all select following.* from groups cross join lateral " +
           next(" and (" + group + ") > (" + group_columns(tables, "groups.") + ")") +
           " as following) ";
}

/// Jobs of which a time has come that is aside, wherever their rows are. One looks at a time, so
/// that no two work on the same: `lock` is whose turn that is. Without locks of rows, so that what
/// is aside is of the same moment.
std::string due_aside(std::string_view time, int lock) {
    const std::string column{time};
    const auto rows_of = [](JobPlace place) {
        return job_rows_of(place, "where job.sequence = any(array(select due.job from due))");
    };
    return select_stored_jobs(
        JobTables::with_campaigns,
        "with due as materialized (select aside.job from twiliowa.outbox_campaign_job as aside "
        "where aside." +
            column + " <= $1 and (select pg_catalog.pg_try_advisory_xact_lock(1953982828, " +
            std::to_string(lock) + ")) order by aside." + column + ", aside.job limit $2) " +
            rows_of(JobPlace::open) + " union all " + rows_of(JobPlace::done),
        "aside." + column + ", found.sequence");
}

}  // namespace

Result<std::vector<ReadyGroup>> PostgresOutboxTransaction::ready_groups() {
    static const StoredJobsSql sql{
        [](JobTables tables) { return groups_sql(tables) + "select * from groups"; }};
    if (auto sent = flush_before_claims(); !sent) return sent.error();
    const auto rows = statements_.ask({sql.of(mode_.tables)});
    if (!rows) return rows.error();
    std::vector<ReadyGroup> groups;
    for (std::size_t row = 0; row < rows->size(); ++row) {
        groups.push_back(
            {std::string{rows->bytes(row, 0)}, static_cast<Lane>(rows->number(row, 1)),
             std::string{rows->bytes(row, 2)}, std::string{rows->bytes(row, 3)},
             std::string{mode_.has_campaigns() ? rows->bytes(row, 4) : std::string_view{}}});
    }
    return groups;
}

Result<std::vector<StoredJob>> PostgresOutboxTransaction::ready(const ReadyQuery& query) {
    // What another transaction is taking is passed over, and nobody waits. The rows are locked in a
    // fence, so that no plan locks more of them than the limit.
    static const StoredJobsSql sql{[](JobTables tables) {
        const bool has_campaigns = tables == JobTables::with_campaigns;
        return select_stored_jobs(
            tables,
            job_rows_of(JobPlace::open,
                        "where " + std::string{may_be_claimed} +
                            " and sender = $1 and lane = $2 and tenant = $3 and account = $4 "
                            "and not_before <= $5 and (order_key = '' or not " +
                            is_kept_back("$6") + ")" + (has_campaigns ? " and campaign = $8" : "") +
                            " order by not_before, sequence limit $7 for update skip locked"),
            "found.not_before, found.sequence");
    }};
    static const auto kept_back =
        "select job.id from twiliowa.job as job where job.sequence = any($1) and " +
        is_kept_back("$2");
    if (!mode_.may_claim) {
        return statements_.failed(
            store_error("is another database than it was, or went back in time",
                        "nothing is sent before an Outbox has looked at that"));
    }
    if (!query.group.campaign.empty() && !mode_.has_campaigns()) return std::vector<StoredJob>{};
    PostgresStatement select{sql.of(mode_.tables)};
    select.values.bytes(query.group.sender)
        .number(static_cast<std::int64_t>(query.group.lane))
        .bytes(query.group.tenant)
        .bytes(query.group.account)
        .number(stored_time(query.now))
        .number(stored_time(query.held_before))
        .number(row_limit(query.limit));
    if (mode_.has_campaigns()) select.values.bytes(query.group.campaign);
    if (auto sent = flush_before_claims(); !sent) return sent.error();
    auto jobs = ask_jobs(select);
    if (!jobs) return jobs;
    // A row that changed while it was waited for was looked at anew, and those before it were not.
    PostgresArray ordered{PostgresType::number};
    for (const auto& job : *jobs) {
        if (!job.order_key.empty()) ordered.add_number(job.sequence);
    }
    if (ordered.size() == 0) return jobs;
    PostgresStatement again{kept_back};
    again.values.array(ordered).number(stored_time(query.held_before));
    const auto rows = statements_.ask(again);
    if (!rows) return rows.error();
    for (std::size_t row = 0; row < rows->size(); ++row) {
        const auto id = read_job_id(rows->bytes(row, 0));
        std::erase_if(*jobs, [&](const StoredJob& job) { return job.id == id; });
    }
    return jobs;
}

Result<std::vector<bool>> PostgresOutboxTransaction::take_again(
    std::span<const StoredJob* const> jobs) {
    // Who takes the same jobs passes over these, and nobody waits.
    static const StoredJobsSql sql{[](JobTables tables) {
        return select_stored_jobs(
            tables,
            job_rows_of(JobPlace::open,
                        "where " + std::string{may_be_claimed} +
                            " and (sequence, revision) in (select * from unnest($1::bigint[], "
                            "$2::bigint[])) for update skip locked"),
            "found.not_before, found.sequence");
    }};
    if (!mode_.may_claim) {
        return statements_.failed(
            store_error("is another database than it was, or went back in time",
                        "nothing is sent before an Outbox has looked at that"));
    }
    std::vector<bool> ours(jobs.size(), false);
    if (jobs.empty()) return ours;
    PostgresArray sequences{PostgresType::number};
    PostgresArray revisions{PostgresType::number};
    for (const auto* const job : jobs) {
        sequences.add_number(job->sequence);
        revisions.add_number(job->revision);
    }
    PostgresStatement select{sql.of(mode_.tables)};
    select.values.array(sequences).array(revisions);
    if (auto sent = flush_before_claims(); !sent) return sent.error();
    const auto taken = ask_jobs(select);
    if (!taken) return taken.error();
    std::set<JobId> ids;
    for (const auto& job : *taken) ids.insert(job.id);
    for (std::size_t i = 0; i < jobs.size(); ++i) ours[i] = ids.contains(jobs[i]->id);
    return ours;
}

Result<std::vector<StoredJob>> PostgresOutboxTransaction::due(Due what, TimePoint before,
                                                              std::size_t limit) {
    // Who sweeps takes what nobody else is sweeping.
    static const auto lease = select_stored_jobs(
        job_rows_of(JobPlace::open,
                    "where lease_until is not null and state in (1, 2) and updated_at <= $1 and "
                    "(lease_boot <> '' or lease_until <= (select twiliowa.microseconds())) "
                    "order by updated_at, sequence limit $2 for update skip locked"),
        "found.updated_at, found.sequence");
    static const auto look = select_stored_jobs(
        job_rows_of(JobPlace::open, "where next_look <= $1 order by next_look, sequence limit $2"),
        "found.next_look, found.sequence");
    static const auto expiry = select_stored_jobs(
        job_rows_of(JobPlace::open,
                    "where state = 0 and expires_at is not null and expires_at <= $1 "
                    "order by expires_at, sequence limit $2 for update skip locked"),
        "found.expires_at, found.sequence");
    static const auto fetch = select_stored_jobs(
        job_rows_of(JobPlace::open,
                    "where state = 5 and updated_at <= $1 order by updated_at, sequence limit $2"),
        "found.updated_at, found.sequence");
    static const auto chain = due_aside("chain_due", 2);
    static const auto price = due_aside("price_due", 3);
    if ((what == Due::chain || what == Due::price) && !mode_.has_campaigns()) {
        return std::vector<StoredJob>{};
    }
    const auto sql = [&]() -> const std::string& {
        switch (what) {
            case Due::lease:
                return lease.of(mode_.tables);
            case Due::look:
                return look.of(mode_.tables);
            case Due::expiry:
                return expiry.of(mode_.tables);
            case Due::fetch:
                return fetch.of(mode_.tables);
            case Due::chain:
                return chain;
            case Due::price:
                break;
        }
        return price;
    }();
    PostgresStatement select{sql};
    select.values.number(stored_time(before)).number(row_limit(limit));
    return jobs_of(select);
}

Result<std::optional<TimePoint>> PostgresOutboxTransaction::next_due() {
    static const StoredJobsSql sql{[](JobTables tables) {
        std::string asides;
        if (tables == JobTables::with_campaigns) {
            for (const std::string column : {"chain_due", "price_due"}) {
                asides.append("(select min(")
                    .append(column)
                    .append(") from twiliowa.outbox_campaign_job where ")
                    .append(column)
                    .append(" is not null), ");
            }
        }
        return groups_sql(tables) +
               "select least((select min(expires_at) from twiliowa.job where state = 0 and "
               "expires_at is not null), "
               "(select min(next_look) from twiliowa.job where next_look is not null), " +
               asides +
               "(select min(first.not_before) from groups cross join lateral (select not_before "
               "from twiliowa.job as job where " +
               std::string{may_be_claimed} + " and (" + group_columns(tables, "job.") + ") = (" +
               group_columns(tables, "groups.") + ") order by not_before limit 1) as first))";
    }};
    if (auto sent = flush(); !sent) return sent.error();
    const auto rows = statements_.ask({sql.of(mode_.tables)});
    if (!rows) return rows.error();
    if (rows->is_null(0, 0)) return std::optional<TimePoint>{};
    return std::optional{time_of_stored(rows->number(0, 0))};
}

Result<std::optional<TimePoint>> PostgresOutboxTransaction::last_change() {
    static const std::string sql =
        // Each by its index: what is under way, what is in doubt, what is accepted, what is final.
        "select greatest((select max(updated_at) from twiliowa.job where lease_until is not null), "
        "(select max(updated_at) from twiliowa.job where state in (3, 4)), "
        "(select max(updated_at) from twiliowa.job where state = 5), "
        "(select max(updated_at) from twiliowa.job_done))";
    if (auto sent = flush(); !sent) return sent.error();
    const auto rows = statements_.ask({sql});
    if (!rows) return rows.error();
    if (rows->is_null(0, 0)) return std::optional<TimePoint>{};
    return std::optional{time_of_stored(rows->number(0, 0))};
}

}  // namespace twiliowa::detail
