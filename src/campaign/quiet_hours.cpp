#include <twiliowa/campaign/quiet_hours.hpp>

#include <algorithm>
#include <cstdint>
#include <utility>

#include <twiliowa/campaign/recipient_zones.hpp>

#include "campaign/week_hours.hpp"
#include "campaign/zone_clock.hpp"
#include "text/ascii.hpp"

namespace twiliowa {

namespace detail {
namespace {

using ZoneTime = std::chrono::sys_seconds;

constexpr std::chrono::hours quiet_horizon{5 * 7 * 24};
constexpr int longest_validity_period = 36'000;

struct QuietState {
    bool allowed = false;
    ZoneTime until = {};  ///< When that changes; at the horizon, if not before it.
};

/// What holds in one zone at `at`, and how long: across changes of its clocks.
QuietState quiet_state(const AllowedWeek& week, const ZoneClock& zone, ZoneTime at,
                       ZoneTime horizon) {
    const auto second_at = [](ZoneTime time, const ZonePeriod& period) {
        return AllowedWeek::second_of(time.time_since_epoch() + period.offset);
    };
    auto period = zone.at(at);
    auto second = second_at(at, period);
    const bool allowed = week.allows(second);
    while (at < horizon) {
        const auto unchanged = week.unchanged_for(second);
        if (unchanged && *unchanged < period.end - at) return {allowed, at + *unchanged};
        if (period.end >= horizon) break;
        at = period.end;
        period = zone.at(at);
        second = second_at(at, period);
        if (week.allows(second) != allowed) return {allowed, at};
    }
    return {allowed, horizon};
}

/// The first time from `at` on that is allowed in all zones, for `least` at least.
AllowedTime first_allowed(const AllowedWeek& week, std::span<const ZoneClock> zones, TimePoint now,
                          std::chrono::seconds least) {
    const auto asked = std::chrono::floor<std::chrono::seconds>(now);
    const auto horizon = asked + quiet_horizon;
    for (auto at = asked; at < horizon;) {
        bool allowed = true;
        auto until = horizon;  // of the first that ends, or of the last night
        for (const auto& zone : zones) {
            const auto state = quiet_state(week, zone, at, horizon);
            if (state.allowed != allowed) {
                if (state.allowed) continue;
                allowed = false;
                until = state.until;
            } else {
                until = allowed ? std::min(until, state.until) : std::max(until, state.until);
            }
        }
        if (allowed && until - std::max<TimePoint>(at, now) >= least) {
            AllowedTime found{.now = at == asked, .from = std::max<TimePoint>(at, now)};
            if (until < horizon) found.until = until;
            return found;
        }
        at = until;
    }
    return {};
}

/// FNV-1a, then SplitMix64's last step: the same on every machine, since processes must agree.
std::uint64_t spread_hash(std::string_view key) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const char c : key) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
    }
    hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9;
    hash = (hash ^ (hash >> 27)) * 0x94d049bb133111eb;
    return hash ^ (hash >> 31);
}

void check_allowed_hours(const WeekHours& week) {
    bool any = false;
    for (const auto& hours : week) {
        if (!hours) continue;
        any = true;
        constexpr std::chrono::minutes day = std::chrono::hours{24};
        if (hours->from.count() < 0 || hours->from >= day) {
            Error::invalid_request("week", "begins before or after its day").raise();
        }
        if (hours->to.count() < 1 || hours->to > day) {
            Error::invalid_request("week", "ends before or after its day",
                                   "hours past midnight end before they begin: 20:00 to 2:00")
                .raise();
        }
        if (hours->from == hours->to) {
            Error::invalid_request("week", "ends when it begins", "a whole day is 0:00 to 24:00")
                .raise();
        }
    }
    if (!any) Error::invalid_request("week", "has no hours").raise();
}

/// `08:00`
std::optional<std::chrono::minutes> read_wall_clock(std::string_view text) noexcept {
    if (text.size() != 5 || text[2] != ':' || !is_digit(text[0]) || !is_digit(text[1]) ||
        !is_digit(text[3]) || !is_digit(text[4])) {
        return std::nullopt;
    }
    const int hours = 10 * (text[0] - '0') + (text[1] - '0');
    const int minutes = 10 * (text[3] - '0') + (text[4] - '0');
    if (hours > 24 || minutes > 59 || (hours == 24 && minutes > 0)) return std::nullopt;
    return std::chrono::minutes{60 * hours + minutes};
}

}  // namespace
}  // namespace detail

Result<AllowedHours> AllowedHours::parse(std::string_view text, std::string_view field) {
    const auto dash = text.find('-');
    const auto from = detail::read_wall_clock(text.substr(0, dash));
    const auto to = dash == std::string_view::npos ? std::nullopt
                                                   : detail::read_wall_clock(text.substr(dash + 1));
    if (!from || !to || *from == std::chrono::hours{24}) {
        return Error::invalid_request(field, "are no hours in which messages may go: 08:00-20:00");
    }
    return AllowedHours{*from, *to};
}

WeekHours QuietHoursOptions::every_day(AllowedHours hours) noexcept {
    WeekHours week;
    week.fill(hours);
    return week;
}

std::optional<int> AllowedTime::validity_period(TimePoint at, std::optional<int> wanted) const {
    if (!until) return wanted;
    const auto left = std::chrono::floor<std::chrono::seconds>(*until - at).count();
    const auto most = wanted.value_or(detail::longest_validity_period);
    if (!wanted && left >= most) return std::nullopt;
    return static_cast<int>(std::clamp<std::int64_t>(left, 1, std::max(most, 1)));
}

struct QuietHours::State {
    Result<AllowedTime> judge(std::span<const detail::ZoneClock> zones, TimePoint now) const;

    QuietHoursOptions options;
    detail::AllowedWeek week{options.week};
};

QuietHours::QuietHours(QuietHoursOptions options) {
    constexpr std::chrono::hours day{24};
    detail::check_allowed_hours(options.week);
    if (options.morning_spread.count() < 0 || options.morning_spread > day) {
        Error::invalid_request("morning_spread", "is not between 0 and a day").raise();
    }
    if (options.least_left.count() < 1 || options.least_left > day) {
        Error::invalid_request("least_left", "is not between a second and a day").raise();
    }
    if (options.unknown_zone == UnknownZone::assume) {
        if (auto zone = detail::ZoneClock::find(options.assumed_zone); !zone) {
            const bool unknown = zone.error().field() == "zone";
            (unknown ? Error::invalid_request("assumed_zone", "is none of the time zone database")
                     : zone.error())
                .raise();
        }
    }
    state_ = std::make_shared<const State>(State{std::move(options)});
}

Result<AllowedTime> QuietHours::judge(const QuietRecipient& recipient, TimePoint now) const {
    const auto& options = state_->options;
    const AllowedTime always{.now = true, .from = now};
    if (std::find(options.exempt.begin(), options.exempt.end(), recipient.lane) !=
        options.exempt.end()) {
        return always;
    }
    const auto judge_zone = [&](std::string_view name) -> Result<AllowedTime> {
        const auto zone = detail::ZoneClock::find(name);
        return zone ? state_->judge({&*zone, 1}, now) : zone.error();
    };
    if (!recipient.zone.empty()) return judge_zone(recipient.zone);
    // The tables may name a zone that an older database does not have yet.
    std::vector<detail::ZoneClock> zones;
    for (const auto& name : zones_of(recipient.address)) {
        const auto zone = detail::ZoneClock::find(name);
        if (zone) {
            zones.push_back(*zone);
        } else if (zone.error().field() != "zone") {
            return zone.error();
        }
    }
    if (!zones.empty()) return state_->judge(zones, now);
    switch (options.unknown_zone) {
        case UnknownZone::send_now:
            return always;
        case UnknownZone::assume:
            return judge_zone(options.assumed_zone);
        case UnknownZone::refuse:
            break;
    }
    return Error::invalid_request("zone", "is not known of this recipient",
                                  "give it, or say what holds then (unknown_zone)");
}

Result<AllowedTime> QuietHours::judge(std::span<const std::string> zones, TimePoint now) const {
    if (zones.empty()) return AllowedTime{.now = true, .from = now};
    std::vector<detail::ZoneClock> clocks;
    for (const auto& zone : zones) {
        const auto clock = detail::ZoneClock::find(zone);
        if (!clock) return clock.error();
        clocks.push_back(*clock);
    }
    return state_->judge(clocks, now);
}

Result<AllowedTime> QuietHours::State::judge(std::span<const detail::ZoneClock> zones,
                                             TimePoint now) const {
    const auto horizon = std::chrono::floor<std::chrono::seconds>(now) + detail::quiet_horizon;
    if (auto reaches = detail::ZoneClock::check_reaches(horizon); !reaches) return reaches.error();
    return detail::first_allowed(week, zones, now, options.least_left);
}

std::optional<TimePoint> QuietHours::spread(std::string_view key, const AllowedTime& allowed,
                                            std::chrono::milliseconds at_least) const {
    if (allowed.now || !allowed.from) return allowed.from;
    auto width = std::max(state_->options.morning_spread, at_least);
    if (allowed.until) {
        const auto day =
            std::chrono::floor<std::chrono::milliseconds>(*allowed.until - *allowed.from);
        width = std::min(width, day - state_->options.least_left);
    }
    if (width.count() <= 0) return allowed.from;
    const auto place = detail::spread_hash(key) % static_cast<std::uint64_t>(width.count());
    return *allowed.from + std::chrono::milliseconds{static_cast<std::int64_t>(place)};
}

}  // namespace twiliowa
