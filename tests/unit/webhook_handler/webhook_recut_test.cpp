// Whoever has seen a webhook can cut its signed text anew. However: its handler runs once.
#include <doctest/doctest.h>

#include <map>
#include <random>
#include <string>

#include "support/recut.hpp"
#include "support/webhook_service.hpp"

namespace webhook_recut_test {

using namespace twiliowa;
using namespace twiliowa::test;

// Enough: with the binding of a signature taken out, the first one runs again; with the signature
// taken out of an unknown webhook's key, the 27th does not run.
constexpr int signed_webhooks = 300;
constexpr int recuts_of_each = 50;

TEST_CASE("random recuts of random signed webhooks: the handler runs once") {
    struct Counting final : Observer {
        std::map<WebhookOutcome, int> outcomes;
        void on_webhook(const WebhookResultEvent& event) noexcept override {
            ++outcomes[event.outcome];
        }
    };
    std::mt19937 random{20261126};
    const Dice roll = [&random](std::size_t below) { return random() % below; };
    const auto counting = std::make_shared<Counting>();
    Service service{[&](WebhookOptions& options) { options.observer = counting; }};
    const RequestValidator validator{token};
    int runs = 0;
    int moved_into_url = 0;
    service.handler.on_opt_out([&](const InboundMessage&) { ++runs; })
        .on_message([&](const InboundMessage&) { ++runs; })
        .on_status([&](const StatusCallback&) { ++runs; })
        .on_unknown([&](const UnknownWebhook&) { ++runs; });

    int wrong = 0;
    std::string first_wrong;
    for (int i = 0; i < signed_webhooks; ++i) {
        const auto original = random_webhook(roll);
        const auto url = "https://example.com" + original.target;
        const auto body = original.request({}).body;
        const auto signature = validator.sign({.url = url, .body = body});
        const auto& [name, value] = original.fields.front();
        const auto account_text = name + value;
        const auto place = static_cast<int>(roll(recuts_of_each));
        runs = 0;
        for (int k = 0; k < recuts_of_each; ++k) {
            const auto cut = recut(original, roll);
            if (cut.target.find(account_text) != std::string::npos) ++moved_into_url;
            service.handler.handle(cut.request(signature));
            if (k == place) service.handler.handle(original.request(signature));
        }
        if (runs == 1) continue;
        ++wrong;
        if (first_wrong.empty()) first_wrong = original.text();
    }
    INFO("the first that is wrong: ", first_wrong);
    CHECK(wrong == 0);
    // All of them were signed, and some of each kind were there. Those whose form went into the URL
    // do not count as signed, if it can be one of a request at all.
    CHECK(counting->outcomes[WebhookOutcome::bad_signature] > 0);
    CHECK(counting->outcomes[WebhookOutcome::bad_signature] <= moved_into_url);
    CHECK(counting->outcomes[WebhookOutcome::handled] == signed_webhooks);
    CHECK(counting->outcomes[WebhookOutcome::recut] > signed_webhooks);
    CHECK(counting->outcomes[WebhookOutcome::duplicate] > signed_webhooks);
    CHECK(counting->outcomes[WebhookOutcome::unreadable] > signed_webhooks);
}

}  // namespace webhook_recut_test
