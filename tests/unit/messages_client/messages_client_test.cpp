#include <twiliowa/messages_client.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

#include "support/show.hpp"

namespace messages_client_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::test::containing;
using twiliowa::testing::ManualClock;
using twiliowa::testing::ScriptedTransport;

namespace {

const std::string hex(32, 'a');
const std::string account = "AC" + std::string(32, '0');
const std::string sid_text = "SM" + hex;
const MessageSid sid{sid_text};
const std::string created = R"({"sid":")" + sid_text + R"(","status":"queued"})";
const std::string throttled = R"({"code":20429,"message":"slow down","status":429})";

struct Recorder final : Observer {
    std::vector<std::string> events;
    void on_attempt(const AttemptEvent& e) noexcept override {
        events.push_back("attempt " + std::to_string(e.attempt) + " " +
                         std::to_string(e.http_status));
    }
    void on_retry(const RetryEvent& e) noexcept override {
        events.push_back("retry after " + std::to_string(e.delay.count()) + "ms");
    }
    void on_result(const ResultEvent& e) noexcept override {
        events.push_back(std::string(e.call.operation) + (e.error ? " failed" : " done") +
                         " after " + std::to_string(e.attempts));
    }
};

struct Fixture {
    std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<Recorder> recorder = std::make_shared<Recorder>();
    ClientOptions options = make_options();
    ClientOptions make_options() {
        ClientOptions o;
        o.from = "+14155238886";
        o.transport = transport;
        o.clock = clock;
        o.observer = recorder;
        o.random = [] { return 0.5; };
        return o;
    }
    MessagesClient client() const {
        return MessagesClient(Credentials::auth_token(account, "token"), options);
    }
    HttpRequest request(std::size_t i = 0) const { return transport->requests().at(i); }
};

OutboundText text() {
    return {.to = "+447700900123", .body = "Hi"};
}

/// Runs an asynchronous verb to its end.
template <class T, class Start>
Result<T> finish(Fixture& f, Start start) {
    std::optional<Result<T>> result;
    start([&](Result<T> r) {
        CHECK_FALSE(result.has_value());
        result.emplace(std::move(r));
    });
    CHECK_FALSE(result.has_value());  // never inside the initiating call
    f.transport->run_until_idle(f.clock.get());
    REQUIRE(result.has_value());
    return *result;
}

}  // namespace

TEST_CASE("a send goes to the account's messages with authentication, and gives the message") {
    Fixture f;
    f.transport->respond(201, created);
    const Message m = f.client().send_text(text());
    CHECK(m.sid == sid);
    CHECK(m.status == MessageStatus::queued);
    const auto request = f.request();
    CHECK(request.method == HttpMethod::post);
    CHECK(request.url ==
          "https://api.twilio.com/2010-04-01/Accounts/" + account + "/Messages.json");
    CHECK(request.authorization.reveal().substr(0, 6) == "Basic ");
    CHECK(request.body == "To=whatsapp%3A%2B447700900123&From=whatsapp%3A%2B14155238886&Body=Hi");
}

TEST_CASE("credentials have a mark, which is another when they are, and tells nothing of them") {
    Fixture f;
    const auto mark_of = [&](const std::string& account_sid, const std::string& token) {
        const MessagesClient client{Credentials::auth_token(account_sid, token), f.options};
        return client.try_credentials_mark().value();
    };
    const auto mark = mark_of(account, "token");
    CHECK(mark == mark_of(account, "token"));
    CHECK(mark != mark_of(account, "other-token"));
    // A main account's token opens a subaccount, and may be refused for one of the two.
    const auto main_account = Credentials::auth_token(account, "token");
    const MessagesClient subaccount{main_account.for_account("AC" + std::string(32, '1')),
                                    f.options};
    CHECK(mark != subaccount.try_credentials_mark().value());
    CHECK(mark.find("token") == std::string::npos);
    const MessagesClient none{
        [] { return Result<Credentials>{Error::invalid_request("credentials", "are away")}; },
        f.options};
    CHECK(none.try_credentials_mark().error().field() == "credentials");
    CHECK(f.transport->requests().empty());
}

TEST_CASE("each kind of message can be sent by its verb, and any of them by send") {
    Fixture f;
    const OutboundTemplate a{.to = "+447700900123", .content_sid = "HX" + hex};
    const OutboundMedia b{.to = "+447700900123", .media_url = "https://x.test/a"};
    const OutboundLocation c{.to = "+447700900123", .latitude = 1, .name = "Here"};
    for (int i = 0; i < 10; ++i) f.transport->respond(201, created);
    const auto client = f.client();
    static_cast<void>(client.send_template(a));
    static_cast<void>(client.send_media(b));
    static_cast<void>(client.send_location(c));
    static_cast<void>(client.send(a));
    static_cast<void>(client.send(b));
    static_cast<void>(client.send(c));
    static_cast<void>(client.send(text()));
    CHECK(f.request(0).body == f.request(3).body);
    CHECK(f.request(1).body == f.request(4).body);
    CHECK(f.request(2).body == f.request(5).body);
}

TEST_CASE("a refusal happens before the network, in every form") {
    Fixture f;
    const auto client = f.client();
    CHECK_THROWS_AS(static_cast<void>(client.send_text({.to = "nobody", .body = "x"})),
                    InvalidRequestError);
    CHECK(client.try_send_text({.to = "nobody", .body = "x"}).error().field() == "To");
    CHECK(client.check(OutboundText{.to = "+447700900123"}).error().field() == "Body");
    CHECK(client.try_fetch(MessageSid{}).error().field() == "MessageSid");
    const auto result = finish<Message>(f, [&](Callback<Message> done) {
        client.async_send_text({.to = "nobody", .body = "x"}, std::move(done));
    });
    CHECK(result.error().field() == "To");
    CHECK(f.transport->request_count() == 0);
}

TEST_CASE("a create is not repeated after an ambiguous failure, in any form") {
    Fixture f;
    f.transport->respond(500, "oops").respond(500, "oops");
    const auto client = f.client();
    try {
        static_cast<void>(client.send_text(text()));
        FAIL("sent");
    } catch (const OutcomeUnknownError& error) {
        CHECK(error.effect() == Effect::unknown);
        REQUIRE(error.cause() != nullptr);
        CHECK(error.cause()->http_status() == 500);
        CHECK(error.host() == "api.twilio.com");
    }
    CHECK(f.transport->request_count() == 1);
    const auto result = finish<Message>(
        f, [&](Callback<Message> done) { client.async_send_text(text(), std::move(done)); });
    CHECK(result.error().kind() == ErrorKind::outcome_unknown);
    CHECK(f.transport->request_count() == 2);
}

TEST_CASE("a 2xx with a SID is success whatever else is wrong; without one nobody knows") {
    const auto send = [](std::string body) {
        Fixture f;
        f.transport->respond(201, std::move(body));
        return f.client().try_send_text(text());
    };
    CHECK(send(R"({"sid":")" + sid_text + R"(","status":)").value().sid == sid);
    CHECK(send(R"({"sid":"XX99next","to":5})").value().sid.str() == "XX99next");
    for (const char* fault : {R"("body":"\ud83d",)", "\"body\":\"\xff\",", "\"body\":\"a\nb\",",
                              R"("price":NaN,)", R"("body":"\"sid\":\"SM1\"\q",)"}) {
        CAPTURE(fault);
        CHECK(send("{" + std::string(fault) + R"("sid" : ")" + sid_text + "\"}").value().sid ==
              sid);
    }
    const auto two =
        R"({"x":NaN,"sid":")" + sid_text + R"(","y":{"sid":"SM)" + std::string(32, 'b') + "\"}}";
    CHECK(send(two).error().kind() == ErrorKind::outcome_unknown);
    for (const char* body : {"", "{}", "<html>", R"({"sid":null})", R"({"sid":"a/../b"})"}) {
        CAPTURE(body);
        const auto result = send(body);
        REQUIRE_FALSE(result);
        CHECK(result.error().kind() == ErrorKind::outcome_unknown);
        REQUIRE(result.error().cause() != nullptr);
        CHECK(result.error().cause()->kind() == ErrorKind::response);
    }
}

TEST_CASE("429 with 20429 is waited out, as long as Twilio asks, on the injected clock") {
    Fixture f;
    f.transport->respond(429, throttled, {{"Retry-After", "3"}}).respond(201, created);
    const auto before = f.clock->monotonic_now();
    CHECK(f.client().send_text(text()).sid == sid);
    CHECK(f.clock->monotonic_now() - before == 3s);
    CHECK(f.request(0).body == f.request(1).body);
    CHECK(f.recorder->events == std::vector<std::string>{"attempt 1 429", "retry after 3000ms",
                                                         "attempt 2 201",
                                                         "messages.create done after 2"});
}

TEST_CASE("asynchronous calls are retried in the same way, without a thread") {
    Fixture f;
    f.transport->respond(429, throttled).respond(201, created);
    const auto client = f.client();
    const auto before = f.clock->monotonic_now();
    const auto result = finish<Message>(
        f, [&](Callback<Message> done) { client.async_send_text(text(), std::move(done)); });
    REQUIRE(result);
    CHECK(result->sid == sid);
    CHECK(f.clock->monotonic_now() - before == 100ms);
}

TEST_CASE("a read is repeated after a 500 and after garbage") {
    Fixture f;
    f.transport->respond(500).respond(200, "<html>").respond(200, created);
    CHECK(f.client().fetch(sid).sid == sid);
    CHECK(f.request(2).url == "https://api.twilio.com/2010-04-01/Accounts/" + account +
                                  "/Messages/" + sid_text + ".json");
    f.transport->respond(200, "x").respond(200, "x").respond(200, "x").respond(200, "x");
    CHECK(f.client().try_fetch(sid).error().kind() == ErrorKind::response);
}

TEST_CASE("the typed errors of Twilio's answers") {
    Fixture f;
    f.transport->respond(401, R"({"code":20003,"message":"m"})")
        .respond(404, R"({"code":20404,"message":"m"})")
        .respond(400, R"({"code":21211,"message":"to +447700900123"})",
                 {{"Twilio-Request-Id", "RQ1"}})
        .respond(429, R"({"code":63038,"message":"m"})");
    const auto client = f.client();
    CHECK_THROWS_AS(static_cast<void>(client.fetch(sid)), AuthenticationError);
    CHECK_THROWS_AS(static_cast<void>(client.fetch(sid)), NotFoundError);
    const auto refused = client.try_send_text(text()).error();
    CHECK(refused.kind() == ErrorKind::api);
    CHECK(refused.request_id() == "RQ1");
    CHECK(refused.what() != containing("7700"));
    CHECK_THROWS_AS(static_cast<void>(client.send_text(text())), RateLimitError);
}

TEST_CASE("cancelled before it left, a call did nothing") {
    Fixture f;
    CancelSource source;
    source.cancel();
    CHECK_THROWS_AS(static_cast<void>(f.client().send_text(text(), {.cancel = source.token()})),
                    CancelledError);
    CHECK(f.transport->request_count() == 0);
    std::optional<Result<Message>> result;
    const auto client = f.client();
    client.async_send_text(text(), [&](Result<Message> r) { result.emplace(std::move(r)); },
                           {.cancel = source.token()});
    CHECK_FALSE(result.has_value());
    f.transport->run_until_idle(f.clock.get());
    REQUIRE(result.has_value());
    CHECK(result->error().kind() == ErrorKind::cancelled);
    CHECK(f.transport->request_count() == 0);
}

TEST_CASE("cancelling an asynchronous call while it waits ends it") {
    Fixture f;
    CancelSource source;
    f.transport->then([&](const HttpRequest&, const CallContext&) -> Result<HttpResponse> {
        return HttpResponse{429, {}, throttled};
    });
    f.options.observer = nullptr;
    const auto client = f.client();
    std::optional<Result<Message>> result;
    f.transport->then([&](const HttpRequest&, const CallContext&) -> Result<HttpResponse> {
        FAIL("sent again");
        return HttpResponse{};
    });
    f.options.random = [&] {
        source.cancel();
        return 0.5;
    };
    const auto cancelling = f.client();
    cancelling.async_send_text(text(), [&](Result<Message> r) { result.emplace(std::move(r)); },
                               {.cancel = source.token()});
    f.transport->run_until_idle(f.clock.get());
    REQUIRE(result);
    CHECK(result->error().kind() == ErrorKind::cancelled);
    CHECK(f.transport->request_count() == 1);
}

TEST_CASE("the deadline covers the retries") {
    Fixture f;
    f.transport->respond(429, throttled, {{"Retry-After", "3"}});
    const auto result = f.client().try_send_text(text(), {.timeout = 2s});
    CHECK(result.error().kind() == ErrorKind::rate_limit);
    CHECK(f.transport->request_count() == 1);
}

TEST_CASE("a transport that throws is a failure of unknown effect") {
    Fixture f;
    f.transport->then([](const HttpRequest&, const CallContext&) -> Result<HttpResponse> {
        throw std::runtime_error("canary");
    });
    const auto result = f.client().try_send_text(text());
    CHECK(result.error().kind() == ErrorKind::outcome_unknown);
    CHECK(result.error().what() != containing("canary"));
}

TEST_CASE("credentials are asked for at each call, and a failing provider is no crash") {
    Fixture f;
    f.transport->respond(201, created).respond(201, created);
    int asked = 0;
    const MessagesClient client(
        CredentialsProvider([&asked] {
            return Result(Credentials::auth_token(account, "token" + std::to_string(++asked)));
        }),
        f.options);
    static_cast<void>(client.send_text(text()));
    static_cast<void>(client.send_text(text()));
    CHECK(f.request(0).authorization.reveal() != f.request(1).authorization.reveal());
    const MessagesClient broken(
        CredentialsProvider([]() -> Result<Credentials> { throw std::runtime_error("canary"); }),
        f.options);
    const auto threw = broken.try_send_text(text());
    CHECK(threw.error().field() == "credentials");
    CHECK(threw.error().kind() == ErrorKind::transport);  // worth trying again
    CHECK(threw.error().effect() == Effect::none);
    CHECK(threw.error().what() != containing("canary"));
    const MessagesClient unsure(CredentialsProvider([]() -> Result<Credentials> {
                                    return Error::transport(Effect::unknown, Stage::receive,
                                                            "the vault did not answer");
                                }),
                                f.options);
    const auto vault = unsure.try_send_text(text());
    CHECK(vault.error().effect() == Effect::none);  // of our request nothing has left
    CHECK(vault.error().kind() == ErrorKind::transport);
    CHECK(vault.error().what() == containing("the vault did not answer"));
    const MessagesClient lost(CredentialsProvider([]() -> Result<Credentials> {
                                  return Error{{.kind = ErrorKind::outcome_unknown,
                                                .stage = Stage::receive,
                                                .summary = "the rotation was lost"}};
                              }),
                              f.options);
    const auto rotation = lost.try_send_text(text());
    CHECK(rotation.error().kind() == ErrorKind::transport);
    CHECK(rotation.error().effect() == Effect::none);
    CHECK(rotation.error().stage() == Stage::prepare);
    CHECK(f.transport->request_count() == 2);
    const MessagesClient none(Credentials{}, f.options);
    CHECK(none.try_send_text(text()).error().field() == "credentials");
}

TEST_CASE("the observer hears of a call that is refused before it begins") {
    Fixture f;
    const auto client = f.client();
    CHECK_FALSE(client.try_send_text({.to = "nobody", .body = "x"}));
    CHECK_FALSE(client.try_send_template({.to = "+447700900123"}));
    CHECK_FALSE(client.try_fetch(MessageSid{}));
    CHECK_FALSE(client.try_remove(MessageSid{}));
    int called = 0;
    const auto count = [&called](const auto&) { ++called; };
    client.async_send_text({.to = "nobody", .body = "x"}, count);
    client.async_send_template({.to = "+447700900123"}, count);
    client.async_feedback(MessageSid{}, count);
    f.transport->run_until_idle();
    CHECK(called == 3);
    const MessagesClient broken(
        CredentialsProvider([]() -> Result<Credentials> { throw std::runtime_error("canary"); }),
        f.options);
    CHECK_FALSE(broken.try_send_text(text()));
    const std::string created_failed = "messages.create failed after 0";
    CHECK(f.recorder->events ==
          std::vector<std::string>{created_failed, created_failed, "messages.fetch failed after 0",
                                   "messages.remove failed after 0", created_failed, created_failed,
                                   "messages.feedback failed after 0", created_failed});
    CHECK(f.transport->request_count() == 0);
}

TEST_CASE("a create is not attempted when too little of the call's time would be left") {
    Fixture f;
    f.options.rate_limiter = token_bucket({.per_second = 1.0, .burst = 1});
    f.options.timeout = 8s;
    for (int i = 0; i < 8; ++i) f.transport->respond(201, created);
    const auto client = f.client();
    std::vector<std::string> ends;
    for (int i = 0; i < 8; ++i) {
        client.async_send_text(text(), [&ends](const Result<Message>& sent) {
            ends.emplace_back(sent ? "sent" : to_string(sent.error().kind()));
        });
    }
    f.transport->run_until_idle();
    // Slots at 0 s, 1 s, ... 7 s; half of the 8 s has to be left.
    CHECK(std::count(ends.begin(), ends.end(), "sent") == 5);
    CHECK(std::count(ends.begin(), ends.end(), to_string(ErrorKind::timeout)) == 3);
    CHECK(f.transport->request_count() == 5);

    Fixture retried;
    retried.options.timeout = 8s;
    retried.transport->respond(429, throttled, {{"Retry-After", "5"}});
    CHECK(retried.client().try_send_text(text()).error().kind() == ErrorKind::rate_limit);
    CHECK(retried.transport->request_count() == 1);
    retried.transport->respond(429, throttled, {{"Retry-After", "5"}})
        .respond(200, R"({"messages":[],"next_page_uri":null})");
    CHECK(retried.client().try_list_page({}));  // reading does no harm
}

TEST_CASE("wrong options are refused by name") {
    const auto field = [](auto change) {
        Fixture f;
        change(f.options);
        const auto client = MessagesClient::try_create(
            [] { return Result(Credentials::auth_token(account, "t")); }, f.options);
        return client ? std::string{} : client.error().field();
    };
    CHECK(field([](auto&) {}).empty());
    CHECK(field([](auto& o) { o.from = "x"; }) == "from");
    CHECK(field([](auto& o) { o.messaging_service_sid = "x"; }) == "MessagingServiceSid");
    CHECK(field([](auto& o) { o.base_url = "x"; }) == "base_url");
    CHECK(field([](auto& o) { o.region = "zz9"; }) == "edge");
    CHECK(field([](auto& o) { o.status_callback = "x"; }) == "status_callback");
    CHECK(field([](auto& o) { o.timeout = 0ms; }) == "timeout");
    CHECK(field([](auto& o) { o.retry.max_attempts = 0; }) == "retry.max_attempts");
    CHECK(field([](auto& o) { o.retry.backoff_base = -1ms; }) == "retry.backoff_base");
    CHECK(field([](auto& o) { o.retry.min_attempt_time = -1ms; }) == "retry.min_attempt_time");
    CHECK(field([](auto& o) { o.retry.budget = -1; }) == "retry.budget");
    CHECK(field([](auto& o) { o.retry.budget_refill = -0.1; }) == "retry.budget_refill");
    for (const double never :
         {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) {
        CHECK(field([&](auto& o) { o.retry.budget_refill = never; }) == "retry.budget_refill");
    }
    // Sums of times would overflow: a back-off of so many years was none at all.
    static constexpr auto endless = std::chrono::milliseconds::max();
    CHECK(field([](auto& o) { o.timeout = endless; }) == "timeout");
    CHECK(field([](auto& o) { o.retry.backoff_base = endless; }) == "retry.backoff_base");
    CHECK(field([](auto& o) { o.retry.backoff_cap = endless; }) == "retry.backoff_cap");
    CHECK(field([](auto& o) { o.retry.retry_after_cap = endless; }) == "retry.retry_after_cap");
    CHECK(field([](auto& o) { o.retry.min_attempt_time = endless; }) == "retry.min_attempt_time");
}

TEST_CASE("list walks the pages lazily, each message once") {
    Fixture f;
    const std::string base = "/2010-04-01/Accounts/" + account + "/Messages.json?Page=";
    f.transport
        ->respond(200,
                  R"({"messages":[{"body":"1"},{"body":"2"}],"next_page_uri":")" + base + R"(1"})")
        .respond(200, R"({"messages":[],"next_page_uri":")" + base + R"(2"})")
        .respond(200, R"({"messages":[{"body":"3"}],"next_page_uri":null})");
    std::string seen;
    for (const Message& m : f.client().list({.to = "+447700900123", .page_size = 2})) {
        seen += m.body;
        if (seen == "1") CHECK(f.transport->request_count() == 1);
    }
    CHECK(seen == "123");
    CHECK(f.request(0).url == "https://api.twilio.com/2010-04-01/Accounts/" + account +
                                  "/Messages.json?To=whatsapp%3A%2B447700900123&PageSize=2");
    CHECK(f.request(2).url == "https://api.twilio.com" + base + "2");
}

TEST_CASE("list filters by day, inclusive, as Twilio writes it") {
    Fixture f;
    f.transport->respond(200, R"({"messages":[]})");
    const TimePoint day{std::chrono::sys_days{std::chrono::year{2008} / 1 / 2}};
    static_cast<void>(f.client().list_page({.sent_before = day, .sent_after = day}));
    CHECK(f.request().url ==
          containing("DateSent%3C=2008-01-02&DateSent%3E=2008-01-02&PageSize=50"));
    CHECK(f.client().try_list_page({.page_size = 1001}).error().field() == "PageSize");
    CHECK(f.client().try_list_page({.to = "x"}).error().field() == "To");
}

TEST_CASE("a failing list throws, or ends in an error, and never loops") {
    Fixture f;
    f.options.retry.max_attempts = 1;
    f.transport->respond(200, R"({"messages":[{"body":"1"}],"next_page_uri":"/x"})").respond(500);
    int good = 0;
    int bad = 0;
    for (const Result<Message>& m : f.client().try_list()) ++(m ? good : bad);
    CHECK(good == 1);
    CHECK(bad == 1);
    f.transport->respond(500);
    const auto walk = [&] {
        for (const Message& m : f.client().list()) static_cast<void>(m);
    };
    CHECK_THROWS_AS(walk(), TwilioError);
}

TEST_CASE("a list that leads nowhere ends in an error") {
    Fixture f;
    f.transport->respond(200, R"({"messages":[],"next_page_uri":"/x"})")
        .respond(200, R"({"messages":[],"next_page_uri":"/x"})");
    for (const Result<Message>& m : f.client().try_list()) {
        REQUIRE_FALSE(m);
        CHECK(m.error().kind() == ErrorKind::response);
        CHECK(m.error().field() == "next_page_uri");
    }
    CHECK(f.transport->request_count() == 2);

    Fixture circle;
    for (int i = 0; i < 100; ++i) {
        circle.transport->respond(200, i % 2 == 0 ? R"({"messages":[],"next_page_uri":"/a"})"
                                                  : R"({"messages":[],"next_page_uri":"/b"})");
    }
    for (const Result<Message>& m : circle.client().try_list()) CHECK_FALSE(m);
    CHECK(circle.transport->request_count() == 100);

    Fixture later;
    later.transport->respond(200, R"({"messages":[],"next_page_uri":"/x"})")
        .respond(200, R"({"messages":[],"next_page_uri":"/x"})");
    const auto client = later.client();
    const auto result = finish<void>(later, [&](Callback<void> done) {
        client.async_list(
            {}, [](const Message&) { return true; }, std::move(done));
    });
    CHECK(result.error().field() == "next_page_uri");
}

TEST_CASE("the longest and the shortest timeout mean what they say") {
    Fixture f;
    for (const auto timeout : {std::chrono::milliseconds::max(),
                               std::chrono::milliseconds{std::chrono::hours{24 * 365 * 300}}}) {
        f.transport->respond(201, created);
        CHECK(f.client().try_send_text(text(), {.timeout = timeout}));
    }
    for (const auto timeout : {std::chrono::milliseconds{0}, std::chrono::milliseconds::min()}) {
        CHECK(f.client().try_send_text(text(), {.timeout = timeout}).error().kind() ==
              ErrorKind::timeout);
    }
    CHECK(f.transport->request_count() == 2);
}

TEST_CASE("a template without its SID is refused by that name") {
    Fixture f;
    OutboundTemplate nameless{.to = "+447700900123"};
    CHECK(f.client().try_send_template(nameless).error().field() == "ContentSid");
    CHECK_THROWS_AS(f.client().send_template(nameless), InvalidRequestError);
    nameless.variables = {{"1", "Lee"}};
    const auto client = f.client();
    const auto result = finish<Message>(
        f, [&](Callback<Message> done) { client.async_send_template(nameless, std::move(done)); });
    CHECK(result.error().field() == "ContentSid");
    CHECK(f.transport->request_count() == 0);
}

TEST_CASE("credentials never follow a next link to another host") {
    Fixture f;
    const Page<Message> page{{}, "https://evil.test/2010-04-01/x"};
    CHECK(f.client().try_next_page(page).error().field() == "next_page_uri");
    CHECK(f.transport->request_count() == 0);
    CHECK(f.client().next_page({}).items.empty());
}

TEST_CASE("async_list calls back for each message until told to stop") {
    Fixture f;
    f.transport->respond(200, R"({"messages":[{"body":"1"},{"body":"2"}],"next_page_uri":"/n"})")
        .respond(200, R"({"messages":[{"body":"3"},{"body":"4"}]})");
    std::string seen;
    const auto client = f.client();
    const auto result = finish<void>(f, [&](Callback<void> done) {
        client.async_list(
            {},
            [&](const Message& m) {
                seen += m.body;
                return seen.size() < 3;
            },
            std::move(done));
    });
    CHECK(result);
    CHECK(seen == "123");
}

TEST_CASE("the changing verbs send what Twilio documents") {
    Fixture f;
    const std::string base =
        "https://api.twilio.com/2010-04-01/Accounts/" + account + "/Messages/" + sid_text;
    f.transport->respond(200, created)
        .respond(200, created)
        .respond(204)
        .respond(200, "{}")
        .respond(200, R"({"media_list":[{"sid":"ME1"}]})")
        .respond(204);
    const auto client = f.client();
    static_cast<void>(client.cancel(sid));
    CHECK(f.request(0).url == base + ".json");
    CHECK(f.request(0).body == "Status=canceled");
    static_cast<void>(client.redact(sid));
    CHECK(f.request(1).body == "Body=");
    client.remove(sid);
    CHECK(f.request(2).method == HttpMethod::delete_);
    client.feedback(sid);
    CHECK(f.request(3).url == base + "/Feedback.json");
    CHECK(f.request(3).body == "Outcome=confirmed");
    CHECK(client.list_media(sid).at(0).sid.str() == "ME1");
    client.remove_media(sid, MediaSid("ME" + hex));
    CHECK(f.request(5).url == base + "/Media/ME" + hex + ".json");
}

TEST_CASE("the asynchronous forms of the changing verbs do the same") {
    Fixture f;
    f.transport->respond(200, created)
        .respond(200, created)
        .respond(204)
        .respond(200, "{}")
        .respond(200, R"({"media_list":[{"sid":"ME1"}]})")
        .respond(204)
        .respond(200, created);
    const auto client = f.client();
    CHECK(finish<Message>(f, [&](auto done) { client.async_cancel(sid, done); }));
    CHECK(finish<Message>(f, [&](auto done) { client.async_redact(sid, done); }));
    CHECK(finish<void>(f, [&](auto done) { client.async_remove(sid, done); }));
    CHECK(finish<void>(f, [&](auto done) { client.async_feedback(sid, done); }));
    CHECK(finish<std::vector<Media>>(f, [&](auto done) {
              client.async_list_media(sid, done);
          })->size() == 1);
    CHECK(finish<void>(
        f, [&](auto done) { client.async_remove_media(sid, MediaSid("ME" + hex), done); }));
    CHECK(finish<Message>(f, [&](auto done) { client.async_fetch(sid, done); }));
    CHECK(f.transport->request_count() == 7);
}

TEST_CASE("removing what an unanswered attempt removed is success") {
    Fixture f;
    f.transport->respond(500).respond(404, R"({"code":20404,"message":"m"})");
    CHECK(f.client().try_remove(sid));
    f.transport->respond(404, R"({"code":20404,"message":"m"})");
    CHECK(f.client().try_remove(sid).error().kind() == ErrorKind::not_found);
}

TEST_CASE("an asynchronous verb on a blocking transport says so") {
    struct Blocking final : HttpTransport {
        Result<HttpResponse> send(const HttpRequest&, const CallContext&) override {
            return HttpResponse{201, {}, created};
        }
    };
    Fixture f;
    f.options.transport = std::make_shared<Blocking>();
    CHECK(f.client().send_text(text()).sid == sid);
    std::optional<Result<Message>> result;
    f.client().async_send_text(text(), [&](Result<Message> r) { result.emplace(std::move(r)); });
    REQUIRE(result);
    CHECK(result->error().field() == "transport");
}

TEST_CASE("completions run on the executor, if there is one") {
    Fixture f;
    std::vector<std::function<void()>> tasks;
    f.options.executor = [&](std::function<void()> task) { tasks.push_back(std::move(task)); };
    f.transport->respond(201, created);
    bool done = false;
    const auto client = f.client();
    client.async_send_text(text(), [&](const Result<Message>&) { done = true; });
    f.transport->run_until_idle(f.clock.get());
    CHECK_FALSE(done);
    REQUIRE(tasks.size() == 1);
    tasks[0]();
    CHECK(done);
}

TEST_CASE("a rate limiter spaces sends and leaves reads alone") {
    Fixture f;
    f.options.rate_limiter = token_bucket({.per_second = 1});
    for (int i = 0; i < 4; ++i) f.transport->respond(201, created);
    const auto client = f.client();
    const auto before = f.clock->monotonic_now();
    static_cast<void>(client.send_text(text()));
    static_cast<void>(client.send_text(text()));
    static_cast<void>(client.fetch(sid));
    CHECK(f.clock->monotonic_now() - before == 1s);
    const auto late = client.try_send_text(text(), {.timeout = 500ms});
    CHECK(late.error().kind() == ErrorKind::timeout);
    CHECK(late.error().effect() == Effect::none);
}

TEST_CASE("no canary reaches an error or an observer event") {
    struct Listener final : Observer {
        std::string heard;
        void on_attempt(const AttemptEvent& e) noexcept override {
            heard.append(e.call.operation).append(e.call.host).append(e.request_id);
        }
        void on_retry(const RetryEvent& e) noexcept override { heard.append(e.call.operation); }
        void on_result(const ResultEvent& e) noexcept override {
            heard.append(e.call.operation).append(e.request_id);
            if (e.error) heard.append(e.error->what());
        }
    };
    Fixture f;
    const auto listener = std::make_shared<Listener>();
    f.options.observer = listener;
    const MessagesClient client(Credentials::auth_token(account, "canarytoken"), f.options);
    const OutboundText canary{.to = "+447700900123", .body = "canarybody"};
    f.transport->respond(429, throttled)
        .respond(400, R"({"code":21211,"message":"canarymessage +447700900123"})",
                 {{"Twilio-Request-Id", "canary +447700900123"}});
    static_cast<void>(client.try_send_text(canary));
    f.transport->respond(500, "canarybody");
    static_cast<void>(client.try_send_text(canary));
    f.transport->respond(200, R"({"canary":"+447700900123"})");
    static_cast<void>(client.try_send_text(canary));
    static_cast<void>(client.try_send_template({.to = "+447700900123",
                                                .content_sid = "canary",
                                                .variables = {{"canary value", "canary"}}}));
    static_cast<void>(client.try_send_text({.to = "canary+447700900123", .body = "x"}));
    CHECK(listener->heard == containing("messages.create"));
    CHECK(listener->heard != containing("canary"));
    CHECK(listener->heard != containing("7700900123"));
    const auto refused = client.try_send_text({.to = "canary+447700900123", .body = "x"});
    CHECK(refused.error().what() != containing("7700900123"));
    CHECK(refused.error().what() != containing("canary"));
}

}  // namespace messages_client_test
