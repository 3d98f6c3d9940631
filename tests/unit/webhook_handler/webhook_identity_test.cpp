// What an event is known by: a signature covers names and values one after the other, but not where
// one ends and the next begins.
#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/form.hpp"
#include "support/show.hpp"
#include "support/webhook_service.hpp"

namespace webhook_identity_test {

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

TEST_CASE("a status is not taken for one of a shorter URL, though that is signed as well") {
    // `/hook?job=17` is not `?job=1`, and `/hook/status` no status of another handler, at `/hook`.
    for (const auto& urls : {std::pair<std::string, std::string>{"/hook?job=17", "/hook?job=1"},
                             {"/hook?job=1A", "/hook?job=1"},
                             {"/hook?job=1AB", "/hook?job=1"},
                             {"/hook?job=17", "/hook"},
                             {"/hook/status", "/hook"},
                             {"/hook/12", "/hook/1"}}) {
        const auto& whole = urls.first;
        const auto& shorter = urls.second;
        CAPTURE(whole);
        const auto end = whole.substr(shorter.size());
        auto original = status("sent");
        original.target = whole;
        original = Service::sign(original);
        for (const bool is_name : {true, false}) {
            Service service;
            std::vector<std::string> ran;
            service.handler.on_status(
                [&](const StatusCallback& s) { ran.emplace_back(s.query_parameter("job")); });
            auto cut = original;
            cut.target = shorter;
            append_form_field(cut.body, is_name ? end : "", is_name ? "" : end);
            CHECK(service.handler.handle(cut).status == 400);
            CHECK(service.heard->entries.back().reason == containing("the end of a URL"));
            CHECK(ran.empty());
            CHECK(service.handler.handle(original).status == 200);
            CHECK(service.handler.handle(cut).status == 400);
            CHECK(ran.size() == 1);
        }
    }
}

TEST_CASE("a parameter of any name that Twilio may think of is no end of a URL") {
    Service service;
    int ran = 0;
    service.handler.on_status([&](const StatusCallback&) { ++ran; });
    const auto original = status("sent");
    auto more = original;
    more.body += "&AccountFriendlyName=x&AbC=1&a=1&z9=1&_x=1&IPAddress=1&=&";
    CHECK(service.handler.handle(Service::sign(more)).status == 200);
    CHECK(ran == 1);
    // By GET the URL is signed as it is: its parameters are yours.
    Service by_get{[](WebhookOptions& options) { options.method = WebhookMethod::get; }};
    by_get.handler.on_status([&](const StatusCallback&) { ++ran; });
    auto got = original;
    got.method = "GET";
    got.target = "/hook?7=1&" + original.body;
    got.body.clear();
    CHECK(by_get.handler.handle(Service::sign(got)).status == 200);
    CHECK(ran == 2);
}

TEST_CASE("the observer is told a MessageSid, and nothing that somebody put in its place") {
    Service service;
    service.handler.on_unknown([](const UnknownWebhook&) {});
    const auto told = [&](const std::string& message_sid) {
        service.handler.handle(
            Service::request({{"AccountSid", account}, {"MessageSid", message_sid}}));
        CHECK(service.heard->entries.back().outcome == WebhookOutcome::handled);
        return service.heard->entries.back().message_sid;
    };
    CHECK(told(sid) == sid);
    CHECK(told("447700900123").empty());
    CHECK(told("HelloThere").empty());
    const std::string of_another_kind = "IM" + std::string(32, 'a');
    CHECK(told(of_another_kind) == of_another_kind);
}

}  // namespace webhook_identity_test
