#include "text/dates.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

constexpr std::array<std::string_view, 12> month_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> weekday_names{"Sun", "Mon", "Tue", "Wed",
                                                        "Thu", "Fri", "Sat"};

struct DateFields {
    int year = 0;
    int month = 0;
    int day = 0;
    int hour = 0;
    int minute = 0;
    int second = 0;
    int offset_minutes = 0;
};

/// Reads a date from left to right; the first thing that does not fit makes it fail for good.
class DateReader {
public:
    explicit DateReader(std::string_view text) : rest_(text) {}

    bool good() const noexcept { return good_; }
    bool at_end() const noexcept { return good_ && rest_.empty(); }
    bool next_is(char c) const noexcept { return !rest_.empty() && rest_.front() == c; }

    void expect(char c) {
        if (!next_is(c)) {
            good_ = false;
        } else {
            rest_.remove_prefix(1);
        }
    }
    bool accept(std::string_view word) {
        if (rest_.empty() || rest_.front() != word.front() || !rest_.starts_with(word))
            return false;
        rest_.remove_prefix(word.size());
        return true;
    }
    int number(std::size_t min_digits, std::size_t max_digits) {
        int value = 0;
        std::size_t digits = 0;
        while (digits < max_digits && !rest_.empty() && is_digit(rest_.front())) {
            value = value * 10 + (rest_.front() - '0');
            rest_.remove_prefix(1);
            ++digits;
        }
        if (digits < min_digits) good_ = false;
        return value;
    }
    void skip_digits() {
        if (rest_.empty() || !is_digit(rest_.front())) good_ = false;
        while (!rest_.empty() && is_digit(rest_.front())) rest_.remove_prefix(1);
    }
    int month() {
        for (std::size_t i = 0; i < month_names.size(); ++i) {
            if (accept(month_names[i])) return static_cast<int>(i) + 1;
        }
        good_ = false;
        return 0;
    }
    bool accept_weekday() {
        return std::any_of(weekday_names.begin(), weekday_names.end(),
                           [this](std::string_view name) { return accept(name); });
    }
    void clock(DateFields& fields) {
        fields.hour = number(2, 2);
        expect(':');
        fields.minute = number(2, 2);
        expect(':');
        fields.second = number(2, 2);
    }
    /// `+hhmm` or `-hh:mm`.
    int offset(bool with_colon) {
        const int sign = next_is('-') ? -1 : 1;
        expect(sign < 0 ? '-' : '+');
        const int hours = number(2, 2);
        if (with_colon) expect(':');
        const int minutes = number(2, 2);
        if (hours > 23 || minutes > 59) good_ = false;
        return sign * (hours * 60 + minutes);
    }

private:
    std::string_view rest_;
    bool good_ = true;
};

std::optional<CalendarTime> to_time(const DateReader& reader, const DateFields& f) {
    namespace chrono = std::chrono;
    // system_clock counts nanoseconds: it ends in the year 2262.
    if (!reader.at_end() || f.year < 1970 || f.year > 2261) return std::nullopt;
    const auto date = chrono::year{f.year} / f.month / f.day;
    if (!date.ok() || f.hour > 23 || f.minute > 59 || f.second > 60) return std::nullopt;
    return chrono::sys_days{date} + chrono::hours{f.hour} + chrono::minutes{f.minute} +
           chrono::seconds{f.second} - chrono::minutes{f.offset_minutes};
}

struct BrokenDownTime {
    std::chrono::year_month_day date{};
    std::chrono::hh_mm_ss<std::chrono::seconds> clock;
    unsigned weekday = 0;
};

BrokenDownTime break_down(CalendarTime time) {
    // In seconds, as midnight of the first day is before the first nanosecond of system_clock.
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const auto day = std::chrono::floor<std::chrono::days>(seconds);
    return {std::chrono::year_month_day{day}, std::chrono::hh_mm_ss{seconds - day},
            std::chrono::weekday{day}.c_encoding()};
}

/// `Sunday, 06-Nov-94 08:49:37 GMT`
std::optional<CalendarTime> parse_rfc850(std::string_view text) {
    DateReader reader(text);
    DateFields fields;
    if (!reader.accept_weekday()) return std::nullopt;
    for (const std::string_view rest : {"day", "sday", "nesday", "rsday", "urday"}) {
        if (reader.accept(rest)) break;
    }
    reader.expect(',');
    reader.expect(' ');
    fields.day = reader.number(2, 2);
    reader.expect('-');
    fields.month = reader.month();
    reader.expect('-');
    const int year = reader.number(2, 2);
    fields.year = year < 70 ? 2000 + year : 1900 + year;
    reader.expect(' ');
    reader.clock(fields);
    for (const char c : std::string_view{" GMT"}) reader.expect(c);
    return to_time(reader, fields);
}

/// `Sun Nov  6 08:49:37 1994`
std::optional<CalendarTime> parse_asctime(std::string_view text) {
    DateReader reader(text);
    DateFields fields;
    if (!reader.accept_weekday()) return std::nullopt;
    reader.expect(' ');
    fields.month = reader.month();
    reader.expect(' ');
    reader.accept(" ");
    fields.day = reader.number(1, 2);
    reader.expect(' ');
    reader.clock(fields);
    reader.expect(' ');
    fields.year = reader.number(4, 4);
    return to_time(reader, fields);
}

template <class... Values>
std::string format_fields(const char* format, Values... values) {
    std::array<char, 64> buffer{};
    const int length = std::snprintf(buffer.data(), buffer.size(), format, values...);
    return {buffer.data(), static_cast<std::size_t>(std::max(length, 0))};
}

}  // namespace

std::optional<CalendarTime> parse_rfc2822(std::string_view text) {
    DateReader reader(text);
    DateFields fields;
    if (reader.accept_weekday()) {
        reader.expect(',');
        reader.expect(' ');
    }
    fields.day = reader.number(1, 2);
    reader.expect(' ');
    fields.month = reader.month();
    reader.expect(' ');
    fields.year = reader.number(4, 4);
    reader.expect(' ');
    reader.clock(fields);
    reader.expect(' ');
    if (!reader.accept("GMT") && !reader.accept("UT")) fields.offset_minutes = reader.offset(false);
    return to_time(reader, fields);
}

std::optional<CalendarTime> parse_iso8601(std::string_view text) {
    DateReader reader(text);
    DateFields fields;
    fields.year = reader.number(4, 4);
    reader.expect('-');
    fields.month = reader.number(2, 2);
    reader.expect('-');
    fields.day = reader.number(2, 2);
    reader.expect('T');
    reader.clock(fields);
    if (reader.next_is('.')) {
        reader.expect('.');
        reader.skip_digits();
    }
    if (!reader.accept("Z")) fields.offset_minutes = reader.offset(true);
    return to_time(reader, fields);
}

std::optional<CalendarTime> parse_http_date(std::string_view text) {
    if (const auto time = parse_rfc2822(text)) return time;  // IMF-fixdate is one of its forms
    if (const auto time = parse_rfc850(text)) return time;
    return parse_asctime(text);
}

std::optional<CalendarTime> parse_twilio_date(std::string_view text) {
    const auto rfc = parse_rfc2822(text);
    return rfc ? rfc : parse_iso8601(text);
}

std::string format_iso8601_utc(CalendarTime time) {
    const auto t = break_down(time);
    return format_fields("%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(t.date.year()),
                         static_cast<unsigned>(t.date.month()), static_cast<unsigned>(t.date.day()),
                         static_cast<int>(t.clock.hours().count()),
                         static_cast<int>(t.clock.minutes().count()),
                         static_cast<int>(t.clock.seconds().count()));
}

std::string format_rfc2822(CalendarTime time) {
    const auto t = break_down(time);
    const auto month = static_cast<unsigned>(t.date.month());
    return format_fields("%s, %02u %s %04d %02d:%02d:%02d +0000", weekday_names[t.weekday].data(),
                         static_cast<unsigned>(t.date.day()), month_names[month - 1].data(),
                         static_cast<int>(t.date.year()), static_cast<int>(t.clock.hours().count()),
                         static_cast<int>(t.clock.minutes().count()),
                         static_cast<int>(t.clock.seconds().count()));
}

std::string format_date_utc(CalendarTime time) {
    return format_iso8601_utc(time).substr(0, 10);
}

}  // namespace twiliowa::detail
