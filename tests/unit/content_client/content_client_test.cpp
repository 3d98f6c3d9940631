#include <twiliowa/content_client.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

#include "support/show.hpp"

namespace content_client_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::test::containing;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::Fault;
using twiliowa::testing::ManualClock;
using twiliowa::testing::ScriptedTransport;

namespace {

const std::string sid_text = "HX" + std::string(32, 'a');

struct Fixture {
    std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    ContentClient client(int max_attempts = 1) const {
        ClientOptions options;
        options.transport = transport;
        options.clock = clock;
        options.retry.max_attempts = max_attempts;
        return ContentClient{Credentials::auth_token("AC" + std::string(32, '0'), "token"),
                             options};
    }
    const HttpRequest request(std::size_t index = 0) const {
        return transport->requests().at(index);
    }
};

/// A client of a fake Twilio.
struct Desk {
    std::shared_ptr<FakeTwilio> fake = FakeTwilio::with_account();
    ContentClient client{fake->credentials(), fake->client_options()};
};

ContentDefinition order_update(TextField body = "Hi {{1}}, order {{2}} is on its way") {
    return {.friendly_name = "order_update",
            .variables = {{"1", "Ann"}, {"2", "A-1042"}},
            .types = {TextContent{.body = std::move(body)}}};
}

std::string approval(const std::string& status, const std::string& reason = "") {
    return R"({"sid": ")" + sid_text +
           R"(", "whatsapp": {"type": "whatsapp", "name": "order_update",
        "category": "UTILITY", "content_type": "twilio/text", "status": ")" +
           status + R"(", "rejection_reason": ")" + reason +
           R"(", "allow_category_change": true, "flows": null}})";
}

std::string name_of(const ContentTemplate& content) {
    return content.definition.friendly_name;
}

}  // namespace

TEST_CASE("a template is created as JSON, and read back with what only an answer has") {
    Fixture f;
    f.transport->respond(201, R"({"sid": ")" + sid_text + R"(", "account_sid": "AC)" +
                                  std::string(32, '0') + R"(", "friendly_name": "order_update",
        "language": "en", "variables": {"1": "Ann", "2": "A-1042"}, "url": "https://x.test",
        "types": {"twilio/text": {"body": "Hi {{ 1 }}, order {{2}} is on its way"}},
        "date_created": "2026-10-12T01:02:03Z", "date_updated": "Mon, 12 Oct 2026 01:02:03 +0000",
        "links": {"approval_create": "https://x.test"}, "novelty": [1]})");
    const auto made = f.client().create(order_update());
    CHECK(f.request().method == HttpMethod::post);
    CHECK(f.request().url == "https://content.twilio.com/v1/Content");
    CHECK(find_header(f.request().headers, "Content-Type") == "application/json");
    CHECK(f.request().body ==
          R"({"friendly_name":"order_update","language":"en","variables":{"1":"Ann","2":"A-1042"},)"
          R"("types":{"twilio/text":{"body":"Hi {{1}}, order {{2}} is on its way"}}})");
    CHECK(made.sid.str() == sid_text);
    CHECK(made.account_sid.str() == "AC" + std::string(32, '0'));
    CHECK(made.date_created.has_value());
    CHECK(made.date_created == made.date_updated);
    CHECK_FALSE(made.approval.has_value());
    CHECK(made.definition.extra == R"({"novelty":[1]})");
    CHECK_FALSE(made.definition.same_content(order_update()));  // it has a member more
    CHECK(made.definition.types ==
          std::vector<ContentType>{TextContent{.body = "Hi {{ 1 }}, order {{2}} is on its way"}});
}

TEST_CASE("what check refuses is not created, updated or looked for") {
    Fixture f;
    const ContentDefinition nothing{.friendly_name = "empty"};
    CHECK(f.client().try_create(nothing).error().field() == "types");
    CHECK(f.client().try_update(ContentSid{sid_text}, nothing).error().field() == "types");
    CHECK(f.client().try_upsert(nothing).error().field() == "types");
    auto nameless = order_update();
    nameless.friendly_name.clear();
    CHECK(f.client().try_upsert(nameless).error().field() == "friendly_name");
    CHECK(f.client().try_fetch(ContentSid{}).error().field() == "ContentSid");
    CHECK(f.transport->request_count() == 0);
}

TEST_CASE("a creation whose answer is lost is not repeated, and its outcome is unknown") {
    Fixture f;
    f.transport->fail(Error::transport(Effect::unknown, Stage::receive, "the connection closed"));
    CHECK(f.client(3).try_create(order_update()).error().kind() == ErrorKind::outcome_unknown);
    CHECK(f.transport->request_count() == 1);
    Fixture odd;
    odd.transport->respond(201, "{}");
    CHECK(odd.client(3).try_create(order_update()).error().kind() == ErrorKind::outcome_unknown);
    Fixture submitted;
    submitted.transport->respond(500, "{}");
    const ApprovalRequest request{.name = "order_update",
                                  .category = TemplateCategory{TemplateCategory::utility}};
    CHECK(submitted.client(3).try_submit(ContentSid{sid_text}, request).error().kind() ==
          ErrorKind::outcome_unknown);
    CHECK(submitted.transport->request_count() == 1);
}

TEST_CASE("fetching, updating and removing are repeated") {
    Fixture f;
    f.transport->respond(503).respond(200, R"({"sid": ")" + sid_text + R"("})");
    CHECK(f.client(3).fetch(ContentSid{sid_text}).sid.str() == sid_text);
    CHECK(f.request().url == "https://content.twilio.com/v1/Content/" + sid_text);
    f.transport->respond(503).respond(200, R"({"sid": ")" + sid_text + R"("})");
    CHECK(f.client(3).update(ContentSid{sid_text}, order_update()).sid.str() == sid_text);
    CHECK(f.request(3).method == HttpMethod::put);
    CHECK(find_header(f.request(3).headers, "Content-Type") == "application/json");
    f.transport->respond(503).respond(204);
    f.client(3).remove(ContentSid{sid_text}, true);
    CHECK(f.request(5).method == HttpMethod::delete_);
    CHECK(f.request(5).url ==
          "https://content.twilio.com/v1/Content/" + sid_text + "?deleteInWaba=true");
}

TEST_CASE("a submission says what is asked for, and refuses what WhatsApp would") {
    Fixture f;
    f.transport->respond(201, R"({"name": "order_update", "category": "UTILITY",
        "content_type": "twilio/text", "status": "RECEIVED", "rejection_reason": "",
        "allow_category_change": false, "send_ttl_seconds": 600})");
    const auto got = f.client().submit(ContentSid{sid_text},
                                       {.name = "order_update",
                                        .category = TemplateCategory{TemplateCategory::utility},
                                        .allow_category_change = false,
                                        .send_ttl_seconds = 600});
    CHECK(f.request().url ==
          "https://content.twilio.com/v1/Content/" + sid_text + "/ApprovalRequests/whatsapp");
    CHECK(f.request().body == R"({"name":"order_update","category":"UTILITY",)"
                              R"("allow_category_change":false,"send_ttl_seconds":600})");
    CHECK(got.status == ApprovalStatus::received);
    CHECK(got.is_pending());
    CHECK(got.send_ttl_seconds == 600);
    CHECK(got.allow_category_change == false);

    const auto field = [&](ApprovalRequest request) {
        return f.client().try_submit(ContentSid{sid_text}, request).error().field();
    };
    const TemplateCategory utility{TemplateCategory::utility};
    CHECK(field({.name = "Order", .category = utility}) == "name");
    CHECK(field({.name = TextField(std::string(513, 'a')), .category = utility}) == "name");
    CHECK(field({.name = "order"}) == "category");
    CHECK(field({.name = "order", .category = TemplateCategory{"SALES"}}) == "category");
    CHECK(field({.name = "order", .category = utility, .send_ttl_seconds = 0}) ==
          "send_ttl_seconds");
    CHECK(f.transport->request_count() == 1);
}

TEST_CASE("an approval is read whatever the case of its status, and null is unsubmitted") {
    Fixture f;
    f.transport->respond(200, approval("REJECTED", "INVALID_FORMAT"))
        .respond(200, R"({"sid": "x", "whatsapp": null})")
        .respond(200, approval("in_appeal"))
        .respond(200, R"({"whatsapp": {}})");
    const auto rejected = f.client().fetch_approval(ContentSid{sid_text});
    CHECK(f.request().url ==
          "https://content.twilio.com/v1/Content/" + sid_text + "/ApprovalRequests");
    CHECK(rejected.status == ApprovalStatus::rejected);
    CHECK(rejected.rejection_reason == RejectionReason::invalid_format);
    CHECK(rejected.category == TemplateCategory::utility);
    CHECK(f.client().fetch_approval(ContentSid{sid_text}).status == ApprovalStatus::unsubmitted);
    CHECK(f.client().fetch_approval(ContentSid{sid_text}).status == "in_appeal");
    CHECK(f.client().try_fetch_approval(ContentSid{sid_text}).error().kind() ==
          ErrorKind::response);
}

TEST_CASE("a search filters at Twilio, and refuses filters that Twilio would") {
    Fixture f;
    f.transport->respond(200, R"({"contents": [], "meta": {"next_page_url": null}})");
    ContentFilter filter{.name = "order.*",
                         .content = "on its way",
                         .languages = {"en", "de"},
                         .types = {"twilio/text"},
                         .statuses = {ApprovalStatus{ApprovalStatus::approved}},
                         .created_after = TimePoint{},
                         .order = ContentFilter::Order::by_name,
                         .page_size = 500};
    for (const auto& each : f.client().search(filter)) FAIL(name_of(each));
    CHECK(f.request().url ==
          "https://content.twilio.com/v2/ContentAndApprovals?ContentName=order.*&Content=on+its+"
          "way&Language=en&Language=de&ContentType=twilio%2Ftext&ChannelEligibility=whatsapp%"
          "3Aapproved&DateCreatedAfter=1970-01-01T00%3A00%3A00Z&SortByContentName=asc&PageSize="
          "500");
    const auto refused = [&](ContentFilter wrong) {
        auto results = f.client().try_search(std::move(wrong));
        return (*results.begin()).error().field();
    };
    CHECK(refused({.page_size = 501}) == "PageSize");
    CHECK(refused({.page_size = 0}) == "PageSize");
    CHECK(refused({.name = TextField(std::string(451, 'a'))}) == "ContentName");
    CHECK(refused({.content = TextField(std::string(1'025, 'a'))}) == "Content");
    CHECK(f.transport->request_count() == 1);
}

TEST_CASE("a list is walked page by page, lazily, and never to another host") {
    Fixture f;
    const auto item = [](char digit) {
        return R"({"sid": "HX)" + std::string(32, digit) + R"("})";
    };
    f.transport
        ->respond(200, R"({"contents": [)" + item('1') + "," + item('2') +
                           R"(], "meta": {"next_page_url":
                           "https://content.twilio.com/v1/ContentAndApprovals?PageToken=x"}})")
        .respond(200, R"({"contents": [)" + item('3') +
                          R"(], "meta": {"next_page_url": "https://evil.test/v1"}})");
    std::vector<std::string> sids;
    std::optional<Error> failure;
    for (const auto& each : f.client().try_list()) {
        if (each) {
            sids.push_back(each->sid.str().substr(2, 1));
        } else {
            failure = each.error();
        }
        if (sids.size() == 2) CHECK(f.transport->request_count() == 1);
    }
    CHECK(sids == std::vector<std::string>{"1", "2", "3"});
    REQUIRE(failure);
    CHECK(failure->kind() == ErrorKind::invalid_request);
    CHECK(f.transport->request_count() == 2);

    Fixture odd;
    odd.transport->respond(200, R"({"contents": 1})");
    CHECK_THROWS_AS(odd.client().list().begin(), ResponseError);
}

TEST_CASE("a template goes from its definition to its approval at FakeTwilio") {
    Desk desk;
    const auto made = desk.client.create(order_update());
    CHECK(desk.client.fetch(made.sid).definition.same_content(order_update()));
    CHECK(desk.client.fetch_approval(made.sid).status == ApprovalStatus::unsubmitted);
    const auto changed = order_update("Hi {{1}}, order {{2}} is at the door");
    CHECK(desk.client.update(made.sid, changed).definition.same_content(changed));
    desk.client.submit(made.sid, {.name = "order_update",
                                  .category = TemplateCategory{TemplateCategory::utility}});
    const auto judged = desk.client.wait_until_approved(made.sid);
    CHECK(judged.is_approved());
    CHECK(judged.name == "order_update");
    const auto late = desk.client.try_update(made.sid, order_update());
    CHECK(late.error().kind() == ErrorKind::api);
    CHECK(late.error().hint() == containing("create one under a new name"));
    std::vector<std::string> listed;
    for (const auto& each : desk.client.list()) {
        listed.push_back(name_of(each) + ' ' + each.approval.value().status.str());
    }
    CHECK(listed.front() == "order_update approved");
    desk.client.remove(made.sid);
    CHECK(desk.client.try_fetch(made.sid).error().http_status() == 404);
}

TEST_CASE("every verb has an asynchronous form that answers later") {
    Desk desk;
    std::optional<ContentTemplate> made;
    desk.client.async_create(order_update(), [&](auto result) { made = std::move(*result); });
    CHECK_FALSE(made.has_value());
    desk.fake->run_until_idle();
    REQUIRE(made);
    int answers = 0;
    const auto counted = [&answers](const auto& result) { answers += result ? 1 : 100; };
    desk.client.async_fetch(made->sid, counted);
    desk.client.async_update(made->sid, order_update(), counted);
    desk.client.async_submit(
        made->sid,
        {.name = "order_update", .category = TemplateCategory{TemplateCategory::utility}}, counted);
    desk.client.async_fetch_approval(made->sid, counted);
    desk.fake->run_until_idle();
    CHECK(answers == 4);
    std::optional<ContentApproval> judged;
    desk.client.async_wait_until_approved(made->sid,
                                          [&](auto result) { judged = std::move(*result); });
    desk.fake->run_until_idle();
    REQUIRE(judged);
    CHECK(judged->is_approved());
    std::vector<std::string> seen;
    const auto see = [&seen](const ContentTemplate& each) {
        seen.push_back(name_of(each));
        return true;
    };
    desk.client.async_list(see, counted);
    desk.client.async_search({.name = "order"}, see, counted);
    desk.fake->run_until_idle();
    CHECK(answers == 6);
    CHECK(std::count(seen.begin(), seen.end(), "order_update") == 2);
    desk.client.async_remove(made->sid, counted);
    desk.fake->run_until_idle();
    CHECK(answers == 7);
}

}  // namespace content_client_test
