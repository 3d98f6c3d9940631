#include <twiliowa/types/address.hpp>

#include <algorithm>

#include <twiliowa/types/sid.hpp>

#include "text/ascii.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr std::string_view whatsapp_prefix = "whatsapp:";
constexpr std::string_view sms_prefix = "sms:";

/// What copied numbers bring along unseen: spaces and marks of format and direction of Unicode.
bool begins_invisibly(std::string_view text) noexcept {
    if (text.starts_with("\xc2\xa0") || text.starts_with("\xc2\xad")) return true;  // U+00A0, 00AD
    if (text.starts_with("\xe3\x80\x80") || text.starts_with("\xef\xbb\xbf"))
        return true;  // 3000, FEFF
    if (text.size() < 3) return false;
    const auto last = static_cast<unsigned char>(text[2]);
    if (text.starts_with("\xe2\x80")) return last <= 0x8f || (last >= 0xa8 && last <= 0xaf);
    return text.starts_with("\xe2\x81") && last >= 0x9f && last <= 0xaf;
}

/// Takes `prefix` off the front of `text`, in whatever case it is written.
bool take_prefix(std::string_view& text, std::string_view prefix) noexcept {
    if (!equals_ignoring_case(text.substr(0, prefix.size()), prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

/// The name of a character at the front of `text` that nobody sees, or empty.
std::string_view unseen_character(std::string_view text) noexcept {
    if (text.empty()) return {};
    if (text.front() == ' ') return "a space";
    const auto c = static_cast<unsigned char>(text.front());
    if (c < 0x20 || c == 0x7f) return "a control character";
    if (c < 0x80) return {};
    return begins_invisibly(text) ? "an invisible character" : std::string_view{};
}

/// What is wrong with `text` as a phone number in E.164, or empty.
std::string phone_number_problem(std::string_view text) {
    if (text.empty() || text.front() != '+') return "does not begin with +";
    const auto digits = text.substr(1);
    const auto bad = std::find_if_not(digits.begin(), digits.end(), is_digit);
    if (bad != digits.end()) {
        const auto place = static_cast<std::size_t>(bad - digits.begin());
        const auto name = unseen_character(digits.substr(place));
        return "has " + std::string(name.empty() ? "a character that is not a digit" : name) +
               " at position " + std::to_string(place + 2);
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
    return !text.empty() && text.size() <= 128 &&
           std::all_of(text.begin(), text.end(), is_letter_or_digit);
}

}  // namespace
}  // namespace detail

Result<Address> Address::parse(std::string_view text, std::string_view field) {
    const auto refuse = [&](std::string_view problem) {
        return Error::invalid_request(
            field, problem,
            "write +<country code><number> in E.164 form, whatsapp:+<number>, or sms:+<number>",
            field == "From" ? 21212 : 21211);
    };
    if (text.empty()) return refuse("is empty");
    if (const auto name = detail::unseen_character(text); !name.empty()) {
        return refuse("begins with " + std::string(name));
    }
    Address address;
    std::string_view identity = text;
    if (detail::take_prefix(identity, detail::sms_prefix)) {
        address.channel_ = Channel::sms;
    } else if (detail::take_prefix(identity, detail::whatsapp_prefix)) {
        if (auto rest = identity; detail::take_prefix(rest, detail::whatsapp_prefix)) {
            return refuse("has whatsapp: twice");
        }
        if (detail::is_whatsapp_user_id(identity)) {
            address.wire_ = detail::whatsapp_prefix;
            address.wire_ += identity;
            return address;
        }
    }
    if (detail::is_whole_sid(detail::messaging_service_sid_kind, identity)) {
        return Error::invalid_request(field, "is a messaging service",
                                      "give it as messaging_service_sid",
                                      field == "From" ? 21212 : 21211);
    }
    const auto name = detail::unseen_character(identity);
    if (!name.empty()) return refuse("begins with " + std::string(name) + " after its prefix");
    const auto problem = detail::phone_number_problem(identity);
    if (!problem.empty()) return refuse(problem);
    if (address.channel_ == Channel::whatsapp) address.wire_ = detail::whatsapp_prefix;
    address.wire_ += identity;
    return address;
}

Address Address::from_wire(std::string_view wire) {
    const bool sms = wire.starts_with('+');
    if (!sms && !wire.starts_with(detail::whatsapp_prefix)) return {};
    const auto address = sms ? parse(std::string(detail::sms_prefix).append(wire)) : parse(wire);
    return address ? *address : Address{};
}

std::string Address::text() const {
    return channel_ == Channel::sms && !empty() ? std::string(detail::sms_prefix) + wire_ : wire_;
}

std::string_view Address::phone_number() const noexcept {
    const auto plus = wire_.find('+');
    return plus == std::string::npos ? std::string_view{} : std::string_view{wire_}.substr(plus);
}

}  // namespace twiliowa
