#include "moment.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <ctime>

namespace cli {

namespace {

using twiliowa::TimePoint;

/// What is read of a text, from its beginning.
class Reading {
public:
    explicit Reading(std::string_view text) : rest_(text) {}

    bool ended() const { return rest_.empty(); }
    bool take(char wanted) {
        if (rest_.empty() || rest_.front() != wanted) return false;
        rest_.remove_prefix(1);
        return true;
    }
    /// Exactly so many digits.
    std::optional<int> digits(std::size_t count) {
        int number = 0;
        const auto part = rest_.substr(0, count);
        if (part.size() != count || part.find_first_not_of("0123456789") != part.npos) return {};
        std::from_chars(part.data(), part.data() + part.size(), number);
        rest_.remove_prefix(count);
        return number;
    }
    void skip_digits() {
        while (!rest_.empty() && rest_.front() >= '0' && rest_.front() <= '9') {
            rest_.remove_prefix(1);
        }
    }

private:
    std::string_view rest_;
};

/// `Z`, or what the clock there is ahead of UTC.
std::optional<std::chrono::minutes> zone_of(Reading& reading) {
    if (reading.take('Z')) return std::chrono::minutes{0};
    const bool ahead = reading.take('+');
    if (!ahead && !reading.take('-')) return {};
    const auto hours = reading.digits(2);
    reading.take(':');
    const auto minutes = reading.digits(2);
    if (!hours || !minutes || *hours > 23 || *minutes > 59) return {};
    const auto zone = std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
    return ahead ? zone : -zone;
}

std::optional<TimePoint> calendar_time_of(std::string_view text) {
    Reading reading{text};
    const auto year = reading.digits(4);
    if (!year || !reading.take('-')) return {};
    const auto month = reading.digits(2);
    if (!month || !reading.take('-')) return {};
    const auto day = reading.digits(2);
    if (!day || !(reading.take('T') || reading.take(' '))) return {};
    const auto hour = reading.digits(2);
    if (!hour || !reading.take(':')) return {};
    const auto minute = reading.digits(2);
    if (!minute) return {};
    int second = 0;
    if (reading.take(':')) {
        const auto seconds = reading.digits(2);
        if (!seconds) return {};
        second = *seconds;
        if (reading.take('.')) reading.skip_digits();
    }
    const auto zone = zone_of(reading);
    const std::chrono::year_month_day date{std::chrono::year{*year},
                                           std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!zone || !reading.ended() || !date.ok() || *hour > 23 || *minute > 59 || second > 59) {
        return {};
    }
    return TimePoint{std::chrono::sys_days{date}} + std::chrono::hours{*hour} +
           std::chrono::minutes{*minute} + std::chrono::seconds{second} - *zone;
}

}  // namespace

std::string text_of(const std::optional<TimePoint>& time) {
    if (!time) return {};
    const auto seconds = std::chrono::system_clock::to_time_t(*time);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

nlohmann::ordered_json json_of(const std::optional<TimePoint>& time) {
    if (!time) return nullptr;
    return text_of(time);
}

std::optional<TimePoint> time_of(std::string_view text) {
    constexpr std::int64_t latest =
        9'000'000'000;  // 2255; a TimePoint of nanoseconds ends in 2262.
    std::int64_t seconds = 0;
    const auto* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, seconds);
    if (!text.empty() && read.ec == std::errc{} && read.ptr == end) {
        if (seconds < 0 || seconds > latest) return {};
        return TimePoint{std::chrono::seconds{seconds}};
    }
    const auto time = calendar_time_of(text);
    const bool fits = text.substr(0, 4) >= "1970" && text.substr(0, 4) <= "2255";
    return fits ? time : std::nullopt;
}

std::optional<std::chrono::seconds> duration_of(std::string_view text) {
    const auto unit = std::string_view{"smh"}.find(text.empty() ? ' ' : text.back());
    const auto digits = text.substr(0, text.empty() ? 0 : text.size() - 1);
    if (unit == std::string_view::npos || digits.empty() || digits.size() > 6 ||
        digits.find_first_not_of("0123456789") != std::string_view::npos) {
        return {};
    }
    constexpr std::chrono::seconds units[] = {std::chrono::seconds{1}, std::chrono::minutes{1},
                                              std::chrono::hours{1}};
    int count = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), count);
    return count * units[unit];
}

}  // namespace cli
