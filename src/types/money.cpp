#include <twiliowa/types/money.hpp>

#include <algorithm>
#include <cstddef>
#include <optional>

#include "text/ascii.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr std::size_t money_decimals = 6;

Error amount_does_not_fit(std::string_view field) {
    return Error::invalid_request(field, "is more than an amount can be");
}

/// `magnitude` times ten, and one digit more; nullopt if it does not fit.
std::optional<std::int64_t> with_money_digit(std::int64_t magnitude, char digit) noexcept {
    std::int64_t longer = 0;
    if (__builtin_mul_overflow(magnitude, std::int64_t{10}, &longer) ||
        __builtin_add_overflow(longer, std::int64_t{digit - '0'}, &longer)) {
        return std::nullopt;
    }
    return longer;
}

}  // namespace
}  // namespace detail

Result<Money> Money::from_micros(std::int64_t micros, std::string_view currency) {
    Money money;
    if (currency.size() != money.currency_.size() ||
        !std::all_of(currency.begin(), currency.end(), detail::is_letter)) {
        return Error::invalid_request("currency", "is not three letters",
                                      "write a code of ISO 4217, as in USD");
    }
    money.micros_ = micros;
    std::transform(currency.begin(), currency.end(), money.currency_.begin(),
                   [](char c) { return c >= 'a' ? static_cast<char>(c - 'a' + 'A') : c; });
    return money;
}

Result<Money> Money::parse(std::string_view decimal, std::string_view currency,
                           std::string_view field) {
    const auto no_decimal = [field] {
        return Error::invalid_request(field, "is no decimal", "write it as in 0.0089");
    };
    if (decimal.empty()) return Error::invalid_request(field, "is empty");
    const bool is_negative = decimal.front() == '-';
    if (is_negative || decimal.front() == '+') decimal.remove_prefix(1);
    const auto point = decimal.find('.');
    const auto whole = decimal.substr(0, point);
    auto fraction =
        point == std::string_view::npos ? std::string_view{} : decimal.substr(point + 1);
    const auto are_digits = [](std::string_view text) {
        return !text.empty() && std::all_of(text.begin(), text.end(), detail::is_digit);
    };
    if (!are_digits(whole)) return no_decimal();
    if (point != std::string_view::npos && !are_digits(fraction)) return no_decimal();
    fraction = detail::trim_back(fraction, "0");
    if (fraction.size() > detail::money_decimals) {
        return Error::invalid_request(field, "is finer than a millionth");
    }
    std::int64_t micros = 0;
    const auto take = [&micros](char digit) {
        const auto longer = detail::with_money_digit(micros, digit);
        micros = longer.value_or(0);
        return longer.has_value();
    };
    for (const char digit : whole) {
        if (!take(digit)) return detail::amount_does_not_fit(field);
    }
    for (std::size_t i = 0; i < detail::money_decimals; ++i) {
        if (!take(i < fraction.size() ? fraction[i] : '0')) {
            return detail::amount_does_not_fit(field);
        }
    }
    return from_micros(is_negative ? -micros : micros, currency);
}

std::string Money::decimal() const {
    // As unsigned, since the smallest number has no opposite.
    const auto bits = static_cast<std::uint64_t>(micros_);
    auto digits = std::to_string(micros_ < 0 ? std::uint64_t{0} - bits : bits);
    constexpr auto decimals = detail::money_decimals;
    if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
    digits.insert(digits.size() - decimals, 1, '.');
    digits.erase(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
    return micros_ < 0 ? '-' + digits : digits;
}

Result<Money> Money::plus(const Money& other) const {
    if (currency().empty() && micros_ == 0) return other;
    if (other.currency().empty() && other.micros_ == 0) return *this;
    if (currency_ != other.currency_) {
        return Error::invalid_request("currency", "is not the same",
                                      "keep a sum for each currency");
    }
    Money sum = *this;
    if (__builtin_add_overflow(micros_, other.micros_, &sum.micros_)) {
        return detail::amount_does_not_fit("price");
    }
    return sum;
}

Result<Money> Money::minus(const Money& other) const {
    return other.times(-1).and_then([this](const Money& opposite) { return plus(opposite); });
}

Result<Money> Money::times(std::int64_t count) const {
    Money product = *this;
    if (__builtin_mul_overflow(micros_, count, &product.micros_)) {
        return detail::amount_does_not_fit("price");
    }
    return product;
}

std::string to_string(const Money& money) {
    auto text = money.decimal();
    if (!money.currency().empty()) text.append(1, ' ').append(money.currency());
    return text;
}

}  // namespace twiliowa
