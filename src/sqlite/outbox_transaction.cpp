#include "sqlite/outbox_transaction.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <numeric>
#include <utility>

#include <twiliowa/state/store.hpp>

#include "sqlite/outbox_rows.hpp"
#include "sqlite/row_values.hpp"

namespace twiliowa::detail {

namespace {

/// The condition of the index of what can be claimed, word by word.
constexpr std::string_view is_ready =
    "state = 0 and suspect_since is null and content_hash is not null";

std::string select_jobs(std::string_view rest) {
    return "select " + std::string{job_columns} + " from outbox_job " + std::string{rest};
}

const OutboxInsertSql& own_insert_sql() {
    static const OutboxInsertSql sql{std::string{}};
    return sql;
}

/// For the error of a job that was changed since it was read.
Error changed_meanwhile() {
    return store_error("has a job that another changed meanwhile", "read it again");
}

InsertedJob job_of_key(const SqliteStatement& select) {
    InsertedJob known;
    known.id = read_job_id(select.bytes(0));
    known.content_hash = select.bytes(1);
    known.state = select.is_null(2) ? JobState::delivered : static_cast<JobState>(select.number(2));
    return known;
}

/// `customer in (...)`, from position 9 on.
std::string customers_sql(std::size_t count) {
    if (count == 0) return {};
    std::string sql = "customer in (";
    for (std::size_t i = 0; i < count; ++i) {
        sql += (i == 0 ? "?" : ",?") + std::to_string(i + 9);
    }
    return sql + ") and ";
}

/// Which index leads the list: the one that leaves the fewest.
std::string list_sql(const JobFilter& filter) {
    std::string leading;
    std::string index;
    if (!filter.customers.empty()) {
        leading = "customer <> '' and ";
    } else if (filter.suspect_only) {
        leading = "suspect_since is not null and ";
    } else if (!filter.tag.empty()) {
        leading = "tag <> '' and ";
    } else if (filter.state == JobState::unknown || filter.state == JobState::held) {
        leading = "state in (3, 4) and ";
    } else if (filter.state == JobState::claimed || filter.state == JobState::sending) {
        leading = "lease_until is not null and ";
    } else if (!filter.campaign.empty() && filter.state != JobState::ready) {
        leading = "campaign <> '' and ";
    } else if (filter.state == JobState::ready) {
        // By sequence, as the table is: it has to be told that what is final is not there.
        index = "indexed by outbox_job_waiting ";
        leading = "state = 0 and ";
    }
    if (filter.suspect_only && !filter.customers.empty())
        leading += "suspect_since is not null and ";
    const auto when = [](bool filters, const char* condition) {
        return std::string{filters ? condition : ""};
    };
    return select_jobs(
        index + "where " + leading + when(filter.state.has_value(), "state = ?2 and ") +
        when(filter.tenant.has_value(), "tenant = ?3 and ") +
        when(!filter.account.empty(), "account = ?4 and ") +
        when(!filter.sender.empty(), "sender = ?5 and ") +
        when(!filter.tag.empty(), "tag = ?6 and ") +
        when(!filter.campaign.empty(), "campaign = ?8 and ") +
        customers_sql(filter.customers.size()) + "sequence > ?1 order by sequence limit ?7");
}

}  // namespace

OutboxInsertSql::OutboxInsertSql(const std::string& schema)
    : find_key("select key.job_id, key.content_hash, job.state from " + schema +
               "outbox_key as key left join " + schema +
               "outbox_job as job on job.id = key.job_id where key.tenant = ? and key.key = ?"),
      insert_key("insert into " + schema +
                 "outbox_key (tenant, key, job_id, content_hash) values (?, ?, ?, ?) "
                 "on conflict (tenant, key) do nothing"),
      insert_job{insert_job_sql(schema, {}), insert_job_sql(schema, {.order = true}),
                 insert_job_sql(schema, {.campaign = true}),
                 insert_job_sql(schema, {.order = true, .campaign = true})},
      count("insert into " + schema +
            "outbox_tally (tenant, state, jobs) values (?1, ?2, ?3) "
            "on conflict (tenant, state) do update set jobs = jobs + excluded.jobs"),
      count_recipients(
          "insert into " + schema +
          "outbox_campaign_count (campaign, variant, step, state, reason, jobs, spend) "
          "values (?, ?, ?, ?, ?, ?, ?) "
          "on conflict (campaign, variant, step, state, reason) do update set "
          "jobs = jobs + excluded.jobs, spend = spend + excluded.spend") {}

void OutboxTally::add(const OutboxTally& more) {
    for (const auto& each : more.jobs) jobs[each.first] += each.second;
    for (const auto& each : more.recipients) {
        auto& sum = recipients[each.first];
        sum.jobs += each.second.jobs;
        sum.spend += each.second.spend;
    }
}

void OutboxTally::add_new(const StoredJob& job) {
    ++jobs[{job.tenant, JobState::ready}];
    if (job.campaign.empty()) return;
    auto& sum =
        recipients[{job.campaign, job.variant, job.step, JobState::ready, DeadReason::none}];
    ++sum.jobs;
    sum.spend += job.spend;
}

void OutboxTally::add_recipients(const StoredJob& alike, std::int64_t count) {
    auto& sum = recipients[{alike.campaign, alike.variant, alike.step, alike.state, alike.reason}];
    sum.jobs += count;
    sum.spend += count * alike.spend;
}

Result<void> write_tally(SqliteConnection& file, const OutboxTally& tally,
                         const OutboxInsertSql& sql) {
    for (const auto& each : tally.jobs) {
        if (each.second == 0) continue;
        const auto prepared = file.prepare(sql.count);
        if (!prepared) return prepared.error();
        SqliteStatement add{*prepared};
        add.bind_text(1, each.first.first);
        add.bind(2, static_cast<std::int64_t>(each.first.second));
        add.bind(3, each.second);
        if (const auto done = add.step(); !done) return done.error();
    }
    for (const auto& each : tally.recipients) {
        const auto& [campaign, variant, step, state, reason] = each.first;
        if (each.second.jobs == 0 && each.second.spend == 0) continue;
        const auto prepared = file.prepare(sql.count_recipients);
        if (!prepared) return prepared.error();
        SqliteStatement add{*prepared};
        ValueWriter next{add};
        next.text(campaign);
        next.number(variant);
        next.number(step);
        next.one_of(state);
        next.one_of(reason);
        next.number(each.second.jobs);
        next.number(each.second.spend);
        if (const auto done = add.step(); !done) return done.error();
    }
    return {};
}

Result<void> write_tally(SqliteConnection& file, const OutboxTally& tally) {
    return write_tally(file, tally, own_insert_sql());
}

Result<InsertedJob> insert_outbox_job(SqliteConnection& file, const StoredJob& job,
                                      const OutboxInsertSql& sql) {
    {
        const auto prepared = file.prepare(sql.insert_key);
        if (!prepared) return prepared.error();
        SqliteStatement insert{*prepared};
        insert.bind_text(1, job.tenant);
        insert.bind_text(2, job.key);
        insert.bind(3, bytes_of(job.id));
        insert.bind_text(4, job.content_hash);
        if (const auto done = insert.step(); !done) return done.error();
    }
    if (file.changes() == 0) {
        const auto prepared = file.prepare(sql.find_key);
        if (!prepared) return prepared.error();
        SqliteStatement select{*prepared};
        select.bind_text(1, job.tenant);
        select.bind_text(2, job.key);
        const auto row = select.step();
        if (!row) return row.error();
        // A key that is there, and yet is not: of a file whose index does not fit it.
        if (!*row) return sqlite_error(SQLITE_CORRUPT);
        return job_of_key(select);
    }
    const auto columns = columns_of(job);
    const auto prepared = file.prepare(sql.insert_job[columns.index()]);
    if (!prepared) return prepared.error();
    const JobTexts texts{job};
    SqliteStatement insert{*prepared};
    bind_new_job(insert, columns, job, texts);
    if (const auto done = insert.step(); !done) return done.error();
    return InsertedJob{.inserted = true, .id = job.id};
}

NativeTransaction SqliteOutboxTransaction::native() {
    auto* const database = statements_.file().handle();
    if (!program_) program_.emplace(database);
    return {.sqlite = database};
}

Result<void> SqliteOutboxTransaction::check_native() {
    if (program_ && program_->have_ended_it()) return ended_by_program();
    return {};
}

// ---- Jobs that were read

template <class Bind>
Result<std::vector<StoredJob>> SqliteOutboxTransaction::read_jobs(const std::string& sql,
                                                                  const Bind& bind) {
    std::vector<StoredJob> jobs;
    auto done =
        query(sql, bind, [&](const SqliteStatement& row) { jobs.push_back(read_job(row)); });
    if (done) done = read_attempts(jobs);
    if (!done) return done.error();
    return jobs;
}

template <class Bind>
Result<std::vector<StoredJob>> SqliteOutboxTransaction::jobs_of(const std::string& sql,
                                                                const Bind& bind) {
    auto jobs = read_jobs(sql, bind);
    if (!jobs) return jobs;
    for (auto& job : *jobs) know(job);
    return jobs;
}

/// Of jobs whose rows were read.
Result<void> SqliteOutboxTransaction::read_attempts(std::vector<StoredJob>& jobs) {
    static const auto sql = "select " + std::string{attempt_columns} +
                            " from outbox_attempt where job = ? order by number";
    for (auto& job : jobs) {
        if (job.attempts.empty()) continue;
        job.attempts.clear();
        auto done = query(
            sql, [&](SqliteStatement& select) { select.bind(1, job.sequence); },
            [&](const SqliteStatement& row) { job.attempts.push_back(read_attempt(row)); });
        if (!done) return done;
    }
    return {};
}

void SqliteOutboxTransaction::know(StoredJob& job) {
    auto payload = std::exchange(job.payload, {});
    known_.insert_or_assign(job.id, job);
    job.payload = std::move(payload);
}

void SqliteOutboxTransaction::count_change(const StoredJob& before, const StoredJob& now) {
    if (now.state != before.state) {
        --tally_.jobs[{now.tenant, before.state}];
        ++tally_.jobs[{now.tenant, now.state}];
    }
    if (before.campaign.empty()) return;
    if (now.state == before.state && now.reason == before.reason && now.spend == before.spend) {
        return;
    }
    tally_.add_recipients(before, -1);
    tally_.add_recipients(now, 1);
}

// ---- Jobs

TimePoint SqliteOutboxTransaction::now() {
    return time_of_stored(stored_time(clock_.now()));
}

Result<InsertedJob> SqliteOutboxTransaction::insert(const StoredJob& job) {
    if (failure()) return *failure();
    auto inserted = insert_outbox_job(statements_.file(), job, own_insert_sql());
    if (!inserted) return statements_.failed(inserted.error());
    if (inserted->inserted) tally_.add_new(job);
    return inserted;
}

Result<std::vector<StoredJob>> SqliteOutboxTransaction::load(std::span<const JobId> ids) {
    static const auto sql = select_jobs("where id = ?");
    std::vector<StoredJob> jobs;
    for (const auto& id : ids) {
        const auto done = query(
            sql, [&](SqliteStatement& select) { select.bind(1, bytes_of(id)); },
            [&](const SqliteStatement& row) { jobs.push_back(read_job(row)); });
        if (!done) return done.error();
    }
    if (const auto done = read_attempts(jobs); !done) return done.error();
    for (auto& job : jobs) know(job);
    return jobs;
}

Result<std::vector<StoredJob>> SqliteOutboxTransaction::reload(std::span<const StoredJob> jobs) {
    static const std::string sql =
        "select 1 from outbox_job where sequence = ? and id = ? and revision = ?";
    std::vector<StoredJob> read;
    read.reserve(jobs.size());
    for (const auto& job : jobs) {
        bool unchanged = false;
        const auto done = query(
            sql,
            [&](SqliteStatement& select) {
                select.bind(1, job.sequence);
                select.bind(2, bytes_of(job.id));
                select.bind(3, job.revision);
            },
            [&](const SqliteStatement&) { unchanged = true; });
        if (!done) return done.error();
        if (unchanged) {
            know(read.emplace_back(job));
            continue;
        }
        auto anew = load({&job.id, 1});
        if (!anew) return anew;
        std::move(anew->begin(), anew->end(), std::back_inserter(read));
    }
    return read;
}

Result<std::optional<InsertedJob>> SqliteOutboxTransaction::find_key(std::string_view tenant,
                                                                     std::string_view key) {
    std::optional<InsertedJob> found;
    const auto done = query(
        own_insert_sql().find_key,
        [&](SqliteStatement& select) {
            select.bind_text(1, tenant);
            select.bind_text(2, key);
        },
        [&](const SqliteStatement& row) { found = job_of_key(row); });
    if (!done) return done.error();
    return found;
}

Result<std::optional<int>> SqliteOutboxTransaction::find_attempt(const JobId& job,
                                                                 const AttemptNonce& nonce) {
    static const std::string sql =
        "select number from outbox_attempt where job = (select sequence from outbox_job where id = "
        "?1)"
        " and nonce = ?2 union all "
        "select number from outbox_marker where job_id = ?1 and nonce = ?2";
    std::optional<int> found;
    const auto done = query(
        sql,
        [&](SqliteStatement& select) {
            select.bind(1, bytes_of(job));
            select.bind(2, bytes_of(nonce));
        },
        [&](const SqliteStatement& row) { found = static_cast<int>(row.number(0)); });
    if (!done) return done.error();
    return found;
}

Result<std::optional<JobId>> SqliteOutboxTransaction::find_sid(std::string_view sid) {
    static const std::string sql = "select id from outbox_job where sid <> '' and sid = ? limit 1";
    std::optional<JobId> found;
    const auto done = query(
        sql, [&](SqliteStatement& select) { select.bind_text(1, sid); },
        [&](const SqliteStatement& row) { found = read_job_id(row.bytes(0)); });
    if (!done) return done.error();
    return found;
}

Result<void> SqliteOutboxTransaction::save(StoredJob& job) {
    static const auto sql = [] {
        std::array<std::string, 8> by_change;
        for (const bool rest : {false, true}) {
            for (const bool campaign : {false, true}) {
                for (const bool erased : {false, true}) {
                    const JobChange change{rest, campaign, erased};
                    by_change[change.index()] = update_job_sql(change);
                }
            }
        }
        return by_change;
    }();
    const auto known = known_job(job);
    if (!known) return known.error();
    if (*known == nullptr) return changed_meanwhile();
    const auto what = change_of(**known, job);
    const JobTexts texts{job};
    auto done = change(sql[what.index()], [&](SqliteStatement& update) {
        bind_changed_job(update, what, job, texts);
    });
    if (!done) return done;
    if (statements_.file().changes() != 1) return changed_meanwhile();
    if (auto saved = save_attempts(job, **known); !saved) return saved;
    count_change(**known, job);
    if (!job.order_key.empty() && job.state >= JobState::held) {
        if (auto freed = free_next(job.tenant, job.order_key); !freed) return freed;
    }
    ++job.revision;
    know(job);
    return {};
}

Result<StoredJob*> SqliteOutboxTransaction::known_job(const StoredJob& job) {
    const auto known = known_.find(job.id);
    if (known != known_.end()) return &known->second;
    const auto read = load({&job.id, 1});
    if (!read) return read.error();
    return read->empty() ? nullptr : &known_.at(job.id);
}

Result<void> SqliteOutboxTransaction::save_attempts(const StoredJob& job, const StoredJob& known) {
    static const auto sql = upsert_attempt_sql();
    for (const auto& attempt : job.attempts) {
        const auto& old = known.attempts;
        if (std::find(old.begin(), old.end(), attempt) != old.end()) continue;
        auto done = change(
            sql, [&](SqliteStatement& upsert) { bind_attempt(upsert, job.sequence, attempt); });
        if (!done) return done;
    }
    return {};
}

/// One of that order_key is out of the way of those behind it.
Result<void> SqliteOutboxTransaction::free_next(std::string_view tenant,
                                                std::string_view order_key) {
    static const std::string sql =
        "update outbox_job set behind = 0 where behind = 1 and sequence = ("
        "select min(sequence) from outbox_job where tenant = ? and order_key = ? "
        "and order_key <> '' and state < 5 and state <> 4)";
    return change(sql, [&](SqliteStatement& update) {
        update.bind_text(1, tenant);
        update.bind_text(2, order_key);
    });
}

// ---- Whose turn it is

Result<std::vector<ReadyGroup>> SqliteOutboxTransaction::ready_groups() {
    // From one group to the next, however many jobs each has.
    static const auto sql =
        "select sender, lane, tenant, account, campaign from outbox_job "
        "indexed by outbox_job_ready where " +
        std::string{is_ready} +
        // With `behind` past its last value: SQLite begins such a comparison where it is equal, and
        // would walk over all jobs of the group.
        " and (sender, lane, tenant, account, campaign, behind) > (?, ?, ?, ?, ?, 2) "
        "order by sender, lane, tenant, account, campaign limit 1";
    std::vector<ReadyGroup> groups;
    // Before the first.
    ReadyGroup last;
    std::int64_t last_lane = -1;
    while (true) {
        const auto before = groups.size();
        const auto done = query(
            sql,
            [&](SqliteStatement& select) {
                select.bind_text(1, last.sender);
                select.bind(2, last_lane);
                select.bind_text(3, last.tenant);
                select.bind_text(4, last.account);
                select.bind_text(5, last.campaign);
            },
            [&](const SqliteStatement& row) {
                groups.push_back({std::string{row.bytes(0)}, static_cast<Lane>(row.number(1)),
                                  std::string{row.bytes(2)}, std::string{row.bytes(3)},
                                  std::string{row.bytes(4)}});
            });
        if (!done) return done.error();
        if (groups.size() == before) return groups;
        last = groups.back();
        last_lane = static_cast<std::int64_t>(last.lane);
    }
}

Result<std::vector<StoredJob>> SqliteOutboxTransaction::ready(const ReadyQuery& query) {
    // What is marked as behind is not looked at; of the rest, the last word has who is earlier.
    static const auto sql =
        "select " + std::string{job_columns} +
        " from outbox_job as job indexed by outbox_job_ready where " + std::string{is_ready} +
        " and sender = ?1 and lane = ?2 and tenant = ?3 and account = ?4 and campaign = ?8"
        " and behind = 0 and not_before <= ?5 and (order_key = '' or not exists ("
        "select 1 from outbox_job as earlier where earlier.tenant = job.tenant"
        " and earlier.order_key = job.order_key and earlier.order_key <> '' and earlier.state < 5"
        " and earlier.sequence < job.sequence"
        " and not (earlier.state = 4 and earlier.updated_at < ?6)))"
        " order by not_before, sequence limit ?7";
    const auto bind = [&](SqliteStatement& select) {
        select.bind_text(1, query.group.sender);
        select.bind(2, static_cast<std::int64_t>(query.group.lane));
        select.bind_text(3, query.group.tenant);
        select.bind_text(4, query.group.account);
        select.bind(5, stored_time(query.now));
        select.bind(6, stored_time(query.held_before));
        select.bind(7, row_limit(query.limit));
        select.bind_text(8, query.group.campaign);
    };
    return query.only_look ? read_jobs(sql, bind) : jobs_of(sql, bind);
}

/// Those that were handed over one soon after the other are read together.
Result<std::vector<bool>> SqliteOutboxTransaction::take_again(
    std::span<const StoredJob* const> jobs) {
    static const std::string sql =
        "select sequence, id, revision from outbox_job where sequence between ? and ? "
        "order by sequence";
    constexpr std::int64_t soon = 4;
    std::vector<std::size_t> order(jobs.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::sort(order.begin(), order.end(),
              [&](auto a, auto b) { return jobs[a]->sequence < jobs[b]->sequence; });
    std::vector<bool> ours(jobs.size(), false);
    for (auto first = order.begin(); first != order.end();) {
        auto last = first;
        while (last + 1 != order.end() && jobs[last[1]]->sequence - jobs[*last]->sequence <= soon) {
            ++last;
        }
        auto next = first;
        const auto done = query(
            sql,
            [&](SqliteStatement& select) {
                select.bind(1, jobs[*first]->sequence);
                select.bind(2, jobs[*last]->sequence);
            },
            [&](const SqliteStatement& row) {
                while (next <= last && jobs[*next]->sequence < row.number(0)) ++next;
                if (next > last || jobs[*next]->sequence != row.number(0)) return;
                const auto& job = *jobs[*next];
                ours[*next] = row.bytes(1) == bytes_of(job.id) && row.number(2) == job.revision;
            });
        if (!done) return done.error();
        first = last + 1;
    }
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        if (ours[i]) known_.insert_or_assign(jobs[i]->id, *jobs[i]);
    }
    return ours;
}

Result<std::vector<StoredJob>> SqliteOutboxTransaction::due(Due what, TimePoint before,
                                                            std::size_t limit) {
    static const auto lease = select_jobs(
        "where sequence in ("
        "select sequence from outbox_job where lease_until is not null and lease_boot < ?3 union "
        "all "
        "select sequence from outbox_job where lease_until is not null and lease_boot > ?3 union "
        "all "
        "select sequence from outbox_job where lease_boot = ?3 and lease_until <= ?4) "
        "and state in (1, 2) and updated_at <= ?1 order by updated_at, sequence limit ?2");
    static const auto look =
        select_jobs("where next_look <= ?1 order by next_look, sequence limit ?2");
    static const auto expiry = select_jobs(
        "where state = 0 and expires_at is not null and expires_at <= ?1 "
        "order by expires_at, sequence limit ?2");
    static const auto fetch = select_jobs(
        "where state >= 5 and state = 5 and updated_at <= ?1 "
        "order by updated_at, sequence limit ?2");
    static const auto chain =
        select_jobs("where chain_due <= ?1 order by chain_due, sequence limit ?2");
    static const auto price =
        select_jobs("where price_due <= ?1 order by price_due, sequence limit ?2");
    const auto bind = [&](SqliteStatement& select) {
        select.bind(1, stored_time(before));
        select.bind(2, row_limit(limit));
    };
    switch (what) {
        case Due::lease: {
            const auto time = lease_now();
            return jobs_of(lease, [&](SqliteStatement& select) {
                bind(select);
                select.bind_text(3, time.boot);
                select.bind(4, time.microseconds);
            });
        }
        case Due::look:
            return jobs_of(look, bind);
        case Due::expiry:
            return jobs_of(expiry, bind);
        case Due::fetch:
            return jobs_of(fetch, bind);
        case Due::chain:
            return jobs_of(chain, bind);
        case Due::price:
            return jobs_of(price, bind);
    }
    return std::vector<StoredJob>{};
}

Result<std::optional<TimePoint>> SqliteOutboxTransaction::last_change() {
    // Each by its index: what is under way, what is in doubt, and each later state.
    static const std::string sql =
        "select max(time) from ("
        "select max(updated_at) as time from outbox_job where lease_until is not null "
        "union all select max(updated_at) from outbox_job where state in (3, 4) "
        "union all select max(updated_at) from outbox_job where state >= 5 and state = 5 "
        "union all select max(updated_at) from outbox_job where state >= 5 and state = 6 "
        "union all select max(updated_at) from outbox_job where state >= 5 and state = 7 "
        "union all select max(updated_at) from outbox_job where state >= 5 and state = 8 "
        "union all select max(updated_at) from outbox_job where state >= 5 and state = 9)";
    std::optional<TimePoint> last;
    const auto done = query(sql, no_values, [&](const SqliteStatement& row) {
        if (!row.is_null(0)) last = time_of_stored(row.number(0));
    });
    if (!done) return done.error();
    return last;
}

Result<std::optional<TimePoint>> SqliteOutboxTransaction::next_due() {
    static const std::string first_of_all =
        "select min(time) from ("
        "select min(expires_at) as time from outbox_job where state = 0 and expires_at is not null "
        "union all select min(next_look) from outbox_job where next_look is not null "
        "union all select min(chain_due) from outbox_job where chain_due is not null "
        "union all select min(price_due) from outbox_job where price_due is not null)";
    static const auto first_of_group =
        "select min(not_before) from outbox_job indexed by outbox_job_ready where " +
        std::string{is_ready} +
        " and sender = ? and lane = ? and tenant = ? and account = ? and campaign = ? "
        "and behind = 0";
    std::optional<TimePoint> next;
    const auto take = [&](const SqliteStatement& row) {
        if (row.is_null(0)) return;
        const auto time = time_of_stored(row.number(0));
        if (!next || time < *next) next = time;
    };
    if (const auto done = query(first_of_all, no_values, take); !done) return done.error();
    const auto groups = ready_groups();
    if (!groups) return groups.error();
    for (const auto& group : *groups) {
        const auto done = query(
            first_of_group,
            [&](SqliteStatement& select) {
                select.bind_text(1, group.sender);
                select.bind(2, static_cast<std::int64_t>(group.lane));
                select.bind_text(3, group.tenant);
                select.bind_text(4, group.account);
                select.bind_text(5, group.campaign);
            },
            take);
        if (!done) return done.error();
    }
    return next;
}

// ---- Lists and counts

Result<std::vector<StoredJob>> SqliteOutboxTransaction::list(const JobFilter& filter) {
    return jobs_of(list_sql(filter), [&](SqliteStatement& select) {
        // A position that the statement does not have is no value of it.
        select.bind(1, filter.after);
        if (filter.state) select.bind(2, static_cast<std::int64_t>(*filter.state));
        if (filter.tenant) select.bind_text(3, *filter.tenant);
        if (!filter.account.empty()) select.bind_text(4, filter.account);
        if (!filter.sender.empty()) select.bind_text(5, filter.sender);
        if (!filter.tag.empty()) select.bind_text(6, filter.tag);
        select.bind(7, row_limit(filter.limit));
        if (!filter.campaign.empty()) select.bind_text(8, filter.campaign);
        for (std::size_t i = 0; i < filter.customers.size(); ++i) {
            select.bind_text(static_cast<int>(i) + 9, filter.customers[i]);
        }
    });
}

Result<std::map<JobState, std::int64_t>> SqliteOutboxTransaction::counts() {
    static const std::string sql = "select state, sum(jobs) from outbox_tally group by state";
    std::map<JobState, std::int64_t> counted;
    const auto done = query(sql, no_values, [&](const SqliteStatement& row) {
        counted[static_cast<JobState>(row.number(0))] = row.number(1);
    });
    if (!done) return done.error();
    for (const auto* const tally : tallies()) {
        for (const auto& each : tally->jobs) counted[each.first.second] += each.second;
    }
    std::erase_if(counted, [](const auto& each) { return each.second <= 0; });
    return counted;
}

Result<std::int64_t> SqliteOutboxTransaction::waiting(const std::optional<std::string>& tenant) {
    static const std::string all = "select total(jobs) from outbox_tally where state < 5";
    static const std::string of_tenant =
        "select total(jobs) from outbox_tally where tenant = ? and state < 5";
    std::int64_t counted = 0;
    const auto done = query(
        tenant ? of_tenant : all,
        [&](SqliteStatement& select) {
            if (tenant) select.bind_text(1, *tenant);
        },
        [&](const SqliteStatement& row) { counted = row.number(0); });
    if (!done) return done.error();
    for (const auto* const tally : tallies()) {
        for (const auto& [place, jobs] : tally->jobs) {
            const bool asked = !tenant || place.first == *tenant;
            if (asked && place.second < JobState::accepted) counted += jobs;
        }
    }
    return counted;
}

// ---- What other programs put in

Result<std::vector<StoredJob>> SqliteOutboxTransaction::strangers(std::size_t limit) {
    static const auto sql =
        select_jobs("where content_hash is null and state = 0 order by sequence limit ?");
    return jobs_of(sql, [&](SqliteStatement& select) { select.bind(1, row_limit(limit)); });
}

Result<void> SqliteOutboxTransaction::rewrite(StoredJob& job) {
    static const std::string drop_key =
        "delete from outbox_key where (tenant, key, job_id) = "
        "(select tenant, key, id from outbox_job where sequence = ? and revision = ?)";
    static const std::string take_key =
        "insert into outbox_key (tenant, key, job_id, content_hash) values (?, ?, ?, ?)";
    static const std::string old_order_key = "select order_key from outbox_job where sequence = ?";
    static const std::string texts =
        "update outbox_job set key = ?1, content_hash = ?2, sender = ?3, customer = ?4, "
        "order_key = ?5, payload = ?6, behind = exists (select 1 from outbox_job where "
        "tenant = ?9 and order_key = ?5 and order_key <> '' and state < 5 and state <> 4 "
        "and sequence < ?7) where sequence = ?7 and revision = ?8";
    const auto owner = find_key(job.tenant, job.key);
    if (!owner) return owner.error();
    if (*owner && (*owner)->id != job.id) {
        return Error::invalid_request("key", "is another job's", "give each message its own");
    }
    std::string order_key;
    auto done = query(
        old_order_key, [&](SqliteStatement& select) { select.bind(1, job.sequence); },
        [&](const SqliteStatement& row) { order_key = row.bytes(0); });
    if (!done) return done;
    done = change(drop_key, [&](SqliteStatement& erase) {
        erase.bind(1, job.sequence);
        erase.bind(2, job.revision);
    });
    if (!done) return done;
    if (statements_.file().changes() != 1) return changed_meanwhile();
    done = change(take_key, [&](SqliteStatement& insert) {
        insert.bind_text(1, job.tenant);
        insert.bind_text(2, job.key);
        insert.bind(3, bytes_of(job.id));
        insert.bind_text(4, job.content_hash);
    });
    if (!done) return done;
    done = change(texts, [&](SqliteStatement& update) {
        update.bind_text(1, job.key);
        update.bind_text(2, job.content_hash);
        update.bind_text(3, job.sender);
        update.bind_text(4, job.customer);
        update.bind_text(5, job.order_key);
        update.bind_text(6, job.payload);
        update.bind(7, job.sequence);
        update.bind(8, job.revision);
        update.bind_text(9, job.tenant);
    });
    if (done && !order_key.empty() && order_key != job.order_key) {
        done = free_next(job.tenant, order_key);
    }
    if (!done) return done;
    if (erases_what_was(job.payload)) statements_.erasing().add({.some = true, .ended = true});
    return save(job);
}

// ---- Outcomes

Result<void> SqliteOutboxTransaction::add_outcome(const StoredOutcome& outcome) {
    static const std::string sql = "insert into outbox_outcome (job, outcome, at) values (?, ?, ?)";
    StoredJob job;
    job.id = outcome.job;
    const auto known = known_job(job);
    if (!known) return known.error();
    // Of a job that is gone there is nothing to tell.
    if (*known == nullptr) return {};
    return change(sql, [&](SqliteStatement& insert) {
        insert.bind(1, (*known)->sequence);
        insert.bind(2, static_cast<std::int64_t>(outcome.outcome));
        insert.bind(3, stored_time(outcome.at));
    });
}

Result<std::vector<StoredOutcome>> SqliteOutboxTransaction::outcomes(std::int64_t after,
                                                                     std::size_t limit) {
    static const std::string sql =
        "select outcome.cursor, job.id, outcome.outcome, outcome.at from outbox_outcome as outcome "
        "join outbox_job as job on job.sequence = outcome.job "
        "where outcome.cursor > ? order by outcome.cursor limit ?";
    std::vector<StoredOutcome> found;
    const auto done = query(
        sql,
        [&](SqliteStatement& select) {
            select.bind(1, after);
            select.bind(2, row_limit(limit));
        },
        [&](const SqliteStatement& row) {
            found.push_back({row.number(0), read_job_id(row.bytes(1)),
                             static_cast<Outcome>(row.number(2)), time_of_stored(row.number(3))});
        });
    if (!done) return done.error();
    return found;
}

Result<std::int64_t> SqliteOutboxTransaction::told() {
    static const std::string sql = "select told from outbox";
    std::int64_t cursor = 0;
    const auto done =
        query(sql, no_values, [&](const SqliteStatement& row) { cursor = row.number(0); });
    if (!done) return done.error();
    return cursor;
}

Result<void> SqliteOutboxTransaction::set_told(std::int64_t cursor) {
    static const std::string sql = "update outbox set told = max(told, ?)";
    return change(sql, [&](SqliteStatement& update) { update.bind(1, cursor); });
}

// ---- Pauses and facts

Result<std::vector<Pause>> SqliteOutboxTransaction::pauses() {
    static const std::string sql =
        "select place, name, reason, since from outbox_pause order by rowid";
    std::vector<Pause> found;
    const auto done = query(sql, no_values, [&](const SqliteStatement& row) {
        found.push_back({static_cast<Pause::Of>(row.number(0)), std::string{row.bytes(1)},
                         std::string{row.bytes(2)}, time_of_stored(row.number(3))});
    });
    if (!done) return done.error();
    return found;
}

Result<void> SqliteOutboxTransaction::pause(const Pause& pause) {
    static const std::string sql =
        "insert or replace into outbox_pause (place, name, reason, since) values (?, ?, ?, ?)";
    return change(sql, [&](SqliteStatement& insert) {
        insert.bind(1, static_cast<std::int64_t>(pause.of));
        insert.bind_text(2, pause.name);
        insert.bind_text(3, pause.reason);
        insert.bind(4, stored_time(pause.since));
    });
}

Result<void> SqliteOutboxTransaction::resume(Pause::Of of, std::string_view name) {
    static const std::string sql = "delete from outbox_pause where place = ? and name = ?";
    return change(sql, [&](SqliteStatement& erase) {
        erase.bind(1, static_cast<std::int64_t>(of));
        erase.bind_text(2, name);
    });
}

Result<std::string> SqliteOutboxTransaction::fact(std::string_view name) {
    static const std::string sql = "select value from outbox_fact where name = ?";
    std::string value;
    const auto done = query(
        sql, [&](SqliteStatement& select) { select.bind_text(1, name); },
        [&](const SqliteStatement& row) { value = row.bytes(0); });
    if (!done) return done.error();
    return value;
}

Result<void> SqliteOutboxTransaction::set_fact(std::string_view name, std::string_view value) {
    static const std::string sql = "insert or replace into outbox_fact (name, value) values (?, ?)";
    return change(sql, [&](SqliteStatement& insert) {
        insert.bind_text(1, name);
        insert.bind_text(2, value);
    });
}

// ---- Erasing

Result<std::int64_t> SqliteOutboxTransaction::redact(TimePoint before, std::size_t limit) {
    static const std::string sql =
        "update outbox_job set payload = '', revision = revision + 1 where sequence in ("
        "select sequence from outbox_job where state >= 6 and payload <> '' and updated_at < ? "
        "order by updated_at limit ?)";
    const auto done = change(sql, [&](SqliteStatement& update) {
        update.bind(1, stored_time(before));
        update.bind(2, row_limit(limit));
    });
    if (!done) return done.error();
    const std::int64_t erased = statements_.file().changes();
    statements_.erasing().add_sweep(erased, limit);
    return erased;
}

Result<std::int64_t> SqliteOutboxTransaction::purge(TimePoint before,
                                                    std::optional<TimePoint> keys_before,
                                                    std::size_t limit) {
    static const std::string choose =
        "select sequence, id, tenant, key, state from outbox_job where state >= 5 "
        "and state in (6, 7, 8, 9) and updated_at < ? limit ?";
    static const std::array<std::string, 2> forget{
        "delete from outbox_key where removed_at <= ?",
        "delete from outbox_marker where removed_at <= ?"};
    std::vector<StoredJob> gone;
    auto done = query(
        choose,
        [&](SqliteStatement& select) {
            select.bind(1, stored_time(before));
            select.bind(2, row_limit(limit));
        },
        [&](const SqliteStatement& row) {
            StoredJob job;
            job.sequence = row.number(0);
            job.id = read_job_id(row.bytes(1));
            job.tenant = row.bytes(2);
            job.key = row.bytes(3);
            job.state = static_cast<JobState>(row.number(4));
            gone.push_back(std::move(job));
        });
    if (!done) return done.error();
    const auto at = now();
    static const std::string forget_counts = "delete from outbox_quota_count where keep_until <= ?";
    done = change(forget_counts, [&](SqliteStatement& erase) { erase.bind(1, stored_time(at)); });
    if (!done) return done.error();
    for (const auto& job : gone) {
        if (done = remove(job, at); !done) return done.error();
    }
    auto& erasing = statements_.erasing();
    if (keys_before) {
        for (const auto& sql : forget) {
            done = change(
                sql, [&](SqliteStatement& erase) { erase.bind(1, stored_time(*keys_before)); });
            if (!done) return done.error();
            erasing.some = erasing.some || statements_.file().changes() > 0;
        }
    }
    const auto removed = static_cast<std::int64_t>(gone.size());
    erasing.add_sweep(removed, limit);
    return removed;
}

Result<void> SqliteOutboxTransaction::remove(const StoredJob& job, TimePoint at) {
    static const std::string keep_key =
        "update outbox_key set removed_at = ? where tenant = ? and key = ?";
    static const std::string keep_markers =
        "insert into outbox_marker (job_id, nonce, number, removed_at) "
        "select ?, nonce, number, ? from outbox_attempt where job = ?";
    static const std::array<std::string, 3> erase{"delete from outbox_attempt where job = ?",
                                                  "delete from outbox_outcome where job = ?",
                                                  "delete from outbox_job where sequence = ?"};
    auto done = change(keep_key, [&](SqliteStatement& update) {
        update.bind(1, stored_time(at));
        update.bind_text(2, job.tenant);
        update.bind_text(3, job.key);
    });
    if (!done) return done;
    done = change(keep_markers, [&](SqliteStatement& insert) {
        insert.bind(1, bytes_of(job.id));
        insert.bind(2, stored_time(at));
        insert.bind(3, job.sequence);
    });
    if (!done) return done;
    for (const auto& sql : erase) {
        done = change(sql, [&](SqliteStatement& statement) { statement.bind(1, job.sequence); });
        if (!done) return done;
    }
    // What a campaign has done stays counted.
    --tally_.jobs[{job.tenant, job.state}];
    known_.erase(job.id);
    return {};
}

}  // namespace twiliowa::detail
