#include "content/rule_checks.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/content/definition.hpp>
#include <twiliowa/types/placeholders.hpp>

#include "content/check_rules.hpp"
#include "content/content_urls.hpp"
#include "content/variable_text.hpp"
#include "text/ascii.hpp"
#include "text/utf8.hpp"

namespace twiliowa::detail {

namespace {

struct RuleTarget {
    std::string path;
    const ContentJson* value = nullptr;  ///< Null: there is none.
};

bool is_of_button_type(const ContentJson& action, std::string_view filter) {
    if (filter.empty()) return true;
    const auto type = text_member(action, "type");
    return filter.front() == '!' ? type != filter.substr(1) : type == filter;
}

void find_targets(const ContentJson& json, std::string_view path, const std::string& at,
                  std::vector<RuleTarget>& targets) {
    const auto end = std::min(path.find('.'), path.size());
    const auto step = path.substr(0, end);
    const auto rest = path.substr(std::min(end + 1, path.size()));
    const auto bracket = std::min(step.find('['), step.size());
    const auto name = step.substr(0, bracket);
    const auto* member = find_member(json, name);
    const auto here = path_of_member(at, name, 0);
    if (bracket == step.size()) {
        targets.push_back({here, member});
        return;
    }
    if (member == nullptr || !member->is_array()) return;
    const auto filter = step.substr(bracket + 1, step.size() - bracket - 2);
    for (std::size_t i = 0; i < member->size(); ++i) {
        const auto& item = (*member)[i];
        if (!is_of_button_type(item, filter)) continue;
        const auto item_path = path_of_item(here, i);
        if (rest.empty()) {
            targets.push_back({item_path, &item});
        } else if (item.is_object()) {
            find_targets(item, rest, item_path, targets);
        }
    }
}

std::vector<RuleTarget> find_targets(const ContentJson& json, std::string_view path,
                                     const std::string& at) {
    std::vector<RuleTarget> targets;
    if (path.empty()) {
        targets.push_back({at, &json});
    } else {
        find_targets(json, path, at, targets);
    }
    return targets;
}

bool has_word(std::string_view words, std::string_view wanted) noexcept {
    while (!words.empty()) {
        const auto end = std::min(words.find(' '), words.size());
        if (words.substr(0, end) == wanted) return true;
        words.remove_prefix(std::min(end + 1, words.size()));
    }
    return false;
}

std::string joined_words(std::string_view words) {
    std::string list;
    for (const char c : words) {
        if (c == ' ') list += ',';
        list += c;
    }
    return list;
}

constexpr std::string_view known_button_types =
    "COPY_CODE PHONE_NUMBER QUICK_REPLY REQUEST_CONTACT_INFO URL VOICE_CALL VOICE_CALL_REQUEST";

std::string_view wider_use(RuleScope scope) noexcept {
    return scope == RuleScope::session ? "leave some out, or have it approved by WhatsApp"
                                       : "leave some out";
}

/// One type of content, as its rules see it.
class TypeChecker {
public:
    TypeChecker(const ContentJson& json, std::string_view type, std::string path,
                const ContentSamples& samples, FindingList& findings)
        : json_(json), type_(type), path_(std::move(path)), samples_(samples), list_(findings) {}

    void check(const ContentRule& rule) {
        switch (rule.kind) {
            case RuleKind::most:
            case RuleKind::fewest:
                return check_count(rule);
            case RuleKind::not_with:
                return check_exclusion(rule);
            default:
                break;
        }
        for (const auto& target : find_targets(json_, rule.path, path_)) {
            if (rule.kind == RuleKind::required) {
                check_required(rule, target);
            } else if (!is_empty_member(target.value)) {
                check_value(rule, target);
            }
        }
    }

    /// What is no rule for one member.
    void check_whole() {
        if (type_ == CardContent::type) check_card();
        if (type_ == CarouselContent::type) check_carousel();
    }

private:
    void add(const ContentRule& rule, std::string_view path, std::string problem,
             std::string_view hint = {}) {
        list_.add(rule.scope, rule.level, path, std::move(problem), hint);
    }

    void check_required(const ContentRule& rule, const RuleTarget& target) {
        if (!is_empty_member(target.value)) return;
        add(rule, target.path, "is missing", std::string(type_) + " needs it");
    }

    void check_count(const ContentRule& rule) {
        const auto bracket = rule.path.rfind('[');
        if (rule.path.ends_with(']')) {
            const auto found = find_targets(json_, rule.path, path_).size();
            if (found <= rule.limit) return;
            const auto type =
                std::string(rule.path.substr(bracket + 1, rule.path.size() - bracket - 2));
            add(rule, path_ + '.' + std::string(rule.path.substr(0, bracket)),
                rule.limit == 0
                    ? "has a button of the type " + type
                    : "has more than " + std::to_string(rule.limit) +
                          (rule.limit == 1 ? " button" : " buttons") + " of the type " + type,
                wider_use(rule.scope));
            return;
        }
        for (const auto& target : find_targets(json_, rule.path, path_)) {
            if (target.value == nullptr || !target.value->is_array() || target.value->empty()) {
                continue;
            }
            const auto count = target.value->size();
            const auto words = std::to_string(rule.limit) + (rule.limit == 1 ? " item" : " items");
            if (rule.kind == RuleKind::most && count > rule.limit) {
                add(rule, target.path, "has more than " + words, wider_use(rule.scope));
            } else if (rule.kind == RuleKind::fewest && count < rule.limit) {
                add(rule, target.path, "has fewer than " + words, "add more");
            }
        }
    }

    void check_exclusion(const ContentRule& rule) {
        const auto is_there = [&](std::string_view path) {
            const auto targets = find_targets(json_, path, path_);
            return std::any_of(targets.begin(), targets.end(), [](const RuleTarget& target) {
                return !is_empty_member(target.value);
            });
        };
        if (!is_there(rule.path) || !is_there(rule.words)) return;
        const auto bracket = rule.path.find('[');
        if (bracket == std::string_view::npos) {
            add(rule, path_ + '.' + std::string(rule.path),
                "cannot go with " + std::string(rule.words), "keep one of the two");
            return;
        }
        const auto type_of = [](std::string_view path) {
            const auto begin = path.find('[') + 1;
            return std::string(path.substr(begin, path.size() - begin - 1));
        };
        add(rule, path_ + '.' + std::string(rule.path.substr(0, bracket)),
            "has buttons of the types " + type_of(rule.path) + " and " + type_of(rule.words),
            "keep one of the two types");
    }

    void check_value(const ContentRule& rule, const RuleTarget& target) {
        switch (rule.kind) {
            case RuleKind::session_only:
                return add(rule, target.path, "cannot be submitted to WhatsApp",
                           "it goes within the 24-hour window only; use another type");
            case RuleKind::approval_only:
                return add(rule, target.path, "cannot be sent without approval",
                           "submit it to WhatsApp first");
            case RuleKind::one_type:
                return check_one_type(rule, target);
            case RuleKind::whole_number:
                return check_whole_number(rule, target);
            case RuleKind::degrees:
                return check_degrees(rule, target);
            default:
                break;
        }
        if (target.value->is_string()) {
            check_text(rule, target.path, target.value->get_ref<const std::string&>());
        }
    }

    void check_text(const ContentRule& rule, const std::string& path, const std::string& text) {
        switch (rule.kind) {
            case RuleKind::most_characters:
            case RuleKind::most_with_values:
                return check_length(rule, path, text);
            case RuleKind::button_type:
                return check_button_type(rule, path, text);
            case RuleKind::word:
                if (has_word(rule.words, text)) return;
                return add(rule, path, "is not a value that this version knows",
                           "use one of " + joined_words(rule.words));
            case RuleKind::phone:
                if (has_variable(text) || is_phone_number(text)) return;
                return add(rule, path, "is not a phone number with its country code",
                           "write + and digits alone");
            case RuleKind::no_variable:
                if (!has_variable(text)) return;
                return add(rule, path, "has a variable", "write out what it should say");
            case RuleKind::a_variable:
                return check_is_variable(rule, path, text);
            case RuleKind::button_url:
                return check_button_url(rule, path, text);
            case RuleKind::media_url:
                return check_media_url(rule, path, text);
            case RuleKind::file_ending:
                return check_file_ending(rule, path, text);
            case RuleKind::approved_text:
                return check_approved_text(rule, path, text);
            default:
                break;
        }
    }

    void check_length(const ContentRule& rule, const std::string& path, const std::string& text) {
        auto problem = "is longer than " + std::to_string(rule.limit) + " characters";
        if (shortest_length(text) > rule.limit) {
            return add(rule, path, std::move(problem), "shorten it");
        }
        if (count_code_points(with_samples(text, samples_)) <= rule.limit) return;
        problem += " with the samples filled in";
        const auto level =
            rule.kind == RuleKind::most_with_values ? rule.level : FindingLevel::warn;
        list_.add(rule.scope, level, path, std::move(problem),
                  rule.kind == RuleKind::most_with_values
                      ? "shorten it, or choose shorter samples: WhatsApp takes no more (63021)"
                      : "shorten it, or choose shorter samples");
    }

    void check_button_type(const ContentRule& rule, const std::string& path,
                           const std::string& text) {
        if (has_word(rule.words, text)) return;
        const auto hint = "use one of " + joined_words(rule.words);
        if (!has_word(known_button_types, text)) {
            return list_.warn(path, "is no type of button that this version knows", hint);
        }
        add(rule, path, "is not a type of button that " + std::string(type_) + " takes", hint);
    }

    void check_one_type(const ContentRule& rule, const RuleTarget& target) {
        if (!target.value->is_array() || target.value->empty()) return;
        const auto first = text_member(target.value->front(), "type");
        const bool same = std::all_of(
            target.value->begin(), target.value->end(),
            [&](const ContentJson& each) { return text_member(each, "type") == first; });
        if (same) return;
        add(rule, target.path, "has buttons of several types",
            "use one type, or have it approved by WhatsApp");
    }

    void check_is_variable(const ContentRule& rule, const std::string& path,
                           const std::string& text) {
        const auto found = find_placeholder(text);
        if (found && found->begin == 0 && found->end == text.size()) return;
        add(rule, path, "is not one variable",
            "write a variable alone and give it another value at each send");
    }

    void check_whole_number(const ContentRule& rule, const RuleTarget& target) {
        std::optional<long> number;
        if (target.value->is_string()) {
            const auto& text = target.value->get_ref<const std::string&>();
            if (has_variable(text)) return;
            number = parse_number<long>(text);
        } else if (target.value->is_number_integer()) {
            number = target.value->get<long>();
        } else if (!target.value->is_number()) {
            return;  // told as a member of another kind
        }
        if (number && *number >= 1 && static_cast<std::size_t>(*number) <= rule.limit) return;
        add(rule, target.path, "is not a whole number from 1 to " + std::to_string(rule.limit));
    }

    void check_degrees(const ContentRule& rule, const RuleTarget& target) {
        std::optional<double> number;
        if (target.value->is_string()) {
            const auto& text = target.value->get_ref<const std::string&>();
            if (has_variable(text)) return;
            number = parse_number<double>(text);
        } else if (target.value->is_number()) {
            number = target.value->get<double>();
        } else {
            return;
        }
        const auto limit = static_cast<double>(rule.limit);
        if (number && *number >= -limit && *number <= limit) return;
        add(rule, target.path,
            "is not a number from -" + std::to_string(rule.limit) + " to " +
                std::to_string(rule.limit),
            "give degrees, or a variable");
    }

    void check_button_url(const ContentRule& rule, const std::string& path,
                          const std::string& text) {
        const auto problem = button_url_problem(text);
        if (!problem.empty()) {
            return add(rule, path, std::string(problem),
                       "write an absolute https:// URL; it may end in one variable, after a slash");
        }
        check_sample_url(path, text);
        if (has_wa_me_link(text)) warn_of_wa_me(path);
    }

    void check_media_url(const ContentRule& rule, const std::string& path,
                         const std::string& text) {
        constexpr std::string_view hint =
            "write an absolute https:// URL; variables may stand after its domain";
        const auto problem = media_url_problem(text);
        if (!problem.empty()) return add(rule, path, std::string(problem), hint);
        check_sample_url(path, text);
        if (!has_variable(text)) return;
        const bool known = has_all_samples(text, samples_);
        if (!known && ends_with_variable(text)) return;  // how it ends is not known yet
        if (file_ending_of(with_samples(text, samples_)).empty()) {
            add(rule, path, "does not end as a file does, once its variables are filled in",
                "let it end in .jpg, .png, .mp4, .pdf or the like");
        }
    }

    /// What a sample makes of a URL goes out where the variable is left out, and is fetched by
    /// WhatsApp's reviewers.
    void check_sample_url(const std::string& path, const std::string& text) {
        if (!has_all_samples(text, samples_)) return;
        const auto url = with_samples(text, samples_);
        const auto problem = called_url_problem(url);
        if (problem.empty()) return;
        list_.add(
            RuleScope::approval, FindingLevel::refuse, path,
            std::string(problem) + (has_variable(text) ? ", once its samples are filled in" : ""),
            "WhatsApp's reviewers open it: it needs a public server");
    }

    void check_file_ending(const ContentRule& rule, const std::string& path,
                           const std::string& text) {
        if (!has_all_samples(text, samples_) && ends_with_variable(text)) return;
        const auto url = with_samples(text, samples_);
        const auto ending = file_ending_of(url);
        if (ending.empty() || !is_known_file_ending(ending) || has_word(rule.words, ending)) return;
        add(rule, path, "is of a kind of file that does not go here",
            "use one of " + joined_words(rule.words));
    }

    void warn_of_wa_me(const std::string& path) {
        list_.add(RuleScope::approval, FindingLevel::warn, path, "has a link to wa.me",
                  "WhatsApp rejects those; link to a page of your own");
    }

    void check_approved_text(const ContentRule& rule, const std::string& path,
                             const std::string& text) {
        constexpr std::size_t most_emojis = 10;
        // With an example for each, the reviewers may let it pass.
        const auto level =
            has_all_samples(text, samples_) ? FindingLevel::warn : FindingLevel::refuse;
        const auto misplaced = [&](const char* problem) {
            list_.add(rule.scope, level, path, problem, "put words there");
        };
        if (begins_with_variable(text)) misplaced("begins with a variable");
        if (ends_with_variable(text)) misplaced("ends with a variable");
        if (has_neighbouring_variables(text)) misplaced("has two variables side by side");

        const auto advise = [&](std::string problem, std::string_view hint) {
            list_.add(rule.scope, FindingLevel::warn, path, std::move(problem), hint);
        };
        const auto placeholders = placeholders_of(text);
        const auto variables = static_cast<std::size_t>(
            std::count_if(placeholders.begin(), placeholders.end(),
                          [](const Placeholder& each) { return !each.name.empty(); }));
        if (variables > 0 && count_words(text) < 2 * variables + 1) {
            advise("has too few words for its variables",
                   "write at least " + std::to_string(2 * variables + 1) + " words besides");
        }
        if (count_emojis(text) > most_emojis) {
            advise("has more than 10 emojis", "leave some out");
        }
        if (has_wa_me_link(text)) warn_of_wa_me(path);
        if (has_run_of_blank_lines(text)) {
            advise("has several blank lines in a row", "leave one");
        }
    }

    void check_card() {
        const auto is_there = [&](std::string_view name) {
            return !is_empty_member(find_member(json_, name));
        };
        const bool title = is_there("title");
        const bool body = is_there("body");
        if (!title && !body) {
            list_.refuse(path_, "has neither a title nor a body", "write one of them");
        } else if (!(title && body) && !is_there("subtitle") && !is_there("media") &&
                   !is_there("actions")) {
            list_.refuse(path_, std::string("has nothing but a ") + (title ? "title" : "body"),
                         "add a subtitle, media or buttons, or use twilio/text");
        }
    }

    void check_carousel() {
        constexpr std::size_t longest = 160;
        const auto* cards = find_member(json_, "cards");
        if (cards == nullptr || !cards->is_array()) return;
        for (std::size_t i = 0; i < cards->size(); ++i) {
            const auto& card = (*cards)[i];
            const auto path = path_of_item(path_ + ".cards", i);
            const auto title = text_member(card, "title");
            const auto body = text_member(card, "body");
            const auto filled = count_code_points(with_samples(title, samples_)) +
                                count_code_points(with_samples(body, samples_));
            if (shortest_length(title) + shortest_length(body) > longest) {
                list_.refuse(path, "has a title and a body of more than 160 characters together",
                             "shorten them");
            } else if (filled > longest) {
                list_.warn(path,
                           "has a title and a body of more than 160 characters together with the "
                           "samples filled in",
                           "shorten them, or choose shorter samples");
            }
            if (i > 0 && button_types(card) != button_types(cards->front())) {
                list_.refuse(path + ".actions",
                             "has other types of buttons than the first card, or another order",
                             "give each card the same types in the same order");
            }
        }
    }

    static std::vector<std::string_view> button_types(const ContentJson& card) {
        std::vector<std::string_view> types;
        const auto* actions = find_member(card, "actions");
        if (actions == nullptr || !actions->is_array()) return types;
        for (const auto& each : *actions) types.push_back(text_member(each, "type"));
        return types;
    }

    const ContentJson& json_;
    std::string_view type_;
    std::string path_;
    const ContentSamples& samples_;
    FindingList& list_;
};

}  // namespace

void check_rules(const ContentJson& json, std::string_view type, const std::string& path,
                 const ContentSamples& samples, FindingList& findings) {
    TypeChecker checker{json, type, path, samples, findings};
    for (const auto& rule : content_rules::all) {
        if (rule.type == type) checker.check(rule);
    }
    checker.check_whole();
}

}  // namespace twiliowa::detail
