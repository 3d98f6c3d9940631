/// @file
/// Everything the fake knows. What happens to it is in the files about each thing.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include <twiliowa/testing/fake_types.hpp>

#include "testing/fake_twilio/world/accounts.hpp"
#include "testing/fake_twilio/world/dice.hpp"
#include "testing/fake_twilio/world/events.hpp"
#include "testing/fake_twilio/world/fault_plan.hpp"
#include "testing/fake_twilio/world/hooks.hpp"
#include "testing/fake_twilio/world/ids.hpp"
#include "testing/fake_twilio/world/journal.hpp"
#include "testing/fake_twilio/world/messages.hpp"
#include "testing/fake_twilio/world/moment.hpp"
#include "testing/fake_twilio/world/phones.hpp"

namespace twiliowa::testing::fake {

struct FakeWorld {
    explicit FakeWorld(FakeTwilioOptions given)
        : options(std::move(given)),
          ids(options.seed),
          tokens(~options.seed),
          dice(options.seed),
          messages_per_second(options.messages_per_second) {}

    FakeTwilioOptions options;
    FakeAccounts accounts = {};
    FakeMessageStore store = {};
    FakeIds ids;     ///< SIDs and request ids.
    FakeIds tokens;  ///< Idempotency tokens: apart, as callbacks must not change SIDs.
    FakeDice dice;
    FakePhones phones = {};
    FakeEventQueue events = {};
    FakeHooks hooks = {};
    std::map<std::string, FakeWebhookJob, std::less<>> jobs = {};
    std::string held_job = {};  ///< The webhook that waits for the next one to overtake it.
    std::map<std::string, MonotonicTime, std::less<>> free_from = {};  ///< Senders' next slots.
    std::map<std::string, std::string, std::less<>> sandboxes = {};    ///< Join codes by sender.
    std::map<std::string, std::deque<TimePoint>> replies = {};         ///< Of late, by chat.
    double messages_per_second;  ///< Of each sender; 0: without limit.
    FakeFaults faults = {};
    std::chrono::milliseconds list_lag{0};
    bool hides_scheduled = false;  ///< From lists.
    FakePrices prices = {};
    FakeJournal<FakeRequestRecord> requests = {};
    FakeJournal<FakeWebhookRecord> webhooks = {};
    std::uint64_t revision = 0;  ///< Grows with every change that a page would show.

    bool is_automatic() const noexcept { return options.lifecycle == Lifecycle::automatic; }
    std::string public_base(std::string_view otherwise) const {
        return options.public_url.empty() ? std::string{otherwise} : options.public_url;
    }
};

}  // namespace twiliowa::testing::fake
