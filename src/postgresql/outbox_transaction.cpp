#include "postgresql/outbox_transaction.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <limits>

#include <twiliowa/state/store.hpp>

namespace twiliowa::detail {

namespace {

/// The condition of the index of what can be claimed.
constexpr std::string_view may_be_claimed =
    "state = 0 and suspect_since is null and content_hash is not null";
/// Of one group: $1 to $4.
constexpr std::string_view of_group = "sender = $1 and lane = $2 and tenant = $3 and account = $4";

/// Reading more rows of counts than these, they are folded.
constexpr std::int64_t many_tallies = 1'000;

/// Jobs whose rows `rows` selects as `job`, with their payloads.
std::string select_jobs(const std::string& rows, std::string_view order) {
    return "with found as materialized (" + rows + ") select " +
           postgres_job_columns("found", "payload") +
           " from found left join twiliowa.job_payload as payload on payload.job = found.sequence "
           "order by " +
           std::string{order};
}

/// The rows of a table, `rest` of the statement.
std::string rows_of(JobPlace place, std::string_view rest) {
    return "select " + row_columns("job") + " from " + std::string{table_of(place)} + " as job " +
           std::string{rest};
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
const std::string& groups_sql() {
    static const auto sql = [] {
        const std::string group = "sender, lane, tenant, account";
        const auto next = [&](const std::string& more) {
            return "(select " + group + " from twiliowa.job where " + std::string{may_be_claimed} +
                   more + " order by " + group + " limit 1)";
        };
        return "with recursive groups as (" + next("") +
               " union all select following.* from groups "
               "cross join lateral " +
               next(
                   " and (sender, lane, tenant, account) > "
                   "(groups.sender, groups.lane, groups.tenant, groups.account)") +
               " as following) ";
    }();
    return sql;
}

/// For the error of a job that was changed since it was read.
Error changed_by_another() {
    return store_error("has a job that another changed meanwhile", "read it again");
}

/// Its members that only `rewrite` changes, of another's.
void keep_what_was_handed_over(StoredJob& job, const StoredJob& kept) {
    job.sequence = kept.sequence;
    job.tenant = kept.tenant;
    job.key = kept.key;
    job.content_hash = kept.content_hash;
    job.tag = kept.tag;
    job.account = kept.account;
    job.sender = kept.sender;
    job.customer = kept.customer;
    job.order_key = kept.order_key;
    job.lane = kept.lane;
    job.on_unknown = kept.on_unknown;
    job.created_at = kept.created_at;
    if (kept.payload.empty()) job.payload.clear();
}

PostgresArray array_of(std::span<const JobId> ids) {
    PostgresArray array{PostgresType::bytes};
    for (const auto& id : ids) array.add(bytes_of(id));
    return array;
}

}  // namespace

// ---- Works

void PostgresOutboxTransaction::Pending::add(Pending&& later) {
    std::move(later.inserts.begin(), later.inserts.end(), std::back_inserter(inserts));
    for (auto& each : later.keys) keys.insert(std::move(each));
    changed.merge(later.changed);
    for (auto& [at, attempt] : later.attempts) attempts.insert_or_assign(at, std::move(attempt));
    std::move(later.outcomes.begin(), later.outcomes.end(), std::back_inserter(outcomes));
    for (auto& [sid, owner] : later.sids) sids.insert_or_assign(sid, owner);
    for (const auto& [at, jobs] : later.tally) tally[at] += jobs;
    later = {};
}

void PostgresOutboxTransaction::begin_work() {
    statements_.begin_work();
    inbox_.begin_work();
    before_.clear();
    facts_before_ = facts_;
}

void PostgresOutboxTransaction::keep_work() {
    batch_.add(std::move(work_));
    inbox_.keep_work();
    before_.clear();
}

bool PostgresOutboxTransaction::drop_work() {
    work_ = {};
    inbox_.drop_work();
    for (auto& [id, known] : before_) known_.insert_or_assign(id, std::move(known));
    before_.clear();
    facts_ = facts_before_;
    return !statements_.has_sent();
}

void PostgresOutboxTransaction::forget() {
    known_.clear();
    owners_.clear();
    inbox_.forget();
    statements_.recover();
}

// ---- What is sent together

Result<void> PostgresOutboxTransaction::flush() {
    if (failure()) return *failure();
    const bool mine = !work_.inserts.empty() || !work_.changed.empty() || !work_.attempts.empty() ||
                      !work_.outcomes.empty();
    auto all = std::move(batch_);
    auto tally = std::exchange(all.tally, {});
    auto work = std::move(work_);
    auto work_tally = std::exchange(work.tally, {});
    all.add(std::move(work));
    batch_ = {};
    work_ = {};
    batch_.tally = std::move(tally);
    work_.tally = std::move(work_tally);

    struct Expectation {
        std::size_t rows = 0;
        BeginAnew otherwise = BeginAnew::no;  ///< `no`: whatever comes is right.
    };
    std::vector<PostgresStatement> statements;
    std::vector<Expectation> expected;
    const auto send = [&](PostgresStatement statement, Expectation expectation = {}) {
        statements.push_back(std::move(statement));
        expected.push_back(expectation);
    };

    if (!all.inserts.empty()) {
        send(insert_jobs(all.inserts), {all.inserts.size(), BeginAnew::key});
    }
    std::map<std::pair<JobPlace, JobPlace>, std::vector<ChangedJob>> moves;
    PostgresArray erased{PostgresType::number};
    PostgresArray lost_sids{PostgresType::bytes};
    PostgresArray losers{PostgresType::bytes};
    struct NewSids {
        PostgresArray sids{PostgresType::bytes};
        PostgresArray jobs{PostgresType::bytes};
    };
    NewSids nobodys;
    NewSids somebodys;
    for (const auto& id : all.changed) {
        const auto& known = known_.at(id);
        const auto& job = known.job;
        moves[{known.place, place_of(job.state)}].push_back({&job, known.revision});
        if (known.has_payload && job.payload.empty()) erased.add_number(job.sequence);
        if (known.sid == job.sid) continue;
        if (!known.sid.empty()) {
            lost_sids.add(known.sid);
            losers.add(bytes_of(id));
        }
        if (!job.sid.empty()) {
            const auto owner = owners_.find(job.sid);
            auto& to = owner != owners_.end() && !owner->second ? nobodys : somebodys;
            to.sids.add(job.sid);
            to.jobs.add(bytes_of(id));
        }
    }
    for (const auto& [way, jobs] : moves) {
        const bool stays = way == std::pair{JobPlace::open, JobPlace::open};
        send(stays ? update_jobs(jobs) : move_jobs(jobs, way.first, way.second),
             {jobs.size(), BeginAnew::conflict});
    }
    if (erased.size() > 0) {
        PostgresStatement erase{"delete from twiliowa.job_payload where job = any($1)"};
        erase.values.array(erased);
        send(std::move(erase));
    }
    if (!all.attempts.empty()) {
        std::vector<ChangedAttempt> attempts;
        for (auto& [at, attempt] : all.attempts) attempts.push_back({at.first, attempt});
        send(upsert_attempts(attempts));
    }
    if (lost_sids.size() > 0) {
        PostgresStatement erase{
            "delete from twiliowa.job_sid as sid using unnest($1::bytea[], $2::bytea[]) "
            "as lost(sid, job) where sid.sid = lost.sid and sid.job = lost.job"};
        erase.values.array(lost_sids).array(losers);
        send(std::move(erase));
    }
    if (nobodys.sids.size() > 0) {
        PostgresStatement insert{
            "insert into twiliowa.job_sid (sid, job) "
            "select * from unnest($1::bytea[], $2::bytea[]) "
            "on conflict do nothing"};
        insert.values.array(nobodys.sids).array(nobodys.jobs);
        send(std::move(insert), {nobodys.sids.size(), BeginAnew::conflict});
    }
    if (somebodys.sids.size() > 0) {
        PostgresStatement insert{
            "insert into twiliowa.job_sid (sid, job) "
            "select * from unnest($1::bytea[], $2::bytea[]) "
            "on conflict (sid) do update set job = excluded.job"};
        insert.values.array(somebodys.sids).array(somebodys.jobs);
        send(std::move(insert));
    }
    if (!all.outcomes.empty()) {
        PostgresArray jobs{PostgresType::bytes};
        PostgresArray what{PostgresType::number};
        PostgresArray at{PostgresType::number};
        for (const auto& outcome : all.outcomes) {
            jobs.add(bytes_of(outcome.job));
            what.add_number(static_cast<std::int64_t>(outcome.outcome));
            at.add_number(stored_time(outcome.at));
        }
        PostgresStatement insert{
            "insert into twiliowa.outcome (job, outcome, at) select job, outcome, at from "
            "unnest($1::bytea[], $2::bigint[], $3::bigint[]) with ordinality "
            "as told(job, outcome, at, place) order by place"};
        insert.values.array(jobs).array(what).array(at);
        send(std::move(insert));
    }
    if (statements.empty()) return {};
    statements_.note_write(mine);
    const auto answers = statements_.ask_all(statements);
    if (!answers) return answers.error();
    for (std::size_t i = 0; i < expected.size(); ++i) {
        const auto& [rows, otherwise] = expected[i];
        if (otherwise == BeginAnew::no) continue;
        const auto& answer = (*answers)[i];
        const auto done = otherwise == BeginAnew::key
                              ? static_cast<std::size_t>(answer.number(0, 0))
                              : answer.changed();
        if (done != rows) return statements_.begin_anew(otherwise);
    }
    for (const auto& id : all.changed) {
        auto& known = known_.at(id);
        known.place = place_of(known.job.state);
        known.revision = known.job.revision;
        known.has_payload = !known.job.payload.empty();
        known.sid = known.job.sid;
    }
    for (const auto& [sid, owner] : all.sids) owners_.insert_or_assign(sid, owner);
    return {};
}

Result<void> PostgresOutboxTransaction::finish() {
    if (auto sent = flush(); !sent) return sent;
    if (!statements_.has_written()) return {};
    std::vector<PostgresStatement> statements;
    std::vector<std::size_t> right;  ///< How many rows each has to give; all of them if max.
    constexpr auto any = (std::numeric_limits<std::size_t>::max)();
    if (sets_facts_) {
        // Who sets a fact goes by jobs that others may be changing by what they know of facts.
        PostgresArray jobs{PostgresType::number};
        PostgresArray revisions{PostgresType::number};
        for (const auto& each : known_) {
            if (each.second.place != JobPlace::open) continue;
            jobs.add_number(each.second.job.sequence);
            revisions.add_number(each.second.revision);
        }
        PostgresStatement lock{
            "select 1 from twiliowa.job as job join unnest($1::bigint[], $2::bigint[]) "
            "as read(sequence, revision) using (sequence) where job.revision = read.revision "
            "order by job.sequence for share of job"};
        lock.values.array(jobs).array(revisions);
        right.push_back(jobs.size());
        statements.push_back(std::move(lock));
    }
    if (!facts_.empty()) {
        PostgresArray names{PostgresType::bytes};
        PostgresArray values{PostgresType::bytes};
        for (const auto& [name, value] : facts_) {
            names.add(name);
            values.add(value);
        }
        PostgresStatement compare{
            "select 1 from unnest($1::bytea[], $2::bytea[]) as read(name, value) "
            "left join twiliowa.fact as fact using (name) "
            "where coalesce(fact.value, '') <> read.value"};
        compare.values.array(names).array(values);
        right.push_back(0);
        statements.push_back(std::move(compare));
    }
    PostgresArray tenants{PostgresType::bytes};
    PostgresArray states{PostgresType::number};
    PostgresArray jobs{PostgresType::number};
    for (const auto& [at, more] : batch_.tally) {
        if (more == 0) continue;
        tenants.add(at.first);
        states.add_number(static_cast<std::int64_t>(at.second));
        jobs.add_number(more);
    }
    if (jobs.size() > 0) {
        PostgresStatement tally{
            "insert into twiliowa.job_tally (tenant, state, jobs) "
            "select * from unnest($1::bytea[], $2::bigint[], $3::bigint[])"};
        tally.values.array(tenants).array(states).array(jobs);
        right.push_back(any);
        statements.push_back(std::move(tally));
    }
    if (auto tally = inbox_.tally()) {
        right.push_back(any);
        statements.push_back(std::move(*tally));
    }
    right.push_back(any);
    statements.push_back({"select pg_catalog.txid_current_if_assigned()::text"});
    const auto answers = statements_.ask_all(statements);
    if (!answers) return answers.error();
    for (std::size_t i = 0; i < right.size(); ++i) {
        if (right[i] != any && (*answers)[i].size() != right[i]) {
            return statements_.begin_anew(BeginAnew::conflict);
        }
    }
    number_ = answers->back().bytes(0, 0);
    return {};
}

void PostgresOutboxTransaction::count(const std::string& tenant, JobState state,
                                      std::int64_t jobs) {
    work_.tally[{tenant, state}] += jobs;
}

// ---- Reading jobs

Result<std::vector<StoredJob>> PostgresOutboxTransaction::jobs_of(
    const PostgresStatement& statement) {
    if (auto sent = flush(); !sent) return sent.error();
    const auto rows = statements_.ask(statement);
    if (!rows) return rows.error();
    return read_jobs(*rows);
}

Result<std::vector<StoredJob>> PostgresOutboxTransaction::read_jobs(const PostgresRows& rows) {
    std::vector<StoredJob> jobs;
    jobs.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) jobs.push_back(read_job(rows, row));
    if (auto read = read_attempts(jobs); !read) return read.error();
    for (const auto& job : jobs) {
        const auto known = known_.find(job.id);
        // Somebody has changed it between two statements.
        if (known != known_.end() && known->second.revision != job.revision) {
            return statements_.begin_anew(BeginAnew::conflict);
        }
        known_.insert_or_assign(job.id, KnownJob{job, place_of(job.state), job.revision,
                                                 !job.payload.empty(), job.sid});
    }
    return jobs;
}

Result<void> PostgresOutboxTransaction::read_attempts(std::vector<StoredJob>& jobs) {
    static const auto sql = "select " + std::string{postgres_attempt_columns} +
                            " from twiliowa.job_attempt where job = any($1) order by job, number";
    std::map<JobId, StoredJob*> tried;
    PostgresArray ids{PostgresType::bytes};
    for (auto& job : jobs) {
        if (job.attempts.empty()) continue;
        job.attempts.clear();
        tried.emplace(job.id, &job);
        ids.add(bytes_of(job.id));
    }
    if (tried.empty()) return {};
    PostgresStatement select{sql};
    select.values.array(ids);
    const auto rows = statements_.ask(select);
    if (!rows) return rows.error();
    for (std::size_t row = 0; row < rows->size(); ++row) {
        tried.at(read_job_id(rows->bytes(row, 0)))->attempts.push_back(read_attempt(*rows, row));
    }
    return {};
}

/// Reads those that are not known yet, in one or two statements.
Result<void> PostgresOutboxTransaction::fetch(std::span<const JobId> ids) {
    static const auto sql_of = [](JobPlace place) {
        return select_jobs(rows_of(place, "where job.id = any($1)"), "found.sequence");
    };
    static const std::string open = sql_of(JobPlace::open);
    static const std::string done = sql_of(JobPlace::done);
    for (const auto* const sql : {&open, &done}) {
        std::vector<JobId> unknown;
        std::copy_if(ids.begin(), ids.end(), std::back_inserter(unknown),
                     [&](const JobId& id) { return !known_.contains(id); });
        if (unknown.empty()) return {};
        // What is not known was not changed here, but it may be new.
        if (!work_.inserts.empty() || !batch_.inserts.empty()) {
            if (auto sent = flush(); !sent) return sent;
        }
        PostgresStatement select{*sql};
        select.values.array(array_of(unknown));
        const auto rows = statements_.ask(select);
        if (!rows) return rows.error();
        if (const auto jobs = read_jobs(*rows); !jobs) return jobs.error();
    }
    return {};
}

Result<std::vector<StoredJob>> PostgresOutboxTransaction::load(std::span<const JobId> ids) {
    if (auto read = fetch(ids); !read) return read.error();
    std::vector<StoredJob> jobs;
    for (const auto& id : ids) {
        if (const auto known = known_.find(id); known != known_.end()) {
            jobs.push_back(known->second.job);
        }
    }
    return jobs;
}

Result<PostgresOutboxTransaction::KnownJob*> PostgresOutboxTransaction::known_job(const JobId& id) {
    if (auto read = fetch({&id, 1}); !read) return read.error();
    const auto known = known_.find(id);
    return known == known_.end() ? nullptr : &known->second;
}

Result<void> PostgresOutboxTransaction::foresee(std::span<const JobId> ids,
                                                std::span<const std::string> sids) {
    if (auto read = fetch(ids); !read) return read;
    PostgresArray unknown{PostgresType::bytes};
    for (const auto& sid : sids) {
        if (known_owner(sid) == nullptr) unknown.add(sid);
    }
    if (unknown.size() == 0) return {};
    PostgresStatement select{
        "select wanted.sid, sid.job from unnest($1::bytea[]) as wanted(sid) "
        "left join twiliowa.job_sid as sid using (sid)"};
    select.values.array(unknown);
    const auto rows = statements_.ask(select);
    if (!rows) return rows.error();
    for (std::size_t row = 0; row < rows->size(); ++row) {
        owners_.insert_or_assign(
            std::string{rows->bytes(row, 0)},
            rows->is_null(row, 1) ? std::nullopt : std::optional{read_job_id(rows->bytes(row, 1))});
    }
    return {};
}

const std::optional<JobId>* PostgresOutboxTransaction::known_owner(std::string_view sid) const {
    for (const auto* const pending : {&work_, &batch_}) {
        const auto owner = pending->sids.find(std::string{sid});
        if (owner != pending->sids.end()) return &owner->second;
    }
    const auto owner = owners_.find(sid);
    return owner == owners_.end() ? nullptr : &owner->second;
}

Result<std::optional<JobId>> PostgresOutboxTransaction::find_sid(std::string_view sid) {
    if (sid.empty()) return std::optional<JobId>{};
    const std::string wanted{sid};
    if (auto read = foresee({}, {&wanted, 1}); !read) return read.error();
    return *known_owner(sid);
}

Result<std::optional<int>> PostgresOutboxTransaction::find_attempt(const JobId& job,
                                                                   const AttemptNonce& nonce) {
    for (const auto* const pending : {&work_, &batch_}) {
        const auto attempt = pending->attempts.find({job, nonce});
        if (attempt != pending->attempts.end()) return std::optional{attempt->second.number};
    }
    PostgresStatement select{
        "select number from twiliowa.job_attempt where job = $1 and nonce = $2"};
    select.values.bytes(bytes_of(job)).bytes(bytes_of(nonce));
    const auto rows = statements_.ask(select);
    if (!rows) return rows.error();
    if (rows->empty()) return std::optional<int>{};
    return std::optional{static_cast<int>(rows->number(0, 0))};
}

// ---- Keys

const InsertedJob* PostgresOutboxTransaction::pending_key(const KeyOf& key) const {
    for (const auto* const pending : {&work_, &batch_}) {
        const auto known = pending->keys.find(key);
        if (known != pending->keys.end()) return &known->second;
    }
    return nullptr;
}

Result<InsertedJob> PostgresOutboxTransaction::insert(const StoredJob& job) {
    if (failure()) return *failure();
    if (mode_.one_by_one) return insert_at_once(job);
    // That the key is new is found out when it is sent.
    const KeyOf key{job.tenant, job.key};
    if (const auto* const known = pending_key(key)) return *known;
    work_.keys.emplace(key, InsertedJob{false, job.id, job.content_hash, JobState::ready});
    work_.inserts.push_back(job);
    count(job.tenant, JobState::ready, 1);
    return InsertedJob{.inserted = true, .id = job.id};
}

Result<InsertedJob> PostgresOutboxTransaction::insert_at_once(const StoredJob& job) {
    const auto rows = statements_.change(insert_jobs({&job, 1}));
    if (!rows) return rows.error();
    if (rows->number(0, 0) == 1) {
        count(job.tenant, JobState::ready, 1);
        return InsertedJob{.inserted = true, .id = job.id};
    }
    auto holder = find_key(job.tenant, job.key);
    if (!holder) return holder.error();
    // Whoever had it has taken it back since.
    if (!*holder) return statements_.begin_anew(BeginAnew::conflict);
    return std::move(**holder);
}

Result<std::optional<InsertedJob>> PostgresOutboxTransaction::find_key(std::string_view tenant,
                                                                       std::string_view key) {
    if (const auto* const known = pending_key({std::string{tenant}, std::string{key}})) {
        return std::optional{*known};
    }
    PostgresStatement select{
        "select key.job, key.content_hash, job.state from twiliowa.job_key as key "
        "left join twiliowa.job as job on job.id = key.job where key.tenant = $1 and key.key = $2"};
    select.values.bytes(tenant).bytes(key);
    const auto rows = statements_.ask(select);
    if (!rows) return rows.error();
    if (rows->empty()) return std::optional<InsertedJob>{};
    InsertedJob found;
    found.id = read_job_id(rows->bytes(0, 0));
    found.content_hash = rows->bytes(0, 1);
    found.state = JobState::delivered;
    const auto known = known_.find(found.id);
    if (known != known_.end()) {
        found.state = known->second.job.state;
    } else if (!rows->is_null(0, 2)) {
        found.state = static_cast<JobState>(rows->number(0, 2));
    } else {
        PostgresStatement done{"select state from twiliowa.job_done where id = $1 limit 1"};
        done.values.bytes(bytes_of(found.id));
        const auto state = statements_.ask(done);
        if (!state) return state.error();
        if (!state->empty()) found.state = static_cast<JobState>(state->number(0, 0));
    }
    return std::optional{std::move(found)};
}

// ---- Changing jobs

Result<void> PostgresOutboxTransaction::save(StoredJob& job) {
    if (failure()) return *failure();
    const auto found = known_job(job.id);
    if (!found) return found.error();
    if (*found == nullptr || (*found)->job.revision != job.revision) return changed_by_another();
    auto& known = **found;
    before_.try_emplace(job.id, known);
    ++job.revision;
    auto next = job;
    keep_what_was_handed_over(next, known.job);
    for (const auto& attempt : job.attempts) {
        const auto& old = known.job.attempts;
        if (std::find(old.begin(), old.end(), attempt) != old.end()) continue;
        work_.attempts.insert_or_assign({job.id, attempt.nonce}, attempt);
    }
    if (next.state != known.job.state) {
        count(next.tenant, known.job.state, -1);
        count(next.tenant, next.state, 1);
    }
    if (next.sid != known.job.sid) {
        if (!known.job.sid.empty()) {
            const auto* const owner = known_owner(known.job.sid);
            if (owner == nullptr || *owner == job.id) work_.sids[known.job.sid] = std::nullopt;
        }
        if (!next.sid.empty()) work_.sids[next.sid] = job.id;
    }
    known.job = std::move(next);
    work_.changed.insert(job.id);
    return {};
}

Result<std::vector<StoredJob>> PostgresOutboxTransaction::strangers(std::size_t limit) {
    static const auto sql =
        select_jobs(rows_of(JobPlace::open,
                            "where content_hash is null and state = 0 order by sequence limit $1 "
                            "for update skip locked"),
                    "found.sequence");
    PostgresStatement select{sql};
    select.values.number(row_limit(limit));
    return jobs_of(select);
}

Result<void> PostgresOutboxTransaction::rewrite(StoredJob& job) {
    if (auto sent = flush(); !sent) return sent;
    const auto found = known_job(job.id);
    if (!found) return found.error();
    if (*found == nullptr || (*found)->job.revision != job.revision) return changed_by_another();
    const auto owner = find_key(job.tenant, job.key);
    if (!owner) return owner.error();
    if (*owner && (*owner)->id != job.id) {
        return Error::invalid_request("key", "is another job's", "give each message its own");
    }
    auto& known = **found;
    const std::string table{table_of(known.place)};
    PostgresStatement key{
        "update twiliowa.job_key as key set key = $1, content_hash = $2 from " + table +
        " as job where job.sequence = $3 and job.revision = $4 and key.tenant = job.tenant and "
        "key.key = job.key and key.job = job.id"};
    key.values.bytes(job.key).bytes(job.content_hash).number(job.sequence).number(job.revision);
    PostgresStatement texts{
        "update " + table +
        " set key = $1, content_hash = $2, sender = $3, customer = $4, order_key = $5, "
        "has_payload = $6 where sequence = $7 and revision = $8"};
    texts.values.bytes(job.key)
        .bytes(job.content_hash)
        .bytes(job.sender)
        .bytes(job.customer)
        .bytes(job.order_key)
        .flag(!job.payload.empty())
        .number(job.sequence)
        .number(job.revision);
    PostgresStatement payload{"delete from twiliowa.job_payload where job = $1"};
    payload.values.number(job.sequence);
    if (!job.payload.empty()) {
        payload.sql =
            "insert into twiliowa.job_payload (job, payload) values ($1, $2) "
            "on conflict (job) do update set payload = excluded.payload";
        payload.values.bytes(job.payload);
    }
    statements_.note_write();
    const std::array statements{std::move(key), std::move(texts), std::move(payload)};
    const auto answers = statements_.ask_all(statements);
    if (!answers) return answers.error();
    if ((*answers)[0].changed() != 1 || (*answers)[1].changed() != 1) {
        return statements_.begin_anew(BeginAnew::conflict);
    }
    known.job.key = job.key;
    known.job.content_hash = job.content_hash;
    known.job.sender = job.sender;
    known.job.customer = job.customer;
    known.job.order_key = job.order_key;
    known.job.payload = job.payload;
    known.has_payload = !job.payload.empty();
    return save(job);
}

// ---- Whose turn it is

Result<std::vector<ReadyGroup>> PostgresOutboxTransaction::ready_groups() {
    static const auto sql = groups_sql() + "select * from groups";
    if (auto sent = flush(); !sent) return sent.error();
    const auto rows = statements_.ask({sql});
    if (!rows) return rows.error();
    std::vector<ReadyGroup> groups;
    for (std::size_t row = 0; row < rows->size(); ++row) {
        groups.push_back({std::string{rows->bytes(row, 0)}, static_cast<Lane>(rows->number(row, 1)),
                          std::string{rows->bytes(row, 2)}, std::string{rows->bytes(row, 3)}});
    }
    return groups;
}

Result<std::vector<StoredJob>> PostgresOutboxTransaction::ready(const ReadyQuery& query) {
    // What another transaction is taking is passed over, and nobody waits. The rows are locked in a
    // fence, so that no plan locks more of them than the limit.
    static const auto sql = select_jobs(
        rows_of(JobPlace::open,
                "where " + std::string{may_be_claimed} + " and " + std::string{of_group} +
                    " and not_before <= $5 and (order_key = '' or not " + is_kept_back("$6") +
                    ") order by not_before, sequence limit $7 "
                    "for update skip locked"),
        "found.not_before, found.sequence");
    static const auto kept_back =
        "select job.id from twiliowa.job as job where job.sequence = any($1) and " +
        is_kept_back("$2");
    if (!mode_.may_claim) {
        return statements_.failed(
            store_error("is another database than it was, or went back in time",
                        "nothing is sent before an Outbox has looked at that"));
    }
    PostgresStatement select{sql};
    select.values.bytes(query.group.sender)
        .number(static_cast<std::int64_t>(query.group.lane))
        .bytes(query.group.tenant)
        .bytes(query.group.account)
        .number(stored_time(query.now))
        .number(stored_time(query.held_before))
        .number(row_limit(query.limit));
    auto jobs = jobs_of(select);
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

Result<std::vector<StoredJob>> PostgresOutboxTransaction::due(Due what, TimePoint before,
                                                              std::size_t limit) {
    // Who sweeps takes what nobody else is sweeping.
    static const auto lease = select_jobs(
        rows_of(JobPlace::open,
                "where lease_until is not null and state in (1, 2) and updated_at <= $1 and "
                "(lease_boot <> '' or lease_until <= (select twiliowa.microseconds())) "
                "order by updated_at, sequence limit $2 for update skip locked"),
        "found.updated_at, found.sequence");
    static const auto look = select_jobs(
        rows_of(JobPlace::open, "where next_look <= $1 order by next_look, sequence limit $2"),
        "found.next_look, found.sequence");
    static const auto expiry =
        select_jobs(rows_of(JobPlace::open,
                            "where state = 0 and expires_at is not null and expires_at <= $1 "
                            "order by expires_at, sequence limit $2 for update skip locked"),
                    "found.expires_at, found.sequence");
    static const auto fetch = select_jobs(
        rows_of(JobPlace::open,
                "where state = 5 and updated_at <= $1 order by updated_at, sequence limit $2"),
        "found.updated_at, found.sequence");
    const auto* const sql = what == Due::lease    ? &lease
                            : what == Due::look   ? &look
                            : what == Due::expiry ? &expiry
                                                  : &fetch;
    PostgresStatement select{*sql};
    select.values.number(stored_time(before)).number(row_limit(limit));
    return jobs_of(select);
}

Result<std::optional<TimePoint>> PostgresOutboxTransaction::next_due() {
    static const auto sql =
        groups_sql() +
        "select least((select min(expires_at) from twiliowa.job where state = 0 and expires_at is "
        "not null), (select min(next_look) from twiliowa.job where next_look is not null), (select "
        "min(first.not_before) from groups cross join lateral (select not_before from twiliowa.job "
        "as job where " +
        std::string{may_be_claimed} +
        " and job.sender = groups.sender and job.lane = groups.lane and job.tenant = groups.tenant "
        "and job.account = groups.account order by not_before limit 1) as first))";
    if (auto sent = flush(); !sent) return sent.error();
    const auto rows = statements_.ask({sql});
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

// ---- Lists and counts

Result<std::vector<StoredJob>> PostgresOutboxTransaction::list(const JobFilter& filter) {
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
        rows += "(" + rows_of(place, where) + ")";
    }
    select.sql = select_jobs("select * from (" + rows + ") as job order by sequence limit $2",
                             "found.sequence");
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
        for (const auto& each : pending->tally) counted[each.first.second] += each.second;
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
        for (const auto& [place, jobs] : pending->tally) {
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

// ---- Outcomes

Result<void> PostgresOutboxTransaction::add_outcome(const StoredOutcome& outcome) {
    const auto known = known_job(outcome.job);
    if (!known) return known.error();
    // Of a job that is gone there is nothing to tell.
    if (*known == nullptr) return {};
    work_.outcomes.push_back(outcome);
    return {};
}

Result<std::vector<StoredOutcome>> PostgresOutboxTransaction::read_outcomes(std::int64_t after,
                                                                            std::size_t limit) {
    PostgresStatement select{
        "select cursor, job, outcome, at from twiliowa.outcome "
        "where cursor > $1 order by cursor limit $2"};
    select.values.number(after).number(row_limit(limit));
    const auto rows = statements_.ask(select);
    if (!rows) return rows.error();
    std::vector<StoredOutcome> found;
    for (std::size_t row = 0; row < rows->size(); ++row) {
        found.push_back({rows->number(row, 0), read_job_id(rows->bytes(row, 1)),
                         static_cast<Outcome>(rows->number(row, 2)),
                         time_of_stored(rows->number(row, 3))});
    }
    return found;
}

Result<std::vector<StoredOutcome>> PostgresOutboxTransaction::outcomes(std::int64_t after,
                                                                       std::size_t limit) {
    if (auto sent = flush(); !sent) return sent.error();
    auto found = read_outcomes(after, limit);
    if (!found || found->size() >= limit) return found;
    const auto unread =
        statements_.ask({"select 1 from twiliowa.outcome where cursor is null limit 1"});
    if (!unread) return unread.error();
    if (unread->empty()) return found;
    // One at a time, until the commit: what has a cursor can be seen before what has a later one.
    const auto locked = statements_.change({"select told from twiliowa.outbox for update"});
    if (!locked) return locked.error();
    PostgresStatement give{
        "update twiliowa.outcome as outcome set cursor = given.cursor from (select id, "
        "nextval('twiliowa.outcome_cursor') as cursor from (select id from twiliowa.outcome where "
        "cursor is null order by id limit $1) as unread) as given where outcome.id = given.id"};
    give.values.number(row_limit(limit));
    if (const auto given = statements_.change(give); !given) return given.error();
    return read_outcomes(after, limit);
}

Result<std::int64_t> PostgresOutboxTransaction::told() {
    const auto rows = statements_.ask({"select told from twiliowa.outbox"});
    if (!rows) return rows.error();
    return rows->number(0, 0);
}

Result<void> PostgresOutboxTransaction::set_told(std::int64_t cursor) {
    // Of two who tell, the slower one does not take back what the other has told.
    PostgresStatement update{"update twiliowa.outbox set told = greatest(told, $1)"};
    update.values.number(cursor);
    const auto done = statements_.change(update);
    return done ? Result<void>{} : done.error();
}

// ---- Pauses and facts

Result<std::vector<Pause>> PostgresOutboxTransaction::pauses() {
    const auto rows =
        statements_.ask({"select place, name, reason, since from twiliowa.pause order by id"});
    if (!rows) return rows.error();
    std::vector<Pause> found;
    for (std::size_t row = 0; row < rows->size(); ++row) {
        found.push_back({static_cast<Pause::Of>(rows->number(row, 0)),
                         std::string{rows->bytes(row, 1)}, std::string{rows->bytes(row, 2)},
                         time_of_stored(rows->number(row, 3))});
    }
    return found;
}

Result<void> PostgresOutboxTransaction::pause(const Pause& pause) {
    PostgresStatement insert{
        "insert into twiliowa.pause (place, name, reason, since) values ($1, $2, $3, $4) "
        "on conflict (place, name) do update set reason = excluded.reason, since = excluded.since"};
    insert.values.number(static_cast<std::int64_t>(pause.of))
        .bytes(pause.name)
        .bytes(pause.reason)
        .number(stored_time(pause.since));
    const auto done = statements_.change(insert);
    return done ? Result<void>{} : done.error();
}

Result<void> PostgresOutboxTransaction::resume(Pause::Of of, std::string_view name) {
    PostgresStatement erase{"delete from twiliowa.pause where place = $1 and name = $2"};
    erase.values.number(static_cast<std::int64_t>(of)).bytes(name);
    const auto done = statements_.change(erase);
    return done ? Result<void>{} : done.error();
}

Result<std::string> PostgresOutboxTransaction::fact(std::string_view name) {
    if (const auto known = facts_.find(name); known != facts_.end()) return known->second;
    PostgresStatement select{"select value from twiliowa.fact where name = $1"};
    select.values.bytes(name);
    const auto rows = statements_.ask(select);
    if (!rows) return rows.error();
    std::string value{rows->empty() ? std::string_view{} : rows->bytes(0, 0)};
    facts_.emplace(name, value);
    return value;
}

Result<void> PostgresOutboxTransaction::set_fact(std::string_view name, std::string_view value) {
    const auto before = fact(name);
    if (!before) return before.error();
    sets_facts_ = true;
    if (*before == value) return {};
    PostgresStatement set;
    set.values.bytes(name);
    if (value.empty()) {
        set.sql = "delete from twiliowa.fact where name = $1 and value = $2";
        set.values.bytes(*before);
    } else if (before->empty()) {
        set.sql = "insert into twiliowa.fact (name, value) values ($1, $2) on conflict do nothing";
        set.values.bytes(value);
    } else {
        set.sql = "update twiliowa.fact set value = $3 where name = $1 and value = $2";
        set.values.bytes(*before).bytes(value);
    }
    const auto done = statements_.change(set);
    if (!done) return done.error();
    if (done->changed() != 1) return statements_.begin_anew(BeginAnew::conflict);
    facts_.insert_or_assign(std::string{name}, std::string{value});
    return {};
}

// ---- Erasing

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
    static const std::string sql =
        "with old as materialized (select updated_at, sequence from twiliowa.job_done "
        "where updated_at < $1 order by updated_at limit $2), "
        "gone as (delete from twiliowa.job_done as job using old "
        "where job.updated_at = old.updated_at and job.sequence = old.sequence "
        "returning job.sequence, job.id, job.tenant, job.key, job.state, job.sid), "
        "payloads as (delete from twiliowa.job_payload where job in (select sequence from gone)), "
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
    if (auto sent = flush(); !sent) return sent.error();
    PostgresStatement tend{"select 1 from twiliowa.tend_days($1, $2)"};
    tend.values.number(stored_time(now_)).number(stored_time(before));
    if (const auto done = statements_.ask(tend); !done) return done.error();
    PostgresStatement erase{sql};
    erase.values.number(stored_time(before)).number(row_limit(limit)).number(stored_time(now_));
    const auto rows = statements_.change(erase);
    if (!rows) return rows.error();
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
    return rows->number(0, 0);
}

NativeTransaction PostgresOutboxTransaction::native() {
    // Where that fails, so will the program's statements, and the work with them.
    static_cast<void>(flush());
    statements_.note_write();
    return {.postgresql = statements_.connection().native()};
}

Result<void> PostgresOutboxTransaction::check_native() {
    // That the server is gone is not the program's doing, and found with the next statement.
    if (failure()) return {};
    switch (statements_.connection().borrowed_state()) {
        case BorrowedState::in_transaction:
        case BorrowedState::lost:
            return {};
        case BorrowedState::ended:
            return store_error("lost its transaction to a statement of the program's",
                               "use no COMMIT and no ROLLBACK, but to a savepoint");
        case BorrowedState::failed:
            return store_error("was left with a statement of the program's that failed",
                               "throw where one does, or roll back to a savepoint before it");
        case BorrowedState::busy:
            break;
    }
    // What is under way there cannot be told from what is asked next.
    statements_.connection().close();
    return store_error("was left in the middle of the program's statements",
                       "read all results, and leave COPY and pipeline mode");
}

}  // namespace twiliowa::detail
