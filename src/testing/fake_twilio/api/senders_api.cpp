#include "testing/fake_twilio/api/senders_api.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "testing/fake_twilio/api/content_json.hpp"
#include "testing/fake_twilio/world/address.hpp"
#include "text/ascii.hpp"
#include "text/dates.hpp"

namespace twiliowa::testing::fake {

namespace {

std::string messaging_url(const FakeCall& call, std::string_view path) {
    return call.world.public_base("https://messaging.twilio.com") + std::string{path};
}

ContentJson sender_text(const std::string& text) {
    return text.empty() ? ContentJson(nullptr) : ContentJson(text);
}

ContentJson sender_to_json(const FakeCall& call, const ChannelSender& sender) {
    auto reasons = ContentJson::array();
    for (const auto& reason : sender.offline_reasons) {
        reasons.push_back({{"code", reason.code},
                           {"message", reason.message},
                           {"more_info", sender_text(reason.more_info)}});
    }
    ContentJson json{
        {"sid", sender.sid.str()},
        {"status", sender.status.str()},
        {"sender_id", sender.sender_id},
        {"friendly_name", sender_text(sender.friendly_name)},
        {"configuration", {{"waba_id", sender_text(sender.waba_id)}}},
        {"webhook",
         {{"callback_url", sender_text(sender.callback_url)},
          {"callback_method", sender_text(sender.callback_method)},
          {"status_callback_url", sender_text(sender.status_callback_url)}}},
        {"profile", {{"name", sender_text(sender.display_name)}}},
        {"properties",
         {{"quality_rating", sender_text(sender.quality_rating)},
          {"messaging_limit", sender_text(sender.messaging_limit)}}},
        {"offline_reasons", reasons.empty() ? ContentJson(nullptr) : std::move(reasons)},
        {"url", messaging_url(call, "/v2/Channels/Senders/" + sender.sid.str())},
    };
    // The three are there together or not at all.
    if (!sender.pending_display_name_status.empty()) {
        json["pending_display_name"] = sender.pending_display_name;
        json["pending_display_name_status"] = sender.pending_display_name_status.str();
        json["pending_display_name_status_date"] = detail::format_iso8601_utc(
            sender.pending_display_name_status_date.value_or(TimePoint{}));
    }
    return json;
}

/// What is said of it; else the URL at which the fake calls for the sender itself, or for all of
/// the account's.
std::string callback_url_of(const FakeWorld& world, const FakeAccount& account,
                            const ChannelSender& sender) {
    if (!sender.callback_url.empty()) return sender.callback_url;
    const auto& hooks = world.hooks.inbound;
    for (const auto& owner : {sender.sender_id, account.sid}) {
        if (const auto found = hooks.find(owner); found != hooks.end()) return found->second;
    }
    return {};
}

FakeProblem bad_senders_query(const std::string& name) {
    return {400, 20001, "The value of " + name + " cannot be used", {}};
}

}  // namespace

std::vector<ChannelSender> whatsapp_senders(const FakeWorld& world, const FakeAccount& account) {
    std::vector<ChannelSender> senders;
    for (const auto& address : account.senders) {
        if (!is_whatsapp(address)) continue;
        senders.push_back(account.sender_record(address));
        senders.back().callback_url = callback_url_of(world, account, senders.back());
    }
    return senders;
}

HttpResponse serve_list_senders(const FakeCall& call) {
    const auto channel = call.query.get("Channel");
    if (channel != "whatsapp" && channel != "rcs") return refusal(bad_senders_query("Channel"));
    const auto number = [&](const char* name, std::size_t without) -> std::optional<std::size_t> {
        const auto text = call.query.get(name);
        return text.empty() ? without : detail::parse_number<std::size_t>(text);
    };
    const auto size = number("PageSize", 50);
    if (!size || *size < 1 || *size > 1000) return refusal(bad_senders_query("PageSize"));
    const auto page = number("Page", 0);
    if (!page) return refusal(bad_senders_query("Page"));

    const auto all = channel == "whatsapp" ? whatsapp_senders(call.world, call.account)
                                           : std::vector<ChannelSender>{};
    const auto begin = *page > all.size() / *size ? all.size() : *page * *size;
    const auto end = std::min(all.size(), begin + *size);
    auto items = ContentJson::array();
    for (auto at = begin; at < end; ++at) items.push_back(sender_to_json(call, all[at]));
    const auto url_of_page = [&](std::size_t wanted) {
        return ContentJson(messaging_url(
            call, "/v2/Channels/Senders?Channel=" + std::string{channel} +
                      "&PageSize=" + std::to_string(*size) + "&Page=" + std::to_string(wanted)));
    };
    const ContentJson meta{
        {"page", *page},
        {"page_size", *size},
        {"first_page_url", url_of_page(0)},
        {"previous_page_url", *page > 0 ? url_of_page(*page - 1) : ContentJson(nullptr)},
        {"url", url_of_page(*page)},
        {"next_page_url", end < all.size() ? url_of_page(*page + 1) : ContentJson(nullptr)},
        {"key", "senders"}};
    return json_response(200, dump_content_json({{"meta", meta}, {"senders", std::move(items)}}));
}

HttpResponse serve_fetch_sender(const FakeCall& call) {
    for (const auto& sender : whatsapp_senders(call.world, call.account)) {
        if (sender.sid.str() == call.route.sender) {
            return json_response(200, dump_content_json(sender_to_json(call, sender)));
        }
    }
    return not_found("sender");
}

}  // namespace twiliowa::testing::fake
