// What docs/receiving.md shows.
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;
using wa::testing::FakeTwilio;
using namespace std::chrono_literals;

namespace {

// [bot]
wa::WebhookHandler make_bot(const std::string& auth_token) {
    wa::WebhookHandler bot{wa::RequestValidator{auth_token},
                           {.public_url = wa::PublicUrl::fixed("https://bot.example.com")}};
    bot.on_text([](const wa::InboundMessage& message) {
        return wa::MessagingResponse{"You said: " + message.body};
    });
    bot.on_status(wa::MessageStatus::undelivered, [](const wa::StatusCallback& callback) {
        std::printf("%s: %s\n", callback.sid.str().c_str(),
                    std::string(callback.advice().advice).c_str());
    });
    return bot;
}
// [bot]

wa::InboundFilter inbound_order() {
    return wa::inbound::text("order");
}
void look_later(const wa::MessageSid& sid) {
    std::printf("look for the answer to %s\n", sid.str().c_str());
}
void handle(const wa::WebhookEvent&) {}

// [filters]
void add_menu(wa::WebhookHandler& bot) {
    bot.on(wa::inbound::text("help"), [](const wa::InboundMessage&) {
        return wa::MessagingResponse{"Write a parcel number, or tap a button."};
    });
    bot.on(wa::inbound::button("cancel") || wa::inbound::list("cancel"),
           [](const wa::InboundMessage&) { return wa::MessagingResponse{"Cancelled."}; });
    bot.on_location([](const wa::InboundMessage& message) {
        return wa::MessagingResponse{"So you are at " + message.location->label};
    });
    bot.on_message([](const wa::InboundMessage&) {});  // whatever else: no answer
}
// [filters]

// [inside]
void confirm_orders(wa::WebhookHandler& bot, const wa::MessagesClient& client) {
    bot.on(inbound_order(), [&client](const wa::InboundMessage& message,
                                      const wa::HandlerContext& context) {
        const auto sent = client.try_send_text({.to = message.from, .body = "It is ordered."},
                                               {.timeout = 5s, .cancel = context.lease_lost});
        if (sent) return;
        if (sent.error().effect() == wa::Effect::none) sent.error().raise();  // 500: again
        look_later(message.sid);  // never again from here: it may have been sent
    });
}
// [inside]

// [opt_out]
void say_goodbye(wa::WebhookHandler& bot) {
    bot.on_opt_out([](const wa::InboundMessage& message) {
        std::printf("%s: an opt-out\n", message.sid.str().c_str());
    });
}
// [opt_out]

// [claim]
int handle_once(const wa::DedupStore& dedup, const wa::WebhookRequest& verified,
                std::string_view signature) {
    const auto event = wa::parse_webhook(verified);
    if (!event) return 400;
    const auto key = wa::event_key(*event, signature);
    if (!key) return 400;  // its SIDs are not whole
    const auto claim = dedup.claim(*key);
    if (!claim || claim->outcome == wa::ClaimOutcome::running) return 503;
    if (claim->outcome == wa::ClaimOutcome::recut) return 403;
    if (claim->outcome == wa::ClaimOutcome::done) return 200;
    try {
        handle(*event);
    } catch (...) {
        static_cast<void>(dedup.release(*claim));  // a repetition runs it again
        return 500;
    }
    static_cast<void>(dedup.finish(*claim));  // where the store fails, it was handled all the same
    return 200;
}
// [claim]

void proxies() {
    // [proxies]
    auto fixed = wa::PublicUrl::fixed("https://bot.example.com");
    auto with_prefix = wa::PublicUrl::fixed("https://api.example.com/prod");
    auto forwarded = wa::PublicUrl::behind_proxies({"10.0.0.0/8", "fd00::/8"});
    // [proxies]
    // [hosts]
    auto ours = wa::PublicUrl::behind_proxies({"10.0.0.0/8"}, {.hosts = {"bot.example.com"}});
    auto direct = wa::PublicUrl::as_received({"bot.example.com", "bot.example.com:8443"});
    // [hosts]
    static_cast<void>(ours);
    static_cast<void>(direct);
    static_cast<void>(with_prefix);
    static_cast<void>(forwarded);
    // [overrides]
    const std::string for_twilio =
        fixed.webhook_url("/whatsapp", {.retries = 3, .retry_on = "all"});
    // https://bot.example.com/whatsapp#rc=3&rp=all
    // [overrides]
    std::puts(for_twilio.c_str());
}

wa::WebhookOptions shared_state(std::shared_ptr<wa::Store> store) {
    // [state]
    wa::WebhookOptions options;
    const auto keeper = std::make_shared<wa::LeaseKeeper>();  // one for the whole program
    options.dedup = std::make_shared<wa::DedupStore>(         // each event once
        store, wa::DedupOptions{.keeper = keeper});
    options.window = std::make_shared<wa::ConversationWindow>(store);  // the client's, too
    options.opt_outs = std::make_shared<wa::OptOuts>(store);           // the client's, too
    // [state]
    return options;
}

// [status]
void follow(wa::WebhookHandler& bot, const std::shared_ptr<wa::StatusTracker>& tracker) {
    bot.on_status([tracker](const wa::StatusCallback& callback) {  // every status
        const auto known = tracker->update(callback.account_sid.str(), callback.sid.str(),
                                           callback.status, callback.error_code);
        if (!known || !known->changed) return;
        std::printf("%s is now %s\n", callback.sid.str().c_str(), known->status.str().c_str());
        if (known->status == wa::MessageStatus::undelivered) {
            std::printf("%s\n", std::string(callback.advice().advice).c_str());
        }
    });
}
// [status]

void notify(const wa::MessagesClient& client, wa::WebhookHandler& bot) {
    const auto fixed = wa::PublicUrl::fixed("https://bot.example.com");
    // [job]
    bot.on_status([](const wa::StatusCallback& callback) {
        std::printf("job %s is %s\n", std::string(callback.query_parameter("job")).c_str(),
                    callback.status.str().c_str());
    });
    client.send_text({.to = "+447700900123",
                      .body = "Your parcel is here.",
                      .status_callback = fixed.webhook_url("/status?job=17")});
    // [job]
}

// [split]
wa::MessagingResponse in_parts(const std::string& answer_of_a_model) {
    wa::MessagingResponse answer;
    for (const auto& part : wa::split_text(answer_of_a_model)) answer.message(part);
    return answer;
}
// [split]

// [twiml]
wa::MessagingResponse order_answer() {
    wa::MessagingResponse answer;
    answer.message("Here is your receipt:");
    answer.message({.body = "Receipt", .media = {"https://example.com/receipt.pdf"}});
    return answer;
}
// [twiml]

void answer_slowly(const wa::MessagesClient& client, const wa::InboundMessage& message) {
    // [typing]
    client.send_typing_indicator(message.sid);
    client.send_text({.to = message.from, .body = "Found it: it leaves tomorrow."});
    // [typing]
}

void save_files(const wa::MediaClient& media, const wa::InboundMessage& message) {
    // [media]
    for (const wa::InboundMedia& file : message.media) {
        const auto saved = media.try_download_to_string(file.url);
        if (saved) std::printf("%zu bytes of %s\n", saved->size, saved->content_type.c_str());
    }
    // [media]
}

}  // namespace

int main() {
    auto fake = FakeTwilio::with_account({.lifecycle = wa::testing::Lifecycle::automatic});
    const wa::MessagesClient client{fake->credentials(), fake->client_options()};
    const wa::MediaClient media{fake->credentials(), fake->client_options()};
    auto store = std::make_shared<wa::MemoryStore>();

    auto bot = make_bot(std::string(FakeTwilio::demo_auth_token));
    add_menu(bot);
    say_goodbye(bot);
    proxies();

    auto options = shared_state(store);
    options.public_url = wa::PublicUrl::fixed("https://bot.example.com");
    wa::WebhookHandler second{wa::RequestValidator{FakeTwilio::demo_auth_token}, options};
    follow(second, std::make_shared<wa::StatusTracker>(store));
    int files = 0;
    second.on_media([&](const wa::InboundMessage& message) {
        save_files(media, message);
        ++files;
        return order_answer();
    });
    second.on(wa::inbound::text("story"),
              [](const auto&) { return in_parts(std::string(2000, 'x')); });
    second.on_text([&](const wa::InboundMessage& message) { answer_slowly(client, message); });

    fake->set_webhook(FakeTwilio::demo_sender, "https://bot.example.com/whatsapp");
    fake->set_status_callback(FakeTwilio::demo_sender, "https://bot.example.com/status");
    auto* handler = &bot;
    wa::WebhookRequest last;
    fake->on_webhook([&](const std::string&, const wa::WebhookRequest& request) {
        last = request;
        return handler->handle(request);
    });
    const auto customer = fake->customer("+447700900123");
    customer.sends_text("Hello");
    fake->run_until_idle();
    if (customer.conversation().back().body != "You said: Hello") return 1;
    handler = &second;
    customer.sends_media("bytes", "image/png");
    customer.sends_text("Where is it?");
    fake->run_until_idle();
    if (files != 1 || customer.conversation().size() != 7) return 1;
    customer.sends_text("story");
    fake->run_until_idle();
    if (customer.conversation().size() != 10) return 1;  // two parts

    std::string job;
    wa::WebhookHandler third{wa::RequestValidator{FakeTwilio::demo_auth_token},
                             {.public_url = wa::PublicUrl::fixed("https://bot.example.com")}};
    third.on_status(wa::MessageStatus::delivered, [&](const wa::StatusCallback& callback) {
        job = callback.query_parameter("job");
    });
    handler = &third;
    notify(client, third);
    fake->run_until_idle();
    if (job != "17") return 1;

    wa::WebhookHandler fourth{wa::RequestValidator{FakeTwilio::demo_auth_token},
                              {.public_url = wa::PublicUrl::fixed("https://bot.example.com")}};
    confirm_orders(fourth, client);
    handler = &fourth;
    const auto before = customer.conversation().size();
    customer.sends_text("order");
    fake->run_until_idle();
    if (customer.conversation().size() != before + 2) return 1;

    const wa::DedupStore dedup{store};
    const auto signature = wa::find_header(last.headers, "X-Twilio-Signature");
    const bool once = handle_once(dedup, last, signature) == 200;
    last.body += "&Body=cut";
    return once && handle_once(dedup, last, signature) == 200 ? 0 : 1;
}
