// An Observer that writes one line per event. Nothing it is given holds a secret, a phone number or
// message text, so the lines can go anywhere.
#include <cstdio>
#include <exception>
#include <memory>

#include <fmt/core.h>

#include <twiliowa/adapters/fmt.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

class Log final : public wa::Observer {
public:
    void on_attempt(const wa::AttemptEvent& event) noexcept override {
        fmt::print(stderr, "{} attempt {} {} http={} request={} {} us\n", event.call.operation,
                   event.attempt, event.call.host, event.http_status, event.request_id,
                   event.duration.count());
    }
    void on_retry(const wa::RetryEvent& event) noexcept override {
        fmt::print(stderr, "{} again in {} ms (code {})\n", event.call.operation,
                   event.delay.count(), event.code);
    }
    void on_result(const wa::ResultEvent& event) noexcept override {
        if (event.error == nullptr) {
            fmt::print(stderr, "{} done\n", event.call.operation);
        } else {
            fmt::print(stderr, "{} failed: {} (effect {})\n", event.call.operation, *event.error,
                       event.error->effect());
        }
    }
};

}  // namespace

int main() try {
    auto options = wa::ClientOptions::from_environment();
    options.observer = std::make_shared<Log>();
    const wa::MessagesClient client(wa::Credentials::from_environment(), options);
    const auto sent = client.send_text({.to = "+447700900123", .body = "Hello"});
    fmt::print("{} is {}\n", sent.sid, sent.status);
} catch (const std::exception& error) {
    fmt::print(stderr, "fmt_log: {}\n", error.what());
    return 1;
}
