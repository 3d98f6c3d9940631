#include <twiliowa/types/address.hpp>

#include <algorithm>

namespace twiliowa {

namespace detail {
namespace {

constexpr std::string_view whatsapp_prefix = "whatsapp:";
constexpr std::string_view sms_prefix = "sms:";

bool is_ascii_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}
bool is_ascii_letter(char c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/// What is wrong with `text` as a phone number in E.164, or empty.
std::string phone_number_problem(std::string_view text) {
    if (text.empty() || text.front() != '+') return "does not begin with +";
    const auto digits = text.substr(1);
    const auto bad = std::find_if_not(digits.begin(), digits.end(), is_ascii_digit);
    if (bad != digits.end()) {
        return "has a character that is not a digit at position " +
               std::to_string(bad - digits.begin() + 2);
    }
    if (digits.empty()) return "has no digits";
    if (digits.front() == '0') return "has a country code that begins with 0";
    if (digits.size() < 7) return "has fewer than 7 digits";
    if (digits.size() > 15) return "has more than 15 digits";
    return {};
}

/// Meta's business-scoped user id: country, dot, optionally "ENT.", letters and digits.
bool is_whatsapp_user_id(std::string_view text) noexcept {
    const auto upper = [](char c) { return c >= 'A' && c <= 'Z'; };
    if (text.size() < 4 || !upper(text[0]) || !upper(text[1]) || text[2] != '.') return false;
    text.remove_prefix(3);
    if (text.starts_with("ENT.")) text.remove_prefix(4);
    return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
        return is_ascii_digit(c) || is_ascii_letter(c);
    });
}

}  // namespace
}  // namespace detail

Result<Address> Address::parse(std::string_view text, std::string_view field) {
    const auto refuse = [&](std::string problem) {
        return Error::invalid_request(
            std::string(field), std::move(problem),
            "write +<country code><number> in E.164 form, whatsapp:+<number>, or sms:+<number>",
            field == "From" ? 21212 : 21211);
    };
    if (text.empty()) return refuse("is empty");
    Address address;
    std::string_view identity = text;
    if (text.starts_with(detail::sms_prefix)) {
        address.channel_ = Channel::sms;
        identity.remove_prefix(detail::sms_prefix.size());
    } else if (text.starts_with(detail::whatsapp_prefix)) {
        identity.remove_prefix(detail::whatsapp_prefix.size());
        if (identity.starts_with(detail::whatsapp_prefix)) return refuse("has whatsapp: twice");
        if (detail::is_whatsapp_user_id(identity)) {
            address.wire_ = text;
            return address;
        }
    }
    auto problem = detail::phone_number_problem(identity);
    if (!problem.empty()) return refuse(std::move(problem));
    if (address.channel_ == Channel::whatsapp) address.wire_ = detail::whatsapp_prefix;
    address.wire_ += identity;
    return address;
}

std::string_view Address::phone_number() const noexcept {
    const auto plus = wire_.find('+');
    return plus == std::string::npos ? std::string_view{} : std::string_view{wire_}.substr(plus);
}

}  // namespace twiliowa
