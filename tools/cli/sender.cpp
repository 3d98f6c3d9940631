// `twiliowa sender`

#include <CLI/CLI.hpp>
#include <memory>

#include <twiliowa/senders_client.hpp>

#include "commands.hpp"
#include "context.hpp"
#include "layout.hpp"
#include "moment.hpp"

namespace cli {

namespace {

using twiliowa::ChannelSender;
using twiliowa::SendersClient;

nlohmann::ordered_json json_of_sender(const ChannelSender& sender) {
    auto reasons = nlohmann::ordered_json::array();
    for (const auto& reason : sender.offline_reasons) {
        reasons.push_back(
            {{"code", reason.code}, {"message", reason.message}, {"more_info", reason.more_info}});
    }
    return {{"sid", sender.sid.str()},
            {"sender_id", sender.sender_id},
            {"status", sender.status.str()},
            {"quality_rating", sender.quality_rating},
            {"messaging_limit", sender.messaging_limit},
            {"friendly_name", sender.friendly_name},
            {"display_name", sender.display_name},
            {"pending_display_name", sender.pending_display_name},
            {"pending_display_name_status", sender.pending_display_name_status.str()},
            {"pending_display_name_status_date", json_of(sender.pending_display_name_status_date)},
            {"waba_id", sender.waba_id},
            {"callback_url", sender.callback_url},
            {"callback_method", sender.callback_method},
            {"status_callback_url", sender.status_callback_url},
            {"offline_reasons", std::move(reasons)}};
}

std::string facts_of_sender(const ChannelSender& sender) {
    std::vector<std::pair<std::string, std::string>> values{
        {"sender", sender.sender_id},
        {"sid", sender.sid.str()},
        {"status", sender.status.str()},
        {"quality", sender.quality_rating},
        {"messaging limit", sender.messaging_limit},
        {"name", sender.friendly_name},
        {"display name", sender.display_name},
        {"pending name", sender.pending_display_name},
        {"pending since", text_of(sender.pending_display_name_status_date)},
        {"pending status", sender.pending_display_name_status.str()},
        {"WABA", sender.waba_id},
        {"callback URL", sender.callback_url},
        {"status callback", sender.status_callback_url}};
    for (const auto& reason : sender.offline_reasons) {
        values.emplace_back("offline", reason.code + " " + reason.message + " " + reason.more_info);
    }
    return facts(values);
}

ExitCode list_senders(Context& context) {
    const SendersClient client{context.credentials(), context.client_options()};
    auto json = nlohmann::ordered_json::array();
    std::vector<std::vector<std::string>> rows;
    for (const auto& sender : client.list(context.call_options())) {
        json.push_back(json_of_sender(sender));
        rows.push_back({sender.sid.str(), sender.sender_id, sender.status.str(),
                        sender.quality_rating, sender.messaging_limit});
    }
    if (rows.empty() && !context.output.is_json()) context.output.note("There is no sender.");
    context.output.result({{"senders", std::move(json)}},
                          table({"SID", "SENDER", "STATUS", "QUALITY", "LIMIT"}, rows));
    return ExitCode::done;
}

Action declare_show(CLI::App& app) {
    const auto sid = std::make_shared<std::string>();
    app.add_option("SID", *sid, "The sender's (XE...), as sender list shows it")->required();
    return [sid](Context& context) {
        const auto wanted = twiliowa::ChannelSenderSid::parse(*sid);
        if (!wanted)
            throw usage_failure("SID is not XE and 32 hexadecimal digits", "twiliowa sender list");
        const SendersClient client{context.credentials(), context.client_options()};
        const auto sender = client.fetch(*wanted, context.call_options());
        context.output.result(json_of_sender(sender), facts_of_sender(sender));
        return ExitCode::done;
    };
}

}  // namespace

std::vector<Command> sender_commands() {
    return {{.noun = "sender",
             .verb = "list",
             .summary = "Lists the account's WhatsApp senders",
             .examples = {"twiliowa sender list", "twiliowa sender list --json"},
             .declare = [](CLI::App&) { return list_senders; }},
            {.noun = "sender",
             .verb = "show",
             .summary = "Shows one sender: its status, quality, limit, and why it is offline",
             .examples = {"twiliowa sender show XE20b1a91e8616a3ed232c0a99ef170b09"},
             .declare = declare_show}};
}

}  // namespace cli
