/// @file
/// What a server of Redis must be to keep state: one that takes writes, and drops nothing.
#pragma once

#include <string_view>

#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

/// Of what it answered to INFO. Refuses by name a server before 5, a replica, and one that may drop
/// entries before their time.
Result<void> check_redis_server(std::string_view info);

}  // namespace twiliowa::detail
