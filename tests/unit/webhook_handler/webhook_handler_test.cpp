#include <twiliowa/webhook_handler.hpp>

#include <doctest/doctest.h>

#include <chrono>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>

#include "support/show.hpp"
#include "support/store_doubles.hpp"
#include "support/webhook_service.hpp"

namespace webhook_handler_test {

using namespace std::chrono_literals;
using namespace twiliowa;
using namespace twiliowa::test;
using twiliowa::testing::ManualClock;

TEST_CASE("a signed text reaches its handler, and the reply is TwiML") {
    Service service;
    service.handler.on_text([](const InboundMessage& message) {
        return MessagingResponse{"You said " + message.body};
    });
    const auto answer = service.handler.handle(text("a < b"));
    CHECK(answer.status == 200);
    CHECK(find_header(answer.headers, "content-type") == "text/xml; charset=utf-8");
    CHECK(answer.body == containing("<Body>You said a &lt; b</Body>"));
    REQUIRE(service.heard->entries.size() == 1);
    const auto& entry = service.heard->entries.front();
    CHECK(entry.outcome == WebhookOutcome::handled);
    CHECK(entry.status == 200);
    CHECK(entry.kind == "message");
    CHECK(entry.message_sid == sid);
    CHECK(entry.reason.empty());
}

TEST_CASE("the first handler that fits runs, and no other") {
    Service service;
    std::string ran;
    service.handler.on(inbound::text("menu"), [&](const InboundMessage&) { ran += "menu "; })
        .on_text([&](const InboundMessage&) { ran += "text "; })
        .on_media([&](const InboundMessage&) { ran += "media "; })
        .on_message([&](const InboundMessage&) { ran += "other "; });
    const auto send = [&](const WebhookParameters& more, int number) {
        WebhookParameters fields{{"MessageSid", sid.substr(0, 33) + std::to_string(number)},
                                 {"AccountSid", account},
                                 {"From", customer},
                                 {"To", sender},
                                 {"NumMedia", "0"}};
        fields.insert(fields.end(), more.begin(), more.end());
        CHECK(service.handler.handle(Service::request(fields)).body == nothing);
    };
    send({{"Body", "Menu"}}, 1);
    send({{"Body", "hello"}}, 2);
    send({{"Body", ""}, {"MediaUrl0", "https://x"}, {"MediaContentType0", "image/png"}}, 3);
    send({{"Body", "Yes"}, {"ButtonText", "Yes"}}, 4);
    CHECK(ran == "menu text media other ");
}

TEST_CASE("every kind of message has its handler") {
    Service service;
    std::string ran;
    service.handler.on_location([&](const InboundMessage&) { ran += "location "; })
        .on_button([&](const InboundMessage& m) { ran += std::string{m.button_answer()} + " "; })
        .on_list([&](const InboundMessage& m) { ran += m.list->id + " "; })
        .on_flow([&](const InboundMessage&) { ran += "flow "; })
        .on_unknown([&](const UnknownWebhook&) { ran += "unknown "; });
    const auto send = [&](WebhookParameters fields, int number) {
        fields.insert(fields.end(), {{"MessageSid", sid.substr(0, 33) + std::to_string(number)},
                                     {"AccountSid", account},
                                     {"From", customer},
                                     {"NumMedia", "0"}});
        CHECK(service.handler.handle(Service::request(fields)).status == 200);
    };
    send({{"Latitude", "1"}, {"Longitude", "2"}}, 1);
    send({{"ButtonPayload", "yes"}}, 2);
    send({{"ListId", "tea"}}, 3);
    send({{"InteractiveData", "{}"}}, 4);
    CHECK(service.handler.handle(Service::request({{"Hello", "World"}})).status == 200);
    CHECK(ran == "location yes tea flow unknown ");
}

TEST_CASE("statuses go to the handler of that status, or of any") {
    Service service;
    std::string ran;
    service.handler.on_status(MessageStatus::read, [&](const StatusCallback&) { ran += "read "; })
        .on_status([&](const StatusCallback& callback) { ran += callback.status.str() + "! "; });
    CHECK(service.handler.handle(status("sent")).status == 200);
    CHECK(service.handler.handle(status("delivered")).status == 200);
    CHECK(service.handler.handle(status("read")).status == 200);
    CHECK(service.handler.handle(status("sent")).status == 200);
    CHECK(ran == "sent! delivered! read ");
    CHECK(service.heard->entries.back().outcome == WebhookOutcome::duplicate);
}

TEST_CASE("a duplicate of a finished event gets 200 and does not reach the handler") {
    Service service;
    int runs = 0;
    service.handler.on_text([&](const InboundMessage&) {
        ++runs;
        return MessagingResponse{"once"};
    });
    CHECK(service.handler.handle(text("hi")).body == containing("once"));
    auto again = text("hi");
    // Not signed, so it decides nothing.
    again.headers.emplace_back("I-Twilio-Idempotency-Token", "other");
    const auto answer = service.handler.handle(again);
    CHECK(answer.status == 200);
    CHECK(answer.body == nothing);
    CHECK(runs == 1);
    CHECK(service.handler.handle(text("hi", "SM0123456789abcdef0123456789abcde0")).status == 200);
    CHECK(runs == 2);
}

TEST_CASE("a duplicate of an event still running gets 503, and may come again") {
    Service service;
    WebhookResponse inner;
    service.handler.on_text(
        [&](const InboundMessage&) { inner = service.handler.handle(text("hi")); });
    CHECK(service.handler.handle(text("hi")).status == 200);
    CHECK(inner.status == 503);
    CHECK(find_header(inner.headers, "Retry-After") == "1");
    CHECK(inner.body.empty());
    CHECK(service.handler.handle(text("hi")).status == 200);
}

TEST_CASE("a handler that throws gives 500 and lets its lease go") {
    std::exception_ptr seen;
    Service service{[&](WebhookOptions& options) {
        options.on_exception = [&](std::exception_ptr exception) { seen = std::move(exception); };
    }};
    int runs = 0;
    service.handler.on_text([&](const InboundMessage&) {
        if (++runs == 1) throw std::runtime_error("db down for +447700900123");
    });
    const auto answer = service.handler.handle(text("hi"));
    CHECK(answer.status == 500);
    CHECK(answer.body.empty());
    CHECK_THROWS_AS(std::rethrow_exception(seen), std::runtime_error);
    CHECK(service.heard->entries.back().outcome == WebhookOutcome::handler_failed);
    CHECK(service.heard->entries.back().reason != containing("447700900123"));
    CHECK(service.handler.handle(text("hi")).status == 200);
    CHECK(runs == 2);
}

TEST_CASE("a TwilioError that a handler throws is told to the observer") {
    Service service;
    service.handler.on_text([](const InboundMessage&) {
        Error::invalid_request("To", "does not begin with +").raise();
    });
    CHECK(service.handler.handle(text("hi")).status == 500);
    CHECK(service.heard->entries.back().reason == containing("does not begin with +"));
}

TEST_CASE(
    "a store's error that a handler throws is a store that fails, and the event is free again") {
    Service service;
    int runs = 0;
    service.handler.on_text([&](const InboundMessage&) {
        if (++runs == 1) twiliowa::store_error("has no room to write").raise();
    });
    CHECK(service.handler.handle(text("hi")).status == 503);
    CHECK(service.heard->entries.back().outcome == WebhookOutcome::store_failed);
    CHECK(service.handler.handle(text("hi")).status == 200);
    CHECK(runs == 2);
}

TEST_CASE("an answer that Twilio would refuse is a failure of the handler") {
    Service service;
    service.handler.on_text([](const InboundMessage&) {
        return MessagingResponse{}.redirect(std::string(70'000, 'x'));
    });
    CHECK(service.handler.handle(text("hi")).status == 500);
    CHECK(service.heard->entries.back().reason == containing("64 kB"));
}

TEST_CASE("a reply of more than 1600 characters is a failure of the handler") {
    Service service;
    service.handler.on_text(
        [](const InboundMessage&) { return MessagingResponse{std::string(1601, 'x')}; });
    CHECK(service.handler.handle(text("hi")).status == 500);
    const auto& entry = service.heard->entries.back();
    CHECK(entry.outcome == WebhookOutcome::handler_failed);
    CHECK(entry.reason == containing("Body"));
    CHECK(entry.reason == containing("21617"));
    CHECK_FALSE(entry.hint.empty());
}

TEST_CASE("a reply of two media is a failure where the customer is on WhatsApp, and none by SMS") {
    Service service;
    const auto two = [](const auto&) {
        return MessagingResponse{}.message({.media = {"https://x.test/1", "https://x.test/2"}});
    };
    service.handler.on_message(two).on_unknown(two);
    const auto ask = [&](const std::string& from, const std::string& kind, int number) {
        return service.handler
            .handle(Service::request({{"MessageSid", sid.substr(0, 33) + std::to_string(number)},
                                      {"AccountSid", account},
                                      {"From", from},
                                      {kind, "x"}}))
            .status;
    };
    CHECK(ask(customer, "Body", 1) == 500);
    CHECK(service.heard->entries.back().reason == containing("MediaUrl"));
    CHECK(ask("+447700900123", "Body", 2) == 200);
    CHECK(ask(customer, "Reaction", 3) == 500);
    CHECK(service.heard->entries.back().kind == "unknown");
    CHECK(ask("+447700900123", "Reaction", 4) == 200);
}

TEST_CASE("an event has the parameters of the URL that Twilio called, and is not known by them") {
    Service service;
    std::string seen;
    service.handler
        .on_message([&](const InboundMessage& m) { seen += m.query_parameter("tenant"); })
        .on_status([&](const StatusCallback& s) { seen += s.query_parameter("tenant"); })
        .on_unknown([&](const UnknownWebhook& u) { seen += u.query.at(0).second; });
    CHECK(service.handler.handle(text("hi")).status == 200);
    CHECK(service.handler.handle(status("sent")).status == 200);
    CHECK(service.handler.handle(Service::request({{"MessageSid", sid}, {"Tone", "x"}})).status ==
          200);
    CHECK(seen == "777");
    for (auto request : {text("hi"), status("sent")}) {
        request.target = "/hook?tenant=8";
        CHECK(service.handler.handle(Service::sign(request)).status == 200);
        CHECK(service.heard->entries.back().outcome == WebhookOutcome::duplicate);
    }
    CHECK(seen == "777");
}

TEST_CASE("an event whose handler died is free when its lease ends") {
    auto clock = std::make_shared<ManualClock>();
    auto store = std::make_shared<MemoryStore>(MemoryStoreOptions{.clock = clock});
    const auto dedup = std::make_shared<DedupStore>(store, DedupOptions{.lease = 30s});
    // Another process took it, and died.
    CHECK(dedup->claim({.account_sid = account, .message_sid = sid, .kind = "message"})->outcome ==
          ClaimOutcome::claimed);
    Service service{[&](WebhookOptions& options) { options.dedup = dedup; }};
    int runs = 0;
    service.handler.on_text([&](const InboundMessage&) { ++runs; });
    CHECK(service.handler.handle(text("hi")).status == 503);
    clock->advance(31s);
    CHECK(service.handler.handle(text("hi")).status == 200);
    CHECK(runs == 1);
}

TEST_CASE("what is not signed by Twilio gets 403 and no detail") {
    Service service;
    bool ran = false;
    service.handler.on_message([&](const InboundMessage&) { ran = true; });
    auto forged = text("hi there, secret");
    forged.body += "&Extra=1";
    auto unsigned_one = text("hi there, secret");
    unsigned_one.headers.pop_back();
    auto elsewhere = text("hi there, secret");
    elsewhere.target = "/other";
    for (const auto& request : {forged, unsigned_one, elsewhere}) {
        const auto answer = service.handler.handle(request);
        CHECK(answer.status == 403);
        CHECK(answer.body.empty());
        const auto& entry = service.heard->entries.back();
        CHECK(entry.outcome == WebhookOutcome::bad_signature);
        CHECK_FALSE(entry.reason.empty());
        for (const auto& told : {entry.reason, entry.hint}) {
            CHECK(told != containing(token));
            CHECK(told != containing("447700900123"));
            CHECK(told != containing("hi there, secret"));
        }
    }
    CHECK(service.heard->entries[1].reason == "missing_signature");
    CHECK_FALSE(ran);
}

TEST_CASE("a request that cannot be one is refused for what it is") {
    Service service{[](WebhookOptions& options) { options.max_body_bytes = 1000; }};
    auto large = text(std::string(1000, 'x'));
    CHECK(service.handler.handle(large).status == 413);

    auto put = text("hi");
    put.method = "PUT";
    const auto answer = service.handler.handle(put);
    CHECK(answer.status == 405);
    CHECK(find_header(answer.headers, "Allow") == "POST");

    auto unreadable = Service::request({{"MessageStatus", "sent"}});
    CHECK(service.handler.handle(unreadable).status == 400);
    CHECK(service.heard->entries.back().outcome == WebhookOutcome::unreadable);

    auto odd = text("hi");
    odd.target = "no slash\r\n";
    CHECK(service.handler.handle(odd).status == 400);
}

TEST_CASE("webhooks come as GET where that is set") {
    Service service{[](WebhookOptions& options) { options.method = WebhookMethod::get; }};
    std::string body;
    service.handler.on_text([&](const InboundMessage& message) { body = message.body; });
    auto request = text("hi");
    request.method = "GET";
    request.target = "/hook?" + request.body;
    request.body.clear();
    request.headers.clear();
    CHECK(service.handler.handle(Service::sign(request)).status == 200);
    CHECK(body == "hi");
}

WebhookRequest forged() {
    auto request = text("hi");
    request.body += "&Body=forged";
    return request;
}

TEST_CASE("with PeerLimitCounts::all every request uses up what its peer may make") {
    Service service{[](WebhookOptions& options) {
        options.requests_per_peer = 50;
        options.peer_limit_counts = PeerLimitCounts::all;
    }};
    for (int i = 0; i < 50; ++i) CHECK(service.handler.handle(text("hi")).status == 200);
    const auto answer = service.handler.handle(text("hi"));
    CHECK(answer.status == 429);
    CHECK(find_header(answer.headers, "Retry-After") == "2");
    auto other = text("hi");
    other.peer = "203.0.113.8";
    CHECK(service.handler.handle(other).status == 200);
    service.clock->advance(2s);
    CHECK(service.handler.handle(text("hi")).status == 200);
}

TEST_CASE("behind a proxy that is listed each of its clients is a peer") {
    Service service{[](WebhookOptions& options) {
        options.requests_per_peer = 2;
        options.public_url = PublicUrl::fixed("https://example.com", {"10.0.0.0/8", "fd00::/8"});
    }};
    const auto status_from = [&](const char* peer, const char* forwarded_for) {
        auto request = forged();
        request.peer = peer;
        request.headers.emplace_back("X-Forwarded-For", forwarded_for);
        return service.handler.handle(request).status;
    };
    for (const auto expected : {403, 403, 429}) {
        CHECK(status_from("10.0.0.7", "203.0.113.9") == expected);
    }
    CHECK(status_from("10.0.0.7", "203.0.113.10") == 403);
    // Whatever it sends before, with whatever port, through whichever proxy, it is the same one.
    CHECK(status_from("10.0.0.8", "198.51.100.1, 203.0.113.9") == 429);
    CHECK(status_from("10.0.0.7", "10.0.0.7, 198.51.100.1, ::1,x , 203.0.113.9:4711") == 429);
    CHECK(status_from("fd00::1", "203.0.113.9, 10.0.0.7") == 429);
    CHECK(status_from("fd00::1", "[::ffff:203.0.113.9]:80") == 429);
    // An IPv6 client is its /64.
    CHECK(status_from("10.0.0.7", "2001:db8:1:2::1") == 403);
    CHECK(status_from("10.0.0.7", "[2001:db8:1:2::2]:4711") == 403);
    CHECK(status_from("10.0.0.7", "2001:db8:1:2:ffff::3") == 429);
    // What no proxy of ours says does not count, and what is no address is the proxy's.
    for (const auto expected : {403, 403, 429}) {
        CHECK(status_from("192.0.2.1", expected == 429 ? "203.0.113.77" : "203.0.113.66") ==
              expected);
    }
    for (const auto* garbage : {"unknown", "", "203.0.113.9, _hidden", ",,", "203.0.113.999"}) {
        const auto answered = status_from("10.9.9.9", garbage);
        CHECK((answered == 403 || answered == 429));
    }
    CHECK(status_from("10.9.9.9", "203.0.113.9, nobody") == 429);
    // Twilio's own requests come through all the same.
    auto signed_one = text("hi");
    signed_one.peer = "10.0.0.7";
    signed_one.headers.emplace_back("X-Forwarded-For", "203.0.113.9");
    CHECK(service.handler.handle(signed_one).status == 200);
}

TEST_CASE("what Twilio signed does not use up what its peer may make") {
    Service service{[](WebhookOptions& options) { options.requests_per_peer = 2; }};
    for (int i = 0; i < 100; ++i) CHECK(service.handler.handle(text("hi")).status == 200);
    CHECK(service.handler.handle(forged()).status == 403);
    CHECK(service.handler.handle(forged()).status == 403);
}

TEST_CASE("what Twilio signed is not refused where its peer's requests are used up") {
    Service service{[](WebhookOptions& options) { options.requests_per_peer = 2; }};
    for (int i = 0; i < 2; ++i) CHECK(service.handler.handle(forged()).status == 403);
    const auto refused = service.handler.handle(forged());
    CHECK(refused.status == 429);
    CHECK(find_header(refused.headers, "Retry-After") == "30");
    CHECK(service.heard->entries.back().outcome == WebhookOutcome::too_many);
    for (int i = 0; i < 100; ++i) CHECK(service.handler.handle(text("hi")).status == 200);
    CHECK(service.handler.handle(forged()).status == 429);
    auto other = forged();
    other.peer = "203.0.113.8";
    CHECK(service.handler.handle(other).status == 403);
    service.clock->advance(30s);
    CHECK(service.handler.handle(forged()).status == 403);
}

TEST_CASE("what cannot be verified for its method or size counts for its peer") {
    Service service{[](WebhookOptions& options) {
        options.requests_per_peer = 2;
        options.max_body_bytes = 1'000;
    }};
    auto request = text("hi");
    request.method = "GET";
    CHECK(service.handler.handle(request).status == 405);
    request.method = "POST";
    request.body.resize(1'001);
    CHECK(service.handler.handle(request).status == 413);
    CHECK(service.handler.handle(request).status == 429);
    CHECK(service.handler.handle(text("hi")).status == 200);
}

TEST_CASE("that no key is to be had does not count for the peer, which may be Twilio") {
    Service service{[](WebhookOptions& options) { options.requests_per_peer = 1; }};
    bool is_away = true;
    WebhookHandler handler{RequestValidator{[&](const KeyQuery&) {
                               if (is_away) throw std::runtime_error{"the vault is away"};
                               return std::vector<SigningKey>{{.secret = Secret{token}}};
                           }},
                           service.options};
    for (int i = 0; i < 3; ++i) CHECK(handler.handle(text("hi")).status == 503);
    is_away = false;
    CHECK(handler.handle(forged()).status == 403);
    CHECK(handler.handle(forged()).status == 429);
}

TEST_CASE("of a peer whose requests are used up an unsigned one has no key looked up for it") {
    Service service{[](WebhookOptions& options) { options.requests_per_peer = 1; }};
    int asked = 0;
    WebhookHandler handler{RequestValidator{[&](const KeyQuery&) {
                               ++asked;
                               return std::vector<SigningKey>{{.secret = Secret{token}}};
                           }},
                           service.options};
    auto request = text("hi");
    for (auto& [name, value] : request.headers) {
        if (name == "X-Twilio-Signature") value = "not one";
    }
    CHECK(handler.handle(request).status == 403);
    CHECK(handler.handle(request).status == 429);
    CHECK(asked == 0);
}

TEST_CASE("a store that fails leaves the event to be repeated") {
    const auto store = std::make_shared<twiliowa::testing::BrokenStore>();
    Service service{
        [&](WebhookOptions& options) { options.dedup = std::make_shared<DedupStore>(store); }};
    bool ran = false;
    service.handler.on_text([&](const InboundMessage&) { ran = true; });
    CHECK(service.handler.handle(text("hi")).status == 503);
    CHECK(service.heard->entries.back().outcome == WebhookOutcome::store_failed);
    CHECK_FALSE(ran);
}

TEST_CASE("window and opt-outs learn from what comes in, before the handler runs") {
    auto store = std::make_shared<MemoryStore>();
    auto clock = std::make_shared<ManualClock>();
    const auto window =
        std::make_shared<ConversationWindow>(store, ConversationWindowOptions{.clock = clock});
    const auto opt_outs =
        std::make_shared<OptOuts>(store, OptOutOptions{.read_words = true, .clock = clock});
    Service service{[&](WebhookOptions& options) {
        options.window = window;
        options.opt_outs = opt_outs;
        options.clock = clock;
    }};
    bool open_in_handler = false;
    service.handler.on_opt_out([&](const InboundMessage& message) {
        open_in_handler = window->state(message.to, message.from)->open;
    });
    CHECK(service.handler.handle(text("stop")).status == 200);
    CHECK(open_in_handler);
    CHECK(*opt_outs->is_opted_out(sender, customer));

    // A refusal that comes soon after a message is about an older one.
    clock->advance(14min);
    CHECK(service.handler.handle(status("failed", "63016")).status == 200);
    CHECK(window->state(sender, customer)->open);
    clock->advance(2min);
    CHECK(service.handler.handle(status("undelivered", "63016")).status == 200);
    CHECK_FALSE(window->state(sender, customer)->open);
    CHECK(window->state(sender, customer)->known);
}

TEST_CASE("an SMS opens no window on WhatsApp, and its STOP is for SMS") {
    const auto store = std::make_shared<MemoryStore>();
    const auto window = std::make_shared<ConversationWindow>(store);
    const auto opt_outs = std::make_shared<OptOuts>(store, OptOutOptions{.read_words = true});
    Service service{[&](WebhookOptions& options) {
        options.window = window;
        options.opt_outs = opt_outs;
    }};
    CHECK(service.handler
              .handle(Service::request({{"MessageSid", sid},
                                        {"AccountSid", account},
                                        {"From", "+447700900123"},
                                        {"To", "+14155238886"},
                                        {"Body", "STOP"}}))
              .status == 200);
    CHECK_FALSE(window->state(sender, customer)->known);
    CHECK_FALSE(*opt_outs->is_opted_out(sender, customer));
    CHECK(*opt_outs->is_opted_out("sms:+14155238886", "sms:+447700900123"));
}

TEST_CASE("START undoes an opt-out that was learnt from an error, where no OptOutType comes") {
    const auto opt_outs = std::make_shared<OptOuts>(std::make_shared<MemoryStore>());
    Service service{[&](WebhookOptions& options) { options.opt_outs = opt_outs; }};
    CHECK(service.handler.handle(status("failed", "21610")).status == 200);
    CHECK(*opt_outs->is_opted_out(sender, customer));
    CHECK(service.handler.handle(text("start")).status == 200);
    CHECK_FALSE(*opt_outs->is_opted_out(sender, customer));
}

TEST_CASE("a blocked recipient is learnt from a callback") {
    const auto opt_outs = std::make_shared<OptOuts>(std::make_shared<MemoryStore>());
    Service service{[&](WebhookOptions& options) { options.opt_outs = opt_outs; }};
    CHECK(service.handler.handle(status("failed", "63033")).status == 200);
    CHECK(*opt_outs->is_opted_out(sender, customer));
}

TEST_CASE("a store that throws is a store that fails") {
    const auto store = std::make_shared<twiliowa::testing::ThrowingStore>();
    Service service{
        [&](WebhookOptions& options) { options.dedup = std::make_shared<DedupStore>(store); }};
    CHECK(service.handler.handle(text("hi")).status == 503);
    CHECK(service.heard->entries.back().outcome == WebhookOutcome::store_failed);
}

TEST_CASE("what is over a limit of the validator is too large, not forged") {
    Service service{[](WebhookOptions& options) { options.max_body_bytes = 8u << 20; }};
    auto long_url = text("hi");
    long_url.target = "/hook?x=" + std::string(17u << 10, 'x');
    CHECK(service.handler.handle(long_url).status == 413);
    CHECK(service.handler.handle(text(std::string(2u << 20, 'x'))).status == 413);
    WebhookParameters many;
    for (int i = 0; i < 1500; ++i) many.emplace_back("P" + std::to_string(i), "");
    CHECK(service.handler.handle(Service::request(many)).status == 413);
    CHECK(service.heard->entries.back().outcome == WebhookOutcome::too_large);
}

TEST_CASE("a key that cannot be looked up asks Twilio to come again") {
    Service service;
    service.handler = WebhookHandler{
        RequestValidator{KeyLookup{[](const KeyQuery&) -> std::vector<SigningKey> { throw 7; }}},
        service.options};
    CHECK(service.handler.handle(text("hi")).status == 503);
    CHECK(service.heard->entries.back().outcome == WebhookOutcome::unverified);
}

TEST_CASE("options that cannot be are refused by name") {
    const auto field = [](auto change) {
        try {
            Service service{change};
        } catch (const InvalidRequestError& error) {
            return error.field();
        }
        return std::string{};
    };
    CHECK(field([](WebhookOptions& o) { o.requests_per_peer = -1; }) == "requests_per_peer");
    CHECK(field([](WebhookOptions& o) {
              o.requests_per_peer = 1;
              o.peer_period = 0ms;
          }) == "peer_period");
    CHECK(field([](WebhookOptions& o) {
              o.requests_per_peer = 1;
              o.peer_period = std::chrono::milliseconds::max();
          }) == "peer_period");
    CHECK(field([](WebhookOptions& o) {
              o.requests_per_peer = 1'000'001;
              o.peer_period = 1ms;
          }) == "requests_per_peer");
}

TEST_CASE("the observer is told the account, proven or as the request states it") {
    Service service;
    service.handler.on_text([](const InboundMessage& m) {
        if (m.body == "throw") throw std::runtime_error("no");
    });
    const auto told = [&](const WebhookRequest& request) {
        static_cast<void>(service.handler.handle(request));
        const auto& entry = service.heard->entries.back();
        return std::string{to_string(entry.outcome)} + " " + entry.account_sid;
    };
    CHECK(told(text("hi")) == "handled " + account);
    CHECK(told(text("hi")) == "duplicate " + account);
    CHECK(told(text("throw", "SM0123456789abcdef0123456789abcde1")) == "handler_failed " + account);
    auto forged = text("hi");
    forged.body += "&Extra=1&AccountSid=AC00000000000000000000000000000002";
    CHECK(told(forged) == "bad_signature " + account);
    CHECK(told(Service::request({{"MessageStatus", "sent"}, {"AccountSid", account}})) ==
          "unreadable " + account);

    WebhookRequest in_query;
    in_query.target = "/hook?a=1&AccountSid=" + account;
    in_query.body = "Body=x";
    CHECK(told(in_query) == "bad_signature " + account);
    // Before the signature nothing is read.
    in_query.method = "PUT";
    CHECK(told(in_query) == "bad_method ");

    service.options.method = WebhookMethod::get;
    service.handler = WebhookHandler{RequestValidator{token}, service.options};
    auto get = in_query;
    get.method = "GET";
    get.body = "AccountSid=AC00000000000000000000000000000002";
    CHECK(told(get) == "bad_signature " + account);
}

TEST_CASE("the observer is told no account that is not one") {
    Service service;
    for (const std::string odd :
         {"", "AC1", "+447700900123", "XX00000000000000000000000000000001",
          "AC0000000000000000000000000000000g", "AC000000000000000000000000000000011"}) {
        auto forged = text("hi");
        forged.body = "AccountSid=" + odd + "&Body=x";
        CHECK(service.handler.handle(forged).status == 403);
        CHECK(service.heard->entries.back().account_sid.empty());
        CHECK(service.heard->entries.back().reason == "mismatch");
    }
    CHECK(service.handler.handle(Service::request({{"MessageSid", sid}, {"AccountSid", "XYZ123"}}))
              .status == 200);
    CHECK(service.heard->entries.back().account_sid.empty());
}

}  // namespace webhook_handler_test
