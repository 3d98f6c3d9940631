// How FakeTwilio's webhooks are requested: method, fallback, redirects, passwords, applications.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include <twiliowa/request_validator.hpp>
#include <twiliowa/webhook_handler.hpp>

#include "fixture.hpp"
#include "support/show.hpp"
#include "testing/fake_twilio/webhooks/challenge.hpp"

namespace delivery_test {

namespace {

using namespace twiliowa;
using fake_test::Conversation;
using fake_test::field;
using fake_test::Fields;
using fake_test::last_of;
using testing::FakeTwilio;
using twiliowa::test::containing;

WebhookResponse twiml(std::string body) {
    return {200, {{"Content-Type", "text/xml"}}, std::move(body)};
}

Fields query_of(const std::string& url) {
    return twiliowa::detail::parse_form(url.substr(url.find('?') + 1));
}

bool is_signed(const std::string& url, const WebhookRequest& request) {
    SignedRequest signed_request;
    signed_request.method = request.method;
    signed_request.url = url;
    signed_request.body = request.body;
    signed_request.signature = find_header(request.headers, "X-Twilio-Signature");
    return RequestValidator{FakeTwilio::demo_auth_token}.validate(signed_request);
}

std::string authorization(const WebhookRequest& request) {
    return std::string{find_header(request.headers, "Authorization")};
}

}  // namespace

TEST_CASE("FakeTwilio asks with GET on request, the parameters in the signed query") {
    Conversation talk;
    const auto ask = [&](const char* url) {
        talk.urls.clear();
        talk.requests.clear();
        talk.fake->set_webhook(FakeTwilio::demo_sender, url, {.method = "GET"});
        talk.lee().sends_text("a b+c&\xc3\xa9");
        talk.fake->run_until_idle();
    };
    ask("https://example.com/in?x=1");
    REQUIRE(talk.requests.size() == 1);
    CHECK(talk.requests[0].method == "GET");
    CHECK(talk.requests[0].body.empty());
    CHECK(find_header(talk.requests[0].headers, "Content-Type").empty());
    CHECK(talk.urls[0] == "https://example.com" + talk.requests[0].target);
    CHECK(talk.urls[0].starts_with("https://example.com/in?x=1&SmsMessageSid=SM"));
    CHECK(field(query_of(talk.urls[0]), "Body") == "a b+c&\xc3\xa9");
    CHECK(is_signed(talk.urls[0], talk.requests[0]));
    CHECK_FALSE(is_signed("https://example.com/in?x=1", talk.requests[0]));

    ask("https://example.com");
    CHECK(talk.requests[0].target.starts_with("/?SmsMessageSid="));
    CHECK(talk.urls[0] == "https://example.com" + talk.requests[0].target);
}

TEST_CASE("FakeTwilio's GET webhook is one that a WebhookHandler understands") {
    Conversation talk;
    std::string heard;
    WebhookHandler handler{RequestValidator{FakeTwilio::demo_auth_token},
                           {.method = WebhookMethod::get}};
    handler.on_text([&](const InboundMessage& message) {
        heard = message.body;
        return MessagingResponse{"Thanks"};
    });
    talk.answer = [&](const WebhookRequest& request) { return handler.handle(request); };
    talk.fake->set_webhook(FakeTwilio::demo_sender, "https://example.com/in", {.method = "GET"});
    talk.lee().sends_text("Hello");
    talk.fake->run_until_idle();
    CHECK(heard == "Hello");
    CHECK(last_of(talk.lee().conversation()).body == "Thanks");
}

TEST_CASE("FakeTwilio asks the fallback when a webhook failed, and says why") {
    Conversation talk;
    talk.fake->set_webhook(FakeTwilio::demo_sender, "https://example.com/inbound#rc=1&rp=all",
                           {.fallback_url = "https://example.org/spare"});
    Result<WebhookResponse> primary = WebhookResponse{500, {}, {}};
    talk.answer = [&](const WebhookRequest& request) -> Result<WebhookResponse> {
        if (request.target == "/inbound") return primary;
        return twiml("<Response><Message>From the spare one</Message></Response>");
    };
    const auto told = [&](Result<WebhookResponse> answer) {
        primary = std::move(answer);
        talk.urls.clear();
        talk.inbound.clear();
        talk.lee().sends_text("Hello");
        talk.fake->run_until_idle();
        return last_of(talk.urls) == "https://example.org/spare"
                   ? field(last_of(talk.inbound), "ErrorCode")
                   : "none";
    };
    CHECK(told(WebhookResponse{500, {}, {}}) == "11200");
    CHECK(talk.urls.size() == 3);  // The retries come first.
    CHECK(field(last_of(talk.inbound), "ErrorUrl") == "https://example.com/inbound");
    CHECK(field(last_of(talk.inbound), "Body") == "Hello");
    CHECK(is_signed(last_of(talk.urls), last_of(talk.requests)));
    CHECK(last_of(talk.lee().conversation()).body == "From the spare one");

    CHECK(told(Error::transport(Effect::none, Stage::connect, "no")) == "11200");
    CHECK(told(WebhookResponse{404, {}, {}}) == "11200");
    CHECK(told(twiml("<Response>")) == "12100");
    CHECK(told(WebhookResponse{200, {{"Content-Type", "text/html"}}, "<p>"}) == "12100");
    CHECK(told(WebhookResponse{200, {{"Content-Type", "text/plain"}}, "Hi"}) == "12300");
    CHECK(told(twiml("<Response>" + std::string(70'000, ' ') + "</Response>")) == "11750");
    CHECK(told(twiml("<Response/>")) == "none");
    // What the answer asks for cannot be done: the answer itself was good.
    CHECK(told(twiml("<Response><Message/></Response>")) == "none");
}

TEST_CASE("FakeTwilio asks the fallback once, with its own method") {
    Conversation talk;
    talk.fake->set_webhook(FakeTwilio::demo_sender, "https://example.com/inbound",
                           {.fallback_url = "https://example.org/spare", .fallback_method = "GET"});
    talk.answer = [](const WebhookRequest&) { return WebhookResponse{503, {}, {}}; };
    talk.lee().sends_text("Hello");
    talk.fake->run_until_idle();
    REQUIRE(talk.urls.size() == 2);
    CHECK(talk.requests[1].method == "GET");
    CHECK(field(query_of(talk.urls[1]), "ErrorCode") == "11200");
    CHECK_THROWS_AS(
        talk.fake->set_webhook(FakeTwilio::demo_sender, "https://example.com", {.method = "PUT"}),
        InvalidRequestError);
}

TEST_CASE("FakeTwilio follows an answer that leads elsewhere, with GET and no parameters") {
    Conversation talk;
    int status = 302;
    talk.answer = [&](const WebhookRequest& request) -> WebhookResponse {
        if (request.target == "/inbound") return {status, {{"Location", "/other?a=1"}}, {}};
        return twiml("<Response><Message>There</Message></Response>");
    };
    talk.lee().sends_text("Hello");
    talk.fake->run_until_idle();
    REQUIRE(talk.requests.size() == 2);
    CHECK(talk.urls[1] == "https://example.com/other?a=1");
    CHECK(talk.requests[1].method == "GET");
    CHECK(talk.requests[1].body.empty());
    CHECK(is_signed(talk.urls[1], talk.requests[1]));
    CHECK(talk.fake->webhooks().at(0).error_code == 0);
    CHECK(last_of(talk.lee().conversation()).body == "There");

    status = 307;
    talk.lee().sends_text("Hello");
    talk.fake->run_until_idle();
    CHECK(last_of(talk.requests).method == "POST");
    CHECK(field(last_of(talk.inbound), "Body") == "Hello");
}

TEST_CASE("FakeTwilio ends answers that lead round in circles") {
    Conversation talk;
    talk.answer = [](const WebhookRequest&) -> WebhookResponse {
        return {302, {{"Location", "/again"}}, {}};
    };
    talk.lee().sends_text("Hello");
    talk.fake->run_until_idle();
    CHECK(talk.requests.size() == 11);
    CHECK(last_of(talk.fake->webhooks()).error_code == 11200);
}

TEST_CASE("FakeTwilio obeys the method of a TwiML redirect") {
    Conversation talk;
    talk.answer = [](const WebhookRequest& request) {
        if (request.target != "/inbound") return twiml("<Response/>");
        return twiml("<Response><Redirect method=\"GET\">/next</Redirect></Response>");
    };
    talk.lee().sends_text("Hello");
    talk.fake->run_until_idle();
    REQUIRE(talk.requests.size() == 2);
    CHECK(talk.requests[1].method == "GET");
    CHECK(field(query_of(talk.urls[1]), "Body") == "Hello");
}

TEST_CASE("FakeTwilio says who it is only when it is asked") {
    Conversation talk;
    talk.fake->set_webhook(FakeTwilio::demo_sender, "https://me:p%40ss@example.com/in");
    const auto knock = [&](HttpHeaders challenge) {
        talk.requests.clear();
        talk.urls.clear();
        talk.answer = [challenge](const WebhookRequest& request) -> WebhookResponse {
            if (authorization(request).empty()) return {401, challenge, {}};
            return twiml("<Response/>");
        };
        talk.lee().sends_text("Hello");
        talk.fake->run_until_idle();
    };
    knock({{"WWW-Authenticate", "Basic realm=\"door\""}});
    REQUIRE(talk.requests.size() == 2);
    CHECK(authorization(talk.requests[0]).empty());
    CHECK(authorization(talk.requests[1]) == "Basic bWU6cEBzcw==");
    CHECK(find_header(talk.requests[0].headers, "Host") == "example.com");
    CHECK(talk.urls[1] == "https://me:p%40ss@example.com/in");
    CHECK(is_signed(talk.urls[1], talk.requests[1]));
    CHECK(last_of(talk.fake->webhooks()).webhook.attempt == 1);
    CHECK(last_of(talk.fake->webhooks()).error_code == 0);

    knock({{"WWW-Authenticate",
            "Basic realm=\"door\", Digest realm=\"a, b\", nonce=\"n\","
            " qop=\"auth-int,auth\", algorithm=MD5"}});
    CHECK(authorization(talk.requests[1]).starts_with("Digest username=\"me\", realm=\"a, b\""));

    knock({{"WWW-Authenticate", "Negotiate"}});
    CHECK(talk.requests.size() == 1);
    CHECK(last_of(talk.fake->webhooks()).error_code == 11200);
}

TEST_CASE("FakeTwilio gives up when the password is wrong, or there is none") {
    Conversation talk;
    talk.answer = [](const WebhookRequest&) -> WebhookResponse {
        return {401, {{"WWW-Authenticate", "Basic realm=\"door\""}}, {}};
    };
    talk.lee().sends_text("Hello");
    talk.fake->run_until_idle();
    CHECK(talk.requests.size() == 1);
    talk.fake->set_webhook(FakeTwilio::demo_sender, "https://me:wrong@example.com/in");
    talk.lee().sends_text("Hello");
    talk.fake->run_until_idle();
    CHECK(talk.requests.size() == 3);
    CHECK(last_of(talk.fake->webhooks()).error_code == 11200);
}

TEST_CASE("FakeTwilio answers a Digest challenge as RFC 7616 has it") {
    const auto answer = [](const char* algorithm) {
        twiliowa::testing::fake::FakeChallenged challenged;
        challenged.user = "Mufasa";
        challenged.password = "Circle of Life";
        challenged.method = "GET";
        challenged.target = "/dir/index.html";
        challenged.nonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        return twiliowa::testing::fake::answer_challenge(
            {{"www-authenticate",
              std::string{"Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "
                          "algorithm="} +
                  algorithm +
                  ", nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
                  "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""}},
            challenged);
    };
    CHECK(answer("MD5") == containing("response=\"8ca523f5e9506fed4657c9700eebdbec\""));
    CHECK(answer("MD5") == containing("opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""));
    CHECK(answer("SHA-256") ==
          containing(
              "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\""));
    CHECK(answer("MD5-sess").empty());
}

TEST_CASE("FakeTwilio answers a Digest challenge without qop, and no broken one") {
    twiliowa::testing::fake::FakeChallenged challenged;
    challenged.user = "Mufasa";
    challenged.password = "Circle Of Life";
    challenged.method = "GET";
    challenged.target = "/dir/index.html";
    const auto answer = [&](const char* header) {
        return twiliowa::testing::fake::answer_challenge({{"WWW-Authenticate", header}},
                                                         challenged);
    };
    CHECK(
        answer(
            "Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"") ==
        containing("response=\"670fd8c2df070c60b045671b8b24ff02\""));
    CHECK(answer("").empty());
    CHECK(answer(",,=,\"").empty());
    CHECK(answer("nonce=\"x").empty());
    CHECK(answer("Basic").starts_with("Basic "));
}

TEST_CASE("FakeTwilio tells statuses where the message's application says") {
    Conversation talk;
    const std::string application = "AP0123456789abcdef0123456789abcdef";
    const MessagesClient client{talk.fake->credentials(), talk.fake->client_options()};
    OutboundMessage message;
    message.to = "+447700900123";
    message.content_sid = FakeTwilio::demo_content_sid;
    message.application_sid = application;
    const auto told = [&] {
        talk.urls.clear();
        client.send(message);
        talk.fake->run_until_idle();
        return talk.urls.empty() ? "" : talk.urls[0];
    };
    talk.fake->set_status_callback(FakeTwilio::demo_sender, "https://example.com/sender");
    CHECK(told() == "https://example.com/sender");
    talk.fake->set_status_callback(application, "https://example.com/application");
    CHECK(told() == "https://example.com/application");
    message.status_callback = "https://example.com/own";
    CHECK(told() == "https://example.com/own");
}

TEST_CASE("FakeTwilio keeps a webhook's method and fallback when it is saved") {
    Conversation talk;
    talk.fake->set_webhook(FakeTwilio::demo_sender, "https://example.com/inbound",
                           {.method = "GET", .fallback_url = "https://example.org/spare"});
    Conversation other;
    other.fake->load(talk.fake->save());
    other.answer = [](const WebhookRequest&) { return WebhookResponse{500, {}, {}}; };
    other.lee().sends_text("Hello");
    other.fake->run_until_idle();
    REQUIRE(other.requests.size() == 2);
    CHECK(other.requests[0].method == "GET");
    CHECK(other.urls[1] == "https://example.org/spare");
}

TEST_CASE("FakeTwilio brings every webhook to the handler that it is connected with") {
    const auto fake = FakeTwilio::with_account({.lifecycle = testing::Lifecycle::automatic});
    std::vector<std::string> told;
    WebhookHandler handler{RequestValidator{FakeTwilio::demo_auth_token}};
    handler.on_text([&](const InboundMessage& message) {
        told.push_back(message.body);
        return MessagingResponse{"Hi"};
    });
    handler.on_status([&](const StatusCallback& status) { told.push_back(status.status.str()); });
    fake->connect(handler);
    const auto lee = fake->customer("+447700900123");
    CHECK(lee.sees().sid.empty());
    lee.sends_text("Hello");
    CHECK(lee.sees().body == "Hi");
    CHECK(told == std::vector<std::string>{"Hello", "sending", "sent", "delivered"});
    for (const auto& record : fake->webhooks()) CHECK(record.status < 300);
}

TEST_CASE("FakeContent makes a template with buttons to tap") {
    const auto fake = FakeTwilio::with_account({.lifecycle = testing::Lifecycle::automatic});
    const auto sid = fake->add_content(
        testing::FakeContent::quick_reply("\"Yes\" or {{1}}?", {"Yes", "\"No\""}));
    const MessagesClient client{fake->credentials(), fake->client_options()};
    const auto lee = fake->customer("+447700900123");
    client.send_template({.to = lee.address(), .content_sid = sid, .variables = {{"1", "no"}}});
    CHECK(lee.sees().body == "\"Yes\" or no?");
    lee.taps("\"No\"");
    CHECK(lee.sees().body == "\"No\"");
}

}  // namespace delivery_test
