#include "testing/fake_twilio/api/json.hpp"

#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "text/dates.hpp"

namespace twiliowa::testing::fake {

namespace {

using FakeJson = nlohmann::ordered_json;

std::string dump_json(const FakeJson& json) {
    // Whatever got in, JSON goes out.
    return json.dump(-1, ' ', false, FakeJson::error_handler_t::replace);
}

FakeJson text_or_null(const std::string& text) {
    return text.empty() ? FakeJson(nullptr) : FakeJson(text);
}

FakeJson date_or_null(const std::optional<TimePoint>& when) {
    return when ? FakeJson(detail::format_rfc2822(*when)) : FakeJson(nullptr);
}

FakeJson count_as_text(const std::optional<int>& count) {
    return count ? FakeJson(std::to_string(*count)) : FakeJson(nullptr);
}

FakeJson message_to_json(const Message& message) {
    return {
        {"account_sid", message.account_sid},
        {"api_version", message.api_version},
        {"body", message.body},
        {"date_created", date_or_null(message.date_created)},
        {"date_sent", date_or_null(message.date_sent)},
        {"date_updated", date_or_null(message.date_updated)},
        {"direction", message.direction.str()},
        {"error_code", message.error_code ? FakeJson(*message.error_code) : FakeJson(nullptr)},
        {"error_message", text_or_null(message.error_message)},
        {"from", text_or_null(message.from)},
        {"messaging_service_sid", text_or_null(message.messaging_service_sid)},
        {"num_media", count_as_text(message.num_media)},
        {"num_segments", count_as_text(message.num_segments)},
        {"price", text_or_null(message.price)},
        {"price_unit", text_or_null(message.price_unit)},
        {"sid", message.sid.str()},
        {"status", message.status.str()},
        {"subresource_uris", {{"media", message.media_uri}, {"feedback", message.feedback_uri}}},
        {"to", text_or_null(message.to)},
        {"uri", message.uri},
    };
}

FakeJson media_to_json(const Media& media) {
    return {
        {"account_sid", media.account_sid},
        {"content_type", media.content_type},
        {"date_created", date_or_null(media.date_created)},
        {"date_updated", date_or_null(media.date_updated)},
        {"parent_sid", media.parent_sid},
        {"sid", media.sid.str()},
        {"uri", media.uri},
    };
}

std::string page_to_json(const char* key, FakeJson items, const FakePageFrame& frame) {
    const auto start = frame.page * frame.page_size;
    const auto end = items.empty() ? start : start + items.size() - 1;
    FakeJson page = {
        {"first_page_uri", frame.first_page_uri},
        {"end", end},
        {"previous_page_uri", text_or_null(frame.previous_page_uri)},
    };
    page[key] = std::move(items);
    page["uri"] = frame.uri;
    page["page_size"] = frame.page_size;
    page["start"] = start;
    page["next_page_uri"] = text_or_null(frame.next_page_uri);
    page["page"] = frame.page;
    return dump_json(page);
}

}  // namespace

std::string message_json(const Message& message) {
    return dump_json(message_to_json(message));
}

std::string message_page_json(const std::vector<const FakeMessage*>& messages,
                              const FakePageFrame& frame) {
    auto items = FakeJson::array();
    for (const auto* message : messages) items.push_back(message_to_json(message->record));
    return page_to_json("messages", std::move(items), frame);
}

std::string media_json(const Media& media) {
    return dump_json(media_to_json(media));
}

std::string media_page_json(const std::vector<const Media*>& media, const FakePageFrame& frame) {
    auto items = FakeJson::array();
    for (const auto* medium : media) items.push_back(media_to_json(*medium));
    return page_to_json("media_list", std::move(items), frame);
}

std::string feedback_json(const FakeMessage& message, TimePoint now) {
    return dump_json({
        {"account_sid", message.record.account_sid},
        {"message_sid", message.record.sid.str()},
        {"outcome", message.feedback},
        {"date_created", detail::format_rfc2822(now)},
        {"date_updated", detail::format_rfc2822(now)},
        {"uri", message.record.feedback_uri},
    });
}

std::string account_json(const FakeAccount& account) {
    // 2026-01-01: the fake's accounts have no beginning of their own.
    constexpr TimePoint opened{std::chrono::seconds{1'767'225'600}};
    const auto path = "/2010-04-01/Accounts/" + account.sid;
    return dump_json({
        {"sid", account.sid},
        {"owner_account_sid", account.owner.empty() ? account.sid : account.owner},
        {"friendly_name", account.owner.empty() ? "FakeTwilio" : "FakeTwilio's subaccount"},
        {"status", std::string{account.reported_status()}},
        {"type", account.limits.trial ? "Trial" : "Full"},
        {"date_created", detail::format_rfc2822(opened)},
        {"date_updated", detail::format_rfc2822(opened)},
        {"uri", path + ".json"},
        {"subresource_uris", {{"messages", path + "/Messages.json"}}},
    });
}

std::string balance_json(const FakeAccount& account) {
    const auto balance = account.reported_balance();
    return dump_json({{"account_sid", account.sid},
                      {"balance", balance.balance},
                      {"currency", balance.currency}});
}

std::string problem_json(const FakeProblem& problem) {
    return dump_json({
        {"code", problem.code},
        {"message", problem.message},
        {"more_info", "https://www.twilio.com/docs/errors/" + std::to_string(problem.code)},
        {"status", problem.status},
    });
}

}  // namespace twiliowa::testing::fake
