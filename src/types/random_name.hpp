/// @file
/// A name that nobody else has.
#pragma once

#include <cstdio>
#include <random>
#include <string>

namespace twiliowa::detail {

/// 32 hexadecimal digits: of a process, or of a worker in it. No secret.
inline std::string random_name() {
    std::random_device random;
    char name[33];
    std::snprintf(name, sizeof name, "%08x%08x%08x%08x", random(), random(), random(), random());
    return name;
}

}  // namespace twiliowa::detail
