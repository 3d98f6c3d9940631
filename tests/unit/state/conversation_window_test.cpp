#include <twiliowa/state/conversation_window.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>

#include "support/store_doubles.hpp"

namespace conversation_window_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::testing::BrokenStore;
using twiliowa::testing::ManualClock;
using twiliowa::testing::SteppedStore;

namespace {

const std::string sender = "whatsapp:+14155238886";
const std::string customer = "whatsapp:+447700900123";

struct Booth {
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<SteppedStore> store =
        std::make_shared<SteppedStore>(MemoryStoreOptions{.clock = clock});
    ConversationWindow window{store, {.clock = clock}};
    TimePoint start = clock->now();

    WindowState state() const { return window.state(sender, customer).value(); }
};

}  // namespace

TEST_CASE("nothing is known of a window before the customer writes") {
    const Booth b;
    CHECK_FALSE(b.state().known);
    CHECK_FALSE(b.state().open);
    CHECK(b.state().until == TimePoint{});
}

TEST_CASE(
    "a window is open for 24 hours after the customer's last message, and known to be closed "
    "after that") {
    Booth b;
    b.window.record_inbound(sender, customer).value();
    CHECK(b.state().known);
    CHECK(b.state().open);
    CHECK(b.state().until == b.start + 24h);
    b.clock->advance(24h - 1ns);
    CHECK(b.state().open);
    b.clock->advance(1ns);
    CHECK(b.state().known);
    CHECK_FALSE(b.state().open);
    CHECK(b.state().until == b.start + 24h);
    b.window.record_inbound(sender, customer).value();
    CHECK(b.state().until == b.start + 48h);
}

TEST_CASE("an older message does not shorten a window, and one from the future counts as now") {
    Booth b;
    b.clock->advance(10h);
    b.window.record_inbound(sender, customer, b.start + 9h).value();
    b.window.record_inbound(sender, customer, b.start + 2h).value();
    CHECK(b.state().until == b.start + 33h);
    b.window.record_inbound(sender, customer, b.start + 1000h).value();
    CHECK(b.state().until == b.start + 34h);
}

TEST_CASE("error 63016 closes a window, and a later message reopens it") {
    Booth b;
    b.window.record_inbound(sender, customer).value();
    b.clock->advance(1h);
    b.window.learn_error(sender, customer, 63015).value();
    CHECK(b.state().open);
    b.window.learn_error(sender, customer, 63016).value();
    CHECK(b.state().known);
    CHECK_FALSE(b.state().open);
    CHECK(b.state().until == b.start + 1h);
    b.window.record_inbound(sender, customer, b.start + 30min).value();
    CHECK_FALSE(b.state().open);
    b.clock->advance(1h);
    b.window.record_inbound(sender, customer).value();
    CHECK(b.state().open);
    CHECK(b.state().until == b.start + 26h);
}

TEST_CASE("a refusal of a message sent before the customer wrote does not close the window") {
    Booth b;
    b.clock->advance(2h);
    b.window.record_inbound(sender, customer, b.start + 1h).value();
    b.window.close(sender, customer, b.start + 30min).value();
    CHECK(b.state().open);
    CHECK(b.state().until == b.start + 25h);
}

TEST_CASE("a window that never was recorded can be known to be closed") {
    Booth b;
    b.window.close(sender, customer).value();
    CHECK(b.state().known);
    CHECK_FALSE(b.state().open);
    CHECK(b.state().until == b.start);
}

TEST_CASE("of news of the same time the last word counts") {
    Booth b;
    b.window.record_inbound(sender, customer).value();
    b.window.close(sender, customer).value();
    CHECK_FALSE(b.state().open);
    b.window.record_inbound(sender, customer).value();
    CHECK(b.state().open);
    CHECK(b.state().until == b.start + 24h);
}

TEST_CASE("news ends in the same state whatever order it comes in") {
    Booth b;
    b.clock->advance(10h);
    const auto wrote = [&](std::chrono::hours h) {
        return [&b, h] { b.window.record_inbound(sender, customer, b.start + h).value(); };
    };
    const auto closed = [&](std::chrono::hours h) {
        return [&b, h] { b.window.close(sender, customer, b.start + h).value(); };
    };
    const std::vector<std::function<void()>> news = {wrote(1h), closed(2h), wrote(3h), closed(4h),
                                                     wrote(5h)};
    std::vector<std::size_t> order = {0, 1, 2, 3, 4, 4, 1};
    std::sort(order.begin(), order.end());
    std::size_t wrong = 0;
    do {
        for (const auto i : order) news[i]();
        if (!b.state().open || b.state().until != b.start + 29h) ++wrong;
        const auto entry = b.store->get("window 0: 21:" + sender + " 22:" + customer).value();
        REQUIRE(entry.has_value());
        REQUIRE(
            b.store->erase("window 0: 21:" + sender + " 22:" + customer, entry->version).value());
    } while (std::next_permutation(order.begin(), order.end()));
    CHECK(wrong == 0);
}

TEST_CASE("a window can be asked for a time to come") {
    Booth b;
    b.window.record_inbound(sender, customer).value();
    CHECK(b.window.state(sender, customer, b.start + 23h).value().open);
    const auto later = b.window.state(sender, customer, b.start + 24h).value();
    CHECK(later.known);
    CHECK_FALSE(later.open);
}

TEST_CASE("windows are told apart by sender, customer and scope, and addresses by what they mean") {
    Booth b;
    b.window.record_inbound("+14155238886", "+447700900123").value();
    CHECK(b.state().open);
    CHECK_FALSE(b.window.state(sender, "+447700900124").value().known);
    CHECK_FALSE(b.window.state("+14155550000", customer).value().known);
    CHECK_FALSE(b.window.state("MG" + std::string(32, 'a'), customer).value().known);
    CHECK_FALSE(b.window.state(customer, sender).value().known);
    const ConversationWindow other(b.store, {.scope = "AC1", .clock = b.clock});
    CHECK_FALSE(other.state(sender, customer).value().known);
    b.window.record_inbound(sender, "whatsapp:GB.4f1a").value();
    CHECK(b.window.state(sender, "whatsapp:GB.4f1a").value().open);
}

TEST_CASE("two that write at once lose nothing") {
    Booth b;
    b.clock->advance(2h);
    b.store->before_write = [&b] {
        b.window.record_inbound(sender, customer, b.start + 2h).value();
    };
    b.window.record_inbound(sender, customer, b.start + 1h).value();
    CHECK(b.state().until == b.start + 26h);
    CHECK(b.store->writes == 2);
}

TEST_CASE("a closed window is forgotten after the time it is kept") {
    Booth b;
    const ConversationWindow window(b.store, {.kept = 48h, .clock = b.clock});
    window.record_inbound(sender, customer).value();
    b.clock->advance(72h - 1ns);
    CHECK(window.state(sender, customer).value().known);
    b.clock->advance(1ns);
    CHECK_FALSE(window.state(sender, customer).value().known);
}

TEST_CASE("a wrong address, a store that fails and a foreign entry are errors") {
    const ConversationWindow broken(std::make_shared<BrokenStore>());
    CHECK(is_store_error(broken.record_inbound(sender, customer).error()));
    CHECK(is_store_error(broken.close(sender, customer).error()));
    CHECK(is_store_error(broken.state(sender, customer).error()));
    CHECK(broken.learn_error(sender, customer, 0).has_value());
    CHECK(broken.state("nobody", customer).error().field() == "From");
    CHECK(broken.state("MG1", customer).error().kind() == ErrorKind::invalid_request);
    CHECK(broken.record_inbound(sender, "").error().field() == "To");

    Booth b;
    const auto key = "window 0: 21:" + sender + " 22:" + customer;
    for (const char* junk : {"", "-", "1 x", "x -", "99999999999999999999 -"}) {
        const auto entry = b.store->get(key).value();
        const auto version = entry ? entry->version : 0;
        CHECK(b.store->compare_and_set(key, version, junk, 1h, Keep::pinned).value() != 0);
        CHECK(is_store_error(b.window.state(sender, customer).error()));
        CHECK(is_store_error(b.window.record_inbound(sender, customer).error()));
    }
    CHECK_THROWS_AS(ConversationWindow(nullptr), InvalidRequestError);
    CHECK_THROWS_AS(ConversationWindow(b.store, {.duration = 0s}), InvalidRequestError);
    CHECK_THROWS_AS(ConversationWindow(b.store, {.kept = Store::forever}), InvalidRequestError);
}

TEST_CASE("a window is the same whether its parties are text or were read before") {
    Booth b;
    const auto ours = Address::parse(sender, "From").value();
    const auto theirs = Address::parse(customer).value();
    b.window.record_inbound(ours, theirs).value();
    CHECK(b.state().open);
    b.window.close(sender, customer).value();
    CHECK_FALSE(b.window.state(ours, theirs).value().open);
    b.clock->advance(1s);
    b.window.record_inbound(sender, customer).value();
    b.window.learn_error(ours, theirs, 63016).value();
    CHECK_FALSE(b.state().open);
    CHECK(b.window.state(Sender{}, theirs).error().field() == "From");
}

}  // namespace conversation_window_test
