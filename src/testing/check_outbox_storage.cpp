#include <twiliowa/testing/check_outbox_storage.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <initializer_list>
#include <iterator>
#include <map>
#include <optional>
#include <stdexcept>
#include <thread>
#include <utility>

#include <twiliowa/state/store.hpp>
#include <twiliowa/types/error.hpp>

#include "testing/outbox_check.hpp"

namespace twiliowa::testing {

namespace {

using namespace outbox_check;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::seconds;

/// What a work throws in a check of what an exception undoes.
struct CheckedException : std::runtime_error {
    CheckedException() : std::runtime_error("thrown by the check") {}
};

class OutboxStorageCheck final : OutboxCheck {
public:
    OutboxStorageCheck(const OutboxStorageFactory& open, const CheckOutboxStorageOptions& options)
        : OutboxCheck(open, options, 0) {}

    std::vector<std::string> run() {
        tells_who_it_is();
        inserted_comes_back();
        saved_comes_back();
        several_are_loaded();
        known_jobs_are_reloaded();
        keys_are_unique();
        attempts_and_sids_are_found();
        revisions_are_compared();
        errors_undo();
        exceptions_undo();
        ready_gives_what_is_due();
        ready_is_ordered();
        ready_follows_its_own_work();
        groups_are_told();
        order_is_kept();
        the_held_are_overtaken();
        leases_end();
        looks_expiries_and_fetches_are_due();
        next_due_is_the_first();
        last_change_is_the_last();
        lists_filter();
        jobs_are_counted();
        outcomes_are_told();
        pauses_are_kept();
        facts_are_kept();
        payloads_are_erased();
        jobs_are_purged();
        keys_are_purged();
        what_was_handed_over_is_rewritten();
        strangers_are_adopted();
        quotas_are_counted();
        quotas_are_undone();
        quotas_are_forgotten();
        quotas_are_taken_by_one();
        works_do_not_mix();
        return std::move(faults_);
    }

private:
    // ---- The checks

    void tells_who_it_is() {
        expect(storage_->outbox_id() == other_->outbox_id(),
               "outbox_id differs between two of `open`");
        expect(storage_->identity() == other_->identity(),
               "identity differs between two of `open`");
        const auto before = storage_->lease_now();
        LeaseTime within;
        work("lease_now", [&](OutboxTransaction& t) { within = t.lease_now(); });
        const auto after = other_->lease_now();
        // Each may have heard the time of a server when an answer came late.
        constexpr std::int64_t heard_late = 1'000'000;
        expect(before.boot == within.boot && within.boot == after.boot &&
                   before.microseconds <= within.microseconds + heard_late &&
                   within.microseconds <= after.microseconds + heard_late,
               "lease_now does not go forward from one to another of `open`");
    }

    void inserted_comes_back() {
        auto job = new_job();
        job.tenant = any_bytes("tenant");
        job.key = any_bytes("key");
        job.content_hash = any_bytes("hash");
        job.payload = any_bytes("payload");
        job.tag = any_bytes("tag");
        job.account = any_bytes("account");
        job.sender = any_bytes("sender");
        job.customer = any_bytes("customer");
        job.order_key = any_bytes("order");
        job.lane = Lane::bulk;
        job.on_unknown = OnUnknown::resend_after(seconds{90}, 7);
        job.expires_at = checked_year(2040) + microseconds{1};
        job.created_at = checked_year(2001) + microseconds{2};
        job.updated_at = checked_year(2001) + microseconds{3};
        job.not_before = checked_year(2002) + microseconds{4};
        job.quota = any_bytes("quota");
        job.cost = QuotaSlot::most;
        InsertedJob inserted;
        work("insert", [&](OutboxTransaction& t) { inserted = t.insert(job).value(); });
        expect(inserted.inserted && inserted.id == job.id, "insert did not say that it inserted");
        expect_same(job, "a job that was inserted");
        finish(job.id);
        // What is empty is no null, and what is long is whole.
        auto bare = new_job();
        bare.payload = std::string(100'000, 'p');
        bare.key = std::string(1'000, 'k');
        bare.sender.clear();
        bare.customer.clear();
        insert(bare);
        expect_same(bare, "a job with empty and long texts");
        finish(bare.id);
    }

    void saved_comes_back() {
        auto job = new_job();
        job.quota = "quota";
        job.cost = 1;
        job = insert(job);
        job.expires_at = checked_year(2041);
        job.state = JobState::unknown;
        job.reason = DeadReason::exhausted;
        job.not_before = checked_year(2003);
        job.fence = 1'000'000'000'000;
        job.worker = any_bytes("worker");
        job.lease_until = {any_bytes("boot"), 1'000'000'000'001};
        job.tries = 3;
        job.sid = any_bytes("sid");
        job.evidence = Evidence::callback;
        job.status = any_bytes("status");
        job.price = any_bytes("price");
        job.price_unit = any_bytes("unit");
        job.error_code = 63016;
        job.problem = any_bytes("problem");
        job.doubles = {any_bytes("double"), "", "2:ab"};
        job.candidates = {any_bytes("candidate")};
        job.unknown_since = checked_year(2004);
        job.looks = 4;
        job.looks_answered = 2;
        job.last_answer = checked_year(2005);
        job.next_look = checked_year(2045);
        job.suspect_since = checked_year(2007);
        job.decision = JobDecision{any_bytes("person"), "", checked_year(2009)};
        job.cancel_requested = true;
        job.updated_at = checked_year(2008);
        job.attempts = {attempt(1), attempt(2)};
        job.attempts[0].account_sid = any_bytes("account");
        job.attempts[0].sid = any_bytes("sid");
        job.attempts[0].problem = any_bytes("problem");
        job.attempts[0].may_duplicate = true;
        job.attempts[0].http_status = 503;
        job.attempts[0].error_code = 20500;
        job.attempts[0].evidence = Evidence::list;
        job.attempts[0].marked = true;
        job.counted = {{1, true, {{60, checked_year(2010)}, {0, checked_year(2011)}}},
                       {2, false, {}}};
        save(job);
        expect_same(job, "a job of which all was saved");
        // A second time, less of it.
        job.attempts[1].state = AttemptState::sent;
        job.attempts[1].sid = "SM2";
        job.attempts.push_back(attempt(3));
        job.expires_at.reset();
        job.unknown_since.reset();
        job.last_answer.reset();
        job.next_look.reset();
        job.suspect_since.reset();
        job.decision.reset();
        job.doubles.clear();
        job.candidates.clear();
        job.worker.clear();
        job.lease_until = {};
        job.cancel_requested = false;
        job.counted[0].counts = false;
        job.counted.pop_back();
        save(job);
        expect_same(job, "a job that was saved again");
        job.payload.clear();
        save(job);
        expect_same(job, "a job whose payload was erased by save");
        finish(job.id);
    }

    void several_are_loaded() {
        const auto first = insert(new_job());
        const auto second = insert(new_job());
        expect(first.sequence > 0 && second.sequence > first.sequence,
               "sequence does not grow with each insert");
        expect(first.state == JobState::ready && first.revision > 0,
               "a new job is not ready, or has no revision");
        const std::vector<JobId> ids{second.id, next_id(), first.id};
        work("load", [&](OutboxTransaction& t) {
            const auto jobs = t.load(ids).value();
            expect(jobs.size() == 2 && jobs[0].id == second.id && jobs[1].id == first.id,
                   "load did not give two known jobs of three ids, in the order of the ids");
            expect(t.load({}).value().empty(), "load of no ids gave jobs");
        });
        finish(first.id);
        finish(second.id);
    }

    void known_jobs_are_reloaded() {
        const auto same = insert(new_job());
        const auto before = insert(new_job());
        auto gone = new_job();
        gone.sequence = 1'000'000'000;
        gone.revision = 1;
        auto changed = load(before.id);
        changed.problem = "changed meanwhile";
        changed.attempts = {attempt(1)};
        save(changed);
        const std::vector<StoredJob> known{before, gone, same};
        work("reload", [&](OutboxTransaction& t) {
            auto jobs = t.reload(known).value();
            expect(jobs.size() == 2 && jobs[0].id == before.id && jobs[1].id == same.id,
                   "reload did not give two known jobs of three, in their order");
            if (jobs.size() != 2) return;
            expect(jobs[0].problem == changed.problem && jobs[0].attempts.size() == 1,
                   "reload gave a job as it was before it was changed");
            expect(jobs[1].key == same.key && jobs[1].payload == same.payload &&
                       jobs[1].revision == same.revision,
                   "reload did not give what nobody changed as it was");
            jobs[0].problem = "saved after it was reloaded";
            jobs[1].problem = jobs[0].problem;
            expect(t.save(jobs[0]) && t.save(jobs[1]), "what was reloaded could not be saved");
        });
        expect(load(before.id).problem == load(same.id).problem, "what was reloaded was not saved");
        finish(before.id);
        finish(same.id);
    }

    void keys_are_unique() {
        const auto first = insert(new_job());
        auto same = new_job();
        same.tenant = first.tenant;
        same.key = first.key;
        same.content_hash = "another";
        auto elsewhere = same;
        elsewhere.id = next_id();
        elsewhere.tenant = "another";
        auto longer = new_job();
        longer.tenant = first.tenant;
        longer.key = first.key + std::string("\0a", 2);
        work("insert", [&](OutboxTransaction& t) {
            const auto again = t.insert(same).value();
            expect(!again.inserted, "insert took a key that its tenant has a job of");
            expect(again.id == first.id && again.content_hash == first.content_hash &&
                       again.state == JobState::ready,
                   "insert did not tell of the job that has the key");
            expect(t.load({&same.id, 1}).value().empty(),
                   "a job that was not inserted can be loaded");
            expect(t.insert(elsewhere).value().inserted, "insert refused another tenant's key");
            expect(t.insert(longer).value().inserted,
                   "insert refused a key that differs from another after a NUL");
            expect(id_of_key(t, first.tenant, first.key) == first.id &&
                       id_of_key(t, "another", first.key) == elsewhere.id,
                   "find_key did not find the tenant's own job");
            expect(!t.find_key(first.tenant, "nobody's").value(),
                   "find_key found what is nobody's");
        });
        expect_same(first, "a job whose key was inserted again");
        auto done = first;
        done.state = JobState::accepted;
        save(done);
        work("insert", [&](OutboxTransaction& t) {
            expect(t.insert(same).value().state == JobState::accepted,
                   "insert did not tell the state of the job that has the key");
        });
        for (const auto& id : {first.id, elsewhere.id, longer.id}) finish(id);
    }

    void attempts_and_sids_are_found() {
        auto job = insert(new_job());
        auto other = insert(new_job());
        job.attempts = {attempt(1), attempt(2)};
        job.sid = next_sid();
        save(job);
        other.attempts = {attempt(1)};
        save(other);
        work("find_attempt", [&](OutboxTransaction& t) {
            expect(t.find_attempt(job.id, job.attempts[0].nonce).value() == 1 &&
                       t.find_attempt(job.id, job.attempts[1].nonce).value() == 2,
                   "find_attempt did not give the attempt's number");
            expect(!t.find_attempt(job.id, other.attempts[0].nonce).value(),
                   "find_attempt found another job's nonce");
            expect(t.find_sid(job.sid).value() == job.id, "find_sid did not find the job");
            expect(!t.find_sid("SMnobody").value(), "find_sid found a SID that no job has");
        });
        const auto sid = job.sid;
        job.sid.clear();
        save(job);
        work("find_sid", [&](OutboxTransaction& t) {
            expect(!t.find_sid(sid).value(), "find_sid found a SID that its job has no more");
            expect(!t.find_sid("").value(), "find_sid of no SID found a job without one");
        });
        finish(job.id);
        finish(other.id);
    }

    void revisions_are_compared() {
        const auto job = insert(new_job());
        for (auto* const through : {storage_.get(), other_.get()}) {
            auto mine = load(job.id);
            auto theirs = mine;
            mine.problem = "mine";
            const auto before = mine.revision;
            save(mine);
            expect(mine.revision > before, "save did not raise the job's revision");
            theirs.problem = "theirs";
            theirs.attempts = {attempt(9)};
            const auto nonce = theirs.attempts[0].nonce;
            bool refused = false;
            auto result = transact(*through, "save", [&](OutboxTransaction& t) -> Result<void> {
                auto saved = t.save(theirs);
                refused = !saved;
                return saved;
            });
            expect(refused, "save wrote over what was changed since it was read");
            expect(result && !*result && is_store_error(result->error()),
                   "save of what was changed since is no store_error of transact");
            expect(load(job.id).problem == "mine", "a save that was refused changed the job");
            work("find_attempt", [&](OutboxTransaction& t) {
                expect(!t.find_attempt(job.id, nonce).value(),
                       "a save that was refused left an attempt");
            });
        }
        auto twice = load(job.id);
        work("save", [&](OutboxTransaction& t) {
            auto copy = twice;
            copy.problem = "one";
            t.save(copy).value();
            copy.problem = "two";
            t.save(copy).value();
        });
        expect(load(job.id).problem == "two", "a job was not saved twice in one work");
        auto gone = new_job();
        gone.sequence = 1'000'000'000;
        gone.revision = 1;
        auto result =
            transact(*storage_, "save", [&](OutboxTransaction& t) { return t.save(gone); });
        expect(result && !*result, "save of a job that is not there succeeded");
        finish(job.id);
    }

    /// Everything that a work can do, and does not, if it fails.
    void do_all(OutboxTransaction& t, StoredJob known, const StoredJob& fresh) {
        t.insert(fresh).value();
        known.problem = "changed";
        known.attempts.push_back(attempt(5));
        t.save(known).value();
        t.add_outcome({0, known.id, Outcome::held, checked_year(2001)}).value();
        t.set_told(t.told().value() + 1).value();
        t.pause({Pause::Of::tenant, "undone", "", checked_year(2001)}).value();
        t.set_fact("undone", "yes").value();
    }

    void expect_undone(const StoredJob& known, const StoredJob& fresh, std::int64_t told,
                       std::size_t outcomes, const std::string& by) {
        expect_same(known, "a job whose save was undone by " + by);
        work("look", [&](OutboxTransaction& t) {
            expect(t.load({&fresh.id, 1}).value().empty(), by + " did not undo insert");
            expect(!t.find_key(fresh.tenant, fresh.key).value(), by + " did not undo a key");
            expect(t.told().value() == told, by + " did not undo set_told");
            expect(t.outcomes(0, 10'000).value().size() == outcomes,
                   by + " did not undo add_outcome");
            expect(t.fact("undone").value().empty(), by + " did not undo set_fact");
            const auto pauses = t.pauses().value();
            expect(std::none_of(pauses.begin(), pauses.end(),
                                [](const auto& each) { return each.name == "undone"; }),
                   by + " did not undo pause");
            expect(t.insert(fresh).value().inserted, by + " left a key that is nobody's");
        });
        finish(fresh.id);
    }

    void errors_undo() {
        const auto known = insert(new_job());
        const auto fresh = new_job();
        std::int64_t told = 0;
        std::size_t outcomes = 0;
        work("told", [&](OutboxTransaction& t) {
            told = t.told().value();
            outcomes = t.outcomes(0, 10'000).value().size();
        });
        const auto result =
            transact(*storage_, "transact", [&](OutboxTransaction& t) -> Result<void> {
                do_all(t, known, fresh);
                return Error::invalid_request("check", "fails");
            });
        expect(result && !*result && result->error().what().find("check") != std::string::npos,
               "transact did not answer the error of its work");
        expect_undone(known, fresh, told, outcomes, "an error");
        finish(known.id);
    }

    void exceptions_undo() {
        const auto known = insert(new_job());
        const auto fresh = new_job();
        std::int64_t told = 0;
        std::size_t outcomes = 0;
        work("told", [&](OutboxTransaction& t) {
            told = t.told().value();
            outcomes = t.outcomes(0, 10'000).value().size();
        });
        bool passed_on = false;
        try {
            static_cast<void>(storage_->transact([&](OutboxTransaction& t) -> Result<void> {
                do_all(t, known, fresh);
                throw CheckedException{};
            }));
        } catch (const CheckedException&) {
            passed_on = true;
        } catch (const std::exception& exception) {
            fault(std::string("a work failed: ") + exception.what());
        }
        expect(passed_on, "transact did not pass on the exception of its work");
        expect_undone(known, fresh, told, outcomes, "an exception");
        finish(known.id);
    }

    void ready_gives_what_is_due() {
        const auto group = next_group();
        const auto now = checked_year(2010);
        const auto due = insert(job_of(group, now));
        const auto later = insert(job_of(group, now + microseconds{1}));
        std::vector<JobId> ids{due.id, later.id};
        for (const auto state : {JobState::claimed, JobState::sending, JobState::unknown,
                                 JobState::held, JobState::accepted, JobState::delivered,
                                 JobState::undelivered, JobState::dead, JobState::cancelled}) {
            auto job = insert(job_of(group, now));
            job.state = state;
            job.lease_until = {"check", 1};
            save(job);
            ids.push_back(job.id);
        }
        auto suspect = insert(job_of(group, now));
        suspect.suspect_since = now;
        save(suspect);
        ids.push_back(suspect.id);
        for (int i = 0; i < 4; ++i) {
            auto elsewhere = group;
            if (i == 0) elsewhere.sender += 'x';
            if (i == 1) elsewhere.lane = Lane::high;
            if (i == 2) elsewhere.tenant += 'x';
            if (i == 3) elsewhere.account += 'x';
            ids.push_back(insert(job_of(elsewhere, now)).id);
        }
        work("ready", [&](OutboxTransaction& t) {
            const auto jobs = t.ready({group, now, now, 100}).value();
            expect(jobs.size() == 1 && jobs[0].id == due.id,
                   "ready did not give exactly what is ready, due, not suspect and of the group");
            if (!jobs.empty()) {
                expect(different_member(jobs[0], due).empty(),
                       "ready gave a job that is not whole");
            }
            expect(t.ready({group, now + microseconds{1}, now, 100}).value().size() == 2,
                   "ready did not give a job at its not_before");
            expect(t.ready({group, now, now, 0}).value().empty(),
                   "ready of a limit of 0 gave jobs");
        });
        for (const auto& id : ids) finish(id);
    }

    void ready_is_ordered() {
        const auto group = next_group();
        const auto now = checked_year(2010);
        std::vector<JobId> ids;
        for (const int at : {5, 3, 4, 3}) {
            ids.push_back(insert(job_of(group, now + seconds{at})).id);
        }
        const std::vector<JobId> order{ids[1], ids[3], ids[2], ids[0]};
        work("ready", [&](OutboxTransaction& t) {
            const auto jobs = t.ready({group, now + seconds{9}, now, 100}).value();
            expect(ids_of(jobs) == order,
                   "ready did not give jobs by not_before, and of one time by their sequence");
            const auto some = t.ready({group, now + seconds{9}, now, 2}).value();
            expect(ids_of(some) == std::vector<JobId>{ids[1], ids[3]},
                   "ready with a limit did not give the oldest");
        });
        // What was taken in this work is not given again.
        work("ready", [&](OutboxTransaction& t) {
            auto jobs = t.ready({group, now + seconds{9}, now, 1}).value();
            if (jobs.empty()) return;
            jobs[0].state = JobState::sending;
            jobs[0].lease_until = {"check", 1};
            t.save(jobs[0]).value();
            const auto next = t.ready({group, now + seconds{9}, now, 1}).value();
            expect(ids_of(next) == std::vector<JobId>{ids[3]},
                   "ready gave what the same work had taken");
        });
        for (const auto& id : ids) finish(id);
    }

    /// What a work has done so far counts in what it is given to send next.
    void ready_follows_its_own_work() {
        const auto group = next_group();
        const auto now = checked_year(2010);
        const auto under_way = [&](const std::string& order_key) {
            auto job = job_of(group, now);
            job.order_key = order_key;
            job = insert(job);
            job.state = JobState::sending;
            job.lease_until = {"check", 1};
            save(job);
            return job;
        };
        const auto given = [&](OutboxTransaction& t) {
            return ids_of(t.ready({group, now, now, 100}).value());
        };
        const auto sent = under_way("");
        const auto retried = under_way("");
        const auto first = under_way("order");
        auto second = job_of(group, now);
        second.order_key = "order";
        second = insert(second);
        const auto fresh = job_of(group, now);
        work("ready", [&](OutboxTransaction& t) {
            auto job = t.load({&sent.id, 1}).value().at(0);
            job.state = JobState::accepted;
            job.lease_until = {};
            t.save(job).value();
            expect(given(t).empty() && is_waiting(t, group) == 1,
                   "ready gave a job that the same work had noted as sent, or what waits for one");
            job = t.load({&retried.id, 1}).value().at(0);
            job.state = JobState::ready;
            job.lease_until = {};
            t.save(job).value();
            expect(given(t) == std::vector<JobId>{retried.id},
                   "ready did not give a job that the same work had made ready");
            finish_in(t, first.id);
            expect(given(t) == std::vector<JobId>{retried.id, second.id},
                   "ready did not give a job when the same work had ended the one before it");
            t.insert(fresh).value();
            expect(given(t) == std::vector<JobId>{retried.id, second.id, fresh.id},
                   "ready did not give a job that the same work had inserted");
        });
        expect(load(sent.id).state == JobState::accepted,
               "what a work had noted before it asked for jobs is not there");
        for (const auto& id : {sent.id, retried.id, second.id, fresh.id}) finish(id);
        const auto other = next_group();
        work("ready_groups", [&](OutboxTransaction& t) {
            expect(is_waiting(t, other) == 0, "ready_groups told of a group without jobs");
            t.insert(job_of(other, now)).value();
            expect(is_waiting(t, other) == 1,
                   "ready_groups did not tell of a job that the same work had inserted");
            for (const auto& id : ids_of(t.ready({other, now, now, 100}).value())) {
                finish_in(t, id);
            }
            expect(is_waiting(t, other) == 0,
                   "ready_groups told of a group whose jobs the same work had ended");
        });
    }

    static std::int64_t is_waiting(OutboxTransaction& t, const ReadyGroup& group) {
        const auto groups = t.ready_groups().value();
        return std::count(groups.begin(), groups.end(), group);
    }

    void groups_are_told() {
        const auto has = [&](const ReadyGroup& group) {
            std::int64_t times = 0;
            work("ready_groups", [&](OutboxTransaction& t) { times = is_waiting(t, group); });
            return times;
        };
        const auto group = next_group();
        auto other = group;
        other.lane = Lane::urgent;
        auto waiting = insert(job_of(group, checked_year(2100)));
        const auto second = insert(job_of(group, checked_year(2100)));
        auto urgent = insert(job_of(other, checked_year(2010)));
        expect(has(group) == 1,
               "ready_groups does not tell once of a group whose jobs are not due");
        expect(has(other) == 1, "ready_groups does not tell of a group that differs by its lane");
        urgent.suspect_since = checked_year(2010);
        save(urgent);
        expect(has(other) == 0, "ready_groups tells of a group that has suspects only");
        waiting.state = JobState::held;
        save(waiting);
        expect(has(group) == 1, "ready_groups lost a group that has a job left");
        finish(second.id);
        expect(has(group) == 0, "ready_groups tells of a group without a ready job");
        finish(waiting.id);
        finish(urgent.id);
    }

    void order_is_kept() {
        const auto group = next_group();
        auto elsewhere = group;
        elsewhere.sender += 'x';
        const auto now = checked_year(2010);
        const auto in_order = [&](const ReadyGroup& of, std::string_view order_key) {
            auto job = job_of(of, now);
            job.order_key = order_key;
            return job;
        };
        auto a = insert(in_order(elsewhere, "k"));
        auto b = insert(in_order(group, "k"));
        auto c = insert(in_order(group, "k"));
        const auto free = insert(in_order(group, ""));
        const auto other_key = insert(in_order(group, "l"));
        auto foreign = in_order(group, "k");
        foreign.tenant += 'x';
        const auto foreign_group =
            ReadyGroup{group.sender, group.lane, foreign.tenant, group.account};
        foreign = insert(foreign);
        const auto held_before = now - hours{1};
        const auto given = [&](const ReadyGroup& of) {
            std::vector<JobId> ids;
            work("ready", [&](OutboxTransaction& t) {
                ids = ids_of(t.ready({of, now, held_before, 100}).value());
            });
            return ids;
        };
        const std::vector<JobId> others{free.id, other_key.id};
        const auto with = [&](const JobId& id) {
            auto ids = others;
            ids.insert(ids.begin(), id);
            return ids;
        };
        expect(given(elsewhere) == std::vector<JobId>{a.id},
               "ready did not give the first of an order_key");
        expect(given(group) == others,
               "ready gave a job before an earlier one of its order_key, or not those without");
        expect(given(foreign_group) == std::vector<JobId>{foreign.id},
               "ready held a job back for another tenant's order_key");
        a.updated_at = now;
        for (const auto state :
             {JobState::claimed, JobState::sending, JobState::unknown, JobState::held}) {
            a.state = state;
            a.lease_until = {"check", 1};
            save(a);
            expect(given(group) == others,
                   "ready gave a job while an earlier one of its order_key was " +
                       std::string{to_string(state)});
        }
        a.state = JobState::ready;
        a.suspect_since = now;
        save(a);
        expect(given(group) == others, "ready gave a job while an earlier one was suspect");
        a.suspect_since.reset();
        a.not_before = now + hours{1};
        save(a);
        expect(given(group) == others, "ready gave a job while an earlier one waited for its time");
        b.state = JobState::cancelled;
        save(b);
        expect(given(group) == others,
               "ready gave a job when one between it and the first had ended");
        a.state = JobState::accepted;
        save(a);
        expect(given(group) == with(c.id),
               "ready did not give a job when all before it of its order_key were accepted");
        // What comes back comes first again.
        b.state = JobState::ready;
        save(b);
        expect(given(group) == with(b.id),
               "ready did not give the first when it had become ready again");
        finish(b.id);
        expect(given(group) == with(c.id), "ready did not go on with the next of an order_key");
        const auto d = insert(in_order(group, "k"));
        finish(c.id);
        expect(given(group) == std::vector<JobId>{free.id, other_key.id, d.id},
               "ready did not go on with a job that was inserted behind others");
        for (const auto& id : {a.id, d.id, free.id, other_key.id, foreign.id}) finish(id);
    }

    void the_held_are_overtaken() {
        const auto group = next_group();
        const auto now = checked_year(2010);
        std::vector<StoredJob> jobs;
        for (int i = 0; i < 3; ++i) {
            auto job = job_of(group, now);
            job.order_key = "held";
            jobs.push_back(insert(job));
        }
        jobs[0].state = JobState::held;
        jobs[0].updated_at = now;
        save(jobs[0]);
        const auto given = [&](TimePoint held_before) {
            std::vector<JobId> ids;
            work("ready", [&](OutboxTransaction& t) {
                ids = ids_of(t.ready({group, now, held_before, 100}).value());
            });
            return ids;
        };
        expect(given(now).empty(), "ready let pass one that was held no longer than held_before");
        const auto later = now + microseconds{1};
        expect(given(later) == std::vector<JobId>{jobs[1].id},
               "ready let others than the next pass one that was held for long");
        jobs[1].state = JobState::held;
        jobs[1].updated_at = now;
        save(jobs[1]);
        expect(given(later) == std::vector<JobId>{jobs[2].id},
               "ready did not let pass two that were held for long");
        jobs[0].state = JobState::ready;
        save(jobs[0]);
        expect(given(later) == std::vector<JobId>{jobs[0].id},
               "ready did not give the first when it was no longer held");
        for (const auto& job : jobs) finish(job.id);
    }

    void leases_end() {
        const auto now = checked_year(2010);
        const auto time = storage_->lease_now();
        const auto leased = [&](JobState state, const LeaseTime& until, seconds updated) {
            auto job = insert(new_job());
            job.state = state;
            job.worker = "check";
            job.lease_until = until;
            job.updated_at = now + updated;
            save(job);
            return job.id;
        };
        const LeaseTime ended{time.boot, time.microseconds};
        const LeaseTime holds{time.boot, time.microseconds + 3'600'000'000};
        const auto sending = leased(JobState::sending, ended, seconds{3});
        const auto claimed = leased(JobState::claimed, ended, seconds{2});
        const auto earlier =
            leased(JobState::sending, {time.boot + '0', holds.microseconds}, seconds{4});
        const auto before = leased(JobState::sending, {"", holds.microseconds}, seconds{5});
        const std::vector<JobId> idle{leased(JobState::sending, holds, seconds{1}),
                                      leased(JobState::claimed, holds, seconds{1}),
                                      leased(JobState::ready, ended, seconds{1}),
                                      leased(JobState::unknown, ended, seconds{1})};
        std::vector<JobId> expected{claimed, sending, earlier};
        if (!time.boot.empty()) expected.push_back(before);
        work("due", [&](OutboxTransaction& t) {
            expect(ids_of(t.due(Due::lease, now + hours{1}, 100).value()) == expected,
                   "due(lease) did not give what is claimed or sending and whose lease has ended, "
                   "or is of another start, by updated_at");
            expect(ids_of(t.due(Due::lease, now + seconds{3}, 100).value()) ==
                       std::vector<JobId>{claimed, sending},
                   "due(lease) gave what was updated later than asked for");
            expect(
                ids_of(t.due(Due::lease, now + hours{1}, 1).value()) == std::vector<JobId>{claimed},
                "due(lease) did not keep to its limit");
        });
        for (const auto& id : {sending, claimed, earlier, before}) finish(id);
        for (const auto& id : idle) finish(id);
    }

    void looks_expiries_and_fetches_are_due() {
        const auto at = checked_year(1985);
        const auto with = [&](JobState state, const auto& change) {
            auto job = insert(new_job());
            job.state = state;
            job.lease_until = {"check", 1};
            job.updated_at = at + hours{1};
            change(job);
            save(job);
            return job.id;
        };
        const auto look = [&](int second) {
            return [&at, second](StoredJob& job) { job.next_look = at + seconds{second}; };
        };
        const auto expiry = [&](int second) {
            return [&at, second](StoredJob& job) { job.expires_at = at + seconds{second}; };
        };
        const auto update = [&](int second) {
            return [&at, second](StoredJob& job) { job.updated_at = at + seconds{second}; };
        };
        const auto second_look = with(JobState::unknown, look(2));
        const auto first_look = with(JobState::ready, look(1));
        const auto third_look = with(JobState::unknown, look(3));
        const auto second_expiry = with(JobState::ready, expiry(2));
        const auto first_expiry = with(JobState::ready, expiry(1));
        const auto no_expiry = with(JobState::unknown, expiry(1));
        const auto second_fetch = with(JobState::accepted, update(2));
        const auto first_fetch = with(JobState::accepted, update(1));
        const auto no_fetch = with(JobState::delivered, update(1));
        const auto due = [&](Due what, int second, std::size_t limit) {
            std::vector<JobId> ids;
            work("due", [&](OutboxTransaction& t) {
                ids = ids_of(t.due(what, at + seconds{second}, limit).value());
            });
            return ids;
        };
        expect(due(Due::look, 2, 100) == std::vector<JobId>{first_look, second_look},
               "due(look) did not give what has a next_look until then, in its order");
        expect(due(Due::expiry, 2, 100) == std::vector<JobId>{first_expiry, second_expiry},
               "due(expiry) did not give what is ready and expires until then, in its order");
        expect(due(Due::fetch, 2, 100) == std::vector<JobId>{first_fetch, second_fetch},
               "due(fetch) did not give what is accepted since then, in its order");
        expect(due(Due::look, 2, 1) == std::vector<JobId>{first_look} &&
                   due(Due::expiry, 2, 1) == std::vector<JobId>{first_expiry} &&
                   due(Due::fetch, 2, 1) == std::vector<JobId>{first_fetch},
               "due did not keep to its limit");
        for (const auto& id : {second_look, first_look, third_look, second_expiry, first_expiry,
                               no_expiry, second_fetch, first_fetch, no_fetch}) {
            finish(id);
        }
    }

    void last_change_is_the_last() {
        const auto last = [&] {
            std::optional<TimePoint> time;
            work("last_change", [&](OutboxTransaction& t) { time = t.last_change().value(); });
            return time;
        };
        // Later than anything that was done before.
        auto year = 2090;
        const auto first = insert(job_of(next_group(), checked_year(1984)));
        for (const auto state :
             {JobState::sending, JobState::unknown, JobState::held, JobState::accepted,
              JobState::delivered, JobState::undelivered, JobState::dead, JobState::cancelled}) {
            auto job = load(first.id);
            job.state = state;
            job.updated_at = checked_year(++year);
            job.lease_until = state == JobState::sending ? LeaseTime{"boot", 1} : LeaseTime{};
            save(job);
            expect(last() == checked_year(year),
                   "last_change is not that of a job that is " + std::string{to_string(state)});
        }
        auto newest = job_of(next_group(), checked_year(1984));
        newest.updated_at = checked_year(2099);
        static_cast<void>(insert(newest));
        expect(last() == checked_year(year), "last_change is that of a job that is ready");
    }

    void next_due_is_the_first() {
        const auto next = [&] {
            std::optional<TimePoint> time;
            work("next_due", [&](OutboxTransaction& t) { time = t.next_due().value(); });
            return time;
        };
        const auto before = next();
        const auto waits = insert(job_of(next_group(), checked_year(1983)));
        expect(next() == checked_year(1983), "next_due is not the not_before of a ready job");
        const auto earlier = insert(job_of(next_group(), checked_year(1982)));
        expect(next() == checked_year(1982),
               "next_due is not the earliest not_before of all groups");
        auto looks = insert(job_of(next_group(), checked_year(2100)));
        looks.state = JobState::unknown;
        looks.next_look = checked_year(1981);
        save(looks);
        expect(next() == checked_year(1981), "next_due is not the next_look of an unknown job");
        auto expires = job_of(next_group(), checked_year(2100));
        expires.expires_at = checked_year(1980);
        expires = insert(expires);
        expect(next() == checked_year(1980), "next_due is not the expires_at of a ready job");
        expires.state = JobState::sending;
        expires.lease_until = {"check", 1};
        save(expires);
        expect(next() == checked_year(1981), "next_due tells of an expiry of what is not ready");
        auto suspect = insert(job_of(next_group(), checked_year(1979)));
        suspect.suspect_since = checked_year(2010);
        save(suspect);
        expect(next() == checked_year(1981), "next_due tells of a suspect's not_before");
        for (const auto& id : {waits.id, earlier.id, looks.id, expires.id, suspect.id}) finish(id);
        expect(next() == before, "next_due tells of what has ended");
    }

    void lists_filter() {
        const auto group = next_group();
        std::vector<StoredJob> jobs;
        for (int i = 0; i < 5; ++i) {
            auto job = job_of(group, checked_year(2010));
            job.tag = i == 1 ? "list-tag" : "";
            job.customer = i == 2 ? "list-customer" : "";
            jobs.push_back(insert(job));
        }
        jobs[3].state = JobState::held;
        jobs[3].suspect_since = checked_year(2010);
        save(jobs[3]);
        jobs[4].state = JobState::delivered;
        save(jobs[4]);
        const auto listed = [&](JobFilter filter) {
            std::vector<JobId> ids;
            work("list", [&](OutboxTransaction& t) { ids = ids_of(t.list(filter).value()); });
            return ids;
        };
        const auto all = ids_of(jobs);
        const auto some = [&](std::initializer_list<int> which) {
            std::vector<JobId> ids;
            for (const int i : which) ids.push_back(all[static_cast<std::size_t>(i)]);
            return ids;
        };
        JobFilter mine{.sender = group.sender};
        expect(listed(mine) == all, "list by sender did not give all jobs of it by their sequence");
        expect(listed({.tenant = group.tenant}) == all, "list by tenant did not give its jobs");
        expect(listed({.account = group.account}) == all, "list by account did not give its jobs");
        expect(listed({.tag = "list-tag"}) == some({1}), "list by tag did not give its job");
        expect(listed({.customers = {"list-customer"}}) == some({2}),
               "list by customer did not give its job");
        auto filter = mine;
        filter.state = JobState::ready;
        expect(listed(filter) == some({0, 1, 2}), "list by state did not give what is ready");
        filter.state = JobState::delivered;
        expect(listed(filter) == some({4}), "list by state did not give what is delivered");
        filter.state = JobState::held;
        filter.suspect_only = true;
        expect(listed(filter) == some({3}), "list of what is held and suspect did not give it");
        filter.state = JobState::ready;
        expect(listed(filter).empty(), "list of suspects gave what is none");
        filter = mine;
        filter.limit = 2;
        expect(listed(filter) == some({0, 1}), "list did not keep to its limit");
        filter.after = jobs[1].sequence;
        expect(listed(filter) == some({2, 3}), "list did not go on after a sequence");
        filter.tag = "list-tag";
        expect(listed(filter).empty(), "list with several conditions asked for less than all");
        filter = {.sender = group.sender, .tag = "list-tag", .customers = {"list-customer"}};
        expect(listed(filter).empty(), "list by tag and customer gave what is of one of them");
        filter = {.tenant = std::string{}, .sender = group.sender};
        expect(listed(filter).empty(), "list by the tenant of no name gave another's");
        expect(listed({.sender = group.sender, .limit = 0}).empty(),
               "list of a limit of 0 gave jobs");
        for (const auto& job : jobs) finish(job.id);
    }

    void jobs_are_counted() {
        const auto group = next_group();
        std::map<JobState, std::int64_t> before;
        std::int64_t all = 0;
        work("counts", [&](OutboxTransaction& t) {
            before = t.counts().value();
            all = t.waiting(std::nullopt).value();
        });
        std::vector<StoredJob> jobs;
        jobs.reserve(4);
        for (int i = 0; i < 4; ++i) jobs.push_back(insert(job_of(group, checked_year(2010))));
        const std::array states{JobState::ready, JobState::held, JobState::accepted,
                                JobState::dead};
        for (std::size_t i = 1; i < 4; ++i) {
            jobs[i].state = states[i];
            jobs[i].updated_at = checked_year(1990);
            save(jobs[i]);
        }
        const auto more = [&](std::array<std::int64_t, 4> each, const std::string& when) {
            work("counts", [&](OutboxTransaction& t) {
                auto now = t.counts().value();
                for (std::size_t i = 0; i < 4; ++i) {
                    expect(now[states[i]] - before[states[i]] == each[i],
                           "counts is wrong for " + std::string{to_string(states[i])} + ' ' + when);
                }
                expect(t.waiting(group.tenant).value() == each[0] + each[1],
                       "waiting of a tenant is wrong " + when);
                expect(t.waiting(std::nullopt).value() - all == each[0] + each[1],
                       "waiting of all is wrong " + when);
            });
        };
        more({1, 1, 1, 1}, "after inserts and saves");
        work("undo", [&](OutboxTransaction& t) {
            expect(t.waiting("nobody").value() == 0, "waiting counts for a tenant without jobs");
        });
        work("purge", [&](OutboxTransaction& t) {
            expect(t.purge(checked_year(1991), std::nullopt, 100).value() == 1,
                   "purge did not remove the one that had ended by then");
        });
        more({1, 1, 1, 0}, "after a purge");
        const auto result =
            transact(*storage_, "insert", [&](OutboxTransaction& t) -> Result<void> {
                t.insert(job_of(group, checked_year(2010))).value();
                return Error::invalid_request("check", "fails");
            });
        expect(result && !*result, "transact did not answer the error of its work");
        more({1, 1, 1, 0}, "after an insert that was undone");
        for (std::size_t i = 0; i < 3; ++i) finish(jobs[i].id);
    }

    void outcomes_are_told() {
        const auto job = insert(new_job());
        const auto other = insert(new_job());
        std::int64_t last = 0;
        work("add_outcome", [&](OutboxTransaction& t) {
            const auto old = t.outcomes(0, 10'000).value();
            last = old.empty() ? 0 : old.back().cursor;
            t.add_outcome({0, job.id, Outcome::accepted, checked_year(2010)}).value();
            t.add_outcome({0, other.id, Outcome::held, checked_year(2011)}).value();
            t.add_outcome({0, job.id, Outcome::read, checked_year(2012)}).value();
        });
        work("outcomes", [&](OutboxTransaction& t) {
            const auto told = t.outcomes(last, 10).value();
            if (told.size() != 3) return fault("outcomes did not give the three that were added");
            expect(last < told[0].cursor && told[0].cursor < told[1].cursor &&
                       told[1].cursor < told[2].cursor,
                   "the cursor of outcomes does not grow");
            expect(told[0].job == job.id && told[0].outcome == Outcome::accepted &&
                       told[0].at == checked_year(2010) && told[1].job == other.id &&
                       told[1].outcome == Outcome::held && told[2].outcome == Outcome::read,
                   "outcomes did not give what was added, in its order");
            const auto some = t.outcomes(told[0].cursor, 1).value();
            expect(some.size() == 1 && some[0].cursor == told[1].cursor,
                   "outcomes did not go on after a cursor, or kept to no limit");
            t.set_told(told[1].cursor).value();
            expect(t.told().value() == told[1].cursor, "told did not give what set_told set");
            t.set_told(told[0].cursor).value();
            expect(t.told().value() == told[1].cursor, "set_told took back what was told");
        });
        work("set_told", [&](OutboxTransaction& t) { t.set_told(last).value(); });
        work("told", [&](OutboxTransaction& t) {
            expect(t.told().value() > last, "set_told took back what another had told");
        });
        finish(job.id);
        finish(other.id);
    }

    void pauses_are_kept() {
        const auto name = any_bytes("pause");
        work("pause", [&](OutboxTransaction& t) {
            t.pause({Pause::Of::sender, name, "first", checked_year(2010)}).value();
            t.pause({Pause::Of::sender, name, any_bytes("second"), checked_year(2011)}).value();
            t.pause({Pause::Of::account, name, "", checked_year(2012)}).value();
            t.pause({Pause::Of::outbox, "", "all", checked_year(2013)}).value();
        });
        const auto kept = [&](Pause::Of of, std::string_view of_name) {
            std::vector<Pause> found;
            work("pauses", [&](OutboxTransaction& t) {
                found = t.pauses().value();
                std::erase_if(found, [&](const Pause& each) {
                    return each.of != of || each.name != of_name;
                });
            });
            return found;
        };
        const auto of_sender = kept(Pause::Of::sender, name);
        expect(of_sender.size() == 1, "a second pause of one place did not replace the first");
        expect(!of_sender.empty() && of_sender[0].reason == any_bytes("second") &&
                   of_sender[0].since == checked_year(2011),
               "pauses did not give what pause set");
        expect(
            kept(Pause::Of::account, name).size() == 1 && kept(Pause::Of::outbox, "").size() == 1,
            "pauses did not give a pause of each place");
        work("resume", [&](OutboxTransaction& t) {
            t.resume(Pause::Of::sender, name).value();
            t.resume(Pause::Of::sender, "nobody").value();
        });
        expect(kept(Pause::Of::sender, name).empty(), "resume did not end a pause");
        expect(kept(Pause::Of::account, name).size() == 1,
               "resume ended a pause of the same name elsewhere");
        work("resume", [&](OutboxTransaction& t) {
            t.resume(Pause::Of::account, name).value();
            t.resume(Pause::Of::outbox, "").value();
        });
    }

    void facts_are_kept() {
        const auto name = any_bytes("fact");
        work("fact", [&](OutboxTransaction& t) {
            expect(t.fact(name).value().empty(), "fact gave what was never set");
            t.set_fact(name, "one").value();
            t.set_fact(name, any_bytes("two")).value();
        });
        work("fact", [&](OutboxTransaction& t) {
            expect(t.fact(name).value() == any_bytes("two"), "fact did not give what set_fact set");
            t.set_fact(name, "").value();
            expect(t.fact(name).value().empty(), "fact did not become empty");
        });
    }

    void payloads_are_erased() {
        const auto at = checked_year(1994);
        std::vector<StoredJob> jobs;
        for (int i = 0; i < 5; ++i) {
            auto job = insert(new_job());
            job.state = i == 3 ? JobState::accepted : JobState::delivered;
            job.updated_at = i == 4 ? at : at - seconds{1};
            save(job);
            jobs.push_back(job);
        }
        const auto redact = [&](std::size_t limit) {
            std::int64_t erased = 0;
            work("redact", [&](OutboxTransaction& t) { erased = t.redact(at, limit).value(); });
            return erased;
        };
        expect(redact(2) == 2, "redact did not keep to its limit");
        expect(redact(100) == 1, "redact did not erase what was left, or erased something twice");
        expect(redact(100) == 0, "redact erased what is erased, not final, or of later");
        for (std::size_t i = 0; i < 5; ++i) {
            const auto now = load(jobs[i].id);
            expect(now.payload.empty() == (i < 3), "redact did not erase exactly what it should");
            if (i < 3) {
                expect(now.revision > jobs[i].revision, "redact did not raise the job's revision");
                expect(now.content_hash == jobs[i].content_hash,
                       "redact erased more than the payload");
            }
            finish(jobs[i].id);
        }
    }

    /// A job that has ended then, with an attempt, a SID and an outcome.
    StoredJob ended_job(TimePoint at) {
        auto job = insert(new_job());
        job.state = JobState::delivered;
        job.updated_at = at;
        job.attempts = {attempt(1)};
        job.sid = next_sid();
        save(job);
        work("add_outcome", [&](OutboxTransaction& t) {
            t.add_outcome({0, job.id, Outcome::delivered, at}).value();
        });
        return job;
    }

    void jobs_are_purged() {
        const auto before = checked_year(1995);
        const auto gone = ended_job(before - seconds{1});
        const auto second = ended_job(before - seconds{1});
        const auto stays = ended_job(before);
        auto waits = insert(new_job());
        waits.state = JobState::accepted;
        waits.updated_at = before - seconds{1};
        save(waits);
        const auto purge = [&](std::size_t limit) {
            std::int64_t removed = 0;
            work("purge", [&](OutboxTransaction& t) {
                removed = t.purge(before, t.now() - hours{1}, limit).value();
            });
            return removed;
        };
        expect(purge(1) == 1, "purge did not keep to its limit");
        expect(purge(100) == 1, "purge did not remove what was left, or removed more");
        expect(purge(100) == 0, "purge removed what is not final, or of later");
        expect_same(waits, "a job that is not final, after a purge");
        expect_same(stays, "a job that ended later, after a purge");
        auto again = new_job();
        again.tenant = gone.tenant;
        again.key = gone.key;
        work("look", [&](OutboxTransaction& t) {
            expect(t.load({&gone.id, 1}).value().empty(), "purge left a job");
            expect(id_of_key(t, gone.tenant, gone.key) == gone.id,
                   "purge took a key, which is kept longer");
            expect(!t.find_sid(gone.sid).value(), "find_sid found a job that was purged");
            const auto outcomes = t.outcomes(0, 10'000).value();
            expect(std::none_of(outcomes.begin(), outcomes.end(),
                                [&](const auto& each) { return each.job == gone.id; }),
                   "purge left an outcome of a job");
            expect(t.find_attempt(gone.id, gone.attempts[0].nonce).value() == 1,
                   "purge removed an attempt whose marker may still come");
            const auto known = t.insert(again).value();
            expect(!known.inserted && known.id == gone.id &&
                       known.content_hash == gone.content_hash &&
                       known.state == JobState::delivered,
                   "the key of a job that was purged is not kept, with the job's id and hash");
        });
        finish(stays.id);
        finish(waits.id);
        finish(second.id);
    }

    void keys_are_purged() {
        const auto before = checked_year(1995);
        const auto gone = ended_job(before - seconds{1});
        const auto stays = ended_job(before);
        work("purge", [&](OutboxTransaction& t) { t.purge(before, std::nullopt, 100).value(); });
        const auto known = [&](const StoredJob& job) {
            bool attempt_known = false;
            work("find_attempt", [&](OutboxTransaction& t) {
                attempt_known = t.find_attempt(job.id, job.attempts[0].nonce).value().has_value();
            });
            return attempt_known;
        };
        expect(known(gone), "purge without keys_before removed an attempt");
        work("purge",
             [&](OutboxTransaction& t) { t.purge(before, t.now() + hours{1}, 100).value(); });
        expect(!known(gone), "purge with keys_before left an attempt of a job removed before");
        expect(known(stays), "purge with keys_before removed an attempt of a job that is there");
        auto again = new_job();
        again.tenant = gone.tenant;
        again.key = gone.key;
        auto same = new_job();
        same.tenant = stays.tenant;
        same.key = stays.key;
        work("insert", [&](OutboxTransaction& t) {
            expect(t.insert(again).value().inserted,
                   "purge with keys_before left the key of a job removed before");
            expect(!t.insert(same).value().inserted,
                   "purge with keys_before removed the key of a job that is there");
        });
        finish(again.id);
        finish(stays.id);
    }

    static std::optional<JobId> id_of_key(OutboxTransaction& t, std::string_view tenant,
                                          std::string_view key) {
        const auto holder = t.find_key(tenant, key).value();
        return holder ? std::optional{holder->id} : std::nullopt;
    }

    void what_was_handed_over_is_rewritten() {
        auto job = insert(new_job());
        const auto old_key = job.key;
        job.key = any_bytes("rewritten");
        job.content_hash = "another hash";
        job.payload.clear();
        job.customer.clear();
        job.order_key.clear();
        work("rewrite", [&](OutboxTransaction& t) {
            t.rewrite(job).value();
            const auto holder = t.find_key(job.tenant, job.key).value();
            expect(holder && holder->id == job.id && holder->content_hash == "another hash",
                   "rewrite did not change what is kept of the key");
            expect(!t.find_key(job.tenant, old_key).value(), "rewrite left the old key");
        });
        expect_same(job, "a job that was rewritten");
        auto stale = job;
        --stale.revision;
        work("rewrite", [&](OutboxTransaction& t) {
            expect(!t.rewrite(stale), "rewrite took a job that another had changed");
        });
        finish(job.id);
        an_order_key_is_rewritten();
    }

    void an_order_key_is_rewritten() {
        const auto group = next_group();
        const auto now = checked_year(2010);
        std::vector<StoredJob> jobs;
        for (int i = 0; i < 3; ++i) {
            auto ordered = job_of(group, now);
            ordered.order_key = "old";
            jobs.push_back(insert(ordered));
        }
        const auto rewrite = [&](std::size_t which) {
            auto changed = jobs[which];
            work("rewrite", [&](OutboxTransaction& t) {
                changed = jobs[which];
                changed.order_key = "new";
                t.rewrite(changed).value();
            });
            jobs[which] = changed;
        };
        const auto given = [&] {
            std::vector<JobId> ids;
            work("ready", [&](OutboxTransaction& t) {
                ids = ids_of(t.ready({group, now, now, 100}).value());
            });
            return ids;
        };
        rewrite(0);
        expect(given() == std::vector<JobId>{jobs[0].id, jobs[1].id},
               "ready held a job back for one that was given another order_key");
        rewrite(2);
        expect(given() == std::vector<JobId>{jobs[0].id, jobs[1].id},
               "ready gave a job before an earlier one whose order_key it was given");
        rewrite(1);
        expect(given() == std::vector<JobId>{jobs[0].id},
               "ready gave a job before an earlier one when all had another order_key");
        finish(jobs[0].id);
        expect(given() == std::vector<JobId>{jobs[1].id},
               "ready did not go on with an order_key that was rewritten");
        finish(jobs[1].id);
        finish(jobs[2].id);
    }

    void strangers_are_adopted() {
        if (!options_.insert_as_stranger) return;
        options_.insert_as_stranger("stranger-1", "{\"to\": \"a\"}");
        options_.insert_as_stranger("stranger-2", "{\"to\": \"b\"}");
        const auto group = next_group();
        const auto taken = insert(new_job());
        work("strangers", [&](OutboxTransaction& t) {
            // A stranger's times may be those of another clock.
            const auto now = checked_year(2100);
            for (const auto& each : t.ready_groups().value()) {
                for (const auto& job : t.ready({each, now, now, 100}).value()) {
                    expect(job.key.find("stranger") != 0, "ready gave a stranger");
                }
            }
            auto same = new_job();
            same.tenant.clear();
            same.key = "stranger-1";
            expect(!t.insert(same).value().inserted, "insert took the key of a stranger");
            expect(t.strangers(1).value().size() == 1, "strangers did not keep to its limit");
            auto found = t.strangers(100).value();
            if (found.size() != 2) return fault("strangers did not give the two that were put in");
            auto& job = found[0];
            expect(job.key == "stranger-1" && job.payload == "{\"to\": \"a\"}" &&
                       job.content_hash.empty() && !job.id.empty(),
                   "strangers did not give what was put in");
            job.sender = group.sender;
            job.customer = "stranger's customer";
            job.content_hash = "stranger's hash";
            job.key = "adopted-1";
            job.payload = "{}";
            t.rewrite(job).value();
            const auto left = t.strangers(100).value();
            expect(left.size() == 1 && left[0].key == "stranger-2",
                   "strangers gave what was adopted");
            const ReadyGroup its_group{group.sender, job.lane, job.tenant, job.account};
            expect(
                ids_of(t.ready({its_group, now, now, 100}).value()) == std::vector<JobId>{job.id},
                "ready did not give what was adopted");
            expect(id_of_key(t, "", "adopted-1") == job.id && !t.find_key("", "stranger-1").value(),
                   "rewrite did not change the key");
            // Its own revision, too.
            job.problem = "saved";
            t.save(job).value();
            auto& other = found[1];
            other.tenant = taken.tenant;
            auto clash = new_job();
            clash.tenant.clear();
            clash.key = "adopted-2";
            t.insert(clash).value();
            other.tenant.clear();
            other.key = "adopted-2";
            other.content_hash = "hash";
            const auto refused = t.rewrite(other);
            expect(!refused, "rewrite took another job's key");
            auto last = t.strangers(100).value();
            for (auto& each : last) {
                each.state = JobState::dead;
                t.save(each).value();
            }
            expect(t.strangers(100).value().empty(), "strangers gave one that is dead");
            finish_in(t, job.id);
            finish_in(t, clash.id);
        });
        finish(taken.id);
    }

    /// What both handles read of slots.
    void expect_counts(const std::string& quota, const std::vector<QuotaCount>& expected,
                       const std::string& what) {
        std::vector<CountedSlot> slots;
        slots.reserve(expected.size());
        for (const auto& count : expected) slots.push_back({count.period, count.begin});
        for (auto* const storage : {storage_.get(), other_.get()}) {
            const auto result =
                transact(*storage, "take_quota", [&](OutboxTransaction& t) -> Result<void> {
                    expect_counts(t, quota, slots, expected, what);
                    return {};
                });
            static_cast<void>(result);
        }
    }
    void expect_counts(OutboxTransaction& t, const std::string& quota,
                       const std::vector<CountedSlot>& slots,
                       const std::vector<QuotaCount>& expected, const std::string& what) {
        const auto counts = t.take_quota(quota, slots).value();
        if (!counts || counts->size() != slots.size()) {
            return fault(what + ": take_quota did not give as many slots as were asked for");
        }
        for (std::size_t i = 0; i < slots.size(); ++i) {
            const auto& count = (*counts)[i];
            expect(count.period == slots[i].period && count.begin == slots[i].begin,
                   what + ": take_quota gave another slot");
            expect(count.used == expected[i].used, what + ": another count of what is used");
            expect(count.peak == expected[i].peak && count.peak_before == expected[i].peak,
                   what + ": another peak");
        }
    }

    void quotas_are_counted() {
        const auto quota = any_bytes("quota") + std::to_string(next());
        const auto minute = checked_year(2020);
        const auto kept = checked_year(2060);
        const auto count = [&](const std::string& name, CountedSlot slot, std::int64_t more,
                               std::int64_t peak) {
            work("count_quota", [&](OutboxTransaction& t) {
                t.count_quota({name, slot, more, peak, kept}).value();
            });
        };
        const CountedSlot a{60, minute};
        const CountedSlot b{0, minute};
        expect_counts(quota, {{60, minute}, {0, minute}}, "a quota of which nothing was counted");
        count(quota, a, 1'200, 1'000);
        count(quota, a, QuotaSlot::most, 0);
        count(quota, b, 5, 7);
        count(quota + "-", a, 3, 0);
        constexpr auto sum = QuotaSlot::most + 1'200;
        expect_counts(quota, {{60, minute, sum, 0, sum}, {0, minute, 5, 0, 7}},
                      "a quota that was counted");
        count(quota, a, -QuotaSlot::most, 0);
        count(quota, b, -6, 0);
        expect_counts(quota, {{60, minute, 1'200, 0, sum}, {0, minute, 0, 0, 7}},
                      "a quota of which something was given back");
        count(quota, b, 0, 9);
        count(quota, {60, minute + hours{1}}, -4, 0);
        count(quota, {60, minute + hours{1}}, 6, 0);
        expect_counts(quota, {{0, minute, 0, 0, 9}, {60, minute + hours{1}, 6, 0, 6}},
                      "a quota that was full, and one of which more was given back than there was");
        work("within", [&](OutboxTransaction& t) {
            t.count_quota({quota, b, 4, 0, kept}).value();
            t.count_quota({quota, b, -1, 0, kept}).value();
            expect_counts(t, quota, {b}, {{0, minute, 3, 0, 9}}, "a quota within one work");
        });
        expect_counts(quota, {{0, minute, 3, 0, 9}}, "a quota after that work");
        work("quota_history", [&](OutboxTransaction& t) {
            const auto all = t.quota_history(quota, 60, minute, minute + hours{2}).value();
            expect(all.size() == 2 && all[0].begin == minute && all[0].used == 1'200 &&
                       all[1].used == 6,
                   "quota_history did not give two slots of a period, the oldest first");
            expect(
                t.quota_history(quota, 60, minute + seconds{1}, minute + hours{1}).value().empty(),
                "quota_history gave slots that begin before, or at the end");
        });
    }

    void quotas_are_undone() {
        const auto quota = "undone-" + std::to_string(next());
        const CountedSlot slot{60, checked_year(2020)};
        const auto result = transact(*storage_, "work", [&](OutboxTransaction& t) -> Result<void> {
            t.count_quota({quota, slot, 5, 9, checked_year(2060)}).value();
            return Error::invalid_request("check", "fails");
        });
        expect(result && !*result, "an error of a work was not its answer");
        expect_counts(quota, {{60, slot.begin}}, "a quota after a work that failed");
    }

    void quotas_are_forgotten() {
        const auto quota = "forgotten-" + std::to_string(next());
        const CountedSlot gone{60, checked_year(2000)};
        const CountedSlot kept{60, checked_year(2020)};
        work("count_quota", [&](OutboxTransaction& t) {
            t.count_quota({quota, gone, 5, 0, t.now()}).value();
            t.count_quota({quota, kept, 6, 0, t.now() + hours{1}}).value();
            t.count_quota({quota, kept, 1, 0, t.now() - hours{1}}).value();
        });
        work("purge",
             [&](OutboxTransaction& t) { t.purge(checked_year(1990), std::nullopt, 10).value(); });
        expect_counts(quota, {{60, gone.begin}, {60, kept.begin, 7, 0, 7}},
                      "a quota of which one slot is not kept any longer");
    }

    /// Several who take as long as there is something never take more.
    void quotas_are_taken_by_one() {
        const auto quota = "taken-" + std::to_string(next());
        const CountedSlot slot{0, checked_year(2020)};
        const auto limit = std::int64_t{options_.works_per_thread} * options_.threads / 2;
        std::vector<std::shared_ptr<OutboxStorage>> storages;
        storages.reserve(static_cast<std::size_t>(options_.threads));
        for (int i = 0; i < options_.threads; ++i) storages.push_back(open_());
        std::vector<std::thread> threads;
        threads.reserve(storages.size());
        std::atomic<std::int64_t> taken{0};
        for (auto& storage : storages) {
            threads.emplace_back([&, own = storage.get()] {
                for (int n = 0; n < options_.works_per_thread;) {
                    bool busy = false;
                    bool counted = false;
                    const auto result = transact(*own, "work", [&](OutboxTransaction& t) {
                        busy = counted = false;
                        const auto counts = t.take_quota(quota, {&slot, 1}).value();
                        busy = !counts;
                        if (busy || counts->front().used >= limit) return Result<void>{};
                        counted = true;
                        return t.count_quota({quota, slot, 1, 0, checked_year(2060)});
                    });
                    if (!result || !*result) return fault("a quota could not be taken");
                    if (counted) ++taken;
                    if (!busy) ++n;
                }
            });
        }
        for (auto& thread : threads) thread.join();
        expect(taken == limit, "several who took a quota took another number than there was");
        expect_counts(quota, {{0, slot.begin, limit, 0, limit}}, "a quota that several have taken");
    }

    void works_do_not_mix() {
        constexpr std::string_view name = "sum";
        const auto many = static_cast<std::size_t>(options_.threads);
        std::vector<std::shared_ptr<OutboxStorage>> storages;
        storages.reserve(many);
        for (int i = 0; i < options_.threads; ++i) storages.push_back(open_());
        const auto group = next_group();
        std::vector<std::thread> threads;
        threads.reserve(many);
        for (int i = 0; i < options_.threads; ++i) {
            threads.emplace_back([&, i] {
                auto& storage = *storages[static_cast<std::size_t>(i)];
                for (int n = 0; n < options_.works_per_thread; ++n) {
                    const auto job = job_of(group, checked_year(2010));
                    // Every third fails after it has written.
                    const bool fails = (i + n) % 3 == 0;
                    const auto result =
                        transact(storage, "work", [&](OutboxTransaction& t) -> Result<void> {
                            const auto sum = t.fact(name).value();
                            t.set_fact(name, std::to_string(sum.empty() ? 1 : std::stoi(sum) + 1))
                                .value();
                            t.insert(job).value();
                            if (fails) return Error::invalid_request("check", "fails");
                            return {};
                        });
                    expect(result && result->has_value() != fails,
                           "a work of several threads got another's answer");
                }
            });
        }
        for (auto& thread : threads) thread.join();
        std::string expected = "0";
        int count = 0;
        for (int i = 0; i < options_.threads; ++i) {
            for (int n = 0; n < options_.works_per_thread; ++n) count += (i + n) % 3 == 0 ? 0 : 1;
        }
        expected = std::to_string(count);
        work("sum", [&](OutboxTransaction& t) {
            expect(t.fact(name).value() == expected,
                   "works of several threads counted up to another number than succeeded");
            const auto jobs = t.list({.sender = group.sender, .limit = 1'000'000}).value();
            expect(jobs.size() == static_cast<std::size_t>(count),
                   "works of several threads left another number of jobs than succeeded");
            expect(t.waiting(group.tenant).value() == count,
                   "waiting is wrong after works of several threads");
        });
    }
};

}  // namespace

std::vector<std::string> check_outbox_storage(const OutboxStorageFactory& open,
                                              const CheckOutboxStorageOptions& options) {
    if (!open) Error::invalid_request("open", "is null").raise();
    if (options.threads < 1) Error::invalid_request("threads", "is less than 1").raise();
    if (options.works_per_thread < 1) {
        Error::invalid_request("works_per_thread", "is less than 1").raise();
    }
    auto faults = OutboxStorageCheck{open, options}.run();
    auto of_campaigns = check_outbox_campaigns(open, options);
    std::move(of_campaigns.begin(), of_campaigns.end(), std::back_inserter(faults));
    return faults;
}

}  // namespace twiliowa::testing
