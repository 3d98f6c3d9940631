/// @file
/// The variables of a template's texts, and its samples.
#pragma once

#include <twiliowa/content/definition.hpp>

#include "content/finding_list.hpp"
#include "content/json.hpp"
#include "content/samples.hpp"

namespace twiliowa::detail {

/// `json` is what `definition` is written as, `samples` are its samples.
void check_variables(const ContentDefinition& definition, const ContentJson& json,
                     const ContentSamples& samples, FindingList& findings);

}  // namespace twiliowa::detail
