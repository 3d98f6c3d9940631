#include <algorithm>
#include <array>

#include "postgresql/outbox_transaction.hpp"
#include "postgresql/row_columns.hpp"
#include "state/quota_book.hpp"

namespace twiliowa::detail {

namespace {

/// What a row has of a slot; `used` and `peak` stand in columns 2 and 3, or are null.
QuotaCount read_quota_count(const PostgresRows& rows, std::size_t row) {
    QuotaCount count{.period = rows.number(row, 0), .begin = time_of_stored(rows.number(row, 1))};
    if (!rows.is_null(row, 2)) {
        count.used = rows.number(row, 2);
        count.peak = rows.number(row, 3);
    }
    count.peak_before = count.peak;
    return count;
}

}  // namespace

void PostgresOutboxTransaction::add_use(QuotaUses& uses, const QuotaUse& use) {
    auto& sum = uses[{use.quota, use.slot.period, stored_time(use.slot.begin)}];
    sum.quota = use.quota;
    sum.slot = use.slot;
    sum.more += use.more;
    sum.peak = std::max(sum.peak, use.peak);
    sum.keep_until = std::max(sum.keep_until, use.keep_until);
}

Result<std::optional<std::vector<QuotaCount>>> PostgresOutboxTransaction::take_quota(
    std::string_view quota, std::span<const CountedSlot> slots) {
    if (!mode_.has_quotas()) return OutboxTransaction::take_quota(quota, slots);
    // "twiq" in ASCII. Nobody waits for it, so that nobody waits in a circle.
    PostgresStatement lock{
        "select pg_catalog.pg_try_advisory_xact_lock(1953982833, "
        "pg_catalog.hashtext(pg_catalog.encode($1, 'hex')))"};
    lock.values.bytes(quota);
    // What it sees was committed before the lock was taken.
    PostgresStatement select{
        "select slot.period, slot.began_at, count.used, count.peak "
        "from unnest($2::bigint[], $3::bigint[]) with ordinality as slot(period, began_at, place) "
        "left join twiliowa.outbox_quota_count as count on count.quota = $1 "
        "and count.period = slot.period and count.began_at = slot.began_at order by slot.place"};
    PostgresArray periods{PostgresType::number};
    PostgresArray begins{PostgresType::number};
    for (const auto& slot : slots) {
        periods.add_number(slot.period);
        begins.add_number(stored_time(slot.begin));
    }
    select.values.bytes(quota).array(periods).array(begins);
    const std::array statements{std::move(lock), std::move(select)};
    const auto answers = statements_.ask_all(statements);
    if (!answers) return answers.error();
    if (!answers->front().flag(0, 0)) return std::optional<std::vector<QuotaCount>>{};
    const auto& rows = answers->back();
    std::vector<QuotaCount> counts;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        counts.push_back(with_pending(quota, read_quota_count(rows, row)));
    }
    return std::optional{std::move(counts)};
}

/// What was counted in this transaction is sent at its end.
QuotaCount PostgresOutboxTransaction::with_pending(std::string_view quota, QuotaCount count) const {
    const SlotOf at{std::string{quota}, count.period, stored_time(count.begin)};
    for (const auto* const pending : {&batch_, &work_}) {
        const auto use = pending->counted.quotas.find(at);
        if (use == pending->counted.quotas.end()) continue;
        count.used = std::max<std::int64_t>(count.used + use->second.more, 0);
        count.peak = std::max({count.peak, use->second.peak, count.used});
    }
    count.peak_before = count.peak;
    return count;
}

Result<void> PostgresOutboxTransaction::count_quota(const QuotaUse& use) {
    if (failure()) return *failure();
    if (!mode_.has_quotas()) return OutboxTransaction::count_quota(use);
    add_use(work_.counted.quotas, use);
    return {};
}

/// Each slot in its order, as others do: who waits for one holds none that comes later.
std::vector<PostgresStatement> PostgresOutboxTransaction::quota_uses() const {
    ColumnArrays taken;
    ColumnArrays given_back;
    bool any_taken = false;
    bool any_given_back = false;
    for (const auto& each : batch_.counted.quotas) {
        const auto& use = each.second;
        auto& row = use.more < 0 ? given_back : taken;
        (use.more < 0 ? any_given_back : any_taken) = true;
        row.bytes(use.quota);
        row.number(use.slot.period);
        row.time(use.slot.begin);
        row.number(use.more);
        row.number(use.peak);
        row.time(use.keep_until);
        row.end_row();
    }
    const std::string uses =
        "unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) "
        "as use(quota, period, began_at, more, peak, keep_until)";
    std::vector<PostgresStatement> statements;
    if (any_given_back) {
        PostgresArray quotas{PostgresType::bytes};
        PostgresArray periods{PostgresType::number};
        PostgresArray begins{PostgresType::number};
        for (const auto& each : batch_.counted.quotas) {
            quotas.add(std::get<0>(each.first));
            periods.add_number(std::get<1>(each.first));
            begins.add_number(std::get<2>(each.first));
        }
        PostgresStatement lock{
            "select 1 from twiliowa.outbox_quota_count as count "
            "join unnest($1::bytea[], $2::bigint[], $3::bigint[]) as use(quota, period, began_at) "
            "using (quota, period, began_at) order by quota, period, began_at for update of count"};
        lock.values.array(quotas).array(periods).array(begins);
        statements.push_back(std::move(lock));
        statements.push_back(
            {"update twiliowa.outbox_quota_count as count "
             "set used = greatest(count.used + use.more, 0), "
             "peak = greatest(count.peak, use.peak), "
             "keep_until = greatest(count.keep_until, use.keep_until) from " +
                 uses +
                 " where count.quota = use.quota and count.period = use.period "
                 "and count.began_at = use.began_at",
             given_back.values()});
    }
    if (any_taken) {
        statements.push_back(
            {"insert into twiliowa.outbox_quota_count as count "
             "(quota, period, began_at, used, peak, keep_until) "
             "select quota, period, began_at, more, greatest(peak, more), keep_until from " +
                 uses +
                 " order by quota, period, began_at on conflict (quota, period, began_at) do "
                 "update "
                 "set used = count.used + excluded.used, "
                 "peak = greatest(count.peak, excluded.peak, count.used + excluded.used), "
                 "keep_until = greatest(count.keep_until, excluded.keep_until)",
             taken.values()});
    }
    return statements;
}

Result<std::vector<QuotaCount>> PostgresOutboxTransaction::quota_history(std::string_view quota,
                                                                         std::int64_t period,
                                                                         TimePoint from,
                                                                         TimePoint to) {
    if (!mode_.has_quotas()) return OutboxTransaction::quota_history(quota, period, from, to);
    PostgresStatement select{
        "select period, began_at, used, peak from twiliowa.outbox_quota_count where quota = $1 "
        "and period = $2 and began_at >= $3 and began_at < $4 order by began_at limit $5"};
    select.values.bytes(quota).number(period).number(stored_time(from)).number(stored_time(to));
    select.values.number(most_quota_history);
    const auto rows = statements_.ask(select);
    if (!rows) return rows.error();
    std::vector<QuotaCount> counts;
    for (std::size_t row = 0; row < rows->size(); ++row) {
        counts.push_back(with_pending(quota, read_quota_count(*rows, row)));
    }
    return counts;
}

Result<std::vector<NamedQuotaCount>> PostgresOutboxTransaction::quota_histories(
    std::string_view prefix, std::int64_t period, TimePoint from, TimePoint to,
    std::string_view after, std::size_t limit) {
    if (!mode_.has_quotas()) {
        return OutboxTransaction::quota_histories(prefix, period, from, to, after, limit);
    }
    PostgresStatement select;
    select.values.number(period).number(stored_time(from)).number(stored_time(to));
    select.values.bytes(prefix).bytes(after).number(row_limit(limit));
    std::string where =
        " from twiliowa.outbox_quota_count where period = $1 and began_at >= $2 and began_at < $3 "
        "and quota >= $4 and quota > $5";
    // All names with the prefix are less than that with its last byte raised.
    std::string end{prefix};
    while (!end.empty() && end.back() == '\xff') end.pop_back();
    if (!end.empty()) {
        ++end.back();
        select.values.bytes(end);
        where += " and quota < $7";
    }
    // All of a name, so that `after` leaves none out.
    select.sql = "select period, began_at, used, peak, quota" + where +
                 " and quota <= (select quota from (select quota" + where +
                 " order by quota, began_at limit $6) as first order by quota desc limit 1) "
                 "order by quota, began_at";
    const auto rows = statements_.ask(select);
    if (!rows) return rows.error();
    std::vector<NamedQuotaCount> counts;
    for (std::size_t row = 0; row < rows->size(); ++row) {
        std::string name{rows->bytes(row, 4)};
        auto count = with_pending(name, read_quota_count(*rows, row));
        counts.push_back({std::move(name), count});
    }
    return counts;
}

}  // namespace twiliowa::detail
