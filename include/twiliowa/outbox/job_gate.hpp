/// @file
/// What decides whether and when a job may be sent, beside the outbox itself: `JobGate`, the
/// interface. Programs give SendingRules (campaign/sending_rules.hpp); only who writes rules of
/// their own reads further. It may change with a minor release.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/outbox/job.hpp>
#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/state/quotas.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/observer.hpp>
#include <twiliowa/types/outbound.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// A job that is due, as a gate sees it. Valid during the call.
struct GatedJob {
    const StoredJob* job = nullptr;            ///< Not null.
    const OutboundMessage* message = nullptr;  ///< Its message; not null.
    std::string_view time_zone = {};           ///< JobOptions::time_zone; empty: not given.
    const StoredCampaign* campaign = nullptr;  ///< Null: it is of none.
    /// How many jobs of its campaign are ready, if that `counts_waiting`; else 0. Up to a minute
    /// old.
    std::int64_t waiting = 0;
};

/// A job that is about to leave, as a gate sees it. Valid during the call.
struct LeavingJob {
    const StoredJob* job = nullptr;            ///< As it was committed; not null.
    const OutboundMessage* message = nullptr;  ///< Its message; not null.
    std::string_view condition = {};           ///< JobVerdict::condition; not empty.
};

/// What an attempt takes of a budget, in millionths of a currency.
struct BudgetCharge {
    /// Its name, 1 to 500 bytes; it is told to the observer.
    std::string budget = {};
    std::int64_t micros = 0;  ///< How much.
    /// So much in each stretch of time, limits in millionths as QuotaAmount::thousandths. Empty: it
    /// is only counted, by the day.
    std::vector<QuotaWindow> windows = {};
    std::vector<int> warn_at = {};            ///< As QuotasOptions::warn_at.
    std::shared_ptr<Observer> observer = {};  ///< As QuotasOptions::observer.
};

/// What a gate says of a job.
struct JobVerdict {
    /// What becomes of it.
    enum class Kind {
        go,     ///< It may be sent now.
        wait,   ///< Not before `until`.
        never,  ///< It is dead, by `reason`.
        pause,  ///< Its campaign is paused, for `problem`; without one it waits five minutes.
    };
    Kind kind = Kind::go;  ///< What becomes of it.
    /// Of `wait`: when it may. Of `go`: when it must have left, and Twilio's queue as well, which
    /// OutboundMessage::validity_period sees to; nullopt: at any time.
    std::optional<TimePoint> until = {};
    DeadReason reason = DeadReason::refused;  ///< Of `never`.
    int error_code = 0;                       ///< Of `never`: Twilio's, or 0.
    std::string problem = {};                 ///< Why it waits or is dead. Free of people.
    std::vector<BudgetCharge> charges = {};   ///< What it takes if it goes.
    std::int64_t spend = 0;                   ///< The estimate of what it costs, in millionths.
    std::string currency = {};                ///< Of `spend`: three letters.
    /// Of `go`: what must still be so when it leaves, in the gate's own words; they are handed back
    /// to `may_leave`. Empty: nobody asks again.
    std::string condition = {};
};

/// How a campaign stands at a moment.
struct CampaignStanding {
    bool may_go = false;                   ///< Its jobs may be sent.
    bool changed = false;                  ///< It has come to its start, or past it: save it.
    std::optional<QuotaWindow> rate = {};  ///< What may be sent of it, at most.
    /// When so many were sent of it on a day (UTC), it is paused. 0: there is no such limit.
    std::int64_t most_a_day = 0;
    std::optional<TimePoint> look_again = {};  ///< When it may stand otherwise by itself.
    bool counts_waiting = false;               ///< GatedJob::waiting is asked for.
};

/// Asked by an outbox's worker. All functions are called by one thread at a time of each worker,
/// and by whoever takes in callbacks; they must be thread-safe. None throws: an exception is taken
/// for an error of the storage, and nothing is sent.
class TWILIOWA_EXPORT JobGate {
public:
    virtual ~JobGate() = default;

    /// Whether jobs of that group are to be judged; those of campaigns always are.
    virtual bool concerns(const ReadyGroup& group) const = 0;
    /// Called outside of transactions: it may ask storages and wait. One verdict for each, in their
    /// order; held to be true for a second. An error: none is sent, and it is asked again after a
    /// while.
    virtual Result<std::vector<JobVerdict>> judge(std::span<const GatedJob> jobs,
                                                  TimePoint now) const = 0;
    /// Called between the commit and the send, of jobs that have a condition: whether each may
    /// still leave, in their order. Who may not is as before, and judged anew; so are all if it is
    /// an error.
    virtual Result<std::vector<bool>> may_leave(std::span<const LeavingJob> jobs) const {
        return std::vector<bool>(jobs.size(), true);
    }
    /// Called in a transaction: asks nobody. May change the campaign's state, problem and course.
    virtual CampaignStanding stand(StoredCampaign& campaign, TimePoint now) const = 0;
    /// Called in a transaction, when a job of a running campaign has failed or its outcome is not
    /// known. May change the campaign's state, problem and course; says whether it did.
    virtual bool note_failure(StoredCampaign& campaign, const StoredJob& job,
                              std::span<const CampaignCount> counts) const = 0;
};

}  // namespace twiliowa
