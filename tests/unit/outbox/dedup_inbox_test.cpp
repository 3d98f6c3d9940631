#include <twiliowa/outbox/dedup_inbox.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>

#include "support/store_doubles.hpp"

namespace dedup_inbox_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::testing::BrokenStore;
using twiliowa::testing::ManualClock;

namespace {

/// Answers as it is told, and counts.
class ToldInbox final : public Inbox {
public:
    Result<InboxLook> look(const EventKey&) override {
        ++looks;
        return InboxLook{answer, is_caught_up};
    }
    Result<InboxAnswer> take(const InboxDelivery&) override {
        ++takes;
        return answer;
    }
    bool can_reply() const noexcept override { return true; }
    bool is_running() const noexcept override { return true; }
    Result<void> attach(InboxHandler&) override { return {}; }
    void detach(InboxHandler&) noexcept override {}

    InboxAnswer answer = InboxAnswer::taken;
    bool is_caught_up = false;
    int looks = 0;
    int takes = 0;
};

/// Away while it is said to be.
class AbsentStore final : public Store {
public:
    Result<std::optional<StoredValue>> get(std::string_view key) override {
        if (is_away) return store_error("cannot be reached");
        return inner.get(key);
    }
    Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                          std::string_view value,
                                          std::chrono::milliseconds time_to_live,
                                          Keep keep) override {
        if (is_away) return store_error("cannot be reached");
        return inner.compare_and_set(key, expected, value, time_to_live, keep);
    }
    Result<bool> erase(std::string_view key, std::uint64_t version) override {
        if (is_away) return store_error("cannot be reached");
        return inner.erase(key, version);
    }

    MemoryStore inner{MemoryStoreOptions{}};
    bool is_away = false;
};

const EventKey event{"AC1", "SM1", "message", "", "signature"};
const WebhookEvent read_as{};

struct Process {
    explicit Process(const std::shared_ptr<Store>& store, std::chrono::milliseconds kept = 1h)
        : inbox{below,
                DedupStore{store, {.lease = 10s, .kept = kept}},
                {.on_change = [this](const Error* problem) {
                    told.push_back(problem == nullptr ? "answers" : "is away");
                }}} {}

    Result<InboxAnswer> take(const EventKey& key, bool caught_up = false) {
        return inbox.take({.key = key, .event = read_as, .caught_up = caught_up});
    }

    std::vector<std::string> told = {};
    std::shared_ptr<ToldInbox> below = std::make_shared<ToldInbox>();
    DedupInbox inbox;
};

}  // namespace

TEST_CASE("what one process has taken costs another's inbox nothing") {
    const auto store = std::make_shared<MemoryStore>(MemoryStoreOptions{});
    Process one{store};
    Process other{store};
    CHECK(one.inbox.look(event).value().answer == InboxAnswer::taken);
    CHECK(one.take(event).value() == InboxAnswer::taken);
    CHECK(other.inbox.look(event).value().answer == InboxAnswer::duplicate);
    CHECK(other.below->looks == 0);
}

TEST_CASE("a signature that came with another event first is refused from memory") {
    Process p{std::make_shared<MemoryStore>(MemoryStoreOptions{})};
    CHECK(p.take(event).has_value());
    auto recut = event;
    recut.message_sid = "SM2";
    CHECK(p.inbox.look(recut).value().answer == InboxAnswer::recut);
    CHECK(p.below->looks == 0);
}

TEST_CASE("what the inbox has not written down is not remembered") {
    Process p{std::make_shared<MemoryStore>(MemoryStoreOptions{})};
    for (const auto answer : {InboxAnswer::full, InboxAnswer::account_full,
                              InboxAnswer::switched_off, InboxAnswer::recut}) {
        p.below->answer = answer;
        CHECK(p.take(event).value() == answer);
        CHECK(p.inbox.look(event).value().answer == answer);
    }
    CHECK(p.below->looks == 4);
}

TEST_CASE("what is read from Twilio's list goes past the memory") {
    Process p{std::make_shared<MemoryStore>(MemoryStoreOptions{})};
    CHECK(p.take(event).has_value());
    auto listed = event;
    listed.signature.clear();
    CHECK(p.inbox.look(listed).value().answer == InboxAnswer::taken);
    CHECK(p.below->looks == 1);
}

TEST_CASE("of a webhook after what was caught up the inbox says so") {
    Process p{std::make_shared<MemoryStore>(MemoryStoreOptions{})};
    auto listed = event;
    listed.signature.clear();
    CHECK(p.take(listed, true).has_value());
    p.below->answer = InboxAnswer::duplicate;
    p.below->is_caught_up = true;
    const auto look = p.inbox.look(event).value();
    CHECK(look.answer == InboxAnswer::duplicate);
    CHECK(look.caught_up);
}

TEST_CASE("what is forgotten the inbox decides") {
    const auto clock = std::make_shared<ManualClock>();
    Process p{std::make_shared<MemoryStore>(MemoryStoreOptions{.clock = clock}), 1h};
    CHECK(p.take(event).has_value());
    clock->advance(1h);
    CHECK(p.inbox.look(event).value().answer == InboxAnswer::taken);
    CHECK(p.below->looks == 1);
}

TEST_CASE("a memory that is away changes nothing but the inbox's work, and is told once") {
    const auto store = std::make_shared<AbsentStore>();
    Process p{store};
    CHECK(p.told == std::vector<std::string>{"answers"});
    store->is_away = true;
    for (int i = 0; i < 2; ++i) {
        CHECK(p.inbox.look(event).value().answer == InboxAnswer::taken);
        CHECK(p.take(event).value() == InboxAnswer::taken);
    }
    CHECK_FALSE(p.inbox.memory_answers());
    store->is_away = false;
    CHECK(p.inbox.look(event).has_value());
    CHECK(p.inbox.memory_answers());
    CHECK(p.told == std::vector<std::string>{"answers", "is away", "answers"});
}

TEST_CASE("a memory that is away at the start is told") {
    Process p{std::make_shared<BrokenStore>()};
    CHECK(p.told == std::vector<std::string>{"is away"});
    CHECK_FALSE(p.inbox.memory_answers());
}

TEST_CASE("an inbox has to be there") {
    CHECK_THROWS_AS(
        DedupInbox(nullptr, DedupStore{std::make_shared<MemoryStore>(MemoryStoreOptions{})}),
        InvalidRequestError);
}

}  // namespace dedup_inbox_test
