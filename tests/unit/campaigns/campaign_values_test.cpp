#include <doctest/doctest.h>

#include <twiliowa/campaign/campaign.hpp>

#include "support/identifiers.hpp"

namespace campaign_values_test {

using namespace twiliowa;

TEST_CASE("what a campaign's enumerators are called is an identifier") {
    check_identifiers(Hindrance::refused);
    check_identifiers(Certainty::measured);
    check_identifiers(CampaignPhase::finished);
}

}  // namespace campaign_values_test
