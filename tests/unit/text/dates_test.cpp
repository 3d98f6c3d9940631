#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include "text/dates.hpp"

namespace dates_test {

namespace detail = twiliowa::detail;
using namespace std::chrono_literals;
using namespace std::string_literals;
using namespace std::string_view_literals;

namespace {

detail::CalendarTime utc(int year, unsigned month, unsigned day, std::chrono::seconds clock = 0s) {
    return std::chrono::sys_days{std::chrono::year{year} / std::chrono::month{month} /
                                 std::chrono::day{day}} +
           clock;
}

constexpr auto at_084937 = 8h + 49min + 37s;

}  // namespace

TEST_CASE("an RFC 2822 date may lack its weekday and may be in any zone") {
    const auto expected = utc(2023, 8, 24, 5h + 1min + 45s);
    for (const auto text :
         {"Thu, 24 Aug 2023 05:01:45 +0000"sv, "24 Aug 2023 05:01:45 +0000"sv,
          "Thu, 24 Aug 2023 05:01:45 GMT"sv, "Thu, 24 Aug 2023 05:01:45 UT"sv,
          "Thu, 24 Aug 2023 05:01:45 -0000"sv, "Thu, 24 Aug 2023 10:31:45 +0530"sv,
          "Wed, 23 Aug 2023 22:01:45 -0700"sv}) {
        CAPTURE(text);
        CHECK(detail::parse_rfc2822(text) == expected);
        CHECK(detail::parse_twilio_date(text) == expected);
    }
    CHECK(detail::parse_rfc2822("Fri, 4 Aug 2023 00:00:00 +0000") == utc(2023, 8, 4));
}

TEST_CASE("an ISO 8601 date may have a fraction and an offset") {
    const auto expected = utc(2023, 8, 24, 5h + 1min + 45s);
    for (const auto text : {"2023-08-24T05:01:45Z"sv, "2023-08-24T05:01:45.999Z"sv,
                            "2023-08-24T05:01:45.123456789012345678901234567890Z"sv,
                            "2023-08-24T05:01:45+00:00"sv, "2023-08-24T10:31:45+05:30"sv,
                            "2023-08-23T22:01:45-07:00"sv, "2023-08-23T22:01:45.5-07:00"sv}) {
        CAPTURE(text);
        CHECK(detail::parse_iso8601(text) == expected);
        CHECK(detail::parse_twilio_date(text) == expected);
    }
}

TEST_CASE("an HTTP date is understood in its three forms") {
    const auto expected = utc(1994, 11, 6, at_084937);
    CHECK(detail::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == expected);
    CHECK(detail::parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == expected);
    CHECK(detail::parse_http_date("Sun Nov  6 08:49:37 1994") == expected);
    CHECK(detail::parse_http_date("Wed Nov 16 08:49:37 1994") == utc(1994, 11, 16, at_084937));
}

TEST_CASE("an HTTP date of the oldest form knows every weekday") {
    const std::pair<std::string_view, unsigned> days[] = {
        {"Monday", 7},  {"Tuesday", 8},   {"Wednesday", 9}, {"Thursday", 10},
        {"Friday", 11}, {"Saturday", 12}, {"Sunday", 13},
    };
    for (const auto& weekday : days) {
        const auto name = weekday.first;
        const auto day = weekday.second;
        CAPTURE(name);
        const auto text = std::string(name) + (day < 10 ? ", 0" : ", ") + std::to_string(day) +
                          "-Nov-94 08:49:37 GMT";
        CHECK(detail::parse_http_date(text) == utc(1994, 11, day, at_084937));
    }
}

TEST_CASE("a year of two digits falls between 1970 and 2069") {
    CHECK(detail::parse_http_date("Thursday, 01-Jan-70 00:00:00 GMT") == utc(1970, 1, 1));
    CHECK(detail::parse_http_date("Friday, 31-Dec-99 00:00:00 GMT") == utc(1999, 12, 31));
    CHECK(detail::parse_http_date("Saturday, 01-Jan-00 00:00:00 GMT") == utc(2000, 1, 1));
    CHECK(detail::parse_http_date("Tuesday, 01-Jan-69 00:00:00 GMT") == utc(2069, 1, 1));
}

TEST_CASE("all twelve months are known, in their exact spelling") {
    constexpr std::string_view names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    unsigned month = 0;
    for (const auto name : names) {
        CAPTURE(name);
        ++month;
        CHECK(detail::parse_rfc2822("1 " + std::string(name) + " 2024 00:00:00 +0000") ==
              utc(2024, month, 1));
    }
    CHECK_FALSE(detail::parse_rfc2822("1 jan 2024 00:00:00 +0000"));
    CHECK_FALSE(detail::parse_rfc2822("1 January 2024 00:00:00 +0000"));
}

TEST_CASE("leap days exist in leap years only") {
    CHECK(detail::parse_iso8601("2024-02-29T00:00:00Z") == utc(2024, 2, 29));
    CHECK(detail::parse_iso8601("2000-02-29T00:00:00Z") == utc(2000, 2, 29));
    CHECK(detail::parse_rfc2822("29 Feb 2024 00:00:00 +0000") == utc(2024, 2, 29));
    CHECK_FALSE(detail::parse_iso8601("2023-02-29T00:00:00Z"));
    CHECK_FALSE(detail::parse_iso8601("2100-02-29T00:00:00Z"));
    CHECK_FALSE(detail::parse_rfc2822("29 Feb 2023 00:00:00 +0000"));
    CHECK_FALSE(detail::parse_http_date("Thu Feb 29 00:00:00 2023"));
}

TEST_CASE("a leap second is the next minute's first") {
    CHECK(detail::parse_iso8601("2016-12-31T23:59:60Z") == utc(2017, 1, 1));
    CHECK_FALSE(detail::parse_iso8601("2016-12-31T23:59:61Z"));
}

TEST_CASE("an offset may carry a date over midnight, a month and a year") {
    CHECK(detail::parse_iso8601("2024-03-01T00:30:00+01:00") == utc(2024, 2, 29, 23h + 30min));
    CHECK(detail::parse_iso8601("2023-12-31T23:30:00-01:00") == utc(2024, 1, 1, 30min));
    CHECK(detail::parse_iso8601("1970-01-01T00:00:00+01:00") == utc(1969, 12, 31, 23h));
}

TEST_CASE("years end where system_clock does") {
    CHECK(detail::parse_iso8601("1970-01-01T00:00:00Z") == utc(1970, 1, 1));
    CHECK(detail::parse_iso8601("2261-12-31T23:59:59Z") == utc(2261, 12, 31, 23h + 59min + 59s));
    CHECK(detail::parse_iso8601("2261-12-31T23:59:59-23:59").has_value());
    for (const auto text : {"0000-01-01T00:00:00Z"sv, "1969-12-31T23:59:59Z"sv,
                            "2262-01-01T00:00:00Z"sv, "9999-12-31T23:59:59Z"sv}) {
        CAPTURE(text);
        CHECK_FALSE(detail::parse_iso8601(text));
    }
    CHECK_FALSE(detail::parse_rfc2822("31 Dec 1969 23:59:59 +0000"));
    CHECK_FALSE(detail::parse_rfc2822("1 Jan 2262 00:00:00 +0000"));
}

TEST_CASE("what is no ISO 8601 date is refused") {
    for (const auto text : {""sv,
                            "2023"sv,
                            "2023-08-24"sv,
                            "2023-08-24T"sv,
                            "2023-08-24T05:01Z"sv,
                            "2023-08-24T05:01:45"sv,
                            "2023-08-24 05:01:45Z"sv,
                            "2023-08-24T05:01:45.Z"sv,
                            "2023-08-24T05:01:45ZZ"sv,
                            "2023-08-24T05:01:45Z "sv,
                            " 2023-08-24T05:01:45Z"sv,
                            "2023-08-24T05:01:45+0000"sv,
                            "2023-08-24T05:01:45+24:00"sv,
                            "2023-08-24T05:01:45+00:60"sv,
                            "2023-08-24T05:01:45+"sv,
                            "2023-08-24T05:01:45+00:"sv,
                            "2023-08-24T24:00:00Z"sv,
                            "2023-08-24T05:60:45Z"sv,
                            "2023-00-24T05:01:45Z"sv,
                            "2023-13-24T05:01:45Z"sv,
                            "2023-08-00T05:01:45Z"sv,
                            "2023-08-32T05:01:45Z"sv,
                            "2023-04-31T05:01:45Z"sv,
                            "-2023-08-24T05:01:45Z"sv,
                            "2023-8-24T05:01:45Z"sv,
                            "20233-08-24T05:01:45Z"sv,
                            "99999999999999999999-08-24T05:01:45Z"sv,
                            "2023-08-24T05:01:45Z\0"sv,
                            "2023\0-08-24T05:01:45Z"sv,
                            "\0"sv,
                            "2023-08-24T05:01:45.\xff"sv}) {
        CAPTURE(text);
        CHECK_FALSE(detail::parse_iso8601(text));
        CHECK_FALSE(detail::parse_twilio_date(text));
        CHECK_FALSE(detail::parse_http_date(text));
    }
}

TEST_CASE("what is no RFC 2822 or HTTP date is refused") {
    for (const auto text : {""sv,
                            " "sv,
                            "\0"sv,
                            "Thu"sv,
                            "Thu,"sv,
                            "Thu, "sv,
                            "Thu, 24 Aug 2023"sv,
                            "Thu, 24 Aug 2023 05:01:45"sv,
                            "Thu, 24 Aug 2023 05:01:45 "sv,
                            "Thu, 24 Aug 2023 05:01:45 +000"sv,
                            "Thu, 24 Aug 2023 05:01:45 +00000"sv,
                            "Thu, 24 Aug 2023 05:01:45 +2400"sv,
                            "Thu, 24 Aug 2023 05:01:45 +0060"sv,
                            "Thu, 24 Aug 2023 05:01:45 GMT "sv,
                            "Thu, 24 Aug 2023 05:01:45 GMT\0"sv,
                            "Thu, 24 Aug 2023 24:00:00 GMT"sv,
                            "Thu, 0 Aug 2023 05:01:45 GMT"sv,
                            "Thu, 32 Aug 2023 05:01:45 GMT"sv,
                            "Thu, 24 Xyz 2023 05:01:45 GMT"sv,
                            "Thu, 24 Aug 23 05:01:45 GMT"sv,
                            "Thu, 999999999999 Aug 2023 05:01:45 GMT"sv,
                            "Xyz, 24 Aug 2023 05:01:45 GMT"sv,
                            "Sunday, 06-Nov-94 08:49:37"sv,
                            "Sunday, 06-Nov-94 08:49:37\0"sv,
                            "Sunday, 06-Nov-94 08:49:37 UTC"sv,
                            "Sunday, 06-Nov-1994 08:49:37 GMT"sv,
                            "Sunday, 31-Nov-94 08:49:37 GMT"sv,
                            "Sun Nov  6 08:49:37"sv,
                            "Sun Nov  6 08:49:37 94"sv,
                            "Sun Nov 06 08:49:37 1994 GMT"sv,
                            "Nov  6 08:49:37 1994"sv,
                            "120"sv,
                            "-1"sv,
                            "99999999999999999999"sv,
                            "\xff\xfe"sv}) {
        CAPTURE(text);
        CHECK_FALSE(detail::parse_rfc2822(text));
        CHECK_FALSE(detail::parse_twilio_date(text));
        CHECK_FALSE(detail::parse_http_date(text));
    }
}

TEST_CASE("every cut of a good date is refused") {
    for (const auto text : {"Thu, 24 Aug 2023 05:01:45 +0000"sv, "2023-08-24T05:01:45+00:00"sv,
                            "Sunday, 06-Nov-94 08:49:37 GMT"sv, "Sun Nov  6 08:49:37 1994"sv}) {
        for (std::size_t length = 0; length < text.size(); ++length) {
            CAPTURE(text.substr(0, length));
            CHECK_FALSE(detail::parse_twilio_date(text.substr(0, length)));
            CHECK_FALSE(detail::parse_http_date(text.substr(0, length)));
        }
    }
}

TEST_CASE("dates are written in UTC, with two digits each and without fractions") {
    const auto time = utc(2026, 2, 1, 6h + 5min + 4s) + 999ms;
    CHECK(detail::format_iso8601_utc(time) == "2026-02-01T06:05:04Z");
    CHECK(detail::format_rfc2822(time) == "Sun, 01 Feb 2026 06:05:04 +0000");
    CHECK(detail::format_date_utc(time) == "2026-02-01");
}

TEST_CASE("dates at the edges are written right") {
    CHECK(detail::format_rfc2822(utc(1970, 1, 1)) == "Thu, 01 Jan 1970 00:00:00 +0000");
    CHECK(detail::format_iso8601_utc(utc(1970, 1, 1) - 1ns) == "1969-12-31T23:59:59Z");
    CHECK(detail::format_iso8601_utc(utc(2261, 12, 31, 23h + 59min + 59s)) ==
          "2261-12-31T23:59:59Z");
    CHECK(detail::format_date_utc(utc(2024, 2, 29, 23h)) == "2024-02-29");
    CHECK(detail::format_iso8601_utc(detail::CalendarTime::max()) == "2262-04-11T23:47:16Z");
    CHECK(detail::format_iso8601_utc(detail::CalendarTime::min()) == "1677-09-21T00:12:43Z");
}

TEST_CASE("what is written is read back as the same time") {
    for (auto time = utc(1970, 1, 1, 12345s); time < utc(2261, 12, 31); time += 24h * 97 + 3671s) {
        CHECK(detail::parse_iso8601(detail::format_iso8601_utc(time)) == time);
        CHECK(detail::parse_rfc2822(detail::format_rfc2822(time)) == time);
        CHECK(detail::parse_http_date(detail::format_rfc2822(time)) == time);
    }
}

}  // namespace dates_test
