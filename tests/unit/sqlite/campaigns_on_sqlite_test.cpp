/// Campaigns over days in which everything goes wrong, in a file.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/sqlite/sqlite_consents.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/sqlite/sqlite_store.hpp>

#include "support/at_scale.hpp"
#include "unit/campaigns/campaign_theatre.hpp"
#include "unit/campaigns/forgotten_customer.hpp"
#include "unit/outbox/outbox_outages.hpp"
#include "unit/sqlite/file_service.hpp"

namespace campaigns_on_sqlite_test {

using namespace std::chrono_literals;
using campaign_test::day;
using campaign_test::Theatre;
using campaign_test::TheatreOptions;
using sqlite_test::Database;
using sqlite_test::TestDirectory;
using twiliowa::test::at_scale;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::ManualClock;

namespace {

TheatreOptions in_a_file(const std::string& directory, twiliowa::TimePoint start,
                         std::uint32_t seed) {
    return {.start = start,
            .recipients = at_scale(300, 10'000),
            .open =
                [directory](const std::shared_ptr<ManualClock>& clock) {
                    return std::make_shared<twiliowa::SqliteOutbox>(
                        directory + "/outbox.db",
                        twiliowa::SqliteOutboxOptions{
                            .clock = clock, .lease_clock = [clock] {
                                return twiliowa::LeaseTime{
                                    "boot", std::chrono::duration_cast<std::chrono::microseconds>(
                                                clock->monotonic_now().time_since_epoch())
                                                .count()};
                            }});
                },
            .seed = seed};
}

/// Of all tables, and quoted.
std::vector<std::pair<std::string, std::string>> columns_of(const Database& database) {
    std::vector<std::pair<std::string, std::string>> columns;
    std::istringstream lines{database.text_of(
        "select '\"' || t.name || '\" \"' || c.name || '\"' || char(10) from sqlite_master as t "
        "join pragma_table_info(t.name) as c where t.type = 'table'")};
    std::string table;
    std::string column;
    while (lines >> table >> column) columns.emplace_back(table, column);
    return columns;
}

}  // namespace

TEST_CASE("who is forgotten is in no column of any file any more, however they were known") {
    const TestDirectory directory;
    const auto clock = std::make_shared<ManualClock>();
    const auto jobs = directory.path + "/outbox.db";
    const auto state = directory.path + "/state.db";
    const auto consents = directory.path + "/consents.db";
    const auto that_hold = [&](std::string_view text) {
        std::vector<std::string> places;
        for (const auto& file : {jobs, state, consents}) {
            const Database database{file};
            for (const auto& column : columns_of(database)) {
                const auto count = database.text_of(
                    "select count(*) from " + column.first + " where instr(cast(" + column.second +
                    " as blob), cast('" + std::string{text} + "' as blob)) > 0");
                if (count != "0") places.push_back(column.first + '.' + column.second + count);
            }
        }
        return places;
    };
    campaign_test::forget_without_trace(
        {.clock = clock,
         .jobs = in_a_file(directory.path, {}, 0).open(clock),
         .store = std::make_shared<twiliowa::SqliteStore>(state),
         .consents = std::make_shared<twiliowa::SqliteConsents>(consents),
         .that_hold = that_hold});
}

TEST_CASE("in a file nobody gets a message twice or at night, when the clocks go forward" *
          doctest::test_suite("at scale")) {
    const TestDirectory directory;
    Theatre theatre{in_a_file(directory.path, day(2026, 3, 27) + 15h, 2)};
    theatre.play();
    theatre.check();
}

TEST_CASE("in a file nobody gets a message twice or at night, when the clocks go back" *
          doctest::test_suite("at scale")) {
    const TestDirectory directory;
    Theatre theatre{in_a_file(directory.path, day(2026, 10, 23) + 15h, 3)};
    theatre.play();
    theatre.check();
}

TEST_CASE("in a file a campaign outlasts five minutes of Twilio's failures" *
          doctest::test_suite("at scale")) {
    const int recipients = at_scale(400, 50'000);
    const auto rules = std::make_shared<twiliowa::SendingRules>();
    sqlite_test::FileService files{{.concurrency = 6, .gate = rules}};
    auto& service = files.service;
    service.fake->add_sender(FakeTwilio::demo_account_sid, outbox_test::second_sender);
    const std::vector<std::string> senders{std::string{FakeTwilio::demo_sender},
                                           std::string{outbox_test::second_sender}};
    twiliowa::Campaigns campaigns{*service.outbox, rules};
    twiliowa::CampaignDefinition definition;
    definition.id = "spring";
    for (const auto& sender : senders) {
        definition.variants.push_back(
            {.name = sender, .message = twiliowa::OutboundText{.body = "Spring", .from = sender}});
    }
    definition.guards = {.failures_percent = 0, .unknowns = 0};
    campaigns.create(definition);
    std::vector<twiliowa::CampaignRecipient> all;
    for (int i = 0; i < recipients; ++i) {
        all.push_back({.to = "+44779" + std::to_string(1'000'000 + i)});
    }
    REQUIRE(campaigns.add("spring", all).added == all.size());
    campaigns.start("spring");
    service.fake->set_fault_rate(twiliowa::testing::Fault::internal_error, 1.0);
    for (int i = 0; i < 60; ++i) {
        service.outbox->run_until_idle();
        service.advance(5s);
    }
    // Three of each sender at once, and more only if as many were under way; then probes after 15,
    // 30, 60 and 120 seconds.
    std::int64_t unknown = 0;
    for (const auto& sender : senders) {
        const auto of_it = service.outbox->list(
            {.state = twiliowa::JobState::unknown, .sender = sender, .limit = 1'000});
        CHECK(of_it.size() <= 6 + 4);
        unknown += static_cast<std::int64_t>(of_it.size());
    }
    CHECK(unknown >= 2 * 4);
    CHECK(unknown <= 2 * (3 + 4));
    CHECK(service.at_twilio() == 0);
    service.fake->clear_faults();
    service.advance(2min);
    service.outbox->run_until_idle();
    const auto progress = campaigns.progress("spring");
    CHECK(progress.waiting == 0);
    CHECK(progress.in_doubt <= unknown);
    CHECK(progress.sent + progress.in_doubt == recipients);
    std::map<std::string, int> sent;
    for (const auto& message : service.fake->messages()) ++sent[message.to];
    CHECK(static_cast<std::int64_t>(sent.size()) == progress.sent);
    CHECK(std::all_of(sent.begin(), sent.end(), [](const auto& each) { return each.second == 1; }));
}

}  // namespace campaigns_on_sqlite_test
