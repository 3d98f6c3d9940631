/// @file
/// A value that a template's variable gets, and that cannot be left out: `TemplateValue`.
#pragma once

#include <string>
#include <utility>

#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

/// A text in an aggregate of your own that must be given: there is no value without one, so that
/// what leaves it out does not compile. What `twiliowa template pull --header` writes is made of
/// it.
///
/// ```
/// struct OrderUpdate {
///     TemplateValue name;
///     TemplateValue order;
/// };
/// OrderUpdate update{.name = "Ann"};  // does not compile: order is missing
/// ```
class TemplateValue : public TextField {
public:
    /// A value cannot be left out.
    TemplateValue() = delete;
    TemplateValue(std::string text) noexcept : TextField(std::move(text)) {}
    TemplateValue(const char* text) : TextField(text) {}
    /// Two texts are not one.
    TemplateValue(const char*, const char*) = delete;
};

}  // namespace twiliowa
