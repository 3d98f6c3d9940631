/// Campaigns on an outbox in memory, before a Twilio whose clock is theirs.
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/campaign/campaigns.hpp>
#include <twiliowa/campaign/sending_rules.hpp>
#include <twiliowa/metrics_observer.hpp>
#include <twiliowa/state/consents.hpp>
#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/templates.hpp>

#include "outbox/worker.hpp"
#include "support/show.hpp"
#include "unit/outbox/open_gate.hpp"
#include "unit/outbox/outbox_service.hpp"
#include "unit/outbox/watched_transport.hpp"

namespace campaigns_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using outbox_test::OpenGate;
using outbox_test::Service;
using testing::Fault;
using twiliowa::test::containing;

namespace {

std::string number(int i) {
    const auto digits = std::to_string(i);
    return "+44770090" + std::string(4 - digits.size(), '0') + digits;
}

/// So that it is noon on Thursday, 2026-01-01, in London.
constexpr auto to_noon = 12h;

QuietHoursOptions office_hours() {
    return {.week = QuietHoursOptions::every_day({8h, 20h}), .morning_spread = 60min};
}

PriceTable prices() {
    return PriceTable::from_csv("country,category,channel,price,currency\nGB,,whatsapp,0.05,USD\n")
        .value();
}

CampaignDefinition spring() {
    CampaignDefinition definition;
    definition.id = "spring";
    definition.variants.push_back({.message = OutboundText{.body = "Hi, it is spring"}});
    return definition;
}

struct Shop {
    explicit Shop(SendingRulesOptions asked = {}, OutboxOptions options = {})
        : rules(std::make_shared<SendingRules>(std::move(asked))),
          service([&] {
              options.gate = rules;
              return options;
          }()),
          campaigns(std::make_unique<Campaigns>(*service.outbox, rules)) {
        service.advance(to_noon);
    }

    AddedRecipients add(int count, std::string_view id = "spring", int from = 0) {
        std::vector<CampaignRecipient> recipients;
        for (int i = from; i < from + count; ++i) recipients.push_back({.to = number(i)});
        return campaigns->add(id, recipients);
    }
    CampaignProgress run(std::string_view id = "spring") {
        service.outbox->run_until_idle();
        return campaigns->progress(id);
    }
    std::size_t sent() const { return service.at_twilio(); }
    /// What the messages were sent with, the newest first.
    std::vector<std::string> validity_periods() const {
        std::vector<std::string> periods;
        for (const auto& message : service.fake->messages()) {
            for (const auto& [name, value] : service.fake->parameters(message.sid.str())) {
                if (name == "ValidityPeriod") periods.push_back(value);
            }
        }
        return periods;
    }
    /// How many messages each number has.
    std::map<std::string, int> by_number() const {
        std::map<std::string, int> counted;
        for (const auto& message : service.fake->messages()) ++counted[message.to];
        return counted;
    }

    std::shared_ptr<SendingRules> rules;
    Service service;
    std::unique_ptr<Campaigns> campaigns;
};

/// One whose first message takes 15 s to leave.
struct SlowShop : Shop {
    explicit SlowShop(QuietHoursOptions hours)
        : Shop{{.quiet_hours = std::move(hours)}}, watched{service} {
        campaigns.reset();
        service.restart();
        campaigns = std::make_unique<Campaigns>(*service.outbox, rules);
        watched.transport->before = [this](const std::string&) {
            if (!std::exchange(took_long, true)) service.advance(15s);
        };
    }

    outbox_test::WatchedClient watched;
    bool took_long = false;
};

/// What an error says; nothing if there is none.
template <class T>
std::string problem(const Result<T>& result) {
    return result ? std::string{} : std::string{result.error().what()};
}

std::int64_t sum_of(const CampaignProgress& progress) {
    std::int64_t sum = 0;
    for (const auto& each : progress.by_state) sum += each.second;
    return sum;
}

/// Spring, and an SMS to who is not reached.
CampaignDefinition spring_with_sms() {
    auto definition = spring();
    definition.fallbacks = {
        {.message = OutboundText{.body = "Spring", .from = "sms:+15005550006"}}};
    return definition;
}

/// The job of a recipient, or what followed it; nullopt: there is none.
std::optional<Job> job_of(Shop& shop, int i, int step = 0) {
    std::optional<Job> found;
    shop.campaigns
        ->try_report("spring",
                     [&](const CampaignReportRow& row) -> Result<void> {
                         if (row.step == step && row.job.message &&
                             std::string{row.job.message->to}.ends_with(number(i))) {
                             found = row.job;
                         }
                         return {};
                     })
        .value();
    return found;
}

/// What Twilio reports of the message to a recipient.
void report(Shop& shop, int i, int error_code, int step = 0) {
    const auto job = job_of(shop, i, step).value();
    for (const auto& message : shop.service.fake->messages()) {
        if (message.sid != job.sid) continue;
        auto told = shop.service.callback_of(message, "undelivered");
        told.error_code = error_code;
        shop.service.outbox->learn(told);
    }
}

/// That WhatsApp did not reach them.
void report_unreachable(Shop& shop, int i, int step = 0) {
    report(shop, i, 63003, step);
}

}  // namespace

TEST_CASE("a campaign is a draft until it is started, and finished when all are sent") {
    Shop shop;
    CHECK(shop.campaigns->create(spring()));
    CHECK(!shop.campaigns->create(spring()));
    const auto added = shop.add(25);
    CHECK(added.added == 25);
    auto progress = shop.run();
    CHECK(progress.phase == CampaignPhase::draft);
    CHECK(progress.waiting == 25);
    CHECK(shop.sent() == 0);
    CHECK(shop.campaigns->start("spring"));
    CHECK(!shop.campaigns->start("spring"));
    progress = shop.run();
    CHECK(progress.phase == CampaignPhase::finished);
    CHECK(progress.recipients == 25);
    CHECK(progress.sent == 25);
    CHECK(sum_of(progress) == 25);
    CHECK(shop.by_number().size() == 25);
}

TEST_CASE("recipients that are added again are known, however they are written") {
    Shop shop;
    shop.campaigns->create(spring());
    shop.add(10);
    const auto again = shop.add(12);
    CHECK(again.known == 10);
    CHECK(again.added == 2);
    std::istringstream csv{"to\n07700 900003\nwhatsapp:+447700900004\n+44 (0)7700 900099\n"};
    const auto read = shop.campaigns->add_csv("spring", csv, {.country = "GB"});
    CHECK(read.rows == 3);
    CHECK(read.known == 2);
    CHECK(read.added == 1);
    shop.campaigns->start("spring");
    CHECK(shop.run().sent == 13);
    for (const auto& each : shop.by_number()) CHECK(each.second == 1);
}

TEST_CASE("what is refused is a recipient, too, and the numbers add up") {
    Shop shop;
    auto definition = spring();
    definition.variants.front().message = OutboundTemplate{
        .content_sid = "HX00000000000000000000000000000001", .variables = {{"2", "Monday"}}};
    definition.columns = {{"1", "name"}};
    shop.campaigns->create(definition);
    std::istringstream csv{
        "name,to,tag\nAnn,+447700900001,a\n,+447700900002,b\nBob,nonsense,c\nCy,+44770090000\"x,d\n"
        "Dan,+447700900001,e\n"};
    const auto added = shop.campaigns->add_csv("spring", csv);
    CHECK(added.rows == 5);
    CHECK(added.added == 1);
    CHECK(added.refused == 2);
    CHECK(added.faulty == 2);
    REQUIRE(added.faults.size() == 4);
    CHECK(added.faults[0].line == 5);
    CHECK(added.faults[1].line == 3);
    CHECK(added.faults[1].problem == containing("no value for 1"));
    CHECK(added.faults[2].problem == containing("to"));
    CHECK(added.faults[3].problem == containing("another message"));
    const auto progress = shop.campaigns->progress("spring");
    CHECK(progress.recipients == 3);
    CHECK(progress.by_reason.at(DeadReason::refused) == 2);
    // They have no message: sent again they would be refused anew.
    CHECK(shop.campaigns->retry("spring", DeadReason::refused) == 0);
    std::ostringstream report;
    shop.campaigns->report_csv("spring", report);
    CHECK(report.str() == containing("refused"));
    CHECK(report.str() != containing("+447700900001"));
    CHECK(report.str() == containing("+44********01"));
}

TEST_CASE("JSON lines are read with their variables, and strangers among their members refused") {
    Shop shop;
    auto definition = spring();
    definition.variants.front().message =
        OutboundTemplate{.content_sid = "HX00000000000000000000000000000001"};
    definition.columns = {{"1", "name"}};
    shop.campaigns->create(definition);
    std::istringstream lines{R"({"to": "+447700900001", "name": "Ann"})"
                             "\n\n"
                             R"({"to": "+447700900002", "variables": {"1": "Bob"}, "tag": "b"})"
                             "\n"
                             R"({"to": "+447700900003", "nmae": "Cy"})"
                             "\n{\n"
                             // What is deep would take a stack as deep.
                             R"({"to": "+447700900004", "variables": )" +
                             std::string(100'000, '[') + std::string(100'000, ']') + "}\n"};
    const auto added = shop.campaigns->add_json_lines("spring", lines);
    CHECK(added.added == 2);
    CHECK(added.faulty == 3);
}

TEST_CASE("a pause holds everything back, and a resumed one goes on") {
    Shop shop;
    auto definition = spring();
    definition.rate = {.messages = 10, .per = 1s};
    shop.campaigns->create(definition);
    shop.add(35);
    shop.campaigns->start("spring");
    CHECK(shop.run().sent == 10);
    CHECK(shop.campaigns->pause("spring", "lunch"));
    shop.service.advance(10s);
    auto progress = shop.run();
    CHECK(progress.sent == 10);
    CHECK(progress.phase == CampaignPhase::paused);
    CHECK(progress.problem == "lunch");
    CHECK(shop.campaigns->resume("spring"));
    CHECK(shop.run().sent == 20);
    shop.service.advance(1s);
    CHECK(shop.run().sent == 30);
    shop.service.advance(1s);
    CHECK(shop.run().phase == CampaignPhase::finished);
    CHECK(shop.sent() == 35);
}

TEST_CASE("a cancelled campaign sends no more, and says what became of the rest") {
    Shop shop;
    auto definition = spring();
    definition.rate = {.messages = 5, .per = 60s};
    shop.campaigns->create(definition);
    shop.add(20);
    shop.campaigns->start("spring");
    shop.run();
    CHECK(shop.campaigns->cancel("spring"));
    shop.service.advance(1h);
    const auto progress = shop.run();
    CHECK(progress.sent == 5);
    CHECK(progress.of(JobState::cancelled) == 15);
    CHECK(progress.phase == CampaignPhase::cancelled);
    const CampaignRecipient late{.to = number(50)};
    CHECK(problem(shop.campaigns->try_add("spring", {&late, 1})) == containing("cancelled"));
    CHECK_THROWS_AS(shop.campaigns->resume("spring"), InvalidRequestError);
}

TEST_CASE("a schedule starts at its time, and not when that was too long ago") {
    Shop shop;
    auto definition = spring();
    definition.starts_at = shop.service.clock->now() + 1h;
    definition.start_by = shop.service.clock->now() + 2h;
    shop.campaigns->create(definition);
    auto late = definition;
    late.id = "late";
    shop.campaigns->create(late);
    shop.add(3);
    shop.add(3, "late");
    shop.campaigns->start("spring");
    CHECK(shop.run().phase == CampaignPhase::scheduled);
    CHECK(shop.sent() == 0);
    shop.service.advance(61min);
    CHECK(shop.run().sent == 3);
    shop.campaigns->start("late");
    shop.campaigns->pause("late");
    SUBCASE("somebody who resumes it has seen that it is late") {
        shop.service.advance(3h);
        shop.campaigns->resume("late");
        CHECK(shop.run("late").sent == 3);
    }
    SUBCASE("a scheduled one that no worker saw in time waits for a person") {
        auto missed = spring();
        missed.id = "missed";
        missed.starts_at = shop.service.clock->now() + 1h;
        missed.start_by = shop.service.clock->now() + 2h;
        shop.campaigns->create(missed);
        shop.add(3, "missed");
        shop.campaigns->start("missed");
        shop.service.advance(3h);
        const auto progress = shop.run("missed");
        CHECK(progress.phase == CampaignPhase::paused);
        CHECK(progress.problem == containing("start_by"));
        CHECK(progress.sent == 0);
    }
}

TEST_CASE("jobs of campaigns wait for a worker that knows rules") {
    Shop shop;
    shop.campaigns->create(spring());
    shop.add(3);
    shop.campaigns->start("spring");
    shop.service.options.gate = nullptr;
    shop.service.restart();
    shop.service.outbox->run_until_idle();
    CHECK(shop.sent() == 0);
}

TEST_CASE("nobody is written to in their quiet hours, and the morning is spread") {
    Shop shop{{.quiet_hours = office_hours()}};
    shop.campaigns->create(spring());
    std::vector<CampaignRecipient> recipients;
    for (int i = 0; i < 50; ++i) {
        recipients.push_back({.to = number(i), .time_zone = "Australia/Sydney"});
    }
    recipients.push_back({.to = number(99)});
    shop.campaigns->add("spring", recipients);
    shop.campaigns->start("spring");
    auto progress = shop.run();
    CHECK(progress.sent == 1);
    CHECK(progress.waiting == 50);
    // In Sydney it is 23:00; 08:00 is at 21:00 of London.
    shop.service.advance(8h + 59min);
    CHECK(shop.run().sent == 1);
    shop.service.advance(31min);
    const auto half = shop.run().sent;
    CHECK(half > 10);
    CHECK(half < 45);
    shop.service.advance(31min);
    CHECK(shop.run().sent == 51);
}

TEST_CASE("the morning is spread over what a campaign's rate needs, if that is longer") {
    Shop shop{{.quiet_hours = office_hours()}};
    auto definition = spring();
    definition.rate = {.messages = 1, .per = 60s};
    shop.campaigns->create(definition);
    std::vector<CampaignRecipient> recipients;
    for (int i = 0; i < 240; ++i) {
        recipients.push_back({.to = number(i), .time_zone = "Australia/Sydney"});
    }
    shop.campaigns->add("spring", recipients);
    shop.campaigns->start("spring");
    CHECK(shop.run().waiting == 240);
    // 240 at one a minute are four hours from 08:00 in Sydney, which is at 21:00 of London.
    const auto morning = shop.service.clock->now() + 9h;
    std::map<std::int64_t, int> by_hour;
    for (const auto& job : shop.service.outbox->list({.state = JobState::ready, .limit = 1'000})) {
        ++by_hour[std::chrono::floor<std::chrono::hours>(*job.not_before - morning).count()];
    }
    REQUIRE(by_hour.size() == 4);
    for (const auto& [hour, jobs] : by_hour) {
        CHECK(hour >= 0);
        CHECK(hour < 4);
        CHECK(jobs > 35);
    }
}

TEST_CASE(
    "what would be delivered at night has no longer than the evening, and is dead if its time "
    "ends") {
    Shop shop{{.quiet_hours = office_hours()}};
    auto definition = spring();
    definition.ends_at = shop.service.clock->now() + 9h;
    shop.campaigns->create(definition);
    const std::vector<CampaignRecipient> recipients{{.to = number(1)},
                                                    {.to = number(2), .time_zone = "Asia/Tokyo"}};
    shop.campaigns->add("spring", recipients);
    shop.service.advance(7h);
    shop.campaigns->start("spring");
    const auto progress = shop.run();
    CHECK(progress.sent == 1);
    CHECK(progress.by_reason.at(DeadReason::quiet) == 1);
    // The hour that is left, without the half minute that the call may take.
    CHECK(shop.validity_periods() == std::vector<std::string>{"3570"});
}

TEST_CASE("how long Twilio may keep a message is reckoned when it leaves, not when it was judged") {
    SlowShop shop{office_hours()};
    shop.service.advance(7h);
    shop.campaigns->create(spring());
    shop.add(2);
    shop.campaigns->start("spring");
    CHECK(shop.run().sent == 2);
    // The second leaves fifteen seconds later, and its call ends when that of the first would have.
    CHECK(shop.validity_periods() == std::vector<std::string>{"3570", "3570"});
}

TEST_CASE("what has not left when quiet hours begin waits for the morning, though it was judged") {
    auto hours = office_hours();
    hours.least_left = 1s;
    // The first takes so long that the evening is over.
    SlowShop shop{hours};
    shop.service.advance(8h - 10s);
    shop.campaigns->create(spring());
    shop.add(2);
    shop.campaigns->start("spring");
    const auto progress = shop.run();
    CHECK(shop.sent() == 1);
    CHECK(progress.waiting == 1);
    shop.service.advance(13h);
    CHECK(shop.run().sent == 2);
    CHECK(shop.sent() == 2);
}

TEST_CASE("who has not agreed to marketing gets none, and who was asked since does") {
    auto clock = std::make_shared<testing::ManualClock>();
    auto customers =
        std::make_shared<Customers>(std::make_shared<MemoryStore>(), CustomersOptions{});
    auto consents = std::make_shared<Consents>(std::make_shared<MemoryConsents>(), customers,
                                               ConsentsOptions{.clock = clock});
    clock->advance(24h * 365);
    Shop shop{{.consents = consents}};
    auto definition = spring();
    definition.variants.front().message =
        OutboundTemplate{.content_sid = "HX00000000000000000000000000000001",
                         .category = TemplateCategory{TemplateCategory::marketing}};
    shop.campaigns->create(definition);
    std::istringstream csv{
        "to,consent_at,consent_source\n+447700900001,2025-11-30,till 4\n+447700900002,,\n"
        "+447700900003,2099-01-01,later\n"};
    const auto added = shop.campaigns->add_csv("spring", csv);
    CHECK(added.consents == 1);
    CHECK(added.added == 2);
    CHECK(added.refused == 1);
    const auto check = shop.campaigns->check("spring");
    CHECK(check.by_hindrance.at(Hindrance::no_consent) == 1);
    CHECK(check.by_hindrance.at(Hindrance::none) == 1);
    shop.campaigns->start("spring");
    auto progress = shop.run();
    CHECK(progress.sent == 1);
    CHECK(progress.by_reason.at(DeadReason::no_consent) == 1);
    const auto sender = shop.service.client->send_defaults().from;
    consents
        ->grant(Sender{Address::from_wire(sender)}, Address::parse(number(2)).value(),
                {.at = clock->now() - 24h * 364, .source = "phone"})
        .value();
    CHECK(shop.campaigns->retry("spring", DeadReason::no_consent) == 1);
    CHECK(shop.run().sent == 2);
}

TEST_CASE("who has opted out is not written to, and is told of") {
    auto opt_outs = std::make_shared<OptOuts>(std::make_shared<MemoryStore>());
    Shop shop{{.opt_outs = opt_outs}};
    shop.campaigns->create(spring());
    shop.add(5);
    const auto sender = shop.service.client->send_defaults().from;
    opt_outs->opt_out(sender, number(3)).value();
    shop.campaigns->start("spring");
    const auto progress = shop.run();
    CHECK(progress.sent == 4);
    CHECK(progress.by_reason.at(DeadReason::opted_out) == 1);
    CHECK(progress.phase == CampaignPhase::finished);
}

TEST_CASE("a budget is never passed, and pauses the campaign that would") {
    Shop shop{{.prices = prices()}};
    auto definition = spring();
    definition.budget = Money::parse("0.52", "USD").value();
    shop.campaigns->create(definition);
    shop.add(30);
    const auto check = shop.campaigns->check("spring");
    CHECK(check.cost == Money::parse("1.5", "USD").value());
    CHECK(!check.within_budget);
    shop.campaigns->start("spring");
    const auto progress = shop.run();
    CHECK(progress.sent == 10);
    CHECK(progress.phase == CampaignPhase::paused);
    CHECK(progress.problem == containing("budget"));
    CHECK(progress.spend == Money::parse("0.5", "USD").value());
    const auto now = shop.service.clock->now();
    const auto spent = spend_by_day(*shop.service.outbox, now - 24h, now + 24h).value();
    REQUIRE(spent.size() == 1);
    CHECK(spent[0].country == "GB");
    CHECK(spent[0].channel == "whatsapp");
    CHECK(spent[0].spend == Money::parse("0.5", "USD").value());
}

TEST_CASE("a budget of a tenant and a day stops that tenant until the day is over") {
    const auto a_day = [](std::string_view tenant) {
        std::vector<Budget> budgets;
        if (tenant == "acme") {
            budgets.push_back({Money::parse("0.2", "USD").value(), Budget::Period::day});
        }
        return budgets;
    };
    Shop shop{{.prices = prices(), .budget_of_tenant = a_day}};
    for (const auto* const tenant : {"acme", "other"}) {
        auto definition = spring();
        definition.id = tenant;
        definition.tenant = tenant;
        shop.campaigns->create(definition);
        shop.add(10, tenant);
        shop.campaigns->start(tenant);
    }
    CHECK(shop.run("other").phase == CampaignPhase::finished);
    auto progress = shop.campaigns->progress("acme");
    CHECK(progress.sent == 4);
    CHECK(progress.phase == CampaignPhase::paused);
    CHECK(progress.problem == containing("budget/tenant/acme"));
    const auto budget = shop.rules->budgets_of_tenant(*shop.service.outbox, "acme").value().at(0);
    CHECK(budget.spent == Money::parse("0.2", "USD").value());
    CHECK(budget.level == 100);
    CHECK(budget.used() == 1);
    CHECK(budget.renews_at == shop.service.clock->now() + 12h);
    CHECK(shop.rules->budgets_of_tenant(*shop.service.outbox, "other").value().empty());
    // It is noon: not before midnight.
    shop.service.advance(11h + 59min);
    shop.campaigns->resume("acme");
    CHECK(shop.run("acme").sent == 4);
    shop.service.advance(2min);
    shop.campaigns->resume("acme");
    CHECK(shop.run("acme").sent == 8);
}

TEST_CASE("a budget of everything and a month stops campaigns and jobs until the month is over") {
    Shop shop{{.prices = prices(), .budget = {{Money::parse("0.5", "USD").value()}}}};
    const auto single = shop.service.enqueue();
    CHECK(shop.rules->budgets(*shop.service.outbox).value().at(0).spent.micros() == 0);
    shop.campaigns->create(spring());
    shop.add(20);
    shop.campaigns->start("spring");
    CHECK(shop.run().sent == 9);
    CHECK(shop.service.state(single) == JobState::accepted);
    const auto held = shop.service.enqueue("Hi again");
    shop.run();
    CHECK(shop.service.state(held) == JobState::held);
    CHECK(shop.service.job(held).problem == containing("budget/all"));
    const auto budget = shop.rules->budgets(*shop.service.outbox).value().at(0);
    CHECK(budget.level == 100);
    CHECK(budget.renews_at == shop.service.clock->now() + 12h + 30 * 24h);
    shop.service.advance(24h);
    shop.campaigns->resume("spring");
    CHECK(shop.run().phase == CampaignPhase::paused);
    CHECK(shop.sent() == 10);
    shop.service.advance(30 * 24h);
    shop.campaigns->resume("spring");
    shop.service.outbox->resolve(held.id, Resolution::not_sent());
    CHECK(shop.run().phase == CampaignPhase::paused);
    CHECK(shop.service.state(held) == JobState::accepted);
    CHECK(shop.sent() == 20);
}

TEST_CASE("who watches a budget is told of which time it is") {
    struct Heard final : Observer {
        void on_quota_level(const QuotaLevelEvent& event) noexcept override {
            all.emplace(event.quota, event.window);
        }
        std::map<std::string, std::string> all;
    };
    const auto heard = std::make_shared<Heard>();
    Shop shop{
        {.prices = prices(), .budget = {{Money::parse("0.5", "USD").value()}}, .observer = heard}};
    auto definition = spring();
    definition.budget = Money::parse("0.2", "USD").value();
    shop.campaigns->create(definition);
    shop.add(4);
    shop.campaigns->start("spring");
    shop.run();
    CHECK(heard->all == std::map<std::string, std::string>{{"budget/campaign/spring", "all"}});
    for (int i = 0; i < 4; ++i) shop.service.enqueue("Text " + std::to_string(i));
    shop.run();
    CHECK(heard->all["budget/all"] == "month");
}

TEST_CASE("what was not sent costs nothing") {
    Shop shop{{.prices = prices()}};
    auto definition = spring();
    definition.budget = Money::parse("1", "USD").value();
    shop.campaigns->create(definition);
    shop.add(4);
    shop.service.fake->next_fault(Fault::too_many_requests, 2);
    shop.campaigns->start("spring");
    shop.run();
    for (int i = 0; i < 5; ++i) {
        shop.service.advance(1min);
        shop.run();
    }
    const auto progress = shop.campaigns->progress("spring");
    CHECK(progress.sent == 4);
    CHECK(progress.spend == Money::parse("0.2", "USD").value());
}

TEST_CASE("what a message did cost is asked for without an estimate, too, if a program wants it") {
    for (const bool asks : {false, true}) {
        outbox_test::Service service{{.ask_prices = asks}};
        const auto id = service.enqueue("Hello").id;
        service.outbox->run_until_idle();
        service.fake->set_status(service.fake->messages().front().sid.str(), "delivered");
        service.outbox->learn(service.callback("delivered"));
        service.outbox->run_until_idle();
        service.advance(25h);
        service.outbox->run_until_idle();
        const auto job = service.outbox->find(id).value();
        CHECK(job.price == std::string{asks ? "-0.00500" : ""});
        CHECK(job.price_unit == std::string{asks ? "USD" : ""});
        CHECK(job.spend == 0);
        const auto requests = service.fake->request_count();
        service.advance(24h * 10);
        service.outbox->run_until_idle();
        CHECK(service.fake->request_count() == requests);
    }
}

TEST_CASE("what Twilio says later that a message did cost takes the place of the estimate") {
    Shop shop{{.prices = prices()}};
    auto definition = spring();
    definition.budget = Money::parse("1", "USD").value();
    shop.campaigns->create(definition);
    shop.add(12);
    shop.campaigns->start("spring");
    shop.run();
    MetricsObserver metrics;
    const auto source = metrics.add_source(
        [&](MetricSamples& samples) { add_spend_samples(samples, *shop.service.outbox); });
    CHECK(metrics.text() == containing("twiliowa_spend_today{currency=\"USD\"} 0.6\n"));
    const auto fake = shop.service.fake;
    std::size_t moved = 0;
    for (const auto& message : fake->messages()) {
        // It costs 0.005 USD with this Twilio; of the last two it never says so.
        if (moved++ == 10) fake->set_prices({.never = 1.0});
        fake->set_status(message.sid.str(), "delivered");
        shop.service.outbox->learn(shop.service.callback_of(message, "delivered"));
    }
    shop.service.advance(23h);
    CHECK(shop.run().spend == Money::parse("0.6", "USD").value());
    shop.service.advance(2h);
    CHECK(shop.run().spend == Money::parse("0.15", "USD").value());
    const auto now = shop.service.clock->now();
    const auto spent = spend_by_day(*shop.service.outbox, now - 48h, now).value();
    REQUIRE(spent.size() == 1);
    CHECK(spent[0].spend == Money::parse("0.15", "USD").value());
    CHECK(metrics.text() != containing("twiliowa_spend_today{"));
    // What Twilio does not tell within a week stays an estimate, and nobody asks any more.
    for (int i = 0; i < 10; ++i) {
        shop.service.advance(24h);
        shop.run();
    }
    const auto requests = fake->request_count();
    shop.service.advance(24h * 30);
    shop.run();
    CHECK(fake->request_count() == requests);
    CHECK(shop.run().spend == Money::parse("0.15", "USD").value());
}

TEST_CASE("variants are given out by weight, always the same, and counted") {
    Shop shop;
    auto definition = spring();
    definition.variants = {{.name = "a", .message = OutboundText{.body = "A"}, .weight = 3},
                           {.name = "b", .message = OutboundText{.body = "B"}, .weight = 1},
                           {.name = "c", .message = OutboundText{.body = "C"}, .weight = 0}};
    shop.campaigns->create(definition);
    CHECK(shop.add(400).added == 400);
    CHECK(shop.add(400).known == 400);
    const auto progress = shop.campaigns->progress("spring");
    REQUIRE(progress.variants.size() == 3);
    CHECK(progress.variants[0].recipients > 260);
    CHECK(progress.variants[0].recipients < 340);
    CHECK(progress.variants[0].recipients + progress.variants[1].recipients == 400);
    CHECK(progress.variants[2].recipients == 0);
}

TEST_CASE("too many failures for one reason pause a campaign") {
    Shop shop;
    auto definition = spring();
    definition.guards = {.failures_percent = 10, .out_of = 50};
    definition.rate = {.messages = 1, .per = 1s};
    shop.campaigns->create(definition);
    shop.add(100);
    shop.campaigns->start("spring");
    for (int i = 0; i < 100; ++i) {
        shop.run();
        for (const auto& message : shop.service.fake->messages()) {
            if (message.status == MessageStatus::undelivered) continue;
            auto told = shop.service.callback_of(message, "undelivered");
            told.error_code = 63024;
            shop.service.outbox->learn(told);
            break;
        }
        shop.service.advance(1s);
    }
    const auto progress = shop.campaigns->progress("spring");
    CHECK(progress.phase == CampaignPhase::paused);
    CHECK(progress.problem == containing("recipient"));
    CHECK(progress.sent == 6);
    SUBCASE("resumed, they are counted anew") {
        shop.campaigns->resume("spring");
        CHECK(shop.run().phase == CampaignPhase::running);
    }
}

TEST_CASE("a template that Meta pauses pauses the campaign at once") {
    Shop shop;
    auto definition = spring();
    definition.rate = {.messages = 2, .per = 1s};
    shop.campaigns->create(definition);
    shop.add(10);
    shop.campaigns->start("spring");
    shop.run();
    auto told = shop.service.callback("undelivered");
    told.error_code = 63041;
    shop.service.outbox->learn(told);
    shop.service.advance(10s);
    const auto progress = shop.run();
    CHECK(progress.phase == CampaignPhase::paused);
    CHECK(progress.problem == containing("template"));
    CHECK(progress.sent == 2);
}

TEST_CASE("a sender of low quality sends no campaign, and one near its limit no more of it") {
    ChannelSender health;
    health.quality_rating = "HIGH";
    health.messaging_limit = "100 Customers/24hr";
    int asked = 0;
    Shop shop{{.sender_health = [&](std::string_view account, std::string_view sender) {
        CHECK(account.empty());
        CHECK(sender == testing::FakeTwilio::demo_sender);
        ++asked;
        return Result<ChannelSender>{health};
    }}};
    shop.campaigns->create(spring());
    shop.add(120);
    shop.campaigns->start("spring");
    SUBCASE("of low quality") {
        health.quality_rating = "LOW";
        const auto progress = shop.run();
        CHECK(progress.sent == 0);
        CHECK(progress.phase == CampaignPhase::paused);
        CHECK(progress.problem == containing("quality"));
        // Somebody has looked at it, and Meta rates it higher since.
        health.quality_rating = "MEDIUM";
        shop.service.advance(6min);
        shop.campaigns->resume("spring");
        CHECK(shop.run().sent == 95);
    }
    SUBCASE("near its limit") {
        auto progress = shop.run();
        CHECK(progress.sent == 95);
        CHECK(progress.phase == CampaignPhase::paused);
        CHECK(progress.problem == containing("limit"));
        CHECK(asked == 1);
        // On the next day there is room again.
        shop.service.advance(24h);
        shop.campaigns->resume("spring");
        CHECK(shop.run().sent == 120);
    }
}

TEST_CASE("a sender whose quality falls sends no campaign until somebody has seen it") {
    ChannelSender health;
    health.quality_rating = "HIGH";
    const auto ask = [&](std::string_view, std::string_view) {
        return Result<ChannelSender>{health};
    };
    Shop shop{{.sender_health = ask}};
    auto definition = spring();
    definition.rate = {.messages = 10, .per = 60s};
    shop.campaigns->create(definition);
    shop.add(100);
    shop.campaigns->start("spring");
    CHECK(shop.run().sent == 10);
    const auto a_while = [&] {
        shop.service.advance(6min);
        return shop.run();
    };
    const auto restart_with = [&](std::shared_ptr<SendingRules> rules) {
        shop.campaigns.reset();
        shop.rules = std::move(rules);
        shop.service.options.gate = shop.rules;
        shop.service.restart();
        shop.campaigns = std::make_unique<Campaigns>(*shop.service.outbox, shop.rules);
    };
    SUBCASE("it is paused, and goes on at the new rating when it is resumed") {
        health.quality_rating = "MEDIUM";
        auto progress = a_while();
        CHECK(progress.phase == CampaignPhase::paused);
        CHECK(progress.problem == "Meta rates the quality of its sender as medium; it was high");
        CHECK(progress.sent == 10);
        shop.campaigns->resume("spring");
        CHECK(a_while().sent == 20);
        health.quality_rating = "LOW";
        progress = a_while();
        CHECK(progress.phase == CampaignPhase::paused);
        CHECK(progress.problem == "Meta rates the quality of its sender as low; it was medium");
    }
    SUBCASE("a process that begins anew knows what it was") {
        restart_with(std::make_shared<SendingRules>(SendingRulesOptions{.sender_health = ask}));
        health.quality_rating = "MEDIUM";
        CHECK(a_while().phase == CampaignPhase::paused);
        CHECK(shop.sent() == 10);
    }
    SUBCASE("that it fell while a person had paused it is seen when it is resumed") {
        shop.campaigns->pause("spring");
        health.quality_rating = "MEDIUM";
        restart_with(std::make_shared<SendingRules>(SendingRulesOptions{.sender_health = ask}));
        shop.campaigns->resume("spring");
        CHECK(a_while().phase == CampaignPhase::paused);
        CHECK(shop.sent() == 10);
    }
    SUBCASE("it may rise, and what says nothing is no fall") {
        health.quality_rating = "UNKNOWN";
        CHECK(a_while().sent == 20);
        health.quality_rating = "MEDIUM";
        CHECK(a_while().phase == CampaignPhase::paused);
        shop.campaigns->resume("spring");
        health.quality_rating = "HIGH";
        CHECK(a_while().sent == 30);
        health.quality_rating = "MEDIUM";
        CHECK(a_while().phase == CampaignPhase::paused);
        CHECK(shop.sent() == 30);
    }
    SUBCASE("a worker whose rating is older than the fall does not undo it") {
        const auto older = shop.rules;
        health.quality_rating = "MEDIUM";
        shop.service.advance(1min);
        restart_with(std::make_shared<SendingRules>(SendingRulesOptions{.sender_health = ask}));
        CHECK(shop.run().phase == CampaignPhase::paused);
        shop.campaigns->resume("spring");
        restart_with(older);
        shop.service.advance(1min);
        CHECK(shop.run().sent == 20);
        CHECK(a_while().sent == 30);
    }
}

TEST_CASE("a template that is paused is not sent, and pauses its campaign by name") {
    Shop shop;
    const auto options = shop.service.fake->client_options();
    const auto templates =
        std::make_shared<Templates>(ContentClient{shop.service.fake->credentials(), options},
                                    TemplatesOptions{.clock = shop.service.clock});
    shop.rules = std::make_shared<SendingRules>(SendingRulesOptions{.templates = templates});
    shop.service.options.gate = shop.rules;
    shop.campaigns.reset();
    shop.service.restart();
    shop.campaigns = std::make_unique<Campaigns>(*shop.service.outbox, shop.rules);
    const std::string sid{testing::FakeTwilio::demo_content_sid};
    auto definition = spring();
    definition.variants.front().message =
        OutboundTemplate{.content_sid = sid, .variables = {{"1", "Lee"}, {"2", "4711"}}};
    shop.campaigns->create(definition);
    shop.add(3);
    shop.service.fake->set_approval(sid, "paused");
    shop.campaigns->start("spring");
    const auto progress = shop.run();
    CHECK(progress.sent == 0);
    CHECK(progress.phase == CampaignPhase::paused);
    CHECK(progress.problem == containing("is paused"));
    shop.service.fake->set_approval(sid, "approved");
    shop.service.advance(1h);
    shop.campaigns->resume("spring");
    CHECK(shop.run().sent == 3);
}

TEST_CASE("free text goes to who has written within a day") {
    auto clock = std::make_shared<testing::ManualClock>();
    const auto window = std::make_shared<ConversationWindow>(
        std::make_shared<MemoryStore>(), ConversationWindowOptions{.clock = clock});
    Shop shop{{.window = window}};
    clock->advance(to_noon);
    const std::string sender{testing::FakeTwilio::demo_sender};
    window->record_inbound(sender, number(1), clock->now() - 1h).value();
    window->record_inbound(sender, number(2), clock->now() - 30h).value();
    shop.campaigns->create(spring());
    shop.add(4);
    shop.campaigns->start("spring");
    const auto progress = shop.run();
    // Of the others nothing is known.
    CHECK(progress.sent == 3);
    CHECK(progress.by_reason.at(DeadReason::refused) == 1);
}

TEST_CASE("who says STOP when the rules have been asked, and it has not left yet, gets nothing") {
    const auto opt_outs = std::make_shared<OptOuts>(std::make_shared<MemoryStore>());
    // Asked for after the opt-outs.
    const auto stops = [&](std::string_view) {
        opt_outs->opt_out(std::string{testing::FakeTwilio::demo_sender}, number(0)).value();
        return std::vector<Budget>{};
    };
    Shop shop{{.opt_outs = opt_outs, .prices = prices(), .budget_of_tenant = stops}};
    auto client_options = shop.service.fake->client_options();
    client_options.opt_outs = opt_outs;
    shop.service.client = std::make_unique<MessagesClient>(shop.service.fake->credentials(),
                                                           std::move(client_options));
    shop.campaigns->create(spring());
    shop.add(1);
    shop.campaigns->start("spring");
    CHECK(shop.run().by_reason[DeadReason::opted_out] == 1);
    CHECK(shop.sent() == 0);
}

TEST_CASE(
    "who withdraws a consent when the rules have been asked, and it has not left, gets nothing") {
    const auto consents = std::make_shared<Consents>(
        std::make_shared<MemoryConsents>(),
        std::make_shared<Customers>(std::make_shared<MemoryStore>(), CustomersOptions{}));
    const Sender sender{Address::from_wire(testing::FakeTwilio::demo_sender)};
    const auto address = [](int i) { return Address::parse(number(i)).value(); };
    // Asked for after the consents.
    const auto withdraws = [&](std::string_view) {
        consents->withdraw(sender, address(1)).value();
        return std::vector<Budget>{};
    };
    Shop shop{{.consents = consents, .prices = prices(), .budget_of_tenant = withdraws}};
    for (int i = 0; i < 3; ++i) consents->grant(sender, address(i), {.source = "till"}).value();
    auto definition = spring();
    definition.require_consent = consent_purpose::marketing;
    shop.campaigns->create(definition);
    shop.add(3);
    shop.campaigns->start("spring");
    shop.run();
    CHECK(shop.sent() == 2);
    shop.service.advance(1min);
    auto progress = shop.run();
    CHECK(progress.sent == 2);
    CHECK(progress.by_reason[DeadReason::no_consent] == 1);
    CHECK(progress.spend == Money::parse("0.1", "USD").value());
    CHECK(shop.by_number().count("whatsapp:" + number(1)) == 0);
}

TEST_CASE("while nobody can say whether a consent still holds, nothing leaves") {
    struct Failing final : OpenGate {
        Result<std::vector<JobVerdict>> judge(std::span<const GatedJob> jobs,
                                              TimePoint) const override {
            std::vector<JobVerdict> verdicts(jobs.size());
            for (std::size_t i = 0; i < jobs.size(); ++i) {
                if (i % 2 == 0) verdicts[i].condition = "agreed";
            }
            return verdicts;
        }
        Result<std::vector<bool>> may_leave(std::span<const LeavingJob> jobs) const override {
            for (const auto& each : jobs) CHECK(each.condition == "agreed");
            asked += static_cast<int>(jobs.size());
            if (fails) return store_error("is away");
            return std::vector<bool>(jobs.size(), true);
        }
        bool fails = true;
    };
    const auto gate = std::make_shared<Failing>();
    Service service{OutboxOptions{.gate = gate}};
    service.enqueue("one");
    service.enqueue("two");
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 1);
    CHECK(gate->asked > 0);
    CHECK(gate->asked < 5);
    gate->fails = false;
    service.advance(10min);
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 2);
}

TEST_CASE("who is forgotten is in no text of a campaign any more, and gets nothing again") {
    Shop shop;
    const Customers customers{std::make_shared<MemoryStore>(), {.clock = shop.service.clock}};
    const auto part = shop.service.outbox->personal_data();
    customers.add_part(part);
    const auto address = Address::parse(number(1)).value();
    shop.campaigns->create(spring());
    shop.add(3);
    CHECK(customers.export_of(address).value() == containing("it is spring"));
    CHECK_FALSE(customers.forget(address).value().complete());
    shop.campaigns->start("spring");
    shop.run();
    for (const auto& message : shop.service.fake->messages()) {
        shop.service.outbox->learn(shop.service.callback_of(message, "delivered"));
    }
    CHECK(customers.forget(address).value().complete());
    std::ostringstream report;
    shop.campaigns->report_csv("spring", report, {.reveal = true});
    CHECK(report.str() != containing(number(1)));
    CHECK(report.str() == containing(number(2)));
    CHECK(shop.add(3).known == 3);
    CHECK(shop.run().recipients == 3);
    CHECK(shop.sent() == 3);
}

TEST_CASE("a dry run sends nothing and changes nothing") {
    Shop shop{{.quiet_hours = office_hours(), .prices = prices()}};
    shop.campaigns->create(spring());
    shop.add(600);
    const auto before = shop.campaigns->progress("spring").to_json();
    const auto check = shop.campaigns->check("spring");
    CHECK(check.recipients == 600);
    CHECK(check.by_hindrance.at(Hindrance::none) == 600);
    CHECK(check.cost == Money::parse("30", "USD").value());
    CHECK(check.within_budget);
    CHECK(shop.campaigns->progress("spring").to_json() == before);
    CHECK(shop.sent() == 0);
}

TEST_CASE("a test goes to one number, and is none of the campaign's") {
    Shop shop;
    shop.campaigns->create(spring());
    CHECK(shop.campaigns->test("spring", number(7)).size() == 1);
    CHECK(shop.run().recipients == 0);
    CHECK(shop.sent() == 1);
}

TEST_CASE("two campaigns of a tenant take turns") {
    Shop shop{{}, {.concurrency = 4}};
    for (const auto* const id : {"one", "two"}) {
        auto definition = spring();
        definition.id = id;
        definition.rate = {.messages = 10, .per = 1s};
        shop.campaigns->create(definition);
        shop.add(40, id);
        shop.campaigns->start(id);
    }
    CHECK(shop.run("one").sent == 10);
    CHECK(shop.campaigns->progress("two").sent == 10);
}

TEST_CASE("a gate that fails sends nothing, and is asked again") {
    struct Failing final : OpenGate {
        Result<std::vector<JobVerdict>> judge(std::span<const GatedJob> jobs,
                                              TimePoint now) const override {
            auto verdicts = OpenGate::judge(jobs, now);
            if (fails) return store_error("is away");
            return verdicts;
        }
        bool fails = true;
    };
    const auto gate = std::make_shared<Failing>();
    Service service{OutboxOptions{.gate = gate}};
    service.enqueue();
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 0);
    const auto asked = gate->asked;
    CHECK(asked > 0);
    CHECK(asked < 5);
    gate->fails = false;
    service.advance(2s);
    service.outbox->run_until_idle();
    CHECK(service.at_twilio() == 1);
}

TEST_CASE("a definition comes back from its JSON, and what is wrong is named") {
    auto definition = spring();
    definition.tenant = "acme";
    definition.columns = {{"1", "name"}};
    definition.quiet_hours = office_hours();
    definition.quiet_hours->unknown_zone = UnknownZone::assume;
    definition.quiet_hours->assumed_zone = "Europe/London";
    definition.budget = Money::parse("10.5", "EUR").value();
    definition.starts_at = TimePoint{std::chrono::hours{24 * 365 * 57}};
    definition.rate = {.messages = 5, .per = 60s};
    definition.on_unknown = OnUnknown::drop();
    definition.fallbacks = {
        {.message = OutboundTemplate{.content_sid = "HX00000000000000000000000000000001"},
         .when = FallbackWhen::window_closed},
        {.message = OutboundText{.body = "Spring", .from = "sms:+15005550006"},
         .after_may_reach_twice = 30s}};
    const auto json = definition.to_json();
    const auto again = CampaignDefinition::from_json(json).value();
    CHECK(again.to_json() == json);
    REQUIRE(again.fallbacks.size() == 2);
    CHECK(again.fallbacks[0].when == FallbackWhen::window_closed);
    CHECK(again.fallbacks[1].message.body == "Spring");
    CHECK(again.fallbacks[1].after_may_reach_twice == 30s);
    const auto wrong = [](std::string_view text) {
        const auto read = CampaignDefinition::from_json(text);
        REQUIRE(!read);
        return read.error().field();
    };
    const std::string message = R"("message":{"body":"x"})";
    CHECK(wrong("[]") == "campaign");
    // What is deep would take a stack as deep.
    const auto deep = std::string(100'000, '[') + std::string(100'000, ']');
    CHECK(wrong(R"({"id":"a","message":{"body":)" + deep + "}}") == "campaign");
    CHECK(wrong(R"({"id":"a","fallbacks":[{"message":{"body":)" + deep + "}}]," + message + "}") ==
          "campaign");
    CHECK(wrong("{" + message + "}") == "id");
    CHECK(wrong(R"({"id":"a b",)" + message + "}") == "id");
    CHECK(wrong(R"({"id":"a"})") == "message");
    CHECK(wrong(R"({"id":"a","message":{"bodi":"x"}})") == "message.bodi");
    CHECK(wrong(R"({"id":"a","message":{"body":"x","to":"+447700900123"}})") == "message.to");
    CHECK(wrong(R"({"id":"a","rote":1,)" + message + "}") == "rote");
    CHECK(wrong(R"({"id":"a","rate":{"messages":-1},)" + message + "}") == "rate.messages");
    CHECK(wrong(R"({"id":"a","rate":{"messages":1e9},)" + message + "}") == "rate.messages");
    CHECK(wrong(R"({"id":"a","quiet_hours":{"hours":"8-20"},)" + message + "}") ==
          "quiet_hours.hours");
    CHECK(wrong(R"({"id":"a","quiet_hours":{"hours":{"fro":"08:00-20:00"}},)" + message + "}") ==
          "quiet_hours.hours");
    CHECK(wrong(R"({"id":"a","budget":{"amount":"1.00000001","currency":"USD"},)" + message +
                "}") == "budget.amount");
    CHECK(wrong(R"({"id":"a","fallbacks":{},)" + message + "}") == "fallbacks");
    CHECK(wrong(R"({"id":"a","fallbacks":[{"whan":1}],)" + message + "}") == "fallbacks[0]");
    CHECK(wrong(R"({"id":"a","fallbacks":[{"message":{"body":"x"}}],)" + message + "}") ==
          "fallbacks[0].message.from");
    CHECK(wrong(R"({"id":"a","starts_at":"tomorrow",)" + message + "}") == "starts_at");
    CHECK(wrong(R"({"id":"a","variants":[{"message":{"body":"x"}},{"message":{"body":"y"}}]})") ==
          "variants.name");
}

TEST_CASE("campaigns that are not there, and what cannot be, are refused by name") {
    Shop shop;
    CHECK(problem(shop.campaigns->try_start("none")) == containing("campaign"));
    auto definition = spring();
    definition.budget = Money::parse("1", "USD").value();
    CHECK(problem(shop.campaigns->try_create(definition)) == containing("budget"));
    definition = spring();
    definition.variants.front().message.media_url = {"no url"};
    CHECK(problem(shop.campaigns->try_create(definition)) == containing("variants[0].message"));
    definition = spring_with_sms();
    definition.fallbacks.front().message.body = std::string(1'601, 'a');
    CHECK(problem(shop.campaigns->try_create(definition)) ==
          containing("fallbacks[0].message.body"));
    shop.campaigns->create(spring());
    auto other = spring();
    other.variants.front().message.body = "another";
    CHECK(problem(shop.campaigns->try_create(other)) == containing("id"));
    other = spring_with_sms();
    CHECK(problem(shop.campaigns->try_create(other)) == containing("id"));
    std::istringstream empty;
    CHECK_THROWS_AS(shop.campaigns->add_csv("spring", empty), InvalidRequestError);
    std::istringstream other_columns{"phone\n+447700900001\n"};
    CHECK(problem(shop.campaigns->try_add_csv("spring", other_columns)) == containing("column to"));
}

TEST_CASE("one that is not there is another field than one that cannot be") {
    Shop shop;
    shop.campaigns->create(spring());
    CHECK(shop.campaigns->try_resume("none").error().field() == "campaign");
    CHECK(shop.campaigns->try_resume("spring").error().field() == "phase");
    shop.campaigns->cancel("spring");
    CHECK(shop.campaigns->try_start("spring").error().field() == "phase");
    const std::vector<CampaignRecipient> one{{.to = number(1)}};
    CHECK(shop.campaigns->try_add("spring", one).error().field() == "phase");
}

TEST_CASE("what became of recipients, and what a dry run found, is told as JSON") {
    Shop shop{{.prices = prices()}};
    auto definition = spring();
    definition.budget = Money::parse("0.04", "USD").value();
    shop.campaigns->create(definition);
    const std::vector<CampaignRecipient> two{{.to = number(1)}, {.to = "nobody"}};
    CHECK(shop.campaigns->add("spring", two).to_json() ==
          containing(R"({"rows":2,"added":1,"known":0,"refused":1,"faulty":0,"consents":0,)"
                     R"("faults":[{"line":2,"problem":"to: )"));
    CHECK(shop.campaigns->check("spring").to_json() ==
          R"({"recipients":1,"by_hindrance":{"none":1,"quiet":0,"opted_out":0,"no_consent":0,)"
          R"("refused":0},"problems":{},"cost":"0.05","currency":"USD","within_budget":false})");
}

TEST_CASE("campaigns that run are sampled for a scrape") {
    Shop shop;
    MetricsObserver metrics;
    const auto source =
        metrics.add_source([&](MetricSamples& samples) { add_samples(samples, *shop.campaigns); });
    shop.campaigns->create(spring());
    shop.add(3);
    CHECK(metrics.text() == containing("twiliowa_campaigns{state=\"running\"} 0\n"));
    shop.campaigns->start("spring");
    const auto text = metrics.text();
    CHECK(text == containing("twiliowa_campaigns{state=\"running\"} 1\n"));
    CHECK(text == containing("twiliowa_campaign_recipients{state=\"ready\"} 3\n"));
}

TEST_CASE("progress is told in a line and as JSON") {
    Shop shop{{.prices = prices()}};
    auto definition = spring();
    definition.rate = {.messages = 100, .per = 1s};
    definition.budget = Money::parse("500", "USD").value();
    shop.campaigns->create(definition);
    shop.add(1204);
    shop.campaigns->start("spring");
    const auto progress = shop.run();
    CHECK(progress.sent == 100);
    CHECK(progress.left_is == Certainty::guessed);
    REQUIRE(progress.left);
    CHECK(*progress.left == 12s);
    CHECK(progress.line() ==
          "spring  running  100 of 1,204 sent (8 %), 600 a minute, about 12 s left, 5 of 500 USD");
    CHECK(progress.to_json() == containing(R"("waiting":1104)"));
}

TEST_CASE(
    "what follows a campaign's message is its campaign's, at its own price, and no recipient") {
    Shop shop{{.prices = PriceTable::from_csv("country,category,channel,price,currency\n"
                                              "GB,,whatsapp,0.05,USD\nGB,,sms,0.04,USD\n")
                             .value()}};
    shop.service.fake->add_sender(testing::FakeTwilio::demo_account_sid, "+15005550006");
    auto definition = spring_with_sms();
    definition.guards = {.failures_percent = 10, .out_of = 50};
    shop.campaigns->create(definition);
    shop.add(1, "spring", 1);
    shop.campaigns->start("spring");
    CHECK(shop.run().recipients == 1);
    report_unreachable(shop, 1);
    // It waits with its campaign.
    shop.campaigns->pause("spring");
    shop.service.outbox->run_until_idle();
    CHECK(shop.sent() == 1);
    shop.campaigns->resume("spring");
    const auto progress = shop.run();
    CHECK(progress.recipients == 1);
    CHECK(shop.sent() == 2);
    const auto step = job_of(shop, 1, 1).value();
    CHECK(step.campaign == "spring");
    CHECK(step.step == 1);
    CHECK(step.state == JobState::accepted);
    CHECK(step.spend == 40'000);
}

TEST_CASE("an SMS that fails, too, is no second failure to a campaign's guards") {
    Shop shop;
    shop.service.fake->add_sender(testing::FakeTwilio::demo_account_sid, "+15005550006");
    auto definition = spring_with_sms();
    // The second failure is one too many.
    definition.guards = {.failures_percent = 3, .out_of = 50};
    shop.campaigns->create(definition);
    shop.add(2, "spring", 1);
    shop.campaigns->start("spring");
    shop.run();
    report_unreachable(shop, 1);
    shop.run();
    report_unreachable(shop, 1, 1);
    CHECK(shop.run().phase == CampaignPhase::finished);
    report_unreachable(shop, 2);
    CHECK(shop.run().phase == CampaignPhase::paused);
}

TEST_CASE("a campaign that is cancelled goes on with nobody") {
    Shop shop;
    shop.service.fake->add_sender(testing::FakeTwilio::demo_account_sid, "+15005550006");
    shop.campaigns->create(spring_with_sms());
    shop.add(1, "spring", 1);
    shop.campaigns->start("spring");
    shop.run();
    shop.campaigns->cancel("spring");
    report_unreachable(shop, 1);
    shop.run();
    CHECK(!job_of(shop, 1, 1));
    CHECK(shop.sent() == 1);
}

TEST_CASE("what follows a campaign's message has the recipient's values of what it names") {
    Shop shop;
    auto definition = spring();
    definition.columns = {{"1", "name"}, {"2", "day"}};
    definition.variants.front().message =
        OutboundTemplate{.content_sid = "HX00000000000000000000000000000001"};
    definition.fallbacks = {
        {.message = OutboundTemplate{.content_sid = "HX00000000000000000000000000000002",
                                     .variables = {{"1", "you"}, {"3", "the shop"}}},
         .when = FallbackWhen::window_closed}};
    shop.campaigns->create(definition);
    CHECK(shop.campaigns->definition("spring").to_json() == containing("the shop"));
    std::istringstream csv{"to,name,day\n" + number(1) + ",Lee,Monday\n"};
    CHECK(shop.campaigns->add_csv("spring", csv).added == 1);
    std::istringstream again{"to,name,day\n" + number(1) + ",Lee,Monday\n"};
    CHECK(shop.campaigns->add_csv("spring", again).known == 1);
    CHECK(shop.campaigns->test("spring", number(9)).size() == 1);
    shop.campaigns->start("spring");
    shop.run();
    report(shop, 1, 63016);
    const auto progress = shop.run();
    CHECK(progress.recipients == 1);
    CHECK(progress.further == 1);
    const auto step = job_of(shop, 1, 1).value();
    CHECK(step.message->content_sid == "HX00000000000000000000000000000002");
    CHECK(step.message->content_variables == TemplateVariables{{"1", "Lee"}, {"3", "the shop"}});
}

TEST_CASE("what follows a message waits for the morning, too") {
    Shop shop{{.quiet_hours = office_hours()}};
    shop.service.fake->add_sender(testing::FakeTwilio::demo_account_sid, "+15005550006");
    shop.campaigns->create(spring_with_sms());
    shop.service.advance(7h + 30min);
    shop.add(1, "spring", 1);
    shop.campaigns->start("spring");
    CHECK(shop.run().sent == 1);
    // It is 20:30 when WhatsApp gives up.
    shop.service.advance(1h);
    report_unreachable(shop, 1);
    shop.run();
    CHECK(shop.sent() == 1);
    CHECK(job_of(shop, 1, 1).value().state == JobState::ready);
    shop.service.advance(11h + 29min);
    shop.run();
    CHECK(shop.sent() == 1);
    shop.service.advance(61min);
    shop.run();
    CHECK(shop.sent() == 2);
    CHECK(job_of(shop, 1, 1).value().state == JobState::accepted);
}

TEST_CASE("a campaign outlasts an outage, or waits for a person where too much is in doubt") {
    // As many are under way when it begins, and become unknown.
    constexpr int under_way = 24;
    Shop shop{{}, {.concurrency = under_way}};
    auto definition = spring();
    int unknown = under_way;
    bool pauses = false;
    SUBCASE("with the guards that it has") {
        REQUIRE(definition.guards.unknowns < under_way);
        pauses = true;
    }
    SUBCASE("without guards") {
        definition.guards = {.failures_percent = 0, .unknowns = 0};
        // And probes after 15, 30, 60 and 120 seconds.
        unknown += 4;
    }
    shop.campaigns->create(definition);
    shop.add(200);
    shop.campaigns->start("spring");
    shop.service.fake->set_fault_rate(Fault::internal_error, 1.0);
    const auto five_seconds = [&] {
        shop.run();
        shop.service.advance(5s);
    };
    for (int i = 0; i < 60; ++i) five_seconds();
    shop.service.fake->clear_faults();
    auto progress = shop.run();
    CHECK(shop.sent() == 0);
    CHECK(progress.in_doubt <= unknown);
    CHECK((progress.phase == CampaignPhase::paused) == pauses);
    if (pauses) {
        CHECK(progress.problem == containing("may have been sent or not"));
        CHECK(progress.waiting >= 200 - under_way);
        shop.service.advance(10min);
        CHECK(shop.run().waiting >= 200 - under_way);
        shop.campaigns->resume("spring");
    }
    for (int i = 0; i < 60; ++i) five_seconds();
    progress = shop.campaigns->progress("spring");
    // Nobody twice, and everybody is sent to or in doubt.
    for (const auto& each : shop.by_number()) CHECK(each.second == 1);
    CHECK(progress.sent + progress.in_doubt == 200);
    CHECK(progress.waiting == 0);
    CHECK(static_cast<std::int64_t>(shop.sent()) == progress.sent);
}

TEST_CASE("a second after a pause nothing of a campaign leaves any more") {
    Shop shop;
    auto definition = spring();
    definition.rate = {.messages = 1, .per = 1s};
    shop.campaigns->create(definition);
    shop.add(500);
    shop.campaigns->start("spring");
    auto& outbox = *shop.service.outbox;
    outbox.start();
    const auto give_up = std::chrono::steady_clock::now() + 60s;
    // Until it is so, by a worker whose clock is moved on.
    const auto until = [&](const auto& is_so) {
        while (!is_so() && std::chrono::steady_clock::now() < give_up) {
            outbox.resume(Pause::Of::outbox);  // wakes the worker
            shop.service.fake->run_until_idle();
            shop.service.advance(100ms);
        }
        REQUIRE(is_so());
    };
    until([&] { return shop.sent() >= 5; });
    shop.campaigns->pause("spring");
    shop.service.advance(1s);
    const auto send_another = [&](int number) {
        const auto other = shop.service.enqueue("Text " + std::to_string(number));
        until([&] { return shop.service.state(other) == JobState::accepted; });
    };
    // What the worker was about when its clock was moved has left when it takes up another.
    send_another(0);
    const auto sent = shop.sent();
    // While the worker sends others, for more than a minute of its time.
    for (int i = 1; i <= 20; ++i) {
        shop.service.advance(5s);
        send_another(i);
    }
    CHECK(shop.sent() == sent + 20);
    outbox.stop();
}

TEST_CASE("a pause that one program said reaches the workers of all others within a second") {
    Shop shop{{}, {.concurrency = 2}};
    shop.campaigns->create(spring());
    shop.add(300, "spring", 200);
    shop.campaigns->start("spring");
    // Programs of their own: they share the storage, and nothing else.
    auto options = shop.service.options;
    std::vector<std::unique_ptr<detail::OutboxWorker>> workers;
    for (const auto* const name : {"one", "two"}) {
        options.gate = std::make_shared<SendingRules>();
        workers.push_back(std::make_unique<detail::OutboxWorker>(
            std::make_shared<const detail::OutboxCore>(shop.service.storage, options), name,
            [] {}));
    }
    Outbox other{shop.service.storage, options};
    Campaigns decides{other, shop.rules};
    const auto work = [&](std::chrono::milliseconds time) {
        for (auto passed = 0ms; passed < time; passed += 50ms) {
            for (const auto& worker : workers) {
                static_cast<void>(worker->step(true, true).value());
            }
            shop.service.advance(50ms);
        }
    };
    work(2s);
    const auto before = shop.sent();
    REQUIRE(before > 20);
    const auto paused_at = shop.service.clock->now();
    decides.pause("spring");
    const auto single = shop.service.enqueue();
    work(10s);
    // They work, and nothing of it is under way.
    CHECK(shop.service.state(single) == JobState::accepted);
    const auto progress = shop.campaigns->progress("spring");
    CHECK(progress.of(JobState::ready) == progress.waiting);
    CHECK(progress.waiting > 20);
    TimePoint last{};
    shop.campaigns
        ->try_report("spring",
                     [&](const CampaignReportRow& row) -> Result<void> {
                         for (const auto& attempt : row.job.attempts) {
                             last = std::max(last, attempt.started_at);
                         }
                         return {};
                     })
        .value();
    CHECK(last >= paused_at - 1s);
    CHECK(last <= paused_at + 1s);
    decides.resume("spring");
    work(10s);
    CHECK(shop.campaigns->progress("spring").phase == CampaignPhase::finished);
    for (const auto& each : shop.by_number()) CHECK(each.second == 1);
}

}  // namespace campaigns_test
