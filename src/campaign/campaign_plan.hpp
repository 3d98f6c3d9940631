/// @file
/// A campaign's definition as the rules use it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/campaign/campaign.hpp>
#include <twiliowa/campaign/quiet_hours.hpp>
#include <twiliowa/outbox/storage.hpp>

namespace twiliowa::detail {

struct CampaignPlan {
    CampaignDefinition definition = {};
    std::optional<QuietHours> quiet = {};

    /// Errors: as CampaignDefinition::from_json.
    static Result<std::shared_ptr<const CampaignPlan>> of(std::string_view definition);
};

/// What its guards have seen.
struct CampaignCourse {
    std::string quality = {};  ///< Of its sender, as Meta rated it when that was looked at last.
    std::int64_t since = 0;    ///< How many outcomes there were when it began to count.
    std::map<std::string, std::int64_t, std::less<>> failures = {};  ///< By reason, since then.

    /// With what is not counted.
    CampaignCourse begun_anew() const { return {.quality = quality}; }
    std::string text() const;
    static CampaignCourse read(std::string_view text);
};

/// Which variant a recipient gets, by the hash of who they are; always the same.
int variant_of(const CampaignDefinition& definition, std::string_view recipient);

/// For which purpose recipients must have agreed; empty: for none.
std::string required_purpose(const CampaignDefinition& definition);

}  // namespace twiliowa::detail
