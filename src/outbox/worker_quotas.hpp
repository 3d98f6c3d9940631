/// @file
/// The quotas of jobs that a worker sends: the windows, which the program tells, and what is
/// counted of them elsewhere than with the jobs.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/state/quotas.hpp>

#include "outbox/outbox_core.hpp"

namespace twiliowa::detail {

/// A job that may go if what is counted elsewhere allows it.
struct PermitWanted {
    JobId job = {};
    std::int64_t fence = 0;
    std::string quota = {};
    std::int64_t cost = 0;
};

/// What was said there.
struct QuotaPermit {
    PermitWanted asked = {};
    AttemptNonce nonce = {};  ///< Of the attempt that it is for.
    QuotaAnswer answer = {};
};

/// The key of an attempt where its quota is counted elsewhere.
std::string quota_send_key(const JobId& job, const AttemptNonce& nonce);

/// Asks, outside of transactions, what is then used in one. Used by one thread at a time.
class WorkerQuotas {
public:
    explicit WorkerQuotas(const OutboxCore& core);
    ~WorkerQuotas() = default;
    WorkerQuotas(const WorkerQuotas&) = delete;
    WorkerQuotas& operator=(const WorkerQuotas&) = delete;

    /// Null: the program has no quotas.
    const QuotasOptions* options() const noexcept { return options_ ? &*options_ : nullptr; }
    /// Before a transaction: asks for the windows of these, and for permits.
    void prepare(const std::set<std::string>& quotas, const std::vector<PermitWanted>& wanted,
                 MonotonicTime now);
    /// Null: they were not asked for in time.
    const Result<std::vector<QuotaWindow>>* windows_of(const std::string& quota) const;

    /// Whether windows that are not of plans are counted elsewhere.
    bool has_rates() const noexcept { return rates_ != nullptr; }
    /// Whether they cannot be asked there now.
    bool are_rates_away(MonotonicTime now) const noexcept { return now < rates_away_until_; }
    /// Null: it was not asked for in time.
    const QuotaPermit* permit_of(const StoredJob& job) const;
    /// After a transaction: gives back what was granted and is not used.
    void give_back_but(const std::set<JobId>& used);
    /// The attempt has ended, and may have been sent or not.
    void conclude(const std::string& quota, const std::string& send, std::int64_t cost,
                  bool may_be_sent) const;

private:
    struct Plan {
        Result<std::vector<QuotaWindow>> windows;
        MonotonicTime asked_at = {};
    };

    const OutboxCore& core_;
    std::optional<QuotasOptions> options_;
    Result<std::vector<QuotaWindow>> windows_of_all_;
    std::map<std::string, Plan, std::less<>> plans_ = {};
    std::unique_ptr<const Quotas> rates_ = {};
    std::map<JobId, QuotaPermit> permits_ = {};
    MonotonicTime rates_away_until_ = {};
};

}  // namespace twiliowa::detail
