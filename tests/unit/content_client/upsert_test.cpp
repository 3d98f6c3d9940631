#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <twiliowa/content_client.hpp>
#include <twiliowa/testing/fake_twilio.hpp>

#include "content_client/upsert_plan.hpp"

using namespace twiliowa;
using twiliowa::detail::version_of_name;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::Fault;
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
    for (const auto* other : {"greeting_v", "greeting_v1", "greeting_v02", "greeting_vx",
                              "greeting_v2x", "greetings", "greet", "", "greeting_v99999999999"}) {
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
