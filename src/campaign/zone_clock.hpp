/// @file
/// What clocks on the wall show: the one place that knows a time zone database.
#pragma once

#include <chrono>
#include <string_view>

#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

/// A time in which a zone does not change its clocks.
struct ZonePeriod {
    std::chrono::seconds offset{0};  ///< What is added to UTC.
    std::chrono::sys_seconds end{};  ///< The first time after it.
};

/// A time zone. Cheap to copy; valid as long as the program.
class ZoneClock {
public:
    /// By its IANA name. Errors: InvalidRequestError, field "zone", for a name that the database
    /// lacks; field "time_zones" if there is no database, or one that is of no use.
    static Result<ZoneClock> find(std::string_view name);

    /// The period that holds at that time.
    ZonePeriod at(std::chrono::sys_seconds time) const;

    /// Whether the database says what will be then. Howard Hinnant's library reads of zone files
    /// nothing but the changes that are written out: to 2037, and in slim files none to come.
    static Result<void> check_reaches(std::chrono::sys_seconds time);

private:
    explicit ZoneClock(const void* zone) noexcept : zone_(zone) {}
    const void* zone_;
};

}  // namespace twiliowa::detail
