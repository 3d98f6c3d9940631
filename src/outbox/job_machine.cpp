#include "outbox/job_machine.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <twiliowa/state/status_tracker.hpp>

#include "outbox/chain.hpp"

namespace twiliowa {

bool StoredJob::in_doubt() const noexcept {
    return std::any_of(attempts.begin(), attempts.end(), [](const StoredAttempt& attempt) {
        return attempt.state == AttemptState::open;
    });
}

namespace detail {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::array<milliseconds, 8> look_pauses{seconds{5},  seconds{30}, minutes{2}, minutes{10},
                                                  minutes{30}, hours{1},    hours{4},   hours{10}};

milliseconds jittered_pause(milliseconds pause, double jitter) {
    return milliseconds{std::llround(static_cast<double>(pause.count()) * (0.9 + 0.2 * jitter))};
}

/// Full jitter above half of it, so that no pause is next to nothing.
milliseconds retry_pause(const JobRules& rules, int tries, double jitter) {
    const auto doubled =
        std::ldexp(static_cast<double>(rules.first_pause.count()), std::clamp(tries - 1, 0, 40));
    const auto longest = std::min(doubled, static_cast<double>(rules.longest_pause.count()));
    return milliseconds{std::llround(longest * (0.5 + 0.5 * jitter))};
}

bool is_arrival(std::string_view status) {
    return status == MessageStatus::delivered || status == MessageStatus::read ||
           status == MessageStatus::partially_delivered;
}

bool is_failure(std::string_view status) {
    return status == MessageStatus::undelivered || status == MessageStatus::failed ||
           status == MessageStatus::canceled;
}

/// What Twilio asks for beyond that is asked for again then.
constexpr milliseconds longest_asked_pause = hours{24};

/// Bytes. Twilio's statuses are words; a callback may say anything.
constexpr std::size_t longest_status = 40;

constexpr std::string_view nothing_shows = "nothing shows whether it was sent";

}  // namespace

std::optional<std::chrono::milliseconds> look_pause(int looks, double jitter) {
    const auto index = static_cast<std::size_t>(looks);
    if (index >= look_pauses.size()) return std::nullopt;
    return jittered_pause(look_pauses[index], jitter);
}

// ---- What several arrows share.

bool JobMachine::expired() const noexcept {
    return job_.expires_at && *job_.expires_at <= at_.now;
}

StoredAttempt* JobMachine::attempt_of(const AttemptNonce& nonce) noexcept {
    const auto found = std::find_if(job_.attempts.begin(), job_.attempts.end(),
                                    [&](const auto& each) { return each.nonce == nonce; });
    return found == job_.attempts.end() ? nullptr : &*found;
}

void JobMachine::move_to(JobState state) {
    job_.state = state;
    job_.updated_at = at_.now;
    if (state != JobState::claimed && state != JobState::sending) {
        job_.worker.clear();
        job_.lease_until = {};
    }
    if (state != JobState::unknown && !(state == JobState::ready && job_.suspect_since)) {
        job_.unknown_since.reset();
        job_.next_look.reset();
    }
    if (state != JobState::dead) job_.reason = DeadReason::none;
}

void JobMachine::die(DeadReason reason) {
    move_to(JobState::dead);
    job_.reason = reason;
    job_.suspect_since.reset();
    tell(Outcome::dead);
}

void JobMachine::hold_for_person(std::string_view problem) {
    move_to(JobState::held);
    job_.problem = problem;
    tell(Outcome::held);
}

void JobMachine::note(const Person& person) {
    job_.decision = JobDecision{std::string{person.name}, std::string{person.why}, at_.now};
}

void JobMachine::next_look_after(int looks) {
    job_.next_look.reset();
    if (const auto pause = look_pause(looks, at_.jitter)) job_.next_look = at_.now + *pause;
    if (!job_.unknown_since) return;
    // One look lies where the policy's time ends, and one where the message's does.
    const auto not_after = [&](TimePoint end) {
        if (end > at_.now && (!job_.next_look || end < *job_.next_look)) job_.next_look = end;
    };
    if (job_.on_unknown.kind() == OnUnknown::Kind::drop ||
        job_.on_unknown.kind() == OnUnknown::Kind::resend_after) {
        not_after(*job_.unknown_since + job_.on_unknown.after());
    }
    if (job_.on_unknown.kind() != OnUnknown::Kind::hold && job_.expires_at) {
        not_after(*job_.expires_at);
    }
}

void JobMachine::become_unknown() {
    move_to(JobState::unknown);
    job_.unknown_since = at_.now;
    job_.looks = 0;
    job_.looks_answered = 0;
    job_.last_answer.reset();
    next_look_after(0);
    // What is sent again at once waits for no look.
    if (job_.on_unknown.kind() == OnUnknown::Kind::resend_now) tick();
}

void JobMachine::go_back(TimePoint not_before) {
    if (job_.cancel_requested || expired()) {
        if (job_.in_doubt()) {
            if (job_.state != JobState::unknown) become_unknown();
            return;
        }
        if (!job_.cancel_requested) return die(DeadReason::expired);
        move_to(JobState::cancelled);
        return tell(Outcome::cancelled);
    }
    move_to(JobState::ready);
    job_.not_before = not_before;
}

void JobMachine::take_status(std::string_view status, int error_code) {
    if (status.empty() || status.size() > longest_status) return;
    if (job_.sid.empty() || job_.state == JobState::held) return;
    if (!job_.status.empty() &&
        status_rank(MessageStatus{status}) <= status_rank(MessageStatus{job_.status})) {
        return;
    }
    job_.status = status;
    job_.error_code = error_code;
    job_.updated_at = at_.now;
    if (is_arrival(status)) {
        if (job_.state != JobState::delivered) {
            move_to(JobState::delivered);
            tell(Outcome::delivered);
        }
        if (status == MessageStatus::read) tell(Outcome::read);
    } else if (is_failure(status) && job_.state != JobState::undelivered) {
        move_to(JobState::undelivered);
        tell(Outcome::undelivered);
    }
}

void JobMachine::accept(const SentProof& proof) {
    job_.sid = proof.sid;
    job_.evidence = proof.evidence;
    job_.status.clear();
    job_.error_code = 0;
    job_.problem.clear();
    job_.candidates.clear();
    job_.suspect_since.reset();
    move_to(JobState::accepted);
    tell(Outcome::accepted);
    take_status(proof.status, proof.error_code);
}

// ---- A worker's decisions

bool JobMachine::claim(std::string_view worker, const LeaseTime& until) {
    if (job_.state != JobState::ready || job_.not_before > at_.now || expired() ||
        job_.suspect_since || job_.cancel_requested) {
        return false;
    }
    move_to(JobState::claimed);
    ++job_.fence;
    job_.worker = worker;
    job_.lease_until = until;
    return true;
}

bool JobMachine::refuse(std::int64_t fence, DeadReason reason, int error_code,
                        std::string_view problem) {
    if ((job_.state != JobState::ready && job_.state != JobState::claimed) || job_.fence != fence) {
        return false;
    }
    job_.problem = problem;
    job_.error_code = error_code;
    if (job_.in_doubt()) {
        // It will not go again; whether it went is still open.
        job_.cancel_requested = true;
        become_unknown();
    } else {
        die(reason);
    }
    return true;
}

bool JobMachine::postpone(std::int64_t fence, TimePoint until, std::string_view problem) {
    if ((job_.state != JobState::ready && job_.state != JobState::claimed) || job_.fence != fence) {
        return false;
    }
    job_.problem = problem;
    job_.error_code = 0;  // That was an earlier attempt's.
    go_back(until);
    return true;
}

bool JobMachine::hold(std::int64_t fence, std::string_view problem) {
    if ((job_.state != JobState::ready && job_.state != JobState::claimed) || job_.fence != fence) {
        return false;
    }
    job_.error_code = 0;  // That was an earlier attempt's.
    hold_for_person(problem);
    return true;
}

bool JobMachine::let_go(std::int64_t fence) {
    if (job_.state != JobState::claimed || job_.fence != fence) return false;
    go_back(job_.not_before);
    return true;
}

const StoredAttempt* JobMachine::go(std::int64_t fence, std::string_view worker,
                                    const LeaseTime& until, const AttemptNonce& nonce,
                                    std::string_view account_sid, bool marked) {
    const bool in_hand = job_.state == JobState::claimed && job_.worker == worker &&
                         !job_.lease_until.ended(at_.lease_now);
    const bool at_once = job_.state == JobState::ready && job_.not_before <= at_.now;
    if ((!in_hand && !at_once) || job_.fence != fence || job_.suspect_since ||
        job_.cancel_requested || expired()) {
        return nullptr;
    }
    const bool doubtful = job_.in_doubt();
    move_to(JobState::sending);
    ++job_.fence;
    job_.worker = worker;
    job_.lease_until = until;
    job_.problem.clear();
    StoredAttempt attempt;
    attempt.number = job_.attempts.empty() ? 1 : job_.attempts.back().number + 1;
    attempt.nonce = nonce;
    attempt.started_at = at_.now;
    attempt.account_sid = account_sid;
    attempt.may_duplicate = doubtful;
    attempt.marked = marked;
    return &job_.attempts.emplace_back(std::move(attempt));
}

bool JobMachine::outcome_unknown(int attempt, int http_status, int error_code,
                                 std::string_view problem) {
    if (job_.state != JobState::sending || job_.attempts.empty()) return false;
    auto& last = job_.attempts.back();
    if (last.number != attempt || last.state != AttemptState::open) return false;
    last.http_status = http_status;
    last.error_code = error_code;
    last.problem = problem;
    job_.problem = problem;
    job_.error_code = error_code;
    become_unknown();
    return true;
}

// ---- Proof about one attempt

bool JobMachine::sent(const AttemptNonce& nonce, const SentProof& proof) {
    if (proof.sid.empty()) return false;
    auto* attempt = attempt_of(nonce);
    if (attempt == nullptr) {
        // Signed, and yet not known here: what knew of it is gone.
        StoredAttempt lost;
        lost.number = job_.attempts.empty() ? 1 : job_.attempts.back().number + 1;
        lost.nonce = nonce;
        lost.started_at = at_.now;
        attempt = &job_.attempts.emplace_back(std::move(lost));
    }
    const bool same = attempt->state == AttemptState::sent && attempt->sid == proof.sid;
    if (!same) {
        attempt->state = AttemptState::sent;
        attempt->sid = proof.sid;
        attempt->problem.clear();
    }
    attempt->evidence = std::max(attempt->evidence, proof.evidence);
    job_.updated_at = at_.now;
    const auto before = job_.status;
    if (job_.sid == proof.sid) {
        const bool news = !same || job_.evidence < proof.evidence;
        job_.evidence = std::max(job_.evidence, proof.evidence);
        take_status(proof.status, proof.error_code);
        return news || job_.status != before;
    }
    if (job_.sid.empty() || job_.evidence <= Evidence::person) {
        if (proof.wrong_customer) {
            job_.sid = proof.sid;
            job_.evidence = proof.evidence;
            hold_for_person("its message went to somebody whom the job is not for");
            return true;
        }
        accept(proof);
        return true;
    }
    if (std::find(job_.doubles.begin(), job_.doubles.end(), proof.sid) != job_.doubles.end()) {
        return !same;
    }
    job_.doubles.push_back(proof.sid);
    tell(Outcome::doubled);
    return true;
}

bool JobMachine::not_sent(const AttemptNonce& nonce, const NotSentProof& proof) {
    auto* const attempt = attempt_of(nonce);
    if (attempt == nullptr || attempt->state != AttemptState::open) return false;
    attempt->state = AttemptState::not_sent;
    attempt->http_status = proof.http_status;
    attempt->error_code = proof.error_code;
    attempt->problem = proof.problem;
    job_.updated_at = at_.now;
    if (proof.counts) ++job_.tries;
    const bool was_last = attempt == &job_.attempts.back();
    const bool moves =
        job_.state == JobState::unknown || (job_.state == JobState::sending && was_last);
    if (!moves) return true;
    if (job_.in_doubt()) {
        if (job_.state == JobState::sending) become_unknown();
        return true;
    }
    job_.problem = proof.problem;
    job_.error_code = proof.error_code;
    if (!proof.may_retry) {
        die(proof.reason);
    } else if (proof.counts && job_.tries >= rules_.max_tries && !job_.cancel_requested) {
        die(DeadReason::exhausted);
    } else {
        auto pause = retry_pause(rules_, std::max(job_.tries, 1), at_.jitter);
        if (proof.retry_after)
            pause = std::max(pause, std::min(*proof.retry_after, longest_asked_pause));
        go_back(at_.now + pause);
    }
    return true;
}

// ---- Time, looks, reports, persons

bool JobMachine::lease_ended() {
    if ((job_.state != JobState::claimed && job_.state != JobState::sending) ||
        !job_.lease_until.ended(at_.lease_now)) {
        return false;
    }
    if (job_.state == JobState::claimed) {
        go_back(job_.not_before);
    } else {
        job_.problem = "its worker vanished while it was sending";
        if (!job_.attempts.empty()) job_.attempts.back().problem = job_.problem;
        become_unknown();
    }
    return true;
}

bool JobMachine::tick() {
    if (job_.state == JobState::ready && expired()) {
        if (job_.in_doubt()) {
            become_unknown();
        } else if (!job_.suspect_since) {
            die(DeadReason::expired);
        } else {
            return false;  // The look that is due says more.
        }
        return true;
    }
    if (job_.state != JobState::unknown) return false;
    const auto& policy = job_.on_unknown;
    const bool looked_enough = !job_.next_look;
    const auto since = job_.unknown_since.value_or(at_.now);
    if (policy.kind() == OnUnknown::Kind::drop) {
        if (!looked_enough && !expired() && at_.now < since + policy.after()) return false;
        die(DeadReason::unknown);
        return true;
    }
    if (policy.may_resend() && expired()) {
        die(DeadReason::unknown);
        return true;
    }
    // Those count that were made since the first that may have been sent.
    const auto doubtful =
        std::find_if(job_.attempts.begin(), job_.attempts.end(),
                     [](const auto& each) { return each.state != AttemptState::not_sent; });
    const bool may_again = policy.may_resend() && !job_.cancel_requested &&
                           job_.attempts.end() - doubtful < policy.max_attempts();
    if (may_again) {
        const auto end = since + policy.after();
        const bool waited = policy.kind() == OnUnknown::Kind::resend_now ||
                            (at_.now >= end && job_.looks_answered >= policy.min_looks() &&
                             job_.last_answer && *job_.last_answer >= end);
        if (waited) {
            go_back(at_.now);
            return true;
        }
    }
    if (!looked_enough) return false;
    hold_for_person(nothing_shows);
    return true;
}

bool JobMachine::looked(const LookResult& result) {
    const bool suspect = job_.state == JobState::ready && job_.suspect_since;
    const bool open = job_.state == JobState::unknown || job_.state == JobState::held ||
                      (job_.state == JobState::dead && job_.reason == DeadReason::unknown) ||
                      (job_.state == JobState::ready && job_.in_doubt());
    if (!suspect && !open) return false;
    if (result.kind == LookResult::Kind::found) {
        if (!job_.sid.empty() || result.sids.empty()) return false;
        accept({.sid = result.sids.front(), .evidence = Evidence::list});
        return true;
    }
    if (job_.state != JobState::unknown && !suspect) return false;
    ++job_.looks;
    job_.updated_at = at_.now;
    if (result.kind != LookResult::Kind::failed) {
        ++job_.looks_answered;
        job_.last_answer = at_.now;
    }
    if (result.kind == LookResult::Kind::several) {
        job_.candidates = result.sids;
        hold_for_person("several messages may be this one");
        return true;
    }
    next_look_after(job_.looks);
    if (!suspect) {
        tick();
        return true;
    }
    if (result.kind == LookResult::Kind::failed) {
        // A suspect is looked for until there is an answer.
        if (!job_.next_look) job_.next_look = at_.now + look_pauses.back();
        return true;
    }
    if (!rules_.send_suspects || !result.callbacks_tell) {
        hold_for_person(nothing_shows);
    } else if (at_.now >= *job_.suspect_since + rules_.suspect_wait) {
        job_.suspect_since.reset();
        go_back(job_.not_before);
    } else {
        const auto end = *job_.suspect_since + rules_.suspect_wait;
        job_.next_look = std::min(job_.next_look.value_or(end), end);
    }
    return true;
}

bool JobMachine::not_the_one(std::string_view sid) {
    if (job_.evidence != Evidence::list || job_.sid != sid) return false;
    job_.sid.clear();
    job_.evidence = Evidence::none;
    job_.status.clear();
    job_.problem = "what looked like it was another job's message";
    become_unknown();
    return true;
}

bool JobMachine::status_changed(std::string_view sid, std::string_view status, int error_code) {
    if (job_.sid.empty() || job_.sid != sid) return false;
    const auto before = job_.status;
    take_status(status, error_code);
    return job_.status != before;
}

bool JobMachine::cancel() {
    switch (job_.state) {
        case JobState::ready:
        case JobState::claimed:
            job_.updated_at = at_.now;
            if (job_.in_doubt()) {
                job_.cancel_requested = true;
                become_unknown();
            } else if (job_.suspect_since) {
                if (job_.cancel_requested) return false;
                job_.cancel_requested = true;
            } else {
                move_to(JobState::cancelled);
                tell(Outcome::cancelled);
            }
            return true;
        case JobState::sending:
        case JobState::unknown:
        case JobState::held:
            if (job_.cancel_requested) return false;
            job_.cancel_requested = true;
            job_.updated_at = at_.now;
            return true;
        case JobState::accepted:
            // It has left; what would follow it does not.
            if (!has_fallbacks(job_) || job_.cancel_requested) return false;
            job_.cancel_requested = true;
            job_.chain_due.reset();
            return true;
        default:
            return false;
    }
}

bool JobMachine::person_sent(std::string_view sid, const Person& person) {
    const bool open = job_.state == JobState::unknown || job_.state == JobState::held ||
                      (job_.state == JobState::dead && job_.reason == DeadReason::unknown);
    if (!open || sid.empty() || (!job_.sid.empty() && job_.sid != sid)) return false;
    note(person);
    accept({.sid = std::string{sid}, .evidence = std::max(job_.evidence, Evidence::person)});
    return true;
}

bool JobMachine::person_not_sent(const Person& person) {
    const bool open = job_.state == JobState::unknown || job_.state == JobState::held ||
                      (job_.state == JobState::dead && job_.reason == DeadReason::unknown);
    if (!open || !job_.sid.empty()) return false;
    note(person);
    for (auto& attempt : job_.attempts) {
        if (attempt.state != AttemptState::open) continue;
        attempt.state = AttemptState::not_sent;
        attempt.evidence = Evidence::person;
    }
    job_.suspect_since.reset();
    job_.candidates.clear();
    job_.problem.clear();
    go_back(at_.now);
    return true;
}

bool JobMachine::person_gave_up(const Person& person) {
    if (job_.state != JobState::unknown && job_.state != JobState::held) return false;
    note(person);
    die(DeadReason::unknown);
    return true;
}

bool JobMachine::retry() {
    if (job_.state != JobState::dead || job_.reason == DeadReason::unknown || job_.in_doubt()) {
        return false;
    }
    if (expired()) job_.expires_at.reset();
    job_.tries = 0;
    job_.cancel_requested = false;
    job_.error_code = 0;
    job_.problem.clear();
    move_to(JobState::ready);
    job_.not_before = at_.now;
    return true;
}

bool JobMachine::suspect(std::string_view problem) {
    if ((job_.state != JobState::ready && job_.state != JobState::claimed) || job_.suspect_since) {
        return false;
    }
    job_.suspect_since = at_.now;
    move_to(JobState::ready);
    // Whoever has it in hand has it no more.
    ++job_.fence;
    job_.problem = problem;
    job_.looks = 0;
    job_.looks_answered = 0;
    job_.last_answer.reset();
    job_.next_look = at_.now;
    return true;
}

bool JobMachine::quota_renewed() {
    const bool waits = job_.state == JobState::ready && !job_.suspect_since;
    if (!waits && job_.state != JobState::held) return false;
    if (!job_.problem.starts_with(quota_waits) || !job_.sid.empty()) return false;
    job_.problem.clear();
    go_back(at_.now);
    return true;
}

bool JobMachine::chain_came(std::optional<TimePoint> again) {
    if (!job_.chain_due || *job_.chain_due > at_.now) return false;
    job_.chain_due = again;
    return true;
}

}  // namespace detail
}  // namespace twiliowa
