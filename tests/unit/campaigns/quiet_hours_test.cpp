#include <twiliowa/campaign/quiet_hours.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/types/error.hpp>

#include "text/dates.hpp"

namespace quiet_hours_test {

using namespace twiliowa;
using namespace std::chrono_literals;

namespace {

using Minute = std::int64_t;  // since 1970

TimePoint at(std::string_view text) {
    return detail::parse_iso8601(text).value();
}
TimePoint time_of(Minute minute) {
    return TimePoint{std::chrono::minutes{minute}};
}

QuietHours hours(AllowedHours allowed) {
    return QuietHours{{.week = QuietHoursOptions::every_day(allowed)}};
}

AllowedTime judged(const QuietHours& quiet, std::vector<std::string> zones, std::string_view now) {
    return quiet.judge(zones, at(now)).value();
}

std::string text_of(const std::optional<TimePoint>& time) {
    return time ? detail::format_iso8601_utc(*time) : "never";
}

/// A zone around a change of its clocks, as Python's zoneinfo has it: not by the database that is
/// tested.
struct Change {
    const char* zone;
    const char* at;
    int before;  ///< Minutes before UTC, and after the change.
    int after;
};
constexpr Change changes[] = {
    {"Europe/London", "2026-03-29T01:00:00Z", 0, 60},
    {"Europe/London", "2026-10-25T01:00:00Z", 60, 0},
    {"America/New_York", "2026-03-08T07:00:00Z", -300, -240},
    {"America/New_York", "2026-11-01T06:00:00Z", -240, -300},
    {"Australia/Lord_Howe", "2026-04-04T15:00:00Z", 660, 630},
    {"Australia/Lord_Howe", "2026-10-03T15:30:00Z", 630, 660},
    {"Asia/Kathmandu", "2026-06-01T00:00:00Z", 345, 345},
    {"Asia/Kathmandu", "1985-12-31T18:30:00Z", 330, 345},
    {"Pacific/Apia", "2011-12-30T10:00:00Z", -600, 840},
    {"Pacific/Apia", "2021-04-03T14:00:00Z", 840, 780},
};
constexpr Minute around = 4 * 1440;  // before and after it; no zone changes twice in that time
constexpr Minute all_judged =
    720;  // before and after it; further away, where something begins or ends

/// The plain meaning of the hours, for a minute on the wall.
bool allows(const WeekHours& week, Minute local) {
    const auto day = static_cast<std::size_t>(((local / 1440) + 3) % 7);
    const auto minute = local % 1440;
    const auto& today = week[day];
    if (today && today->to > today->from && minute >= today->from.count() &&
        minute < today->to.count()) {
        return true;
    }
    if (today && today->to <= today->from && minute >= today->from.count()) return true;
    const auto& yesterday = week[(day + 6) % 7];
    return yesterday && yesterday->to <= yesterday->from && minute < yesterday->to.count();
}

Minute minute_of(const Change& change) {
    return std::chrono::duration_cast<std::chrono::minutes>(at(change.at).time_since_epoch())
        .count();
}

/// For each minute around the change, whether it is allowed.
std::vector<bool> allowed_minutes(const WeekHours& week, const Change& change, Minute begin) {
    std::vector<bool> allowed;
    const auto changed = minute_of(change);
    for (Minute i = begin; i < begin + 2 * around; ++i) {
        allowed.push_back(allows(week, i + (i < changed ? change.before : change.after)));
    }
    return allowed;
}

std::vector<WeekHours> weeks() {
    std::vector<WeekHours> all{
        QuietHoursOptions::every_day({8h, 20h}),
        QuietHoursOptions::every_day({150min, 10h}),    // begins in the hour that is skipped
        QuietHoursOptions::every_day({90min, 105min}),  // short, and in the hour that comes twice
        QuietHoursOptions::every_day({20h, 2h}),
        QuietHoursOptions::every_day({0h, 24h}),
    };
    auto& working_days = all.emplace_back(QuietHoursOptions::every_day({0h, 24h}));
    working_days[5] = AllowedHours{10h, 18h};
    working_days[6] = std::nullopt;
    auto& fridays = all.emplace_back();
    fridays[4] = AllowedHours{22h, 6h};
    auto& sunday_night = all.emplace_back();
    sunday_night[6] = AllowedHours{23h, 1h};
    sunday_night[0] = AllowedHours{1h, 5min};
    return all;
}

/// What is wrong with what is judged of each minute around the change; the earliest fault.
std::string first_fault(const QuietHours& quiet, const std::vector<std::string>& zones,
                        const std::vector<bool>& allowed, Minute begin) {
    std::string fault;
    // From the end, where what comes after is not known yet, to the beginning.
    std::optional<Minute> from, until, quiet_from;
    for (auto i = static_cast<Minute>(allowed.size()) - 1; i >= 0; --i) {
        const bool now = allowed[static_cast<std::size_t>(i)];
        if (!now) quiet_from = i;
        if (now && quiet_from) {
            from = i;
            until = quiet_from;
        }
        const auto next = std::min(i + 1, static_cast<Minute>(allowed.size()) - 1);
        const bool matters = std::abs(i - around) < all_judged || i % 97 == 0 ||
                             allowed[static_cast<std::size_t>(next)] != now ||
                             allowed[static_cast<std::size_t>(std::max<Minute>(i - 1, 0))] != now;
        if (!matters || !from || (now && !quiet_from)) continue;
        const auto told = quiet.judge(zones, time_of(begin + i)).value();
        if (told.now == now && told.from == time_of(begin + *from) &&
            told.until == time_of(begin + *until)) {
            continue;
        }
        fault = text_of(time_of(begin + i)) + ": " + text_of(told.from) + " to " +
                text_of(told.until) + ", not " + text_of(time_of(begin + *from)) + " to " +
                text_of(time_of(begin + *until));
    }
    return fault;
}

}  // namespace

TEST_CASE("every minute around a change of the clocks is judged as the clock on the wall says") {
    for (const auto& change : changes) {
        for (const auto& week : weeks()) {
            const auto begin = minute_of(change) - around;
            const QuietHours quiet{{.week = week, .least_left = 1min}};
            CHECK(first_fault(quiet, {change.zone}, allowed_minutes(week, change, begin), begin) ==
                  "");
        }
    }
}

TEST_CASE("in several zones it is quiet while it is quiet in any") {
    const auto& london = changes[1];
    for (const auto& week : weeks()) {
        const auto begin = minute_of(london) - around;
        auto allowed = allowed_minutes(week, london, begin);
        for (Minute i = 0; i < static_cast<Minute>(allowed.size()); ++i) {
            const bool in_kathmandu = allows(week, begin + i + 345);
            const auto place = static_cast<std::size_t>(i);
            allowed[place] = allowed[place] && in_kathmandu;
        }
        const QuietHours quiet{{.week = week, .least_left = 1min}};
        CHECK(first_fault(quiet, {"Europe/London", "Asia/Kathmandu"}, allowed, begin) == "");
    }
}

TEST_CASE("the skipped hour is nobody's: what begins in it begins after it") {
    const auto quiet = hours({90min, 10h});
    const auto allowed = judged(quiet, {"Europe/London"}, "2026-03-29T00:59:00Z");
    CHECK_FALSE(allowed.now);
    CHECK(text_of(allowed.from) == "2026-03-29T01:00:00Z");  // 2:00 on the wall
    CHECK(text_of(allowed.until) == "2026-03-29T09:00:00Z");
}

TEST_CASE("an hour that comes twice is allowed twice, and quiet twice") {
    const auto quiet = hours({90min, 10h});
    const auto first = judged(quiet, {"Europe/London"}, "2026-10-25T00:30:00Z");
    CHECK(first.now);
    CHECK(text_of(first.until) == "2026-10-25T01:00:00Z");  // then it is 1:00 once more
    const auto between = judged(quiet, {"Europe/London"}, "2026-10-25T01:10:00Z");
    CHECK_FALSE(between.now);
    CHECK(text_of(between.from) == "2026-10-25T01:30:00Z");
}

TEST_CASE("the day that Samoa left out is no day of the week") {
    WeekHours fridays;
    fridays[4] = AllowedHours{8h, 20h};
    const QuietHours quiet{{.week = fridays}};
    const auto allowed = judged(quiet, {"Pacific/Apia"}, "2011-12-30T09:59:00Z");
    CHECK(text_of(allowed.from) == "2012-01-05T18:00:00Z");
}

TEST_CASE("with less than ten minutes left a message waits for the morning") {
    const auto quiet = hours({8h, 20h});
    const auto enough = judged(quiet, {"Europe/London"}, "2026-01-15T19:50:00Z");
    CHECK(enough.now);
    CHECK(text_of(enough.until) == "2026-01-15T20:00:00Z");
    const auto late = judged(quiet, {"Europe/London"}, "2026-01-15T19:50:01Z");
    CHECK_FALSE(late.now);
    CHECK(text_of(late.from) == "2026-01-16T08:00:00Z");
    CHECK(text_of(late.until) == "2026-01-16T20:00:00Z");
}

TEST_CASE("a fraction of a second is not given away, and not taken from the night") {
    const auto quiet = hours({8h, 20h});
    const std::vector<std::string> london{"Europe/London"};
    const auto now = at("2026-01-15T19:50:00Z") + 500ms;
    CHECK_FALSE(quiet.judge(london, now)->now);
    const auto allowed = quiet.judge(london, at("2026-01-15T12:00:00Z") + 500ms).value();
    CHECK(*allowed.from == at("2026-01-15T12:00:00Z") + 500ms);
    CHECK(allowed.validity_period(at("2026-01-15T19:00:00Z") + 500ms) == 3599);
}

TEST_CASE("zones whose days never meet leave no time") {
    const auto quiet = hours({8h, 9h});
    const auto allowed = judged(quiet, {"Europe/London", "Pacific/Apia"}, "2026-01-15T08:30:00Z");
    CHECK_FALSE(allowed.now);
    CHECK_FALSE(allowed.from.has_value());
}

TEST_CASE("who may be sent to at any hour has no quiet hours to come") {
    const auto allowed = judged(hours({0h, 24h}), {"Europe/London"}, "2026-03-28T12:00:00Z");
    CHECK(allowed.now);
    CHECK_FALSE(allowed.until.has_value());
}

TEST_CASE("a recipient's own zone decides, else that of the number") {
    const auto quiet = hours({8h, 20h});
    const auto now = at("2026-01-15T10:00:00Z");
    CHECK_FALSE(quiet.judge({.address = "+12125550123"}, now)->now);
    CHECK(quiet.judge({.address = "+12125550123", .zone = "Europe/Paris"}, now)->now);
    CHECK(quiet.judge({.address = "+447700900123"}, now)->now);
}

TEST_CASE("an exempt lane goes at night") {
    const QuietHours quiet{
        {.week = QuietHoursOptions::every_day({8h, 20h}), .exempt = {Lane::urgent}}};
    const auto night = at("2026-01-15T03:00:00Z");
    CHECK(quiet.judge({.address = "+447700900123", .lane = Lane::urgent}, night)->now);
    CHECK_FALSE(quiet.judge({.address = "+447700900123", .lane = Lane::high}, night)->now);
}

TEST_CASE("of a recipient whose zone nobody knows, the caller has said what holds") {
    const auto night = at("2026-01-15T03:00:00Z");
    const QuietRecipient unknown{.address = "whatsapp:GB.1234567890"};
    QuietHoursOptions options{.week = QuietHoursOptions::every_day({8h, 20h})};
    CHECK(QuietHours{options}.judge(unknown, night).error().field() == "zone");
    options.unknown_zone = UnknownZone::send_now;
    CHECK(QuietHours{options}.judge(unknown, night)->now);
    options.unknown_zone = UnknownZone::assume;
    options.assumed_zone = "Europe/London";
    CHECK(text_of(QuietHours{options}.judge(unknown, night)->from) == "2026-01-15T08:00:00Z");
    options.assumed_zone = "Europe/Londres";
    CHECK_THROWS_AS(QuietHours{options}, InvalidRequestError);
}

TEST_CASE("a zone that is none is refused, without saying whose it is") {
    const auto refused = hours({8h, 20h}).judge(
        {.address = "+447700900123", .zone = "Europe/Londres"}, at("2026-01-15T03:00:00Z"));
    REQUIRE_FALSE(refused);
    CHECK(refused.error().field() == "zone");
    CHECK(std::string(refused.error().what()).find("7700900123") == std::string::npos);
    for (const auto* const zone : {"../../etc/passwd", "zone.tab", "/", "", "Europe"}) {
        CHECK_FALSE(
            hours({8h, 20h}).judge(std::vector<std::string>{zone}, at("2026-01-15T03:00:00Z")));
    }
}

TEST_CASE("the validity period ends with the day") {
    const auto quiet = hours({8h, 20h});
    const auto allowed = judged(quiet, {"Europe/London"}, "2026-01-15T19:30:00Z");
    const auto now = at("2026-01-15T19:30:00Z");
    CHECK(allowed.validity_period(now) == 1800);
    CHECK(allowed.validity_period(now, 600) == 600);
    CHECK(allowed.validity_period(now, 3600) == 1800);
    CHECK(allowed.validity_period(now + 1h) == 1);
    const auto morning = judged(quiet, {"Europe/London"}, "2026-01-15T08:00:00Z");
    CHECK_FALSE(morning.validity_period(at("2026-01-15T08:00:00Z")).has_value());
    CHECK(morning.validity_period(at("2026-01-15T08:00:00Z"), 36'000) == 36'000);
    CHECK(AllowedTime{}.validity_period(now, 60) == 60);
}

TEST_CASE("what waited is spread evenly over the morning, each always at its own time") {
    const auto quiet = hours({8h, 20h});
    const auto allowed = judged(quiet, {"Europe/London"}, "2026-01-15T03:00:00Z");
    std::vector<int> in_minute(60);
    for (int i = 0; i < 60'000; ++i) {
        const auto key = "camp:7:" + std::to_string(i);
        const auto time = *quiet.spread(key, allowed);
        REQUIRE(time == *quiet.spread(key, allowed));
        const auto minute = std::chrono::floor<std::chrono::minutes>(time - *allowed.from).count();
        REQUIRE(minute >= 0);
        REQUIRE(minute < 60);
        ++in_minute[static_cast<std::size_t>(minute)];
    }
    // 1000 each; six standard deviations.
    CHECK(*std::min_element(in_minute.begin(), in_minute.end()) > 810);
    CHECK(*std::max_element(in_minute.begin(), in_minute.end()) < 1190);
}

TEST_CASE("a slower limiter spreads further, and nothing into the next night") {
    const auto quiet = hours({8h, 9h});
    const auto allowed = judged(quiet, {"Europe/London"}, "2026-01-15T03:00:00Z");
    TimePoint last = *allowed.from;
    for (int i = 0; i < 2'000; ++i) {
        last = std::max(last, *quiet.spread(std::to_string(i), allowed, 5h));
    }
    CHECK(last < *allowed.until - 10min);
    CHECK(last > *allowed.until - 15min);
    const auto day = hours({8h, 20h});
    const auto wide = judged(day, {"Europe/London"}, "2026-01-15T03:00:00Z");
    for (int i = 0; i < 2'000; ++i) last = std::max(last, *day.spread(std::to_string(i), wide, 5h));
    CHECK(last > *wide.from + 4h);
}

TEST_CASE("what is allowed now goes at once, and what never is does not") {
    const auto quiet = hours({8h, 20h});
    const auto allowed = judged(quiet, {"Europe/London"}, "2026-01-15T12:00:00Z");
    CHECK(*quiet.spread("a", allowed) == at("2026-01-15T12:00:00Z"));
    CHECK_FALSE(quiet.spread("a", AllowedTime{}).has_value());
    const QuietHours at_once{
        {.week = QuietHoursOptions::every_day({8h, 20h}), .morning_spread = 0ms}};
    const auto waits = judged(at_once, {"Europe/London"}, "2026-01-15T03:00:00Z");
    CHECK(at_once.spread("a", waits) == waits.from);
}

TEST_CASE("hours that are none are refused") {
    const auto field_of = [](QuietHoursOptions options) -> std::string {
        try {
            const QuietHours quiet{std::move(options)};
        } catch (const InvalidRequestError& error) {
            return std::string(error.error().field());
        }
        return "";
    };
    CHECK(field_of({}) == "week");
    for (const auto wrong : {AllowedHours{-1min, 8h}, AllowedHours{24h, 8h}, AllowedHours{8h, 0h},
                             AllowedHours{8h, 1441min}, AllowedHours{8h, 8h}}) {
        CHECK(field_of({.week = QuietHoursOptions::every_day(wrong)}) == "week");
    }
    const auto week = QuietHoursOptions::every_day({8h, 20h});
    CHECK(field_of({.week = week, .morning_spread = -1ms}) == "morning_spread");
    CHECK(field_of({.week = week, .morning_spread = 25h}) == "morning_spread");
    CHECK(field_of({.week = week, .least_left = 0s}) == "least_left");
    CHECK(field_of({.week = week}) == "");
}

TEST_CASE("hours are read as people write them, and what is none is refused by name") {
    const auto read = [](std::string_view text) {
        const auto hours = AllowedHours::parse(text);
        return hours ? std::pair{hours->from, hours->to} : std::pair{-1min, -1min};
    };
    CHECK(read("08:00-20:30") ==
          std::pair<std::chrono::minutes, std::chrono::minutes>{8h, 1230min});
    CHECK(read("00:00-24:00") == std::pair<std::chrono::minutes, std::chrono::minutes>{0h, 24h});
    CHECK(read("22:00-02:00") == std::pair<std::chrono::minutes, std::chrono::minutes>{22h, 2h});
    for (const auto* const wrong :
         {"", "8-20", "08:00", "08:00-", "-20:00", "24:00-08:00", "08:60-20:00", "08:00-20:00 ",
          "08:00 - 20:00", "a8:00-20:00"}) {
        CHECK(read(wrong) == std::pair{-1min, -1min});
    }
    CHECK(AllowedHours::parse("8", "SHOP_HOURS").error().field() == "SHOP_HOURS");
}

TEST_CASE("a time that the zone files do not reach is refused, and not guessed") {
    const std::vector<std::string> zones{"Europe/London"};
    const auto judged_then = hours({8h, 20h}).judge(zones, at("2200-07-01T12:00:00Z"));
    // The standard library's own knows.
    if (!judged_then) CHECK(judged_then.error().field() == "time_zones");
}

}  // namespace quiet_hours_test
