// What docs/observability.md shows.
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

// [counters]
struct Counters final : wa::Observer {
    std::atomic<int> calls{0}, retries{0}, refused{0}, unknown{0}, forged{0};

    void on_retry(const wa::RetryEvent&) noexcept override { ++retries; }
    void on_result(const wa::ResultEvent& event) noexcept override {
        ++calls;
        if (event.error == nullptr) return;
        ++(event.error->effect() == wa::Effect::unknown ? unknown : refused);
    }
    void on_webhook(const wa::WebhookResultEvent& event) noexcept override {
        if (event.outcome == wa::WebhookOutcome::bad_signature) ++forged;
    }
};
// [counters]

// [correlation]
void serve(const wa::MessagesClient& client, const std::string& request_id) {
    client.send_text({.to = "+447700900123", .body = "On its way"}, {.correlation_id = request_id});
}
// [correlation]

}  // namespace

int main() {
    auto fake = wa::testing::FakeTwilio::with_account();
    auto options = fake->client_options();
    auto counters = std::make_shared<Counters>();
    options.observer = counters;
    wa::WebhookOptions webhook_options;
    webhook_options.observer = counters;

    const wa::MessagesClient client{fake->credentials(), options};
    const wa::WebhookHandler bot{wa::RequestValidator{"token"}, webhook_options};
    serve(client, "request-17");
    fake->throttle_next(wa::testing::FakeTwilio::demo_account_sid, 1);
    client.send_text({.to = "+447700900123", .body = "Hello"});
    bot.handle({.scheme = "https", .target = "/", .headers = {{"Host", "bot.test"}}});
    std::printf("%d calls, %d retries\n", counters->calls.load(), counters->retries.load());
    return counters->calls == 2 && counters->retries == 1 && counters->forged == 1 ? 0 : 1;
}
