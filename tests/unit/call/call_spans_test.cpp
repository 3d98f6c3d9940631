// The spans of docs/adr/0024, made of events alone: what a tracer of a program's own has to do.
#include <doctest/doctest.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

#include "support/show.hpp"

namespace call_spans_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::testing::ManualClock;
using twiliowa::testing::ScriptedTransport;

namespace {

using Attributes = std::map<std::string, std::string>;

struct Span {
    std::string name;
    Attributes attributes = {};
    MonotonicTime begin = {};
    MonotonicTime end = {};
    std::vector<Span> children = {};
};

/// OpenTelemetry's attributes of an HTTP client span, as far as they are of the call.
Attributes http_attributes(const CallInfo& call) {
    return {{"http.request.method", std::string(call.method)},
            {"server.address", std::string(call.host)},
            {"server.port", std::to_string(call.port)},
            {"url.template", std::string(call.path_template)}};
}

std::string error_type(const Error& error, int http_status) {
    return http_status != 0 ? std::to_string(http_status) : std::string(to_string(error.kind()));
}

/// One span a call, and below it one an HTTP request; a call's spans are found by its id.
class Tracer final : public Observer {
public:
    explicit Tracer(std::shared_ptr<Clock> clock) : clock_(std::move(clock)) {}

    std::vector<Span> roots;

    void on_call(const CallEvent& event) noexcept override {
        auto& span = open_[event.call.id];
        span.name = event.call.operation;
        span.begin = clock_->monotonic_now();
        span.attributes["twilio.account_sid"] = event.call.account_sid;
    }
    void on_attempt(const AttemptEvent& event) noexcept override {
        Span span{std::string(event.call.method) + ' ' + std::string(event.call.path_template),
                  http_attributes(event.call)};
        span.end = clock_->monotonic_now();
        span.begin = span.end - event.duration;
        if (event.http_status != 0) {
            span.attributes["http.response.status_code"] = std::to_string(event.http_status);
        }
        if (event.attempt > 1) {
            span.attributes["http.request.resend_count"] = std::to_string(event.attempt - 1);
        }
        if (event.error != nullptr) {
            span.attributes["error.type"] = error_type(*event.error, event.http_status);
        }
        open_[event.call.id].children.push_back(std::move(span));
    }
    void on_result(const ResultEvent& event) noexcept override {
        auto span = std::move(open_[event.call.id]);
        open_.erase(event.call.id);
        span.end = clock_->monotonic_now();
        if (event.error != nullptr) {
            span.attributes["error.type"] = error_type(*event.error, event.error->http_status());
        }
        roots.push_back(std::move(span));
    }
    bool all_closed() const { return open_.empty(); }

private:
    std::shared_ptr<Clock> clock_;
    std::map<std::uint64_t, Span> open_;
};

struct Fixture {
    std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<Tracer> tracer = std::make_shared<Tracer>(clock);
    MessagesClient client() const {
        ClientOptions options;
        options.from = "+14155238886";
        options.transport = transport;
        options.clock = clock;
        options.observer = tracer;
        options.random = [] { return 0.5; };
        return MessagesClient(Credentials::auth_token("AC" + std::string(32, '0'), "token"),
                              options);
    }
};

const std::string created = R"({"sid":"SM)" + std::string(32, 'a') + R"("})";
const std::string throttled = R"({"code":20429,"message":"slow down","status":429})";
const OutboundText text{.to = "+447700900123", .body = "Hi"};

}  // namespace

TEST_CASE("the events of a retried call give its tree of spans, in OpenTelemetry's attributes") {
    Fixture f;
    f.transport->fail(Error::transport(Effect::none, Stage::connect, "no route"))
        .respond(429, throttled)
        .respond(201, created);
    CHECK(f.client().try_send_text(text).has_value());

    REQUIRE(f.tracer->roots.size() == 1);
    CHECK(f.tracer->all_closed());
    const auto& call = f.tracer->roots[0];
    CHECK(call.name == "messages.create");
    CHECK(call.attributes == Attributes{{"twilio.account_sid", "AC" + std::string(32, '0')}});
    REQUIRE(call.children.size() == 3);
    const std::string name = "POST /2010-04-01/Accounts/{AccountSid}/Messages.json";
    auto expected = Attributes{{"http.request.method", "POST"},
                               {"server.address", "api.twilio.com"},
                               {"server.port", "443"},
                               {"url.template", name.substr(5)}};
    for (const auto& child : call.children) {
        CHECK(child.name == name);
        CHECK(child.begin >= call.begin);
        CHECK(child.end <= call.end);
    }
    CHECK(call.children[1].begin > call.children[0].end);  // the back-off is between them
    CHECK(call.children[2].begin > call.children[1].end);

    expected["error.type"] = "transport";
    CHECK(call.children[0].attributes == expected);
    expected["error.type"] = "429";
    expected["http.response.status_code"] = "429";
    expected["http.request.resend_count"] = "1";
    CHECK(call.children[1].attributes == expected);
    expected.erase("error.type");
    expected["http.response.status_code"] = "201";
    expected["http.request.resend_count"] = "2";
    CHECK(call.children[2].attributes == expected);
}

TEST_CASE("calls that are under way at the same time keep their spans apart") {
    Fixture f;
    f.transport->respond(429, throttled).respond(201, created).respond(201, created);
    const auto client = f.client();
    int done = 0;
    for (int i = 0; i < 2; ++i) {
        client.async_send_text(text, [&](const Result<Message>& sent) { done += sent ? 1 : 0; });
    }
    f.transport->run_until_idle(f.clock.get());
    CHECK(done == 2);
    REQUIRE(f.tracer->roots.size() == 2);
    CHECK(f.tracer->all_closed());
    CHECK(f.tracer->roots[0].children.size() + f.tracer->roots[1].children.size() == 3);
}

TEST_CASE("a refused call is a span without a request below it, and says what kind of error") {
    Fixture f;
    CHECK_FALSE(f.client().try_send_text({.to = "nobody", .body = "Hi"}));
    REQUIRE(f.tracer->roots.size() == 1);
    CHECK(f.tracer->roots[0].children.empty());
    CHECK(f.tracer->roots[0].attributes.at("error.type") == "invalid_request");
}

}  // namespace call_spans_test
