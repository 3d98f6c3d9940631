#include "request_validator/signed_text.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace twiliowa::detail {

namespace {

/// A field, and the first eight bytes of its name as a number that sorts like them.
struct SortedField {
    std::uint64_t prefix;
    const DecodedForm::Field* field;
};

constexpr std::size_t few_sorted_fields = 64;

std::uint64_t sortable_prefix(std::string_view name) noexcept {
    std::uint64_t prefix = 0;
    if (name.size() >= 8) {
        for (std::size_t i = 0; i < 8; ++i) {
            prefix = prefix << 8 | static_cast<unsigned char>(name[i]);
        }
        return prefix;
    }
    for (std::size_t i = 0; i < name.size(); ++i) {
        prefix |= static_cast<std::uint64_t>(static_cast<unsigned char>(name[i])) << (56 - 8 * i);
    }
    return prefix;
}

bool sorts_before(const SortedField& a, const SortedField& b) noexcept {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    const int order = a.field->name().compare(b.field->name());
    return order != 0 ? order < 0 : a.field->value() < b.field->value();
}

}  // namespace

std::string_view signed_text(const DecodedForm& form) {
    const auto fields = form.fields();
    if (fields.empty()) return {};
    std::array<SortedField, few_sorted_fields> few;  // NOLINT: written before it is read
    std::vector<SortedField> many;
    if (fields.size() > few.size()) many.resize(fields.size());
    const std::span<SortedField> sorted{many.empty() ? few.data() : many.data(), fields.size()};
    std::transform(fields.begin(), fields.end(), sorted.begin(),
                   [](const DecodedForm::Field& field) {
                       return SortedField{sortable_prefix(field.name()), &field};
                   });
    std::sort(sorted.begin(), sorted.end(), sorts_before);

    char* out = form.room();
    const DecodedForm::Field* last = nullptr;
    for (const auto& [prefix, field] : sorted) {
        const bool repeated =
            last != nullptr && last->name() == field->name() && last->value() == field->value();
        last = field;
        if (repeated) continue;
        const auto both = field->name_and_value();
        std::memcpy(out, both.data(), both.size());
        out += both.size();
    }
    return {form.room(), static_cast<std::size_t>(out - form.room())};
}

}  // namespace twiliowa::detail
