#include "testing/fake_twilio/world/address.hpp"

#include <algorithm>

#include "text/ascii.hpp"

namespace twiliowa::testing::fake {

namespace {

constexpr std::string_view whatsapp_prefix = "whatsapp:";

}  // namespace

bool is_whatsapp(std::string_view address) noexcept {
    return address.starts_with(whatsapp_prefix);
}

std::string_view identity_of(std::string_view address) noexcept {
    return is_whatsapp(address) ? address.substr(whatsapp_prefix.size()) : address;
}

std::string on_whatsapp(std::string_view address) {
    std::string whole;
    if (address.find(':') == std::string_view::npos) whole = whatsapp_prefix;
    return whole += address;
}

bool is_user_id(std::string_view text) noexcept {
    return text.size() >= 4 && text.size() <= 140 && detail::is_letter(text[0]) &&
           detail::is_letter(text[1]) && text[2] == '.' &&
           std::all_of(text.begin() + 3, text.end(),
                       [](char c) { return detail::is_letter_or_digit(c) || c == '.'; });
}

bool is_phone_number(std::string_view text) noexcept {
    return text.size() >= 8 && text.size() <= 16 && text[0] == '+' && text[1] != '0' &&
           std::all_of(text.begin() + 1, text.end(), detail::is_digit);
}

bool is_address(std::string_view address) noexcept {
    const auto identity = identity_of(address);
    return is_phone_number(identity) || (is_whatsapp(address) && is_user_id(identity));
}

}  // namespace twiliowa::testing::fake
