#include "postgresql/outbox_transaction.hpp"

namespace twiliowa::detail {

namespace {

/// Reading more rows of counts than these, they are folded.
constexpr std::int64_t many_tallies = 1'000;

}  // namespace

Result<std::vector<StoredJob>> PostgresOutboxTransaction::list(const JobFilter& filter) {
    if (!filter.campaign.empty() && !mode_.has_campaigns()) return std::vector<StoredJob>{};
    PostgresStatement select;
    select.values.number(filter.after).number(row_limit(filter.limit));
    std::string where = "where sequence > $1";
    const auto position = [&] { return "$" + std::to_string(select.values.size()); };
    if (filter.state) {
        select.values.number(static_cast<std::int64_t>(*filter.state));
        where += " and state = " + position();
    }
    const auto equal = [&](std::string_view column, std::string_view value) {
        select.values.bytes(value);
        where.append(" and ").append(column).append(" = ").append(position());
    };
    if (filter.tenant) equal("tenant", *filter.tenant);
    if (!filter.account.empty()) equal("account", filter.account);
    if (!filter.sender.empty()) equal("sender", filter.sender);
    if (!filter.tag.empty()) equal("tag", filter.tag);
    if (!filter.campaign.empty()) {
        equal("campaign", filter.campaign);
        where += " and campaign <> ''";
    }
    if (!filter.customers.empty()) {
        PostgresArray customers{PostgresType::bytes};
        for (const auto& customer : filter.customers) customers.add(customer);
        select.values.array(customers);
        where += " and customer <> '' and customer = any(" + position() + ")";
    }
    if (filter.suspect_only) where += " and suspect_since is not null";
    if (filter.state == JobState::unknown || filter.state == JobState::held) {
        where += " and state in (3, 4)";
    }
    where += " order by sequence limit $2";
    std::string rows;
    for (const auto place : {JobPlace::open, JobPlace::done}) {
        if (filter.state && place_of(*filter.state) != place) continue;
        if (!rows.empty()) rows += " union all ";
        rows += "(" + job_rows_of(place, where) + ")";
    }
    select.sql =
        select_stored_jobs("select * from (" + rows + ") as job order by sequence limit $2",
                           "found.sequence")
            .of(mode_.tables);
    return jobs_of(select);
}

Result<std::map<JobState, std::int64_t>> PostgresOutboxTransaction::counts() {
    const auto rows =
        statements_.ask({"select state, sum(jobs)::bigint, count(*) from twiliowa.job_tally "
                         "group by state"});
    if (!rows) return rows.error();
    std::map<JobState, std::int64_t> counted;
    std::int64_t read = 0;
    for (std::size_t row = 0; row < rows->size(); ++row) {
        counted[static_cast<JobState>(rows->number(row, 0))] = rows->number(row, 1);
        read += rows->number(row, 2);
    }
    for (const auto* const pending : {&batch_, &work_}) {
        for (const auto& each : pending->counted.tally) counted[each.first.second] += each.second;
    }
    std::erase_if(counted, [](const auto& each) { return each.second <= 0; });
    if (read > many_tallies) {
        if (auto folded = fold_tally(); !folded) return folded.error();
    }
    return counted;
}

Result<std::int64_t> PostgresOutboxTransaction::waiting(const std::optional<std::string>& tenant) {
    PostgresStatement select{
        "select coalesce(sum(jobs), 0)::bigint, count(*) from twiliowa.job_tally where state < 5"};
    if (tenant) {
        select.sql += " and tenant = $1";
        select.values.bytes(*tenant);
    }
    const auto rows = statements_.ask(select);
    if (!rows) return rows.error();
    auto counted = rows->number(0, 0);
    for (const auto* const pending : {&batch_, &work_}) {
        for (const auto& [place, jobs] : pending->counted.tally) {
            const bool asked = !tenant || place.first == *tenant;
            if (asked && place.second < JobState::accepted) counted += jobs;
        }
    }
    if (rows->number(0, 1) > many_tallies) {
        if (auto folded = fold_tally(); !folded) return folded.error();
    }
    return counted;
}

/// Those that nobody else is folding.
Result<void> PostgresOutboxTransaction::fold_tally() {
    const auto done = statements_.change(
        {"with old as (select ctid from twiliowa.job_tally limit 100000 for update skip locked), "
         "gone as (delete from twiliowa.job_tally where ctid = any(array(select ctid from old)) "
         "returning tenant, state, jobs) insert into twiliowa.job_tally (tenant, state, jobs) "
         "select tenant, state, sum(jobs) from gone group by tenant, state having sum(jobs) <> 0"});
    return done ? Result<void>{} : done.error();
}

void PostgresOutboxTransaction::count(const std::string& tenant, JobState state,
                                      std::int64_t jobs) {
    work_.counted.tally[{tenant, state}] += jobs;
}

}  // namespace twiliowa::detail
