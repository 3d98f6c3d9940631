/// @file
/// Which numbers countries have: calling codes, prefixes that are dialled, lengths.
#pragma once

#include <string_view>

#include <twiliowa/export.hpp>

namespace twiliowa::detail {

/// How the numbers of one calling code are made. All of it is text that is read when it is asked,
/// so that a line can be compared with the country's own publication.
struct NumberingPlan {
    std::string_view country;  ///< ISO 3166-1 alpha-2; empty where it is no country's.
    std::string_view code;     ///< The calling code, without the plus.

    /// What is dialled within the country before the national number, and is no part of it: `0`.
    /// Several are separated by blanks; `-` among them: such a prefix may be left out. Empty: there
    /// is none, and a zero in front belongs to the number.
    std::string_view trunk;

    /// What is dialled there in place of the plus, separated by blanks.
    std::string_view international;

    /// The national numbers, as `<begins with>:<how long>`, separated by blanks; the first that
    /// begins so counts. `2,5-9:10 13-9:8,10-11`: those that begin with 2 or 5 to 9 have ten
    /// digits, those with 13 to 19 eight, ten or eleven. Empty: not known here.
    std::string_view numbers;
};

/// The plan by which the numbers of `country` (capital letters) are made, or null.
TWILIOWA_EXPORT const NumberingPlan* plan_of_country(std::string_view country) noexcept;

/// The plan whose calling code `digits` (of E.164, without the plus) begins with, or null.
const NumberingPlan* plan_of_number(std::string_view digits) noexcept;

/// How the digits of a national number compare with a plan that is known.
enum class PlanFit { fits, too_short, too_long, other_length, no_such_beginning };
PlanFit compare_with_plan(const NumberingPlan& plan, std::string_view national) noexcept;

/// The country of a national number, ISO 3166-1 alpha-2: where countries share a calling code, by
/// its beginning. Empty: not known.
std::string_view country_of_national(const NumberingPlan& plan, std::string_view national) noexcept;

/// Whether a national number of North America has an area code that belongs to nobody known here.
bool has_unknown_area(const NumberingPlan& plan, std::string_view national) noexcept;

/// The country of a number in E.164 (with the plus), whether or not there is such a number; or
/// empty.
TWILIOWA_EXPORT std::string_view country_of_e164(std::string_view number) noexcept;
/// Its calling code, without the plus; or empty.
TWILIOWA_EXPORT std::string_view calling_code_of_e164(std::string_view number) noexcept;
/// `country` as the tables have it, in whatever case it is written; empty if it is none of them.
TWILIOWA_EXPORT std::string_view known_country(std::string_view country) noexcept;

/// Takes what stands before the first `separator` off the front of `text`.
constexpr std::string_view take_piece(std::string_view& text, char separator) noexcept {
    const auto end = text.find(separator);
    const auto piece = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return piece;
}

}  // namespace twiliowa::detail
