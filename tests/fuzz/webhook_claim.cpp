// Claims. The input says what a signed webhook holds and how it is cut anew, again and again:
// whatever comes of it, its signature runs one handler once.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include <twiliowa/webhook_handler.hpp>

#include "support/recut.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace twiliowa;
    const test::Dice roll = [&](std::size_t below) -> std::size_t {
        if (size == 0 || below == 0) return 0;
        --size;
        return *data++ % below;
    };
    static const RequestValidator validator{"12345"};
    int runs = 0;
    WebhookOptions options;
    options.public_url = PublicUrl::fixed("https://example.com");
    options.wait_for_running = std::chrono::milliseconds{0};
    WebhookHandler handler{validator, options};
    handler.on_opt_out([&](const InboundMessage&) { ++runs; })
        .on_message([&](const InboundMessage&) { ++runs; })
        .on_status([&](const StatusCallback&) { ++runs; })
        .on_unknown([&](const UnknownWebhook&) { ++runs; });

    auto webhook = test::random_webhook(roll);
    // What is left of the input is free text in one field, once the cuts are made.
    const auto rounds = 1 + roll(6);
    webhook.fields.back().second.append(reinterpret_cast<const char*>(data),
                                        size / 2 < 64 ? size / 2 : 64);
    const auto signature = validator.sign(
        {.url = "https://example.com" + webhook.target, .body = webhook.request({}).body});
    for (std::size_t round = 0; round < rounds; ++round) {
        const auto answer = handler.handle(test::recut(webhook, roll).request(signature));
        if (answer.status != 200 && answer.status != 400 && answer.status != 403) std::abort();
        if (runs > 1) std::abort();
    }
    if (handler.handle(webhook.request(signature)).status == 400) return 0;
    if (runs != 1) std::abort();
    return 0;
}
