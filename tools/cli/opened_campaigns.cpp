#include "opened_campaigns.hpp"

#include <CLI/CLI.hpp>
#include <utility>

#include "opened_outbox.hpp"

namespace cli {

OpenedCampaigns::OpenedCampaigns(const std::string& store, IfMissing if_missing,
                                 std::shared_ptr<const twiliowa::SendingRules> rules)
    : place_(store_place(store)),
      outbox_(open_outbox(store, if_missing)),
      campaigns_(std::make_unique<twiliowa::Campaigns>(*outbox_, std::move(rules))) {}

void add_campaign_options(CLI::App& app, CampaignName& name) {
    app.add_option("ID", name.id, "The campaign's, as its definition says")->required();
    add_store_option(app, name.store);
}

}  // namespace cli
