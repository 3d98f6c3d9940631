#include "content/template_json.hpp"

#include <utility>

#include "content/definition_json.hpp"
#include "text/ascii.hpp"
#include "text/dates.hpp"

namespace twiliowa {

namespace {

std::string in_lower_case(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) c = detail::ascii_lower(c);
    return lower;
}

}  // namespace

ApprovalStatus::ApprovalStatus(std::string_view text) : OpenEnum(in_lower_case(text)) {}

namespace detail {

namespace {

/// The documents say one form and show the other.
std::optional<TimePoint> read_content_date(const ContentJson& json, std::string_view name) {
    return parse_twilio_date(text_member(json, name));
}

}  // namespace

ContentTemplate read_content_template(ContentJson json) {
    ContentTemplate content;
    content.sid = ContentSid::from_wire(std::string(text_member(json, "sid")));
    content.account_sid = AccountSid::from_wire(std::string(text_member(json, "account_sid")));
    content.date_created = read_content_date(json, "date_created");
    content.date_updated = read_content_date(json, "date_updated");
    if (const auto* approval = find_member(json, "approval_requests")) {
        content.approval = read_approval(*approval);
    }
    if (json.is_object()) content.definition = read_definition(std::move(json));
    return content;
}

std::optional<ContentApproval> read_approval(const ContentJson& json) {
    const auto status = text_member(json, "status");
    if (status.empty()) return std::nullopt;
    ContentApproval approval;
    approval.status = ApprovalStatus{status};
    approval.name = text_member(json, "name");
    approval.category = TemplateCategory{text_member(json, "category")};
    approval.content_type = text_member(json, "content_type");
    approval.rejection_reason = RejectionReason{text_member(json, "rejection_reason")};
    const auto* change = find_member(json, "allow_category_change");
    if (change != nullptr && change->is_boolean()) {
        approval.allow_category_change = change->get<bool>();
    }
    const auto* seconds = find_member(json, "send_ttl_seconds");
    if (seconds != nullptr && seconds->is_number_integer()) {
        approval.send_ttl_seconds = parse_number<int>(seconds->dump());
    }
    return approval;
}

std::optional<Page<ContentTemplate>> read_content_page(ContentJson json) {
    const auto contents = json.find("contents");
    if (contents == json.end() || !contents->is_array()) return std::nullopt;
    Page<ContentTemplate> page;
    for (auto& each : *contents) {
        auto content = read_content_template(std::move(each));
        if (!content.sid.empty()) page.items.push_back(std::move(content));
    }
    if (const auto* meta = find_member(json, "meta")) {
        page.next = text_member(*meta, "next_page_url");
    }
    return page;
}

ContentJson write_content_template(const ContentTemplate& content) {
    auto json = ContentJson::object();
    json["sid"] = content.sid.str();
    if (!content.account_sid.empty()) json["account_sid"] = content.account_sid.str();
    if (content.date_created) json["date_created"] = format_iso8601_utc(*content.date_created);
    if (content.date_updated) json["date_updated"] = format_iso8601_utc(*content.date_updated);
    const auto definition = write_definition(content.definition);
    for (const auto& [name, value] : definition.items()) json[name] = value;
    if (content.approval) {
        auto& approval = json["approval_requests"] = ContentJson::object();
        approval["name"] = content.approval->name;
        approval["category"] = content.approval->category.str();
        approval["content_type"] = content.approval->content_type;
        approval["status"] = content.approval->status.str();
        approval["rejection_reason"] = content.approval->rejection_reason.str();
        if (content.approval->allow_category_change) {
            approval["allow_category_change"] = *content.approval->allow_category_change;
        }
        if (content.approval->send_ttl_seconds) {
            approval["send_ttl_seconds"] = *content.approval->send_ttl_seconds;
        }
    }
    return json;
}

}  // namespace detail
}  // namespace twiliowa
