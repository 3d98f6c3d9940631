#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <twiliowa/content_client.hpp>
#include <twiliowa/messages_client.hpp>
#include <twiliowa/templates.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

#include "support/show.hpp"

namespace reconcile_all_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using Outcome = Reconciliation::Outcome;
using twiliowa::test::containing;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::Fault;

namespace {

const TimePoint attempted{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};
const std::string our_sender = "whatsapp:+14155238886";

/// `clock` is on the day of the attempts.
std::string listed(std::string_view sid, std::string_view to, std::string_view body,
                   std::string_view clock, std::string_view from = our_sender) {
    std::string json = R"({"sid":")";
    json.append(sid).append(R"(","to":"whatsapp:)").append(to).append(R"(","from":")");
    json.append(from).append(R"(","body":")").append(body);
    json.append(
        R"(","direction":"outbound-api","num_media":"0","date_created":"Thu, 01 Jan 2026 )");
    return json.append(clock).append(R"( +0000"})");
}

std::string page(const std::vector<std::string>& messages, const std::string& next = "null") {
    std::string json = R"({"messages":[)";
    for (const auto& m : messages) json += (json.back() == '[' ? "" : ",") + m;
    return json + R"(],"next_page_uri":)" + next + "}";
}

ReconcileItem item(std::string_view to, std::string_view body, std::string_view from = {}) {
    return {.message =
                OutboundText{
                    .to = std::string(to), .body = std::string(body), .from = std::string(from)},
            .attempted_at = attempted};
}

std::vector<Outcome> outcomes_of(const Reconciliations& all) {
    std::vector<Outcome> outcomes;
    for (const auto& one : all) outcomes.push_back(one.value().outcome);
    return outcomes;
}

struct Fixture {
    std::shared_ptr<twiliowa::testing::ScriptedTransport> transport =
        std::make_shared<twiliowa::testing::ScriptedTransport>();
    std::shared_ptr<twiliowa::testing::ManualClock> clock =
        std::make_shared<twiliowa::testing::ManualClock>();
    MessagesClient client{Credentials::auth_token("AC" + std::string(32, '0'), "t"), options()};
    ClientOptions options() const {
        ClientOptions o;
        o.from = "+14155238886";
        o.transport = transport;
        o.clock = clock;
        return o;
    }
    std::string url(std::size_t request) const { return transport->requests().at(request).url; }
};

}  // namespace

TEST_CASE("reconcile all: three messages of one sender are looked for in one list") {
    Fixture f;
    f.transport->respond(200,
                         page({listed("SM3", "+447700900125", "Your order left", "00:00:03"),
                               listed("SM2", "+447700900199", "Your order left", "00:00:02"),
                               listed("SM1", "+447700900123", "Your order left", "00:00:01")}));
    const std::vector items{item("+447700900123", "Your order left"),
                            item("+447700900124", "Your order left"),
                            item("+447700900125", "Your order left")};
    const auto all = f.client.reconcile_all(items);
    CHECK(outcomes_of(all) == std::vector{Outcome::found, Outcome::not_found, Outcome::found});
    CHECK(all[0]->sids.at(0).str() == "SM1");
    CHECK(all[2]->sids.at(0).str() == "SM3");
    REQUIRE(f.transport->request_count() == 1);
    CHECK(f.url(0) == containing("From=whatsapp%3A%2B14155238886"));
    CHECK(f.url(0) == containing("PageSize=1000"));
    CHECK(f.url(0).find("To=") == std::string::npos);
    CHECK(f.url(0).find("DateSent") == std::string::npos);
}

TEST_CASE("reconcile all: the list is read back to the oldest attempt, and no further") {
    Fixture f;
    f.transport->respond(200, page({listed("SM9", "+447700900124", "Old", "00:50:00")}, "\"/p1\""))
        .respond(200, page({listed("SM2", "+447700900124", "New", "00:30:00")}, "\"/p2\""))
        .respond(200, page({listed("SM1", "+447700900123", "Old", "00:00:01"),
                            R"({"sid":"SM0","date_created":"Wed, 31 Dec 2025 23:00:00 +0000"})"},
                           "\"/p3\""));
    std::vector items{item("+447700900123", "Old"), item("+447700900124", "New"),
                      item("+447700900123", "New")};
    items[1].attempted_at = attempted + 30min;
    items[2].attempted_at = attempted + 30min;
    const auto all = f.client.reconcile_all(items);
    CHECK(outcomes_of(all) == std::vector{Outcome::found, Outcome::found, Outcome::not_found});
    CHECK(f.transport->request_count() == 3);
}

TEST_CASE("reconcile all: each sender has a list of its own") {
    Fixture f;
    const std::string other = "whatsapp:+15005550006";
    f.transport->respond(200, page({listed("SM1", "+447700900123", "Hi", "00:00:01")}))
        .respond(200, page({listed("SM2", "+447700900123", "Hi", "00:00:01", other)}));
    const std::vector items{item("+447700900123", "Hi"), item("+447700900123", "Hi", other),
                            item("+447700900124", "Hi"), item("+447700900124", "Hi", other)};
    const auto all = f.client.reconcile_all(items);
    CHECK(outcomes_of(all) ==
          std::vector{Outcome::found, Outcome::found, Outcome::not_found, Outcome::not_found});
    CHECK(all[0]->sids.at(0).str() == "SM1");
    CHECK(all[1]->sids.at(0).str() == "SM2");
    CHECK(f.transport->request_count() == 2);
}

TEST_CASE("reconcile all: what a service chooses the sender of is listed by recipient") {
    Fixture f;
    const std::string service = "MG" + std::string(32, 'b');
    const auto by_service = [&](const std::string& to, const std::string& body) {
        auto wanted = item(to, body);
        wanted.message.messaging_service_sid = service;
        return wanted;
    };
    auto message = listed("SM1", "+447700900123", "Hi", "00:00:01");
    message.insert(1, R"("messaging_service_sid":")" + service + R"(",)");
    f.transport->respond(200, page({message})).respond(200, page({}));
    const std::vector items{by_service("+447700900123", "Hi"), by_service("+447700900124", "Hi"),
                            by_service("+447700900123", "Bye")};
    const auto all = f.client.reconcile_all(items);
    CHECK(outcomes_of(all) == std::vector{Outcome::found, Outcome::not_found, Outcome::not_found});
    REQUIRE(f.transport->request_count() == 2);
    CHECK(f.url(0) == containing("To=whatsapp%3A%2B447700900123"));
    CHECK(f.url(1) == containing("To=whatsapp%3A%2B447700900124"));
    CHECK(f.url(0).find("From=") == std::string::npos);
}

TEST_CASE("reconcile all: of one recipient only its messages are listed") {
    Fixture f;
    f.transport->respond(200, page({listed("SM1", "+447700900123", "Hi", "00:00:01")}));
    const std::vector items{item("+447700900123", "Hi"), item("+447700900123", "Bye")};
    CHECK(outcomes_of(f.client.reconcile_all(items)) ==
          std::vector{Outcome::found, Outcome::not_found});
    CHECK(f.url(0) == containing("To=whatsapp%3A%2B447700900123"));
    CHECK(f.url(0) == containing("From=whatsapp%3A%2B14155238886"));
}

TEST_CASE("reconcile all: one message is found for no two items, since one of them was not sent") {
    Fixture f;
    f.transport->respond(200, page({listed("SM1", "+447700900123", "Hi", "00:00:01")}))
        .respond(200, page({listed("SM1", "+447700900123", "Hi", "00:00:01")}));
    const std::vector twins{item("+447700900123", "Hi"), item("+447700900123", "Hi")};
    const auto both = f.client.reconcile_all(twins);
    CHECK(outcomes_of(both) == std::vector{Outcome::several, Outcome::several});
    CHECK(both[0]->sids == both[1]->sids);
    CHECK(both[0]->sids.size() == 1);
    CHECK(outcomes_of(f.client.reconcile_all({twins.data(), 1})) == std::vector{Outcome::found});
}

TEST_CASE("reconcile all: a message that two pages show is one message") {
    Fixture f;
    f.transport->respond(200, page({listed("SM1", "+447700900123", "Hi", "00:00:01")}, "\"/p1\""))
        .respond(200, page({listed("SM1", "+447700900123", "Hi", "00:00:01")}));
    const std::vector items{item("+447700900123", "Hi"), item("+447700900124", "Hi")};
    CHECK(outcomes_of(f.client.reconcile_all(items)) ==
          std::vector{Outcome::found, Outcome::not_found});
}

TEST_CASE("reconcile all: one sender's failure hides no other's answer") {
    Fixture f;
    const std::string other = "whatsapp:+15005550006";
    f.transport->respond(401, R"({"code":20003,"message":"m"})")
        .respond(200, page({listed("SM2", "+447700900123", "Hi", "00:00:01", other)}));
    const std::vector items{item("+447700900123", "Hi"), item("+447700900123", "Hi", other)};
    const auto all = f.client.reconcile_all(items);
    CHECK(all.at(0).error().kind() == ErrorKind::authentication);
    CHECK(all.at(1)->outcome == Outcome::found);
}

TEST_CASE("reconcile all: a list that breaks off answers for what is newer than its end") {
    Fixture f;
    f.transport
        ->respond(200, page({listed("SM2", "+447700900124", "New", "00:30:01"),
                             listed("SM1", "+447700900123", "x", "00:20:00")},
                            "\"/p1\""))
        .respond(401, R"({"code":20003,"message":"m"})");
    std::vector items{item("+447700900123", "Old"), item("+447700900124", "New"),
                      item("+447700900123", "New")};
    items[1].attempted_at = attempted + 30min;
    items[2].attempted_at = attempted + 30min;
    const auto all = f.client.reconcile_all(items);
    CHECK(all.at(0).error().kind() == ErrorKind::authentication);
    CHECK(all.at(1)->outcome == Outcome::found);
    CHECK(all.at(2)->outcome == Outcome::not_found);
}

TEST_CASE("reconcile all: an item that is wrong is refused alone, and in its place") {
    Fixture f;
    f.transport->respond(200, page({listed("SM1", "+447700900123", "Hi", "00:00:01")}));
    const std::vector items{item("", "Hi"), item("+447700900123", "Hi")};
    const auto all = f.client.reconcile_all(items);
    CHECK(all.at(0).error().field() == "To");
    CHECK(all.at(1)->outcome == Outcome::found);
}

TEST_CASE("reconcile all: where is for all items, and refused for all when it is wrong") {
    Fixture f;
    const std::vector items{item("+447700900123", "Hi"), item("+447700900124", "Hi")};
    ReconcileOptions where;
    where.window = -1ms;
    CHECK(f.client.try_reconcile_all(items, where).error().field() == "where");
    CHECK(f.transport->request_count() == 0);

    const auto sid = [](const std::string& digit) {
        return MessageSid::parse("SM" + std::string(31, '0') + digit).value();
    };
    where.window = 10s;
    where.known = {sid("1")};
    f.transport->respond(200, page({listed(sid("3").str(), "+447700900124", "Hi", "00:00:11"),
                                    listed(sid("2").str(), "+447700900124", "Hi", "00:00:09"),
                                    listed(sid("1").str(), "+447700900123", "Hi", "00:00:01")}));
    const auto all = f.client.reconcile_all(items, where);
    CHECK(outcomes_of(all) == std::vector{Outcome::not_found, Outcome::found});
    CHECK(all[1]->sids.at(0) == sid("2"));
}

TEST_CASE("reconcile all: an item's first attempt is where the search for it begins") {
    Fixture f;
    f.transport->respond(200, page({listed("SM1", "+447700900123", "Hi", "00:00:01"),
                                    listed("SM0", "+447700900124", "Hi", "00:00:01")}));
    std::vector items{item("+447700900123", "Hi"), item("+447700900124", "Hi")};
    for (auto& one : items) one.attempted_at = attempted + 30min;
    items[0].first_attempted_at = attempted;
    CHECK(outcomes_of(f.client.reconcile_all(items)) ==
          std::vector{Outcome::found, Outcome::not_found});
}

TEST_CASE("reconcile all: templates are told apart by the text that each item expects") {
    Fixture f;
    const auto welcome = [](const std::string& name) {
        return ReconcileItem{.message = OutboundTemplate{.to = "+447700900123",
                                                         .content_sid = "HX" + std::string(32, 'a'),
                                                         .variables = {{"1", name}}},
                             .attempted_at = attempted,
                             .expected_text = "Welcome " + name};
    };
    f.transport->respond(200, page({listed("SM1", "+447700900123", "Welcome Ann", "00:00:01")}));
    const std::vector items{welcome("Lee"), welcome("Ann")};
    CHECK(outcomes_of(f.client.reconcile_all(items)) ==
          std::vector{Outcome::possible, Outcome::found});
}

TEST_CASE("reconcile all: a client that knows its templates fetches each once, and renders it") {
    for (const bool async : {false, true}) {
        auto fake = FakeTwilio::with_account();
        auto options = fake->client_options();
        options.templates =
            std::make_shared<Templates>(ContentClient{fake->credentials(), options});
        const MessagesClient plain{fake->credentials(), fake->client_options()};
        const MessagesClient client{fake->credentials(), options};
        std::vector<ReconcileItem> items;
        for (const auto* name : {"Ann", "Lee", "Kim"}) {
            items.push_back({.message = OutboundTemplate{.to = "+447700900123",
                                                         .content_sid = std::string(
                                                             FakeTwilio::demo_content_sid),
                                                         .variables = {{"1", name}, {"2", "1"}}},
                             .attempted_at = fake->clock()->now()});
        }
        plain.send(items[1].message);
        const auto before = fake->request_count();
        std::optional<Reconciliations> all;
        if (async) {
            client.async_reconcile_all(
                items, [&](Result<Reconciliations> r) { all = std::move(r).value(); });
            CHECK_FALSE(all);
            fake->run_until_idle();
        } else {
            all = client.reconcile_all(items);
        }
        REQUIRE(all);
        CHECK(outcomes_of(*all) ==
              std::vector{Outcome::possible, Outcome::found, Outcome::possible});
        // The template, its approval, and one list.
        CHECK(fake->request_count() - before == 3);
    }
}

TEST_CASE("reconcile all: nothing to look for asks nobody") {
    Fixture f;
    CHECK(f.client.reconcile_all({}).empty());
    std::optional<Result<Reconciliations>> result;
    f.client.async_reconcile_all({},
                                 [&](Result<Reconciliations> r) { result.emplace(std::move(r)); });
    CHECK_FALSE(result);
    f.transport->run_until_idle();
    REQUIRE(result);
    CHECK(result->value().empty());
    CHECK(f.transport->request_count() == 0);
}

TEST_CASE("reconcile all: the timeout is for all lists together") {
    Fixture f;
    for (int i = 0; i < 8; ++i) {
        f.transport->then([&](const HttpRequest&, const CallContext&) -> Result<HttpResponse> {
            f.clock->advance(1s);
            return HttpResponse{200, {}, page({listed("SM9", "+447700900123", "x", "00:01:00")})};
        });
    }
    std::vector<ReconcileItem> items;
    items.reserve(4);
    for (int i = 0; i < 4; ++i) {
        items.push_back(item("+447700900123", "Hi", "whatsapp:+1500555000" + std::to_string(i)));
    }
    const auto ends = [](const Reconciliations& all) {
        return std::count_if(all.begin(), all.end(), [](const auto& one) {
            return !one && one.error().kind() == ErrorKind::timeout;
        });
    };
    const CallOptions two_seconds{.timeout = 2s};
    CHECK(ends(f.client.reconcile_all(items, {}, two_seconds)) == 2);
    std::optional<Reconciliations> all;
    f.client.async_reconcile_all(
        items, [&](Result<Reconciliations> r) { all = std::move(r).value(); }, {}, two_seconds);
    f.transport->run_until_idle();
    REQUIRE(all);
    CHECK(ends(*all) == 2);
}

TEST_CASE("reconcile all: the asynchronous form gives the same, whatever happens") {
    auto fake = FakeTwilio::with_account();
    const MessagesClient client{fake->credentials(), fake->client_options()};
    std::vector<ReconcileItem> items;
    for (int i = 0; i < 6; ++i) {
        items.push_back(item("+44770090012" + std::to_string(i), i % 2 == 0 ? "Hi" : "Bye"));
        items.back().attempted_at = fake->clock()->now();
        if (i % 3 == 0) continue;
        fake->next_fault(Fault::close_after);
        CHECK_FALSE(client.try_send(items.back().message));
    }
    items.push_back(item("+447700900129", "Hi", "nobody"));
    const auto show = [](const Reconciliations& all) {
        std::string text;
        for (const auto& one : all) {
            text += one ? std::to_string(static_cast<int>(one->outcome)) : one.error().what();
            if (one && !one->sids.empty()) text += one->sids.front().str();
            text += '\n';
        }
        return text;
    };
    const auto before = fake->request_count();
    const auto blocking = client.reconcile_all(items);
    CHECK(fake->request_count() - before == 1);
    CHECK(std::count_if(blocking.begin(), blocking.end(), [](const auto& one) {
              return one && one->outcome == Outcome::found;
          }) == 4);
    std::optional<Reconciliations> all;
    client.async_reconcile_all(items,
                               [&](Result<Reconciliations> r) { all = std::move(r).value(); });
    fake->run_until_idle();
    REQUIRE(all);
    CHECK(show(*all) == show(blocking));
}

TEST_CASE("reconcile all: a client that goes away ends it") {
    Fixture f;
    const std::vector items{item("+447700900123", "Hi"),
                            item("+447700900123", "Hi", "whatsapp:+15005550006")};
    std::optional<Reconciliations> all;
    {
        const MessagesClient gone{Credentials::auth_token("AC" + std::string(32, '0'), "t"),
                                  f.options()};
        f.transport->respond(200, page({}));
        gone.async_reconcile_all(items,
                                 [&](Result<Reconciliations> r) { all = std::move(r).value(); });
    }
    f.transport->run_until_idle();
    REQUIRE(all);
    CHECK(all->back().error().kind() == ErrorKind::cancelled);
}

}  // namespace reconcile_all_test
