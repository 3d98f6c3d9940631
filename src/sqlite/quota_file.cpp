#include "sqlite/quota_file.hpp"

#include <algorithm>

#include "sqlite/database_file.hpp"
#include "sqlite/row_values.hpp"

namespace twiliowa::detail {

namespace {

constexpr FileKind quota_file_kind{quota_application_id, quota_schema_version};

/// A send has a row for each slot that it is counted in. State 0 is open, 1 settled, 2 lapsed.
constexpr const char* quota_tables = R"(
create table quota_count (
    quota blob not null,
    period integer not null,
    began_at integer not null,
    used integer not null,
    open integer not null,
    peak integer not null,
    keep_until integer not null,
    primary key (quota, period, began_at)
) strict, without rowid;
create index quota_count_keep_until on quota_count (keep_until);
create table quota_send (
    quota blob not null,
    send blob not null,
    period integer not null,
    began_at integer not null,
    state integer not null,
    cost integer not null,
    lapses_at integer not null,
    forget_at integer not null,
    primary key (quota, send, period)
) strict, without rowid;
create index quota_send_lapses_at on quota_send (quota, lapses_at) where state = 0;
create index quota_send_forget_at on quota_send (forget_at) where state <> 0;
)";

Result<void> make_quota_tables(SqliteConnection& file) {
    SqliteTransaction transaction{file};
    if (auto begun = transaction.begin(); !begun) return begun.error();
    // Another process may have been faster.
    const auto state = file_state(file, quota_file_kind);
    if (!state) return state.error();
    if (*state != FileState::empty) return {};
    const auto header = header_sql(quota_file_kind);
    for (const auto* const sql : {quota_tables, header.c_str()}) {
        if (auto done = file.execute(sql); !done) return done.error();
    }
    return transaction.commit();
}

template <class Bind>
Result<void> run_for_quota(SqliteConnection& file, const std::string& sql, const Bind& bind) {
    return each_row(file, sql, bind, [](ColumnReader&) {});
}

}  // namespace

Result<std::unique_ptr<SqliteConnection>> open_quota_file(const std::string& path,
                                                          std::chrono::milliseconds busy_timeout) {
    auto opened = open_database_file(path, busy_timeout, [](SqliteConnection& file) {
        return file_state(file, quota_file_kind);
    });
    if (!opened) return opened.error();
    if (opened->state == FileState::empty) {
        if (auto made = make_quota_tables(*opened->connection); !made) return made.error();
    }
    return std::move(opened->connection);
}

Result<QuotaPage> SqliteQuotaDesk::load(std::string_view quota, std::string_view send,
                                        const std::vector<QuotaPlace>& places) {
    QuotaPage page{.now = now_};
    if (auto lapsed = lapse(quota); !lapsed) return lapsed.error();
    if (auto loaded = load_send(quota, send, page); !loaded) return loaded.error();
    auto wanted = places;
    if (page.send) {
        wanted.insert(wanted.end(), page.send->places.begin(), page.send->places.end());
    }
    for (const auto& place : wanted) {
        if (auto loaded = load_tally(quota, place, page); !loaded) return loaded.error();
    }
    return page;
}

Result<void> SqliteQuotaDesk::lapse(std::string_view quota) {
    const auto bind = [&](ValueWriter& values) {
        values.blob(quota);
        values.number(now_);
    };
    bool any = false;
    auto looked = each_row(
        file_,
        "select 1 from quota_send where quota = ?1 and state = 0 and lapses_at <= ?2 limit 1", bind,
        [&](ColumnReader&) { any = true; });
    if (!looked || !any) return looked;
    auto given_back = run_for_quota(
        file_,
        "update quota_count set used = max(0, used - gone.cost), open = max(0, open - gone.cost) "
        "from (select period, began_at, sum(cost) as cost from quota_send "
        "where quota = ?1 and state = 0 and lapses_at <= ?2 group by period, began_at) as gone "
        "where quota_count.quota = ?1 and quota_count.period = gone.period "
        "and quota_count.began_at = gone.began_at",
        bind);
    if (!given_back) return given_back;
    return run_for_quota(
        file_, "update quota_send set state = 2 where quota = ?1 and state = 0 and lapses_at <= ?2",
        bind);
}

Result<void> SqliteQuotaDesk::load_send(std::string_view quota, std::string_view send,
                                        QuotaPage& page) {
    if (send.empty()) return {};
    return each_row(
        file_,
        "select state, cost, lapses_at, forget_at, period, began_at from quota_send "
        "where quota = ?1 and send = ?2",
        [&](ValueWriter& values) {
            values.blob(quota);
            values.blob(send);
        },
        [&](ColumnReader& row) {
            if (!page.send) page.send.emplace();
            page.send->state = row.one_of<QuotaSendState>();
            page.send->cost = row.number();
            page.send->lapses_at = row.number();
            page.send->forget_at = row.number();
            const auto period = row.number();
            page.send->places.push_back({period, row.number()});
        });
}

Result<void> SqliteQuotaDesk::load_tally(std::string_view quota, const QuotaPlace& place,
                                         QuotaPage& page) {
    return each_row(
        file_,
        "select used, open, peak, keep_until from quota_count "
        "where quota = ?1 and period = ?2 and began_at = ?3",
        [&](ValueWriter& values) {
            values.blob(quota);
            values.number(place.period);
            values.number(place.begin);
        },
        [&](ColumnReader& row) {
            QuotaTally tally{.place = place};
            tally.used = row.number();
            tally.open = row.number();
            tally.peak = row.number();
            tally.keep_until = row.number();
            page.tallies.push_back(tally);
        });
}

Result<void> SqliteQuotaDesk::store(std::string_view quota, std::string_view send,
                                    const QuotaChange& change) {
    for (const auto& tally : change.tallies) {
        if (auto stored = store_tally(quota, tally); !stored) return stored;
    }
    if (change.send || change.erase_send) {
        if (auto erased = erase_send(quota, send); !erased) return erased;
    }
    if (change.send) {
        if (auto stored = store_send(quota, send, *change.send); !stored) return stored;
    }
    return sweep();
}

Result<void> SqliteQuotaDesk::store_tally(std::string_view quota, const QuotaTally& tally) {
    return run_for_quota(file_,
                         "insert or replace into quota_count values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                         [&](ValueWriter& values) {
                             values.blob(quota);
                             values.number(tally.place.period);
                             values.number(tally.place.begin);
                             values.number(tally.used);
                             values.number(tally.open);
                             values.number(tally.peak);
                             values.number(tally.keep_until);
                         });
}

Result<void> SqliteQuotaDesk::erase_send(std::string_view quota, std::string_view send) {
    return run_for_quota(file_, "delete from quota_send where quota = ?1 and send = ?2",
                         [&](ValueWriter& values) {
                             values.blob(quota);
                             values.blob(send);
                         });
}

Result<void> SqliteQuotaDesk::store_send(std::string_view quota, std::string_view key,
                                         const QuotaSend& send) {
    for (const auto& place : send.places) {
        auto stored =
            run_for_quota(file_, "insert into quota_send values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                          [&](ValueWriter& values) {
                              values.blob(quota);
                              values.blob(key);
                              values.number(place.period);
                              values.number(place.begin);
                              values.one_of(send.state);
                              values.number(send.cost);
                              values.number(send.lapses_at);
                              values.number(send.forget_at);
                          });
        if (!stored) return stored;
    }
    return {};
}

Result<void> SqliteQuotaDesk::sweep() {
    // More than come with one write, and few enough that no write takes long.
    for (const auto* const sql :
         {"delete from quota_send where (quota, send, period) in (select quota, send, period "
          "from quota_send where state <> 0 and forget_at <= ?1 limit 32)",
          "delete from quota_count where (quota, period, began_at) in (select quota, period, "
          "began_at from quota_count where keep_until <= ?1 limit 32)"}) {
        auto swept = run_for_quota(file_, sql, [&](ValueWriter& values) { values.number(now_); });
        if (!swept) return swept;
    }
    return {};
}

Result<std::vector<QuotaCount>> SqliteQuotaDesk::history(std::string_view quota,
                                                         std::int64_t period, QuotaMicros from,
                                                         QuotaMicros to) {
    if (auto lapsed = lapse(quota); !lapsed) return lapsed.error();
    std::vector<QuotaCount> counts;
    auto read = each_row(
        file_,
        "select began_at, used, open, peak from quota_count where quota = ?1 and period = ?2 "
        "and began_at >= ?3 and began_at < ?4 order by began_at limit ?5",
        [&](ValueWriter& values) {
            values.blob(quota);
            values.number(period);
            values.number(from);
            values.number(to);
            values.number(most_quota_history);
        },
        [&](ColumnReader& row) {
            QuotaCount count{.period = period, .begin = quota_time(row.number())};
            count.used = row.number();
            count.open = row.number();
            count.peak = row.number();
            count.peak_before = count.peak;
            counts.push_back(count);
        });
    if (!read) return read.error();
    return counts;
}

}  // namespace twiliowa::detail
