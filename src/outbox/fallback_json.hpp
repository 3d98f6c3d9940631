/// @file
/// Fallbacks as an outbox keeps them, and as the command line reads them: a JSON array.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/outbox/job.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

/// Names sorted, no blanks: the same fallbacks always give the same text.
/// `[{"after_may_reach_twice":30,"message":{...},"when":"unreachable"}]`, times in seconds.
Result<std::string> write_fallbacks_json(std::span<const Fallback> fallbacks);

/// Reads what `write_fallbacks_json` writes, blanks and order aside. Refuses by name what it does
/// not know. `when` may be left out.
Result<std::vector<Fallback>> read_fallbacks_json(std::string_view json);

}  // namespace twiliowa::detail
