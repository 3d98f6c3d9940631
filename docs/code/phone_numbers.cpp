// What docs/phone-numbers.md shows.
#include <cstdlib>
#include <iostream>
#include <string>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/twiliowa.hpp>

namespace wa = twiliowa;

namespace {

// [parse]
/// The number of a row, or empty; says what is wrong with it.
std::string number_of(const std::string& field, int row) {
    const auto number = wa::PhoneNumber::parse(field, "GB", "phone");
    if (!number) {
        std::cout << "row " << row << ": " << number.error().what() << '\n';
        return {};
    }
    if (number->certainty() == wa::NumberCertainty::likely) {
        std::cout << "row " << row << ": " << describe(number->doubt()) << '\n';
    }
    return number->e164();
}
// [parse]

void expect(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

int main() {
    const auto fake = wa::testing::FakeTwilio::with_account();
    const wa::MessagesClient client{fake->credentials(), fake->client_options()};
    // [send]
    const auto number = wa::PhoneNumber::parse("07700 900123", "GB").value();
    client.send_text({.to = number.e164(), .body = "Your parcel is here."});
    // [send]
    expect(fake->messages().size() == 1);
    expect(number_of("7700900123", 1) == "+447700900123");
    expect(number_of("4.47701E+11", 2).empty());
    return 0;
}
