/// @file
/// Content definitions as JSON documents.
#pragma once

#include <twiliowa/content/definition.hpp>

#include "content/json.hpp"

namespace twiliowa::detail {

/// `json` is an object.
ContentDefinition read_definition(ContentJson json);
ContentJson write_content_type(const ContentType& content);
ContentJson write_definition(const ContentDefinition& definition);

}  // namespace twiliowa::detail
