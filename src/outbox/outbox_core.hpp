/// @file
/// What everything of an outbox shares: its storage, its rules, and how an event reaches a job.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/outbox/storage.hpp>

#include "outbox/job_codec.hpp"
#include "outbox/job_machine.hpp"
#include "outbox/outbox_news.hpp"

namespace twiliowa::detail {

/// Runs `work`, in which functions of the program's own and memory may fail: no thread of an outbox
/// ends for that. Nothing of an exception is told, as it may name people.
template <class Work>
auto without_exceptions(Work work) -> decltype(work()) {
    try {
        return work();
    } catch (...) {
        return Error::transport(Effect::none, Stage::prepare,
                                "a function that the outbox called threw an exception");
    }
}

/// When what is kept for that long now was final at the latest.
inline TimePoint kept_since(TimePoint now, std::chrono::milliseconds kept) {
    constexpr std::chrono::milliseconds for_ever = std::chrono::hours{24 * 365 * 100};
    return now - std::min(kept, for_ever);
}

/// Ids of jobs that are handed over together: the time, so that what is new lies together in an
/// index, however large it is, and then random bits, so that no two processes choose the same.
class JobIds {
public:
    explicit JobIds(const JobId::Bytes& first) noexcept : next_(first) {}
    /// Each is the successor of the one before.
    JobId next() noexcept;

private:
    JobId::Bytes next_;
};

/// What the name of a count begins with whose amounts are what jobs cost:
/// `spend/USD/acme/HX.../GB/whatsapp`, by currency, tenant, template, country and channel.
inline constexpr std::string_view spend_counts = "spend/";
/// When Twilio is asked for the price of a message, which it tells late, and again if it has not.
inline constexpr std::chrono::hours price_asked_after{24};
/// Until so long after it was sent.
inline constexpr std::chrono::hours price_given_up_after{24 * 7};
/// And of the count of what was sent of a campaign in each minute.
inline constexpr std::string_view campaign_counts_name = "campaign/";
/// The fact that says in which currency a campaign's messages are paid.
inline std::string campaign_currency_fact(const std::string& campaign) {
    return "campaign_currency " + campaign;
}

/// Whether a campaign that runs is finished: it has recipients, and none of them waits, is under
/// way or unknown.
bool is_campaign_over(std::span<const CampaignCount> counts) noexcept;

/// Whether the callbacks of all its messages carry their markers.
bool is_marked(const StoredJob& job) noexcept;

struct OutboxCore {
    OutboxCore(std::shared_ptr<OutboxStorage> chosen, OutboxOptions asked);

    const std::shared_ptr<OutboxStorage> storage;
    const OutboxOptions options;
    const JobRules rules;
    const JobCodec codec;

    /// The time that records go by: the storage's own, or the program's clock's.
    TimePoint now() const { return storage->now().value_or(options.clock->now()); }
    /// As OutboxStorage's; then tells the observer, if there is one.
    Result<void> transact(const OutboxStorage::Work& work) const;
    /// The same for who looks later at the campaigns that it adds, by `conclude`, in another
    /// transaction: of two who end the last jobs at one time, neither sees the other's in its own.
    Result<void> transact(const OutboxStorage::Work& work, OutboxNews::Endings& endings) const;
    /// Tells which of these campaigns are finished, or no more: once, whoever looks.
    Result<void> conclude(OutboxTransaction& transaction, const OutboxNews::Endings& endings) const;
    /// The same in a transaction of its own; if it fails, nobody is told.
    void conclude(const OutboxNews::Endings& endings) const;
    JobIds new_job_ids(TimePoint now) const;
    AttemptNonce new_nonce() const;
    std::string new_worker_name() const;
    JobMoment moment(OutboxTransaction& transaction) const {
        return {transaction.now(), transaction.lease_now(), options.random()};
    }
    /// What the program says of an account. A function that throws has switched it off.
    OutboxAccount account(const std::string& name) const;

    /// Its client's; empty if it has none, or no credentials.
    static std::string account_sid(const OutboxAccount& account);
    /// Of its credentials; empty where nobody can say.
    static std::string credentials_mark(const OutboxAccount& account);
    /// The fact that says which credentials of an account Twilio refused: its pause ends when there
    /// are others. Without it a person has paused the account.
    static std::string refused_fact(std::string_view account) {
        return "refused " + std::string{account};
    }

    /// Applies an event to a job that was read in this transaction; writes what it changed and whom
    /// it is told to. Whether it changed anything.
    template <class Event>
    Result<bool> apply(OutboxTransaction& transaction, StoredJob& job, Event&& event) const {
        const auto at = moment(transaction);
        auto* const news = OutboxNews::of(transaction);
        const auto before = news == nullptr ? JobMark{} : JobMark{job};
        JobMachine machine{job, rules, at};
        if (!event(machine)) return false;
        if (auto saved = write(transaction, job, machine); !saved) return saved.error();
        if (news != nullptr) news->changed(before, job, machine.outcomes(), at.now);
        return true;
    }
    /// The same of a job by its id; false if it is not there.
    template <class Event>
    Result<bool> apply_to(OutboxTransaction& transaction, const JobId& id, Event&& event) const {
        auto jobs = transaction.load(std::span{&id, 1});
        if (!jobs) return jobs.error();
        if (jobs->empty()) return false;
        return apply(transaction, jobs->front(), std::forward<Event>(event));
    }

    /// A message was sent for an attempt: whoever else was thought to have sent it has not.
    Result<bool> take_proof(OutboxTransaction& transaction, StoredJob& job,
                            const AttemptNonce& nonce, const SentProof& proof) const;
    /// What a callback tells whose URL names no attempt of this outbox: its message is none of
    /// these jobs'. Remembered only if a look for one of them could take it for its own.
    /// @param is_anothers  whether the URL names another outbox's attempt
    Result<void> note_stranger(OutboxTransaction& transaction, const StatusCallback& callback,
                               bool is_anothers) const;
    /// Whether a callback has told that this message is not the job's.
    Result<bool> is_stranger(OutboxTransaction& transaction, const StoredJob& job,
                             const std::string& sid) const;
    /// The storage went back in time: everything that has not left yet, and was handed over or
    /// changed since, may have been sent by a later state of it. What answers something that
    /// arrived until now is looked for, too, when it is handed over.
    /// @param of  which accounts' jobs; all if it is empty
    Result<std::int64_t> suspect_since(
        OutboxTransaction& transaction, TimePoint since, std::string_view problem,
        const std::function<bool(const std::string& account)>& of = {}) const;
    /// Whether the storage went back in time after that moment: a later state of it may have handed
    /// over already what follows from what happened then.
    Result<bool> went_back_since(OutboxTransaction& transaction, TimePoint moment) const;
    /// Twilio has told what its message did cost: that takes the place of the estimate. One in
    /// another currency is told, and changes nothing that was counted.
    Result<void> take_price(OutboxTransaction& transaction, StoredJob& job,
                            const Message& message) const;
    /// The same of a job that was just inserted for something that happened then: it is a suspect.
    Result<void> doubt_if_lost(OutboxTransaction& transaction, const JobId& inserted,
                               TimePoint moment) const;
    /// A running campaign waits from now on, and says why.
    Result<void> pause_campaign(OutboxTransaction& transaction, const std::string& id,
                                std::string_view problem) const;
    /// Whether the storage is another one than `check_identity` last looked at. If so, call that.
    bool is_another_storage() const;
    /// Notices that the storage is not the one that it was: by what is written down in it, and by
    /// what this process used before.
    /// @param last_used  when this process last committed to that one
    Result<void> check_identity(std::optional<TimePoint> last_used = {}) const;

private:
    Result<void> write(OutboxTransaction& transaction, StoredJob& job,
                       const JobMachine& machine) const;
    static Result<void> recount(OutboxTransaction& transaction, StoredJob& job);
    void plan_price(StoredJob& job, TimePoint now) const;
    Result<void> note_failure(OutboxTransaction& transaction, const StoredJob& job) const;
    template <class Change>
    static Result<void> change_running(OutboxTransaction& transaction, const std::string& id,
                                       Change change);
    Result<std::optional<TimePoint>> went_back_at(OutboxTransaction& transaction) const;

    mutable std::mutex identity_mutex_ = {};
    mutable std::string seen_identity_ = {};  ///< Empty: none yet, or it cannot be told.
};

}  // namespace twiliowa::detail
