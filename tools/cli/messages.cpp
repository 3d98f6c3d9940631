// `twiliowa messages`

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include <twiliowa/messages_client.hpp>

#include "commands.hpp"
#include "context.hpp"
#include "layout.hpp"
#include "message_view.hpp"
#include "moment.hpp"

namespace cli {

namespace {

using twiliowa::Message;
using twiliowa::MessagesClient;
using twiliowa::TimePoint;

struct MessagesOptions {
    std::string to = {};
    std::string from = {};
    std::string since = {};
    std::string until = {};
    std::size_t limit = 50;
    bool reveal = false;

    Numbers numbers() const { return reveal ? Numbers::whole : Numbers::masked; }
};

struct MessageOptions {
    std::string sid = {};
    bool reveal = false;
};

std::optional<TimePoint> bound_of(const std::string& text, const char* option) {
    if (text.empty()) return std::nullopt;
    const auto time = time_of(text);
    if (!time) {
        throw usage_failure(std::string{option} + " is no time: write 2026-11-21T06:10:00Z",
                            "twiliowa messages list --help");
    }
    return time;
}

/// Twilio filters by the day; the rest is done here.
struct Span {
    std::optional<TimePoint> since = {};
    std::optional<TimePoint> until = {};

    bool holds(const Message& message) const {
        return !message.date_created || ((!since || *message.date_created >= *since) &&
                                         (!until || *message.date_created < *until));
    }
    bool is_before(const Message& message) const {
        return since && message.date_created && *message.date_created < *since;
    }
};

ExitCode list_messages(const MessagesOptions& options, Context& context) {
    context.output.expect_lines();
    const Span span{bound_of(options.since, "--since"), bound_of(options.until, "--until")};
    const MessagesClient client{context.credentials(), context.client_options()};
    twiliowa::MessageFilter filter{.to = options.to, .from = options.from};
    filter.sent_after = span.since;
    filter.sent_before = span.until;
    filter.page_size = static_cast<int>(std::clamp<std::size_t>(options.limit, 1, 1'000));
    std::vector<std::vector<std::string>> rows;
    std::size_t count = 0;
    for (const auto& message : client.list(filter, context.call_options())) {
        // The newest come first.
        if (count == options.limit || span.is_before(message)) break;
        if (!span.holds(message)) continue;
        ++count;
        if (context.output.is_json()) {
            context.output.line(json_of_message(message, options.numbers()), "");
            continue;
        }
        rows.push_back(
            {message.sid.str(), text_of(message.date_created), message.direction.str(),
             message.status.str(),
             message.error_code.value_or(0) == 0 ? "" : std::to_string(*message.error_code),
             address_shown(message.from, options.numbers()),
             address_shown(message.to, options.numbers())});
    }
    if (context.output.is_json()) return ExitCode::done;
    if (rows.empty()) context.output.note("There is no such message.");
    context.output.result(
        {}, table({"SID", "CREATED", "DIRECTION", "STATUS", "ERROR", "FROM", "TO"}, rows));
    return ExitCode::done;
}

Action declare_list_messages(CLI::App& app) {
    const auto options = std::make_shared<MessagesOptions>();
    app.add_option("--to", options->to, "Only those to this address")->type_name("ADDRESS");
    app.add_option("--from", options->from, "Only those from this address")->type_name("ADDRESS");
    app.add_option("--since", options->since, "Only those made then or later: 2026-11-21T06:10:00Z")
        ->type_name("TIME");
    app.add_option("--until", options->until, "Only those made before")->type_name("TIME");
    app.add_option("--limit", options->limit, "At most so many, the newest first")
        ->type_name("N")
        ->capture_default_str()
        ->check(CLI::Range(std::size_t{1}, std::size_t{1'000'000}));
    app.add_flag("--reveal", options->reveal, "Whole numbers and, with --json, the texts");
    return [options](Context& context) { return list_messages(*options, context); };
}

twiliowa::MessageSid message_sid(const std::string& text) {
    auto sid = twiliowa::MessageSid::parse(text);
    if (!sid) {
        throw usage_failure("SID is not SM or MM and 32 hexadecimal digits",
                            "twiliowa messages list");
    }
    return *std::move(sid);
}

void add_message_options(CLI::App& app, MessageOptions& options) {
    app.add_option("SID", options.sid, "The message's (SM... or MM...)")->required();
    app.add_flag("--reveal", options.reveal, "The text, and whole numbers");
}

void show_one(const Message& message, bool reveal, Context& context) {
    const auto numbers = reveal ? Numbers::whole : Numbers::masked;
    context.output.result(json_of_message(message, numbers), text_of_message(message, numbers));
}

Action declare_show_message(CLI::App& app) {
    const auto options = std::make_shared<MessageOptions>();
    add_message_options(app, *options);
    return [options](Context& context) {
        const auto sid = message_sid(options->sid);
        const MessagesClient client{context.credentials(), context.client_options()};
        show_one(client.fetch(sid, context.call_options()), options->reveal, context);
        return ExitCode::done;
    };
}

Action declare_cancel_message(CLI::App& app) {
    const auto options = std::make_shared<MessageOptions>();
    add_message_options(app, *options);
    return [options](Context& context) {
        const auto sid = message_sid(options->sid);
        const MessagesClient client{context.credentials(), context.client_options()};
        show_one(client.cancel(sid, context.call_options()), options->reveal, context);
        return ExitCode::done;
    };
}

}  // namespace

std::vector<Command> messages_commands() {
    return {
        {.noun = "messages",
         .verb = "list",
         .summary = "Lists what was sent and received, the newest first",
         .details = "Asks Twilio, whose list may lag by minutes.",
         .examples = {"twiliowa messages list",
                      "twiliowa messages list --to +447700900123 --since 2026-11-21T06:10:00Z "
                      "--json"},
         .declare = declare_list_messages},
        {.noun = "messages",
         .verb = "show",
         .summary = "Shows one message: its status, error and price",
         .examples = {"twiliowa messages show SM910a2dec89025cc1beeb8da1658eec67"},
         .declare = declare_show_message},
        {.noun = "messages",
         .verb = "cancel",
         .summary = "Cancels a message that is scheduled and has not been sent",
         .details = "One that is cancelled already stays so; one that was sent is refused (30409).",
         .examples = {"twiliowa messages cancel SM51bb54d8d101b5b9c34d0bff90150280"},
         .declare = declare_cancel_message}};
}

}  // namespace cli
