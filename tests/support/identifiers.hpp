#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <string>

/// Checks that `to_string` gives each enumerator, from the one that is 0 to `last`, an identifier
/// of its own.
template <typename Enumeration>
void check_identifiers(Enumeration last) {
    std::set<std::string> seen;
    for (int value = 0; value <= static_cast<int>(last); ++value) {
        const std::string name{to_string(static_cast<Enumeration>(value))};
        CAPTURE(value);
        CAPTURE(name);
        CHECK_FALSE(name.empty());
        CHECK(std::all_of(name.begin(), name.end(), [](unsigned char character) {
            return std::isalnum(character) != 0 || character == '_';
        }));
        CHECK(std::isdigit(static_cast<unsigned char>(name.front())) == 0);
        CHECK(seen.insert(name).second);
    }
}
