/// @file
/// Sizes of tests that take longer the more they try.
#pragma once

#include <cstdlib>

namespace twiliowa::test {

/// What a test that takes long at its whole size uses: `brief`, unless TWILIOWA_LONG_TESTS is set,
/// as ./dev soak does.
template <class Size>
Size at_scale(Size brief, Size whole) {
    return std::getenv("TWILIOWA_LONG_TESTS") != nullptr ? whole : brief;
}

}  // namespace twiliowa::test
