#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <twiliowa/content_client.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

#include "content_client/upsert_plan.hpp"

namespace upsert_test {

using namespace twiliowa;
using twiliowa::detail::UpsertPlan;
using twiliowa::detail::version_of_name;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::Fault;
using twiliowa::testing::ScriptedTransport;
using Action = ContentUpsert::Action;

namespace {

struct Desk {
    std::shared_ptr<FakeTwilio> fake = FakeTwilio::with_account();
    ContentClient client{fake->credentials(), fake->client_options()};

    void submit(const ContentTemplate& content) const {
        client.submit(content.sid, {.name = content.definition.friendly_name,
                                    .category = TemplateCategory{TemplateCategory::utility}});
    }
    int count() const {
        int templates = 0;
        for ([[maybe_unused]] const auto& each : client.list()) ++templates;
        return templates;
    }
};

ContentDefinition greeting(TextField body, TextField language = "en") {
    return {.friendly_name = "greeting",
            .language = std::move(language),
            .variables = {{"1", "Ann"}},
            .types = {TextContent{.body = std::move(body)}}};
}

}  // namespace

TEST_CASE("an upsert creates what is missing, and does nothing the next time") {
    const Desk desk;
    const auto first = desk.client.upsert(greeting("Hi {{1}}, welcome"));
    CHECK(first.action == Action::created);
    CHECK(first.content.definition.friendly_name == "greeting");
    const auto second = desk.client.upsert(greeting("Hi {{1}}, welcome"));
    CHECK(second.action == Action::unchanged);
    CHECK(second.content.sid == first.content.sid);
}

TEST_CASE("an upsert changes a template that was not submitted") {
    const Desk desk;
    const auto first = desk.client.upsert(greeting("Hi {{1}}, welcome"));
    const auto second = desk.client.upsert(greeting("Hi {{1}}, hello"));
    CHECK(second.action == Action::updated);
    CHECK(second.content.sid == first.content.sid);
    CHECK(
        desk.client.fetch(first.content.sid).definition.same_content(greeting("Hi {{1}}, hello")));
}

TEST_CASE("an upsert creates under the next name what was submitted as another") {
    const Desk desk;
    const auto first = desk.client.upsert(greeting("Hi {{1}}, welcome"));
    desk.submit(first.content);
    const auto second = desk.client.upsert(greeting("Hi {{1}}, hello"));
    CHECK(second.action == Action::created);
    CHECK(second.content.definition.friendly_name == "greeting_v2");
    CHECK(desk.client.upsert(greeting("Hi {{1}}, hello")).action == Action::unchanged);
    desk.submit(second.content);
    CHECK(desk.client.upsert(greeting("Hi {{1}}, hello")).action == Action::unchanged);
    CHECK(desk.client.upsert(greeting("Hi {{1}}, good day")).content.definition.friendly_name ==
          "greeting_v3");
}

TEST_CASE("an upsert keeps languages apart, and names that only begin alike") {
    const Desk desk;
    desk.client.upsert(greeting("Hi {{1}}, welcome"));
    const auto german = desk.client.upsert(greeting("Hallo {{1}}, willkommen", "de"));
    CHECK(german.action == Action::created);
    CHECK(german.content.definition.friendly_name == "greeting");
    CHECK(version_of_name("greeting", "greeting") == 1);
    CHECK(version_of_name("greeting", "greeting_v2") == 2);
    CHECK(version_of_name("greeting", "greeting_v41") == 41);
    CHECK(version_of_name("greeting", "greeting_v1000000") == 1'000'000);
    for (const auto* other :
         {"greeting_v1000001", "greeting_v4294967295", "greeting_v", "greeting_v1", "greeting_v02",
          "greeting_vx", "greeting_v2x", "greetings", "greet", "", "greeting_v99999999999"}) {
        CAPTURE(other);
        CHECK(version_of_name("greeting", other) == 0);
    }
}

TEST_CASE("an upsert whose creation's answer is lost finds what it created") {
    const Desk desk;
    const int before = desk.count();
    // The list comes first; then the creation, whose answer is lost.
    std::optional<Result<ContentUpsert>> done;
    desk.client.async_upsert(greeting("Hi {{1}}, welcome"),
                             [&](auto result) { done = std::move(result); });
    desk.fake->next_fault(Fault::none);
    desk.fake->next_fault(Fault::close_after);
    desk.fake->run_until_idle();
    REQUIRE(done);
    CHECK((*done)->action == Action::created);
    CHECK(desk.count() == before + 1);
}

TEST_CASE("an upsert that does not find it says that the outcome is unknown") {
    const Desk desk;
    const int before = desk.count();
    std::optional<Result<ContentUpsert>> done;
    desk.client.async_upsert(greeting("Hi {{1}}, welcome"),
                             [&](auto result) { done = std::move(result); });
    desk.fake->next_fault(Fault::none);
    desk.fake->next_fault(Fault::internal_error);
    desk.fake->run_until_idle();
    REQUIRE(done);
    CHECK(done->error().kind() == ErrorKind::outcome_unknown);
    CHECK(desk.count() == before);
    CHECK(desk.client.upsert(greeting("Hi {{1}}, welcome")).action == Action::created);
}

TEST_CASE("an upsert that cannot look after its creation was lost says that it is unknown") {
    const auto transport = std::make_shared<ScriptedTransport>();
    ClientOptions options;
    options.transport = transport;
    options.retry.max_attempts = 1;
    auto client = std::make_optional<ContentClient>(
        Credentials::auth_token("AC" + std::string(32, '0'), "token"), options);
    const auto wanted = greeting("Hi {{1}}, welcome");
    const auto lost = Error::transport(Effect::unknown, Stage::receive, "the connection closed");
    const auto unseen = Error::transport(Effect::none, Stage::connect, "nobody is there");
    const std::string nothing = R"({"contents": []})";

    transport->respond(200, nothing).fail(lost).fail(unseen);
    const auto blocking = client->try_upsert(wanted);
    CHECK(blocking.error().kind() == ErrorKind::outcome_unknown);
    CHECK(blocking.error().effect() == Effect::unknown);

    std::optional<Error> end;
    int ends = 0;
    const auto note = [&](const auto& result) {
        end = result.error();
        ++ends;
    };
    transport->respond(200, nothing).fail(lost).fail(unseen);
    client->async_upsert(wanted, note);
    transport->run_until_idle();
    REQUIRE(end);
    CHECK(end->kind() == ErrorKind::outcome_unknown);

    transport->respond(200, nothing)
        .then([&](const HttpRequest&, const CallContext&) -> Result<HttpResponse> {
            client.reset();
            return lost;
        });
    client->async_upsert(wanted, note);
    transport->run_until_idle();
    CHECK(ends == 2);
    CHECK(end->kind() == ErrorKind::outcome_unknown);
    CHECK(transport->request_count() == 8);
}

TEST_CASE("an upsert that cannot look at first has done nothing") {
    const auto transport = std::make_shared<ScriptedTransport>();
    ClientOptions options;
    options.transport = transport;
    options.retry.max_attempts = 1;
    const ContentClient client{Credentials::auth_token("AC" + std::string(32, '0'), "token"),
                               options};
    const auto failed = client.try_upsert(greeting("Hi {{1}}, welcome"));
    CHECK(failed.error().kind() == ErrorKind::transport);
    CHECK(failed.error().effect() == Effect::none);
    CHECK(transport->request_count() == 1);
}

TEST_CASE("of two templates with one name an upsert takes the first that it sees, the newer") {
    const auto wanted = greeting("Hi {{1}}, welcome");
    UpsertPlan plan{wanted};
    plan.see({.sid = ContentSid::from_wire("HX1"), .definition = greeting("Hi {{1}}, hello")});
    plan.see({.sid = ContentSid::from_wire("HX2"), .definition = wanted});
    const auto step = plan.decide();
    CHECK(step.what == UpsertPlan::Step::Do::create);
    CHECK(step.definition.friendly_name == "greeting_v2");
}

TEST_CASE("an upsert changes no template of which it does not know that it was not submitted") {
    UpsertPlan plan{greeting("Hi {{1}}, welcome")};
    plan.see({.sid = ContentSid::from_wire("HX1"), .definition = greeting("Hi {{1}}, hello")});
    CHECK(plan.decide().what == UpsertPlan::Step::Do::create);
    plan.look_again();
    plan.see({.sid = ContentSid::from_wire("HX1"),
              .definition = greeting("Hi {{1}}, hello"),
              .approval = ContentApproval{.status = ApprovalStatus{ApprovalStatus::unsubmitted}}});
    CHECK(plan.decide().what == UpsertPlan::Step::Do::update);
}

}  // namespace upsert_test
