#include <twiliowa/templates.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

#include "support/show.hpp"

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::test::containing;
using twiliowa::testing::FakeContent;
using twiliowa::testing::FakeTwilio;
using twiliowa::testing::FakeTwilioOptions;
using twiliowa::testing::Fault;
using twiliowa::testing::ManualClock;

namespace {

struct StaleWatch : Observer {
    void on_stale_template(const StaleTemplateEvent& event) noexcept override {
        ++count;
        age = event.age;
        sid = event.content_sid;
    }
    int count = 0;
    std::chrono::milliseconds age{0};
    std::string sid;
};

struct Desk {
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<FakeTwilio> fake = FakeTwilio::with_account({.clock = clock});
    std::shared_ptr<StaleWatch> watch = std::make_shared<StaleWatch>();
    std::string sid = fake->add_content({.friendly_name = "order_update",
                                         .body = "Hi {{1}}, your {{2}} is ready",
                                         .variables = {{"1", "Ann"}, {"2", "order"}}});
    ClientOptions options() const {
        auto options = fake->client_options();
        options.retry.max_attempts = 1;
        return options;
    }
    Templates templates{ContentClient{fake->credentials(), options()},
                        {.observer = watch, .clock = clock}};
    std::size_t asked() const { return fake->request_count(); }
};

/// A path that is removed at the end.
class TemporaryPath {
public:
    TemporaryPath()
        : path_((std::filesystem::temp_directory_path() /
                 ("twiliowa_templates_" + std::to_string(counter++)))
                    .string()) {}
    ~TemporaryPath() { std::filesystem::remove(path_); }
    TemporaryPath(const TemporaryPath&) = delete;
    TemporaryPath& operator=(const TemporaryPath&) = delete;
    const std::string& str() const noexcept { return path_; }

private:
    static inline std::atomic<int> counter{0};
    std::string path_;
};

}  // namespace

TEST_CASE("a template is fetched with its approval, once for its time to live") {
    Desk desk;
    const auto got = desk.templates.get(desk.sid);
    CHECK(got.definition.friendly_name == "order_update");
    REQUIRE(got.approval);
    CHECK(got.approval->is_approved());
    CHECK(desk.asked() == 2);
    desk.clock->advance(10min - 1ms);
    static_cast<void>(desk.templates.get(desk.sid));
    CHECK(desk.asked() == 2);
    desk.clock->advance(1ms);
    static_cast<void>(desk.templates.get(desk.sid));
    CHECK(desk.asked() == 4);
    desk.templates.forget(desk.sid);
    static_cast<void>(desk.templates.get(desk.sid));
    CHECK(desk.asked() == 6);
}

TEST_CASE("a template that is not approved is asked about again soon") {
    Desk desk;
    const auto pending = desk.fake->add_content({.body = "Hi", .approval = "pending"});
    static_cast<void>(desk.templates.get(pending));
    desk.clock->advance(30s);
    static_cast<void>(desk.templates.get(pending));
    CHECK(desk.asked() == 4);
}

TEST_CASE("all templates are fetched with one list") {
    Desk desk;
    desk.templates.fetch_all();
    const auto asked = desk.asked();
    CHECK(asked == 1);
    static_cast<void>(desk.templates.get(desk.sid));
    static_cast<void>(desk.templates.get(FakeTwilio::demo_content_sid));
    CHECK(desk.asked() == asked);
}

TEST_CASE("a template is used as it was while Twilio is down, and the observer is told") {
    Desk desk;
    static_cast<void>(desk.templates.get(desk.sid));
    desk.clock->advance(10min);
    desk.fake->set_fault_rate(Fault::unavailable, 1);
    CHECK(desk.templates.try_get(desk.sid));
    CHECK(desk.watch->count == 1);
    CHECK(desk.watch->age == 10min);
    CHECK(desk.watch->sid == desk.sid);
    // It is not asked with every send.
    const auto asked = desk.asked();
    CHECK(desk.templates.try_get(desk.sid));
    CHECK(desk.asked() == asked);
    desk.clock->advance(30s);
    CHECK(desk.templates.try_get(desk.sid));
    CHECK(desk.asked() == asked + 1);
    // But not for ever.
    desk.clock->advance(24h);
    const auto failed = desk.templates.try_get(desk.sid);
    REQUIRE_FALSE(failed);
    CHECK(failed.error().effect() == Effect::none);
    CHECK(failed.error().field() == "ContentSid");
    desk.fake->clear_faults();
    desk.clock->advance(30s);
    CHECK(desk.templates.try_get(desk.sid));
}

TEST_CASE("a template that is gone is not used any more, and one that never was is not known") {
    Desk desk;
    static_cast<void>(desk.templates.get(desk.sid));
    ContentClient{desk.fake->credentials(), desk.options()}.remove(ContentSid{desk.sid});
    desk.clock->advance(10min);
    const auto gone = desk.templates.try_get(desk.sid);
    CHECK(gone.error().kind() == ErrorKind::not_found);
    CHECK(gone.error().what() == containing("no such content template"));
    CHECK(desk.templates.try_get("HX" + std::string(32, 'f')).error().kind() ==
          ErrorKind::not_found);
    CHECK(desk.templates.try_get("order_update").error().field() == "ContentSid");
    CHECK(desk.watch->count == 0);
}

TEST_CASE("an asynchronous look-up answers all who wait with one fetch") {
    Desk desk;
    int answers = 0;
    for (int i = 0; i < 5; ++i) {
        desk.templates.async_get(desk.sid, [&](const auto& got) { answers += got ? 1 : 100; });
    }
    CHECK(answers == 0);
    desk.fake->run_until_idle();
    CHECK(answers == 5);
    CHECK(desk.asked() == 2);
    desk.templates.async_get(desk.sid, [&](const auto& got) { answers += got ? 1 : 100; });
    CHECK(answers == 6);  // nothing to fetch
}

TEST_CASE("templates that are destroyed end the look-ups under way") {
    Desk desk;
    auto templates =
        std::make_unique<Templates>(ContentClient{desk.fake->credentials(), desk.options()});
    std::optional<Error> end;
    templates->async_get(desk.sid, [&](const auto& got) { end = got.error(); });
    templates.reset();
    REQUIRE(end);
    CHECK(end->kind() == ErrorKind::cancelled);
    desk.fake->run_until_idle();
}

TEST_CASE("32 threads that need one template make one fetch") {
    const auto fake = FakeTwilio::with_account();
    const auto sid = fake->add_content({.body = "Hi {{1}}", .variables = {{"1", "Ann"}}});
    Templates templates{ContentClient{fake->credentials(), fake->client_options()}};
    std::atomic<int> good{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 32; ++i) {
        threads.emplace_back([&] {
            for (int k = 0; k < 20; ++k) good += templates.try_get(sid) ? 1 : 0;
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(good == 640);
    CHECK(fake->request_count() == 2);
}

TEST_CASE("who waits for another's fetch does so no longer than their time, or until cancelled") {
    const auto fake = FakeTwilio::with_account();
    const auto sid = fake->add_content({.body = "Hi"});
    const auto transport = std::make_shared<testing::ScriptedTransport>();
    Templates* known = nullptr;
    std::optional<Error> late;
    std::optional<Error> cancelled;
    transport->then([&](const HttpRequest&, const CallContext&) -> Result<HttpResponse> {
        // While this fetch is under way, others come.
        std::thread{[&] { late = known->try_get(sid, {.timeout = 5ms}).error(); }}.join();
        CancelSource source;
        source.cancel();
        std::thread{[&] {
            cancelled = known->try_get(sid, {.cancel = source.token()}).error();
        }}.join();
        return HttpResponse{404, {}, "{}"};
    });
    ClientOptions options;
    options.transport = transport;
    Templates templates{ContentClient{fake->credentials(), options}};
    known = &templates;
    CHECK(templates.try_get(sid).error().kind() == ErrorKind::not_found);
    REQUIRE(late);
    CHECK(late->kind() == ErrorKind::timeout);
    REQUIRE(cancelled);
    CHECK(cancelled->kind() == ErrorKind::cancelled);
    CHECK(transport->request_count() == 1);
}

TEST_CASE("templates from a file need nobody to ask, and know nothing else") {
    Desk desk;
    desk.templates.fetch_all();
    const TemporaryPath path;
    REQUIRE(desk.templates.try_save_file(path.str()));
    const auto offline = Templates::from_file(path.str());
    CHECK(offline->get(desk.sid).definition.friendly_name == "order_update");
    CHECK(offline->get(desk.sid).approval->is_approved());
    CHECK(offline->to_json() != "");
    const auto unknown = offline->try_get("HX" + std::string(32, 'f'));
    CHECK(unknown.error().kind() == ErrorKind::invalid_request);
    CHECK(unknown.error().code() == 21655);
    CHECK(offline->render(desk.sid, {{"1", "Bob"}, {"2", "car"}}).body ==
          "Hi Bob, your car is ready");
    CHECK_THROWS_AS(Templates::from_file("/nowhere/at/all"), InvalidRequestError);
    CHECK(Templates::try_from_json("[]").error().field() == "templates");
    CHECK(Templates::try_from_json("{}").error().field() == "templates");
    CHECK(Templates::try_from_json("{").error().field() == "templates");
    CHECK_FALSE(desk.templates.try_save_file("/nowhere/at/all"));
}

TEST_CASE("what a file says is used while Twilio is down, and asked about otherwise") {
    Desk desk;
    desk.templates.fetch_all();
    const TemporaryPath path;
    REQUIRE(desk.templates.try_save_file(path.str()));
    Templates fresh{ContentClient{desk.fake->credentials(), desk.options()},
                    {.observer = desk.watch, .clock = desk.clock}};
    REQUIRE(fresh.try_read_file(path.str()));
    desk.fake->set_fault_rate(Fault::close_before, 1);
    CHECK(fresh.try_get(desk.sid));
    CHECK(desk.watch->count == 1);
    desk.fake->clear_faults();
    desk.clock->advance(30s);
    const auto asked = desk.asked();
    CHECK(fresh.try_get(desk.sid));
    CHECK(desk.asked() == asked + 2);
}

TEST_CASE("rendering refuses variables that do not fit") {
    Desk desk;
    CHECK(desk.templates.try_render(desk.sid, {{"1", "Bob"}}).error().code() == 21656);
    CHECK(desk.templates.render(desk.sid, TemplateVariables{{"1", "Bob"}}.use_default("2")).body ==
          "Hi Bob, your order is ready");
}

TEST_CASE("drift is found before anything is sent, and shown") {
    Desk desk;
    const TemplateExpectation same{.content_sid = desk.sid,
                                   .variables = {"2", "1"},
                                   .category = TemplateCategory{TemplateCategory::utility},
                                   .body = "Hi {{ 1 }}, your {{2}} is ready"};
    CHECK_NOTHROW(desk.templates.verify_all({same}));
    const TemplateExpectation other{.content_sid = desk.sid,
                                    .variables = {"1", "name"},
                                    .category = TemplateCategory{TemplateCategory::marketing},
                                    .body = "Hello {{1}}"};
    const std::vector<TemplateExpectation> expectations{
        same, other, {.content_sid = TextField("HX" + std::string(32, 'f'))}};
    const auto drifts = desk.templates.find_drift(expectations);
    REQUIRE(drifts);
    REQUIRE(drifts->size() == 2);
    CHECK((*drifts)[0].difference ==
          R"(takes "1", "2"; the program gives "1", "name"; is of category UTILITY; the program )"
          R"(was written for MARKETING; reads "Hi {{1}}, your {{2}} is ready"; the program was )"
          R"(written for "Hello {{1}}")");
    CHECK((*drifts)[1].difference == "is no template any more");
    const auto refused = desk.templates.try_verify_all(expectations);
    CHECK(refused.error().what() == containing(R"(takes "1", "2"; the program gives "1", "name")"));
    desk.fake->set_fault_rate(Fault::unavailable, 1);
    desk.templates.forget(desk.sid);
    CHECK(desk.templates.find_drift(expectations).error().kind() == ErrorKind::api);
}

TEST_CASE("options that are wrong are refused by name") {
    const auto fake = FakeTwilio::with_account();
    const ContentClient client{fake->credentials(), fake->client_options()};
    try {
        Templates templates{client, {.use_stale_for = -1s}};
        FAIL("was taken");
    } catch (const InvalidRequestError& error) {
        CHECK(error.field() == "use_stale_for");
    }
}
