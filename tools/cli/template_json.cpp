#include "template_json.hpp"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include "failure.hpp"
#include "layout.hpp"
#include "moment.hpp"

namespace cli {

using twiliowa::ContentApproval;
using twiliowa::ContentDefinition;
using twiliowa::ContentSid;
using twiliowa::ContentTemplate;
using twiliowa::RejectionReason;
using Json = nlohmann::ordered_json;

Json json_of_definition(const ContentDefinition& definition) {
    return Json::parse(definition.to_json());
}

Json json_of_approval(const ContentApproval& approval) {
    Json json{{"name", approval.name},
              {"category", approval.category.str()},
              {"content_type", approval.content_type},
              {"status", approval.status.str()},
              {"rejection_reason", approval.rejection_reason.str()}};
    if (approval.allow_category_change) {
        json["allow_category_change"] = *approval.allow_category_change;
    }
    if (approval.send_ttl_seconds) json["send_ttl_seconds"] = *approval.send_ttl_seconds;
    return json;
}

Json json_of_template(const ContentTemplate& content) {
    Json json{{"sid", content.sid.str()},
              {"account_sid", content.account_sid.str()},
              {"date_created", json_of(content.date_created)},
              {"date_updated", json_of(content.date_updated)}};
    const auto definition = json_of_definition(content.definition);
    for (const auto& [name, value] : definition.items()) json[name] = value;
    if (content.approval) json["approval_requests"] = json_of_approval(*content.approval);
    return json;
}

std::string text_of_approval(const ContentApproval& approval) {
    std::string text = approval.status.str();
    const auto& reason = approval.rejection_reason;
    if (!reason.empty() && reason != RejectionReason::none) text += ": " + reason.str();
    return text;
}

std::string pretty(const Json& json) {
    const auto dumped = json.dump(2, ' ', false, Json::error_handler_t::replace);
    std::string text;
    std::size_t begin = 0;
    while (begin < dumped.size()) {
        const auto end = std::min(dumped.find('\n', begin), dumped.size());
        text += printable(std::string_view{dumped}.substr(begin, end - begin)) + '\n';
        begin = end + 1;
    }
    return text;
}

ContentSid template_sid(const std::string& text) {
    if (auto sid = ContentSid::parse(text)) return std::move(*sid);
    throw usage_failure("SID is not HX and 32 hexadecimal digits", "twiliowa template list");
}

}  // namespace cli
