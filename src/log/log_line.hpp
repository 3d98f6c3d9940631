/// @file
/// One line of a log, as JSON or for people.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace twiliowa::detail {

/// Writes a line to the end of a text, member by member; ASCII, without an end. What is empty is
/// left out.
class LogLine {
public:
    /// How much is written of a name or a word of somebody else's.
    static constexpr std::size_t longest_word = 128;
    /// And of a sentence.
    static constexpr std::size_t longest_sentence = 1'000;

    LogLine(std::string& out, bool as_json) noexcept : out_(out), as_json_(as_json) {}

    void begin(std::chrono::system_clock::time_point now, std::string_view level,
               std::string_view event);
    void text(std::string_view name, std::string_view value, std::size_t longest = longest_word);
    void sentence(std::string_view name, std::string_view value) {
        text(name, value, longest_sentence);
    }
    /// Left out if it is no SID: two letters and 32 hexadecimal digits.
    void sid(std::string_view name, std::string_view value);
    /// 16 hexadecimal digits: programs that read JSON have no numbers that large.
    void id(std::string_view name, std::uint64_t value);
    void number(std::string_view name, std::int64_t value);
    /// Left out if it is 0.
    void count(std::string_view name, std::int64_t value) {
        if (value != 0) number(name, value);
    }
    void flag(std::string_view name, bool value);
    /// `12.345`; left out if it is 0.
    void milliseconds(std::string_view name, std::chrono::microseconds value);
    /// `12.5`
    void thousandths(std::string_view name, std::int64_t value);
    /// Left out if it is the epoch.
    void time(std::string_view name, std::chrono::system_clock::time_point value);
    void end();

private:
    void name(std::string_view name);
    void escaped(std::string_view value, std::size_t longest);
    void append_number(std::int64_t value);
    void append_time(std::chrono::system_clock::time_point value);
    void append_code_unit(unsigned unit);

    std::string& out_;
    bool as_json_;
};

}  // namespace twiliowa::detail
