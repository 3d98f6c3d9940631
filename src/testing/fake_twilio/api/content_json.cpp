#include "testing/fake_twilio/api/content_json.hpp"

#include <utility>

#include "text/dates.hpp"

namespace twiliowa::testing::fake {

std::string dump_content_json(const ContentJson& json) {
    return json.dump(-1, ' ', false, ContentJson::error_handler_t::replace);
}

std::string content_url(const FakeCall& call, std::string_view path) {
    return call.world.public_base("https://content.twilio.com") + std::string{path};
}

ContentJson types_of(const testing::FakeContent& content) {
    auto types = ContentJson::parse(content.types, nullptr, false);
    if (types.is_object() && !types.empty()) return types;
    return {{"twilio/text", {{"body", content.body}}}};
}

ContentJson content_to_json(const FakeCall& call, const FakeTemplate& entry) {
    const auto& content = entry.content;
    ContentJson variables = ContentJson::object();
    for (const auto& [name, value] : content.variables) variables[name] = value;
    const auto url = content_url(call, "/v1/Content/" + content.sid);
    return {
        {"sid", content.sid},
        {"account_sid", call.account.sid},
        {"friendly_name", content.friendly_name},
        {"language", content.language},
        {"variables", std::move(variables)},
        {"types", types_of(content)},
        {"date_created", detail::format_iso8601_utc(entry.created)},
        {"date_updated", detail::format_iso8601_utc(entry.updated)},
        {"url", url},
        {"links",
         {{"approval_create", url + "/ApprovalRequests/whatsapp"},
          {"approval_fetch", url + "/ApprovalRequests"}}},
    };
}

ContentJson approval_to_json(const FakeTemplate& entry) {
    ContentJson approval{
        {"type", "whatsapp"},
        {"name", entry.name},
        {"category", entry.category},
        {"content_type", types_of(entry.content).begin().key()},
        {"status", entry.content.approval},
        {"rejection_reason", entry.rejection_reason},
        {"allow_category_change", entry.allow_category_change},
    };
    if (entry.send_ttl_seconds) approval["send_ttl_seconds"] = *entry.send_ttl_seconds;
    return approval;
}

}  // namespace twiliowa::testing::fake
