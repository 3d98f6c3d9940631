#include "postgresql/outbox_transaction.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include <twiliowa/state/store.hpp>

namespace twiliowa::detail {

namespace {

/// For the error of a job that was changed since it was read.
Error changed_by_another() {
    return store_error("has a job that another changed meanwhile", "read it again");
}

Error keeps_no_quotas_yet() {
    return store_error("has tables of an earlier version, which keep no quotas", "migrate them");
}

Error keeps_no_campaigns_yet() {
    return store_error(
        "has tables of an earlier version, which keep no campaigns, chains and costs",
        "migrate them");
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
    job.quota = kept.quota;
    job.cost = kept.cost;
    job.campaign = kept.campaign;
    job.variant = kept.variant;
    job.step = kept.step;
    if (kept.payload.empty()) job.payload.clear();
}

PostgresArray array_of(std::span<const JobId> ids) {
    PostgresArray array{PostgresType::bytes};
    for (const auto& id : ids) array.add(bytes_of(id));
    return array;
}

}  // namespace

// ---- Reading jobs

Result<std::vector<StoredJob>> PostgresOutboxTransaction::jobs_of(
    const PostgresStatement& statement) {
    if (auto sent = flush(); !sent) return sent.error();
    return ask_jobs(statement);
}

Result<std::vector<StoredJob>> PostgresOutboxTransaction::ask_jobs(
    const PostgresStatement& statement) {
    const auto rows = statements_.ask(statement);
    if (!rows) return rows.error();
    return read_jobs(*rows);
}

Result<std::vector<StoredJob>> PostgresOutboxTransaction::read_jobs(const PostgresRows& rows) {
    std::vector<StoredJob> jobs;
    std::vector<std::int64_t> aside_revisions;
    jobs.reserve(rows.size());
    for (std::size_t row = 0; row < rows.size(); ++row) {
        auto read = read_job(rows, row);
        jobs.push_back(std::move(read.job));
        aside_revisions.push_back(read.aside_revision);
    }
    if (auto read = read_attempts(jobs); !read) return read.error();
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        const auto& job = jobs[i];
        const auto known = known_.find(job.id);
        // Somebody has changed it between two statements.
        if (known != known_.end() && known->second.revision != job.revision) {
            return statements_.begin_anew(BeginAnew::conflict);
        }
        known_.insert_or_assign(
            job.id, KnownJob{job, job.state, job.revision, !job.payload.empty(), job.sid,
                             job.counted, aside_of(job), aside_revisions[i]});
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
        return select_stored_jobs(job_rows_of(place, "where job.id = any($1)"), "found.sequence");
    };
    static const auto open = sql_of(JobPlace::open);
    static const auto done = sql_of(JobPlace::done);
    for (const auto* const sql : {&open, &done}) {
        std::vector<JobId> unknown;
        std::copy_if(ids.begin(), ids.end(), std::back_inserter(unknown),
                     [&](const JobId& id) { return !known_.contains(id); });
        if (unknown.empty()) return {};
        // What is not known was not changed here, but it may be new.
        if (!work_.inserts.empty() || !batch_.inserts.empty()) {
            if (auto sent = flush(); !sent) return sent;
        }
        PostgresStatement select{sql->of(mode_.tables)};
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
    if (!job.quota.empty() && !mode_.has_quotas()) {
        return statements_.failed(keeps_no_quotas_yet());
    }
    if (has_aside(job) && !mode_.has_campaigns()) {
        return statements_.failed(keeps_no_campaigns_yet());
    }
    if (mode_.one_by_one) return insert_at_once(job);
    // That the key is new is found out when it is sent.
    const KeyOf key{job.tenant, job.key};
    if (const auto* const known = pending_key(key)) return *known;
    work_.keys.emplace(key, InsertedJob{false, job.id, job.content_hash, JobState::ready});
    work_.inserts.push_back(job);
    count(job.tenant, JobState::ready, 1);
    count_campaign(job, 1);
    return InsertedJob{.inserted = true, .id = job.id};
}

Result<InsertedJob> PostgresOutboxTransaction::insert_at_once(const StoredJob& job) {
    const auto rows = statements_.change(insert_jobs({&job, 1}));
    if (!rows) return rows.error();
    if (rows->number(0, 0) == 1) {
        if (auto quota = insert_quotas({&job, 1})) {
            if (const auto noted = statements_.change(*quota); !noted) return noted.error();
        }
        count(job.tenant, JobState::ready, 1);
        count_campaign(job, 1);
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
    if (!mode_.has_campaigns() && aside_of(job) != JobAside{}) {
        return statements_.failed(keeps_no_campaigns_yet());
    }
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
    if (next.state != known.job.state || next.reason != known.job.reason ||
        next.spend != known.job.spend) {
        count_campaign(known.job, -1);
        count_campaign(next, 1);
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
    static const auto sql = select_stored_jobs(
        job_rows_of(JobPlace::open,
                    "where content_hash is null and state = 0 order by sequence limit $1 "
                    "for update skip locked"),
        "found.sequence");
    PostgresStatement select{sql.of(mode_.tables)};
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
    const std::string table{table_of(place_of(known.state))};
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

}  // namespace twiliowa::detail
