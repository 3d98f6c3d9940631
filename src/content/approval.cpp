#include <twiliowa/content/template.hpp>

#include <algorithm>
#include <cstddef>

#include "content/finding_list.hpp"
#include "text/ascii.hpp"

namespace twiliowa {

namespace detail {
namespace {

void check_approval_name(std::string_view name, FindingList& findings) {
    constexpr std::size_t longest = 512;
    if (name.empty()) {
        findings.refuse("name", "is missing", "name the template, such as order_shipped");
        return;
    }
    const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_';
    });
    if (!plain) {
        findings.refuse("name", "holds other characters than a to z, 0 to 9 and _",
                        "write it in lower case, with _ between words");
    }
    if (name.size() > longest) {
        findings.refuse("name", "is longer than 512 characters", "shorten it");
    }
}

void check_approval_category(const TemplateCategory& category, FindingList& findings) {
    constexpr std::string_view hint = "use one of UTILITY, MARKETING, AUTHENTICATION";
    if (category.empty()) {
        findings.refuse("category", "is missing", hint);
    } else if (!(category == TemplateCategory::utility || category == TemplateCategory::marketing ||
                 category == TemplateCategory::authentication)) {
        findings.refuse("category", "is not a category that WhatsApp knows", hint);
    }
}

}  // namespace
}  // namespace detail

ContentFindings ApprovalRequest::check() const {
    detail::FindingList findings{ContentUse::whatsapp};
    detail::check_approval_name(name, findings);
    detail::check_approval_category(category, findings);
    if (send_ttl_seconds && *send_ttl_seconds <= 0) {
        findings.refuse("send_ttl_seconds", "is not positive", "give seconds, or leave it out");
    }
    return findings.take();
}

ContentFindings ApprovalRequest::check(const ContentDefinition& definition) const {
    auto findings = check();
    const bool is_code = std::any_of(
        definition.types.begin(), definition.types.end(),
        [](const ContentType& each) { return type_name(each) == AuthenticationContent::type; });
    if (is_code && !category.empty() && !(category == TemplateCategory::authentication)) {
        findings.push_back({FindingLevel::refuse, "category",
                            "does not fit: whatsapp/authentication is of the category "
                            "AUTHENTICATION",
                            "use AUTHENTICATION"});
    }
    return findings;
}

}  // namespace twiliowa
