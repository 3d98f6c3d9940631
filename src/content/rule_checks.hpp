/// @file
/// The engine of the rules in check_rules.hpp.
#pragma once

#include <string>
#include <string_view>

#include "content/finding_list.hpp"
#include "content/json.hpp"
#include "content/samples.hpp"

namespace twiliowa::detail {

/// Checks `json`, the content of that type, which stands at `path`.
void check_rules(const ContentJson& json, std::string_view type, const std::string& path,
                 const ContentSamples& samples, FindingList& findings);

}  // namespace twiliowa::detail
