#include "text/decoded_form.hpp"

#include <algorithm>

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

constexpr std::array<signed char, 256> make_form_digits() {
    std::array<signed char, 256> digits{};
    for (auto& digit : digits) digit = -1;
    for (std::size_t i = 0; i < 10; ++i) digits['0' + i] = static_cast<signed char>(i);
    for (std::size_t i = 0; i < 6; ++i) {
        digits['a' + i] = static_cast<signed char>(10 + i);
        digits['A' + i] = static_cast<signed char>(10 + i);
    }
    return digits;
}
constexpr auto form_digits = make_form_digits();

int form_digit(char c) noexcept {
    return form_digits[static_cast<unsigned char>(c)];
}

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
    count_ = 0;
    many_.clear();
    if (form.empty()) return true;
    buffer_ = std::make_unique_for_overwrite<char[]>(2 * form.size());  // the fields, and room
    char* out = buffer_.get();
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
            } else if (meaning == form_percent && end - in > 2 && form_digit(in[1]) >= 0 &&
                       form_digit(in[2]) >= 0) {
                *out++ = static_cast<char>(form_digit(in[1]) * 16 + form_digit(in[2]));
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
