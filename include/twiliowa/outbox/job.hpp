/// @file
/// The vocabulary of the outbox: what a program asks for with a message, and what has become of it.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/state/quota_storage.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/message.hpp>
#include <twiliowa/types/outbound.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/sid.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

/// Where a job is in its life.
enum class JobState {
    ready,        ///< Waits for its time, its turn and a worker.
    claimed,      ///< A worker has taken it; nothing may have left yet.
    sending,      ///< Written down before the first byte: from here on it may have left.
    unknown,      ///< It may have been sent, or not. Evidence is looked for.
    held,         ///< A person decides: `Outbox::resolve`.
    accepted,     ///< Twilio has it; the job knows its SID.
    delivered,    ///< Final. With a status of `read` it was read, too.
    undelivered,  ///< Final: Twilio could not deliver it. A later receipt may still correct that.
    dead,         ///< Final: not sent, or nobody will know (DeadReason).
    cancelled,    ///< Final: cancelled before anything left.
};

/// Why a job is dead.
enum class DeadReason {
    none,        ///< It is not.
    refused,     ///< Twilio, or a check before it, refused it for good: see the error's code.
    exhausted,   ///< Tried as often as OutboxOptions::max_tries says, and nothing was ever sent.
    expired,     ///< JobOptions::expires_at came before it could go.
    opted_out,   ///< Who it was for wants no such messages.
    unknown,     ///< It may have been sent; the job's OnUnknown, or a person, gave it up.
    no_consent,  ///< Who it was for has not agreed to such messages, as its campaign asks for.
    quiet,       ///< Its time ended within the quiet hours of who it was for.
};

/// What shows that a message was sent, in ascending rank: a higher one corrects a lower one.
enum class Evidence {
    none,
    list,      ///< Twilio's list shows it, or its twin.
    person,    ///< Somebody said so (`Outbox::resolve`).
    callback,  ///< A signed status callback that carries the job's marker.
    answer,    ///< Twilio's answer to the send.
};

/// What became of one attempt to send.
enum class AttemptState {
    open,      ///< It may have been sent.
    sent,      ///< It was; see its SID.
    not_sent,  ///< It certainly was not.
};

TWILIOWA_EXPORT std::string_view to_string(JobState state) noexcept;
TWILIOWA_EXPORT std::string_view to_string(DeadReason reason) noexcept;
TWILIOWA_EXPORT std::string_view to_string(Evidence evidence) noexcept;
TWILIOWA_EXPORT std::string_view to_string(AttemptState state) noexcept;
/// The state of that name, as `to_string` gives it.
TWILIOWA_EXPORT std::optional<JobState> parse_job_state(std::string_view name) noexcept;

/// Whether nothing more happens to a job of that state by itself, but for what Twilio still
/// reports.
constexpr bool is_final(JobState state) noexcept {
    return state >= JobState::delivered;
}

/// What becomes of a job whose outcome cannot be known. Exactly once is not to be had: Twilio knows
/// no idempotency key. docs/outbox.md says what each guarantees.
class OnUnknown {
public:
    enum class Kind { hold, drop, resend_after, resend_now };

    /// Looked for on a schedule (5 s to 10 h); then held for a person. At most once, never lost.
    static constexpr OnUnknown hold() noexcept { return {Kind::hold, {}, 0, 0}; }
    /// Looked for as long as the message is of use; then given up, and told so. At most once, no
    /// person: for one-time codes.
    static constexpr OnUnknown drop(std::chrono::milliseconds after = std::chrono::minutes{
                                        10}) noexcept {
        return {Kind::drop, after, 0, 0};
    }
    /// Sent again when `after` has passed and `min_looks` looks have shown nothing. At least once:
    /// a double needs Twilio's list to be silent, and no callback, for that long.
    static constexpr OnUnknown resend_after(std::chrono::milliseconds after,
                                            int min_looks = 4) noexcept {
        return {Kind::resend_after, after, min_looks, 3};
    }
    /// Sent again at once, up to `max` attempts in all. At least once, and in an outage often
    /// twice: where a double does no harm.
    static constexpr OnUnknown resend_now_may_duplicate(int max = 2) noexcept {
        return {Kind::resend_now, {}, 0, max};
    }

    constexpr Kind kind() const noexcept { return kind_; }
    constexpr std::chrono::milliseconds after() const noexcept { return after_; }
    constexpr int min_looks() const noexcept { return min_looks_; }
    /// Attempts in all, of which any may have been sent.
    constexpr int max_attempts() const noexcept { return max_attempts_; }
    constexpr bool may_resend() const noexcept { return kind_ >= Kind::resend_after; }
    friend constexpr bool operator==(const OnUnknown&, const OnUnknown&) noexcept = default;

    /// `hold`, `drop:600`, `resend_after:3600:4`, `resend_now_may_duplicate:2` (times in seconds):
    /// what is stored, and the command line reads.
    TWILIOWA_EXPORT std::string str() const;
    TWILIOWA_EXPORT static Result<OnUnknown> parse(std::string_view text);

private:
    constexpr OnUnknown(Kind kind, std::chrono::milliseconds after, int min_looks,
                        int max_attempts) noexcept
        : kind_(kind), after_(after), min_looks_(min_looks), max_attempts_(max_attempts) {}

    Kind kind_;
    std::chrono::milliseconds after_;
    int min_looks_;
    int max_attempts_;
};

/// Which jobs go first. `urgent` goes before everything else; of the others each has its share.
enum class Lane { urgent = 0, high = 1, normal = 2, bulk = 3 };
TWILIOWA_EXPORT std::string_view to_string(Lane lane) noexcept;
/// The lane of that name, as `to_string` gives it.
TWILIOWA_EXPORT std::optional<Lane> parse_lane(std::string_view name) noexcept;

/// A job's random name, 80 bits, as 20 hexadecimal digits.
class TWILIOWA_EXPORT JobId {
public:
    using Bytes = std::array<unsigned char, 10>;

    JobId() noexcept = default;
    explicit JobId(const Bytes& bytes) noexcept : bytes_(bytes) {}
    /// @returns nullopt unless `text` is 20 hexadecimal digits.
    static std::optional<JobId> parse(std::string_view text) noexcept;

    std::string str() const;
    const Bytes& bytes() const noexcept { return bytes_; }
    bool empty() const noexcept { return bytes_ == Bytes{}; }
    friend auto operator<=>(const JobId&, const JobId&) noexcept = default;  // NOLINT: no pointer

private:
    Bytes bytes_ = {};
};

/// What calls for the next message of a chain (Fallback). docs/outbox.md lists Twilio's codes.
enum class FallbackWhen {
    /// WhatsApp does not reach who it is for, as Twilio's final report says.
    unreachable,
    /// It is free-form, and their 24-hour window was closed (63016), which Twilio often tells late.
    window_closed,
};
TWILIOWA_EXPORT std::string_view to_string(FallbackWhen when) noexcept;
/// The one of that name, as `to_string` gives it.
TWILIOWA_EXPORT std::optional<FallbackWhen> parse_fallback_when(std::string_view name) noexcept;

/// What goes if a message did not arrive, once: a job of its own, with the key of the one before
/// and `/sms` or `/template`. docs/outbox.md says what calls for it, and what does not.
struct Fallback {
    /// Without `to`: it goes to whom the job is for. By SMS if its `from` is an SMS number, or if
    /// it names a messaging service alone and is for `unreachable`; who has no phone number has no
    /// SMS. Names it no sender, it goes as the job does.
    OutboundMessage message = {};
    FallbackWhen when = FallbackWhen::unreachable;  ///< What calls for it.
    /// Goes also if the message before was not reported delivered within that time of its being
    /// accepted: 1 s to 7 days. That may still arrive then, too: for one-time codes. Nullopt: never
    /// by time.
    std::optional<std::chrono::seconds> after_may_reach_twice = {};
};

/// What a program may say about a message that it hands over. Texts are UTF-8.
struct JobOptions {
    /// The program's own name for this message, unique for its tenant: what makes handing it over
    /// twice harmless. With the same message again, the first job is the answer; with another one,
    /// it is refused. At most 200 bytes. Empty: each call makes a job of its own, under its id.
    TextField key = {};
    TextField tenant = {};  ///< At most 100 bytes; for programs that have such.
    /// The program's own text, at most 200 bytes; comes back with the job, and is in what observers
    /// are told. Never sealed: no customer is named in it.
    TextField tag = {};
    TextField account =
        {};  ///< The program's name of the account that sends (OutboxOptions::client).
    std::optional<TimePoint> not_before = {};
    /// Nothing leaves after this time. It ends attempts, not the question what became of one. A
    /// time that has passed is refused, unless its key is known: then the first job is the answer.
    std::optional<TimePoint> expires_at = {};
    Lane lane = Lane::normal;
    /// Jobs of one order_key (and tenant) go one after the other, each when Twilio has accepted the
    /// one before. At most 200 bytes.
    TextField order_key = {};
    /// Default: OutboxOptions::on_unknown.
    std::optional<OnUnknown> on_unknown = {};
    /// The key of the quota that it is counted in when it is sent (OutboxOptions::quotas). Kept in
    /// the clear, and named in Job::problem: choose one that is not personal. At most 256 bytes;
    /// empty: none.
    TextField quota = {};
    /// What it costs of that quota. More than 0.
    QuotaAmount cost = 1;
    /// In which time zone its recipient is, by its IANA name, `Europe/Madrid`: for rules about
    /// hours (OutboxOptions::gate). Empty: their number tells.
    TextField time_zone = {};
    /// What goes if the message does not arrive, the first that fits and then those after it: at
    /// most 3, those for `window_closed` first. They belong to the message: with others the same
    /// key is refused.
    std::vector<Fallback> fallbacks = {};
};

/// What `enqueue` answers, when it is on the disk.
struct EnqueuedJob {
    JobId id = {};
    std::string key = {};  ///< JobOptions::key, or the id where there was none.
    /// Whether it was handed over before, with the same message.
    bool existed = false;
    JobState state = JobState::ready;
};

/// One attempt to send a job's message.
struct JobAttempt {
    int number = 0;  ///< From 1.
    AttemptState state = AttemptState::open;
    TimePoint started_at = {};
    std::string account_sid = {};  ///< The account it went through.
    MessageSid sid = {};           ///< If it is known to have been sent.
    Evidence evidence = Evidence::none;
    int http_status = 0;
    int error_code = 0;          ///< Twilio's; 0 when there was none.
    std::string problem = {};    ///< Why it is open or was not sent: our words, free of people.
    bool may_duplicate = false;  ///< Made while an earlier one was open.
};

/// Who said what became of a job that was held or unknown (`Outbox::resolve`).
struct JobDecision {
    std::string by = {};   ///< Empty: nobody said.
    std::string why = {};  ///< Empty: nobody said.
    TimePoint at = {};     ///< When it was said.

    /// All three.
    friend bool operator==(const JobDecision&, const JobDecision&) = default;
};

/// What is known of a job.
struct Job {
    JobId id = {};
    std::string tenant = {};
    std::string key = {};
    std::string tag = {};
    std::string account = {};
    JobState state = JobState::ready;
    DeadReason reason = DeadReason::none;
    /// Why it is held, dead or waiting: our words, free of people. Empty when there is nothing to
    /// say.
    std::string problem = {};
    int error_code = 0;
    MessageSid sid = {};
    Evidence evidence = Evidence::none;
    MessageStatus status = {};  ///< Twilio's word, as far as it is known.
    std::string price = {};     ///< As Message::price; filled in late, or never.
    std::string price_unit = {};
    std::vector<JobAttempt> attempts = {};
    /// Further messages that were sent for this job: it went twice. Empty unless OnUnknown, a
    /// person or a restored storage made it so.
    std::vector<MessageSid> doubles = {};
    /// What may be this job's message, where a person has to say: the newest 20 of them.
    std::vector<MessageSid> candidates = {};
    std::optional<JobDecision> decision = {};  ///< The last that a person made.
    bool suspect = false;  ///< Its storage went back in time: looked for before it is sent.
    bool cancel_requested = false;  ///< It will not be sent again, and nothing follows it.
    Lane lane = Lane::normal;
    std::string order_key = {};
    OnUnknown on_unknown = OnUnknown::hold();
    std::string quota = {};      ///< Empty: it is counted in none.
    QuotaAmount cost = {};       ///< Of the quota.
    std::string time_zone = {};  ///< Empty: not given, or erased.
    std::string campaign = {};   ///< Which one it is of; empty: none.
    int variant = 0;             ///< Of the campaign, from 0.
    /// Which message of a chain: 0 is the first. Of a later one the key of the one before is its
    /// own, up to the last `/`.
    int step = 0;
    /// What it costs, in millionths of `price_unit`: an estimate as long as `price` is empty.
    std::int64_t spend = 0;
    TimePoint created_at = {};
    TimePoint updated_at = {};
    std::optional<TimePoint> not_before = {};
    std::optional<TimePoint> expires_at = {};
    std::optional<TimePoint> next_look = {};
    /// The message as it was handed over; nullopt once its texts were erased
    /// (OutboxOptions::payload_kept).
    std::optional<OutboundMessage> message = {};
    /// What may follow it; empty once its texts were erased.
    std::vector<Fallback> fallbacks = {};
    /// Grows with every job: what JobFilter::after goes by.
    std::int64_t sequence = 0;
};

/// What `Outbox::on_outcome` is told of.
enum class Outcome {
    accepted,
    delivered,
    read,
    undelivered,
    dead,
    held,
    cancelled,
    doubled,  ///< It went twice, as is certain now: see Job::doubles. Somebody should know.
};
TWILIOWA_EXPORT std::string_view to_string(Outcome outcome) noexcept;

/// Something final, or close to it, has happened to a job.
struct JobOutcome {
    std::int64_t cursor = 0;  ///< Grows; where `watch` goes on from.
    Outcome outcome = Outcome::accepted;
    TimePoint at = {};
    Job job = {};  ///< As it is now, which may be further than `outcome`.
};

}  // namespace twiliowa
