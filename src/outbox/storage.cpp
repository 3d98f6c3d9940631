#include <twiliowa/outbox/storage.hpp>

#include <map>

#include <twiliowa/state/store.hpp>

namespace twiliowa {

namespace detail {
namespace {

Error keeps_no_quotas() {
    return store_error("keeps no quotas", "bring its tables up to date, or count them elsewhere");
}

Error keeps_no_campaigns() {
    return store_error("keeps no campaigns", "bring its tables up to date");
}

}  // namespace
}  // namespace detail

std::string_view to_string(CampaignState state) noexcept {
    switch (state) {
        case CampaignState::draft:
            return "draft";
        case CampaignState::scheduled:
            return "scheduled";
        case CampaignState::running:
            return "running";
        case CampaignState::paused:
            return "paused";
        case CampaignState::cancelled:
            return "cancelled";
    }
    return "?";
}

Result<std::optional<std::vector<QuotaCount>>> OutboxTransaction::take_quota(
    std::string_view, std::span<const CountedSlot>) {
    return detail::keeps_no_quotas();
}

Result<void> OutboxTransaction::count_quota(const QuotaUse&) {
    return detail::keeps_no_quotas();
}

Result<std::vector<QuotaCount>> OutboxTransaction::quota_history(std::string_view, std::int64_t,
                                                                 TimePoint, TimePoint) {
    return detail::keeps_no_quotas();
}

Result<std::vector<bool>> OutboxTransaction::take_again(std::span<const StoredJob* const> jobs) {
    std::vector<JobId> ids;
    ids.reserve(jobs.size());
    for (const auto* const job : jobs) ids.push_back(job->id);
    const auto now = load(ids);
    if (!now) return now.error();
    std::map<JobId, std::int64_t> revisions;
    for (const auto& job : *now) revisions.emplace(job.id, job.revision);
    std::vector<bool> ours;
    ours.reserve(jobs.size());
    for (const auto* const job : jobs) {
        const auto found = revisions.find(job->id);
        ours.push_back(found != revisions.end() && found->second == job->revision);
    }
    return ours;
}

Result<std::vector<NamedQuotaCount>> OutboxTransaction::quota_histories(std::string_view,
                                                                        std::int64_t, TimePoint,
                                                                        TimePoint, std::string_view,
                                                                        std::size_t) {
    return detail::keeps_no_quotas();
}

Result<std::vector<StoredCampaign>> OutboxTransaction::campaigns(std::span<const std::string>) {
    return detail::keeps_no_campaigns();
}

Result<bool> OutboxTransaction::insert_campaign(const StoredCampaign&) {
    return detail::keeps_no_campaigns();
}

Result<void> OutboxTransaction::save_campaign(StoredCampaign&) {
    return detail::keeps_no_campaigns();
}

Result<std::vector<CampaignCount>> OutboxTransaction::campaign_counts(std::string_view) {
    return detail::keeps_no_campaigns();
}

}  // namespace twiliowa
