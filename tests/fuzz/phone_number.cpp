// Phone numbers as people write them, behind the two letters of a country: what is read is E.164,
// is read as itself again, and what is refused is not quoted.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <twiliowa/types/address.hpp>
#include <twiliowa/types/phone_number.hpp>

namespace {

void expect(bool holds) {
    if (!holds) std::abort();
}

/// Whether six digits of `text` stand in `what`. A code of Twilio's has five.
bool quotes_digits(const std::string& what, std::string_view text) {
    constexpr std::size_t length = 6;
    for (std::size_t i = 0; i + length <= text.size(); ++i) {
        const auto part = text.substr(i, length);
        if (part.find_first_not_of("0123456789") != std::string_view::npos) continue;
        if (what.find(part) != std::string::npos) return true;
    }
    return false;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace twiliowa;
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    const auto country = input.substr(0, 2);
    const auto text = input.substr(country.size());
    for (const auto home : {country, std::string_view{}}) {
        const auto number = PhoneNumber::parse(text, home, "phone");
        if (!number) {
            const auto& field = number.error().field();
            expect(field == "phone" || field == "default_country");
            expect(!number.error().hint().empty());
            expect(!quotes_digits(number.error().what(), text));
            continue;
        }
        expect(Address::parse(number->e164()).has_value());
        const auto again = PhoneNumber::parse(number->e164());
        expect(again && again->e164() == number->e164() && again->country() == number->country());
        expect(number->e164().substr(1).starts_with(number->calling_code()));
        expect(number->country().empty() || number->country().size() == 2);
    }
    return 0;
}
