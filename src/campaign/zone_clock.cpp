#include "campaign/zone_clock.hpp"

#include <exception>
#include <string>

// Where it is less, the standard library has a calendar and no time zones. CMakeLists.txt asks the
// same.
#if defined(__cpp_lib_chrono) && __cpp_lib_chrono >= 201907L
#define TWILIOWA_STANDARD_TIME_ZONES 1
#else
#define TWILIOWA_STANDARD_TIME_ZONES 0
#include <date/tz.h>
#endif

namespace twiliowa::detail {

namespace {

#if TWILIOWA_STANDARD_TIME_ZONES
namespace zone_database = std::chrono;
#else
namespace zone_database = date;
#endif

const zone_database::time_zone& zone_behind(const void* zone) noexcept {
    return *static_cast<const zone_database::time_zone*>(zone);
}

Error without_zones(std::string_view problem, std::string_view hint) {
    return Error::invalid_request("time_zones", problem, hint);
}

/// Null if there is none.
const zone_database::time_zone* zone_by_name(std::string_view name) {
    try {
        const auto* const zone = zone_database::locate_zone(name);
        // Its file is read now: later nothing can fail.
        static_cast<void>(zone->get_info(std::chrono::sys_seconds{}));
        return zone;
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception&) {
        return nullptr;
    }
}

}  // namespace

Result<ZoneClock> ZoneClock::find(std::string_view name) {
    if (const auto* const zone = zone_by_name(name)) return ZoneClock{zone};
    if (zone_by_name("Europe/London") == nullptr) {
        return without_zones("the system's time zone database is not found", "install tzdata");
    }
    return Error::invalid_request("zone", "is none of the time zone database",
                                  "name it as IANA does: Europe/London");
}

ZonePeriod ZoneClock::at(std::chrono::sys_seconds time) const {
    const auto info = zone_behind(zone_).get_info(time);
    return {info.offset, info.end};
}

Result<void> ZoneClock::check_reaches(std::chrono::sys_seconds time) {
#if !TWILIOWA_STANDARD_TIME_ZONES
    // Should one of them give up summer time, the others still tell.
    for (const auto* const name :
         {"America/New_York", "Europe/Berlin", "Australia/Sydney", "America/Santiago"}) {
        const auto* const zone = zone_by_name(name);
        if (zone == nullptr) continue;
        if (zone->get_info(time).end < time + std::chrono::hours{24 * 400}) return {};
    }
    return without_zones("the zone files do not say what holds then",
                         "they reach to 2037 where they are not slim (zic -b fat)");
#else
    static_cast<void>(time);
    return {};
#endif
}

}  // namespace twiliowa::detail
