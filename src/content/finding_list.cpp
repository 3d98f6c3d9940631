#include "content/finding_list.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "text/ascii.hpp"
#include "types/variable_rules.hpp"

namespace twiliowa::detail {

namespace {

/// Names come from outside too, so that only those which look like names are repeated.
bool is_harmless_member(std::string_view name) noexcept {
    constexpr std::size_t longest = 40;
    return !name.empty() && name.size() <= longest && !holds_long_number(name) &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return is_letter_or_digit(c) || c == '_' || c == '-' || c == '/';
           });
}

}  // namespace

std::optional<FindingLevel> level_in_use(RuleScope scope, FindingLevel level,
                                         ContentUse use) noexcept {
    const bool session = scope == RuleScope::session || scope == RuleScope::on_whatsapp;
    const bool approval = scope == RuleScope::approval || scope == RuleScope::on_whatsapp;
    if (scope == RuleScope::always || (session && use == ContentUse::session) ||
        (approval && use == ContentUse::whatsapp)) {
        return level;
    }
    if (use == ContentUse::any) return FindingLevel::warn;
    return std::nullopt;
}

std::string path_of_item(std::string_view path, std::size_t index) {
    return std::string(path) + '[' + std::to_string(index) + ']';
}

std::string path_of_member(std::string_view path, std::string_view name, std::size_t index) {
    if (!is_harmless_member(name)) return path_of_item(path, index);
    return path.empty() ? std::string(name) : std::string(path) + '.' + std::string(name);
}

void FindingList::add(RuleScope scope, FindingLevel level, std::string_view path,
                      std::string problem, std::string_view hint) {
    const auto here = level_in_use(scope, level, use_);
    if (!here) return;
    found_.push_back({*here, std::string(path), std::move(problem), std::string(hint)});
}

ContentFindings FindingList::take() {
    std::stable_sort(found_.begin(), found_.end(),
                     [](const ContentFinding& a, const ContentFinding& b) {
                         return a.level == FindingLevel::refuse && b.level == FindingLevel::warn;
                     });
    std::set<std::pair<std::string, std::string>> told;
    ContentFindings once;
    for (auto& each : found_) {
        if (told.emplace(each.path, each.problem).second) once.push_back(std::move(each));
    }
    found_.clear();
    return once;
}

}  // namespace twiliowa::detail
