#include <twiliowa/campaign/recipient_zones.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "campaign/zone_clock.hpp"
#include "campaign/zone_tables.hpp"

namespace recipient_zones_test {

using namespace twiliowa;

namespace {

using Zones = std::vector<std::string>;

bool has(const Zones& zones, std::string_view zone) {
    return std::find(zones.begin(), zones.end(), zone) != zones.end();
}

}  // namespace

TEST_CASE("a number's zones are those of its country") {
    CHECK(has(zones_of("+447700900123"), "Europe/London"));
    CHECK(zones_of("whatsapp:+9779841234567") == Zones{"Asia/Kathmandu"});
    CHECK(zones_of("sms:+6581234567") == Zones{"Asia/Singapore"});
    CHECK(zones_of("+6851234567") == Zones{"Pacific/Apia"});
}

TEST_CASE("a number of a country of several zones may be in any of them") {
    const auto russia = zones_of("+79161234567");
    CHECK(has(russia, "Europe/Kaliningrad"));
    CHECK(has(russia, "Asia/Kamchatka"));
    for (const auto* const number :
         {"+5511987654321", "+61412345678", "+5215512345678", "+628123456789"}) {
        CHECK_MESSAGE(zones_of(number).size() > 3, number);
    }
    CHECK(has(zones_of("+61412345678"), "Australia/Perth"));
    CHECK(has(zones_of("+61412345678"), "Australia/Lord_Howe"));
}

TEST_CASE("a part of a country code that is another country's has that country's zones") {
    CHECK(zones_of("+77011234567") != zones_of("+79161234567"));
    CHECK(has(zones_of("+77011234567"), "Asia/Almaty"));
    CHECK(zones_of("+61891641234") == Zones{"Indian/Christmas"});
    CHECK(zones_of("+262639123456") == Zones{"Indian/Mayotte"});
}

TEST_CASE("a North American number's zones are those of its area code") {
    CHECK(zones_of("+12125550123") == Zones{"America/New_York"});
    CHECK(zones_of("+16025550123") == Zones{"America/Phoenix"});
    CHECK(zones_of("+18505550123") == Zones{"America/New_York", "America/Chicago"});
    CHECK(zones_of("+17875550123") == Zones{"America/Puerto_Rico"});
    CHECK(zones_of("+18765550123") == Zones{"America/Jamaica"});
    CHECK(has(zones_of("+17095550123"), "America/St_Johns"));
}

TEST_CASE("area codes of one area have the same zones, though the list gives them different ones") {
    CHECK(has(zones_of("+19865550123"), "America/Boise"));
    CHECK(has(zones_of("+19305550123"), "America/Chicago"));
}

TEST_CASE("nobody knows the zone of a user id, of a number of no country or of a new area code") {
    for (const auto* const recipient : {"whatsapp:GB.1234567890", "+870773912345", "+18005550123",
                                        "+12225550123", "+15005550006", "nobody", ""}) {
        CHECK_MESSAGE(zones_of(recipient).empty(), recipient);
    }
}

TEST_CASE("prefixes are sorted, each once, and the longest is as long as is looked for") {
    const auto prefixes = detail::zone_prefixes();
    for (std::size_t i = 0; i < prefixes.size(); ++i) {
        if (i > 0) CHECK(prefixes[i - 1].digits < prefixes[i].digits);
        CHECK(prefixes[i].digits.size() <= 7);
        CHECK(zones_of("+" + std::string(prefixes[i].digits) + "0000000").empty() == false);
    }
}

TEST_CASE("of every prefix the time zone database knows a zone, and of nearly all each") {
    int unknown = 0;
    for (const auto& prefix : detail::zone_prefixes()) {
        const auto zones = zones_of("+" + std::string(prefix.digits) + "0000000");
        const auto known = std::count_if(zones.begin(), zones.end(), [](const std::string& zone) {
            return bool(detail::ZoneClock::find(zone));
        });
        CHECK_MESSAGE(known > 0, prefix.digits);
        unknown += static_cast<int>(zones.size()) - static_cast<int>(known);
    }
    // What an older database lacks.
    CHECK(unknown < 10);
}

}  // namespace recipient_zones_test
