// What docs/testing.md shows.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <twiliowa/testing/emulator_clock.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/scripted_transport.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;
using namespace std::chrono_literals;

namespace {

void expect(bool fact) {
    if (!fact) std::abort();
}

void sends() {
    // [send]
    auto fake = wa::testing::FakeTwilio::with_account();
    const wa::MessagesClient client{fake->credentials(), fake->client_options()};

    client.send_text({.to = "+447700900123", .body = "Hi"});

    expect(fake->messages().front().body == "Hi");
    // [send]
}

void conversation() {
    // [conversation]
    auto fake =
        wa::testing::FakeTwilio::with_account({.lifecycle = wa::testing::Lifecycle::automatic});
    wa::WebhookHandler bot{wa::RequestValidator{wa::testing::FakeTwilio::demo_auth_token},
                           {.public_url = wa::PublicUrl::fixed("https://bot.test")}};
    bot.on_text(
        [](const wa::InboundMessage& m) { return wa::MessagingResponse{"Echo " + m.body}; });

    fake->set_webhook(wa::testing::FakeTwilio::demo_sender, "https://bot.test/whatsapp");
    fake->on_webhook(
        [&](const std::string&, const wa::WebhookRequest& request) { return bot.handle(request); });

    const auto lee = fake->customer("+447700900123");
    lee.sends_text("hello");
    fake->run_until_idle();
    expect(lee.conversation().back().body == "Echo hello");

    fake->advance(25h);  // the 24-hour window closes
    expect(!lee.window_is_open());
    // [conversation]
}

void one_clock() {
    // [clock]
    auto fake =
        wa::testing::FakeTwilio::with_account({.lifecycle = wa::testing::Lifecycle::automatic});
    const auto clock = fake->clock();
    const auto store = std::make_shared<wa::MemoryStore>(wa::MemoryStoreOptions{.clock = clock});
    const auto window = std::make_shared<wa::ConversationWindow>(
        store, wa::ConversationWindowOptions{.clock = clock});
    const auto opt_outs = std::make_shared<wa::OptOuts>(store, wa::OptOutOptions{.clock = clock});

    wa::WebhookHandler bot{wa::RequestValidator{wa::testing::FakeTwilio::demo_auth_token},
                           {.public_url = wa::PublicUrl::fixed("https://bot.test"),
                            .dedup = std::make_shared<wa::DedupStore>(store),
                            .window = window,
                            .opt_outs = opt_outs,
                            .clock = clock}};
    fake->connect(bot, "https://bot.test/whatsapp");
    auto options = fake->client_options();  // has the clock already
    options.window = window;
    options.opt_outs = opt_outs;
    const wa::MessagesClient client{fake->credentials(), options};

    const auto lee = fake->customer("+447700900123");
    lee.sends_text("hello");
    fake->run_until_idle();
    expect(client.try_send_text({.to = lee.address(), .body = "Hi"}).has_value());
    fake->advance(25h);
    expect(client.try_send_text({.to = lee.address(), .body = "Hi"}).error().code() == 63016);
    // [clock]
}

// [emulator_clock]
std::shared_ptr<wa::ConversationWindow> window_by_the_emulator(
    const std::string& base_url, const std::shared_ptr<wa::HttpTransport>& transport) {
    const auto clock = std::make_shared<wa::testing::EmulatorClock>(base_url, transport);
    return std::make_shared<wa::ConversationWindow>(std::make_shared<wa::MemoryStore>(),
                                                    wa::ConversationWindowOptions{.clock = clock});
}
// [emulator_clock]

void faults() {
    // [faults]
    auto fake = wa::testing::FakeTwilio::with_account();
    const wa::MessagesClient client{fake->credentials(), fake->client_options()};

    fake->next_fault(wa::testing::Fault::close_after);  // carried out, but the answer is lost
    const auto sent = client.try_send_text({.to = "+447700900123", .body = "Hi"});
    expect(sent.error().kind() == wa::ErrorKind::outcome_unknown);
    expect(fake->messages().size() == 1);

    const auto refused = client.try_send_text({.to = "+15005550004", .body = "Hi"});
    expect(refused.error().code() == 21610);  // a recipient with a fate: has opted out
    // [faults]
}

void scripted() {
    // [scripted]
    auto script = std::make_shared<wa::testing::ScriptedTransport>();
    script->respond(429, R"({"code": 20429})")
        .respond(201, R"({"sid": "SM0123456789abcdef0123456789abcdef", "status": "queued"})");

    wa::ClientOptions options;
    options.from = "+15005550006";
    options.transport = script;
    const wa::MessagesClient client{
        wa::Credentials::auth_token("AC00000000000000000000000000000001", "token"), options};

    expect(client.send_text({.to = "+447700900123", .body = "Hi"}).status == "queued");
    expect(script->request_count() == 2);
    // [scripted]
}

}  // namespace

int main() {
    sends();
    conversation();
    one_clock();
    faults();
    scripted();
    const auto nobody = std::make_shared<wa::testing::ScriptedTransport>();
    expect(window_by_the_emulator("http://127.0.0.1:1", nobody) != nullptr);
    std::puts("as shown");
}
