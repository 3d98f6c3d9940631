#include <twiliowa/webhook/per_account.hpp>

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/opt_outs.hpp>

#include "support/show.hpp"
#include "support/webhook_service.hpp"

namespace per_account_test {

using namespace twiliowa;
using namespace twiliowa::test;

namespace {

const std::string other_account = "AC00000000000000000000000000000002";
const std::string other_token = "fedcba9876543210fedcba9876543210";

/// Two tenants at one URL, each with a token of its own.
std::vector<SigningKey> tenant_keys(const KeyQuery& query) {
    if (query.account_sid == account) return {{.secret = Secret{token}}};
    if (query.account_sid == other_account) return {{.secret = Secret{other_token}}};
    return {};
}

/// What the other tenant signs, and says of our sender.
WebhookRequest from_other_tenant(WebhookParameters fields) {
    fields.emplace_back("AccountSid", other_account);
    fields.emplace_back("MessageSid", sid);
    auto request = Service::request(fields);
    request.headers.back().second =
        RequestValidator{other_token}.sign({.url = "https://example.com" + request.target,
                                            .content_type = "application/x-www-form-urlencoded",
                                            .body = request.body});
    return request;
}

WebhookRequest foreign_stop() {
    return from_other_tenant(
        {{"From", customer}, {"To", sender}, {"Body", "STOP"}, {"OptOutType", "STOP"}});
}

WebhookRequest foreign_refusal() {
    return from_other_tenant(
        {{"From", sender}, {"To", customer}, {"MessageStatus", "failed"}, {"ErrorCode", "21610"}});
}

}  // namespace

TEST_CASE("one object is every account's, a function gives each its own, nothing is none") {
    const auto object = std::make_shared<int>(7);
    PerAccount<int> option = object;
    CHECK(option.of(account) == object);
    CHECK(option.of({}) == object);
    option = [](std::string_view sid_asked) {
        return sid_asked == account ? std::make_shared<int>(1) : nullptr;
    };
    CHECK(*option.of(account) == 1);
    CHECK(option.of(other_account) == nullptr);
    option = nullptr;
    CHECK(option.of(account) == nullptr);
    PerAccount<const int> unchanged = object;
    CHECK(unchanged.of(account) == object);
    unchanged = std::make_shared<const int>(8);
    CHECK(*unchanged.of(account) == 8);
    CHECK(PerAccount<int>{}.of(account) == nullptr);
    CHECK(PerAccount<int>{std::shared_ptr<int>{}}.of(account) == nullptr);
    CHECK(PerAccount<int>{PerAccount<int>::Function{}}.of(account) == nullptr);
}

TEST_CASE("an account can say what becomes of another's customers when they share their state") {
    const auto opt_outs = std::make_shared<OptOuts>(std::make_shared<MemoryStore>());
    Service service{[&](WebhookOptions& options) { options.opt_outs = opt_outs; }};
    WebhookHandler handler{RequestValidator{KeyLookup{tenant_keys}}, service.options};
    CHECK(handler.handle(foreign_stop()).status == 200);
    CHECK(*opt_outs->is_opted_out(sender, customer));  // docs/security.md says so
}

TEST_CASE("an account cannot say what becomes of another's customers when each has its own state") {
    const auto store = std::make_shared<MemoryStore>();
    const auto window_of = [&](std::string_view of) {
        return std::make_shared<ConversationWindow>(
            store, ConversationWindowOptions{.scope = std::string{of}});
    };
    const auto opt_outs_of = [&](std::string_view of) {
        return std::make_shared<OptOuts>(store, OptOutOptions{.scope = std::string{of}});
    };
    Service service{[&](WebhookOptions& options) {
        options.window = window_of;
        options.opt_outs = opt_outs_of;
    }};
    WebhookHandler handler{RequestValidator{KeyLookup{tenant_keys}}, service.options};

    CHECK(handler.handle(foreign_stop()).status == 200);
    CHECK(handler.handle(foreign_refusal()).status == 200);
    CHECK_FALSE(*opt_outs_of(account)->is_opted_out(sender, customer));
    CHECK_FALSE(window_of(account)->state(sender, customer)->known);
    CHECK(*opt_outs_of(other_account)->is_opted_out(sender, customer));
    CHECK(window_of(other_account)->state(sender, customer)->known);

    CHECK(handler.handle(text("hi")).status == 200);
    CHECK(window_of(account)->state(sender, customer)->known);
    CHECK(handler.handle(status("failed", "21610")).status == 200);
    CHECK(*opt_outs_of(account)->is_opted_out(sender, customer));
}

TEST_CASE("an account without state of its own is handled without") {
    Service service{[](WebhookOptions& options) {
        options.window = [](std::string_view) { return std::shared_ptr<ConversationWindow>{}; };
        options.opt_outs = [](std::string_view) { return std::shared_ptr<OptOuts>{}; };
    }};
    CHECK(service.handler.handle(text("hi")).status == 200);
    CHECK(service.handler.handle(status("failed", "63016")).status == 200);
}

TEST_CASE("the state's function is asked with the account that signed, and for nobody else") {
    std::vector<std::string> asked;
    Service service{[&](WebhookOptions& options) {
        options.window = [&](std::string_view of) {
            asked.emplace_back(of);
            return std::shared_ptr<ConversationWindow>{};
        };
    }};
    WebhookHandler handler{RequestValidator{KeyLookup{tenant_keys}}, service.options};
    auto forged = foreign_stop();
    forged.body += "&Extra=1";
    CHECK(handler.handle(forged).status == 403);
    CHECK(asked.empty());
    CHECK(handler.handle(foreign_stop()).status == 200);
    CHECK(handler.handle(text("hi")).status == 200);
    CHECK(asked == std::vector<std::string>{other_account, account});
}

TEST_CASE("a function of the state that throws leaves the event to be repeated") {
    bool down = true;
    Service service{[&](WebhookOptions& options) {
        options.opt_outs = [&](std::string_view) -> std::shared_ptr<OptOuts> {
            if (down) throw std::runtime_error("no such tenant: +447700900123");
            return nullptr;
        };
        options.window = [&](std::string_view) -> std::shared_ptr<ConversationWindow> {
            return nullptr;
        };
    }};
    int ran = 0;
    service.handler.on_text([&](const InboundMessage&) { ++ran; });
    CHECK(service.handler.handle(text("hi")).status == 503);
    const auto entry = service.heard->entries.back();
    CHECK(entry.outcome == WebhookOutcome::store_failed);
    CHECK(entry.reason == containing("opt_outs"));
    CHECK(entry.reason != containing("447700900123"));
    CHECK(ran == 0);
    down = false;
    CHECK(service.handler.handle(text("hi")).status == 200);
    CHECK(ran == 1);

    Service second{[&](WebhookOptions& options) {
        options.window = [&](std::string_view) -> std::shared_ptr<ConversationWindow> {
            store_error("cannot be reached").raise();
        };
    }};
    CHECK(second.handler.handle(status("sent")).status == 503);
    CHECK(second.heard->entries.back().reason == containing("cannot be reached"));
}

}  // namespace per_account_test
