#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <tuple>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

#include "support/show.hpp"

namespace reconcile_test {

using namespace twiliowa;
using Outcome = Reconciliation::Outcome;
using twiliowa::test::containing;

namespace {

const TimePoint attempted{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};
const OutboundText message{.to = "+447700900123", .body = "Your order left"};

std::string listed(std::string_view sid, std::string_view body, std::string_view clock,
                   std::string_view from = "whatsapp:+14155238886",
                   std::string_view direction = "outbound-api") {
    std::string json = R"({"sid":")";
    json.append(sid).append(R"(","to":"whatsapp:+447700900123","from":")").append(from);
    json.append(R"(","body":")").append(body).append(R"(","direction":")").append(direction);
    json.append(R"(","num_media":"0","date_created":"Thu, 01 Jan 2026 )").append(clock);
    return json.append(R"( +0000"})");
}

std::string page(const std::vector<std::string>& messages, const std::string& next = "null") {
    std::string json = R"({"messages":[)";
    for (const auto& m : messages) json += (json.back() == '[' ? "" : ",") + m;
    return json + R"(],"next_page_uri":)" + next + "}";
}

struct Fixture {
    std::shared_ptr<twiliowa::testing::ScriptedTransport> transport =
        std::make_shared<twiliowa::testing::ScriptedTransport>();
    MessagesClient client{Credentials::auth_token("AC" + std::string(32, '0'), "t"), options()};
    ClientOptions options() const {
        ClientOptions o;
        o.from = "+14155238886";
        o.transport = transport;
        o.clock = std::make_shared<twiliowa::testing::ManualClock>();
        return o;
    }
};

}  // namespace

TEST_CASE("reconcile: the one message like it is found among others") {
    Fixture f;
    f.transport->respond(
        200, page({listed("SM9", "Something else", "00:00:09"),
                   listed("SM8", "Your order left", "00:02:01"),  // too late
                   listed("SM7", "Your order left", "00:00:03", "whatsapp:+15005550006"),
                   listed("SM6", "Your order left", "00:00:02", "whatsapp:+14155238886", "inbound"),
                   listed("SM5", "Your order left", "00:00:01")}));
    const auto result = f.client.reconcile(message, attempted);
    CHECK(result.outcome == Outcome::found);
    REQUIRE(result.sids.size() == 1);
    CHECK(result.sids[0].str() == "SM5");
    CHECK(f.transport->requests()[0].url == containing("To=whatsapp%3A%2B447700900123"));
}

TEST_CASE("reconcile: nothing like it, or a list that lags, is not_found and nothing more") {
    Fixture f;
    f.transport->respond(200, page({}))
        .respond(200, page({listed("SM5", "Your order left", "00:00:01")}));
    CHECK(f.client.reconcile(message, attempted).outcome == Outcome::not_found);
    CHECK(f.client.reconcile(message, attempted).outcome == Outcome::found);  // the list caught up
}

TEST_CASE("reconcile: two identical texts are several, with both SIDs") {
    Fixture f;
    f.transport->respond(200, page({listed("SM6", "Your order left", "00:00:02"),
                                    listed("SM5", "Your order left", "00:00:01")}));
    const auto result = f.client.reconcile(message, attempted);
    CHECK(result.outcome == Outcome::several);
    CHECK(result.sids.size() == 2);
}

TEST_CASE("reconcile: pages are followed until the messages are older than the attempt") {
    Fixture f;
    f.transport->respond(200, page({listed("SM9", "x", "00:01:00")}, "\"/p1\""))
        .respond(200, page({listed("SM5", "Your order left", "00:00:01")}, "\"/p2\""))
        .respond(200, page({R"({"sid":"SM1","date_created":"Wed, 31 Dec 2025 23:00:00 +0000"})"},
                           "\"/p3\""));
    CHECK(f.client.reconcile(message, attempted).outcome == Outcome::found);
    CHECK(f.transport->request_count() == 3);
}

TEST_CASE("reconcile: of a template every value has to occur in the text that Twilio made") {
    const auto look = [](TemplateVariables variables, const std::vector<std::string>& bodies) {
        Fixture f;
        std::vector<std::string> messages;
        for (const auto& body : bodies) {
            messages.push_back(listed("SM" + std::to_string(messages.size()), body, "00:00:01"));
        }
        f.transport->respond(200, page(messages));
        const OutboundTemplate sent{.to = "+447700900123",
                                    .content_sid = "HX" + std::string(32, 'a'),
                                    .variables = std::move(variables),
                                    .whitespace = WhitespacePolicy::normalise};
        return f.client.reconcile(sent, attempted);
    };
    const TemplateVariables order{{"1", "Lee"}, {"2", "A-1042"}};
    CHECK(look(order, {"Hi Lee, A-1042 left"}).outcome == Outcome::found);
    CHECK(look(order, {}).outcome == Outcome::not_found);

    // Another order of the same customer is not this one.
    const auto other = look(order, {"Hi Lee, A-1043 left", "Hi Lee"});
    CHECK(other.outcome == Outcome::possible);
    CHECK(other.sids.size() == 2);
    const auto both = look(order, {"Hi Lee, A-1043 left", "Hi Lee, A-1042 left"});
    CHECK(both.outcome == Outcome::found);
    REQUIRE(both.sids.size() == 1);
    CHECK(both.sids[0].str() == "SM1");
    CHECK(look(order, {"Hi Lee, A-1042 left", "Hi Lee, A-1042 left"}).outcome == Outcome::several);

    // Without values any template might be it; so might one whose text is not there yet.
    CHECK(look({}, {"Welcome"}).outcome == Outcome::possible);
    CHECK(look(order, {""}).outcome == Outcome::possible);
    // White space may have been normalised on the way.
    CHECK(look({{"1", " no.\n\nA-1042 "}}, {"It is no. A-1042!"}).outcome == Outcome::found);
}

TEST_CASE("reconcile: a value inside another word, or one that others have too, closes no job") {
    const auto look = [](TemplateVariables variables, const std::string& body,
                         const ReconcileOptions& where = {}) {
        Fixture f;
        f.transport->respond(200, page({listed("SM0", body, "00:00:01")}));
        return f.client
            .reconcile(OutboundTemplate{.to = "+447700900123",
                                        .content_sid = "HX" + std::string(32, 'a'),
                                        .variables = std::move(variables)},
                       attempted, where)
            .outcome;
    };
    CHECK(look({{"1", "Ann"}}, "Hi Ann K, your parcel left") == Outcome::possible);
    CHECK(look({{"1", "Ann"}}, "Hi Ann, your parcel left") == Outcome::possible);
    CHECK(look({{"1", "A-1042"}}, "Order A-10421 left") == Outcome::possible);
    // A reminder and a confirmation speak of the same time and the same amount.
    CHECK(look({{"1", "2026-05-12T10:00"}}, "See you 2026-05-12T10:00") == Outcome::possible);
    CHECK(look({{"1", "May2026"}, {"2", "12000"}}, "May2026: pay 12000") == Outcome::possible);
    CHECK(look({{"1", "20260512"}, {"2", "A-104237"}}, "20260512: A-104237 left") ==
          Outcome::found);
    // The text that Twilio makes is evidence, whatever the values are.
    const ReconcileOptions expected{.expected_text = "Hi Ann, your  parcel left"};
    CHECK(look({{"1", "Ann"}}, "Hi Ann, your parcel left", expected) == Outcome::found);
    CHECK(look({{"1", "Ann"}}, "Hi Ann K, your parcel left", expected) == Outcome::possible);
}

TEST_CASE("reconcile: after a resend the search begins at the first attempt") {
    const auto look = [](const ReconcileOptions& where) {
        Fixture f;
        f.transport->respond(200, page({listed("SM5", "Your order left", "00:00:01")}));
        return f.client.reconcile(message, attempted + std::chrono::minutes{30}, where).outcome;
    };
    CHECK(look({}) == Outcome::not_found);
    CHECK(look({.first_attempted_at = attempted}) == Outcome::found);
    // A first attempt cannot come after the last.
    CHECK(look({.first_attempted_at = attempted + std::chrono::hours{1}}) == Outcome::not_found);
}

TEST_CASE("reconcile: a value of nothing but white space shows nothing") {
    Fixture f;
    f.transport->respond(200, page({listed("SM5", "Another template", "00:00:01")}));
    const OutboundTemplate sent{.to = "+447700900123",
                                .content_sid = "HX" + std::string(32, 'a'),
                                .variables = {{"1", "  "}},
                                .whitespace = WhitespacePolicy::allow};
    CHECK(f.client.reconcile(sent, attempted).outcome == Outcome::possible);
}

TEST_CASE("reconcile: a text with a fallback is its text or its fallback, nothing else") {
    const auto outcome_of = [](const std::string& body) {
        Fixture f;
        f.transport->respond(200, page({listed("SM5", body, "00:00:01")}));
        auto text = message;
        text.fallback_content_sid = "HX" + std::string(32, 'a');
        text.fallback_variables = {{"1", "A-1042"}};
        return f.client.reconcile(text, attempted).outcome;
    };
    CHECK(outcome_of("Your order left") == Outcome::found);
    CHECK(outcome_of("We wrote about A-1042") == Outcome::found);
    CHECK(outcome_of("An agent's text") == Outcome::possible);
}

TEST_CASE("reconcile: messages known to be others do not count") {
    Fixture f;
    ReconcileOptions where;
    const auto sid = [](const std::string& digit) {
        return MessageSid::parse("SM" + std::string(31, '0') + digit).value();
    };
    f.transport->respond(200, page({listed(sid("6").str(), "Your order left", "00:00:02"),
                                    listed(sid("5").str(), "Your order left", "00:00:01")}));
    where.known = {sid("6"), sid("9")};
    const auto result = f.client.reconcile(message, attempted, where);
    CHECK(result.outcome == Outcome::found);
    REQUIRE(result.sids.size() == 1);
    CHECK(result.sids[0] == sid("5"));
}

TEST_CASE("reconcile: the asynchronous form finds the same") {
    Fixture f;
    f.transport->respond(200, page({listed("SM9", "x", "00:01:00")}, "\"/p1\""))
        .respond(200, page({listed("SM5", "Your order left", "00:00:01")}));
    std::optional<Result<Reconciliation>> result;
    f.client.async_reconcile(message, attempted,
                             [&](Result<Reconciliation> r) { result.emplace(std::move(r)); });
    f.transport->run_until_idle();
    REQUIRE(result);
    CHECK(result->value().outcome == Outcome::found);
}

TEST_CASE("reconcile: what extra sent beside the checks is what is looked for") {
    const auto outcome_of = [](OutboundMessage sent) {
        Fixture f;
        f.transport->respond(200, page({listed("SM5", "Your order left", "00:00:01")}));
        return f.client.reconcile(sent, attempted).outcome;
    };
    OutboundMessage body{.to = "+447700900123"};
    body.extra = {{"Body", "Your order left"}};
    CHECK(outcome_of(body) == Outcome::found);
    body.extra = {{"Body", "Something else"}};
    CHECK(outcome_of(body) == Outcome::not_found);
    OutboundMessage to{.body = "Your order left"};
    to.extra = {{"To", "whatsapp:+447700900123"}};
    CHECK(outcome_of(to) == Outcome::found);
    to.extra = {{"To", "whatsapp:+447700900124"}};
    CHECK(outcome_of(to) == Outcome::not_found);
    OutboundMessage content{.to = "+447700900123"};
    content.extra = {{"ContentSid", "HX" + std::string(32, 'a')}};
    CHECK(outcome_of(content) == Outcome::possible);
    content.extra.emplace_back("ContentVariables", R"({"1":"order"})");
    CHECK(outcome_of(content) == Outcome::possible);
    OutboundMessage media{.to = "+447700900123", .body = "Your order left"};
    media.extra = {{"MediaUrl", "https://x.test/a.png"}};
    CHECK(outcome_of(media) == Outcome::not_found);  // the listed one has no media
}

TEST_CASE("reconcile: the longest of durations and times are no danger") {
    using std::chrono::milliseconds;
    Fixture f;
    for (const auto& [when, skew, window] :
         {std::tuple{attempted, milliseconds::max(), milliseconds::max()},
          std::tuple{TimePoint::min(), milliseconds{0}, milliseconds::max()},
          std::tuple{TimePoint::max(), milliseconds::max(), milliseconds::max()}}) {
        f.transport->respond(200, page({listed("SM5", "Your order left", "00:00:01")}));
        ReconcileOptions where;
        where.clock_skew = skew;
        where.window = window;
        CHECK(f.client.reconcile(message, when, where).outcome == Outcome::found);
    }
}

TEST_CASE("reconcile: the timeout is for all pages together") {
    Fixture f;
    const auto clock = std::make_shared<twiliowa::testing::ManualClock>();
    auto options = f.options();
    options.clock = clock;
    const MessagesClient client{Credentials::auth_token("AC" + std::string(32, '0'), "t"), options};
    for (int i = 1; i <= 20; ++i) {
        f.transport->then([&, i](const HttpRequest&, const CallContext&) -> Result<HttpResponse> {
            clock->advance(std::chrono::seconds{1});
            const auto next = "\"/p" + std::to_string(i) + "\"";
            return HttpResponse{200, {}, page({listed("SM9", "x", "00:01:00")}, next)};
        });
    }
    const CallOptions three_seconds{.timeout = std::chrono::milliseconds{3'000}};
    CHECK(client.try_reconcile(message, attempted, {}, three_seconds).error().kind() ==
          ErrorKind::timeout);
    CHECK(f.transport->request_count() == 3);
    std::optional<Result<Reconciliation>> result;
    client.async_reconcile(
        message, attempted, [&](Result<Reconciliation> r) { result.emplace(std::move(r)); }, {},
        three_seconds);
    f.transport->run_until_idle();
    REQUIRE(result);
    CHECK(result->error().kind() == ErrorKind::timeout);
    CHECK(f.transport->request_count() == 6);
}

TEST_CASE("reconcile: a list that does not end is an error, not a not_found") {
    Fixture f;
    for (int i = 0; i < 200; ++i) {
        f.transport->respond(
            200, page({listed("SM9", "x", "00:01:00")}, "\"/p" + std::to_string(i) + "\""));
    }
    CHECK(f.client.try_reconcile(message, attempted).error().field() == "next_page_uri");
}

TEST_CASE("reconcile: a failing list is an error, not a not_found") {
    Fixture f;
    f.transport->respond(401, R"({"code":20003,"message":"m"})");
    CHECK(f.client.try_reconcile(message, attempted).error().kind() == ErrorKind::authentication);
    CHECK(f.client.try_reconcile(OutboundText{}, attempted).error().field() == "To");
}

TEST_CASE("reconcile: a listed message that does not say how many files it has is not ruled out") {
    const auto outcome_of = [](std::string item) {
        Fixture f;
        f.transport->respond(200, page({std::move(item)}));
        OutboundMessage sent{.to = "+447700900123", .body = "Your order left"};
        sent.media_url.push_back("https://x.test/a.png");
        return f.client.reconcile(sent, attempted).outcome;
    };
    auto item = listed("SM5", "Your order left", "00:00:01");
    CHECK(outcome_of(item) == Outcome::not_found);  // it says that it has none
    const std::string_view says = R"("num_media":"0",)";
    item.erase(item.find(says), says.size());
    CHECK(outcome_of(item) == Outcome::found);
}

}  // namespace reconcile_test
