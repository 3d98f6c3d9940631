#include <doctest/doctest.h>

#include <memory>
#include <string>

#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/opt_outs.hpp>

#include "support/store_doubles.hpp"
#include "support/webhook_service.hpp"

namespace webhook_customers_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;
using twiliowa::testing::BrokenStore;
using twiliowa::testing::ManualClock;

namespace {

const std::string by_id = "whatsapp:GB.4f1a";
const std::string by_parent = "whatsapp:GB.ENT.77";
const std::string service = "MG00000000000000000000000000000001";

/// A service that knows its customers.
struct Shop {
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<MemoryStore> store = std::make_shared<MemoryStore>();
    std::shared_ptr<Customers> customers =
        std::make_shared<Customers>(store, CustomersOptions{.key = Secret{"k"}, .clock = clock});
    std::shared_ptr<ConversationWindow> window = std::make_shared<ConversationWindow>(
        store, ConversationWindowOptions{.clock = clock, .customers = customers});
    std::shared_ptr<OptOuts> opt_outs =
        std::make_shared<OptOuts>(store, OptOutOptions{.clock = clock, .customers = customers});
    Service shop{[this](WebhookOptions& options) {
        options.window = window;
        options.opt_outs = opt_outs;
        options.customers = customers;
        options.clock = clock;
    }};
    int messages = 0;

    int hear(const std::string& from, const std::string& id, const std::string& parent,
             const std::string& opt_out_type = {}) {
        auto number = std::to_string(++messages);
        return shop.handler
            .handle(Service::request(
                {{"MessageSid", "SM" + std::string(32 - number.size(), '0') + number},
                 {"AccountSid", account},
                 {"MessagingServiceSid", service},
                 {"From", from},
                 {"To", sender},
                 {"ExternalUserId", id},
                 {"ParentExternalUserId", parent},
                 {"OptOutType", opt_out_type},
                 {"Body", "Hi"},
                 {"NumMedia", "0"}}))
            .status;
    }
};

}  // namespace

TEST_CASE("a signed webhook that names a number and an id makes them one customer") {
    Shop s;
    CHECK(s.hear(customer, by_id, by_parent, "STOP") == 200);
    for (const auto& ours : {sender, service}) {
        for (const auto& theirs : {customer, by_id, by_parent}) {
            CHECK(*s.opt_outs->is_opted_out(ours, theirs));
            CHECK(s.window->state(ours, theirs)->open);
        }
    }
    s.clock->advance(1min);
    INFO("the number is hidden from now on");
    CHECK(s.hear(by_id, by_id, {}, "START") == 200);
    CHECK_FALSE(*s.opt_outs->is_opted_out(sender, customer));
    CHECK_FALSE(*s.opt_outs->is_opted_out(service, by_parent));
}

TEST_CASE("a status callback that names an id links it, too") {
    Shop s;
    s.opt_outs->opt_out(sender, by_id).value();
    CHECK_FALSE(*s.opt_outs->is_opted_out(sender, customer));
    const auto answer = s.shop.handler.handle(Service::request({{"MessageSid", sid},
                                                                {"AccountSid", account},
                                                                {"From", sender},
                                                                {"To", customer},
                                                                {"ExternalUserId", by_id},
                                                                {"MessageStatus", "delivered"}}));
    CHECK(answer.status == 200);
    CHECK(*s.opt_outs->is_opted_out(sender, customer));
}

TEST_CASE("a webhook whose link cannot be written is answered 503, and nothing else is learnt") {
    const auto customers = std::make_shared<Customers>(std::make_shared<BrokenStore>());
    const auto window = std::make_shared<ConversationWindow>(std::make_shared<MemoryStore>());
    Service shop{[&](WebhookOptions& options) {
        options.window = window;
        options.customers = customers;
    }};
    const auto request = Service::request({{"MessageSid", sid},
                                           {"AccountSid", account},
                                           {"From", customer},
                                           {"To", sender},
                                           {"ExternalUserId", by_id},
                                           {"Body", "Hi"}});
    CHECK(shop.handler.handle(request).status == 503);
    CHECK_FALSE(window->state(sender, customer)->known);
}

}  // namespace webhook_customers_test
