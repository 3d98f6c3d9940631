/// @file
/// A webhook's parameters, taken out one by one; what nobody took is unknown.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
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

/// A parameter's name as it stands in the code, and where a form's index has it.
struct FieldName {
    consteval FieldName(const char* name) noexcept  // NOLINT(google-explicit-constructor)
        : text(name), bucket(bucket_of(text)) {}

    static constexpr std::size_t buckets = 64;
    /// Twilio's names differ in their length or at their ends.
    static constexpr std::size_t bucket_of(std::string_view name) noexcept {
        if (name.empty()) return 0;
        const std::size_t front = static_cast<unsigned char>(name.front());
        const std::size_t back = static_cast<unsigned char>(name.back());
        return (name.size() + front * 15 + back * 31) % buckets;
    }

    std::string_view text;
    std::size_t bucket;
};

/// Parameters that can each be taken once. What is taken is valid UTF-8. The form must outlive it.
class WebhookFields {
public:
    explicit WebhookFields(const DecodedForm& form);
    WebhookFields(const WebhookFields&) = delete;
    WebhookFields& operator=(const WebhookFields&) = delete;
    ~WebhookFields() = default;

    bool has(FieldName name) const noexcept { return find(name) != fields_.size(); }
    /// The first value of that name, as received, not taken; empty if there is none.
    std::string_view peek(FieldName name) const noexcept {
        const auto found = find(name);
        return found == fields_.size() ? std::string_view{} : fields_[found].value();
    }
    /// Takes the first of that name; empty if there is none.
    std::string take(FieldName name) {
        std::string text;
        take_into(text, name);
        return text;
    }
    /// Takes the first of that name into `text`, which stays as it is if there is none.
    void take_into(std::string& text, FieldName name) {
        const auto place = find(name);
        if (place == fields_.size()) return;
        links_[place].is_taken = true;
        text.clear();
        append_valid(text, fields_[place].value());
    }
    /// Takes it if it says no more than `known` does.
    void take_if(FieldName name, std::string_view known);
    /// Puts one back.
    void keep(std::string name, std::string value) {
        kept_.emplace_back(std::move(name), std::move(value));
    }
    /// Takes it if it is a number that `Number` can hold.
    template <class Number>
    std::optional<Number> take_number(FieldName name) {
        const auto number = parse_number<Number>(peek(name));
        if (number) take(name);
        return number;
    }
    /// Takes it if it is `true` or `false`, in any case.
    bool take_flag(FieldName name);
    /// Takes every NAME0, NAME1, ...; in the order of their numbers.
    std::vector<std::pair<std::size_t, std::string>> take_numbered(std::string_view name);
    /// What was not taken.
    FieldList rest() &&;

private:
    using Place = std::uint32_t;
    /// Of a field: whether it was taken, and the next one whose name falls into the same bucket.
    struct Link {
        Place next;
        bool is_taken;
    };
    static constexpr std::size_t few_fields = 64;
    /// The place of the first of that name that was not taken; the number of all if there is none,
    /// which for most names is seen at once.
    std::size_t find(FieldName name) const noexcept {
        const auto first = first_[name.bucket];
        return first == fields_.size() ? first : find_from(first, name.text);
    }
    std::size_t find_from(std::size_t place, std::string_view name) const noexcept;
    void append_valid(std::string& text, std::string_view part) const;

    std::span<const DecodedForm::Field> fields_;
    std::array<Link, few_fields> few_links_;  // NOLINT: written before it is read
    std::vector<Link> many_links_;
    std::span<Link> links_;
    bool is_ascii_;              ///< Whether all of the form is: then there is no more to check.
    bool any_numbered_ = false;  ///< Whether any name ends in a digit.
    std::array<Place, FieldName::buckets>
        first_;  ///< Of each bucket; the number of all fields ends a list.
    FieldList kept_;
};

}  // namespace twiliowa::detail
