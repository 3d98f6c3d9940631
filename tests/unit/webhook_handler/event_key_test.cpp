#include <twiliowa/event_key.hpp>

#include <doctest/doctest.h>

#include <string>

#include "support/webhook_service.hpp"

namespace event_key_test {

using namespace twiliowa;
using namespace twiliowa::test;

namespace {

const std::string signature = "abcdefghijklmnopqrstuvwxyz+=";

EventKey key_of(const WebhookRequest& request) {
    return event_key(parse_webhook(request).value(), signature).value();
}

}  // namespace

TEST_CASE("a message's key is its SIDs and kind, a status's its word as well") {
    const auto message = key_of(text("hi"));
    CHECK(message.account_sid == account);
    CHECK(message.message_sid == sid);
    CHECK(message.kind == "message");
    CHECK(message.status.empty());
    const auto delivered = key_of(status("delivered"));
    CHECK(delivered.message_sid == sid);
    CHECK(delivered.kind == "status");
    CHECK(delivered.status == "delivered");
    CHECK_FALSE(delivered == message);
    CHECK_FALSE(delivered == key_of(status("read")));
}

TEST_CASE("of a signature a key holds the first 90 bits, neither fewer nor all of it") {
    CHECK(key_of(text("hi")).signature == "abcdefghijklmno");
    const auto unknown = key_of(Service::request({{"Hello", "World"}}));
    CHECK(unknown.kind == "unknown");
    CHECK(unknown.signature == "abcdefghijklmno");
    CHECK(unknown.status == "abcdefghijklmno");
    CHECK(event_key(parse_webhook(text("hi")).value(), {})->signature.empty());
}

TEST_CASE("an event whose SID is not whole, or whose status is no word, has no key") {
    const auto field = [](const WebhookParameters& fields) {
        const auto key = event_key(parse_webhook(Service::request(fields)).value(), signature);
        REQUIRE_FALSE(key);
        return key.error().field();
    };
    CHECK(field({{"MessageSid", sid.substr(0, 33)},
                 {"AccountSid", account},
                 {"From", customer},
                 {"To", sender},
                 {"Body", "hi"}}) == "MessageSid");
    CHECK(field({{"MessageSid", sid},
                 {"AccountSid", account + "0"},
                 {"From", customer},
                 {"To", sender},
                 {"Body", "hi"}}) == "AccountSid");
    CHECK(field({{"MessageSid", sid},
                 {"AccountSid", account},
                 {"From", sender},
                 {"To", customer},
                 {"MessageStatus", "delivered2"}}) == "MessageStatus");
}

}  // namespace event_key_test
