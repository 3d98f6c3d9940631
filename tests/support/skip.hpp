#pragma once

#include <cstdio>

#include <doctest/doctest.h>

namespace twiliowa::test {

/// Reports the running test as skipped: what it needs is not on this machine. Return after it.
inline void skip(const char* why) {
    std::printf("SKIPPED: %s: %s\n", doctest::getContextOptions()->currentTest->m_name, why);
}

}  // namespace twiliowa::test
