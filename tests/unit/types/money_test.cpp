#include <twiliowa/types/money.hpp>

#include <doctest/doctest.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/types/message.hpp>

#include "support/show.hpp"

namespace money_test {

using twiliowa::Money;
using twiliowa::test::containing;

namespace {

constexpr auto most = std::numeric_limits<std::int64_t>::max();
constexpr auto least = std::numeric_limits<std::int64_t>::min();

Money usd(std::int64_t micros) {
    return Money::from_micros(micros, "USD").value();
}

}  // namespace

TEST_CASE("a decimal is read exactly, and written as the shortest that is read as the same") {
    const std::vector<std::pair<std::string, std::pair<std::int64_t, std::string>>> decimals{
        {"-0.0089", {-8'900, "-0.0089"}},
        {"0.0089", {8'900, "0.0089"}},
        {"-0.00750", {-7'500, "-0.0075"}},
        {"+0.5", {500'000, "0.5"}},
        {"12", {12'000'000, "12"}},
        {"0012.340000000", {12'340'000, "12.34"}},
        {"0", {0, "0"}},
        {"-0.000000", {0, "0"}},
        {"0.000001", {1, "0.000001"}},
        {"100", {100'000'000, "100"}},
        {"9223372036854.775807", {most, "9223372036854.775807"}},
        {"-9223372036854.775807", {-most, "-9223372036854.775807"}},
    };
    for (const auto& each : decimals) {
        CAPTURE(each.first);
        const auto money = Money::parse(each.first, "USD");
        REQUIRE(money);
        CHECK(money->micros() == each.second.first);
        CHECK(money->decimal() == each.second.second);
        CHECK(*Money::parse(money->decimal(), money->currency()) == *money);
    }
    CHECK(usd(least).decimal() == "-9223372036854.775808");
    CHECK(to_string(usd(-8'900)) == "-0.0089 USD");
    CHECK(to_string(Money{}) == "0");
}

TEST_CASE("what is no amount is refused with the reason") {
    const std::vector<std::pair<std::string, std::string>> wrong{
        {"", "is empty"},
        {"-", "is no decimal"},
        {".5", "is no decimal"},
        {"5.", "is no decimal"},
        {"1,5", "is no decimal"},
        {"1e3", "is no decimal"},
        {" 1", "is no decimal"},
        {"1 ", "is no decimal"},
        {"--1", "is no decimal"},
        {"0x1", "is no decimal"},
        {"1.-5", "is no decimal"},
        {"nan", "is no decimal"},
        {"$1", "is no decimal"},
        {"0.0000005", "finer than a millionth"},
        {"9223372036854.775808", "more than an amount"},
        {"99999999999999999999999999", "more than an amount"},
    };
    for (const auto& each : wrong) {
        CAPTURE(each.first);
        const auto money = Money::parse(each.first, "USD", "cost");
        REQUIRE_FALSE(money);
        CHECK(money.error().what() == containing(each.second));
        CHECK(money.error().field() == "cost");
    }
}

TEST_CASE("a currency is three letters, in any case") {
    CHECK(Money::parse("1", "usd")->currency() == "USD");
    for (const char* const currency : {"", "US", "USDT", "U5D", "$"}) {
        CAPTURE(currency);
        const auto money = Money::parse("1", currency);
        REQUIRE_FALSE(money);
        CHECK(money.error().field() == "currency");
    }
}

TEST_CASE("a price of Twilio's is read as it comes") {
    const twiliowa::Message message{.price = "-0.00500", .price_unit = "USD"};
    CHECK(*Money::parse(message.price, message.price_unit) == usd(-5'000));
}

TEST_CASE("sums are checked") {
    CHECK(*usd(5).plus(usd(-7)) == usd(-2));
    CHECK(*usd(5).minus(usd(-7)) == usd(12));
    CHECK(*usd(-8'900).times(1'000) == usd(-8'900'000));
    CHECK(*Money{}.plus(usd(5)) == usd(5));
    CHECK(*usd(5).plus(Money{}) == usd(5));
    CHECK(*Money{}.minus(usd(5)) == usd(-5));
    CHECK(*Money{}.plus(Money{}) == Money{});

    CHECK_FALSE(usd(most).plus(usd(1)));
    CHECK_FALSE(usd(least).plus(usd(-1)));
    CHECK_FALSE(usd(0).minus(usd(least)));
    CHECK_FALSE(usd(most).times(2));
    CHECK_FALSE(usd(least).times(-1));
    const auto mixed = usd(5).plus(Money::from_micros(5, "EUR").value());
    REQUIRE_FALSE(mixed);
    CHECK(mixed.error().field() == "currency");
    CHECK_FALSE(usd(5) == Money::from_micros(5, "EUR").value());
}

}  // namespace money_test
