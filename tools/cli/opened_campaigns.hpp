/// @file
/// The campaigns that a command is about.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <twiliowa/campaign/campaigns.hpp>
#include <twiliowa/campaign/sending_rules.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/types/error.hpp>

#include "context.hpp"
#include "service_store.hpp"

namespace CLI {
class App;
}

namespace cli {

/// Campaigns of an outbox that asks and decides, and sends nothing.
class OpenedCampaigns {
public:
    /// @param store  as given to --store
    explicit OpenedCampaigns(const std::string& store, IfMissing if_missing = IfMissing::refuse,
                             std::shared_ptr<const twiliowa::SendingRules> rules = {});

    twiliowa::Outbox& outbox() noexcept { return *outbox_; }
    /// Does something with them. What the library says of it becomes what the command line says.
    template <class Work>
    auto operator()(Work work) -> decltype(work(std::declval<twiliowa::Campaigns&>())) {
        return at_place(place_, [&] { return work(*campaigns_); });
    }

private:
    StorePlace place_;
    std::unique_ptr<twiliowa::Outbox> outbox_;
    std::unique_ptr<twiliowa::Campaigns> campaigns_;
};

/// Which campaign a command is about.
struct CampaignName {
    std::string id = {};
    std::string store = {};
};
/// Declares ID and --store.
void add_campaign_options(CLI::App& app, CampaignName& name);

}  // namespace cli
