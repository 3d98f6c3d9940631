/// @file
/// Where a template's variables stand.
#pragma once

#include <string>
#include <vector>

#include <twiliowa/content/definition.hpp>

namespace cli {

/// A variable, where it stands first.
struct VariablePlace {
    std::string name = {};
    std::string before = {};  ///< What stands before it in its text.
    std::string member = {};  ///< Of which that is the text: `body`, `url`.
};

/// Of all its types, each once: numbers in their order, then names in that of the alphabet, so that
/// another text with the same variables has the same list.
std::vector<VariablePlace> variable_places(const twiliowa::ContentDefinition& definition);

/// For a program, what its value is: `order` in "your order {{2}} is ready"; variable_2 where the
/// text tells nothing. A variable that has a name keeps it.
std::string readable_name(const VariablePlace& place);

}  // namespace cli
