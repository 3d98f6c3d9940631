#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

using namespace twiliowa;
using Outcome = Reconciliation::Outcome;

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
                   listed("SM8", "Your order left", "00:11:00"),  // too late
                   listed("SM7", "Your order left", "00:00:03", "whatsapp:+15005550006"),
                   listed("SM6", "Your order left", "00:00:02", "whatsapp:+14155238886", "inbound"),
                   listed("SM5", "Your order left", "00:00:01")}));
    const auto result = f.client.reconcile(message, attempted);
    CHECK(result.outcome == Outcome::found);
    REQUIRE(result.sids.size() == 1);
    CHECK(result.sids[0].str() == "SM5");
    CHECK(f.transport->requests()[0].url.find("To=whatsapp%3A%2B447700900123") !=
          std::string::npos);
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

TEST_CASE("reconcile: a template is compared without its text, which Twilio writes") {
    Fixture f;
    f.transport->respond(200, page({listed("SM5", "Hi Lee, welcome", "00:00:01")}));
    const OutboundTemplate sent{.to = "+447700900123", .content_sid = "HX" + std::string(32, 'a')};
    CHECK(f.client.reconcile(sent, attempted).outcome == Outcome::found);
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

TEST_CASE("reconcile: a failing list is an error, not a not_found") {
    Fixture f;
    f.transport->respond(401, R"({"code":20003,"message":"m"})");
    CHECK(f.client.try_reconcile(message, attempted).error().kind() == ErrorKind::authentication);
    CHECK(f.client.try_reconcile(OutboundText{}, attempted).error().field() == "To");
}
