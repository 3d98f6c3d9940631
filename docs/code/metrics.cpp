// What docs/metrics.md shows.
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

// [options]
void watch(const std::shared_ptr<wa::MetricsObserver>& metrics, wa::ClientOptions& client,
           wa::WebhookOptions& webhooks) {
    client.observer = metrics;
    webhooks.observer = metrics;
}
// [options]

// [aliases]
const wa::MetricsOptions our_names{
    .aliases = {{.name = "webhook_signature_errors_total",
                 .help = "Webhooks that are not signed by Twilio.",
                 .of = "twiliowa_webhooks_total",
                 .only = {{"outcome", "bad_signature"}, {"outcome", "recut"}},
                 .labels = {{"source", "twilio"}}},
                {.name = "twilio_messages_sent_total",
                 .help = "Messages that Twilio has taken.",
                 .of = "twiliowa_calls_total",
                 .only = {{"operation", "messages.create"}, {"outcome", "success"}}}}};
// [aliases]

struct Basket {
    std::int64_t open() const { return 3; }
};

// [source]
wa::MetricSource tell_of(const Basket& basket, wa::MetricsObserver& metrics) {
    return metrics.add_source([&basket](wa::MetricSamples& samples) {
        samples.gauge("shop_baskets", "Baskets, by state.", static_cast<double>(basket.open()),
                      {{"state", "open"}});
    });
}
// [source]

bool has(const std::string& text, const std::string& line) {
    return text.find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

int main() {
    auto fake = wa::testing::FakeTwilio::with_account();
    const auto metrics = std::make_shared<wa::MetricsObserver>(our_names);
    auto options = fake->client_options();
    wa::WebhookOptions webhook_options;
    watch(metrics, options, webhook_options);
    const wa::MessagesClient client{fake->credentials(), options};
    const wa::WebhookHandler bot{wa::RequestValidator{"token"}, webhook_options};
    const Basket basket;
    const auto source = tell_of(basket, *metrics);

    client.send_text({.to = "+447700900123", .body = "Hello"});
    bot.handle({.scheme = "https", .target = "/", .headers = {{"Host", "bot.test"}}});
    const auto text = metrics->text();
    std::fputs(text.c_str(), stdout);
    return has(text, "twilio_messages_sent_total 1") &&
                   has(text, R"(webhook_signature_errors_total{source="twilio"} 1)") &&
                   has(text, R"(shop_baskets{state="open"} 3)")
               ? 0
               : 1;
}
