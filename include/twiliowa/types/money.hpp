/// @file
/// Amounts of money, exactly.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <twiliowa/export.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// An amount in millionths of a currency's unit (Twilio's prices have four or five decimals), and
/// the currency. Never rounded, never a floating-point number: what does not fit is an error.
///
/// Twilio's own prices are read as they are: `Money::parse(message.price, message.price_unit)`.
/// They are negative, since they are taken from the account, and empty until Twilio knows them; ask
/// `message.price.empty()` first.
class TWILIOWA_EXPORT Money {
public:
    /// Nothing, of no currency: where a sum begins.
    constexpr Money() noexcept = default;

    /// @param currency  three letters (ISO 4217), in any case; which there are is not checked.
    /// Errors: InvalidRequestError of the field "currency".
    static Result<Money> from_micros(std::int64_t micros, std::string_view currency);

    /// Reads a decimal: `-0.0089`, `12`, `+0.5`; no blanks, no exponent, no comma.
    /// @param field  the name of `decimal` for the error.
    /// Errors: InvalidRequestError of that field if it is no decimal, is finer than a millionth, or
    /// does not fit; of the field "currency" if that is none.
    static Result<Money> parse(std::string_view decimal, std::string_view currency,
                               std::string_view field = "price");

    /// Millionths of the currency's unit.
    constexpr std::int64_t micros() const noexcept { return micros_; }
    /// Three capital letters; empty for nothing of no currency. Valid as long as this object.
    constexpr std::string_view currency() const noexcept {
        return {currency_.data(), currency_.front() == '\0' ? 0U : currency_.size()};
    }
    /// The shortest decimal that `parse` reads as the same: `-0.0089`, `12`.
    std::string decimal() const;

    /// Errors: InvalidRequestError of the field "currency" if the currencies differ (nothing of no
    /// currency goes with each), of the field "price" if the result does not fit.
    Result<Money> plus(const Money& other) const;
    /// As `plus`.
    Result<Money> minus(const Money& other) const;
    /// So many times as much. Errors: InvalidRequestError of the field "price" if it does not fit.
    Result<Money> times(std::int64_t count) const;

    /// The same amount of the same currency.
    friend constexpr bool operator==(const Money&, const Money&) noexcept = default;

private:
    std::int64_t micros_ = 0;
    std::array<char, 3> currency_ = {};
};

/// The decimal and the currency: `-0.0089 USD`.
TWILIOWA_EXPORT std::string to_string(const Money& money);

}  // namespace twiliowa
