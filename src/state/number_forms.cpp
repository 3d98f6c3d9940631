#include "state/number_forms.hpp"

#include <algorithm>
#include <cstddef>

namespace twiliowa::detail {

namespace {

/// The national digits after `prefix`, if there are `count` of them; else empty.
std::string_view digits_after(std::string_view number, std::string_view prefix, std::size_t count) {
    if (!number.starts_with(prefix) || number.size() != prefix.size() + count) return {};
    return number.substr(prefix.size());
}

std::vector<std::string> two_forms(std::string_view prefix, std::string_view other_prefix,
                                   std::string_view digits) {
    std::vector<std::string> forms;
    for (const auto before : {prefix, other_prefix}) {
        forms.push_back(std::string(before).append(digits));
    }
    return forms;
}

/// Numbers of mobile phones, which got a 9 in front: theirs began with 6 to 9 before that.
bool is_brazilian_mobile(std::string_view subscriber) {
    return !subscriber.empty() && subscriber.front() >= '6' && subscriber.front() <= '9';
}

Address with_number(const Address& address, std::string_view number) {
    auto wire = address.wire();
    wire.replace(wire.size() - address.phone_number().size(), std::string::npos, number);
    return Address::from_wire(wire);
}

}  // namespace

std::vector<std::string> number_forms(std::string_view number, const NumberForms& forms) {
    constexpr std::size_t national = 10;
    for (const std::string_view prefix : {"+52", "+521"}) {
        const auto digits = digits_after(number, prefix, national);
        if (!digits.empty()) return two_forms("+52", "+521", digits);
    }
    if (forms.argentina_nine) {
        for (const std::string_view prefix : {"+54", "+549"}) {
            const auto digits = digits_after(number, prefix, national);
            if (!digits.empty()) return two_forms("+54", "+549", digits);
        }
    }
    if (forms.brazil_ninth_digit && number.starts_with("+55")) {
        constexpr std::size_t area_ends = 5;   // +55 and two digits
        constexpr std::size_t subscriber = 8;  // without the ninth
        const auto area = number.substr(0, area_ends);
        auto digits = digits_after(number, area, subscriber);
        if (digits.empty()) {
            digits = digits_after(number, area, subscriber + 1);
            if (!digits.starts_with('9')) digits = {};
            if (!digits.empty()) digits.remove_prefix(1);
        }
        if (is_brazilian_mobile(digits)) return two_forms(std::string(area) + '9', area, digits);
    }
    return {std::string(number)};
}

Address canonical_address(const Address& address, const NumberForms& forms) {
    const auto number = address.phone_number();
    if (number.empty()) return address;
    const auto standing = number_forms(number, forms).front();
    return standing == number ? address : with_number(address, standing);
}

std::vector<Address> address_forms(const Address& address, const NumberForms& forms) {
    std::vector<Address> all{address};
    const auto number = address.phone_number();
    if (number.empty()) return all;
    for (const auto& form : number_forms(number, forms)) {
        if (form != number) all.push_back(with_number(address, form));
    }
    return all;
}

}  // namespace twiliowa::detail
