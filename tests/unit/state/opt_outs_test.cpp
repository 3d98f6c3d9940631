#include <twiliowa/state/opt_outs.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>

#include "support/store_doubles.hpp"

namespace opt_outs_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::testing::BrokenStore;
using twiliowa::testing::ManualClock;

namespace {

const std::string sender = "whatsapp:+14155238886";
const std::string customer = "whatsapp:+447700900123";

struct Registry {
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<MemoryStore> store =
        std::make_shared<MemoryStore>(MemoryStoreOptions{.max_entries = 10, .clock = clock});
    OptOuts opt_outs{store, {.clock = clock}};
    OptOuts reader{store, {.read_words = true, .clock = clock}};
    TimePoint start = clock->now();

    OptOutState state() const { return opt_outs.state(sender, customer).value(); }
    bool out() const { return opt_outs.is_opted_out(sender, customer).value(); }
    OptOutNews hear(std::string_view type, std::string_view body) const {
        return opt_outs.learn_inbound(sender, customer, type, body).value();
    }
    OptOutNews read(std::string_view type, std::string_view body) const {
        return reader.learn_inbound(sender, customer, type, body).value();
    }
};

}  // namespace

TEST_CASE("an opt-out holds for its sender and recipient until they opt in") {
    const Registry r;
    CHECK_FALSE(r.out());
    r.opt_outs.opt_out("+14155238886", "+447700900123").value();
    CHECK(r.out());
    CHECK_FALSE(r.opt_outs.is_opted_out(sender, "+447700900124").value());
    CHECK_FALSE(r.opt_outs.is_opted_out("+14155550000", customer).value());
    CHECK_FALSE(r.opt_outs.is_opted_out("MG" + std::string(32, 'a'), customer).value());
    CHECK_FALSE(r.opt_outs.is_opted_out(customer, sender).value());
    CHECK_FALSE(OptOuts(r.store, {.scope = "AC1"}).is_opted_out(sender, customer).value());
    r.opt_outs.opt_in(sender, customer).value();
    CHECK_FALSE(r.out());
}

TEST_CASE("OptOutType says what an inbound message means, whatever its text") {
    const Registry r;
    CHECK(r.hear("STOP", "hello") == OptOutNews::opted_out);
    CHECK(r.out());
    CHECK(r.read("HELP", "START") == OptOutNews::nothing);
    CHECK(r.out());
    CHECK(r.read("START", "STOP") == OptOutNews::opted_in);
    CHECK_FALSE(r.out());
    CHECK(r.read("NEWTYPE", "STOP") == OptOutNews::nothing);
    CHECK_FALSE(r.out());
}

TEST_CASE("a start word undoes what an error told, not what the customer or the caller said") {
    const Registry r;
    r.opt_outs.learn_error(sender, customer, 21610).value();
    CHECK(r.hear("", "hello") == OptOutNews::nothing);
    CHECK(r.hear("", "STOP") == OptOutNews::nothing);
    CHECK(r.out());
    CHECK(r.hear("", " start ") == OptOutNews::opted_in);
    CHECK_FALSE(r.out());
    CHECK(r.hear("", "START") == OptOutNews::nothing);

    r.clock->advance(1s);
    r.opt_outs.opt_out(sender, customer).value();
    r.clock->advance(1s);
    r.opt_outs.learn_error(sender, customer, 21610).value();
    CHECK(r.hear("", "START") == OptOutNews::nothing);
    CHECK(r.out());
    CHECK(r.hear("START", "") == OptOutNews::opted_in);
    CHECK_FALSE(r.out());
}

TEST_CASE("the words of a message are read only where that is enabled") {
    const Registry r;
    CHECK(r.hear("", "STOP") == OptOutNews::nothing);
    CHECK_FALSE(r.out());
    for (const char* word : {"STOP", "unsubscribe", "End", "QUIT", "stopall", "REVOKE", "optout",
                             "CANCEL", " \t stop \r\n"}) {
        CAPTURE(word);
        CHECK(r.read("", word) == OptOutNews::opted_out);
        CHECK(r.out());
        CHECK(r.read("", " Start ") == OptOutNews::opted_in);
        CHECK_FALSE(r.out());
    }
    for (const char* word : {"", "  ", "STOP it", "please stop", "stop!", "STOPS", "yes"}) {
        CAPTURE(word);
        CHECK(r.read("", word) == OptOutNews::nothing);
    }
    CHECK_FALSE(r.out());
}

TEST_CASE("the words are the caller's choice") {
    const Registry r;
    const OptOuts german(r.store, {.read_words = true,
                                   .stop_words = {"STOPP", ""},
                                   .start_words = {"WEITER"},
                                   .clock = r.clock});
    CHECK(german.learn_inbound(sender, customer, "", "STOP").value() == OptOutNews::nothing);
    CHECK(german.learn_inbound(sender, customer, "", "").value() == OptOutNews::nothing);
    CHECK(german.learn_inbound(sender, customer, "", "stopp").value() == OptOutNews::opted_out);
    CHECK(german.learn_inbound(sender, customer, "", "weiter").value() == OptOutNews::opted_in);
}

TEST_CASE("what each error stops is kept apart") {
    const auto stopped_by = [](int code) {
        const Registry r;
        CHECK(r.opt_outs.learn_error(sender, customer, code).value() == OptOutNews::opted_out);
        return r.state();
    };
    CHECK(stopped_by(21610) == OptOutState{.everything = true});
    CHECK(stopped_by(63033) == OptOutState{.blocked = true});
    CHECK(stopped_by(63050) == OptOutState{.marketing = true});
    const Registry r;
    for (const int code : {0, 63016, 21211}) {
        CHECK(r.opt_outs.learn_error(sender, customer, code).value() == OptOutNews::nothing);
    }
    const OptOuts lenient(r.store, {.marketing_codes = {}, .clock = r.clock});
    CHECK(lenient.learn_error(sender, customer, 63050).value() == OptOutNews::nothing);
    CHECK(r.state() == OptOutState{});
}

TEST_CASE("nothing may go to who opted out of everything or blocked the sender") {
    for (const int code : {21610, 63033}) {
        const Registry r;
        r.opt_outs.learn_error(sender, customer, code).value();
        CHECK(r.out());
    }
    const Registry r;
    r.opt_outs.learn_error(sender, customer, 63050).value();
    CHECK_FALSE(r.out());
}

TEST_CASE("a block ends with the customer's next message, whatever it says") {
    for (const char* body : {"hello", "", "HELP", "STOP it"}) {
        const Registry r;
        r.opt_outs.learn_error(sender, customer, 63033).value();
        r.clock->advance(1s);
        CHECK(r.hear("", body) == OptOutNews::nothing);
        CHECK(r.state() == OptOutState{});
        // Late news of the block that has ended is none.
        r.opt_outs.learn_error(sender, customer, 63033, r.start).value();
        CHECK(r.state() == OptOutState{});
        r.clock->advance(1s);
        r.opt_outs.learn_error(sender, customer, 63033).value();
        CHECK(r.state().blocked);
    }
    const Registry r;
    r.opt_outs.learn_error(sender, customer, 63033).value();
    CHECK(r.hear("HELP", "help") == OptOutNews::nothing);
    CHECK_FALSE(r.state().blocked);
}

TEST_CASE("a message from a customer of whom nothing is known writes nothing") {
    const Registry r;
    CHECK(r.hear("", "hello") == OptOutNews::nothing);
    CHECK(r.store->size() == 0);
}

TEST_CASE("a refusal of marketing lasts until START, and a customer's message does not end it") {
    Registry r;
    r.opt_outs.learn_error(sender, customer, 63050).value();
    r.clock->advance(std::chrono::hours{24 * 3650});
    CHECK(r.hear("", "hello") == OptOutNews::nothing);
    CHECK(r.state() == OptOutState{.marketing = true});
    CHECK(r.hear("", "START") == OptOutNews::opted_in);
    CHECK(r.state() == OptOutState{});
}

TEST_CASE("STOP, a block and a refusal of marketing are kept beside each other") {
    const Registry r;
    r.opt_outs.opt_out(sender, customer).value();
    r.opt_outs.learn_error(sender, customer, 63033).value();
    r.opt_outs.learn_error(sender, customer, 63050).value();
    CHECK(r.state() == OptOutState{true, true, true});
    r.clock->advance(1s);
    r.hear("", "hello");
    CHECK(r.state() == OptOutState{.everything = true, .marketing = true});
    r.opt_outs.opt_in(sender, customer).value();
    CHECK(r.state() == OptOutState{});
}

TEST_CASE("whatever the order of the news, the state is the same") {
    using Step = std::function<void(const OptOuts&, TimePoint)>;
    const auto learn = [](int code) -> Step {
        return [code](const OptOuts& o, TimePoint at) {
            o.learn_error(sender, customer, code, at).value();
        };
    };
    const Step out = [](const OptOuts& o, TimePoint at) {
        o.opt_out(sender, customer, at).value();
    };
    const Step in = [](const OptOuts& o, TimePoint at) { o.opt_in(sender, customer, at).value(); };
    const std::vector<Step> steps{learn(63050), in, learn(21610), out,
                                  learn(63033), in, learn(63050)};
    std::vector<std::size_t> order{0, 1, 2, 3, 4, 5, 6};
    std::size_t wrong = 0;
    // Each of the first states, too.
    for (std::size_t count = 1; count <= steps.size(); ++count) {
        const auto state_after = [&] {
            Registry r;
            r.clock->advance(10h);
            for (std::size_t i = 0; i < count; ++i) {
                steps[order[i]](r.opt_outs, r.start + std::chrono::hours{order[i]});
            }
            return r.state();
        };
        const auto wanted = state_after();
        while (std::next_permutation(order.begin(), order.begin() + static_cast<long>(count))) {
            if (state_after() != wanted) ++wrong;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("what version 0.1.0 kept is read") {
    const auto state_of = [](const std::string& kept, bool writes) {
        const Registry r;
        const auto at = std::chrono::nanoseconds(r.start.time_since_epoch()).count();
        const auto key = "optout 0: 21:" + sender + " 22:" + customer;
        REQUIRE(r.store->compare_and_set(key, 0, kept + " " + std::to_string(at), 1h, Keep::pinned)
                    .value() != 0);
        r.clock->advance(1s);
        if (writes) r.hear("", "hello");
        return r.state();
    };
    CHECK(state_of("out", false) == OptOutState{.everything = true});
    CHECK(state_of("out", true) == OptOutState{.everything = true});
    CHECK(state_of("in", false) == OptOutState{});
    CHECK(state_of("refused", false) == OptOutState{.blocked = true});  // any of the three errors
    CHECK(state_of("refused", true) == OptOutState{});
}

TEST_CASE("older news does not undo newer, whatever order it comes in") {
    Registry r;
    r.clock->advance(3h);
    r.opt_outs.opt_in(sender, customer, r.start + 2h).value();
    r.opt_outs.opt_out(sender, customer, r.start + 1h).value();
    CHECK_FALSE(r.out());
    r.opt_outs.opt_out(sender, customer, r.start + 3h).value();
    r.opt_outs.opt_in(sender, customer, r.start + 2h).value();
    CHECK(r.out());
    // A time to come counts as now: the next word is not older than it.
    r.opt_outs.opt_out(sender, customer, r.start + 1000h).value();
    r.clock->advance(1s);
    r.opt_outs.opt_in(sender, customer).value();
    CHECK_FALSE(r.out());
}

TEST_CASE("of news of the same time the last word counts") {
    const Registry r;
    r.opt_outs.opt_out(sender, customer).value();
    r.opt_outs.opt_in(sender, customer).value();
    CHECK_FALSE(r.out());
    r.opt_outs.opt_out(sender, customer).value();
    CHECK(r.out());
}

TEST_CASE("an opt-out outlasts time and a full store; a return does not take up room for good") {
    Registry r;
    r.opt_outs.opt_out(sender, customer).value();
    for (int i = 0; i < 100; ++i) {
        r.opt_outs.opt_in(sender, "+4477009" + std::to_string(10'000 + i)).value();
    }
    CHECK(r.store->size() == 10);
    r.clock->advance(std::chrono::hours{24 * 3650});
    CHECK(r.out());
}

TEST_CASE("a wrong address, a store that fails and a foreign entry are errors of opt-outs") {
    const OptOuts broken(std::make_shared<BrokenStore>());
    CHECK(is_store_error(broken.opt_out(sender, customer).error()));
    CHECK(is_store_error(broken.opt_in(sender, customer).error()));
    CHECK(is_store_error(broken.is_opted_out(sender, customer).error()));
    CHECK(is_store_error(broken.learn_error(sender, customer, 21610).error()));
    CHECK(is_store_error(broken.learn_inbound(sender, customer, "STOP", "").error()));
    CHECK(is_store_error(broken.learn_inbound(sender, customer, "", "hello").error()));
    CHECK(is_store_error(broken.state(sender, customer).error()));
    CHECK(broken.is_opted_out("", customer).error().field() == "From");
    CHECK(broken.opt_out(sender, "nobody").error().field() == "To");

    const Registry r;
    const auto key = "optout 0: 21:" + sender + " 22:" + customer;
    for (const char* foreign : {"perhaps 1", "", "out", "out x", "out 1 blocked", "refuse 1"}) {
        CAPTURE(foreign);
        const auto entry = r.store->get(key).value();
        CHECK(r.store->compare_and_set(key, entry ? entry->version : 0, foreign, 1h, Keep::pinned)
                  .value() != 0);
        CHECK(is_store_error(r.opt_outs.is_opted_out(sender, customer).error()));
        CHECK(is_store_error(r.opt_outs.opt_out(sender, customer).error()));
    }
    CHECK_THROWS_AS(OptOuts(nullptr), InvalidRequestError);
    CHECK_THROWS_AS(OptOuts(r.store, {.opt_in_kept = 0s}), InvalidRequestError);
}

TEST_CASE("START of a customer of whom nothing is known is no news, where words are not read") {
    const Registry r;
    CHECK(r.hear("", "START") == OptOutNews::nothing);
    CHECK(r.store->size() == 0);
}

TEST_CASE("an opt-out is the same whether its parties are text or were read before") {
    const Registry r;
    const auto ours = Address::parse(sender, "From").value();
    const auto theirs = Address::parse(customer).value();
    r.opt_outs.opt_out(ours, theirs).value();
    CHECK(r.out());
    r.opt_outs.opt_in(sender, customer).value();
    CHECK_FALSE(r.opt_outs.is_opted_out(ours, theirs).value());
    CHECK(r.opt_outs.learn_error(ours, theirs, 21610).value() == OptOutNews::opted_out);
    CHECK(r.out());
    CHECK(r.opt_outs.learn_inbound(ours, theirs, "START", "").value() == OptOutNews::opted_in);
    CHECK_FALSE(r.out());
    CHECK(r.opt_outs.opt_out(MessagingServiceSid{"MG" + std::string(32, 'a')}, theirs).has_value());
    CHECK(r.opt_outs.is_opted_out("MG" + std::string(32, 'a'), customer).value());
}

TEST_CASE("parties that were never set are refused by name, not recorded") {
    const Registry r;
    const auto theirs = Address::parse(customer).value();
    CHECK(r.opt_outs.opt_out(Sender{}, theirs).error().field() == "From");
    CHECK(r.opt_outs.is_opted_out(Sender{theirs}, Address{}).error().field() == "To");
}

}  // namespace opt_outs_test
