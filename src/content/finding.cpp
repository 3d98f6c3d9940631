#include <twiliowa/content/finding.hpp>

#include <algorithm>

namespace twiliowa {

std::string_view to_string(ContentUse use) noexcept {
    switch (use) {
        case ContentUse::any:
            return "any";
        case ContentUse::session:
            return "session";
        case ContentUse::whatsapp:
            return "whatsapp";
    }
    return "unknown";
}

std::string_view to_string(FindingLevel level) noexcept {
    switch (level) {
        case FindingLevel::refuse:
            return "refuse";
        case FindingLevel::warn:
            return "warn";
    }
    return "unknown";
}

std::string ContentFinding::text() const {
    auto words = path + ' ' + problem;
    if (!hint.empty()) words += ": " + hint;
    return words;
}

bool refuses(const ContentFindings& findings) noexcept {
    return std::any_of(findings.begin(), findings.end(), [](const ContentFinding& each) {
        return each.level == FindingLevel::refuse;
    });
}

}  // namespace twiliowa
