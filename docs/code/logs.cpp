// What docs/logs.md shows.
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

// [sink]
void print(wa::LogLevel, std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
}
// [sink]

// [options]
std::shared_ptr<wa::LogObserver> log_to(wa::LogSink sink, wa::ClientOptions& client,
                                        wa::WebhookOptions& webhooks) {
    auto log = std::make_shared<wa::LogObserver>(std::move(sink),
                                                 wa::LogOptions{.level = wa::LogLevel::debug});
    client.observer = log;
    webhooks.observer = log;
    return log;
}
// [options]

// [own]
void tell_of_order(wa::LogObserver& log, const std::string& request_id, const std::string& order) {
    log.write(wa::LogLevel::info, "order_paid", {{"correlation_id", request_id}, {"order", order}});
}
// [own]

}  // namespace

int main() {
    const auto fake = wa::testing::FakeTwilio::with_account();
    auto client_options = fake->client_options();
    wa::WebhookOptions webhook_options;
    std::vector<std::string> lines;
    const auto log = log_to(
        [&](wa::LogLevel level, std::string_view line) {
            lines.emplace_back(line);
            print(level, line);
        },
        client_options, webhook_options);
    const wa::MessagesClient client{fake->credentials(), client_options};
    client.send_text({.to = "+447700900123", .body = "Hello"}, {.correlation_id = "request-17"});
    tell_of_order(*log, "request-17", "A-1");
    // The call, its attempt, its result, and the program's own.
    return lines.size() == 4 ? 0 : 1;
}
