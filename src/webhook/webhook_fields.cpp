#include "webhook/webhook_fields.hpp"

#include <algorithm>
#include <iterator>

#include "text/utf8.hpp"

namespace twiliowa::detail {

namespace {

/// N of `nameN`, or nullopt.
std::optional<std::size_t> field_number(std::string_view field, std::string_view name) noexcept {
    if (!field.starts_with(name)) return std::nullopt;
    return parse_number<std::size_t>(field.substr(name.size()));
}

std::string valid_text(std::string_view text) {
    return replace_invalid_utf8(std::string{text});
}

}  // namespace

FieldList list_of(const DecodedForm& form) {
    FieldList list;
    list.reserve(form.fields().size());
    for (const auto& field : form.fields()) {
        list.emplace_back(valid_text(field.name()), valid_text(field.value()));
    }
    return list;
}

std::size_t WebhookFields::find(std::string_view name) const noexcept {
    std::size_t i = 0;
    while (i < fields_.size() && (is_taken_[i] != 0 || fields_[i].name() != name)) ++i;
    return i;
}

std::string_view WebhookFields::peek(std::string_view name) const noexcept {
    const auto found = find(name);
    return found == fields_.size() ? std::string_view{} : fields_[found].value();
}

std::string WebhookFields::take(std::string_view name) {
    const auto found = find(name);
    if (found == fields_.size()) return {};
    is_taken_[found] = 1;
    return valid_text(fields_[found].value());
}

void WebhookFields::take_if(std::string_view name, std::string_view known) {
    const auto found = find(name);
    if (found == fields_.size()) return;
    const auto value = fields_[found].value();
    if (value == known || (!is_valid_utf8(value) && valid_text(value) == known)) {
        is_taken_[found] = 1;
    }
}

bool WebhookFields::take_flag(std::string_view name) {
    const auto text = peek(name);
    const bool flag = equals_ignoring_case(text, "true");
    if (flag || equals_ignoring_case(text, "false")) take(name);
    return flag;
}

std::vector<std::pair<std::size_t, std::string>> WebhookFields::take_numbered(
    std::string_view name) {
    std::vector<std::pair<std::size_t, std::string>> taken;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        if (is_taken_[i] != 0) continue;
        const auto number = field_number(fields_[i].name(), name);
        const bool is_new =
            number && std::none_of(taken.begin(), taken.end(),
                                   [&](const auto& other) { return other.first == *number; });
        if (!is_new) continue;
        is_taken_[i] = 1;
        taken.emplace_back(*number, valid_text(fields_[i].value()));
    }
    std::sort(taken.begin(), taken.end());
    return taken;
}

FieldList WebhookFields::rest() && {
    FieldList left;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        if (is_taken_[i] != 0) continue;
        left.emplace_back(valid_text(fields_[i].name()), valid_text(fields_[i].value()));
    }
    std::move(kept_.begin(), kept_.end(), std::back_inserter(left));
    return left;
}

}  // namespace twiliowa::detail
