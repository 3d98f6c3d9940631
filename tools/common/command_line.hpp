/// @file
/// A program's command line: options with values and without, and what follows "--".
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "numbers.hpp"

namespace tools {

/// What is wrong with the command line.
struct UsageError {
    std::string message;
};

/// @throws UsageError, which names `option`, unless `text` is a number from `least` to `most`.
template <class Number>
Number parse_number(const std::string& option, std::string_view text, Number least, Number most,
                    const std::string& range) {
    const auto number = read_number<Number>(text);
    if (number && *number >= least && *number <= most) return *number;
    throw UsageError{option + ": '" + std::string{text} + "' is not a number" + range};
}

/// What a program understands, and what it does with it.
class CommandLine {
public:
    using TakeValue = std::function<void(const std::string&)>;

    /// An option that stands alone.
    void add_flag(std::string name, std::function<void()> take);
    /// `--name value` or `--name=value`.
    void add(std::string name, TakeValue take);

    /// Takes the options in their order; returns the words after "--".
    /// @throws UsageError
    std::vector<std::string> parse(int argc, const char* const* argv) const;

private:
    struct Option {
        bool has_value = true;
        TakeValue take = {};
    };
    std::map<std::string, Option, std::less<>> options_;
};

}  // namespace tools
