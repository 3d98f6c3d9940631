/// @file
/// A gate that lets everything pass, for those that stop one thing.
#pragma once

#include <span>
#include <vector>

#include <twiliowa/outbox/job_gate.hpp>

namespace outbox_test {

struct OpenGate : twiliowa::JobGate {
    bool concerns(const twiliowa::ReadyGroup&) const override { return true; }
    twiliowa::Result<std::vector<twiliowa::JobVerdict>> judge(
        std::span<const twiliowa::GatedJob> jobs, twiliowa::TimePoint) const override {
        asked += static_cast<int>(jobs.size());
        return std::vector<twiliowa::JobVerdict>(jobs.size());
    }
    twiliowa::CampaignStanding stand(twiliowa::StoredCampaign&,
                                     twiliowa::TimePoint) const override {
        return {};
    }
    bool note_failure(twiliowa::StoredCampaign&, const twiliowa::StoredJob&,
                      std::span<const twiliowa::CampaignCount>) const override {
        return false;
    }

    mutable int asked = 0;  ///< About how many jobs.
};

}  // namespace outbox_test
