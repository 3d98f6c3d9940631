/// @file
/// A value that a template's variable gets, and that cannot be left out: `TemplateValue`.
#pragma once

#include <string>
#include <utility>

#include <twiliowa/types/template_variables.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

/// What a TemplateValue is given that is to take the template's default: `use_default`.
struct UseDefault {};
/// Leaves a TemplateValue to the template's default.
inline constexpr UseDefault use_default{};

/// A text in an aggregate of your own that must be given: there is no value without one, so that
/// what leaves it out does not compile. What `twiliowa template pull --header` writes is made of
/// it. `use_default` leaves the variable to the template's sample, in so many words.
///
/// ```
/// struct OrderUpdate {
///     TemplateValue name;
///     TemplateValue order;
/// };
/// OrderUpdate update{.name = "Ann"};  // does not compile: order is missing
/// OrderUpdate known{.name = "Ann", .order = use_default};
/// ```
class TemplateValue : public TextField {
public:
    /// A value cannot be left out.
    TemplateValue() = delete;
    TemplateValue(std::string text) noexcept : TextField(std::move(text)) {}
    TemplateValue(const char* text) : TextField(text) {}
    /// The template's default goes.
    TemplateValue(UseDefault) noexcept : uses_default_(true) {}
    /// Two texts are not one.
    TemplateValue(const char*, const char*) = delete;

    /// Whether the template's default goes; the text is empty then.
    bool uses_default() const noexcept { return uses_default_; }
    /// Gives `variables` this value for `name`, or says that its default goes.
    void fill(TemplateVariables& variables, std::string name) const {
        if (uses_default_) {
            variables.use_default(std::move(name));
        } else {
            variables.set(std::move(name), std::string{data(), size()});
        }
    }

private:
    bool uses_default_ = false;
};

}  // namespace twiliowa
