/// @file
/// A C++ header with a function for each template.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/content/template.hpp>

namespace cli {

/// A function of the header.
struct TemplateFunction {
    std::string name = {};
    twiliowa::ContentSid sid = {};
};

struct TemplateHeader {
    std::string text = {};
    std::vector<TemplateFunction> functions = {};
};

/// The same for the same templates, in whatever order they come.
TemplateHeader write_header(std::vector<twiliowa::ContentTemplate> contents,
                            std::string_view name_space);

/// What a header of that file's name is in: my_templates for include/my-templates.hpp.
std::string namespace_of_file(const std::string& file);
/// Whether it can be one: `shop::templates`.
bool is_namespace(std::string_view text);

}  // namespace cli
