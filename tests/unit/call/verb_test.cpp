#include "call/verb.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

namespace verb_test {

using namespace twiliowa;
using namespace twiliowa::detail;
using twiliowa::testing::ManualClock;
using twiliowa::testing::ScriptedTransport;

namespace {

/// What observers are told of the ends of calls: "name" and whether it failed.
struct EndRecorder final : Observer {
    std::vector<std::string> ends;
    void on_result(const ResultEvent& event) noexcept override {
        ends.push_back(std::string(event.call.operation) +
                       (event.error != nullptr ? " failed" : ""));
    }
};

Result<PreparedCall> prepare_greeting(const ClientCore& core, const std::string& whom) {
    if (whom.empty()) return Error::invalid_request("Whom", "is empty");
    auto credentials = core.credentials();
    if (!credentials) return credentials.error();
    PreparedCall prepared{.credentials = std::move(*credentials)};
    prepared.operation.url = core.origin_of(ApiProduct::api).base + "/greet/" + whom;
    return prepared;
}

std::optional<Error> read_greeting(HttpResponse& answer, std::string& greeting) {
    greeting = std::move(answer.body);
    if (greeting == "unreadable")
        return Error::transport(Effect::none, Stage::decode, "no greeting");
    return std::nullopt;
}

constexpr Verb<std::string, const std::string&> greet{
    {"greetings.fetch"}, prepare_greeting, read_greeting};
constexpr Verb<void, const std::string&> wave{{"greetings.wave"}, prepare_greeting, read_nothing};

struct Fixture {
    std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();
    std::shared_ptr<EndRecorder> recorder = std::make_shared<EndRecorder>();
    std::shared_ptr<const ClientCore> core;

    Fixture() {
        ClientOptions options;
        options.base_url = "https://api.test";
        options.clock = std::make_shared<ManualClock>();
        options.observer = recorder;
        options.retry.max_attempts = 1;
        const auto credentials = Credentials::auth_token("AC" + std::string(32, '0'), "token");
        core = make_client_core([credentials] { return Result(credentials); }, options).value();
    }
    template <class T>
    Result<T> run(const Verb<T, const std::string&>& verb, const std::string& whom) {
        return run_verb(verb, *core, *transport, verb.prepare(*core, whom), {});
    }
    template <class T>
    std::shared_ptr<std::optional<Result<T>>> start(const Verb<T, const std::string&>& verb,
                                                    const std::string& whom) {
        const auto end = std::make_shared<std::optional<Result<T>>>();
        start_verb(verb, core, transport, verb.prepare(*core, whom),
                   [end](Result<T> result) { *end = std::move(result); }, {});
        return end;
    }
};

using Ends = std::vector<std::string>;

}  // namespace

TEST_CASE("a verb's value is what its reader made of the answer, and observers hear its name") {
    Fixture f;
    f.transport->respond(200, "Hello, Lee");
    CHECK(f.run(greet, "lee").value() == "Hello, Lee");
    CHECK(f.transport->requests().at(0).url == "https://api.test/greet/lee");
    CHECK(f.recorder->ends == Ends{"greetings.fetch"});
}

TEST_CASE("a verb without a value succeeds without reading") {
    Fixture f;
    f.transport->respond(204);
    CHECK(f.run(wave, "lee").has_value());
    CHECK(f.recorder->ends == Ends{"greetings.wave"});
}

TEST_CASE("a verb whose reader refuses the answer ends in the reader's error") {
    Fixture f;
    f.transport->respond(200, "unreadable");
    CHECK(f.run(greet, "lee").error().what().find("no greeting") != std::string::npos);
    CHECK(f.recorder->ends == Ends{"greetings.fetch failed"});
}

TEST_CASE("a verb that cannot be prepared sends nothing, and observers hear of it by name") {
    Fixture f;
    CHECK(f.run(greet, "").error().field() == "Whom");
    CHECK(f.run(wave, "").error().field() == "Whom");
    CHECK(f.transport->request_count() == 0);
    CHECK(f.recorder->ends == Ends{"greetings.fetch failed", "greetings.wave failed"});
}

TEST_CASE("the asynchronous form of a verb completes with the same value, outside the call") {
    Fixture f;
    f.transport->respond(200, "Hello, Lee").respond(204);
    const auto greeted = f.start(greet, "lee");
    const auto waved = f.start(wave, "lee");
    CHECK_FALSE(greeted->has_value());
    CHECK_FALSE(waved->has_value());
    f.transport->run_until_idle();
    REQUIRE(greeted->has_value());
    CHECK((*greeted)->value() == "Hello, Lee");
    REQUIRE(waved->has_value());
    CHECK((*waved)->has_value());
    CHECK(f.recorder->ends == Ends{"greetings.fetch", "greetings.wave"});
}

TEST_CASE("the asynchronous form of a verb is refused outside the call, too") {
    Fixture f;
    const auto greeted = f.start(greet, "");
    CHECK_FALSE(greeted->has_value());
    f.transport->run_until_idle();
    REQUIRE(greeted->has_value());
    CHECK((*greeted)->error().field() == "Whom");
    CHECK(f.transport->request_count() == 0);
    CHECK(f.recorder->ends == Ends{"greetings.fetch failed"});
}

}  // namespace verb_test
