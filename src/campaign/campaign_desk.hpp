/// @file
/// What all verbs of campaigns share.
#pragma once

#include <memory>
#include <string_view>

#include <twiliowa/campaign/campaign.hpp>
#include <twiliowa/campaign/sending_rules.hpp>
#include <twiliowa/outbox/storage.hpp>

#include "campaign/campaign_plan.hpp"
#include "outbox/job_intake.hpp"

namespace twiliowa::detail {

struct CampaignDesk {
    OutboxParts parts = {};
    std::shared_ptr<const SendingRules> rules = {};  ///< May be null.

    /// InvalidRequestError if there is none of that id.
    Result<StoredCampaign> load(OutboxTransaction& transaction, std::string_view id) const;
    Result<std::shared_ptr<const CampaignPlan>> plan_of(std::string_view id) const;
};

Result<CampaignProgress> read_progress(OutboxTransaction& transaction,
                                       const StoredCampaign& campaign);

}  // namespace twiliowa::detail
