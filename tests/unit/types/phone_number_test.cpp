#include <twiliowa/types/phone_number.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/types/address.hpp>

#include "support/show.hpp"

namespace phone_number_test {

using twiliowa::Address;
using twiliowa::NumberCertainty;
using twiliowa::NumberDoubt;
using twiliowa::PhoneNumber;
using twiliowa::test::containing;

namespace {

void append_utf8(std::string& text, unsigned long point) {
    const auto byte = [&text](unsigned long bits) { text += static_cast<char>(bits); };
    if (point < 0x80) return byte(point);
    if (point < 0x800) {
        byte(0xc0 | point >> 6);
    } else {
        byte(0xe0 | point >> 12);
        byte(0x80 | (point >> 6 & 0x3f));
    }
    byte(0x80 | (point & 0x3f));
}

/// `\uXXXX`, `\t` and `\n` as the characters that they stand for.
std::string unescaped(const std::string& text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            plain += text[i];
        } else if (text[++i] == 'u') {
            append_utf8(plain, std::stoul(text.substr(i + 1, 4), nullptr, 16));
            i += 4;
        } else {
            plain += text[i] == 't' ? '\t' : '\n';
        }
    }
    return plain;
}

struct Written {
    std::string line = {};
    std::string text = {};
    std::string country = {};
    std::string verdict = {};
    std::string wanted = {};
    std::string doubt = {};
};

std::vector<Written> read_list() {
    std::ifstream file{std::string(TWILIOWA_TEST_DATA) + "/phone_numbers.txt"};
    std::vector<Written> all;
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with('#')) continue;
        std::istringstream fields{line};
        Written written{.line = line};
        for (auto* const field :
             {&written.text, &written.country, &written.verdict, &written.wanted, &written.doubt}) {
            std::getline(fields, *field, '|');
        }
        written.text = unescaped(written.text);
        if (written.country == "-") written.country.clear();
        all.push_back(written);
    }
    return all;
}

NumberDoubt doubt_of(const std::string& name) {
    if (name.empty()) return NumberDoubt::none;
    auto doubt = NumberDoubt::none;
    while (to_string(doubt) != name) {
        REQUIRE(doubt != NumberDoubt::unchecked_length);
        doubt = static_cast<NumberDoubt>(static_cast<int>(doubt) + 1);
    }
    return doubt;
}

/// The longest run of digits that both texts have.
std::size_t longest_common_digits(const std::string& a, const std::string& b) {
    std::size_t longest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        for (std::size_t j = 0; j < b.size(); ++j) {
            std::size_t size = 0;
            while (i + size < a.size() && j + size < b.size() && a[i + size] == b[j + size] &&
                   std::isdigit(static_cast<unsigned char>(a[i + size])) != 0) {
                ++size;
            }
            longest = std::max(longest, size);
        }
    }
    return longest;
}

PhoneNumber number_of(const std::string& text, const std::string& country = {}) {
    CAPTURE(text);
    const auto number = PhoneNumber::parse(text, country);
    REQUIRE(number);
    return *number;
}

}  // namespace

TEST_CASE("numbers as people write them are read as the committed list says") {
    const auto list = read_list();
    CHECK(list.size() >= 300);
    for (const auto& written : list) {
        CAPTURE(written.line);
        const auto number = PhoneNumber::parse(written.text, written.country);
        if (written.verdict == "refused") {
            REQUIRE_FALSE(number);
            CHECK(number.error().what() == containing(written.wanted));
            continue;
        }
        REQUIRE(number);
        CHECK(number->e164() == written.wanted);
        CHECK(to_string(number->certainty()) == written.verdict);
        CHECK(to_string(number->doubt()) == to_string(doubt_of(written.doubt)));
    }
}

TEST_CASE("a number that was read is E.164, and is read as itself again") {
    for (const auto& written : read_list()) {
        CAPTURE(written.line);
        const auto number = PhoneNumber::parse(written.text, written.country);
        if (!number) continue;
        CHECK(Address::parse(number->e164()));
        const auto again = PhoneNumber::parse(number->e164());
        REQUIRE(again);
        CHECK(again->e164() == number->e164());
        CHECK(*again == *number);
        CHECK(again->country() == number->country());
        CHECK(again->calling_code() == number->calling_code());
    }
}

TEST_CASE("a refusal says why, and never what was written") {
    for (const auto& written : read_list()) {
        const auto number = PhoneNumber::parse(written.text, written.country, "phone");
        if (number) continue;
        CAPTURE(written.line);
        const auto& error = number.error();
        CHECK(error.kind() == twiliowa::ErrorKind::invalid_request);
        CHECK(error.field() == "phone");
        CHECK(error.code() == 21211);
        CHECK_FALSE(error.hint().empty());
        CHECK(longest_common_digits(error.what(), written.text) < 4);  // 212 of 21211
    }
}

TEST_CASE("the country is told by the number where countries share a code") {
    const std::vector<std::pair<std::string, std::string>> numbers{
        {"+12125550123", "US"},   {"+14165550123", "CA"},  {"+12425550123", "BS"},
        {"+18765550123", "JM"},   {"+16585550123", "JM"},  {"+18295550123", "DO"},
        {"+19395550123", "PR"},   {"+18005550123", ""},    {"+15552229999", ""},
        {"+79123456789", "RU"},   {"+77012345678", "KZ"},  {"+447700900123", "GB"},
        {"+441481712345", "GG"},  {"+441534712345", "JE"}, {"+441624612345", "IM"},
        {"+393471234567", "IT"},  {"+390669812345", "VA"}, {"+4741234567", "NO"},
        {"+4779021234", "SJ"},    {"+358401234567", "FI"}, {"+3581812345", "AX"},
        {"+262692123456", "RE"},  {"+262639123456", "YT"}, {"+59994651234", "CW"},
        {"+5993181234", "BQ"},    {"+212612345678", "MA"}, {"+870123456789", ""},
        {"+883510001234567", ""}, {"+61412345678", "AU"},  {"+61891641234", "CX"},
    };
    for (const auto& each : numbers) {
        CAPTURE(each.first);
        CHECK(number_of(each.first).country() == each.second);
    }
    CHECK(number_of("07700 900123", "GB").calling_code() == "44");
}

TEST_CASE("a zero in front stays where it belongs to the number") {
    CHECK(number_of("06 1234567", "IT").e164() == "+39061234567");
    CHECK(number_of("+39 (0)6 1234567").e164() == "+39061234567");
    CHECK(number_of("+39 (0)6 1234567").certainty() == NumberCertainty::certain);
    CHECK(number_of("07 01 23 45 67", "CI").e164() == "+2250701234567");
    CHECK(number_of("06 612 3456", "CG").e164() == "+242066123456");
}

TEST_CASE("what could be two numbers of one country is refused, not chosen") {
    // 493012345 in Norden without its zero, or Berlin without its plus.
    const auto number = PhoneNumber::parse("4930123456", "DE");
    REQUIRE_FALSE(number);
    CHECK(number.error().what() == containing("can be read as two numbers"));
    CHECK(number_of("04930123456", "DE").e164() == "+494930123456");
    CHECK(number_of("+4930123456", "DE").e164() == "+4930123456");
}

TEST_CASE("a number without a country code is read for the default country alone") {
    // One digit too many for Britain would be a number of Kazakhstan.
    CHECK_FALSE(PhoneNumber::parse("77009001234", "GB"));
    CHECK_FALSE(PhoneNumber::parse("33612345678", "GB"));
    CHECK(number_of("33612345678", "FR").doubt() == NumberDoubt::missing_plus);
}

TEST_CASE("the default country is two letters in any case, or refused by its own name") {
    CHECK(number_of("07700 900123", "gb").e164() == "+447700900123");
    CHECK(number_of("07700 900123", "Gb").country() == "GB");
    for (const char* const country : {"UK", "GBR", "44", "+44", "XX", "G", "England"}) {
        CAPTURE(country);
        const auto number = PhoneNumber::parse("07700 900123", country);
        REQUIRE_FALSE(number);
        CHECK(number.error().field() == "default_country");
        CHECK(number.error().code() == 0);
    }
}

TEST_CASE("bytes that are no text are refused") {
    for (const std::string text : {"07700\xa0"
                                   "900123",
                                   "\xff", "07700 900123\xe2\x80"}) {
        const auto number = PhoneNumber::parse(text, "GB");
        REQUIRE_FALSE(number);
        CHECK(number.error().what() == containing("not UTF-8"));
    }
    CHECK_FALSE(PhoneNumber::parse(std::string("07700900\0"
                                               "123",
                                               12),
                                   "GB"));
    CHECK_FALSE(PhoneNumber::parse(std::string(100'000, '7'), "GB"));
    CHECK_FALSE(PhoneNumber::parse(std::string(100'000, ' '), "GB"));
}

TEST_CASE("a doubt has words, and none is nothing") {
    CHECK(describe(NumberDoubt::none).empty());
    CHECK(PhoneNumber{}.empty());
    CHECK(PhoneNumber{}.certainty() == NumberCertainty::certain);
    for (int i = 1; i <= static_cast<int>(NumberDoubt::unchecked_length); ++i) {
        CHECK_FALSE(describe(static_cast<NumberDoubt>(i)).empty());
    }
}

}  // namespace phone_number_test
