#include "definition_file.hpp"

#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>
#include <utility>

#include <twiliowa/types/error.hpp>

namespace cli {

using twiliowa::ContentDefinition;
using twiliowa::Error;

std::string text_of_file(const std::string& file, const std::string& field) {
    std::ostringstream text;
    if (file == "-") {
        text << std::cin.rdbuf();
        return text.str();
    }
    const std::ifstream opened{file, std::ios::binary};
    if (!opened || std::filesystem::is_directory(file)) {
        Error::invalid_request(field, "cannot be read").raise();
    }
    text << opened.rdbuf();
    return text.str();
}

ContentDefinition read_definition(const std::string& file) {
    auto definition = ContentDefinition::from_json(text_of_file(file));
    if (definition) return std::move(*definition);
    definition.error().with([](twiliowa::ErrorData& data) { data.field = "FILE"; }).raise();
}

}  // namespace cli
