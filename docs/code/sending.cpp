// What docs/sending.md shows.
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;
using namespace std::chrono_literals;

namespace {

const std::string template_sid = "HX00000000000000000000000000000001";
const std::string service_sid = "MG00000000000000000000000000000001";

void kinds(const wa::MessagesClient& client) {
    // [kinds]
    client.send_template({.to = "+447700900123",
                          .content_sid = template_sid,
                          .variables = {{"1", "Lee"}, {"2", "A-1042"}}});
    client.send_text({.to = "+447700900123", .body = "Your parcel is here."});
    client.send_media({.to = "+447700900123",
                       .media_url = "https://example.com/receipt.pdf",
                       .body = "Your receipt"});
    client.send_location({.to = "+447700900123",
                          .latitude = 51.5007,
                          .longitude = -0.1246,
                          .name = "Our shop",
                          .label = "1 High Street"});
    // [kinds]
}

// [variables]
wa::Result<wa::Message> notify(const wa::MessagesClient& client, const std::string& json) {
    auto variables = wa::TemplateVariables::from_json(json);
    if (!variables) return variables.error();
    if (auto all = variables->try_require_all({"1", "2"}); !all) return all.error();
    return client.try_send_template({.to = "+447700900123",
                                     .content_sid = template_sid,
                                     .variables = *variables,
                                     .whitespace = wa::WhitespacePolicy::normalise});
}
// [variables]

// [fallbacks]
wa::Result<wa::Message> welcome(const wa::MessagesClient& client, const std::string& name) {
    wa::TemplateVariables variables;
    variables.set_or("1", name, "there");  // a missing name becomes 'there'
    variables.set("2", "A-1042");
    return client.try_send_template({.to = "+447700900123",
                                     .content_sid = template_sid,
                                     .variables = variables,
                                     .whitespace = wa::WhitespacePolicy::normalise});
}
// [fallbacks]

void schedule(const wa::MessagesClient& client) {
    // [schedule]
    const auto reminder = client.send_template({.to = "+447700900123",
                                                .content_sid = template_sid,
                                                .messaging_service_sid = service_sid,
                                                .send_at = std::chrono::system_clock::now() + 24h});
    client.cancel(reminder.sid);
    // [schedule]
}

void everything_else(const wa::MessagesClient& client) {
    // [intent]
    client.send_template({.to = "+447700900123",
                          .content_sid = template_sid,
                          .message_intent = wa::MessageIntent{wa::MessageIntent::otp}});
    // [intent]
    // [everything]
    wa::OutboundMessage message;
    message.to = "+447700900123";
    message.body = "Your code is 123456";
    message.validity_period = 300;               // seconds in Twilio's queue
    message.extra = {{"Tags", R"({"k":"v"})"}};  // what this version does not know
    if (auto fine = client.check(message); fine) client.send(message);
    // [everything]
}

int windows() {
    auto options = wa::ClientOptions::from_environment();
    // [window]
    auto store = std::make_shared<wa::MemoryStore>();  // lost with the process: see below
    auto window = std::make_shared<wa::ConversationWindow>(store);
    auto opt_outs = std::make_shared<wa::OptOuts>(store);

    options.window = window;
    options.opt_outs = opt_outs;
    const wa::MessagesClient client{wa::Credentials::from_environment(), options};

    const wa::OutboundText answer{.to = "+447700900123",
                                  .body = "It will be there at noon.",
                                  .fallback_content_sid = template_sid,
                                  .fallback_variables = {{"1", "Lee"}}};
    client.send_text(answer);  // the text inside the window, else the template
    // [window]
    opt_outs->opt_out(options.from, "+447700900123").value();
    // [opted_out]
    const auto sent = client.try_send_text({.to = "+447700900123", .body = "News"});
    if (!sent && sent.error().advice().category == wa::ErrorCategory::opted_out) {
        std::puts("This customer does not want our messages.");
    }
    // [opted_out]
    return sent ? 1 : 0;
}

}  // namespace

int main() {
    const auto client = wa::MessagesClient::from_environment();
    kinds(client);
    if (!notify(client, R"({"1": "Lee\n", "2": "A-1042"})")) return 1;
    if (notify(client, R"({"1": null})")) return 1;
    if (notify(client, R"({"1": "Lee"})")) return 1;
    if (!welcome(client, " ")) return 1;
    schedule(client);
    everything_else(client);
    return windows();
}
