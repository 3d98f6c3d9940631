/// @file
/// Phone numbers as people write them.
#pragma once

#include <string>
#include <string_view>

#include <twiliowa/export.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// Whether a number that was read is the one that was meant.
enum class NumberCertainty {
    certain,  ///< Nothing was guessed.
    likely,   ///< Something was: `PhoneNumber::doubt` says what.
};

/// Why a number is only likely; where several reasons hold, the first of them in this order.
enum class NumberDoubt {
    none,           ///< It is certain.
    decimal_point,  ///< Written `447700900123.0`, as a program does that took it for an amount.
    missing_plus,   ///< Written `447700900123`: with the country code, but without the plus.
    missing_trunk_prefix,  ///< Written `7700900123`: spreadsheets take the zero in front away.
    kept_trunk_prefix,  ///< Written `+4407700900123`: its zero is dialled within the country only.
    assumed_prefix,     ///< Written `0044...` where 00 is not known to mean +.
    other_form,  ///< WhatsApp may know it in another form (Mexico, Argentina, Brazil, Benin).
    unknown_area_code,  ///< +1 and an area code that belongs to no country known here.
    unchecked_length,   ///< The lengths of its country's numbers are not known here.
};

/// `certain` or `likely`.
TWILIOWA_EXPORT std::string_view to_string(NumberCertainty certainty) noexcept;
/// The enumerator's name.
TWILIOWA_EXPORT std::string_view to_string(NumberDoubt doubt) noexcept;
/// What was guessed, in words for a person; empty for `none`.
TWILIOWA_EXPORT std::string_view describe(NumberDoubt doubt) noexcept;

/// A phone number in E.164, with its country, read from what somebody wrote: a form, a spreadsheet,
/// a database of many years. Sends do not read numbers so: they take E.164 and nothing else
/// (`Address::parse`); hand them `e164()`.
///
/// @code
/// const auto number = twiliowa::PhoneNumber::parse("07700 900123", "GB").value();
/// client.send_text({.to = number.e164(), .body = "On its way"});  // to +447700900123
/// @endcode
///
/// That a number is certain says that there may be such a number, not that anybody has it.
class TWILIOWA_EXPORT PhoneNumber {
public:
    /// Of nobody: empty.
    PhoneNumber() noexcept = default;

    /// Reads `text`, which somebody in `default_country` may have written.
    ///
    /// Read are: `+` or the prefix that is dialled there in its place (00, 011, 0011, 8~10) and a
    /// country code; else a number of `default_country`, with its trunk prefix (the 0 of `07700`)
    /// or without; `(0)` after a country code. Between the digits may stand blanks, hyphens, dots,
    /// slashes, brackets, and marks that nobody sees, all in their forms of Unicode; before them
    /// `tel:`, `whatsapp:`, `https://wa.me/` or an apostrophe. Digits may be full-width, Arabic or
    /// those of other scripts.
    ///
    /// Refused are extensions, words (0800 FLOWERS), two numbers in one field, what a spreadsheet
    /// has rounded (4.47701E+11), what can be read in two ways, and what no plan of numbers has.
    /// docs/phone-numbers.md has the rules and the countries.
    ///
    /// @param default_country  ISO 3166-1 alpha-2 ("GB"), whose numbers are written without their
    ///     country code. Empty: there is none, and the country code must be written.
    /// @param field  the name of `text` for the error ("To").
    /// Errors: InvalidRequestError, code 21211, which says what is wrong with the text without
    /// quoting it; field "default_country" if that is none.
    /// Thread-safe. Allocates for the result at most.
    static Result<PhoneNumber> parse(std::string_view text, std::string_view default_country = {},
                                     std::string_view field = "To");

    /// `+` and digits: `+447700900123`.
    const std::string& e164() const noexcept { return e164_; }
    /// ISO 3166-1 alpha-2. By the beginning of the number where countries share a code (+1, +7,
    /// +44,
    /// ...). Empty where that does not tell, and for freephone and satellites.
    std::string_view country() const noexcept { return country_; }
    /// Without the plus: `44`.
    std::string_view calling_code() const noexcept { return calling_code_; }
    /// Likely if there is a doubt.
    NumberCertainty certainty() const noexcept {
        return doubt_ == NumberDoubt::none ? NumberCertainty::certain : NumberCertainty::likely;
    }
    /// What was guessed.
    NumberDoubt doubt() const noexcept { return doubt_; }
    /// Whether it is of nobody.
    bool empty() const noexcept { return e164_.empty(); }
    /// Whether they are the same number, however each was written.
    friend bool operator==(const PhoneNumber& a, const PhoneNumber& b) noexcept {
        return a.e164_ == b.e164_;
    }

private:
    std::string e164_;
    std::string_view country_;       // of a table
    std::string_view calling_code_;  // of a table
    NumberDoubt doubt_ = NumberDoubt::none;
};

}  // namespace twiliowa
