/// @file
/// Where a check puts what it finds.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/content/finding.hpp>

namespace twiliowa::detail {

/// In which use a rule counts. Where the use is not known, what counts in some uses only is a
/// warning.
enum class RuleScope {
    always,
    session,      ///< Sent without approval.
    approval,     ///< Submitted to WhatsApp.
    on_whatsapp,  ///< Both of these; other channels may take it.
};

/// How bad the breach of a rule is in that use; nullopt if it is none.
std::optional<FindingLevel> level_in_use(RuleScope scope, FindingLevel level,
                                         ContentUse use) noexcept;

/// A member's path in words that are nobody's data: `path.name`, or `path[index]` for a name that
/// may be.
std::string path_of_member(std::string_view path, std::string_view name, std::size_t index);
std::string path_of_item(std::string_view path, std::size_t index);

class FindingList {
public:
    explicit FindingList(ContentUse use) noexcept : use_(use) {}

    ContentUse use() const noexcept { return use_; }
    void add(RuleScope scope, FindingLevel level, std::string_view path, std::string problem,
             std::string_view hint = {});
    void refuse(std::string_view path, std::string problem, std::string_view hint = {}) {
        add(RuleScope::always, FindingLevel::refuse, path, std::move(problem), hint);
    }
    void warn(std::string_view path, std::string problem, std::string_view hint = {}) {
        add(RuleScope::always, FindingLevel::warn, path, std::move(problem), hint);
    }

    /// What was found, worst first; what two rules found is there once.
    ContentFindings take();

private:
    ContentUse use_;
    ContentFindings found_;
};

}  // namespace twiliowa::detail
