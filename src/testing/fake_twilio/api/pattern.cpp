#include "testing/fake_twilio/api/pattern.hpp"

#include <cstddef>
#include <string>

#include "text/ascii.hpp"

namespace twiliowa::testing::fake {

namespace {

constexpr std::size_t longest_pattern = 200;
using PatternSet = std::bitset<256>;

void add_pattern_range(PatternSet& set, char from, char to) {
    for (int c = static_cast<unsigned char>(from); c <= static_cast<unsigned char>(to); ++c) {
        set.set(static_cast<std::size_t>(c));
    }
}

/// What `\d` and the like stand for.
PatternSet pattern_class_of(char letter) {
    PatternSet set;
    switch (detail::ascii_lower(letter)) {
        case 'd':
            add_pattern_range(set, '0', '9');
            break;
        case 'w':
            add_pattern_range(set, '0', '9');
            add_pattern_range(set, 'a', 'z');
            add_pattern_range(set, 'A', 'Z');
            add_pattern_range(set, '_', '_');
            break;
        case 's':
            for (const char c : std::string_view{" \t\r\n\f\v"}) add_pattern_range(set, c, c);
            break;
        default:
            add_pattern_range(set, letter, letter);
            return set;
    }
    return letter >= 'A' && letter <= 'Z' ? ~set : set;
}

/// Reads `[...]` from behind the bracket to behind its end; false if it has none.
bool read_pattern_set(std::string_view& text, PatternSet& set) {
    const bool negated = text.starts_with('^');
    if (negated) text.remove_prefix(1);
    for (bool first = true; !text.empty(); first = false) {
        if (text[0] == ']' && !first) {
            text.remove_prefix(1);
            if (negated) set.flip();
            return true;
        }
        if (text[0] == '\\' && text.size() > 1) {
            set |= pattern_class_of(text[1]);
            text.remove_prefix(2);
        } else if (text.size() > 2 && text[1] == '-' && text[2] != ']') {
            add_pattern_range(set, text[0], text[2]);
            text.remove_prefix(3);
        } else {
            add_pattern_range(set, text[0], text[0]);
            text.remove_prefix(1);
        }
    }
    return false;
}

/// Reads what stands for one character.
bool read_pattern_atom(std::string_view& text, PatternSet& set) {
    const char c = text[0];
    text.remove_prefix(1);
    switch (c) {
        case '[':
            return read_pattern_set(text, set);
        case '.':
            set.set();
            return true;
        case '\\':
            if (text.empty()) return false;
            set = pattern_class_of(text[0]);
            text.remove_prefix(1);
            return true;
        case '*':
        case '+':
        case '?':
        case '(':
        case ')':
        case '{':
        case '^':
        case '$':
            return false;
        default:
            add_pattern_range(set, c, c);
            return true;
    }
}

/// The first part up to a `|` that is neither escaped nor in brackets.
std::string_view take_pattern_branch(std::string_view& text) {
    bool in_brackets = false;
    std::size_t at = 0;
    for (; at < text.size(); ++at) {
        if (text[at] == '\\') {
            ++at;
        } else if (text[at] == '[') {
            in_brackets = true;
        } else if (text[at] == ']') {
            in_brackets = false;
        } else if (text[at] == '|' && !in_brackets) {
            break;
        }
    }
    const auto branch = text.substr(0, at);
    text = at >= text.size() ? std::string_view{} : text.substr(at + 1);
    return branch;
}

void lower_pattern_text(std::string& text) {
    for (char& c : text) c = detail::ascii_lower(c);
}

}  // namespace

bool FakePattern::parse_branch(std::string_view text, Branch& branch) {
    if (text.starts_with('^')) {
        branch.from_begin = true;
        text.remove_prefix(1);
    }
    while (!text.empty()) {
        if (text == "$") {
            branch.to_end = true;
            return true;
        }
        Item item;
        if (!read_pattern_atom(text, item.characters)) return false;
        if (!text.empty() && (text[0] == '*' || text[0] == '+' || text[0] == '?')) {
            item.may_lack = text[0] != '+';
            item.may_repeat = text[0] != '?';
            text.remove_prefix(1);
        }
        branch.items.push_back(item);
    }
    return true;
}

std::optional<FakePattern> FakePattern::parse(std::string_view text) {
    if (text.size() > longest_pattern) return std::nullopt;
    FakePattern pattern;
    constexpr std::string_view case_flag = "(?i)";
    pattern.ignores_case_ = text.starts_with(case_flag);
    if (pattern.ignores_case_) text.remove_prefix(case_flag.size());
    do {
        Branch branch;
        if (!parse_branch(take_pattern_branch(text), branch)) return std::nullopt;
        for (auto& item : branch.items) {
            for (std::size_t c = 'A'; c <= 'Z' && pattern.ignores_case_; ++c) {
                if (item.characters[c]) item.characters.set(c - 'A' + 'a');
            }
        }
        pattern.branches_.push_back(std::move(branch));
    } while (!text.empty());
    return pattern;
}

bool FakePattern::is_in(std::string_view text) const {
    std::string lower;
    if (ignores_case_) {
        lower = text;
        lower_pattern_text(lower);
        text = lower;
    }
    for (const auto& branch : branches_) {
        if (is_branch_in(branch, text)) return true;
    }
    return false;
}

bool FakePattern::is_branch_in(const Branch& branch, std::string_view text) {
    // All places in the pattern that the text read so far may have led to.
    const auto& items = branch.items;
    std::vector<bool> places(items.size() + 1);
    const auto skip_what_may_lack = [&](std::vector<bool>& at) {
        for (std::size_t i = 0; i < items.size(); ++i) {
            if (at[i] && items[i].may_lack) at[i + 1] = true;
        }
    };
    places[0] = true;
    skip_what_may_lack(places);
    for (std::size_t read = 0;; ++read) {
        if (places[items.size()] && (!branch.to_end || read == text.size())) return true;
        if (read == text.size()) return false;
        std::vector<bool> next(items.size() + 1);
        next[0] = !branch.from_begin;
        for (std::size_t i = 0; i < items.size(); ++i) {
            if (!places[i] || !items[i].characters[static_cast<unsigned char>(text[read])]) {
                continue;
            }
            next[i + 1] = true;
            if (items[i].may_repeat) next[i] = true;
        }
        // A repeated item may end here as well.
        skip_what_may_lack(next);
        places = std::move(next);
    }
}

}  // namespace twiliowa::testing::fake
