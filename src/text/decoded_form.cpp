#include "text/decoded_form.hpp"

#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

/// What a byte of a form means; 0 for itself.
enum FormByte : unsigned char { form_plain, form_ampersand, form_equals, form_plus, form_percent };

constexpr std::array<unsigned char, 256> make_form_bytes() {
    std::array<unsigned char, 256> bytes{};
    bytes['&'] = form_ampersand;
    bytes['='] = form_equals;
    bytes['+'] = form_plus;
    bytes['%'] = form_percent;
    return bytes;
}
constexpr auto form_bytes = make_form_bytes();

}  // namespace

void DecodedForm::add(const Field& field) {
    if (count_ < inline_fields) {
        few_[count_++] = field;
        return;
    }
    if (many_.empty()) many_.assign(few_.begin(), few_.end());
    many_.push_back(field);
    ++count_;
}

bool DecodedForm::read(std::string_view form, std::size_t max_fields) {
    is_read_ = true;
    count_ = 0;
    many_.clear();
    if (form.empty()) return true;
    const auto size = 2 * form.size();  // the fields, and room
    if (size > own_.size()) larger_ = std::make_unique_for_overwrite<char[]>(size);
    char* out = size > own_.size() ? larger_.get() : own_.data();
    const char* in = form.data();
    const char* const end = in + form.size();

    while (in != end) {
        if (*in == '&') {
            ++in;
            continue;
        }
        if (count_ == max_fields) break;
        char* const name = out;
        char* value = nullptr;
        for (; in != end; ++in) {
            const auto meaning = form_bytes[static_cast<unsigned char>(*in)];
            if (meaning == form_plain) {
                *out++ = *in;
                continue;
            }
            if (meaning == form_ampersand) break;
            if (meaning == form_equals && value == nullptr) {
                value = out;
            } else if (meaning == form_plus) {
                *out++ = ' ';
            } else if (meaning == form_percent && end - in > 2 && hex_value(in[1]) >= 0 &&
                       hex_value(in[2]) >= 0) {
                *out++ = static_cast<char>(hex_value(in[1]) * 16 + hex_value(in[2]));
                in += 2;
            } else {
                *out++ = *in;
            }
        }
        if (value == nullptr) value = out;
        add({name, static_cast<std::size_t>(value - name), static_cast<std::size_t>(out - value)});
    }
    room_ = out;
    return in == end;
}

std::optional<std::string_view> DecodedForm::first(std::string_view name) const noexcept {
    for (const auto& field : fields()) {
        if (field.name() == name) return field.value();
    }
    return std::nullopt;
}

}  // namespace twiliowa::detail
