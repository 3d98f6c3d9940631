// `twiliowa listen`

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <set>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/request_validator.hpp>
#include <twiliowa/types/http_headers.hpp>
#include <twiliowa/webhook/parse_webhook.hpp>
#include <twiliowa/webhook/public_url.hpp>

#include "commands.hpp"
#include "context.hpp"
#include "layout.hpp"
#include "masked.hpp"
#include "moment.hpp"
#include "text/form.hpp"
#include "webhook_caller.hpp"
#include "webhook_server.hpp"

namespace cli {

namespace {

using twiliowa::find_header;
using twiliowa::InboundMessage;
using twiliowa::Message;
using twiliowa::PublicUrl;
using twiliowa::StatusCallback;
using twiliowa::WebhookRequest;
using twiliowa::WebhookResponse;
using Json = nlohmann::ordered_json;

struct ListenOptions {
    int port = -1;
    std::string address = "127.0.0.1";
    bool poll = false;
    std::string every = "5s";
    std::string forward_to = {};
    std::string public_url = {};
    bool reveal = false;

    Numbers numbers() const { return reveal ? Numbers::whole : Numbers::masked; }
};

/// A webhook, as it is told: one line, with the text only where that is wanted.
struct Told {
    Json json = Json::object();
    std::string text = {};
};

Told told_of(const WebhookRequest& request, const ListenOptions& options) {
    const auto event = twiliowa::parse_webhook(request);
    if (!event) return {{{"kind", "unknown"}, {"sid", ""}}, "unknown"};
    if (const auto* message = std::get_if<InboundMessage>(&*event)) {
        Told told{{{"kind", "message"},
                   {"sid", message->sid.str()},
                   {"from", address_shown(message->from, options.numbers())},
                   {"to", address_shown(message->to, options.numbers())},
                   {"body", nullptr}},
                  "message " + message->sid.str() + " from " +
                      address_shown(message->from, options.numbers())};
        if (options.reveal) {
            told.json["body"] = message->body;
            told.text += ": " + message->body;
        }
        return told;
    }
    if (const auto* status = std::get_if<StatusCallback>(&*event)) {
        Told told{{{"kind", "status"},
                   {"sid", status->sid.str()},
                   {"status", status->status.str()},
                   {"error_code", status->error_code}},
                  "status " + status->sid.str() + " " + status->status.str()};
        if (status->error_code != 0) told.text += " " + std::to_string(status->error_code);
        return told;
    }
    return {{{"kind", "unknown"}, {"sid", ""}}, "unknown"};
}

/// Where a request goes on to: a URL without a path keeps the path that Twilio called.
std::string forwarded_url(const std::string& forward_to, const std::string& target) {
    const auto host = forward_to.find("://");
    const auto path = host == forward_to.npos ? host : forward_to.find('/', host + 3);
    if (path == forward_to.npos || path + 1 == forward_to.size()) {
        return forward_to.substr(0, path) + target;
    }
    const auto query = target.find('?');
    return forward_to + (query == target.npos ? "" : target.substr(query));
}

/// Verifies what comes in, tells it, and forwards it as it came.
class Listener {
public:
    Listener(const ListenOptions& options, Context& context)
        : options_(options),
          output_(context.output),
          validator_(context.auth_token()),
          caller_(context.call_options().cancel),
          urls_(options.public_url.empty() ? PublicUrl::behind_proxies({"127.0.0.1", "::1"})
                                           : PublicUrl::fixed(options.public_url)) {}

    WebhookResponse answer(const WebhookRequest& request) {
        const auto url = urls_.url_of(request);
        const auto verdict =
            validator_.check({.method = request.method,
                              .url = url ? std::string_view{*url} : std::string_view{},
                              .content_type = find_header(request.headers, "Content-Type"),
                              .body = request.body,
                              .signature = find_header(request.headers, "X-Twilio-Signature")});
        auto told = told_of(request, options_);
        told.json["signature"] = to_string(verdict.reason);
        told.text += verdict.ok() ? ", signed" : ", NOT signed by Twilio: ";
        if (!verdict.ok()) told.text += to_string(verdict.reason);
        if (options_.forward_to.empty()) {
            told.json["answer"] = 200;
            tell(told);
            return {
                .status = 200, .headers = {{"Content-Type", "text/xml"}}, .body = "<Response/>"};
        }
        return forward(with_forwarded_headers(request, url ? *url : std::string{}),
                       std::move(told));
    }

    /// The same of one that this program has made.
    void bring(const WebhookRequest& request) { forward(request, told_of(request, options_)); }

private:
    /// Behind this, a bot learns from them which URL was signed.
    static WebhookRequest with_forwarded_headers(WebhookRequest request, const std::string& url) {
        const auto scheme_end = url.find("://");
        if (scheme_end == url.npos) return request;
        const auto host =
            url.substr(scheme_end + 3, url.find('/', scheme_end + 3) - scheme_end - 3);
        const auto put = [&](const char* name, const std::string& value) {
            if (find_header(request.headers, name).empty()) {
                request.headers.emplace_back(name, value);
            }
        };
        put("X-Forwarded-Proto", url.substr(0, scheme_end));
        put("X-Forwarded-Host", host);
        return request;
    }

    WebhookResponse forward(const WebhookRequest& request, Told told) {
        auto answer = caller_.call(forwarded_url(options_.forward_to, request.target), request);
        if (!answer) {
            told.json["answer"] = nullptr;
            told.json["error"] = answer.error().what();
            told.text.append(" -> ").append(answer.error().what());
            tell(told);
            return {.status = 502, .headers = {}, .body = {}};
        }
        told.json["answer"] = answer->status;
        told.text.append(" -> ").append(std::to_string(answer->status));
        tell(told);
        WebhookResponse passed{.status = answer->status, .headers = {}, .body = answer->body};
        const auto type = find_header(answer->headers, "Content-Type");
        if (!type.empty()) passed.headers.emplace_back("Content-Type", type);
        return passed;
    }

    void tell(const Told& told) {
        const std::lock_guard lock{mutex_};
        output_.line(told.json, printable(told.text) + "\n");
        output_.flush();
    }

    const ListenOptions options_;
    Output& output_;
    twiliowa::RequestValidator validator_;
    WebhookCaller caller_;
    PublicUrl urls_;
    std::mutex mutex_;
};

void wait_for_the_end(const twiliowa::CancelToken& cancel) {
    twiliowa::system_clock()->sleep_until((twiliowa::MonotonicTime::max)(), cancel);
}

ExitCode serve(const ListenOptions& options, Context& context) {
    Listener listener{options, context};
    const WebhookServer server{
        options.address, options.port,
        [&listener](const WebhookRequest& request) { return listener.answer(request); }, "--port"};
    context.output.note("Listening on http://" + options.address + ":" +
                        std::to_string(server.port()) + "; Ctrl-C ends it.");
    wait_for_the_end(context.call_options().cancel);
    return ExitCode::done;
}

/// A webhook made of what the list has.
WebhookRequest webhook_of(const Message& message, const std::vector<twiliowa::Media>& media,
                          const std::string& url, const twiliowa::Secret& token) {
    WebhookRequest request;
    const auto add = [&request](std::string_view name, std::string_view value) {
        twiliowa::detail::append_form_field(request.body, name, value);
    };
    add("SmsMessageSid", message.sid.str());
    add("NumMedia", std::to_string(media.size()));
    add("SmsSid", message.sid.str());
    add("SmsStatus", "received");
    add("Body", message.body);
    add("To", message.to);
    add("NumSegments", std::to_string(message.num_segments.value_or(1)));
    add("MessageSid", message.sid.str());
    add("AccountSid", message.account_sid);
    add("From", message.from);
    add("ApiVersion", message.api_version);
    if (!message.messaging_service_sid.empty()) {
        add("MessagingServiceSid", message.messaging_service_sid);
    }
    for (std::size_t i = 0; i < media.size(); ++i) {
        add("MediaContentType" + std::to_string(i), media[i].content_type);
        add("MediaUrl" + std::to_string(i), media[i].uri);
    }
    const twiliowa::RequestValidator validator{token};
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded; charset=UTF-8"},
                       {"X-Twilio-Signature", validator.sign({.url = url, .body = request.body})}};
    return request;
}

/// Asks the list every now and then, from now on.
class Poll {
public:
    Poll(const ListenOptions& options, Context& context)
        : options_(options),
          token_(context.auth_token()),
          call_options_(context.call_options()),
          messages_(context.credentials(), context.client_options()),
          listener_(options, context),
          from_(twiliowa::system_clock()->now()) {}

    /// Brings what has come in since the last time, the oldest first.
    void look() {
        std::vector<Message> fresh;
        twiliowa::MessageFilter filter;
        filter.sent_after = from_;
        for (const auto& message : messages_.list(filter, call_options_)) {
            if (message.date_created && *message.date_created < from_ - overlap) break;
            const bool is_new = message.direction.str() == "inbound" &&
                                (!message.date_created || *message.date_created >= from_) &&
                                seen_.insert(message.sid.str()).second;
            if (is_new) fresh.push_back(message);
        }
        std::reverse(fresh.begin(), fresh.end());
        for (const auto& message : fresh) {
            listener_.bring(webhook_of(message, media_of(message), options_.forward_to, token_));
        }
    }

private:
    /// Twilio counts in seconds, and its list may lag.
    static constexpr std::chrono::minutes overlap{10};

    std::vector<twiliowa::Media> media_of(const Message& message) const {
        std::vector<twiliowa::Media> all;
        if (message.num_media.value_or(0) == 0) return all;
        for (auto medium : messages_.list_media(message.sid, call_options_)) {
            // Without its ending it is the file itself.
            constexpr std::string_view json = ".json";
            if (medium.uri.ends_with(json)) medium.uri.erase(medium.uri.size() - json.size());
            medium.uri = messages_.url_of(medium.uri);
            all.push_back(std::move(medium));
        }
        return all;
    }

    const ListenOptions options_;
    twiliowa::Secret token_;
    twiliowa::CallOptions call_options_;
    twiliowa::MessagesClient messages_;
    Listener listener_;
    twiliowa::TimePoint from_;
    std::set<std::string> seen_ = {};
};

ExitCode poll(const ListenOptions& options, Context& context) {
    const auto every = duration_of(options.every);
    if (!every || *every <= std::chrono::seconds::zero()) {
        throw usage_failure("--every is no duration: write 5s, 1m", "twiliowa listen --help");
    }
    Poll poll{options, context};
    context.output.note(
        "Asks for new messages every " + options.every +
        "; Ctrl-C ends it. Twilio's list lacks what a webhook tells beside the text: ProfileName, "
        "WaId, user ids, MessageType, which button or list item was chosen (only its text is "
        "there), places, replies, referrals, OptOutType.");
    const auto clock = twiliowa::system_clock();
    const auto cancel = context.call_options().cancel;
    while (!cancel.is_cancelled()) {
        try {
            poll.look();
        } catch (const twiliowa::TwilioError& error) {
            if (cancel.is_cancelled()) break;
            context.output.note(std::string{error.what()} + "; will ask again");
        }
        clock->sleep_until(clock->monotonic_now() + *every, cancel);
    }
    return ExitCode::done;
}

ExitCode listen(const ListenOptions& options, Context& context) {
    context.output.expect_lines();
    if (options.poll == (options.port >= 0)) {
        throw usage_failure("one of --port and --poll says where webhooks come from",
                            "twiliowa listen --help");
    }
    if (options.poll && options.forward_to.empty()) {
        throw usage_failure("--poll needs --forward-to", "twiliowa listen --help");
    }
    return options.poll ? poll(options, context) : serve(options, context);
}

Action declare_listen(CLI::App& app) {
    const auto options = std::make_shared<ListenOptions>();
    app.add_option("--port", options->port, "Where to listen; 0: any that is free")
        ->type_name("PORT")
        ->check(CLI::Range(0, 65'535));
    app.add_option("--address", options->address, "Of this machine")
        ->type_name("ADDRESS")
        ->capture_default_str();
    app.add_option("--public-url", options->public_url,
                   "How Twilio reaches it; else as a tunnel on this machine says, or as it came")
        ->type_name("URL");
    app.add_flag("--poll", options->poll,
                 "Without a port and a tunnel: asks Twilio for new messages, and brings them");
    app.add_option("--every", options->every, "How often --poll asks")
        ->type_name("DURATION")
        ->capture_default_str();
    app.add_option("--forward-to", options->forward_to,
                   "Brings them on to a bot; without a path, at the one that Twilio called")
        ->type_name("URL");
    app.add_flag("--reveal", options->reveal, "Texts and whole numbers");
    return [options](Context& context) { return listen(*options, context); };
}

}  // namespace

std::vector<Command> listen_commands() {
    return {{.noun = "listen",
             .summary = "Shows webhooks as they come, verifies and forwards them",
             .details =
                 "Needs TWILIO_AUTH_TOKEN. Bytes are forwarded as they came, so that a bot that\n"
                 "knows the URL which Twilio calls verifies them, too; what --poll brings is\n"
                 "signed for the URL of --forward-to.",
             .examples = {"twiliowa listen --port 8080",
                          "twiliowa listen --port 8080 --forward-to http://localhost:3000",
                          "twiliowa listen --poll --forward-to http://localhost:3000/whatsapp"},
             .declare = declare_listen}};
}

}  // namespace cli
