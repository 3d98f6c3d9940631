#include <twiliowa/state/customers.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/testing/manual_clock.hpp>

#include "support/store_doubles.hpp"

namespace customers_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::testing::BrokenStore;
using twiliowa::testing::GlassStore;
using twiliowa::testing::ManualClock;
using twiliowa::testing::SteppedStore;

namespace {

const Sender our_sender = Sender::parse("+14155238886").value();
const Address by_number = Address::parse("+447700900123").value();
const Address by_id = Address::parse("whatsapp:GB.4f1a").value();
const Address by_parent = Address::parse("whatsapp:GB.ENT.77aa").value();
const Address other_id = Address::parse("whatsapp:GB.9zzz").value();

/// Remembers the events of numbers that change hands.
class HandsObserver final : public Observer {
public:
    void on_number_changed_hands(const NumberChangedHandsEvent& event) noexcept override {
        numbers.emplace_back(event.number_key);
        former.emplace_back(event.former_key);
        present.emplace_back(event.present_key);
    }
    std::vector<std::string> numbers;
    std::vector<std::string> former;
    std::vector<std::string> present;
};

/// What one process has: everything over the store that it shares.
struct CustomerProcess {
    CustomerProcess(const std::shared_ptr<Store>& store, const std::shared_ptr<Clock>& clock,
                    CustomersOptions options = {}) {
        options.clock = clock;
        if (options.key.empty()) options.key = Secret{"a key of tests"};
        customers = std::make_shared<Customers>(store, std::move(options));
        window = std::make_shared<ConversationWindow>(
            store, ConversationWindowOptions{.clock = clock, .customers = customers});
        opt_outs =
            std::make_shared<OptOuts>(store, OptOutOptions{.clock = clock, .customers = customers});
    }

    CustomerNews learn(std::vector<Address> addresses, std::optional<TimePoint> at = {}) const {
        return customers->learn(our_sender, addresses, at).value();
    }
    std::vector<std::string> linked(const Address& address) const {
        std::vector<std::string> all;
        for (const auto& each : customers->linked(our_sender, address).value().addresses) {
            all.push_back(each.address.text());
        }
        std::sort(all.begin(), all.end());
        return all;
    }
    bool out(const Address& address) const {
        return opt_outs->is_opted_out(our_sender, address).value();
    }
    WindowState window_of(const Address& address) const {
        return window->state(our_sender, address).value();
    }

    std::shared_ptr<Customers> customers;
    std::shared_ptr<ConversationWindow> window;
    std::shared_ptr<OptOuts> opt_outs;
};

struct Bench {
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<GlassStore> store = std::make_shared<GlassStore>();
    std::shared_ptr<HandsObserver> observer = std::make_shared<HandsObserver>();
    TimePoint start = clock->now();
    CustomerProcess one{store, clock, {.observer = observer}};
    CustomerProcess two{store, clock};
};

enum class Happening { link, inbound, stop, start, closed };

/// The same window, and the same opt-out.
struct Answer {
    bool known = false;
    bool open = false;
    TimePoint until = {};
    OptOutState stopped = {};
    friend bool operator==(const Answer&, const Answer&) = default;
};

Answer answer_of(const ConversationWindow& window, const OptOuts& opt_outs,
                 const Address& address) {
    const auto state = window.state(our_sender, address).value();
    return {state.known, state.open, state.until, opt_outs.state(our_sender, address).value()};
}

void happen(Happening what, const ConversationWindow& window, const OptOuts& opt_outs,
            const Address& address, TimePoint at) {
    switch (what) {
        case Happening::link:
            break;
        case Happening::inbound:
            window.record_inbound(our_sender, address, at).value();
            static_cast<void>(opt_outs.learn_inbound(our_sender, address, {}, "Hello", at).value());
            break;
        case Happening::stop:
            static_cast<void>(
                opt_outs.learn_inbound(our_sender, address, "STOP", "STOP", at).value());
            break;
        case Happening::start:
            static_cast<void>(
                opt_outs.learn_inbound(our_sender, address, "START", "START", at).value());
            break;
        case Happening::closed:
            window.learn_error(our_sender, address, 63016, at).value();
            break;
    }
}

}  // namespace

TEST_CASE("after every order of link, message, stop, start and 63016 each address answers as one") {
    const auto clock = std::make_shared<ManualClock>();
    const auto start = clock->now();
    clock->advance(1h);
    std::array<Happening, 5> order{Happening::link, Happening::inbound, Happening::stop,
                                   Happening::start, Happening::closed};
    // When each is said to have happened: as they come, the other way round, and crosswise.
    const std::vector<std::array<int, 5>> times{{1, 2, 3, 4, 5}, {5, 4, 3, 2, 1}, {3, 5, 1, 4, 2}};
    int checked = 0;
    do {
        for (const auto& minutes : times) {
            // Which happens under which address: each order sees a quarter of the ways, in turn.
            for (unsigned addresses = static_cast<unsigned>(checked / 8) % 4; addresses < 32;
                 addresses += 4) {
                const auto memory = std::make_shared<MemoryStore>();
                const CustomerProcess one{memory, clock};
                const CustomerProcess two{memory, clock};
                const auto plain = std::make_shared<MemoryStore>();
                const ConversationWindow window{plain, {.clock = clock}};
                const OptOuts opt_outs{plain, {.clock = clock}};
                for (std::size_t i = 0; i < order.size(); ++i) {
                    const auto at = start + std::chrono::minutes{minutes[i]};
                    const bool under_id = ((addresses >> i) & 1u) != 0;
                    const auto& process = i % 2 == 0 ? one : two;
                    if (order[i] == Happening::link) process.learn({by_number, by_id}, at);
                    happen(order[i], *process.window, *process.opt_outs,
                           under_id ? by_id : by_number, at);
                    happen(order[i], window, opt_outs, by_number, at);
                }
                const auto expected = answer_of(window, opt_outs, by_number);
                const bool same = answer_of(*one.window, *one.opt_outs, by_number) == expected &&
                                  answer_of(*one.window, *one.opt_outs, by_id) == expected &&
                                  answer_of(*two.window, *two.opt_outs, by_id) == expected;
                if (!same) CAPTURE(addresses);
                REQUIRE(same);
                ++checked;
            }
        }
    } while (std::next_permutation(order.begin(), order.end()));
    CHECK(checked == 120 * 3 * 8);
}

TEST_CASE("whatever happens under four addresses counts as under one") {
    std::mt19937 random{7};
    const auto clock = std::make_shared<ManualClock>();
    const auto start = clock->now();
    clock->advance(10h);
    const auto mexican = Address::parse("+525512345678").value();
    const auto mexican_as_well = Address::parse("+5215512345678").value();
    const std::vector<Address> addresses{mexican, mexican_as_well, by_id, by_parent};
    const std::vector<std::vector<Address>> links{
        {mexican, by_id}, {by_id, by_parent}, {mexican_as_well, by_parent}};
    const std::vector<int> codes{21610, 63033, 63050, 63016};
    const auto pick = [&](std::size_t count) { return std::size_t{random()} % count; };
    for (int run = 0; run < 300; ++run) {
        const auto memory = std::make_shared<MemoryStore>();
        const CustomerProcess spread{memory, clock};
        const CustomerProcess single{std::make_shared<MemoryStore>(), clock};
        std::vector<int> minutes(14);
        std::iota(minutes.begin(), minutes.end(), 1);
        std::shuffle(minutes.begin(), minutes.end(), random);
        std::vector<std::size_t> link_at{pick(14), pick(14)};
        const auto first = pick(3);
        for (std::size_t i = 0; i < minutes.size(); ++i) {
            const auto at = start + std::chrono::minutes{minutes[i]};
            if (i == link_at[0]) spread.learn(links[first], at);
            if (i == link_at[1]) spread.learn(links[(first + 1) % 3], at);
            const auto& address = addresses[pick(4)];
            const auto what = pick(4);
            const auto code = codes[pick(4)];
            for (const bool is_spread : {true, false}) {
                const auto& process = is_spread ? spread : single;
                const auto& under = is_spread ? address : by_number;
                if (what == 0) {
                    process.window->learn_error(our_sender, under, code, at).value();
                    static_cast<void>(
                        process.opt_outs->learn_error(our_sender, under, code, at).value());
                } else if (what == 1) {
                    happen(Happening::inbound, *process.window, *process.opt_outs, under, at);
                } else if (what == 2) {
                    happen(Happening::start, *process.window, *process.opt_outs, under, at);
                } else {
                    static_cast<void>(
                        process.opt_outs->learn_inbound(our_sender, under, {}, "START", at)
                            .value());
                }
            }
        }
        const auto expected = answer_of(*single.window, *single.opt_outs, by_number);
        for (const auto& address : addresses) {
            INFO("run ", run, ", ", address.text());
            REQUIRE(answer_of(*spread.window, *spread.opt_outs, address) == expected);
        }
    }
}

TEST_CASE("a link is learnt from two addresses of one customer, and once") {
    const Bench b;
    CHECK(b.one.linked(by_number) == std::vector<std::string>{by_number.text()});
    CHECK_FALSE(b.one.learn({by_number}).linked);
    CHECK_FALSE(b.one.learn({by_id, by_id, Address{}}).linked);
    CHECK(b.store->all().empty());
    CHECK(b.one.learn({by_number, by_id}).linked);
    CHECK_FALSE(b.two.learn({by_id, by_number}).linked);
    const std::vector<std::string> both{by_number.text(), by_id.text()};
    CHECK(b.two.linked(by_number) == both);
    CHECK(b.two.linked(by_id) == both);
    CHECK(b.one.learn({by_number, by_id, by_parent}).linked);
    CHECK(b.two.linked(by_parent).size() == 3);
    CHECK(b.two.linked(by_number).size() == 3);
    CHECK(b.observer->numbers.empty());
}

TEST_CASE("links hold for their sender and scope") {
    const Bench b;
    b.one.learn({by_number, by_id});
    const auto elsewhere = Sender::parse("+14155550000").value();
    CHECK(b.one.customers->linked(elsewhere, by_number).value().addresses.size() == 1);
    const Customers scoped{b.store, {.scope = "AC1", .clock = b.clock}};
    CHECK(scoped.linked(our_sender, by_number).value().addresses.size() == 1);
    const auto customers = b.one.customers;
    CHECK_THROWS_AS(ConversationWindow(b.store, {.scope = "AC1", .customers = customers}),
                    InvalidRequestError);
    CHECK_THROWS_AS(OptOuts(b.store, {.scope = "AC1", .customers = customers}),
                    InvalidRequestError);
    const std::array senders{our_sender, Sender{}, elsewhere};
    const auto all = b.one.customers->linked(senders, by_number).value();
    REQUIRE(all.size() == 3);
    CHECK(all[0].addresses.size() == 2);
    CHECK(all[1].addresses.size() == 1);
    CHECK(all[2].addresses.size() == 1);
}

TEST_CASE("ids that were linked by one are one customer's under every address") {
    const Bench b;
    b.one.learn({by_id, by_parent});
    b.one.learn({by_number, by_parent});
    for (const auto& address : {by_number, by_id, by_parent}) {
        CHECK(b.two.linked(address).size() == 3);
    }
}

TEST_CASE("a portfolio that is linked later changes no hands") {
    const Bench b;
    b.one.learn({by_number, by_id}, b.start);
    CHECK_FALSE(b.one.learn({by_number, by_parent}, b.start).changed_hands);
    CHECK(b.one.linked(by_id).size() == 3);
    CHECK(b.observer->numbers.empty());
}

TEST_CASE("a number that appears with another id has changed hands") {
    const Bench b;
    b.one.window->record_inbound(our_sender, by_number).value();
    b.one.learn({by_number, by_id});
    b.clock->advance(1h);
    b.one.window->record_inbound(our_sender, by_id).value();
    b.clock->advance(1h);
    const auto news = b.one.learn({by_number, other_id});
    CHECK(news.linked);
    CHECK(news.changed_hands);
    CHECK(b.one.linked(by_number) == std::vector<std::string>{by_number.text(), other_id.text()});
    CHECK(b.one.linked(other_id) == b.one.linked(by_number));

    // The one who left is known still, and is no bridge.
    CHECK(b.one.linked(by_id) == std::vector<std::string>{by_number.text(), by_id.text()});
    CHECK(b.one.window_of(by_id).open);
    CHECK_FALSE(b.one.window_of(by_number).known);
    CHECK_FALSE(b.one.window_of(other_id).known);
    b.clock->advance(1min);
    b.one.window->record_inbound(our_sender, by_number).value();
    CHECK(b.one.window_of(other_id).open);
    CHECK(b.one.window_of(by_id).until == b.start + 1h + 24h);

    REQUIRE(b.observer->numbers.size() == 1);
    CHECK(b.observer->numbers[0] == b.one.customers->key(by_number).value());
    CHECK(b.observer->former[0] == b.one.customers->key(by_id).value());
    CHECK(b.observer->present[0] == b.one.customers->key(other_id).value());
    CHECK_FALSE(b.two.learn({by_number, other_id}).changed_hands);
    CHECK(b.observer->numbers.size() == 1);
}

TEST_CASE("news of an earlier holder that comes late does not take the number back") {
    const Bench b;
    b.clock->advance(1h);
    b.one.learn({by_number, by_id}, b.start);
    b.one.learn({by_number, other_id}, b.start + 10min);
    CHECK_FALSE(b.one.learn({by_number, by_id}, b.start + 20min).linked);
    CHECK(b.one.linked(by_number) == std::vector<std::string>{by_number.text(), other_id.text()});

    // In whatever order the two are learnt.
    const Bench c;
    c.clock->advance(1h);
    c.one.learn({by_number, other_id}, c.start + 10min);
    CHECK(c.one.learn({by_number, by_id}, c.start).changed_hands);
    CHECK(c.one.linked(by_number) == b.one.linked(by_number));
    CHECK(c.one.linked(by_id) == b.one.linked(by_id));
    CHECK(c.one.linked(other_id) == b.one.linked(other_id));
}

TEST_CASE("an opt-out under a number holds for its next holder until START") {
    const Bench b;
    b.one.opt_outs->opt_out(our_sender, by_number).value();
    b.one.learn({by_number, by_id});
    b.clock->advance(1h);
    b.one.learn({by_number, other_id});
    CHECK(b.one.out(by_number));
    CHECK(b.one.out(other_id));
    CHECK(b.one.out(by_id));
    b.clock->advance(1min);
    SUBCASE("by the number") {
        b.one.opt_outs->opt_in(our_sender, by_number).value();
    }
    SUBCASE("by the id") {
        b.one.opt_outs->opt_in(our_sender, other_id).value();
    }
    CHECK_FALSE(b.one.out(by_number));
    CHECK_FALSE(b.one.out(other_id));
    INFO("the one who opted out has not come back");
    CHECK(b.one.out(by_id));
}

TEST_CASE("an opt-out by id does not go over to the next holder of the number") {
    const Bench b;
    b.one.learn({by_number, by_id});
    b.one.opt_outs->opt_out(our_sender, by_id).value();
    CHECK(b.one.out(by_number));
    b.clock->advance(1h);
    b.one.learn({by_number, other_id});
    CHECK_FALSE(b.one.out(by_number));
    CHECK_FALSE(b.one.out(other_id));
    CHECK(b.one.out(by_id));
    b.clock->advance(1min);
    b.one.opt_outs->opt_out(our_sender, other_id).value();
    b.clock->advance(1min);
    b.one.opt_outs->opt_in(our_sender, by_id).value();
    CHECK(b.one.out(by_number));
    CHECK_FALSE(b.one.out(by_id));
}

TEST_CASE("a link that an opt-out depends on is kept for good") {
    const auto pinned = [](const Bench& b) {
        const auto all = b.store->all("customer ");
        return !all.empty() && std::all_of(all.begin(), all.end(), [](const auto& entry) {
            return entry.second.keep == Keep::pinned && entry.second.time_to_live == Store::forever;
        });
    };
    const Bench b;
    SUBCASE("when the opt-out comes after the link") {
        b.one.learn({by_number, by_id});
        CHECK_FALSE(pinned(b));
        b.one.opt_outs->opt_out(our_sender, by_id).value();
    }
    SUBCASE("when the link comes after the opt-out") {
        b.one.opt_outs->opt_out(our_sender, by_number).value();
        b.one.learn({by_number, by_id});
    }
    CHECK(pinned(b));
    b.clock->advance(24h * 200);
    b.one.learn({by_number, by_id, by_parent});
    CHECK(pinned(b));
}

TEST_CASE("a link that is seen again does not expire") {
    const Bench b;
    b.one.learn({by_number, by_id});
    const auto versions = [&] {
        std::uint64_t sum = 0;
        for (const auto& [key, entry] : b.store->all("customer ")) sum += entry.version;
        return sum;
    };
    const auto before = versions();
    b.clock->advance(24h * 30);
    b.one.learn({by_number, by_id});
    CHECK(versions() == before);
    b.clock->advance(24h * 90);
    b.one.learn({by_number, by_id});
    CHECK(versions() > before);
}

TEST_CASE("a return outlives its own record: it ends what is stopped elsewhere") {
    const Bench b;
    b.one.learn({by_number, by_id});
    b.one.opt_outs->opt_out(our_sender, by_number).value();
    static_cast<void>(b.one.opt_outs->learn_error(our_sender, by_number, 63033).value());
    b.clock->advance(1min);
    b.one.opt_outs->opt_in(our_sender, by_id).value();
    for (const auto& [key, entry] : b.store->all("optout ")) {
        CHECK(entry.keep == Keep::evictable);
    }
    CHECK_FALSE(b.one.out(by_number));
}

TEST_CASE("both ways of writing a Mexican number are one, linked or not") {
    const Bench b;
    const auto with_one = Address::parse("+5215512345678").value();
    const auto without = Address::parse("+525512345678").value();
    b.one.opt_outs->opt_out(our_sender, with_one).value();
    CHECK(b.one.out(without));
    b.one.window->record_inbound(our_sender, without).value();
    CHECK(b.one.window_of(with_one).open);
    CHECK(b.one.customers->key(with_one).value() == b.one.customers->key(without).value());
    b.one.learn({without, by_id});
    CHECK_FALSE(b.one.learn({with_one, by_id}).linked);
    CHECK(b.one.linked(by_id).size() == 3);
    CHECK(b.one.out(by_id));
    const auto by_text = Address::parse("sms:+525512345678").value();
    CHECK(b.one.linked(by_text).size() == 2);
}

TEST_CASE("Brazil's ninth digit and Argentina's nine count as a switch says") {
    const auto same = [](std::string_view a, std::string_view b, bool brazil, bool argentina) {
        const Customers customers{
            std::make_shared<MemoryStore>(),
            {.key = Secret{"k"}, .brazil_ninth_digit = brazil, .argentina_nine = argentina}};
        return customers.key(a).value() == customers.key(b).value();
    };
    CHECK(same("+5511987654321", "+551187654321", true, false));
    CHECK_FALSE(same("+5511987654321", "+551187654321", false, true));
    INFO("a subscriber number that begins with 2 to 5 is a landline's");
    CHECK_FALSE(same("+5511937654321", "+551137654321", true, false));
    CHECK(same("+5491123456789", "+541123456789", false, true));
    CHECK_FALSE(same("+5491123456789", "+541123456789", true, false));
    CHECK(same("+5215512345678", "+525512345678", false, false));
    CHECK_FALSE(same("+52155123456", "+5255123456", true, true));
}

TEST_CASE("a key stands for its address, and does not tell it") {
    const Bench b;
    const auto key = b.one.customers->key(by_number).value();
    CHECK(key.size() == 64);
    CHECK(key == b.two.customers->key("+447700900123").value());
    CHECK(key != b.one.customers->key(by_id).value());
    CHECK(key.find("7700900123") == std::string::npos);
    const Customers other{b.store, {.key = Secret{"another"}}};
    CHECK(other.key(by_number).value() != key);
    CHECK_FALSE(b.one.customers->key("nobody").has_value());
}

TEST_CASE("without a key of its own a store's processes agree on one") {
    const auto store = std::make_shared<GlassStore>();
    const Customers one{store};
    const Customers two{store};
    CHECK(one.key(by_number).value() == two.key(by_number).value());
    CHECK(store->all("customer-key").size() == 1);
    CHECK(Customers{std::make_shared<GlassStore>()}.key(by_number).value() !=
          one.key(by_number).value());
}

TEST_CASE("a customer's addresses are bounded, whatever webhooks name") {
    const Bench b;
    for (int i = 0; i < 30; ++i) {
        const auto number = Address::parse("+4477009001" + std::to_string(10 + i)).value();
        b.clock->advance(1min);
        b.one.learn({number, by_id});
        const auto id = Address::parse("whatsapp:GB.n" + std::to_string(i)).value();
        b.one.learn({by_number, id});
        CHECK(b.one.customers->linked(our_sender, by_id).value().addresses.size() <= 8);
        CHECK(b.one.customers->linked(our_sender, by_number).value().addresses.size() <= 8);
    }
    CHECK(b.one.linked(by_number) == std::vector<std::string>{by_number.text(), "whatsapp:GB.n29"});
    for (const auto& [key, entry] : b.store->all()) {
        CHECK(key.size() + entry.value.size() < 4'096);
    }
}

TEST_CASE("an entry with the longest ids fits into a store") {
    const auto store = std::make_shared<MemoryStore>();
    const auto clock = std::make_shared<ManualClock>();
    const CustomerProcess process{store, clock};
    for (int i = 0; i < 12; ++i) {
        const auto id = "whatsapp:GB." + std::string(126, 'x') + std::to_string(10 + i);
        const auto parent = "whatsapp:GB.ENT." + std::string(126, 'y') + std::to_string(10 + i);
        clock->advance(1min);
        process.learn({by_number, Address::parse(id).value(), Address::parse(parent).value()});
    }
    CHECK(process.linked(by_number).size() == 3);
}

TEST_CASE("two processes that learn the same link at once leave it whole") {
    const auto clock = std::make_shared<ManualClock>();
    const auto store = std::make_shared<SteppedStore>();
    const CustomerProcess one{store, clock};
    const CustomerProcess two{store, clock};
    SUBCASE("the same") {
        store->before_write = [&] { two.learn({by_number, by_id}); };
        one.learn({by_number, by_id});
        CHECK(one.linked(by_number).size() == 2);
        CHECK(one.linked(by_id).size() == 2);
    }
    SUBCASE("two that meet in a parent id") {
        store->before_write = [&] { two.learn({by_id, by_parent}); };
        one.learn({by_number, by_parent});
        for (const auto& address : {by_number, by_id, by_parent}) {
            CHECK(one.linked(address).size() == 3);
        }
    }
    SUBCASE("two holders of a number") {
        const auto start = clock->now();
        clock->advance(1h);
        store->before_write = [&] { two.learn({by_number, other_id}, start); };
        CHECK(one.learn({by_number, by_id}).changed_hands);
        CHECK(one.linked(by_number) == std::vector<std::string>{by_number.text(), by_id.text()});
        CHECK(one.customers->linked(our_sender, other_id).value().addresses.back().until ==
              clock->now());
    }
}

TEST_CASE("many threads that learn the links of one customer agree") {
    const auto clock = std::make_shared<ManualClock>();
    const auto start = clock->now();
    clock->advance(1h);
    for (int round = 0; round < 20; ++round) {
        const auto store = std::make_shared<MemoryStore>();
        const CustomerProcess process{store, clock};
        const std::vector<std::vector<Address>> seen{
            {by_number, by_id}, {by_id, by_parent}, {by_number, other_id}, {by_number, by_parent}};
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < seen.size(); ++i) {
            threads.emplace_back([&, i] {
                const auto at = i == 2 ? start + 30min : start;
                static_cast<void>(process.customers->learn(our_sender, seen[i], at).value());
            });
        }
        for (auto& thread : threads) thread.join();
        const CustomerProcess alone{std::make_shared<MemoryStore>(), clock};
        for (std::size_t i = 0; i < seen.size(); ++i) {
            alone.learn(seen[i], i == 2 ? start + 30min : start);
        }
        for (const auto& address : {by_number, by_id, by_parent, other_id}) {
            CHECK(process.linked(address) == alone.linked(address));
        }
    }
}

TEST_CASE("what is forgotten is nowhere to be found, and an opt-out holds") {
    const Bench b;
    const auto by_text = Address::parse("sms:+447700900123").value();
    const auto service = Sender::parse("MG" + std::string(32, 'a')).value();
    const auto text_sender = Sender::parse("sms:+14155238886").value();
    b.one.learn({by_number, by_id, by_parent});
    b.one.window->record_inbound(our_sender, by_number).value();
    b.one.window->record_inbound(service, by_id).value();
    b.one.opt_outs->opt_out(our_sender, by_number).value();
    b.one.opt_outs->opt_in(service, by_id).value();
    b.one.opt_outs->opt_out(text_sender, by_text).value();
    static_cast<void>(b.one.opt_outs->learn_inbound(our_sender, by_parent, {}, "Hi").value());
    REQUIRE(b.store->holds("7700900123"));

    const auto report = b.two.customers->forget(by_id).value();
    CHECK(report.complete());
    CHECK(report.erased == std::vector<std::string>{"conversation_window", "opt_outs", "links"});
    CHECK(report.kept == std::vector<std::string>{"opt_outs"});
    for (const auto* const text : {"7700900123", "4f1a", "77aa"}) CHECK_FALSE(b.store->holds(text));

    for (const auto& address : {by_number, by_id, by_parent}) {
        CHECK(b.one.out(address));
        CHECK_FALSE(b.one.opt_outs->is_opted_out(service, address).value());
        CHECK_FALSE(b.one.window_of(address).known);
    }
    CHECK(b.one.opt_outs->is_opted_out(text_sender, by_text).value());
    CHECK(b.one.linked(by_number).size() == 1);
    INFO("who comes back is not held to it");
    b.clock->advance(1min);
    b.one.learn({by_number, by_id});
    b.one.opt_outs->opt_in(our_sender, by_id).value();
    CHECK_FALSE(b.one.out(by_number));
    CHECK_FALSE(b.one.out(by_id));
    CHECK(b.one.out(by_parent));
}

TEST_CASE("forgetting a holder of a number leaves the other what is theirs") {
    const Bench b;
    b.one.learn({by_number, by_id});
    b.one.window->record_inbound(our_sender, by_id).value();
    b.one.opt_outs->opt_out(our_sender, by_id).value();
    b.clock->advance(1h);
    b.one.learn({by_number, other_id});
    b.clock->advance(1min);
    b.one.window->record_inbound(our_sender, by_number).value();
    SUBCASE("the former") {
        CHECK(b.one.customers->forget(by_id).value().complete());
        CHECK_FALSE(b.store->holds("4f1a"));
        CHECK(b.one.window_of(other_id).open);
        CHECK(b.one.linked(by_number).size() == 2);
        CHECK(b.one.customers->linked(our_sender, by_number).value().addresses.front().from ==
              b.start + 1h);
        CHECK_FALSE(b.one.out(by_number));
        CHECK(b.one.out(by_id));
    }
    SUBCASE("the present one") {
        CHECK(b.one.customers->forget(by_number).value().complete());
        CHECK_FALSE(b.store->holds("7700900123"));
        CHECK_FALSE(b.store->holds("9zzz"));
        CHECK(b.one.window_of(by_id).known);
        CHECK(b.one.out(by_id));
        CHECK_FALSE(b.one.out(by_number));
    }
}

namespace {

/// A part that cannot let go yet, or fails.
class StubbornPart final : public PersonalData {
public:
    std::string_view name() const noexcept override { return "parcels"; }
    Result<Forgotten> forget(std::span<const CustomerConversation>) const override {
        if (fails) return store_error("cannot be reached");
        return Forgotten{.not_yet = !done};
    }
    Result<std::string> export_of(std::span<const CustomerConversation> of) const override {
        return std::string("[") + (of.empty() ? "" : "\"one on its way\"") + "]";
    }
    bool fails = false;
    bool done = false;
};

}  // namespace

TEST_CASE("what cannot be erased yet is named, and found when asked again") {
    const Bench b;
    const auto part = std::make_shared<StubbornPart>();
    b.one.customers->add_part(part);
    b.one.learn({by_number, by_id});
    SUBCASE("since it fails") {
        part->fails = true;
    }
    SUBCASE("since it is needed") {}
    const auto report = b.one.customers->forget("+447700900123").value();
    CHECK_FALSE(report.complete());
    CHECK(report.not_yet == std::vector<std::string>{"parcels", "links"});
    CHECK(b.one.linked(by_id).size() == 2);
    part->fails = false;
    part->done = true;
    CHECK(b.one.customers->forget(by_id).value().complete());
    CHECK_FALSE(b.store->holds("7700900123"));
}

TEST_CASE("an export says what is kept, in JSON") {
    const Bench b;
    const auto part = std::make_shared<StubbornPart>();
    b.one.customers->add_part(part);
    CHECK(b.one.customers->export_of(by_number).value() ==
          R"({"addresses":["whatsapp:+447700900123"],"links":[],"conversation_window":[],)"
          R"("opt_outs":[],"parcels":[]})");
    b.one.learn({by_number, by_id});
    b.one.window->record_inbound(our_sender, by_number).value();
    b.one.opt_outs->opt_out(our_sender, by_id).value();
    const auto json = b.one.customers->export_of(by_id).value();
    for (const auto* const expected :
         {R"("addresses":["whatsapp:+447700900123","whatsapp:GB.4f1a"])",
          R"({"sender":"whatsapp:+14155238886","number":"+447700900123","user_id":"GB.4f1a",)",
          R"("conversation_window":[{"sender":"whatsapp:+14155238886",)",
          R"("address":"whatsapp:+447700900123","wrote":")",
          R"("address":"whatsapp:GB.4f1a","out":")", R"("parcels":["one on its way"])"}) {
        INFO(json);
        CHECK(json.find(expected) != std::string::npos);
    }
    CHECK(b.one.customers->export_of("+447700900123").value() == json);
}

TEST_CASE("a store that fails is told, and nothing is answered") {
    const auto store = std::make_shared<BrokenStore>();
    const auto clock = std::make_shared<ManualClock>();
    const CustomerProcess process{store, clock};
    const std::vector<Address> both{by_number, by_id};
    CHECK(is_store_error(process.customers->learn(our_sender, both).error()));
    CHECK(is_store_error(process.customers->linked(our_sender, by_number).error()));
    CHECK(is_store_error(process.customers->forget(by_number).error()));
    CHECK(is_store_error(process.customers->export_of(by_number).error()));
    CHECK(is_store_error(process.window->state(our_sender, by_number).error()));
    CHECK(is_store_error(process.opt_outs->state(our_sender, by_number).error()));
    CHECK_FALSE(process.customers->learn(Sender{}, both).has_value());
    CHECK_FALSE(process.customers->linked(our_sender, Address{}).has_value());
    CHECK_THROWS_AS(Customers{nullptr}, InvalidRequestError);
    CHECK_THROWS_AS(Customers(store, {.kept = 0ms}), InvalidRequestError);
}

}  // namespace customers_test
