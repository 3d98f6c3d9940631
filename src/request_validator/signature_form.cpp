#include "request_validator/signature_form.hpp"

#include <algorithm>
#include <cstring>

namespace twiliowa::detail {

namespace {

/// What a byte of a form means; 0 for itself.
enum SignatureFormByte : unsigned char {
    form_plain,
    form_ampersand,
    form_equals,
    form_plus,
    form_percent
};

constexpr std::array<unsigned char, 256> make_form_bytes() {
    std::array<unsigned char, 256> bytes{};
    bytes['&'] = form_ampersand;
    bytes['='] = form_equals;
    bytes['+'] = form_plus;
    bytes['%'] = form_percent;
    return bytes;
}
constexpr auto signature_form_bytes = make_form_bytes();

constexpr std::array<signed char, 256> make_hex_digits() {
    std::array<signed char, 256> digits{};
    for (auto& digit : digits) digit = -1;
    for (std::size_t i = 0; i < 10; ++i) digits['0' + i] = static_cast<signed char>(i);
    for (std::size_t i = 0; i < 6; ++i) {
        digits['a' + i] = static_cast<signed char>(10 + i);
        digits['A' + i] = static_cast<signed char>(10 + i);
    }
    return digits;
}
constexpr auto signature_hex_digits = make_hex_digits();

std::uint64_t sortable_prefix(const char* data, std::size_t size) noexcept {
    std::uint64_t prefix = 0;
    if (size >= 8) {
        for (std::size_t i = 0; i < 8; ++i) {
            prefix = prefix << 8 | static_cast<unsigned char>(data[i]);
        }
        return prefix;
    }
    for (std::size_t i = 0; i < size; ++i) {
        prefix |= static_cast<std::uint64_t>(static_cast<unsigned char>(data[i])) << (56 - 8 * i);
    }
    return prefix;
}

}  // namespace

bool SignatureForm::sorts_before(const Field& a, const Field& b) noexcept {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    const int order = a.name().compare(b.name());
    return order != 0 ? order < 0 : a.value() < b.value();
}

void SignatureForm::add(const Field& field) {
    if (count_ < inline_fields) {
        few_[count_++] = field;
        return;
    }
    if (many_.empty()) many_.assign(few_.begin(), few_.end());
    many_.push_back(field);
    fields_ = many_.data();
    ++count_;
}

bool SignatureForm::read(std::string_view body, std::size_t max_fields) {
    if (body.empty()) return true;
    buffer_ = std::make_unique_for_overwrite<char[]>(2 * body.size());  // decoded, then sorted
    char* out = buffer_.get();
    const char* in = body.data();
    const char* const end = in + body.size();

    while (in != end) {
        if (*in == '&') {
            ++in;
            continue;
        }
        if (count_ == max_fields) return false;
        char* const name = out;
        char* value = nullptr;
        for (; in != end; ++in) {
            const auto byte = static_cast<unsigned char>(*in);
            const auto meaning = signature_form_bytes[byte];
            if (meaning == form_plain) {
                *out++ = *in;
                continue;
            }
            if (meaning == form_ampersand) break;
            if (meaning == form_equals && value == nullptr) {
                value = out;
            } else if (meaning == form_plus) {
                *out++ = ' ';
            } else if (meaning == form_percent && end - in > 2 &&
                       signature_hex_digits[static_cast<unsigned char>(in[1])] >= 0 &&
                       signature_hex_digits[static_cast<unsigned char>(in[2])] >= 0) {
                *out++ =
                    static_cast<char>(signature_hex_digits[static_cast<unsigned char>(in[1])] * 16 +
                                      signature_hex_digits[static_cast<unsigned char>(in[2])]);
                in += 2;
            } else {
                *out++ = *in;
            }
        }
        if (value == nullptr) value = out;
        const auto name_size = static_cast<std::size_t>(value - name);
        add({sortable_prefix(name, name_size), name, name_size,
             static_cast<std::size_t>(out - value)});
    }

    std::sort(fields_, fields_ + count_, sorts_before);
    char* const text = out;
    for (std::size_t i = 0; i < count_; ++i) {
        const auto& field = fields_[i];
        if (i > 0 && fields_[i - 1].name() == field.name() &&
            fields_[i - 1].value() == field.value()) {
            continue;
        }
        const auto size = field.name_size + field.value_size;
        std::memcpy(out, field.data, size);
        out += size;
    }
    text_ = {text, static_cast<std::size_t>(out - text)};
    return true;
}

std::optional<std::string_view> SignatureForm::first(std::string_view name) const noexcept {
    const Field* found = nullptr;
    for (std::size_t i = 0; i < count_; ++i) {
        const auto& field = fields_[i];
        if (field.name() == name && (found == nullptr || field.data < found->data)) found = &field;
    }
    if (found == nullptr) return std::nullopt;
    return found->value();
}

}  // namespace twiliowa::detail
