// `twiliowa trigger`

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <functional>
#include <memory>
#include <random>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/request_validator.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/types/address.hpp>

#include "commands.hpp"
#include "context.hpp"
#include "layout.hpp"
#include "text/form.hpp"
#include "webhook_caller.hpp"

namespace cli {

namespace {

using twiliowa::Result;
using twiliowa::WebhookRequest;
using twiliowa::WebhookResponse;
using twiliowa::testing::FakeInbound;
using twiliowa::testing::FakeTwilio;
using Json = nlohmann::ordered_json;
using Parameter = std::pair<std::string, std::string>;

/// What every webhook has.
struct TriggerOptions {
    std::string to = {};
    std::string from = "+447700900123";
    std::string sender = {};
    std::string name = {};
    std::string sid = {};
    std::vector<std::string> parameters = {};
};

void add_trigger_options(CLI::App& app, TriggerOptions& options) {
    app.add_option("--to", options.to, "Where the bot listens for its webhooks")
        ->type_name("URL")
        ->required();
    app.add_option("--from", options.from, "The customer")
        ->type_name("ADDRESS")
        ->capture_default_str();
    app.add_option("--sender", options.sender, "Instead of TWILIO_WHATSAPP_NUMBER")
        ->type_name("ADDRESS");
    app.add_option("--name", options.name, "The customer's name (ProfileName)")->type_name("TEXT");
    app.add_option("--sid", options.sid,
                   "The message's SID, instead of a new one: that of a message whose status is "
                   "told, or the same again for a duplicate")
        ->type_name("SID");
    app.add_option("--param", options.parameters,
                   "A parameter that is added, or has another value: NAME=VALUE")
        ->type_name("NAME=VALUE");
}

/// Names and values that the webhook has in place of its own.
std::vector<Parameter> replacements_of(const TriggerOptions& options) {
    std::vector<Parameter> replacements;
    if (!options.sid.empty()) {
        if (!twiliowa::MessageSid::parse(options.sid)) {
            throw usage_failure("--sid is not SM or MM and 32 hexadecimal digits",
                                "twiliowa trigger --help");
        }
        for (const char* name : {"MessageSid", "SmsSid", "SmsMessageSid"}) {
            replacements.emplace_back(name, options.sid);
        }
    }
    if (!options.name.empty()) replacements.emplace_back("ProfileName", options.name);
    for (const auto& text : options.parameters) {
        const auto equals = text.find('=');
        if (equals == 0 || equals == text.npos) {
            throw usage_failure("--param is not NAME=VALUE", "twiliowa trigger --help");
        }
        replacements.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
    return replacements;
}

/// A name that only SMS has is not added to WhatsApp's.
bool is_replaced_only(const std::string& name) {
    return name == "SmsMessageSid" || name == "ProfileName";
}

std::string with_replacements(const std::string& form, std::vector<Parameter> replacements) {
    std::string body;
    for (const auto& [name, value] : twiliowa::detail::parse_form(form)) {
        const auto found =
            std::find_if(replacements.begin(), replacements.end(),
                         [&, &wanted = name](const auto& each) { return each.first == wanted; });
        if (found == replacements.end()) {
            twiliowa::detail::append_form_field(body, name, value);
        } else {
            twiliowa::detail::append_form_field(body, name, found->second);
            replacements.erase(found);
        }
    }
    for (const auto& [name, value] : replacements) {
        if (!is_replaced_only(name)) twiliowa::detail::append_form_field(body, name, value);
    }
    return body;
}

/// A Twilio of one account, the environment's, which brings its webhooks to the bot.
class TriggeringTwilio {
public:
    TriggeringTwilio(const TriggerOptions& options, Context& context)
        : token_(context.auth_token()),
          replacements_(replacements_of(options)),
          caller_(context.call_options().cancel),
          url_(options.to) {
        const auto credentials = context.credentials();
        auto sender = options.sender.empty() ? context.client_options().from : options.sender;
        if (sender.empty()) sender = std::string{FakeTwilio::demo_sender};
        const auto address = twiliowa::Address::parse(sender, "--sender");
        if (!address) address.error().raise();
        sender_ = address->wire();
        const auto account = credentials.account_sid().str();
        fake_->add_account(account, token_.reveal());
        fake_->add_sender(account, sender_);
        fake_->set_webhook(sender_, options.to);
        fake_->on_webhook([this](const std::string& url, const WebhookRequest& request) {
            return call(url, request);
        });
    }
    TriggeringTwilio(const TriggeringTwilio&) = delete;
    TriggeringTwilio& operator=(const TriggeringTwilio&) = delete;

    void receive(FakeInbound message) {
        message.to = sender_;
        fake_->receive(std::move(message));
        fake_->run_until_idle();
    }

    void tell(const std::string& customer, const std::string& status, int error_code) {
        auto options = fake_->client_options();
        options.from = sender_;
        const twiliowa::MessagesClient client{fake_->credentials(), std::move(options)};
        const auto message =
            client.send_text({.to = customer, .body = "-", .status_callback = url_});
        fake_->set_status(message.sid.str(), status, error_code);
        fake_->run_until_idle();
    }

    ExitCode show(Output& output) const;

private:
    Result<WebhookResponse> call(const std::string& url, const WebhookRequest& from) {
        auto request = from;
        request.body = with_replacements(from.body, replacements_);
        const twiliowa::RequestValidator validator{token_};
        for (auto& [name, value] : request.headers) {
            if (name != "X-Twilio-Signature") continue;
            value = validator.sign({.method = request.method, .url = url, .body = request.body});
        }
        last_body_ = request.body;
        return caller_.call(url, request);
    }

    twiliowa::Secret token_;
    std::vector<Parameter> replacements_;
    WebhookCaller caller_;
    std::string url_;
    std::string sender_ = {};
    std::string last_body_ = {};
    std::shared_ptr<FakeTwilio> fake_ = std::make_shared<FakeTwilio>(
        twiliowa::testing::FakeTwilioOptions{.seed = std::random_device{}()});
};

/// How it went, try by try, and what the bot's TwiML answers.
ExitCode TriggeringTwilio::show(Output& output) const {
    const auto tries = fake_->webhooks();
    auto json_of_tries = Json::array();
    std::string text;
    for (const auto& each : tries) {
        json_of_tries.push_back(
            {{"outcome", each.outcome}, {"status", each.status}, {"error_code", each.error_code}});
        text.append(each.webhook.kind).append(" ").append(each.outcome);
        if (each.status != 0) text.append(" ").append(std::to_string(each.status));
        if (each.error_code != 0) text.append(": ").append(std::to_string(each.error_code));
        text += '\n';
    }
    auto answers = Json::array();
    for (const auto& message : fake_->messages()) {
        if (message.direction.str() != "outbound-reply") continue;
        answers.push_back(message.body);
        text.append("  ").append(printable(message.body)).append("\n");
    }
    std::string sid;
    for (const auto& [name, value] : twiliowa::detail::parse_form(last_body_)) {
        if (name == "MessageSid") sid = value;
    }
    output.result({{"sid", sid}, {"tries", json_of_tries}, {"answers", answers}},
                  "message  " + sid + "\n" + text);
    if (tries.empty() || tries.back().status == 0) return ExitCode::try_later;
    return tries.back().status / 100 == 2 ? ExitCode::done : ExitCode::refused;
}

/// What is special about one kind of webhook.
using Declaring = std::function<std::function<FakeInbound()>(CLI::App&)>;

Action declare_inbound(CLI::App& app, const Declaring& declare) {
    const auto options = std::make_shared<TriggerOptions>();
    add_trigger_options(app, *options);
    return [options, message = declare(app)](Context& context) {
        TriggeringTwilio twilio{*options, context};
        auto inbound = message();
        inbound.from = options->from;
        twilio.receive(std::move(inbound));
        return twilio.show(context.output);
    };
}

std::function<FakeInbound()> declare_text(CLI::App& app) {
    const auto body = std::make_shared<std::string>("Hello");
    app.add_option("--body", *body, "What the customer writes")
        ->type_name("TEXT")
        ->capture_default_str();
    return [body] {
        FakeInbound message;
        message.body = *body;
        return message;
    };
}

std::function<FakeInbound()> declare_button(CLI::App& app) {
    const auto title = std::make_shared<std::string>();
    const auto payload = std::make_shared<std::string>();
    app.add_option("--title", *title, "What the button says")->type_name("TEXT")->required();
    app.add_option("--payload", *payload, "Its id (ButtonPayload)")->type_name("TEXT");
    return [title, payload] {
        FakeInbound message;
        message.body = *title;
        message.message_type = "button";
        message.parameters = {{"ButtonText", *title}};
        if (!payload->empty()) message.parameters.emplace_back("ButtonPayload", *payload);
        return message;
    };
}

std::function<FakeInbound()> declare_list(CLI::App& app) {
    const auto title = std::make_shared<std::string>();
    const auto id = std::make_shared<std::string>();
    app.add_option("--title", *title, "What the item says")->type_name("TEXT")->required();
    app.add_option("--id", *id, "Its id (ListId)")->type_name("TEXT")->required();
    return [title, id] {
        FakeInbound message;
        message.body = *title;
        message.message_type = "interactive";
        message.parameters = {{"ListId", *id}, {"ListTitle", *title}};
        return message;
    };
}

std::function<FakeInbound()> declare_location(CLI::App& app) {
    const auto place = std::make_shared<std::array<std::string, 4>>();
    app.add_option("--latitude", (*place)[0], "Degrees")->type_name("DEGREES")->required();
    app.add_option("--longitude", (*place)[1], "Degrees")->type_name("DEGREES")->required();
    app.add_option("--label", (*place)[2], "The place's name")->type_name("TEXT");
    app.add_option("--address", (*place)[3], "Where it is")->type_name("TEXT");
    return [place] {
        FakeInbound message;
        message.message_type = "location";
        message.parameters = {{"Latitude", (*place)[0]}, {"Longitude", (*place)[1]}};
        if (!(*place)[2].empty()) message.parameters.emplace_back("Label", (*place)[2]);
        if (!(*place)[3].empty()) message.parameters.emplace_back("Address", (*place)[3]);
        return message;
    };
}

std::function<FakeInbound()> declare_media(CLI::App& app) {
    const auto url = std::make_shared<std::string>();
    const auto type = std::make_shared<std::string>("image/jpeg");
    const auto caption = std::make_shared<std::string>();
    app.add_option("--media-url", *url, "Where the bot can fetch the file (MediaUrl0)")
        ->type_name("URL")
        ->required();
    app.add_option("--content-type", *type, "Of the file")
        ->type_name("TYPE")
        ->capture_default_str();
    app.add_option("--body", *caption, "A caption")->type_name("TEXT");
    return [url, type, caption] {
        FakeInbound message;
        message.body = *caption;
        message.media = "-";
        message.media_type = *type;
        message.parameters = {{"MediaUrl0", *url}};
        return message;
    };
}

std::function<FakeInbound()> declare_stop(CLI::App&) {
    return [] {
        FakeInbound message;
        message.body = "STOP";
        return message;
    };
}

Action declare_status(CLI::App& app) {
    const auto options = std::make_shared<TriggerOptions>();
    const auto status = std::make_shared<std::string>("delivered");
    const auto code = std::make_shared<int>(0);
    add_trigger_options(app, *options);
    app.add_option("--status", *status, "What became of the message")
        ->type_name("STATUS")
        ->capture_default_str();
    app.add_option("--error-code", *code, "Twilio's code, with failed and undelivered")
        ->type_name("CODE");
    return [options, status, code](Context& context) {
        TriggeringTwilio twilio{*options, context};
        twilio.tell(options->from, *status, *code);
        return twilio.show(context.output);
    };
}

Command inbound(const std::string& verb, const std::string& summary, const std::string& example,
                const Declaring& declare) {
    return {.noun = "trigger",
            .verb = verb,
            .summary = summary,
            .details =
                "A webhook as Twilio would send it, signed with TWILIO_AUTH_TOKEN: no tunnel "
                "is needed\nto try a bot. Says how the bot answered; ends with 1 if that was "
                "no success,\nand with 4 if nobody was there.",
            .examples = {example},
            .declare = [declare](CLI::App& app) { return declare_inbound(app, declare); }};
}

}  // namespace

std::vector<Command> trigger_commands() {
    const std::string to = " --to http://localhost:8080/whatsapp";
    return {inbound("message", "A customer writes",
                    "twiliowa trigger message" + to + " --body 'Hello'", declare_text),
            inbound("button", "A customer taps a button",
                    "twiliowa trigger button" + to + " --title Yes --payload order-yes",
                    declare_button),
            inbound("list", "A customer chooses from a list",
                    "twiliowa trigger list" + to + " --title Red --id red", declare_list),
            inbound("location", "A customer sends a place",
                    "twiliowa trigger location" + to + " --latitude 51.5007 --longitude -0.1246",
                    declare_location),
            inbound("media", "A customer sends a file",
                    "twiliowa trigger media" + to + " --media-url https://example.com/photo.jpg",
                    declare_media),
            {.noun = "trigger",
             .verb = "status",
             .summary = "Twilio reports what became of a message",
             .details = "With --sid it is about a message of yours.",
             .examples = {"twiliowa trigger status" + to + " --status delivered",
                          "twiliowa trigger status" + to +
                              " --sid SM910a2dec89025cc1beeb8da1658eec67 --status undelivered "
                              "--error-code 63016"},
             .declare = declare_status},
            inbound("stop", "A customer wants no more messages", "twiliowa trigger stop" + to,
                    declare_stop)};
}

}  // namespace cli
