/// @file
/// A StoredJob's members as columns, in the order in which every engine keeps them.
#pragma once

#include <utility>

#include "outbox/job_values.hpp"

namespace twiliowa::detail {

/// What was handed over, from the sequence to the policy. `Columns` gives one after the other.
template <class Columns>
void read_handed_over(Columns& next, StoredJob& job) {
    job.sequence = next.number();
    job.id = read_job_id(next.bytes());
    job.tenant = next.text();
    job.key = next.text();
    job.content_hash = next.text();
    job.tag = next.text();
    job.account = next.text();
    job.sender = next.text();
    job.customer = next.text();
    job.order_key = next.text();
    job.lane = next.template one_of<Lane>();
    job.on_unknown = read_policy(next.bytes());
}

/// Where it is, from the state to the time of its last change.
template <class Columns>
void read_course(Columns& next, StoredJob& job) {
    job.state = next.template one_of<JobState>();
    job.reason = next.template one_of<DeadReason>();
    job.not_before = next.time();
    job.fence = next.number();
    job.worker = next.text();
    job.lease_until.boot = next.text();
    job.lease_until.microseconds = next.number();
    job.tries = next.small();
    job.sid = next.text();
    job.evidence = next.template one_of<Evidence>();
    job.status = next.text();
    job.price = next.text();
    job.price_unit = next.text();
    job.error_code = next.small();
    job.problem = next.text();
    job.doubles = split_texts(next.bytes());
    job.candidates = split_texts(next.bytes());
    job.unknown_since = next.optional_time();
    job.looks = next.small();
    job.looks_answered = next.small();
    job.last_answer = next.optional_time();
    job.next_look = next.optional_time();
    job.suspect_since = next.optional_time();
    JobDecision decision{next.text(), next.text(), {}};
    if (const auto at = next.optional_time()) {
        decision.at = *at;
        job.decision = std::move(decision);
    }
    job.cancel_requested = next.flag();
    job.updated_at = next.time();
}

}  // namespace twiliowa::detail
