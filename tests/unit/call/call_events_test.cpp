#include "call/call_events.hpp"

#include <doctest/doctest.h>

#include <cctype>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <twiliowa/media_client.hpp>
#include <twiliowa/messages_client.hpp>
#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

#include "support/show.hpp"

namespace call_events_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::test::containing;
using twiliowa::testing::ManualClock;
using twiliowa::testing::ScriptedTransport;

namespace {

const std::string hex(32, 'a');
const std::string account = "AC" + std::string(32, '0');
const MessageSid sid{"SM" + hex};
const std::string created = R"({"sid":"SM)" + hex + R"(","status":"queued"})";

/// Keeps what every event said of its call, as text that outlives the event.
struct Recorder final : Observer {
    struct Heard {
        std::string event;
        std::uint64_t id;
        std::string method, scheme, host, path, account;
        int port;
        std::thread::id thread;
    };
    std::vector<Heard> heard;

    void note(const char* event, const CallInfo& call) {
        heard.push_back({event, call.id, std::string(call.method), std::string(call.scheme),
                         std::string(call.host), std::string(call.path_template),
                         std::string(call.account_sid), call.port, std::this_thread::get_id()});
    }
    void on_call(const CallEvent& e) noexcept override { note("call", e.call); }
    void on_attempt(const AttemptEvent& e) noexcept override { note("attempt", e.call); }
    void on_retry(const RetryEvent& e) noexcept override { note("retry", e.call); }
    void on_result(const ResultEvent& e) noexcept override { note("result", e.call); }

    std::vector<std::string> events() const {
        std::vector<std::string> names;
        for (const auto& one : heard) names.push_back(one.event);
        return names;
    }
    std::set<std::uint64_t> ids() const {
        std::set<std::uint64_t> all;
        for (const auto& one : heard) all.insert(one.id);
        return all;
    }
};

using Names = std::vector<std::string>;

struct Fixture {
    std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<Recorder> recorder = std::make_shared<Recorder>();
    ClientOptions options = make_options();
    ClientOptions make_options() const {
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
};

OutboundText text() {
    return {.to = "+447700900123", .body = "Hi"};
}

/// Whether `path` is what `pattern` says, with something without a slash for each name in braces.
bool fits(std::string_view path, std::string_view pattern) {
    while (!pattern.empty()) {
        if (pattern.front() != '{') {
            if (path.empty() || path.front() != pattern.front()) return false;
            path.remove_prefix(1);
            pattern.remove_prefix(1);
            continue;
        }
        std::size_t length = 0;
        while (length < path.size() && std::isalnum(static_cast<unsigned char>(path[length]))) {
            ++length;
        }
        if (length == 0) return false;
        path.remove_prefix(length);
        pattern.remove_prefix(pattern.find('}') + 1);
    }
    return path.empty();
}

}  // namespace

TEST_CASE("the events of one call have one id, and say where it goes and on whose behalf") {
    Fixture f;
    f.transport->respond(503).respond(200, created);
    static_cast<void>(f.client().fetch(sid));
    CHECK(f.recorder->events() == Names{"call", "attempt", "retry", "attempt", "result"});
    CHECK(f.recorder->ids().size() == 1);
    for (const auto& heard : f.recorder->heard) {
        CHECK(heard.id != 0);
        CHECK(heard.method == "GET");
        CHECK(heard.scheme == "https");
        CHECK(heard.host == "api.twilio.com");
        CHECK(heard.port == 443);
        CHECK(heard.path == "/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json");
        CHECK(heard.account == account);
    }
}

TEST_CASE("each call has an id of its own, whichever client makes it") {
    Fixture f;
    for (int i = 0; i < 4; ++i) f.transport->respond(201, created);
    const auto one = f.client();
    const auto other = f.client();
    for (const auto* client : {&one, &other, &one, &other}) {
        static_cast<void>(client->send_text(text()));
    }
    CHECK(f.recorder->ids().size() == 4);
}

TEST_CASE("a call's start is told in the thread of the caller, before anything is sent") {
    Fixture f;
    f.transport->respond(201, created);
    const auto client = f.client();
    bool done = false;
    client.async_send_text(text(), [&](const Result<Message>&) { done = true; });
    REQUIRE(f.recorder->heard.size() == 1);
    CHECK(f.recorder->heard[0].event == "call");
    CHECK(f.recorder->heard[0].thread == std::this_thread::get_id());
    f.transport->run_until_idle(f.clock.get());
    CHECK(done);
    CHECK(f.recorder->events() == Names{"call", "attempt", "result"});
    CHECK(f.recorder->ids().size() == 1);
}

TEST_CASE("a call that is refused or cancelled before it begins has a start and an end, too") {
    Fixture f;
    const auto client = f.client();
    CHECK_FALSE(client.try_send_text({.to = "", .body = "Hi"}));
    CHECK(f.recorder->events() == Names{"call", "result"});
    CHECK(f.recorder->ids().size() == 1);
    CHECK(f.recorder->heard[0].path == "/2010-04-01/Accounts/{AccountSid}/Messages.json");
    CHECK(f.recorder->heard[0].account == "");  // was not asked for yet

    f.recorder->heard.clear();
    CancelSource source;
    source.cancel();
    CHECK_FALSE(client.try_fetch(sid, {.cancel = source.token()}));
    CHECK(f.recorder->events() == Names{"call", "result"});
    CHECK(f.recorder->heard[0].account == account);
}

TEST_CASE("of every verb the path template is that of the path that it calls, and tells no value") {
    Fixture f;
    f.options.base_url = "http://127.0.0.1:8080";
    const auto client = f.client();
    const MediaClient media(Credentials::auth_token(account, "token"), f.options);
    const MediaSid media_sid{"ME" + hex};
    const auto media_url = "http://127.0.0.1:8080/2010-04-01/Accounts/" + account + "/Messages/" +
                           sid.str() + "/Media/" + media_sid.str();
    const std::pair<const char*, std::function<void()>> verbs[] = {
        {"POST", [&] { static_cast<void>(client.try_send_text(text())); }},
        {"GET", [&] { static_cast<void>(client.try_fetch(sid)); }},
        {"GET", [&] { static_cast<void>(client.try_list_page({.to = "+447700900123"})); }},
        {"GET", [&] { static_cast<void>(client.try_list_media(sid)); }},
        {"POST", [&] { static_cast<void>(client.try_cancel(sid)); }},
        {"POST", [&] { static_cast<void>(client.try_redact(sid)); }},
        {"POST", [&] { static_cast<void>(client.try_feedback(sid)); }},
        {"POST", [&] { static_cast<void>(client.try_send_typing_indicator(sid)); }},
        {"DELETE", [&] { static_cast<void>(client.try_remove(sid)); }},
        {"DELETE", [&] { static_cast<void>(client.try_remove_media(sid, media_sid)); }},
        {"GET", [&] { static_cast<void>(media.try_download_to_string(media_url)); }},
    };
    for (const auto& [method, call] : verbs) {
        f.transport->respond(404, R"({"code":20404,"message":"none","status":404})");
        f.recorder->heard.clear();
        const auto before = f.transport->request_count();
        call();
        REQUIRE(f.transport->request_count() > before);
        const auto request = f.transport->requests().at(before);
        auto path = request.url.substr(std::string("http://127.0.0.1:8080").size());
        path = path.substr(0, path.find('?'));
        REQUIRE_FALSE(f.recorder->heard.empty());
        const auto& heard = f.recorder->heard.front();
        INFO("path ", path, " of ", heard.path);
        CHECK(fits(path, heard.path));
        CHECK(heard.path != containing(hex));
        CHECK(heard.method == method);
        CHECK(heard.scheme == "http");
        CHECK(heard.port == 8080);
    }
}

TEST_CASE("an attempt says why it failed, and the last one and the result the same") {
    struct Errors final : Observer {
        std::vector<std::string> attempts;
        std::string result;
        void on_attempt(const AttemptEvent& e) noexcept override {
            attempts.emplace_back(e.error ? to_string(e.error->kind()) : "none");
        }
        void on_result(const ResultEvent& e) noexcept override {
            result = e.error ? to_string(e.error->kind()) : "none";
        }
    };
    Fixture f;
    const auto errors = std::make_shared<Errors>();
    f.options.observer = errors;
    f.transport->fail(Error::transport(Effect::none, Stage::connect, "no route"))
        .respond(429, R"({"code":20429,"message":"slow down","status":429})")
        .respond(201, created);
    CHECK(f.client().try_send_text(text()).has_value());
    CHECK(errors->attempts == Names{"transport", "rate_limit", "none"});
    CHECK(errors->result == "none");

    errors->attempts.clear();
    f.transport->respond(404, R"({"code":20404,"message":"none","status":404})");
    CHECK_FALSE(f.client().try_fetch(sid));
    CHECK(errors->attempts == Names{"not_found"});
    CHECK(errors->result == "not_found");
}

}  // namespace call_events_test
