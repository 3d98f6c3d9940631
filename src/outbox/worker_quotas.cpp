#include "outbox/worker_quotas.hpp"

#include <utility>

#include "outbox/job_values.hpp"
#include "state/quota_windows.hpp"
#include "text/hex.hpp"

namespace twiliowa::detail {
namespace {

/// How long a plan holds that the program told.
constexpr std::chrono::seconds plan_holds{1};
constexpr std::chrono::seconds rates_pause{1};
/// In the storage for rates, where the usage by day is not read.
constexpr std::chrono::hours rates_kept{24};

}  // namespace

std::string quota_send_key(const JobId& job, const AttemptNonce& nonce) {
    return job.str() + '-' + bytes_in_hex(nonce);
}

WorkerQuotas::WorkerQuotas(const OutboxCore& core)
    : core_(core),
      options_(core.options.quotas),
      windows_of_all_(options_ ? options_->windows : std::vector<QuotaWindow>{}) {
    if (!options_ || !core.options.quota_rates) return;
    auto of_rates = *options_;
    of_rates.windows = some_quota_windows(options_->windows, false);
    if (!options_->windows_of && of_rates.windows.empty()) return;
    if (options_->windows_of) {
        of_rates.windows.clear();
        of_rates.windows_of = [this](std::string_view quota) -> Result<std::vector<QuotaWindow>> {
            const auto* const windows = windows_of(std::string{quota});
            if (windows == nullptr || !*windows) return std::vector<QuotaWindow>{};
            return some_quota_windows(**windows, false);
        };
    }
    of_rates.keep_usage = rates_kept;
    of_rates.clock = core.options.clock;
    rates_ = std::make_unique<const Quotas>(core.options.quota_rates, std::move(of_rates));
}

void WorkerQuotas::prepare(const std::set<std::string>& quotas,
                           const std::vector<PermitWanted>& wanted, MonotonicTime now) {
    permits_.clear();
    if (!options_) return;
    if (options_->windows_of) {
        std::erase_if(plans_, [&](const auto& each) {
            return now < each.second.asked_at || now - each.second.asked_at >= plan_holds;
        });
        for (const auto& quota : quotas) {
            if (plans_.contains(quota)) continue;
            plans_.emplace(quota, Plan{quota_windows_of(*options_, quota), now});
        }
    }
    if (!rates_) return;
    std::map<std::string, const QuotaPermit*> refusals;
    for (const auto& each : wanted) {
        if (are_rates_away(now)) return;
        QuotaPermit permit{each, core_.new_nonce()};
        // What cost no more was refused: so is this.
        if (const auto before = refusals.find(each.quota);
            before != refusals.end() && before->second->asked.cost <= each.cost &&
            before->second->answer.retry_after) {
            permit.answer = before->second->answer;
            permits_.emplace(each.job, std::move(permit));
            continue;
        }
        auto answer = rates_->reserve({.quota = each.quota,
                                       .send = quota_send_key(each.job, permit.nonce),
                                       .cost = QuotaAmount::thousandths(each.cost)});
        if (!answer) {
            rates_away_until_ = now + rates_pause;
            return;
        }
        permit.answer = std::move(*answer);
        const auto& kept = permits_.emplace(each.job, std::move(permit)).first->second;
        if (!kept.answer.granted) refusals.emplace(each.quota, &kept);
    }
}

const Result<std::vector<QuotaWindow>>* WorkerQuotas::windows_of(const std::string& quota) const {
    if (!options_->windows_of) return &windows_of_all_;
    const auto plan = plans_.find(quota);
    return plan == plans_.end() ? nullptr : &plan->second.windows;
}

const QuotaPermit* WorkerQuotas::permit_of(const StoredJob& job) const {
    const auto permit = permits_.find(job.id);
    if (permit == permits_.end() || permit->second.asked.fence != job.fence) return nullptr;
    return &permit->second;
}

void WorkerQuotas::give_back_but(const std::set<JobId>& used) {
    for (const auto& [job, permit] : permits_) {
        if (!permit.answer.granted || used.contains(job)) continue;
        conclude(permit.asked.quota, quota_send_key(job, permit.nonce), permit.asked.cost, false);
    }
    permits_.clear();
}

void WorkerQuotas::conclude(const std::string& quota, const std::string& send, std::int64_t cost,
                            bool may_be_sent) const {
    if (!rates_) return;
    const QuotaCharge charge{quota, send, QuotaAmount::thousandths(cost)};
    // If that fails, it lapses.
    static_cast<void>(may_be_sent ? rates_->settle(charge) : rates_->release(charge));
}

}  // namespace twiliowa::detail
