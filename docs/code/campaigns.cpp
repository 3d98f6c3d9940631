// What docs/campaigns.md shows.
#include <cstdlib>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

#include <twiliowa/campaign/campaigns.hpp>
#include <twiliowa/campaign/sending_rules.hpp>
#include <twiliowa/testing/memory_outbox.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;
using namespace std::chrono_literals;

namespace {

void expect(bool holds) {
    if (!holds) std::abort();
}

void send_to_many(const wa::MessagesClient& client,
                  const std::shared_ptr<wa::OutboxStorage>& storage,
                  const std::shared_ptr<wa::OptOuts>& opt_outs, std::istream& csv) {
    // [use]
    const auto rules = std::make_shared<wa::SendingRules>(wa::SendingRulesOptions{
        .opt_outs = opt_outs,
        .quiet_hours = wa::QuietHoursOptions{.week = wa::QuietHoursOptions::every_day({8h, 20h})}});
    wa::Outbox outbox{storage, {.client = [=](std::string_view) { return client; }, .gate = rules}};
    wa::Campaigns campaigns{outbox, rules};
    campaigns.create(
        {.id = "spring",
         .variants = {{.message =
                           wa::OutboundTemplate{.content_sid = "HX00000000000000000000000000000001",
                                                .variables = {{"2", "Monday"}}}}},
         .columns = {{"1", "name"}}});
    const auto added = campaigns.add_csv("spring", csv, {.country = "GB"});
    for (const auto& fault : added.faults) {
        std::cerr << "line " << fault.line << ": " << fault.problem << '\n';
    }
    campaigns.start("spring");
    outbox.start();
    std::cout << campaigns.progress("spring").line() << '\n';
    // [use]
    expect(added.added == 2 && added.refused == 1);
    expect(campaigns.progress("spring").recipients == 3);
    outbox.stop();
}

}  // namespace

int main() {
    const wa::MessagesClient client{wa::Credentials::from_environment(),
                                    wa::ClientOptions::from_environment()};
    std::istringstream csv{"name,to\nLee,07700 900123\nAnn,+44 (0)7700 900124\n,nobody\n"};
    send_to_many(client, std::make_shared<wa::testing::MemoryOutbox>(),
                 std::make_shared<wa::OptOuts>(std::make_shared<wa::MemoryStore>()), csv);
    return 0;
}
