#include "messages_client/distinctive_value.hpp"

#include <doctest/doctest.h>

#include <string>

namespace distinctive_value_test {

using twiliowa::detail::is_distinctive;

TEST_CASE("order numbers, codes and long numbers are distinctive") {
    for (const std::string value :
         {"A-1042", "A-104237", "HX1234", "ref:98765", "Order A-104237", "(A-104237)",
          "INV/2026/000123", "7GK2-99XA", "7gk2-99xa", "1Z999AA10123456784", "10423789",
          "#10423789", "00010423789", "550e8400-e29b-41d4-a716-446655440000",
          "6BA7B810-9DAD-11D1-80B4-00C04FD430C8", "T-104237"}) {
        CAPTURE(value);
        CHECK(is_distinctive(value));
    }
}

TEST_CASE("what two messages to one customer may share is not distinctive") {
    for (const std::string value :
         {// Words, and short groups of digits.
          "", "Ann", "Ann K", "your parcel has arrived", "1042", "A1042", "10423", "104237",
          "90210", "90210-1234", "SW1A-1AA", "4111-1111-1111",
          // Dates.
          "2026-11-27", "27/11/2026", "11/27/26", "27.11.2026", "20261127", "27112026", "11272026",
          "27 November 2026", "Nov. 27, 2026", "27Nov2026", "NOVEMBER27", "May2026", "Mai2026",
          "12mai2026", "Fri20261127", "FY2026", "SUMMER2026", "Q2-2026-W15",
          "2026\xE5\xB9\xB4"
          "11\xE6\x9C\x88"
          "27\xE6\x97\xA5",
          // Times, alone and with a date.
          "10:30", "10:30am", "10:30:45", "1030am", "10h30m15s", "1h30m-2h45m", "2026-05-12T10:00",
          "2026-05-12T10:00:00Z", "2026-05-12T10:00:00+02:00", "20260512T104530Z", "20260512104530",
          "12May2026T10:00",
          // Amounts.
          "12000", "12000000", "12,000,000", "12345678.50", "49.90", "GBP 1200", "GBP1200",
          "12000EUR", "IDR12345678", "Rs125400", "$12345678",
          "\xE2\x82\xAC"
          "12345678",
          "12345678\xE2\x82\xAB", "1234.56USD", "1500km", "Ksh5500", "KES5500", "Tsh12500",
          "N25000", "XOF5500", "5500TZS", "12500lei", "1500pts", "1500points", "2500mAh",
          "1500kcal",
          // Where to reach somebody.
          "+447700900123", "(+44)7700900123", "tel:+447700900123", "whatsapp:+447700900123",
          "wa.me/447700900123", "t.me/lee12345", "shop.example/help/12345a",
          "Shop.Example/A-104237", "lee1984@example.com", "https://shop.example/sale/20261127a"}) {
        CAPTURE(value);
        CHECK_FALSE(is_distinctive(value));
    }
}

TEST_CASE("a number is not distinctive where it is part of a way to reach somebody") {
    for (const std::string value :
         {"order10423789@shop.example", "https://shop.example/item/10423789",
          "www.shop10423789.example", "+10423789"}) {
        CAPTURE(value);
        CHECK_FALSE(is_distinctive(value));
    }
    CHECK(is_distinctive("shop10423789"));
}

TEST_CASE("what is one digit, letter or change short is not distinctive") {
    CHECK(is_distinctive("10423789"));
    CHECK_FALSE(is_distinctive("1042378"));
    CHECK(is_distinctive("order1042"));
    CHECK_FALSE(is_distinctive("order104"));
    CHECK(is_distinctive("AB12CD34"));
    CHECK_FALSE(is_distinctive("AB12CD3"));
    CHECK_FALSE(is_distinctive("AB123CDE"));
    CHECK_FALSE(is_distinctive("Ab12Cd34"));
}

}  // namespace distinctive_value_test
