#include "webhook/webhook_fields.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "text/utf8.hpp"

namespace twiliowa::detail {

namespace {

/// N of `nameN`, or nullopt.
std::optional<std::size_t> field_number(std::string_view field, std::string_view name) noexcept {
    if (!field.starts_with(name)) return std::nullopt;
    return parse_number<std::size_t>(field.substr(name.size()));
}

}  // namespace

FieldList list_of(const DecodedForm& form) {
    FieldList list;
    list.reserve(form.fields().size());
    for (const auto& field : form.fields()) {
        auto& [name, value] = list.emplace_back();
        append_valid_utf8(name, field.name());
        append_valid_utf8(value, field.value());
    }
    return list;
}

// few_links_ and first_ are written below, before they are read.
WebhookFields::WebhookFields(const DecodedForm& form)  // NOLINT
    : fields_(form.fields()), is_ascii_(is_ascii(form.text())) {
    if (fields_.size() > few_fields) many_links_.resize(fields_.size());
    links_ = {many_links_.empty() ? few_links_.data() : many_links_.data(), fields_.size()};
    first_.fill(static_cast<Place>(fields_.size()));
    for (std::size_t i = fields_.size(); i-- > 0;) {
        const auto name = fields_[i].name();
        any_numbered_ = any_numbered_ || (!name.empty() && is_digit(name.back()));
        auto& first = first_[FieldName::bucket_of(name)];
        links_[i] = {std::exchange(first, static_cast<Place>(i)), false};
    }
}

std::size_t WebhookFields::find_from(std::size_t place, std::string_view name) const noexcept {
    while (place < fields_.size() && (links_[place].is_taken || fields_[place].name() != name)) {
        place = links_[place].next;
    }
    return place;
}

void WebhookFields::append_valid(std::string& text, std::string_view part) const {
    if (is_ascii_) {
        text += part;
    } else {
        append_valid_utf8(text, part);
    }
}

void WebhookFields::take_if(FieldName name, std::string_view known) {
    const auto found = find(name);
    if (found == fields_.size()) return;
    const auto value = fields_[found].value();
    if (value == known || (!is_valid_utf8(value) && replace_invalid_utf8(value) == known)) {
        links_[found].is_taken = true;
    }
}

bool WebhookFields::take_flag(FieldName name) {
    const auto place = find(name);
    if (place == fields_.size()) return false;
    const auto text = fields_[place].value();
    const bool flag = equals_ignoring_case(text, "true");
    links_[place].is_taken = flag || equals_ignoring_case(text, "false");
    return flag;
}

std::vector<std::pair<std::size_t, std::string>> WebhookFields::take_numbered(
    std::string_view name) {
    std::vector<std::pair<std::size_t, std::string>> taken;
    for (std::size_t i = 0; any_numbered_ && i < fields_.size(); ++i) {
        if (links_[i].is_taken) continue;
        const auto number = field_number(fields_[i].name(), name);
        const bool is_new =
            number && std::none_of(taken.begin(), taken.end(),
                                   [&](const auto& other) { return other.first == *number; });
        if (!is_new) continue;
        links_[i].is_taken = true;
        taken.emplace_back(*number, replace_invalid_utf8(fields_[i].value()));
    }
    std::sort(taken.begin(), taken.end());
    return taken;
}

FieldList WebhookFields::rest() && {
    const auto is_left = [](const Link& link) { return !link.is_taken; };
    const auto count = std::count_if(links_.begin(), links_.end(), is_left);
    FieldList left;
    left.reserve(static_cast<std::size_t>(count) + kept_.size());
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        if (links_[i].is_taken) continue;
        auto& [name, value] = left.emplace_back();
        append_valid(name, fields_[i].name());
        append_valid(value, fields_[i].value());
    }
    std::move(kept_.begin(), kept_.end(), std::back_inserter(left));
    return left;
}

}  // namespace twiliowa::detail
