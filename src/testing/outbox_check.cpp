#include "testing/outbox_check.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <utility>

#include <twiliowa/types/error.hpp>

namespace twiliowa::testing::outbox_check {

namespace {

using std::chrono::hours;
using std::chrono::seconds;

/// The first member of two attempts that differs; empty: none.
std::string_view different_member(const StoredAttempt& a, const StoredAttempt& b) {
    const std::pair<bool, std::string_view> members[] = {
        {a.number == b.number, "number"},
        {a.nonce == b.nonce, "nonce"},
        {a.state == b.state, "state"},
        {a.started_at == b.started_at, "started_at"},
        {a.account_sid == b.account_sid, "account_sid"},
        {a.sid == b.sid, "sid"},
        {a.evidence == b.evidence, "evidence"},
        {a.http_status == b.http_status, "http_status"},
        {a.error_code == b.error_code, "error_code"},
        {a.problem == b.problem, "problem"},
        {a.may_duplicate == b.may_duplicate, "may_duplicate"},
        {a == b, "another member"}};
    for (const auto& [same, name] : members) {
        if (!same) return name;
    }
    return {};
}

}  // namespace

TimePoint checked_year(int year) {
    return TimePoint{} + hours{24} * 365 * (year - 1970);
}

std::string any_bytes(std::string_view what) {
    std::string bytes{what};
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    return bytes;
}

std::string different_member(const StoredJob& a, const StoredJob& b) {
    const std::pair<bool, std::string_view> members[] = {
        {a.id == b.id, "id"},
        {a.tenant == b.tenant, "tenant"},
        {a.key == b.key, "key"},
        {a.content_hash == b.content_hash, "content_hash"},
        {a.payload == b.payload, "payload"},
        {a.tag == b.tag, "tag"},
        {a.account == b.account, "account"},
        {a.sender == b.sender, "sender"},
        {a.customer == b.customer, "customer"},
        {a.order_key == b.order_key, "order_key"},
        {a.lane == b.lane, "lane"},
        {a.on_unknown == b.on_unknown, "on_unknown"},
        {a.expires_at == b.expires_at, "expires_at"},
        {a.created_at == b.created_at, "created_at"},
        {a.quota == b.quota, "quota"},
        {a.cost == b.cost, "cost"},
        {a.counted == b.counted, "counted"},
        {a.campaign == b.campaign, "campaign"},
        {a.variant == b.variant, "variant"},
        {a.step == b.step, "step"},
        {a.spend == b.spend, "spend"},
        {a.chain_due == b.chain_due, "chain_due"},
        {a.price_due == b.price_due, "price_due"},
        {a.state == b.state, "state"},
        {a.reason == b.reason, "reason"},
        {a.not_before == b.not_before, "not_before"},
        {a.fence == b.fence, "fence"},
        {a.worker == b.worker, "worker"},
        {a.lease_until == b.lease_until, "lease_until"},
        {a.tries == b.tries, "tries"},
        {a.sid == b.sid, "sid"},
        {a.evidence == b.evidence, "evidence"},
        {a.status == b.status, "status"},
        {a.price == b.price, "price"},
        {a.price_unit == b.price_unit, "price_unit"},
        {a.error_code == b.error_code, "error_code"},
        {a.problem == b.problem, "problem"},
        {a.doubles == b.doubles, "doubles"},
        {a.candidates == b.candidates, "candidates"},
        {a.unknown_since == b.unknown_since, "unknown_since"},
        {a.looks == b.looks, "looks"},
        {a.looks_answered == b.looks_answered, "looks_answered"},
        {a.last_answer == b.last_answer, "last_answer"},
        {a.next_look == b.next_look, "next_look"},
        {a.suspect_since == b.suspect_since, "suspect_since"},
        {a.decision == b.decision, "decision"},
        {a.cancel_requested == b.cancel_requested, "cancel_requested"},
        {a.updated_at == b.updated_at, "updated_at"},
        {a.attempts.size() == b.attempts.size(), "attempts"}};
    for (const auto& [same, name] : members) {
        if (!same) return std::string{name};
    }
    for (std::size_t i = 0; i < a.attempts.size(); ++i) {
        const auto member = different_member(a.attempts[i], b.attempts[i]);
        if (!member.empty()) return "attempts: " + std::string{member};
    }
    return {};
}

OutboxCheck::OutboxCheck(const OutboxStorageFactory& open, const CheckOutboxStorageOptions& options,
                         std::uint64_t first_number)
    : open_(open), options_(options), storage_(open()), other_(open()), numbers_(first_number) {
    if (!storage_ || !other_) Error::invalid_request("open", "gives no storage").raise();
}

StoredJob OutboxCheck::new_job() {
    StoredJob job;
    job.id = next_id();
    job.tenant = "check-" + std::to_string(next());
    job.key = "key-" + std::to_string(next());
    job.content_hash = "hash-" + std::to_string(next());
    job.payload = "payload";
    job.sender = "whatsapp:+15005550006";
    job.customer = "customer-" + std::to_string(next());
    job.created_at = checked_year(2001);
    job.updated_at = checked_year(2001);
    job.not_before = checked_year(2050);
    return job;
}

StoredJob OutboxCheck::job_of(const ReadyGroup& group, TimePoint not_before) {
    auto job = new_job();
    job.sender = group.sender;
    job.lane = group.lane;
    job.tenant = group.tenant;
    job.account = group.account;
    job.campaign = group.campaign;
    job.not_before = not_before;
    return job;
}

ReadyGroup OutboxCheck::next_group() {
    const auto number = std::to_string(next());
    return {"sender-" + number, Lane::normal, "tenant-" + number, "account-" + number};
}

StoredAttempt OutboxCheck::attempt(int number) {
    StoredAttempt made;
    made.number = number;
    auto bits = next();
    for (auto& byte : made.nonce) {
        byte = static_cast<unsigned char>(bits & 0xff);
        bits >>= 8;
    }
    made.started_at = checked_year(2009) + seconds{number};
    return made;
}

JobId OutboxCheck::next_id() {
    JobId::Bytes bytes{};
    auto bits = next();
    for (auto& byte : bytes) {
        byte = static_cast<unsigned char>(bits & 0xff);
        bits >>= 8;
    }
    // Every byte occurs in ids, too.
    bytes.back() = 0xff;
    return JobId{bytes};
}

std::string OutboxCheck::next_sid() {
    return "SM" + std::to_string(next());
}

std::uint64_t OutboxCheck::next() {
    const std::lock_guard lock(mutex_);
    return ++numbers_;
}

StoredJob OutboxCheck::insert(const StoredJob& job) {
    work("insert", [&](OutboxTransaction& t) {
        if (!t.insert(job).value().inserted) fault("insert did not insert a new job");
    });
    return load(job.id);
}

StoredJob OutboxCheck::load(const JobId& id) {
    StoredJob job;
    job.id = id;
    work("load", [&](OutboxTransaction& t) {
        auto jobs = t.load({&id, 1}).value();
        if (jobs.size() != 1) return fault("load did not give a job that was inserted");
        job = std::move(jobs.front());
    });
    return job;
}

void OutboxCheck::save(StoredJob& job) {
    auto changed = job;
    work("save", [&](OutboxTransaction& t) {
        changed = job;
        t.save(changed).value();
    });
    job = std::move(changed);
}

void OutboxCheck::finish_in(OutboxTransaction& t, const JobId& id) {
    for (auto& job : t.load({&id, 1}).value()) {
        job.state = JobState::cancelled;
        job.next_look.reset();
        job.chain_due.reset();
        job.price_due.reset();
        job.suspect_since.reset();
        job.updated_at = checked_year(2020);
        t.save(job).value();
    }
}

void OutboxCheck::finish(const JobId& id) {
    work("save", [&](OutboxTransaction& t) { finish_in(t, id); });
}

std::vector<JobId> ids_of(const std::vector<StoredJob>& jobs) {
    std::vector<JobId> ids;
    ids.reserve(jobs.size());
    for (const auto& job : jobs) ids.push_back(job.id);
    return ids;
}

void OutboxCheck::expect_same(const StoredJob& job, const std::string& what) {
    for (auto* const storage : {storage_.get(), other_.get()}) {
        const auto result = transact(*storage, "load", [&](OutboxTransaction& t) -> Result<void> {
            const auto jobs = t.load({&job.id, 1}).value();
            if (jobs.size() != 1) {
                fault(what + ": load did not give it");
                return {};
            }
            const auto member = different_member(job, jobs.front());
            if (!member.empty()) {
                fault(std::string{what}.append(": came back with another ").append(member));
            }
            return {};
        });
        static_cast<void>(result);
    }
}

void OutboxCheck::fault(const std::string& text) {
    if (of_run_ != nullptr) return of_run_->push_back(text);
    const std::lock_guard lock(mutex_);
    if (std::find(faults_.begin(), faults_.end(), text) == faults_.end()) {
        faults_.push_back(text);
    }
}

}  // namespace twiliowa::testing::outbox_check
