/// @file
/// Everything the fake knows. What happens to it is in the files about each thing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/testing/fake_types.hpp>

#include "testing/fake_twilio/world/accounts.hpp"
#include "testing/fake_twilio/world/dice.hpp"
#include "testing/fake_twilio/world/events.hpp"
#include "testing/fake_twilio/world/ids.hpp"
#include "testing/fake_twilio/world/messages.hpp"
#include "testing/fake_twilio/world/moment.hpp"
#include "testing/fake_twilio/world/parameters.hpp"
#include "testing/fake_twilio/world/phones.hpp"
#include "testing/fake_twilio/world/webhook_url.hpp"

namespace twiliowa::testing::fake {

/// A webhook to be delivered, until that has succeeded or failed for good.
struct FakeWebhookJob {
    std::string kind = {};
    FakeWebhookUrl url = {};
    std::string method = "POST";
    std::vector<FakeParameters::Entry> parameters = {};
    bool bare = false;  ///< The parameters are only known, not sent.
    std::string account_sid = {};
    std::string message_sid = {};
    std::string idempotency_token = {};
    int attempt = 0;
    int redirects = 0;
    std::string authorization = {};  ///< The answer to a challenge, for the next try.
    std::string fallback_url = {};
    std::string fallback_method = "POST";
};

/// What the log keeps of a body or an answer, so that large ones do not fill the memory.
inline constexpr std::size_t kept_text = std::size_t{64} * 1024;

/// After so many redirects a webhook goes no further.
inline constexpr int max_redirects = 10;

/// Where webhooks go, by owner: a sender's address, a messaging service's SID or an account's.
struct FakeHooks {
    std::map<std::string, std::string, std::less<>> inbound = {};
    std::map<std::string, testing::FakeWebhookOptions, std::less<>> inbound_options = {};
    /// Also by the SID of an application.
    std::map<std::string, std::string, std::less<>> status = {};
};

/// The newest records, each under its number.
template <class Record>
class FakeJournal {
public:
    void add(Record record, std::size_t limit) {
        records_.push_back(std::move(record));
        ++last_;
        while (records_.size() > limit) records_.pop_front();
    }
    std::uint64_t last_number() const noexcept { return last_; }
    /// The record of that number, or null when it is forgotten.
    Record* find(std::uint64_t number) noexcept {
        const auto first = last_ - records_.size() + 1;
        if (number < first || number > last_) return nullptr;
        return &records_[static_cast<std::size_t>(number - first)];
    }
    const std::deque<Record>& all() const noexcept { return records_; }

private:
    std::deque<Record> records_;
    std::uint64_t last_ = 0;
};

/// What goes wrong with requests.
struct FakeFaults {
    std::deque<testing::Fault> next = {};
    std::map<testing::Fault, double> rates = {};
    testing::WebhookFaults webhooks = {};
};

struct FakeWorld {
    explicit FakeWorld(testing::FakeTwilioOptions given)
        : options(std::move(given)),
          ids(options.seed),
          tokens(~options.seed),
          dice(options.seed),
          messages_per_second(options.messages_per_second) {}

    testing::FakeTwilioOptions options;
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
    FakeJournal<testing::FakeRequestRecord> requests = {};
    FakeJournal<testing::FakeWebhookRecord> webhooks = {};
    std::uint64_t revision = 0;  ///< Grows with every change that a page would show.

    bool is_automatic() const noexcept {
        return options.lifecycle == testing::Lifecycle::automatic;
    }
    std::string public_base(std::string_view otherwise) const {
        return options.public_url.empty() ? std::string{otherwise} : options.public_url;
    }
};

}  // namespace twiliowa::testing::fake
