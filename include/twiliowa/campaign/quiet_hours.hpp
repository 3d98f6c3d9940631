/// @file
/// When messages may go: not while their recipients sleep. Link `twiliowa::campaigns`.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/outbox/job.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// The hours of a day in which messages may go, on the clock of the recipient.
struct AllowedHours {
    std::chrono::minutes from{0};  ///< After midnight: 0 to 1439.
    /// The first minute after them: 1 to 1440, which is midnight. One that is not after `from` is
    /// the next day's.
    std::chrono::minutes to{0};

    /// `08:00-20:00`, `22:00-24:00`. Errors: InvalidRequestError of that field.
    static Result<AllowedHours> parse(std::string_view text, std::string_view field = "hours");
};

/// Of each weekday, Monday first; nullopt: none begin on that day.
using WeekHours = std::array<std::optional<AllowedHours>, 7>;

/// What holds for a recipient of whom nobody knows in which time zone they are.
enum class UnknownZone {
    refuse,    ///< It is an error: the caller decides.
    assume,    ///< They are taken to be in QuietHoursOptions::assumed_zone.
    send_now,  ///< They have no quiet hours.
};

/// Options of QuietHours.
struct QuietHoursOptions {
    /// When messages may go. There is no default: what is allowed, and what is polite, differs.
    WeekHours week = {};
    /// Lanes whose messages go at any time: one-time codes, say.
    std::vector<Lane> exempt = {};
    /// What waited for the end of quiet hours is spread over so much time: 0 to a day.
    std::chrono::milliseconds morning_spread = std::chrono::minutes{60};
    /// With less than that left until quiet hours, a message waits for their end: it would wait in
    /// Twilio's queue into the night, or expire there. A second to a day.
    std::chrono::seconds least_left = std::chrono::minutes{10};
    UnknownZone unknown_zone = UnknownZone::refuse;
    std::string assumed_zone = {};  ///< For UnknownZone::assume: `Europe/London`.

    /// The same hours on each day.
    static WeekHours every_day(AllowedHours hours) noexcept;
};

/// Who is to get a message.
struct QuietRecipient {
    std::string_view address = {};  ///< `+447700900123`; see `zones_of`.
    /// Their time zone by its IANA name; it decides alone. Empty: that of the number.
    std::string_view zone = {};
    Lane lane = Lane::normal;
};

/// When a message may go.
struct AllowedTime {
    bool now = false;  ///< At the time that was asked about.
    /// When it may: then, or later. nullopt: not within five weeks, since it is always night in one
    /// of the zones.
    std::optional<TimePoint> from = {};
    /// When the quiet hours begin that come after `from`. nullopt: none within five weeks.
    std::optional<TimePoint> until = {};

    /// What to give as OutboundMessage::validity_period: what was wanted, in seconds, but no more
    /// than is left from `at` until quiet hours. Twilio then drops the message rather than deliver
    /// it at night. nullopt: it needs none. At least 1.
    std::optional<int> validity_period(TimePoint at, std::optional<int> wanted = {}) const;
};

/// Says when messages may go to whom, by the clocks on their walls.
///
/// @code
/// const wa::QuietHours quiet{{.week = wa::QuietHoursOptions::every_day({8h, 20h})}};
/// const auto allowed = quiet.judge({.address = "+12125550123"}, clock->now()).value();
/// @endcode
///
/// A message may go while it is allowed in every zone in which its recipient may be. A change of
/// the clocks needs no care: what counts is what they show. An hour that is skipped is nobody's,
/// and one that comes twice is allowed twice, or not at all.
///
/// It has no clock and no state. Immutable, cheap to copy, and thread-safe.
class QuietHours {
public:
    /// @throws InvalidRequestError if an option is wrong, or no day has hours.
    explicit QuietHours(QuietHoursOptions options);

    /// When a message may go to that recipient, at `now` or after it. Errors: InvalidRequestError,
    /// field "zone", if the zone is given and there is none of that name, or if it is not known and
    /// to be refused; field "time_zones" if the machine has no time zone database that reaches to
    /// then.
    Result<AllowedTime> judge(const QuietRecipient& recipient, TimePoint now) const;
    /// The same for zones by their IANA names, whatever the lane; in none of them it is always
    /// allowed.
    Result<AllowedTime> judge(std::span<const std::string> zones, TimePoint now) const;

    /// When one of those that waited goes: at a time after `allowed.from` that differs by `key`
    /// (the job's), always the same for one key, and evenly spread over `morning_spread`. All that
    /// are allowed now go at once: it is `allowed.from`. So it is without one: nullopt.
    /// @param at_least  how long all that wait take at the limiter's rate; the larger of both
    ///     counts. What would come too late for the day is spread over what the day has.
    std::optional<TimePoint> spread(std::string_view key, const AllowedTime& allowed,
                                    std::chrono::milliseconds at_least = {}) const;

private:
    struct State;
    std::shared_ptr<const State> state_;
};

}  // namespace twiliowa
