/// @file
/// What jobs have used of quotas. Who is in a transaction is alone in the file.
#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "outbox/job_values.hpp"
#include "sqlite/outbox_transaction.hpp"
#include "state/quota_book.hpp"

namespace twiliowa::detail {

namespace {

/// The first text after all that begin with it; nullopt: there is none.
std::optional<std::string> first_after_prefix(std::string_view prefix) {
    std::string next{prefix};
    while (!next.empty() && next.back() == '\xff') next.pop_back();
    if (next.empty()) return std::nullopt;
    next.back() = static_cast<char>(static_cast<unsigned char>(next.back()) + 1);
    return next;
}

/// The first text after that one.
std::string first_after(std::string_view text) {
    return std::string{text} + '\0';
}

}  // namespace

Result<std::optional<std::vector<QuotaCount>>> SqliteOutboxTransaction::take_quota(
    std::string_view quota, std::span<const CountedSlot> slots) {
    static const std::string sql =
        "select used, peak from outbox_quota_count where quota = ? and period = ? and began_at = ?";
    std::vector<QuotaCount> counts;
    for (const auto& slot : slots) {
        QuotaCount count{.period = slot.period, .begin = slot.begin};
        const auto done = query(
            sql,
            [&](SqliteStatement& select) {
                select.bind_text(1, quota);
                select.bind(2, slot.period);
                select.bind(3, stored_time(slot.begin));
            },
            [&](const SqliteStatement& row) {
                count.used = row.number(0);
                count.peak = row.number(1);
            });
        if (!done) return done.error();
        count.peak_before = count.peak;
        counts.push_back(count);
    }
    return std::optional{std::move(counts)};
}

Result<void> SqliteOutboxTransaction::count_quota(const QuotaUse& use) {
    static const std::string sql =
        "insert into outbox_quota_count (quota, period, began_at, used, peak, keep_until) "
        "values (?1, ?2, ?3, max(?4, 0), max(?4, ?5), ?6) on conflict (quota, period, began_at) "
        "do update set used = max(used + ?4, 0), peak = max(peak, ?5, used + ?4), "
        "keep_until = max(keep_until, ?6)";
    return change(sql, [&](SqliteStatement& add) {
        add.bind_text(1, use.quota);
        add.bind(2, use.slot.period);
        add.bind(3, stored_time(use.slot.begin));
        add.bind(4, use.more);
        add.bind(5, use.peak);
        add.bind(6, stored_time(use.keep_until));
    });
}

Result<std::vector<QuotaCount>> SqliteOutboxTransaction::quota_history(std::string_view quota,
                                                                       std::int64_t period,
                                                                       TimePoint from,
                                                                       TimePoint to) {
    static const std::string sql =
        "select began_at, used, peak from outbox_quota_count where quota = ? and period = ? "
        "and began_at >= ? and began_at < ? order by began_at limit ?";
    std::vector<QuotaCount> counts;
    const auto done = query(
        sql,
        [&](SqliteStatement& select) {
            select.bind_text(1, quota);
            select.bind(2, period);
            select.bind(3, stored_time(from));
            select.bind(4, stored_time(to));
            select.bind(5, most_quota_history);
        },
        [&](const SqliteStatement& row) {
            counts.push_back({.period = period,
                              .begin = time_of_stored(row.number(0)),
                              .used = row.number(1),
                              .peak = row.number(2),
                              .peak_before = row.number(2)});
        });
    if (!done) return done.error();
    return counts;
}

Result<std::vector<NamedQuotaCount>> SqliteOutboxTransaction::quota_histories(
    std::string_view prefix, std::int64_t period, TimePoint from, TimePoint to,
    std::string_view after, std::size_t limit) {
    static const std::string counted =
        " from outbox_quota_count where quota >= ?1 and quota < ?2 and period = ?3 "
        "and began_at >= ?4 and began_at < ?5 ";
    static const auto last_name = "select quota" + counted + "order by quota limit 1 offset ?6";
    static const auto up_to_name =
        "select quota, began_at, used, peak" + counted + "order by quota, began_at";
    std::vector<NamedQuotaCount> counts;
    if (limit == 0) return counts;
    const auto begin = std::max(std::string{prefix}, first_after(after));
    auto end = first_after_prefix(prefix);
    const auto bind = [&](SqliteStatement& select) {
        select.bind_text(1, begin);
        if (end) {
            select.bind_text(2, *end);
        } else {
            // Every text comes before every blob.
            select.bind(2, std::string_view{"\0", 1});
        }
        select.bind(3, period);
        select.bind(4, stored_time(from));
        select.bind(5, stored_time(to));
    };
    // All of the name at which there are enough.
    auto done = query(
        last_name,
        [&](SqliteStatement& select) {
            bind(select);
            select.bind(6, row_limit(limit - 1));
        },
        [&](const SqliteStatement& row) { end = first_after(row.bytes(0)); });
    if (!done) return done.error();
    done = query(up_to_name, bind, [&](const SqliteStatement& row) {
        counts.push_back({std::string{row.bytes(0)},
                          {.period = period,
                           .begin = time_of_stored(row.number(1)),
                           .used = row.number(2),
                           .peak = row.number(3),
                           .peak_before = row.number(3)}});
    });
    if (!done) return done.error();
    return counts;
}

}  // namespace twiliowa::detail
