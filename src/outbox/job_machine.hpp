/// @file
/// What may happen to a job, and what then becomes of it: the state table of docs/outbox.md,
/// without I/O, clock or randomness of its own.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/outbox/job.hpp>
#include <twiliowa/outbox/storage.hpp>

namespace twiliowa::detail {

/// What holds for every job of an outbox.
struct JobRules {
    int max_tries = 10;
    std::chrono::milliseconds first_pause{1'000};  ///< After an attempt that did nothing; doubles.
    std::chrono::milliseconds longest_pause{std::chrono::minutes{15}};
    /// What becomes of a suspect that nothing shows.
    bool send_suspects = false;
    std::chrono::milliseconds suspect_wait{std::chrono::minutes{30}};
};

/// When something happens.
struct JobMoment {
    TimePoint now = {};
    LeaseTime lease_now = {};
    double jitter = 0.5;  ///< In [0, 1).
};

/// One attempt was sent: what shows it.
struct SentProof {
    std::string sid = {};
    std::string status = {};
    int error_code = 0;
    Evidence evidence = Evidence::answer;
    /// The message went to somebody whom the job is not for.
    bool wrong_customer = false;
};

/// One attempt certainly did nothing.
struct NotSentProof {
    bool may_retry = false;
    /// Counts as an attempt that the job was given. A slot that did not come in time does not.
    bool counts = true;
    DeadReason reason = DeadReason::refused;  ///< If it may not be tried again.
    std::optional<std::chrono::milliseconds> retry_after = {};
    int http_status = 0;
    int error_code = 0;
    std::string problem = {};
};

/// What a look at Twilio's list has shown of a job.
struct LookResult {
    enum class Kind { found, nothing, several, failed };
    Kind kind = Kind::nothing;
    std::vector<std::string> sids = {};
    /// Whether a callback would have shown the message by now, had it been sent: only then may a
    /// suspect that nothing shows be sent.
    bool callbacks_tell = false;
};

/// When the next look is due, counted from the last one; nullopt: there is none.
std::optional<std::chrono::milliseconds> look_pause(int looks, double jitter);

/// Somebody who says what became of a job.
struct Person {
    std::string_view name = {};
    std::string_view why = {};
};

/// What the problem of a job begins with that waits for its quota, or is held for it.
inline constexpr std::string_view quota_waits = "its quota ";

/// Applies one event to a job. Each returns whether it changed anything; false means that the table
/// has no such arrow from here, and the job is as it was.
class JobMachine {
public:
    JobMachine(StoredJob& job, const JobRules& rules, const JobMoment& at) noexcept
        : job_(job), rules_(rules), at_(at) {}

    // ---- A worker's decisions: they hold only with the fence that it was given.

    bool claim(std::string_view worker, const LeaseTime& until);
    /// The checks before the send say no, for good or until later.
    bool refuse(std::int64_t fence, DeadReason reason, int error_code, std::string_view problem);
    bool postpone(std::int64_t fence, TimePoint until, std::string_view problem);
    /// The worker cannot say what account it goes through: a person has to.
    bool hold(std::int64_t fence, std::string_view problem);
    bool let_go(std::int64_t fence);
    /// From here on the message may have left. Null if it may not go.
    const StoredAttempt* go(std::int64_t fence, std::string_view worker, const LeaseTime& until,
                            const AttemptNonce& nonce, std::string_view account_sid, bool marked);
    bool outcome_unknown(int attempt, int http_status, int error_code, std::string_view problem);

    // ---- Proof about one attempt: taken in from whoever has it, in any state.

    bool sent(const AttemptNonce& nonce, const SentProof& proof);
    bool not_sent(const AttemptNonce& nonce, const NotSentProof& proof);

    // ---- Time, looks, reports, persons.

    bool lease_ended();
    /// What time alone does: a policy whose time has come, an expiry.
    bool tick();
    bool looked(const LookResult& result);
    /// The message that a look had found has turned out to be another job's.
    bool not_the_one(std::string_view sid);
    bool status_changed(std::string_view sid, std::string_view status, int error_code);
    bool cancel();
    bool person_sent(std::string_view sid, const Person& person = {});
    bool person_not_sent(const Person& person = {});
    bool person_gave_up(const Person& person = {});
    /// Sends again what is dead and certainly was not sent.
    bool retry();
    bool suspect(std::string_view problem);
    /// What waits for its quota, or is held because that is used up, is tried again at once.
    bool quota_renewed();
    /// The time has come at which its next step goes though it may still arrive.
    /// @param again  when it has to be asked about once more
    bool chain_came(std::optional<TimePoint> again = {});

    const std::vector<Outcome>& outcomes() const noexcept { return outcomes_; }

private:
    bool expired() const noexcept;
    StoredAttempt* attempt_of(const AttemptNonce& nonce) noexcept;
    void move_to(JobState state);
    void die(DeadReason reason);
    void become_unknown();
    /// Every way back to ready leads through here.
    void go_back(TimePoint not_before);
    void accept(const SentProof& proof);
    void take_status(std::string_view status, int error_code);
    void hold_for_person(std::string_view problem);
    void note(const Person& person);
    void next_look_after(int looks);
    void tell(Outcome outcome) { outcomes_.push_back(outcome); }

    StoredJob& job_;
    const JobRules& rules_;
    const JobMoment& at_;
    std::vector<Outcome> outcomes_ = {};
};

}  // namespace twiliowa::detail
