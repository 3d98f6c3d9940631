#include <algorithm>

#include <twiliowa/content/template.hpp>

#include "text/ascii.hpp"

namespace twiliowa {

namespace {

constexpr std::size_t longest_approval_name = 512;

bool is_approval_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= longest_approval_name &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || detail::is_digit(c) || c == '_';
           });
}

bool is_known_category(const TemplateCategory& category) noexcept {
    return category == TemplateCategory::utility || category == TemplateCategory::marketing ||
           category == TemplateCategory::authentication;
}

}  // namespace

ContentFindings ApprovalRequest::check() const {
    ContentFindings findings;
    if (!is_approval_name(name)) {
        findings.push_back({FindingLevel::refuse, "name", "is no name that WhatsApp takes",
                            "use 1 to 512 of a-z, 0-9 and _, such as order_update"});
    }
    if (!is_known_category(category)) {
        findings.push_back({FindingLevel::refuse, "category", "is none of WhatsApp's",
                            "say UTILITY, MARKETING or AUTHENTICATION"});
    }
    if (send_ttl_seconds && *send_ttl_seconds <= 0) {
        findings.push_back({FindingLevel::refuse, "send_ttl_seconds", "is not positive",
                            "give seconds, or leave it out"});
    }
    return findings;
}

}  // namespace twiliowa
