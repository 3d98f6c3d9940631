#include "log/log_line.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "text/utf8.hpp"

namespace twiliowa::detail {
namespace {

constexpr std::string_view cut_mark = "...";

/// Of a value for people: it is written without quotes.
bool is_bare(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           std::string_view{"-_./:+%*"}.find(c) != std::string_view::npos;
}

bool is_printed(char c) noexcept {
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

bool is_log_name(std::string_view name) noexcept {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               c == '_';
    });
}

bool is_whole_sid(std::string_view text) noexcept {
    const auto is_letter = [](char c) { return c >= 'A' && c <= 'Z'; };
    const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    return text.size() == 34 && is_letter(text[0]) && is_letter(text[1]) &&
           std::all_of(text.begin() + 2, text.end(), is_hex);
}

void append_padded(std::string& out, std::int64_t value, int width) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    for (auto missing = width - (end - digits); missing > 0; --missing) out += '0';
    out.append(digits, end);
}

}  // namespace

void LogLine::append_number(std::int64_t value) {
    char digits[24];
    out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

/// `2026-11-21T06:10:00.123Z`
void LogLine::append_time(std::chrono::system_clock::time_point value) {
    const auto day = std::chrono::floor<std::chrono::days>(value);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::milliseconds>(value - day)};
    append_padded(out_, static_cast<int>(date.year()), 4);
    out_ += '-';
    append_padded(out_, static_cast<unsigned>(date.month()), 2);
    out_ += '-';
    append_padded(out_, static_cast<unsigned>(date.day()), 2);
    out_ += 'T';
    append_padded(out_, clock.hours().count(), 2);
    out_ += ':';
    append_padded(out_, clock.minutes().count(), 2);
    out_ += ':';
    append_padded(out_, clock.seconds().count(), 2);
    out_ += '.';
    append_padded(out_, clock.subseconds().count(), 3);
    out_ += 'Z';
}

void LogLine::append_code_unit(unsigned unit) {
    out_ += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) {
        out_ += "0123456789abcdef"[(unit >> static_cast<unsigned>(shift)) & 15U];
    }
}

void LogLine::begin(std::chrono::system_clock::time_point now, std::string_view level,
                    std::string_view event) {
    if (!is_log_name(event)) event = "other";
    if (as_json_) {
        out_ += R"({"time":")";
        append_time(now);
        out_.append(R"(","level":")").append(level);
        out_.append(R"(","event":")").append(event).append(1, '"');
    } else {
        append_time(now);
        out_.append(1, ' ').append(level).append(1, ' ').append(event);
    }
}

void LogLine::end() {
    if (as_json_) out_ += '}';
}

void LogLine::name(std::string_view name) {
    if (!is_log_name(name)) name = "other";
    if (as_json_) {
        out_.append(",\"").append(name).append("\":");
    } else {
        out_.append(1, ' ').append(name).append(1, '=');
    }
}

/// Without quotes around it.
void LogLine::escaped(std::string_view value, std::size_t longest) {
    std::size_t written = 0;
    while (!value.empty()) {
        if (written >= longest) {
            out_ += cut_mark;
            return;
        }
        const char c = value.front();
        const auto length = std::max(utf8_sequence_length(value), std::size_t{1});
        written += length;
        if (is_printed(c)) {
            out_ += c;
        } else if (c == '"' || c == '\\') {
            out_.append(1, '\\').append(1, c);
        } else if (static_cast<unsigned char>(c) < 0x80) {
            append_code_unit(static_cast<unsigned char>(c));
        } else if (utf8_sequence_length(value) == 0) {
            append_code_unit(0xfffd);
        } else if (const auto point = utf8_code_point(value, length); point < 0x10000) {
            append_code_unit(point);
        } else {
            append_code_unit(0xd800 + ((point - 0x10000) >> 10));
            append_code_unit(0xdc00 + ((point - 0x10000) & 0x3ff));
        }
        value.remove_prefix(length);
    }
}

void LogLine::text(std::string_view name, std::string_view value, std::size_t longest) {
    if (value.empty()) return;
    this->name(name);
    const bool is_quoted =
        as_json_ || value.size() > longest || !std::all_of(value.begin(), value.end(), is_bare);
    if (is_quoted) out_ += '"';
    escaped(value, longest);
    if (is_quoted) out_ += '"';
}

void LogLine::sid(std::string_view name, std::string_view value) {
    if (is_whole_sid(value)) text(name, value);
}

void LogLine::id(std::string_view name, std::uint64_t value) {
    char digits[16];
    for (int i = 0; i < 16; ++i) {
        digits[i] = "0123456789abcdef"[(value >> static_cast<unsigned>(60 - 4 * i)) & 15U];
    }
    text(name, {digits, sizeof digits});
}

void LogLine::number(std::string_view name, std::int64_t value) {
    this->name(name);
    append_number(value);
}

void LogLine::flag(std::string_view name, bool value) {
    this->name(name);
    out_ += value ? "true" : "false";
}

void LogLine::milliseconds(std::string_view name, std::chrono::microseconds value) {
    if (value.count() != 0) thousandths(name, value.count());
}

void LogLine::thousandths(std::string_view name, std::int64_t value) {
    this->name(name);
    if (value < 0) out_ += '-';
    const auto whole = value / 1'000;
    append_number(whole < 0 ? -whole : whole);
    auto rest = std::abs(value % 1'000);
    if (rest == 0) return;
    out_ += '.';
    append_padded(out_, rest, 3);
    while (out_.back() == '0') out_.pop_back();
}

void LogLine::time(std::string_view name, std::chrono::system_clock::time_point value) {
    if (value == std::chrono::system_clock::time_point{}) return;
    this->name(name);
    if (as_json_) out_ += '"';
    append_time(value);
    if (as_json_) out_ += '"';
}

}  // namespace twiliowa::detail
