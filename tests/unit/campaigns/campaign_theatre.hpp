/// @file
/// Campaigns over days, for the tests of each engine: customers in five countries whose clocks
/// change, a Twilio with faults and a slow queue, programs that die, a budget that runs out.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/campaign/campaigns.hpp>
#include <twiliowa/campaign/sending_rules.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/webhook_handler.hpp>

#include "text/form.hpp"
#include "unit/outbox/crashing_storage.hpp"

namespace campaign_test {

using namespace std::chrono_literals;
using twiliowa::CampaignPhase;
using twiliowa::CampaignProgress;
using twiliowa::JobState;
using twiliowa::TimePoint;
using twiliowa::testing::Fault;

inline TimePoint day(int year, unsigned month, unsigned of_month) {
    return std::chrono::sys_days{std::chrono::year{year} / static_cast<int>(month) /
                                 static_cast<int>(of_month)};
}

/// A place of customers: what its clocks show is written down here by hand, beside the library's
/// own tables.
struct Place {
    std::string_view prefix;  ///< Of numbers; five digits follow.
    std::string_view zone;    ///< Given with the recipient; empty: the number tells.
    std::chrono::minutes winter;
    std::chrono::minutes summer;
    TimePoint summer_begins;
    TimePoint summer_ends;

    std::chrono::minutes offset(TimePoint at) const {
        const bool is_summer = summer_begins < summer_ends
                                   ? summer_begins <= at && at < summer_ends
                                   : at < summer_ends || summer_begins <= at;
        return is_summer ? summer : winter;
    }
    bool is_day(TimePoint at) const {
        const auto local = at + offset(at);
        const auto since_midnight = local - std::chrono::floor<std::chrono::days>(local);
        return since_midnight >= 8h && since_midnight < 20h;
    }
};

inline const std::vector<Place>& places() {
    static const std::vector<Place> all{
        {"+4477009", "", 0min, 60min, day(2026, 3, 29) + 1h, day(2026, 10, 25) + 1h},
        {"+121255", "", -300min, -240min, day(2026, 3, 8) + 7h, day(2026, 11, 1) + 6h},
        {"+121355", "", -480min, -420min, day(2026, 3, 8) + 10h, day(2026, 11, 1) + 9h},
        {"+9198765", "", 330min, 330min, day(2026, 1, 1), day(2027, 1, 1)},
        // Summer there is while it is winter in London.
        {"+6141234", "Australia/Sydney", 600min, 660min, day(2026, 10, 3) + 16h,
         day(2026, 4, 4) + 16h}};
    return all;
}

inline const Place& place_of(std::string_view number) {
    for (const auto& place : places()) {
        if (number.find(place.prefix) != std::string_view::npos) return place;
    }
    FAIL("a message to nobody: " << number);
    return places().front();
}

struct TheatreOptions {
    TimePoint start = day(2026, 3, 27) + 15h;
    int recipients = 1'000;
    /// Opens the storage anew, as a process that begins does.
    std::function<std::shared_ptr<twiliowa::OutboxStorage>(
        const std::shared_ptr<twiliowa::testing::ManualClock>&)>
        open = {};
    std::uint32_t seed = 1;
};

class Theatre {
public:
    explicit Theatre(TheatreOptions options)
        : options_(std::move(options)),
          clock_(std::make_shared<twiliowa::testing::ManualClock>(options_.start)),
          random_(options_.seed) {
        fake_ = twiliowa::testing::FakeTwilio::with_account(
            {.clock = clock_,
             .lifecycle = twiliowa::testing::Lifecycle::automatic,
             // A queue that is hours long in the evening.
             .messages_per_second = options_.recipients / 86'400.0 / 1.5});
        fake_->set_webhook(twiliowa::testing::FakeTwilio::demo_sender,
                           "https://a.example/whatsapp");
        template_ = fake_->add_content({.body = "Hi {{1}}, it is spring"});
        fake_->on_webhook([this](const std::string& url, const twiliowa::WebhookRequest& request) {
            return take(url, request);
        });
        opt_outs_ = std::make_shared<twiliowa::OptOuts>(std::make_shared<twiliowa::MemoryStore>(),
                                                        twiliowa::OptOutOptions{.clock = clock_});
        rules_ = std::make_shared<twiliowa::SendingRules>(twiliowa::SendingRulesOptions{
            .opt_outs = opt_outs_,
            .quiet_hours =
                twiliowa::QuietHoursOptions{.week =
                                                twiliowa::QuietHoursOptions::every_day({8h, 20h})},
            .prices = twiliowa::PriceTable::from_csv("price,currency\n0.05,USD\n").value()});
        live(1'000'000);
    }
    ~Theatre() { die(); }
    Theatre(const Theatre&) = delete;
    Theatre& operator=(const Theatre&) = delete;

    /// Until both campaigns are over, or it takes too long.
    void play() {
        make("spring", options_.recipients, {});
        // So much is spent before all of it is sent.
        const auto enough = 50'000LL * options_.recipients / 10 * 6 / 10;
        make("promo", options_.recipients / 10,
             twiliowa::Money::from_micros(enough, "USD").value());
        faults();
        const auto latest = options_.start + std::chrono::hours{24 * 12};
        for (int step = 0; clock_->now() < latest; ++step) {
            if (is_over()) break;
            act(step);
            run(10min);
            if (step % 10 == 0) look();
        }
        fake_->clear_faults();
        // What is in doubt is looked for, and what is in the queue arrives or expires.
        for (int i = 0; i < 80; ++i) run(30min);
        look();
        // Who checks does not die.
        live(1'000'000);
    }

    void check() {
        const auto spring = campaigns_->progress("spring");
        const auto promo = campaigns_->progress("promo");
        INFO(spring.line());
        INFO(promo.line());
        for (const auto* const each : {&spring, &promo}) {
            std::int64_t sum = 0;
            for (const auto& state : each->by_state) sum += state.second;
            CHECK(sum == each->recipients);
        }
        CHECK(spring.phase == CampaignPhase::finished);
        CHECK(spring.recipients == options_.recipients);
        CHECK(promo.phase == CampaignPhase::paused);
        CHECK(promo.problem.find("budget") != std::string::npos);
        CHECK(promo.spend.micros() <= promo.budget->micros());
        // Everybody is sent to, or is listed with the reason.
        std::map<std::string, int> sent;
        for (const auto& message : fake_->messages()) {
            if (message.direction != twiliowa::Direction::inbound) ++sent[message.to];
        }
        std::int64_t listed = 0;
        REQUIRE(campaigns_
                    ->try_report("spring",
                                 [&](const twiliowa::CampaignReportRow& row) {
                                     const auto& job = row.job;
                                     const bool is_sent = job.state == JobState::accepted ||
                                                          job.state == JobState::delivered ||
                                                          job.state == JobState::undelivered;
                                     const bool has_reason =
                                         job.state == JobState::held ||
                                         (job.state == JobState::dead &&
                                          job.reason != twiliowa::DeadReason::none);
                                     CHECK((is_sent || has_reason));
                                     ++listed;
                                     return twiliowa::Result<void>{};
                                 })
                    .has_value());
        CHECK(listed == spring.recipients);
        for (const auto& each : sent) {
            INFO(each.first);
            CHECK(each.second == 1);
        }
        // It was all there.
        CHECK(delivered_ > 0);
        CHECK(expired_ > 0);
        CHECK(deaths_ > 5);
        CHECK(opted_out_.size() > 3);
        CHECK(spring.by_reason.contains(twiliowa::DeadReason::opted_out));
        CHECK(template_pauses_ > 0);
        for (const auto& place : places()) CHECK(by_place_[place.prefix] > 0);
    }

private:
    // ---- The program

    void live(int works) {
        die();
        storage_ = std::make_shared<outbox_test::CrashingStorage>(options_.open(clock_), works,
                                                                  random_() % 2 == 0);
        auto client_options = fake_->client_options();
        client_options.opt_outs = opt_outs_;
        client_options.retry.max_attempts = 1;
        const twiliowa::MessagesClient client{fake_->credentials(), client_options};
        outbox_ = std::make_unique<twiliowa::Outbox>(
            storage_,
            twiliowa::OutboxOptions{.client = [client](std::string_view) { return client; },
                                    .status_callback = "https://a.example/status",
                                    .gate = rules_,
                                    .clock = clock_,
                                    .random = [] { return 0.5; }});
        campaigns_ = std::make_unique<twiliowa::Campaigns>(*outbox_, rules_);
        twiliowa::WebhookOptions webhooks;
        webhooks.public_url = twiliowa::PublicUrl::fixed("https://a.example");
        webhooks.clock = clock_;
        webhooks.opt_outs = opt_outs_;
        handler_ = std::make_unique<twiliowa::WebhookHandler>(
            twiliowa::RequestValidator{std::string{twiliowa::testing::FakeTwilio::demo_auth_token}},
            webhooks);
        handler_->on_status(
            [this](const twiliowa::StatusCallback& callback) { outbox_->learn(callback); });
        handler_->on_message([](const twiliowa::InboundMessage&) {});
    }
    void die() {
        handler_.reset();
        campaigns_.reset();
        outbox_.reset();
        storage_.reset();
    }
    /// Whether the process is still there after that; one that died comes again.
    template <class Verb>
    bool survives(Verb verb) {
        for (int again = 0; again < 50; ++again) {
            if (verb()) return again == 0;
            ++deaths_;
            live(static_cast<int>(30 + random_() % 400));
        }
        FAIL("the program does not come up any more");
        return false;
    }

    void make(const std::string& id, int count, std::optional<twiliowa::Money> budget) {
        twiliowa::CampaignDefinition definition;
        definition.id = id;
        definition.variants.push_back(
            {.message = twiliowa::OutboundTemplate{.content_sid = template_}});
        definition.columns = {{"1", "name"}};
        definition.budget = budget;
        definition.guards = {.failures_percent = 0, .unknowns = 0};
        definition.rate = {.messages = std::max(1, options_.recipients / 300), .per = 600s};
        std::string csv = "to,name,time_zone\n";
        for (int i = 0; i < count; ++i) {
            const auto& place = places()[static_cast<std::size_t>(i) % places().size()];
            auto digits = std::to_string((id == "promo" ? 90'000 : 10'000) + i);
            csv += std::string{place.prefix} + digits + ",Ann," + std::string{place.zone} + '\n';
        }
        files_[id] = csv;
        survives([&] { return campaigns_->try_create(definition).has_value(); });
        add(id);
        survives([&] { return campaigns_->try_start(id).has_value(); });
    }
    void add(const std::string& id) {
        survives([&] {
            std::istringstream file{files_[id]};
            const auto added = campaigns_->try_add_csv(id, file);
            if (!added) return false;
            CHECK(added->refused + added->faulty == 0);
            return true;
        });
    }
    void faults() {
        fake_->set_fault_rate(Fault::close_after, 0.02);
        fake_->set_fault_rate(Fault::close_before, 0.02);
        fake_->set_fault_rate(Fault::internal_error_after, 0.01);
        fake_->set_fault_rate(Fault::too_many_requests, 0.01);
        fake_->set_webhook_faults({.doubled = 0.1, .late = 0.05, .reordered = 0.1});
    }

    // ---- What happens meanwhile

    void act(int step) {
        if (step % 37 == 5) live(static_cast<int>(30 + random_() % 300));
        if (step % 101 == 50) add("spring");
        if (step % 53 == 20) {
            if (survives(
                    [&] { return campaigns_->try_pause("spring", "a look at it").has_value(); })) {
                const auto before = fake_->messages().size();
                const auto promo = sent_of("promo");
                run(10min);
                // The other campaign goes on; of this one nothing does, but what was under way.
                const auto others = sent_of("promo") - promo;
                CHECK(fake_->messages().size() - before <= static_cast<std::size_t>(others) + 60);
            }
            survives([&] { return campaigns_->try_resume("spring").has_value(); });
        }
        if (step % 29 == 11) {
            const auto number = waiting_recipient();
            fake_->customer(number).sends_text("STOP");
            opted_out_.emplace(number, clock_->now());
        }
        if (step == 120) fake_->set_approval(template_, "paused");
        if (step == 132) {
            fake_->set_approval(template_, "approved");
            for (const auto* const id : {"spring", "promo"}) {
                survives([&] {
                    const auto progress = campaigns_->try_progress(id);
                    if (!progress) return false;
                    if (progress->phase != CampaignPhase::paused) return true;
                    if (progress->problem.find("template") == std::string::npos) return true;
                    ++template_pauses_;
                    return campaigns_->try_resume(id).has_value();
                });
            }
        }
    }
    /// Somebody of spring who has no message yet, as far as a few tries find one.
    std::string waiting_recipient() {
        std::set<std::string> written_to;
        for (const auto& message : fake_->messages()) {
            written_to.insert(message.to.substr(message.to.find('+')));
        }
        std::string number;
        for (int tries = 0; tries < 20; ++tries) {
            const auto i = random_() % static_cast<unsigned>(options_.recipients);
            number = std::string{places()[i % places().size()].prefix} + std::to_string(10'000 + i);
            if (!written_to.contains(number)) break;
        }
        return number;
    }
    void run(std::chrono::nanoseconds time) {
        fake_->advance(time);
        survives([&] { return outbox_->try_run_until_idle().has_value(); });
    }
    std::int64_t sent_of(const std::string& id) {
        std::int64_t sent = 0;
        survives([&] {
            const auto progress = campaigns_->try_progress(id);
            if (progress) sent = progress->sent;
            return progress.has_value();
        });
        return sent;
    }
    bool is_over() {
        bool over = false;
        survives([&] {
            const auto spring = campaigns_->try_progress("spring");
            if (!spring) return false;
            over = spring->phase == CampaignPhase::finished;
            return true;
        });
        return over;
    }
    void look() {
        survives([&] {
            const auto promo = campaigns_->try_progress("promo");
            if (!promo) return false;
            CHECK(promo->spend.micros() <= promo->budget->micros());
            return true;
        });
        // Twilio itself would refuse what goes to who has said STOP: it is not asked.
        for (const auto& request : fake_->requests(requests_seen_)) {
            requests_seen_ = request.number;
            INFO(request.body);
            CHECK(request.code != 21610);
        }
        for (const auto& message : fake_->messages()) {
            if (!seen_.insert(message.sid.str()).second) continue;
            const auto number = message.to.substr(message.to.find('+'));
            const auto stopped = opted_out_.find(number);
            // What is created in the second of the STOP may have been on its way.
            if (stopped != opted_out_.end() && message.date_created) {
                INFO(number);
                CHECK(*message.date_created <= stopped->second + 1s);
            }
        }
    }

    // ---- Twilio calls

    twiliowa::Result<twiliowa::WebhookResponse> take(const std::string& url,
                                                     const twiliowa::WebhookRequest& request) {
        const auto parsed = twiliowa::detail::parse_form(request.body);
        std::string to;
        std::string status;
        std::string code;
        for (const auto& [name, value] : parsed) {
            if (name == "To") to = value;
            if (name == "MessageStatus") status = value;
            if (name == "ErrorCode") code = value;
        }
        if (status == "delivered" || status == "sent") {
            const auto& place = place_of(to);
            INFO(to << " at "
                    << std::chrono::duration_cast<std::chrono::minutes>(
                           clock_->now().time_since_epoch())
                           .count());
            // A late callback is late; when it was delivered the message says.
            const auto now = clock_->now();
            CHECK((place.is_day(now) || place.is_day(now - 6s)));
            ++delivered_;
            ++by_place_[place.prefix];
        }
        if (code == "30036") ++expired_;
        static_cast<void>(url);
        if (!handler_) return twiliowa::WebhookResponse{.status = 503};
        return handler_->handle(request);
    }

    TheatreOptions options_;
    std::shared_ptr<twiliowa::testing::ManualClock> clock_;
    std::minstd_rand random_;
    std::shared_ptr<twiliowa::testing::FakeTwilio> fake_;
    std::string template_;
    std::shared_ptr<twiliowa::OptOuts> opt_outs_;
    std::shared_ptr<twiliowa::SendingRules> rules_;
    std::shared_ptr<twiliowa::OutboxStorage> storage_;
    std::unique_ptr<twiliowa::Outbox> outbox_;
    std::unique_ptr<twiliowa::Campaigns> campaigns_;
    std::unique_ptr<twiliowa::WebhookHandler> handler_;
    std::map<std::string, std::string> files_;
    std::map<std::string, TimePoint> opted_out_;
    std::map<std::string_view, int> by_place_;
    std::set<std::string> seen_;
    std::uint64_t requests_seen_ = 0;
    int delivered_ = 0;
    int expired_ = 0;
    int deaths_ = 0;
    int template_pauses_ = 0;
};

}  // namespace campaign_test
