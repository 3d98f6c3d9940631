/// @file
/// A webhook's parameters, taken out one by one; what nobody took is unknown.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/ascii.hpp"

namespace twiliowa::detail {

using FieldList = std::vector<std::pair<std::string, std::string>>;

/// The first value of that name, or empty.
inline std::string_view find_parameter(const FieldList& fields, std::string_view name) noexcept {
    for (const auto& [key, value] : fields) {
        if (key == name) return value;
    }
    return {};
}

/// Parameters that can each be taken once.
class WebhookFields {
public:
    explicit WebhookFields(FieldList fields) noexcept : fields_(std::move(fields)) {}

    /// The first value of that name, not taken; nullptr if there is none.
    const std::string* peek(std::string_view name) const noexcept;
    /// Takes the first of that name; empty if there is none.
    std::string take(std::string_view name);
    /// Takes it if it says no more than `known` does.
    void take_if(std::string_view name, std::string_view known);
    /// Puts one back.
    void keep(std::string name, std::string value) {
        fields_.emplace_back(std::move(name), std::move(value));
    }
    /// Takes it if it is a number that `Number` can hold.
    template <class Number>
    std::optional<Number> take_number(std::string_view name) {
        const auto* text = peek(name);
        const auto number = text != nullptr ? parse_number<Number>(*text) : std::nullopt;
        if (number) take(name);
        return number;
    }
    /// Takes it if it is `true` or `false`, in any case.
    bool take_flag(std::string_view name);
    /// Takes every NAME0, NAME1, ...; in the order of their numbers.
    std::vector<std::pair<std::size_t, std::string>> take_numbered(std::string_view name);
    /// What was not taken.
    FieldList rest() && noexcept { return std::move(fields_); }

private:
    FieldList fields_;
};

}  // namespace twiliowa::detail
