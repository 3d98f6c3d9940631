// The program's own id of a call, as the observer is told of it.
#include <doctest/doctest.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/testing/fake_twilio.hpp>

namespace correlation_id_test {

using namespace twiliowa;
using testing::FakeTwilio;

// GCC before 13 copies options that are written into a `co_await` byte by byte.
static_assert(std::is_trivially_copyable_v<CorrelationId>);

/// Of which ids what was told.
struct HeardIds final : Observer {
    std::vector<std::string> ids;
    std::set<std::uint64_t> calls;
    std::string error;

    void note(const CallInfo& call) {
        ids.emplace_back(call.correlation_id);
        calls.insert(call.id);
    }
    void on_call(const CallEvent& event) noexcept override { note(event.call); }
    void on_attempt(const AttemptEvent& event) noexcept override { note(event.call); }
    void on_retry(const RetryEvent& event) noexcept override { note(event.call); }
    void on_result(const ResultEvent& event) noexcept override {
        note(event.call);
        if (event.error != nullptr) error = event.error->field();
    }
};

struct Asked {
    Asked() {
        auto options = fake->client_options();
        options.observer = heard;
        client = std::make_unique<MessagesClient>(fake->credentials(), options);
    }
    /// What was told since the last time, if it was all of that id.
    std::size_t events_of(const std::string& id) {
        fake->run_until_idle();
        for (const auto& each : heard->ids) CHECK(each == id);
        const auto events = heard->ids.size();
        heard->ids.clear();
        return events;
    }

    std::shared_ptr<FakeTwilio> fake = FakeTwilio::with_account();
    std::shared_ptr<HeardIds> heard = std::make_shared<HeardIds>();
    std::unique_ptr<MessagesClient> client;
    OutboundText text{.to = "+447700900123", .body = "Hi"};
};

TEST_CASE("every event of a call has the program's own id, and none where it gave none") {
    Asked asked;
    asked.client->send_text(asked.text);
    CHECK(asked.events_of("") == 3);
    asked.fake->throttle_next(FakeTwilio::demo_account_sid, 1);
    asked.client->send_text(asked.text, {.correlation_id = "request 1"});
    CHECK(asked.events_of("request 1") == 5);
    const std::string id(CorrelationId::most_bytes, 'x');
    asked.client->async_send_text(asked.text, [](const auto&) {}, {.correlation_id = id});
    CHECK(asked.events_of(id) == 3);
    // Refused at its checks.
    CHECK_FALSE(asked.client->try_send_text({.to = "+44", .body = "Hi"}, {.correlation_id = id}));
    CHECK(asked.events_of(id) == 2);
}

TEST_CASE("the requests of one verb have the id in common, and each an id of its call") {
    Asked asked;
    for (int i = 0; i < 3; ++i) asked.client->send_text(asked.text);
    asked.heard->ids.clear();
    asked.heard->calls.clear();
    for (const auto& listed :
         asked.client->try_list({.page_size = 1}, {.correlation_id = "walk"})) {
        CHECK(listed);
    }
    CHECK(asked.events_of("walk") >= 9);
    CHECK(asked.heard->calls.size() >= 3);
}

TEST_CASE("an id that no log takes, or that would be cut, is refused before anything is sent") {
    Asked asked;
    const auto before = asked.fake->requests().size();
    for (const auto& id : {std::string(CorrelationId::most_bytes + 1, 'x'), std::string{"a\nb"}}) {
        CAPTURE(id.size());
        const auto refused = asked.client->try_send_text(asked.text, {.correlation_id = id});
        REQUIRE_FALSE(refused);
        CHECK(refused.error().field() == "correlation_id");
        CHECK(asked.heard->error == "correlation_id");
        asked.heard->error.clear();
        int completed = 0;
        bool within = true;
        asked.client->async_send_text(asked.text,
                                      [&](const Result<Message>& sent) {
                                          CHECK_FALSE(within);
                                          CHECK(sent.error().field() == "correlation_id");
                                          ++completed;
                                      },
                                      {.correlation_id = id});
        within = false;
        asked.fake->run_until_idle();
        CHECK(completed == 1);
    }
    CHECK(asked.fake->requests().size() == before);
    CHECK(CorrelationId{""}.empty());
    CHECK(CorrelationId{std::string{"a"}}.text() == "a");
}

}  // namespace correlation_id_test
