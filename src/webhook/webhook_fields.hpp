/// @file
/// A webhook's parameters, taken out one by one; what nobody took is unknown.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/ascii.hpp"
#include "text/decoded_form.hpp"

namespace twiliowa::detail {

using FieldList = std::vector<std::pair<std::string, std::string>>;

/// The first value of that name, or empty.
inline std::string_view find_parameter(const FieldList& fields, std::string_view name) noexcept {
    for (const auto& [key, value] : fields) {
        if (key == name) return value;
    }
    return {};
}

/// The form's fields, in valid UTF-8.
FieldList list_of(const DecodedForm& form);

/// Parameters that can each be taken once. What is taken is valid UTF-8. The form must outlive it.
class WebhookFields {
public:
    explicit WebhookFields(const DecodedForm& form)
        : fields_(form.fields()), is_taken_(fields_.size()) {}

    bool has(std::string_view name) const noexcept { return find(name) != fields_.size(); }
    /// The first value of that name, as received, not taken; empty if there is none.
    std::string_view peek(std::string_view name) const noexcept;
    /// Takes the first of that name; empty if there is none.
    std::string take(std::string_view name);
    /// Takes it if it says no more than `known` does.
    void take_if(std::string_view name, std::string_view known);
    /// Puts one back.
    void keep(std::string name, std::string value) {
        kept_.emplace_back(std::move(name), std::move(value));
    }
    /// Takes it if it is a number that `Number` can hold.
    template <class Number>
    std::optional<Number> take_number(std::string_view name) {
        const auto number = parse_number<Number>(peek(name));
        if (number) take(name);
        return number;
    }
    /// Takes it if it is `true` or `false`, in any case.
    bool take_flag(std::string_view name);
    /// Takes every NAME0, NAME1, ...; in the order of their numbers.
    std::vector<std::pair<std::size_t, std::string>> take_numbered(std::string_view name);
    /// What was not taken.
    FieldList rest() &&;

private:
    /// The place of the first of that name that was not taken; the number of all if there is none.
    std::size_t find(std::string_view name) const noexcept;

    std::span<const DecodedForm::Field> fields_;
    std::vector<unsigned char> is_taken_;
    FieldList kept_;
};

}  // namespace twiliowa::detail
