/// The picture of a terminal in docs/campaigns.md: what is there is what the program says.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <twiliowa/campaign/campaigns.hpp>
#include <twiliowa/campaign/sending_rules.hpp>

#include "unit/outbox/outbox_service.hpp"

namespace campaign_picture_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using outbox_test::Service;

namespace {

constexpr const char* picture = TWILIOWA_TEST_DATA "/../../docs/pictures/campaign.svg";

std::string escaped(const std::string& text) {
    std::string safe;
    for (const char c : text) {
        if (c == '&') {
            safe += "&amp;";
        } else if (c == '<') {
            safe += "&lt;";
        } else {
            safe += c;
        }
    }
    return safe;
}

/// Text on a dark ground, in characters of one width.
std::string svg_of(const std::vector<std::string>& lines) {
    constexpr std::size_t line_height = 22;
    constexpr std::size_t character = 8;
    std::size_t longest = 0;
    for (const auto& line : lines) longest = std::max(longest, line.size());
    const auto width = std::to_string(longest * character + 40);
    const auto height = std::to_string(lines.size() * line_height + 32);
    std::string svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width +
                      "\" height=\"" + height + "\" viewBox=\"0 0 " + width + ' ' + height +
                      "\">\n<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1e1e1e\"/>\n"
                      "<g font-family=\"monospace\" font-size=\"13\" fill=\"#e6e6e6\" "
                      "xml:space=\"preserve\">\n";
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const bool is_command = lines[i].starts_with("$ ");
        svg += "<text x=\"20\" y=\"" + std::to_string(30 + i * line_height) + "\" textLength=\"" +
               std::to_string(lines[i].size() * character) + "\"" +
               (is_command ? " fill=\"#7fd1b9\"" : "") + '>' + escaped(lines[i]) + "</text>\n";
    }
    return svg + "</g>\n</svg>\n";
}

/// What a watcher sees of a campaign that a person stops for lunch, and whose budget is enough.
std::vector<std::string> watched() {
    const auto rules = std::make_shared<SendingRules>(
        SendingRulesOptions{.prices = PriceTable::from_csv("price,currency\n0.05,USD\n").value()});
    Service service{OutboxOptions{.gate = rules}};
    Campaigns campaigns{*service.outbox, rules};
    CampaignDefinition definition;
    definition.id = "spring";
    definition.variants.push_back({.message = OutboundText{.body = "Hi, it is spring"}});
    definition.rate = {.messages = 10, .per = 1s};
    definition.budget = Money::parse("100", "USD").value();
    campaigns.create(definition);
    std::vector<CampaignRecipient> recipients;
    for (int i = 0; i < 1'204; ++i) {
        recipients.push_back({.to = "+4477009" + std::to_string(10'000 + i)});
    }
    recipients.push_back({.to = "07700"});
    campaigns.add("spring", recipients);
    std::vector<std::string> lines{"$ twiliowa campaign status spring --watch"};
    const auto look = [&] { lines.push_back(campaigns.progress("spring").line()); };
    const auto pass = [&](int seconds) {
        for (int i = 0; i < seconds; ++i) {
            service.outbox->run_until_idle();
            service.advance(1s);
        }
    };
    look();
    campaigns.start("spring");
    pass(2);
    look();
    pass(58);
    look();
    campaigns.pause("spring", "lunch");
    pass(1);
    look();
    campaigns.resume("spring");
    pass(30);
    for (const auto& message : service.fake->messages()) {
        service.outbox->learn(service.callback_of(message, "delivered"));
    }
    look();
    pass(40);
    look();
    return lines;
}

}  // namespace

TEST_CASE("the terminal in the documentation shows what the program says") {
    const auto svg = svg_of(watched());
    if (std::getenv("TWILIOWA_WRITE_PICTURES") != nullptr) {
        std::ofstream{picture, std::ios::binary} << svg;
    }
    std::ifstream file{picture, std::ios::binary};
    const std::string kept{std::istreambuf_iterator<char>{file}, {}};
    // Write it anew: TWILIOWA_WRITE_PICTURES=1 twiliowa_campaigns_tests -tc='the terminal in*'
    CHECK(kept == svg);
}

}  // namespace campaign_picture_test
