#include "content_client/content_verbs.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "call/api_client.hpp"
#include "call/api_error.hpp"
#include "content/definition_json.hpp"
#include "content/template_json.hpp"
#include "text/dates.hpp"
#include "text/form.hpp"
#include "text/utf8.hpp"

namespace twiliowa::detail {

namespace {

constexpr std::string_view contents_path = "/v1/Content";
constexpr auto content_product = ApiProduct::content;

Result<PreparedCall> prepare_content(const ClientCore& core, Repeat repeat, const ContentSid& sid,
                                     std::string_view rest = {}) {
    if (sid.empty()) {
        return Error::invalid_request("ContentSid", "is empty", "give HX and 32 hex digits", 21655);
    }
    auto prepared =
        prepare_at(core, content_product,
                   std::string{contents_path}.append(1, '/').append(sid.str()).append(rest));
    if (prepared) prepared->operation.repeat = repeat;
    return prepared;
}

Result<PreparedCall> with_json(Result<PreparedCall> prepared, const ContentJson& json) {
    if (!prepared) return prepared;
    prepared->operation.body = dump_content_json(json);
    prepared->operation.is_json = true;
    return prepared;
}

Result<PreparedCall> prepare_create_content(const ClientCore& core,
                                            const ContentDefinition& definition) {
    if (auto admitted = admit_definition(definition); !admitted) return admitted.error();
    auto prepared = prepare_at(core, content_product, contents_path);
    if (prepared) prepared->operation.repeat = Repeat::duplicates;
    return with_json(std::move(prepared), write_definition(definition));
}

Result<PreparedCall> prepare_fetch_content(const ClientCore& core, const ContentSid& sid) {
    return prepare_content(core, Repeat::harmless, sid);
}

Result<PreparedCall> prepare_update_content(const ClientCore& core, const ContentSid& sid,
                                            const ContentDefinition& definition) {
    if (auto admitted = admit_definition(definition); !admitted) return admitted.error();
    return with_json(prepare_content(core, Repeat::idempotent, sid), write_definition(definition));
}

Result<PreparedCall> prepare_remove_content(const ClientCore& core, const ContentSid& sid,
                                            bool delete_in_waba) {
    return prepare_content(core, Repeat::idempotent, sid,
                           delete_in_waba ? "?deleteInWaba=true" : "");
}

Result<PreparedCall> prepare_submit_content(const ClientCore& core, const ContentSid& sid,
                                            const ApprovalRequest& request) {
    const auto findings = request.check();
    if (refuses(findings)) {
        return Error::invalid_request(findings.front().path, findings.front().problem,
                                      findings.front().hint);
    }
    ContentJson json{{"name", std::string{request.name}}, {"category", request.category.str()}};
    if (request.allow_category_change) {
        json["allow_category_change"] = *request.allow_category_change;
    }
    if (request.send_ttl_seconds) json["send_ttl_seconds"] = *request.send_ttl_seconds;
    return with_json(prepare_content(core, Repeat::duplicates, sid, "/ApprovalRequests/whatsapp"),
                     json);
}

Result<PreparedCall> prepare_fetch_approval(const ClientCore& core, const ContentSid& sid) {
    return prepare_content(core, Repeat::harmless, sid, "/ApprovalRequests");
}

/// `next` is the last page's link, or empty for the first page.
Result<PreparedCall> prepare_contents(const ClientCore& core, const std::string& next) {
    if (!next.empty()) return prepare_link(core, content_product, next);
    return prepare_at(core, content_product, "/v1/ContentAndApprovals?PageSize=100");
}

Result<PreparedCall> prepare_search_contents(const ClientCore& core, const ContentFilter& filter) {
    constexpr std::size_t longest_name = 450;
    constexpr std::size_t longest_content = 1'024;
    if (filter.page_size < 1 || filter.page_size > 500) {
        return Error::invalid_request("PageSize", "is not between 1 and 500", {}, 20007);
    }
    if (count_code_points(filter.name) > longest_name) {
        return Error::invalid_request("ContentName", "is longer than 450 characters");
    }
    if (count_code_points(filter.content) > longest_content) {
        return Error::invalid_request("Content", "is longer than 1024 characters");
    }
    std::string query;
    const auto add = [&query](std::string_view name, std::string_view value) {
        if (!value.empty()) append_form_field(query, name, value);
    };
    add("ContentName", filter.name);
    add("Content", filter.content);
    for (const auto& language : filter.languages) add("Language", language);
    for (const auto& type : filter.types) add("ContentType", type);
    for (const auto& status : filter.statuses)
        add("ChannelEligibility", "whatsapp:" + status.str());
    if (filter.created_after) add("DateCreatedAfter", format_iso8601_utc(*filter.created_after));
    if (filter.created_before) add("DateCreatedBefore", format_iso8601_utc(*filter.created_before));
    if (filter.order == ContentFilter::Order::by_name) {
        add("SortByContentName", "asc");
    } else {
        add("SortByDate", filter.order == ContentFilter::Order::oldest_first ? "asc" : "desc");
    }
    add("PageSize", std::to_string(filter.page_size));
    return prepare_at(core, content_product, "/v2/ContentAndApprovals?" + query);
}

std::optional<Error> read_content(HttpResponse& answer, ContentTemplate& content) {
    auto json = parse_content_object(answer.body, "answer");
    if (json) content = read_content_template(std::move(*json));
    if (json && !content.sid.empty()) return std::nullopt;
    return unreadable_answer(answer, "the answer is not a content template");
}

std::optional<Error> read_contents(HttpResponse& answer, Page<ContentTemplate>& page) {
    auto json = parse_content_object(answer.body, "answer");
    auto read = json ? read_content_page(std::move(*json)) : std::nullopt;
    if (!read) return unreadable_answer(answer, "the answer is not a list of content templates");
    page = std::move(*read);
    return std::nullopt;
}

/// A submission answers the approval itself; asked later it is the member `whatsapp`.
std::optional<Error> read_approval_answer(HttpResponse& answer, ContentApproval& approval) {
    const auto json = parse_content_object(answer.body, "answer");
    std::optional<ContentApproval> read;
    if (json) {
        const auto* whatsapp = find_member(*json, "whatsapp");
        read = read_approval(whatsapp != nullptr ? *whatsapp : *json);
        // A template that nobody submitted may have no record at all.
        if (whatsapp != nullptr && whatsapp->is_null()) {
            read = ContentApproval{.status = ApprovalStatus{ApprovalStatus::unsubmitted}};
        }
    }
    if (!read) return unreadable_answer(answer, "the answer is not an approval");
    approval = std::move(*read);
    return std::nullopt;
}

}  // namespace

Result<void> admit_definition(const ContentDefinition& definition) {
    const auto findings = definition.check();
    if (!refuses(findings)) return {};
    std::string others;
    for (std::size_t i = 1; i < findings.size(); ++i) {
        if (findings[i].level == FindingLevel::refuse) others += "; " + findings[i].text();
    }
    return Error::invalid_request(findings.front().path, findings.front().problem + others,
                                  findings.front().hint);
}

const Verb<ContentTemplate, const ContentDefinition&> create_content_verb{
    {"content.create", HttpMethod::post, "/v1/Content", content_product},
    prepare_create_content,
    read_content};
const Verb<ContentTemplate, const ContentSid&> fetch_content_verb{
    {"content.fetch", HttpMethod::get, "/v1/Content/{Sid}", content_product},
    prepare_fetch_content,
    read_content};
const Verb<ContentTemplate, const ContentSid&, const ContentDefinition&> update_content_verb{
    {"content.update", HttpMethod::put, "/v1/Content/{Sid}", content_product},
    prepare_update_content,
    read_content};
const Verb<void, const ContentSid&, bool> remove_content_verb{
    {"content.remove", HttpMethod::delete_, "/v1/Content/{Sid}", content_product},
    prepare_remove_content,
    read_nothing};
const Verb<ContentApproval, const ContentSid&, const ApprovalRequest&> submit_content_verb{
    {"content.submit", HttpMethod::post, "/v1/Content/{Sid}/ApprovalRequests/whatsapp",
     content_product},
    prepare_submit_content,
    read_approval_answer};
const Verb<ContentApproval, const ContentSid&> fetch_approval_verb{
    {"content.approval", HttpMethod::get, "/v1/Content/{Sid}/ApprovalRequests", content_product},
    prepare_fetch_approval,
    read_approval_answer};
const PageVerb<ContentTemplate> list_contents_verb{
    {"content.list", HttpMethod::get, "/v1/ContentAndApprovals", content_product},
    prepare_contents,
    read_contents};
const Verb<Page<ContentTemplate>, const ContentFilter&> search_contents_verb{
    {"content.search", HttpMethod::get, "/v2/ContentAndApprovals", content_product},
    prepare_search_contents,
    read_contents};
const PageVerb<ContentTemplate> next_contents_verb{
    {"content.search", HttpMethod::get, "/v2/ContentAndApprovals", content_product},
    prepare_contents,
    read_contents};

}  // namespace twiliowa::detail
