/// @file
/// FILE: what a command reads as a whole, such as a template's definition.
#pragma once

#include <string>

#include <twiliowa/content/definition.hpp>

namespace cli {

/// What the file holds, or standard input for "-".
/// @param field  of the error: the argument, or the option, that names the file
/// @throws TwilioError if it cannot be read.
std::string text_of_file(const std::string& file, const std::string& field = "FILE");

/// A template as the Content API takes it. @throws TwilioError if it cannot be read, or is none.
twiliowa::ContentDefinition read_definition(const std::string& file);

}  // namespace cli
