// `twiliowa send`

#include <CLI/CLI.hpp>
#include <memory>
#include <string>
#include <string_view>

#include <twiliowa/content_client.hpp>
#include <twiliowa/messages_client.hpp>
#include <twiliowa/templates.hpp>

#include "commands.hpp"
#include "context.hpp"
#include "message_view.hpp"
#include "moment.hpp"

namespace cli {

namespace {

using twiliowa::MessagesClient;
using twiliowa::OutboundMessage;

/// What every message has.
struct Envelope {
    std::string to = {};
    std::string from = {};
    std::string messaging_service = {};
    std::string status_callback = {};
    std::string send_at = {};
    bool reveal = false;
};

struct TemplateToSend {
    Envelope envelope = {};
    std::string content_sid = {};
    std::string variables = "{}";
    std::vector<std::string> defaults = {};
    bool all_defaults = false;
    bool unchecked = false;
};

void add_envelope(CLI::App& app, Envelope& envelope) {
    app.add_option("--to", envelope.to, "Who gets it: +447700900123 is WhatsApp, sms:+... an SMS")
        ->type_name("ADDRESS")
        ->required();
    app.add_option("--from", envelope.from, "Instead of TWILIO_WHATSAPP_NUMBER")
        ->type_name("ADDRESS");
    app.add_option("--messaging-service", envelope.messaging_service,
                   "The messaging service that chooses the sender (MG...)")
        ->type_name("SID");
    app.add_option("--status-callback", envelope.status_callback,
                   "Where Twilio reports what becomes of it")
        ->type_name("URL");
    app.add_option("--send-at", envelope.send_at,
                   "Not now but then: 2026-11-21T06:10:00Z, 5 minutes to 35 days ahead, through a "
                   "messaging service")
        ->type_name("TIME");
    app.add_flag("--reveal", envelope.reveal, "The text and whole numbers in what is printed");
}

/// What the library says to who writes C++, in the options of this command.
twiliowa::Error in_own_words(const twiliowa::Error& error) {
    constexpr std::string_view in_cpp = "say use_default(name)";
    const auto at = error.hint().find(in_cpp);
    if (at == std::string::npos) return error;
    return error.with([&](twiliowa::ErrorData& data) {
        data.hint.replace(at, in_cpp.size(), "add --use-default NAME");
    });
}

/// Sends it once. Where it cannot be known whether it was sent, the error says so (exit code 3).
ExitCode send_one(OutboundMessage message, const Envelope& envelope, Context& context,
                  twiliowa::ClientOptions options) {
    message.to = envelope.to;
    if (!envelope.from.empty()) message.from = envelope.from;
    if (!envelope.messaging_service.empty()) {
        message.messaging_service_sid = envelope.messaging_service;
    }
    if (!envelope.status_callback.empty()) message.status_callback = envelope.status_callback;
    if (!envelope.send_at.empty()) {
        message.send_at = time_of(envelope.send_at);
        if (!message.send_at) {
            throw usage_failure("--send-at is no time: write 2026-11-21T06:10:00Z",
                                "twiliowa send text --help");
        }
        message.schedule_type = "fixed";
    }
    const MessagesClient client{context.credentials(), std::move(options)};
    const auto answer = client.try_send(message, context.call_options());
    if (!answer) in_own_words(answer.error()).raise();
    const auto& sent = *answer;
    const auto numbers = envelope.reveal ? Numbers::whole : Numbers::masked;
    context.output.result(json_of_message(sent, numbers), text_of_message(sent, numbers));
    return ExitCode::done;
}

ExitCode send_plain(const OutboundMessage& message, const Envelope& envelope, Context& context) {
    return send_one(message, envelope, context, context.client_options());
}

Action declare_send_text(CLI::App& app) {
    const auto envelope = std::make_shared<Envelope>();
    const auto body = std::make_shared<std::string>();
    add_envelope(app, *envelope);
    app.add_option("--body", *body, "At most 1600 characters")->type_name("TEXT")->required();
    return [envelope, body](Context& context) {
        return send_plain({.body = *body}, *envelope, context);
    };
}

Action declare_send_media(CLI::App& app) {
    const auto envelope = std::make_shared<Envelope>();
    const auto url = std::make_shared<std::string>();
    const auto body = std::make_shared<std::string>();
    add_envelope(app, *envelope);
    app.add_option("--media-url", *url, "Where Twilio fetches the file")
        ->type_name("URL")
        ->required();
    app.add_option("--body", *body, "A caption")->type_name("TEXT");
    return [envelope, url, body](Context& context) {
        return send_plain({.body = *body, .media_url = {*url}}, *envelope, context);
    };
}

Action declare_send_location(CLI::App& app) {
    const auto envelope = std::make_shared<Envelope>();
    const auto location = std::make_shared<twiliowa::OutboundLocation>();
    const auto name = std::make_shared<std::string>();
    const auto label = std::make_shared<std::string>();
    add_envelope(app, *envelope);
    app.add_option("--latitude", location->latitude, "Degrees, -90 to 90")
        ->type_name("DEGREES")
        ->required();
    app.add_option("--longitude", location->longitude, "Degrees, -180 to 180")
        ->type_name("DEGREES")
        ->required();
    app.add_option("--name", *name, "The title")->type_name("TEXT")->required();
    app.add_option("--label", *label, "The line below it, an address")->type_name("TEXT");
    return [envelope, location, name, label](Context& context) {
        auto message = *location;
        message.name = *name;
        message.label = *label;
        return send_plain(message, *envelope, context);
    };
}

ExitCode send_template(const TemplateToSend& wanted, Context& context) {
    auto variables = twiliowa::TemplateVariables::from_json(wanted.variables);
    if (!variables) variables.error().raise();
    for (const auto& name : wanted.defaults) variables->use_default(name);
    if (wanted.all_defaults) variables->use_all_defaults();
    auto options = context.client_options();
    if (!wanted.unchecked) {
        options.templates = std::make_shared<twiliowa::Templates>(
            twiliowa::ContentClient{context.credentials(), context.client_options()});
    }
    return send_one({.content_sid = wanted.content_sid, .content_variables = *std::move(variables)},
                    wanted.envelope, context, std::move(options));
}

Action declare_send_template(CLI::App& app) {
    const auto wanted = std::make_shared<TemplateToSend>();
    add_envelope(app, wanted->envelope);
    app.add_option("--content-sid", wanted->content_sid, "The template's (HX...)")
        ->type_name("SID")
        ->required();
    app.add_option("--variables", wanted->variables, "Values, by name, as a JSON object")
        ->type_name("JSON");
    app.add_option("--use-default", wanted->defaults,
                   "A variable that is left out on purpose: the template's sample goes out")
        ->type_name("NAME");
    app.add_flag("--use-all-defaults", wanted->all_defaults, "The same of all that are left out");
    app.add_flag("--unchecked", wanted->unchecked,
                 "Without asking first whether the template takes these variables and may go");
    return [wanted](Context& context) { return send_template(*wanted, context); };
}

}  // namespace

std::vector<Command> send_commands() {
    return {
        {.noun = "send",
         .verb = "text",
         .summary = "Sends a text",
         .details = "Free-form texts arrive within 24 hours after the customer wrote; at other\n"
                    "times a template does. Ends with 3 if it cannot be known whether it was\n"
                    "sent: look with twiliowa messages list before it is sent again.",
         .examples = {"twiliowa send text --to +447700900123 --body 'Your order is on its way'"},
         .declare = declare_send_text},
        {.noun = "send",
         .verb = "template",
         .summary = "Sends a template",
         .details = "Asks Twilio first what the template takes: variables that do not fit, and a\n"
                    "template that may not go now, are refused before anything is sent.",
         .examples = {"twiliowa send template --to +447700900123 "
                      "--content-sid HX00000000000000000000000000000001 "
                      "--variables '{\"1\": \"Lee\", \"2\": \"A-1042\"}'"},
         .declare = declare_send_template},
        {.noun = "send",
         .verb = "media",
         .summary = "Sends a picture, a recording or a document",
         .examples = {"twiliowa send media --to +447700900123 "
                      "--media-url https://example.com/receipt.pdf --body 'Your receipt'"},
         .declare = declare_send_media},
        {.noun = "send",
         .verb = "location",
         .summary = "Sends a place",
         .examples = {"twiliowa send location --to +447700900123 --latitude 51.5007 "
                      "--longitude -0.1246 --name 'Big Ben' --label 'London SW1A 0AA'"},
         .declare = declare_send_location}};
}

}  // namespace cli
