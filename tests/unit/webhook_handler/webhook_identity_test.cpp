// What an event is known by: a signature covers names and values one after the other, but not where
// one ends and the next begins.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "support/show.hpp"
#include "support/webhook_service.hpp"

using namespace twiliowa;
using namespace twiliowa::test;

namespace {

const std::string target = "/hook?tenant=7";

/// `original`'s signature on a form that is cut differently.
WebhookRequest recut(const WebhookRequest& original, const WebhookParameters& fields) {
    auto request = Service::request(fields);
    request.headers = original.headers;
    return request;
}

}  // namespace

TEST_CASE("a signed message that is cut differently does not run its handler again") {
    Service service;
    std::vector<std::string> ran;
    service.handler.on_message([&](const InboundMessage& m) { ran.push_back(m.body); });
    const auto original = text("pay 100");
    CHECK(service.handler.handle(original).status == 200);
    const auto split = recut(original, {{"AccountSi", "d" + account},
                                        {"Body", "pay 100"},
                                        {"From", customer},
                                        {"MessageSid", sid},
                                        {"NumMedia", "0"},
                                        {"To", sender}});
    CHECK(RequestValidator{token}.check(
        {.url = "https://example.com" + target,
         .content_type = "application/x-www-form-urlencoded",
         .body = split.body,
         .signature = find_header(split.headers, "X-Twilio-Signature")}));
    CHECK(service.handler.handle(split).status == 400);
    CHECK(service.heard->entries.back().reason == containing("AccountSid"));
    CHECK(ran == std::vector<std::string>{"pay 100"});
}

TEST_CASE("a status that swallows its neighbour is no status") {
    Service service;
    int ran = 0;
    service.handler.on_status([&](const StatusCallback&) { ++ran; });
    const auto original = status("delivered");
    CHECK(service.handler.handle(original).status == 200);
    const auto swallowed = recut(original, {{"AccountSid", account},
                                            {"From", sender},
                                            {"MessageSid", sid},
                                            {"MessageStatus", "deliveredTo" + customer}});
    CHECK(service.handler.handle(swallowed).status == 400);
    CHECK(service.heard->entries.back().outcome == WebhookOutcome::unreadable);
    CHECK(ran == 1);
    CHECK(service.handler.handle(status("delivery_unknown")).status == 200);
    CHECK(service.handler.handle(status("partially-delivered")).status == 200);
    CHECK(ran == 3);
    CHECK(service.handler.handle(status(std::string(33, 'a'))).status == 400);
}

TEST_CASE("unknown events are told apart by their signatures, however they are cut") {
    Service service;
    int ran = 0;
    service.handler.on_unknown([&](const UnknownWebhook&) { ++ran; });
    const auto event = [](const std::string& type) {
        return Service::request(
            {{"EventType", type}, {"MessageSid", sid}, {"AccountSid", account}, {"Tone", "x"}});
    };
    CHECK(service.handler.handle(event("REACTION")).status == 200);
    CHECK(service.handler.handle(event("REVOKED")).status == 200);
    CHECK(ran == 2);
    CHECK(service.handler.handle(event("REACTION")).status == 200);
    CHECK(service.heard->entries.back().outcome == WebhookOutcome::duplicate);
    const auto split = recut(
        event("REACTION"),
        {{"AccountSid", account}, {"EventT", "ypeREACTION"}, {"MessageSid", sid}, {"To", "nex"}});
    CHECK(service.handler.handle(split).status == 200);
    CHECK(service.heard->entries.back().outcome == WebhookOutcome::duplicate);
    CHECK(ran == 2);
}

TEST_CASE("a status whose URL is cut shorter is the status that it was") {
    Service service;
    int ran = 0;
    service.handler.on_status([&](const StatusCallback&) { ++ran; });
    auto original = status("sent");
    original.target = "/hook?job=17";
    original = Service::sign(original);
    CHECK(service.handler.handle(original).status == 200);
    auto shorter = original;
    shorter.target = "/hook?job=1";
    shorter.body = "7=&" + original.body;
    CHECK(service.handler.handle(shorter).status == 200);
    CHECK(service.heard->entries.back().outcome == WebhookOutcome::duplicate);
    CHECK(ran == 1);
}
