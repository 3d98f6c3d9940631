/// @file
/// Regular expressions, as far as lists are filtered by them; whatever they are, matching takes
/// time in proportion to the text.
#pragma once

#include <bitset>
#include <optional>
#include <string_view>
#include <vector>

namespace twiliowa::testing::fake {

/// Letters, `.`, `[a-z]`, `[^x]`, `\d \w \s` and escapes, `* + ?`, `^ $`, `|` outside of all else,
/// and `(?i)` at the beginning. No groups.
class FakePattern {
public:
    /// Nullopt when the text has something else.
    static std::optional<FakePattern> parse(std::string_view text);
    /// Whether some part of the text matches.
    bool is_in(std::string_view text) const;

private:
    /// One character, and how often it may come.
    struct Item {
        std::bitset<256> characters = {};
        bool may_lack = false;
        bool may_repeat = false;
    };
    struct Branch {
        std::vector<Item> items = {};
        bool from_begin = false;
        bool to_end = false;
    };

    static bool parse_branch(std::string_view text, Branch& branch);
    static bool is_branch_in(const Branch& branch, std::string_view text);

    std::vector<Branch> branches_;
    bool ignores_case_ = false;
};

}  // namespace twiliowa::testing::fake
