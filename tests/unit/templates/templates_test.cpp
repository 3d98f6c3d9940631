#include <twiliowa/templates.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

#include "support/show.hpp"

namespace templates_test {

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

/// The machine's clock, which tells when somebody begins to wait, and may fail.
struct WatchedClock : Clock {
    TimePoint now() const override {
        if (fails) throw std::runtime_error("no clock");
        return system_clock()->now();
    }
    MonotonicTime monotonic_now() const override { return system_clock()->monotonic_now(); }
    void sleep_until(MonotonicTime until, const CancelToken& cancel) override {
        waits.set_value();
        system_clock()->sleep_until(until, cancel);
    }
    std::promise<void> waits;
    bool fails = false;
};

/// Templates whose answers a test writes down.
struct ScriptedDesk {
    std::shared_ptr<testing::ScriptedTransport> transport =
        std::make_shared<testing::ScriptedTransport>();
    std::string sid = "HX" + std::string(32, 'a');
    ContentClient client(const std::shared_ptr<Clock>& clock = {}) const {
        ClientOptions options;
        options.transport = transport;
        options.clock = clock;
        options.retry.max_attempts = 1;
        return ContentClient{Credentials::auth_token("AC" + std::string(32, '0'), "token"),
                             options};
    }
    static std::string content(const std::string& sid) {
        return R"({"sid": ")" + sid + R"(", "types": {"twilio/text": {"body": "Hi"}}})";
    }
    static std::string approval() { return R"({"whatsapp": {"status": "approved"}})"; }
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
    CHECK_FALSE(desk.templates.try_get(desk.sid));
    CHECK(desk.watch->count == 2);
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
    std::optional<Error> end;
    desk.templates.async_get("order_update", [&](const auto& got) { end = got.error(); });
    REQUIRE(end);
    CHECK(end->field() == "ContentSid");
    desk.fake->set_fault_rate(Fault::unavailable, 1);
    CHECK_FALSE(desk.templates.try_get(desk.sid));
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

TEST_CASE("both calls of a fetch are within the time of the call that makes it") {
    const ScriptedDesk desk;
    const auto clock = std::make_shared<ManualClock>();
    std::vector<MonotonicTime::duration> left;
    desk.transport
        ->then([&](const HttpRequest&, const CallContext& context) -> Result<HttpResponse> {
            left.push_back(context.deadline - clock->monotonic_now());
            clock->advance(3s);
            return HttpResponse{200, {}, ScriptedDesk::content(desk.sid)};
        })
        .then([&](const HttpRequest&, const CallContext& context) -> Result<HttpResponse> {
            left.push_back(context.deadline - clock->monotonic_now());
            return HttpResponse{200, {}, ScriptedDesk::approval()};
        });
    Templates templates{desk.client(clock), {.clock = clock}};
    CHECK(templates.try_get(desk.sid, {.timeout = 5s}));
    CHECK(left == std::vector<MonotonicTime::duration>{5s, 2s});
}

TEST_CASE("who waits for a fetch that fails learns why, and makes none of their own") {
    const ScriptedDesk desk;
    const auto clock = std::make_shared<WatchedClock>();
    Templates* known = nullptr;
    std::optional<Error> other;
    std::thread waiting;
    desk.transport->then([&](const HttpRequest&, const CallContext&) -> Result<HttpResponse> {
        waiting = std::thread{[&] { other = known->try_get(desk.sid).error(); }};
        clock->waits.get_future().wait();
        return HttpResponse{404, {}, "{}"};
    });
    Templates templates{desk.client(), {.clock = clock}};
    known = &templates;
    CHECK(templates.try_get(desk.sid).error().kind() == ErrorKind::not_found);
    waiting.join();
    REQUIRE(other);
    CHECK(other->kind() == ErrorKind::not_found);
    CHECK(desk.transport->request_count() == 1);
}

TEST_CASE("who waits for a fetch that is cancelled makes one of their own") {
    const ScriptedDesk desk;
    const auto clock = std::make_shared<WatchedClock>();
    Templates* known = nullptr;
    bool found = false;
    std::thread waiting;
    CancelSource source;
    desk.transport
        ->then([&](const HttpRequest&, const CallContext&) -> Result<HttpResponse> {
            waiting = std::thread{[&] { found = known->try_get(desk.sid).has_value(); }};
            clock->waits.get_future().wait();
            source.cancel();
            return Error{{.kind = ErrorKind::cancelled, .summary = "cancelled"}};
        })
        .respond(200, ScriptedDesk::content(desk.sid))
        .respond(200, ScriptedDesk::approval());
    Templates templates{desk.client(), {.clock = clock}};
    known = &templates;
    CHECK(templates.try_get(desk.sid, {.cancel = source.token()}).error().kind() ==
          ErrorKind::cancelled);
    waiting.join();
    CHECK(found);
    CHECK(desk.transport->request_count() == 3);
}

TEST_CASE("a fetch that ends by an exception keeps nobody waiting") {
    const ScriptedDesk desk;
    const auto clock = std::make_shared<WatchedClock>();
    Templates templates{desk.client(), {.clock = clock}};
    desk.transport->respond(200, ScriptedDesk::content(desk.sid))
        .respond(200, ScriptedDesk::approval())
        .respond(200, ScriptedDesk::content(desk.sid))
        .respond(200, ScriptedDesk::approval());
    clock->fails = true;
    CHECK_THROWS_AS(static_cast<void>(templates.try_get(desk.sid)), std::runtime_error);
    clock->fails = false;
    CHECK(templates.try_get(desk.sid, {.timeout = 1s}));
}

TEST_CASE("while a template is renewed others use it as it was, but none that is too old") {
    const ScriptedDesk desk;
    const auto clock = std::make_shared<ManualClock>();
    Templates* known = nullptr;
    std::vector<bool> found;
    CancelSource cancelled;
    cancelled.cancel();
    const auto ask_beside = [&](const HttpRequest&, const CallContext&) -> Result<HttpResponse> {
        std::thread{[&] {
            found.push_back(known->try_get(desk.sid, {.cancel = cancelled.token()}).has_value());
        }}.join();
        return HttpResponse{200, {}, ScriptedDesk::content(desk.sid)};
    };
    desk.transport->respond(200, ScriptedDesk::content(desk.sid))
        .respond(200, ScriptedDesk::approval())
        .then(ask_beside)
        .respond(200, ScriptedDesk::approval())
        .then(ask_beside)
        .respond(200, ScriptedDesk::approval());
    Templates templates{desk.client(clock), {.clock = clock}};
    known = &templates;
    CHECK(templates.try_get(desk.sid));
    clock->advance(10min);
    CHECK(templates.try_get(desk.sid));
    clock->advance(24h + 10min + 1ms);
    CHECK(templates.try_get(desk.sid));
    CHECK(found == std::vector<bool>{true, false});
}

TEST_CASE("an answer that is another template's is not taken for the one that was asked for") {
    const ScriptedDesk desk;
    const std::string other = "HX" + std::string(32, 'b');
    desk.transport->respond(200, ScriptedDesk::content(other))
        .respond(200, ScriptedDesk::content(other));
    Templates templates{desk.client()};
    const auto blocking = templates.try_get(desk.sid);
    REQUIRE_FALSE(blocking);
    CHECK(blocking.error().kind() == ErrorKind::response);
    CHECK(blocking.error().effect() == Effect::none);
    std::optional<Error> end;
    templates.async_get(desk.sid, [&](const auto& got) { end = got.error(); });
    desk.transport->run_until_idle();
    REQUIRE(end);
    CHECK(end->kind() == ErrorKind::response);
    CHECK(templates.to_json().find(other) == std::string::npos);
}

TEST_CASE("a look-up's callback may ask again, and may be the end of the templates") {
    Desk desk;
    auto templates =
        std::make_unique<Templates>(ContentClient{desk.fake->credentials(), desk.options()});
    int answers = 0;
    templates->async_get(desk.sid, [&](const auto& got) {
        answers += got ? 1 : 100;
        templates->async_get(desk.sid, [&](const auto& again) { answers += again ? 1 : 100; });
        templates->forget(desk.sid);
        templates->async_get(desk.sid, [&](const auto& late) { answers += late ? 100 : 1; });
        templates.reset();
    });
    desk.fake->run_until_idle();
    CHECK(answers == 3);
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
    std::optional<Error> end;
    offline->async_get("HX" + std::string(32, 'f'), [&](const auto& got) { end = got.error(); });
    REQUIRE(end);
    CHECK(end->code() == 21655);
    CHECK(offline->try_fetch_all().error().code() == 21655);
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

TEST_CASE("what a file says does not take the place of what is known") {
    Desk desk;
    desk.templates.fetch_all();
    const TemporaryPath path;
    REQUIRE(desk.templates.try_save_file(path.str()));
    const auto asked = desk.asked();
    REQUIRE(desk.templates.try_read_file(path.str()));
    CHECK(desk.templates.try_get(desk.sid));
    CHECK(desk.asked() == asked);
}

TEST_CASE("a template that a list gives without its approval is asked about before it is used") {
    const ScriptedDesk desk;
    desk.transport->respond(200, R"({"contents": [)" + ScriptedDesk::content(desk.sid) + "]}")
        .respond(200, ScriptedDesk::content(desk.sid))
        .respond(200, ScriptedDesk::approval());
    Templates templates{desk.client()};
    REQUIRE(templates.try_fetch_all());
    CHECK(templates.get(desk.sid).approval.has_value());
    CHECK(desk.transport->request_count() == 3);
}

TEST_CASE("a refusal by Twilio is no reason to use a template as it was") {
    const ScriptedDesk desk;
    const auto clock = std::make_shared<ManualClock>();
    desk.transport->respond(200, ScriptedDesk::content(desk.sid))
        .respond(200, ScriptedDesk::approval())
        .respond(401, "{}");
    Templates templates{desk.client(clock), {.clock = clock}};
    CHECK(templates.try_get(desk.sid));
    clock->advance(10min);
    CHECK(templates.try_get(desk.sid).error().kind() == ErrorKind::authentication);
}

TEST_CASE("answers that make no sense are said to make none, and what is null is absent") {
    const ScriptedDesk desk;
    Templates templates{desk.client()};
    const auto kind_of = [&](const std::string& content, const std::string& approval) {
        templates.forget(desk.sid);
        desk.transport->respond(200, content);
        if (!approval.empty()) desk.transport->respond(200, approval);
        const auto got = templates.try_get(desk.sid);
        return got ? std::string("known") : std::string(to_string(got.error().kind()));
    };
    const std::string deep(1'000, '[');
    for (const auto* body :
         {"", "[]", "null", "7", "{}", "{\"sid\": null}", "{\"sid\": \"\xff\"}"}) {
        CAPTURE(body);
        CHECK(kind_of(body, "") == "response");
    }
    CHECK(kind_of(deep, "") == "response");
    const auto content = ScriptedDesk::content(desk.sid);
    for (const auto* body :
         {"[]", "{}", R"({"whatsapp": []})", R"({"whatsapp": 7})",
          R"({"whatsapp": {"status": null}})", R"({"whatsapp": {"status": 1}})"}) {
        CAPTURE(body);
        CHECK(kind_of(content, body) == "response");
    }
    for (const auto* members :
         {R"("types": null, "variables": null)", R"("types": [], "variables": 1)",
          R"("types": {"twilio/text": null}, "variables": {"1": null})",
          R"("types": {"twilio/text": [1]}, "language": 3)"}) {
        CAPTURE(members);
        CHECK(kind_of(R"({"sid": ")" + desk.sid + R"(", )" + members + "}",
                      ScriptedDesk::approval()) == "known");
        CHECK(templates.try_render(desk.sid, {}));
    }
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

}  // namespace templates_test
