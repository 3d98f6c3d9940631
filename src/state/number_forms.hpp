/// @file
/// Phone numbers that are written in two ways.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/types/address.hpp>

namespace twiliowa::detail {

/// Which countries' two ways count as one number. Mexico's always do.
struct NumberForms {
    bool brazil_ninth_digit = false;
    bool argentina_nine = false;
};

/// Both ways of `number` (`+` and digits), the one that stands for both first; only itself where
/// there is one way.
TWILIOWA_EXPORT std::vector<std::string> number_forms(std::string_view number,
                                                      const NumberForms& forms);

/// `address` with its number in the way that stands for both.
TWILIOWA_EXPORT Address canonical_address(const Address& address, const NumberForms& forms);

/// `address` in both ways, as it is given first.
std::vector<Address> address_forms(const Address& address, const NumberForms& forms);

}  // namespace twiliowa::detail
