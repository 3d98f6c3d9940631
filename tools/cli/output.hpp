/// @file
/// What a command says: its result on standard output, everything else on standard error.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "failure.hpp"

namespace cli {

enum class Colour { plain, red, yellow, green };

class Output {
public:
    /// Colours for a terminal, unless NO_COLOR is set.
    explicit Output(bool json);

    bool is_json() const noexcept { return json_; }
    /// What the command found, in both forms; one of them is printed. Once a command.
    void result(const nlohmann::ordered_json& json, std::string_view text);
    /// One of many results, for commands that find them one after the other: an object on one line,
    /// or its text. From the first on, an error is an object on one line, too.
    void line(const nlohmann::ordered_json& json, std::string_view text);
    /// A line for people, on standard error.
    void note(std::string_view text);
    /// On standard error; with --json an object on standard output.
    void failure(const Failure& failure);

    /// `text` in a colour, where standard output shows any.
    std::string paint(Colour colour, std::string_view text) const;

    /// Whether all of it could be written.
    bool flush();
    /// Errors are on one line from now on, as `line` has it.
    void expect_lines() noexcept { lines_ = true; }

private:
    bool json_ = false;
    bool lines_ = false;
    bool colours_ = false;
};

}  // namespace cli
