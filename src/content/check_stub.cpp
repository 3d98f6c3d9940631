#include <twiliowa/content/definition.hpp>
namespace twiliowa {
ContentFindings ContentDefinition::check(ContentUse) const {
    if (types.empty()) return {{FindingLevel::refuse, "types", "is empty", "give one"}};
    return {};
}
bool refuses(const ContentFindings& f) noexcept {
    for (auto& x : f)
        if (x.level == FindingLevel::refuse) return true;
    return false;
}
std::string ContentFinding::text() const {
    return path + ' ' + problem;
}
}  // namespace twiliowa
