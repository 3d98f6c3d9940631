#include "webhook/webhook_fields.hpp"

#include <algorithm>

namespace twiliowa::detail {

namespace {

/// N of `nameN`, or nullopt.
std::optional<std::size_t> field_number(std::string_view field, std::string_view name) noexcept {
    if (!field.starts_with(name)) return std::nullopt;
    return parse_number<std::size_t>(field.substr(name.size()));
}

auto find_field(FieldList& fields, std::string_view name) {
    return std::find_if(fields.begin(), fields.end(),
                        [name](const auto& field) { return field.first == name; });
}

}  // namespace

const std::string* WebhookFields::peek(std::string_view name) const noexcept {
    for (const auto& [key, value] : fields_) {
        if (key == name) return &value;
    }
    return nullptr;
}

std::string WebhookFields::take(std::string_view name) {
    const auto found = find_field(fields_, name);
    if (found == fields_.end()) return {};
    auto value = std::move(found->second);
    fields_.erase(found);
    return value;
}

void WebhookFields::take_if(std::string_view name, std::string_view known) {
    const auto* text = peek(name);
    if (text != nullptr && *text == known) take(name);
}

bool WebhookFields::take_flag(std::string_view name) {
    const auto* text = peek(name);
    if (text == nullptr) return false;
    const bool flag = equals_ignoring_case(*text, "true");
    if (flag || equals_ignoring_case(*text, "false")) take(name);
    return flag;
}

std::vector<std::pair<std::size_t, std::string>> WebhookFields::take_numbered(
    std::string_view name) {
    std::vector<std::pair<std::size_t, std::string>> taken;
    FieldList rest;
    for (auto& field : fields_) {
        const auto number = field_number(field.first, name);
        const auto is_new = [&] {
            return std::none_of(taken.begin(), taken.end(),
                                [&](const auto& other) { return other.first == *number; });
        };
        if (number && is_new()) {
            taken.emplace_back(*number, std::move(field.second));
        } else {
            rest.push_back(std::move(field));
        }
    }
    fields_ = std::move(rest);
    std::sort(taken.begin(), taken.end());
    return taken;
}

}  // namespace twiliowa::detail
