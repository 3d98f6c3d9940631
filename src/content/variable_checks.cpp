#include "content/variable_checks.hpp"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/types/placeholders.hpp>

#include "content/variable_text.hpp"
#include "text/ascii.hpp"
#include "text/utf8.hpp"
#include "types/variable_rules.hpp"

namespace twiliowa::detail {

namespace {

struct VariableUse {
    std::string name;
    std::string path;  ///< Of the first text that has it; empty for a one-time code.
};

class VariableChecker {
public:
    VariableChecker(const ContentDefinition& definition, const ContentJson& json,
                    const ContentSamples& samples, FindingList& findings)
        : definition_(definition), json_(json), samples_(samples), list_(findings) {}

    void check() {
        expect_code();
        find_variables();
        check_samples();
        check_numbering();
        check_count();
    }

private:
    /// The only variable of a one-time code is the code; no text shows where it goes.
    void expect_code() {
        constexpr std::size_t longest = 14;
        const auto* types = find_member(json_, "types");
        if (types == nullptr || find_member(*types, AuthenticationContent::type) == nullptr) return;
        add_use("1", {});
        const auto code = samples_.find("1");
        if (code == samples_.end() || count_code_points(code->second) <= longest) return;
        list_.refuse("variables.1", "is a one-time code of 15 characters or more", "shorten it");
    }

    void find_variables() {
        const auto* types = find_member(json_, "types");
        if (types != nullptr) find_variables(*types, "types");
    }

    void find_variables(const ContentJson& json, const std::string& path) {
        std::size_t index = 0;
        if (json.is_string()) {
            find_variables_of_text(json.get_ref<const std::string&>(), path);
        } else if (json.is_array()) {
            for (const auto& each : json) find_variables(each, path_of_item(path, index++));
        } else if (json.is_object()) {
            for (const auto& [name, value] : json.items()) {
                find_variables(value, path_of_member(path, name, index++));
            }
        }
    }

    void find_variables_of_text(std::string_view text, const std::string& path) {
        for (const auto& each : placeholders_of(text)) {
            if (each.name.empty()) {
                list_.refuse(path, "has a malformed placeholder",
                             "write {{1}}: a name of 1 to 16 letters, digits or underscores in "
                             "two braces on each side");
            } else if (auto* use = find_use(each.name); use == nullptr) {
                add_use(each.name, path);
            } else if (use->path.empty()) {
                use->path = path;
            }
        }
    }

    void add_use(std::string_view name, const std::string& path) {
        places_.emplace(name, uses_.size());
        uses_.push_back({std::string(name), path});
    }

    VariableUse* find_use(std::string_view name) noexcept {
        const auto found = places_.find(name);
        return found == places_.end() ? nullptr : &uses_[found->second];
    }

    static std::string path_of_sample(std::string_view name, std::size_t index) {
        if (is_variable_name(name) && !holds_long_number(name)) {
            return "variables." + std::string(name);
        }
        return path_of_item("variables", index);
    }

    void check_samples() {
        const auto& entries = definition_.variables.entries();
        std::set<std::string_view> names;
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (names.insert(entries[i].first).second) continue;
            list_.refuse(path_of_sample(entries[i].first, i), "is there twice",
                         "keep one of the two");
        }
        const auto* variables = find_member(json_, "variables");
        if (variables != nullptr && variables->is_object()) {
            std::size_t index = 0;
            for (const auto& [name, value] : variables->items()) {
                check_sample(name, value, path_of_sample(name, index++));
            }
        }
        check_missing_samples();
    }

    void check_sample(const std::string& name, const ContentJson& value, const std::string& path) {
        constexpr std::size_t advised = 250;
        if (!is_variable_name(name)) {
            list_.refuse(path, "has an impossible name",
                         "use 1 to 16 letters, digits or underscores");
        } else if (!definition_.types.empty() && find_use(name) == nullptr) {
            list_.warn(path, "is used in no text", "leave it out, or write its placeholder");
        }
        if (!value.is_string()) {
            list_.refuse(path, "is " + std::string(kind_of_json(value)) + ", not text",
                         "write it in quotation marks");
            return;
        }
        const auto& sample = value.get_ref<const std::string&>();
        const auto length = count_code_points(sample);
        if (sample.empty()) {
            list_.refuse(path, "is empty", "give an example, or leave it out");
        } else if (length > max_variable_value) {
            list_.refuse(path, "is longer than 1600 characters", "shorten it");
        } else if (length >= advised) {
            list_.warn(path, "is of 250 characters or more", "Twilio advises fewer");
        }
        if (sample.empty()) return;
        const auto problem =
            is_blank(sample) ? std::string_view("is blank") : whitespace_problem(sample);
        if (!problem.empty()) {
            list_.add(RuleScope::approval, FindingLevel::refuse, path, std::string(problem),
                      "WhatsApp takes no such value in an approved template (63013)");
        }
    }

    void check_missing_samples() {
        for (const auto& use : uses_) {
            if (use.path.empty() || samples_.find(use.name) != samples_.end()) continue;
            constexpr std::string_view hint = "WhatsApp's reviewers need an example of each";
            if (holds_long_number(use.name)) {
                list_.add(RuleScope::approval, FindingLevel::refuse, use.path,
                          "has a variable without a sample", hint);
            } else {
                list_.add(RuleScope::approval, FindingLevel::refuse, "variables." + use.name,
                          "is missing: " + use.path + " has this variable", hint);
            }
        }
    }

    /// WhatsApp numbers variables from 1 on.
    void check_numbering() {
        const auto is_number = [](const VariableUse& use) {
            return use.name.front() != '0' &&
                   std::all_of(use.name.begin(), use.name.end(), is_digit);
        };
        const auto numbered = std::count_if(uses_.begin(), uses_.end(), is_number);
        for (std::ptrdiff_t i = 1; i <= numbered; ++i) {
            if (find_use(std::to_string(i)) != nullptr) continue;
            list_.add(RuleScope::approval, FindingLevel::refuse, "variables",
                      "are not numbered from 1 on without a gap: there is no {{" +
                          std::to_string(i) + "}}",
                      "number them 1, 2, 3 and so on; their order in the text is free");
            break;
        }
        if (static_cast<std::size_t>(numbered) < uses_.size()) {
            list_.add(RuleScope::approval, FindingLevel::warn, "variables",
                      "have names that are no numbers", "WhatsApp numbers them from 1 on");
        }
    }

    void check_count() {
        const auto without_sample = std::count_if(
            uses_.begin(), uses_.end(),
            [&](const VariableUse& use) { return samples_.find(use.name) == samples_.end(); });
        if (samples_.size() + static_cast<std::size_t>(without_sample) > max_variables) {
            list_.refuse("variables", "are more than 100", "leave some out");
        }
    }

    const ContentDefinition& definition_;
    const ContentJson& json_;
    const ContentSamples& samples_;
    FindingList& list_;
    std::vector<VariableUse> uses_;                           ///< In the order of the texts.
    std::map<std::string, std::size_t, std::less<>> places_;  ///< In `uses_`, by name.
};

}  // namespace

void check_variables(const ContentDefinition& definition, const ContentJson& json,
                     const ContentSamples& samples, FindingList& findings) {
    VariableChecker{definition, json, samples, findings}.check();
}

}  // namespace twiliowa::detail
