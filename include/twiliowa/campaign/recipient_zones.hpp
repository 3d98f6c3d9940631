/// @file
/// In which time zones the owner of a phone number may be. Link `twiliowa::campaigns`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/types/address.hpp>

namespace twiliowa {

/// The time zones, by their IANA names, in which a number's owner may be: all those of its country,
/// or, in North America, of its area code. Empty: nobody knows. That is so for a user id, for
/// numbers of no country and area codes that the table does not have.
///
/// It says where the number is from, not where the person is: who has taken a mobile number along
/// is somewhere else. Where you know better, give the zone.
///
/// The tables are made from the time zone database's zone.tab and NANPA's list of area codes; where
/// they are from, and their dates, stand in docs/quiet-hours.md. Thread-safe.
std::vector<std::string> zones_of(const Address& recipient);
/// The same for text: `+447700900123`, with or without `whatsapp:`. Empty for what is no address.
std::vector<std::string> zones_of(std::string_view recipient);

}  // namespace twiliowa
