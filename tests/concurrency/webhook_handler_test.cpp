#include <twiliowa/webhook_handler.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

namespace webhook_handler_test {

using namespace twiliowa;

TEST_CASE("the same webhook from 64 threads, 1000 times each, runs the handler once") {
    const RequestValidator validator{"token"};
    WebhookHandler handler{validator, {.public_url = PublicUrl::fixed("https://example.com")}};
    std::atomic<int> runs{0};
    handler.on_text([&](const InboundMessage&) { ++runs; });

    WebhookRequest request;
    request.target = "/hook";
    request.body =
        "MessageSid=SM0123456789abcdef0123456789abcdef&AccountSid="
        "AC00000000000000000000000000000001&From=whatsapp%3A%2B447700900123&Body=Hi";
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                       {"X-Twilio-Signature",
                        validator.sign({.url = "https://example.com/hook", .body = request.body})}};

    std::atomic<int> other_answers{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 64; ++i) {
        threads.emplace_back([&] {
            for (int j = 0; j < 1000; ++j) {
                const int status = handler.handle(request).status;
                if (status != 200 && status != 503) ++other_answers;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(runs == 1);
    CHECK(other_answers == 0);
}

}  // namespace webhook_handler_test
