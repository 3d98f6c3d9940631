#include <twiliowa/campaign/price_table.hpp>

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "support/show.hpp"

namespace price_table_test {

using twiliowa::Address;
using twiliowa::PriceTable;
using twiliowa::TemplateCategory;
using twiliowa::test::containing;

namespace {

constexpr std::string_view header = "country,category,channel,price,currency\n";

PriceTable table_of(const std::string& rules) {
    return PriceTable::from_csv(std::string(header) + rules).value();
}

std::string estimated(const PriceTable& table, const std::string& to,
                      const std::string& category = "MARKETING") {
    CAPTURE(to);
    const auto price = table.estimate(Address::parse(to).value(), TemplateCategory{category});
    return price ? price->decimal() : "none";
}

void check_refused(const twiliowa::Result<PriceTable>& table, const std::string& line,
                   const std::string& problem) {
    REQUIRE_FALSE(table);
    CHECK(table.error().field() == line);
    CHECK(table.error().what() == containing(line));
    CHECK(table.error().what() == containing(problem));
}

}  // namespace

TEST_CASE("the most specific rule counts: by place, then by category, then by channel") {
    const auto table = table_of(
        "*,*,*,0.01,USD\n"
        "*,MARKETING,*,0.02,USD\n"
        "*,*,sms,0.03,USD\n"
        "+44,*,*,0.04,USD\n"
        "+44,*,whatsapp,0.05,USD\n"
        "GB,*,*,0.06,USD\n"
        "GB,UTILITY,*,0.07,USD\n"
        "GB,*,sms,0.08,USD\n"
        "+1,*,*,0.09,USD\n"
        "CA,MARKETING,whatsapp,0.10,USD\n");
    CHECK(table.size() == 10);
    CHECK(estimated(table, "+33612345678") == "0.02");
    CHECK(estimated(table, "+33612345678", "UTILITY") == "0.01");
    CHECK(estimated(table, "sms:+33612345678") == "0.02");
    CHECK(estimated(table, "sms:+33612345678", "") == "0.03");
    CHECK(estimated(table, "+447700900123") == "0.06");
    CHECK(estimated(table, "+447700900123", "UTILITY") == "0.07");
    CHECK(estimated(table, "sms:+447700900123") == "0.08");
    CHECK(estimated(table, "sms:+447700900123", "UTILITY") == "0.07");
    CHECK(estimated(table, "+441534712345") == "0.05");  // Jersey
    CHECK(estimated(table, "sms:+441534712345") == "0.04");
    CHECK(estimated(table, "+14165550123") == "0.1");
    CHECK(estimated(table, "+12125550123") == "0.09");
    CHECK(estimated(table, "+15552229999") == "0.09");  // of no known country
}

TEST_CASE("a recipient without a number is where its id says") {
    const auto table = table_of("GB,,,0.06,USD\n+1,,,0.09,USD\n");
    CHECK(estimated(table, "whatsapp:GB.4566546130240823") == "0.06");
    CHECK(estimated(table, "whatsapp:US.ENT.a1B2") == "0.09");
    CHECK(estimated(table, "whatsapp:FR.1234") == "none");
}

TEST_CASE("what has no price is an error that names the case, and not the recipient") {
    const auto table = table_of("GB,UTILITY,whatsapp,0.06,USD\n");
    const auto none = table.estimate(Address::parse("+447700900123").value(),
                                     TemplateCategory{TemplateCategory::marketing});
    REQUIRE_FALSE(none);
    CHECK(none.error().field() == "price");
    CHECK(none.error().what() == containing("no price for MARKETING over whatsapp to GB"));
    CHECK(none.error().what().find("7700") == std::string::npos);
    CHECK(PriceTable{}.empty());
    CHECK_FALSE(PriceTable{}.estimate(Address::parse("+447700900123").value()));
}

TEST_CASE("CSV is read with its columns in any order, quotes, comments and either separator") {
    const auto table = PriceTable::from_csv(
        "\xef\xbb\xbf# of 2026-11\r\n"
        "Price; Currency ; COUNTRY;category\r\n"
        "\r\n"
        "0.0529;usd;gb;marketing\r\n"
        " \"0.0100\" ;\"EUR\";\"+49\";\"a \"\"b\"\" ; c\"\r\n"
        "0;USD;;");
    REQUIRE(table);
    CHECK(table->size() == 3);
    const auto price =
        table->estimate(Address::parse("+491711234567").value(), TemplateCategory{"A \"b\" ; c"});
    REQUIRE(price);
    CHECK(to_string(*price) == "0.01 EUR");
    CHECK(estimated(*table, "+447700900123") == "0.0529");
    CHECK(estimated(*table, "+33612345678") == "0");
    CHECK(PriceTable::from_csv("")->empty());
}

TEST_CASE("what is wrong in CSV is told with its line") {
    const std::vector<std::pair<std::string, std::string>> wrong{
        {"GBR,,,1,USD", "names no country"},
        {"UK,,,1,USD", "names no country"},
        {"44,,,1,USD", "names no country"},
        {"+4,,,1,USD", "names no country"},
        {"+4477,,,1,USD", "names no country"},
        {"+210,,,1,USD", "names no country"},
        {"+&9,,,1,USD", "names no country"},
        {"+\xff,,,1,USD", "names no country"},
        {"GB,,mail,1,USD", "names no channel"},
        {"GB,,,,USD", "is empty"},
        {"GB,,,1.2.3,USD", "is no decimal"},
        {"GB,,,\"0,05\",USD", "is no decimal"},
        {"GB,,,-1,USD", "negative"},
        {"GB,,,1,", "three letters"},
        {"GB,,,1", "more or fewer fields"},
        {"GB,,,1,USD,x", "more or fewer fields"},
        {"GB,,,\"1,USD", "quotation mark"},
        {"GB,,,\"1\"2,USD", "quotation mark"},
        {"FR,*,,2,USD", "stands there already"},
    };
    for (const auto& each : wrong) {
        CAPTURE(each.first);
        const auto text = std::string(header) + "\nFR,,,1,USD\n" + each.first + "\n";
        check_refused(PriceTable::from_csv(text), "line 4", each.second);
    }
    check_refused(PriceTable::from_csv("country,prize\n"), "line 1", "no column has");
    check_refused(PriceTable::from_csv("price,price\n"), "line 1", "a column twice");
}

TEST_CASE("JSON holds the same rules") {
    const auto table = PriceTable::from_json(R"([
        {"country": "GB", "category": "MARKETING", "channel": "whatsapp",
         "price": "0.0529", "currency": "USD"},
        {"price": "0.01", "currency": "USD"}
    ])");
    REQUIRE(table);
    CHECK(table->size() == 2);
    CHECK(estimated(*table, "+447700900123") == "0.0529");
    CHECK(estimated(*table, "+33612345678", "") == "0.01");
    CHECK(PriceTable::from_json("[]")->empty());
}

TEST_CASE("what is wrong in JSON is told with its line") {
    const std::string good = "[\n{\"price\": \"1\", \"currency\": \"USD\"},\n";
    const std::vector<std::pair<std::string, std::string>> wrong{
        {"{\"price\": 0.05, \"currency\": \"USD\"}]", "no text"},
        {"{\"price\": 1, \"currency\": \"USD\"}]", "no text"},
        {"{\"country\": null, \"price\": \"1\"}]", "no text"},
        {"{\"prize\": \"1\"}]", "no column has"},
        {"{\"country\": \"UK\"}]", "names no country"},
        {"{\"country\": \"GB\"}]", "is empty"},
        {"{\"country\": \"GB\", \"price\": [\"1\"]}]", "no list of rules"},
        {"{\"country\": \"GB\", \"price\": {\"a\": 1}}]", "no list of rules"},
        {"{\"currency\": \"USD\", \"price\": \"2\"}]", "stands there already"},
        {"{\"country\": \"GB\", \"price\": ", "no JSON"},
    };
    for (const auto& each : wrong) {
        CAPTURE(each.first);
        check_refused(PriceTable::from_json(good + each.first), "line 3", each.second);
    }
    check_refused(PriceTable::from_json("{}"), "line 1", "no list of rules");
    check_refused(PriceTable::from_json("[\"GB\"]"), "line 1", "no list of rules");
    check_refused(PriceTable::from_json("\"GB\""), "line 1", "no list of rules");
    check_refused(PriceTable::from_json(""), "line 1", "no JSON");
}

}  // namespace price_table_test
