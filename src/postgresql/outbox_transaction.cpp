#include "postgresql/outbox_transaction.hpp"

#include <algorithm>
#include <iterator>
#include <limits>

#include <twiliowa/state/store.hpp>

namespace twiliowa::detail {

// ---- Works

void PostgresOutboxTransaction::Pending::add(Pending&& later) {
    std::move(later.inserts.begin(), later.inserts.end(), std::back_inserter(inserts));
    for (auto& each : later.keys) keys.insert(std::move(each));
    changed.merge(later.changed);
    for (auto& [at, attempt] : later.attempts) attempts.insert_or_assign(at, std::move(attempt));
    std::move(later.outcomes.begin(), later.outcomes.end(), std::back_inserter(outcomes));
    for (auto& [sid, owner] : later.sids) sids.insert_or_assign(sid, owner);
    campaigns.merge(later.campaigns);
    counted.add(std::move(later.counted));
    later = {};
}

void PostgresOutboxTransaction::CountedChanges::add(CountedChanges&& later) {
    for (const auto& [at, jobs] : later.tally) tally[at] += jobs;
    for (const auto& each : later.quotas) add_use(quotas, each.second);
    for (const auto& [at, more] : later.campaigns) {
        auto& sum = campaigns[at];
        sum.jobs += more.jobs;
        sum.spend += more.spend;
    }
    later = {};
}

void PostgresOutboxTransaction::begin_work() {
    statements_.begin_work();
    inbox_.begin_work();
    before_.clear();
    campaigns_before_.clear();
    facts_before_ = facts_;
}

void PostgresOutboxTransaction::keep_work() {
    batch_.add(std::move(work_));
    inbox_.keep_work();
    before_.clear();
    campaigns_before_.clear();
}

bool PostgresOutboxTransaction::drop_work() {
    work_ = {};
    inbox_.drop_work();
    for (auto& [id, known] : before_) known_.insert_or_assign(id, std::move(known));
    before_.clear();
    for (auto& [id, known] : campaigns_before_) known_campaigns_.insert_or_assign(id, known);
    campaigns_before_.clear();
    facts_ = facts_before_;
    return !statements_.has_sent();
}

void PostgresOutboxTransaction::forget() {
    known_.clear();
    known_campaigns_.clear();
    owners_.clear();
    inbox_.forget();
    statements_.recover();
}

// ---- What is sent together

Result<void> PostgresOutboxTransaction::flush() {
    if (failure()) return *failure();
    const bool mine = !work_.inserts.empty() || !work_.changed.empty() || !work_.attempts.empty() ||
                      !work_.outcomes.empty() || !work_.campaigns.empty();
    auto all = std::move(batch_);
    auto work = std::move(work_);
    batch_ = {};
    work_ = {};
    batch_.counted = std::exchange(all.counted, {});
    work_.counted = std::exchange(work.counted, {});
    all.add(std::move(work));

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
        if (auto inserted = insert_quotas(all.inserts)) send(std::move(*inserted));
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
    std::vector<const StoredJob*> counted;
    std::vector<ChangedJob> new_asides;
    std::vector<ChangedJob> asides;
    for (const auto& id : all.changed) {
        const auto& known = known_.at(id);
        const auto& job = known.job;
        moves[{place_of(known.state), place_of(job.state)}].push_back({&job, known.revision});
        if (known.has_payload && job.payload.empty()) erased.add_number(job.sequence);
        if (!job.quota.empty() && known.counted != job.counted) counted.push_back(&job);
        if (known.aside != aside_of(job)) {
            (known.aside_revision == 0 ? new_asides : asides)
                .push_back({&job, known.aside_revision});
        }
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
        send(stays ? update_jobs(jobs) : move_jobs(mode_.tables, jobs, way.first, way.second),
             {jobs.size(), BeginAnew::conflict});
    }
    if (!counted.empty()) send(update_counted(counted));
    if (!new_asides.empty()) {
        send(insert_asides(new_asides), {new_asides.size(), BeginAnew::conflict});
    }
    if (!asides.empty()) send(update_asides(asides), {asides.size(), BeginAnew::conflict});
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
    if (!all.campaigns.empty()) {
        send(update_campaigns(all.campaigns), {all.campaigns.size(), BeginAnew::conflict});
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
        known.state = known.job.state;
        known.revision = known.job.revision;
        known.has_payload = !known.job.payload.empty();
        known.sid = known.job.sid;
        known.counted = known.job.counted;
        auto aside = aside_of(known.job);
        if (known.aside != aside) {
            known.aside = std::move(aside);
            ++known.aside_revision;
        }
    }
    for (const auto& id : all.campaigns) {
        auto& known = known_campaigns_.at(id);
        known.revision = known.campaign.revision;
        known.defined_anew = false;
    }
    for (const auto& [sid, owner] : all.sids) owners_.insert_or_assign(sid, owner);
    return {};
}

/// What became of jobs that had gone goes with what is claimed then, in the same statements.
Result<void> PostgresOutboxTransaction::flush_before_claims() {
    for (const auto* const pending : {&work_, &batch_}) {
        const bool concerned =
            !pending->inserts.empty() ||
            std::any_of(pending->changed.begin(), pending->changed.end(), [&](const JobId& id) {
                const auto& known = known_.at(id);
                // Others of its order_key may be behind it.
                return known.state == JobState::ready || known.job.state == JobState::ready ||
                       !known.job.order_key.empty();
            });
        if (concerned) return flush();
    }
    return failure() ? Result<void>{*failure()} : Result<void>{};
}

Result<void> PostgresOutboxTransaction::finish() {
    if (auto sent = flush(); !sent) return sent;
    if (!batch_.counted.quotas.empty()) statements_.note_write();
    if (!statements_.has_written()) return {};
    std::vector<PostgresStatement> statements;
    std::vector<std::size_t> right;  ///< How many rows each has to give; all of them if max.
    constexpr auto any = (std::numeric_limits<std::size_t>::max)();
    if (sets_facts_) {
        // Who sets a fact goes by jobs that others may be changing by what they know of facts.
        PostgresArray jobs{PostgresType::number};
        PostgresArray revisions{PostgresType::number};
        for (const auto& each : known_) {
            if (place_of(each.second.state) != JobPlace::open) continue;
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
    // The last that may have to wait for others: nobody waits for who does.
    for (auto& uses : quota_uses()) {
        right.push_back(any);
        statements.push_back(std::move(uses));
    }
    PostgresArray tenants{PostgresType::bytes};
    PostgresArray states{PostgresType::number};
    PostgresArray jobs{PostgresType::number};
    for (const auto& [at, more] : batch_.counted.tally) {
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
    if (auto tally = campaign_tally()) {
        right.push_back(any);
        statements.push_back(std::move(*tally));
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

// ---- The program's statements

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
