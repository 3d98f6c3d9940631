/// @file
/// FILE: a template's definition as the Content API takes it.
#pragma once

#include <string>

#include <twiliowa/content/definition.hpp>

namespace cli {

/// Reads the file, or standard input for "-". @throws TwilioError if it cannot be read, or is none.
twiliowa::ContentDefinition read_definition(const std::string& file);

}  // namespace cli
