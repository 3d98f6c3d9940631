#include "webhook/webhook_fields.hpp"

#include <doctest/doctest.h>

#include <string>

namespace webhook_fields_test {

using twiliowa::detail::DecodedForm;
using twiliowa::detail::FieldList;
using twiliowa::detail::FieldName;
using twiliowa::detail::WebhookFields;

namespace {

struct Fields {
    explicit Fields(const std::string& body) { static_cast<void>(form.read(body, 1000)); }
    DecodedForm form;
    WebhookFields of() const { return WebhookFields{form}; }
};

}  // namespace

TEST_CASE("each field can be taken once, the first of its name first") {
    const Fields f{"a=1&a=2&b=3"};
    auto fields = f.of();
    CHECK(fields.has("a"));
    CHECK(fields.peek("a") == "1");
    CHECK(fields.take("a") == "1");
    CHECK(fields.take("a") == "2");
    CHECK(fields.take("a").empty());
    CHECK_FALSE(fields.has("a"));
    CHECK(std::move(fields).rest() == FieldList{{"b", "3"}});
}

TEST_CASE("what is taken and what is left is valid UTF-8") {
    const Fields f{"a=x%FFy&%FE=z&b=%FF"};
    auto fields = f.of();
    CHECK(fields.take("a") == "x\xef\xbf\xbdy");
    fields.take_if("b", "\xef\xbf\xbd");
    CHECK(std::move(fields).rest() == FieldList{{"\xef\xbf\xbd", "z"}});
}

TEST_CASE("what says more than is known is left") {
    const Fields f{"a=1&b=2"};
    auto fields = f.of();
    fields.take_if("a", "1");
    fields.take_if("b", "1");
    fields.take_if("c", "");
    fields.keep("d", "4");
    CHECK(std::move(fields).rest() == FieldList{{"b", "2"}, {"d", "4"}});
}

TEST_CASE("numbers and flags are taken where they are some") {
    const Fields f{"n=12&m=12x&yes=TRUE&no=false&maybe=1"};
    auto fields = f.of();
    CHECK(fields.take_number<int>("n") == 12);
    CHECK_FALSE(fields.take_number<int>("m").has_value());
    CHECK_FALSE(fields.take_number<int>("none").has_value());
    CHECK(fields.take_flag("yes"));
    CHECK_FALSE(fields.take_flag("no"));
    CHECK_FALSE(fields.take_flag("maybe"));
    CHECK(std::move(fields).rest() == FieldList{{"m", "12x"}, {"maybe", "1"}});
}

TEST_CASE("numbered fields come in the order of their numbers, each number once") {
    const Fields f{"u2=c&u0=a&ux=n&u2=again&u10=k"};
    auto fields = f.of();
    const auto taken = fields.take_numbered("u");
    REQUIRE(taken.size() == 3);
    CHECK(taken[0].second == "a");
    CHECK(taken[1].second == "c");
    CHECK(taken[2].first == 10);
    CHECK(std::move(fields).rest() == FieldList{{"ux", "n"}, {"u2", "again"}});
}

TEST_CASE("of any number of fields each is found by its name, and each left in its order") {
    for (const int count : {1, 63, 64, 65, 66, 200}) {
        CAPTURE(count);
        // More names than buckets, and each name twice.
        std::string body;
        FieldList left;
        for (int i = 0; i < count; ++i) {
            const auto name = "f" + std::to_string(i % ((count + 1) / 2));
            body += name + "=" + std::to_string(i) + "&";
            left.emplace_back(name, std::to_string(i));
        }
        const Fields f{body + "From=me&From=you&To=it"};
        auto fields = f.of();
        CHECK(fields.take("From") == "me");
        CHECK(fields.take("To") == "it");
        CHECK(fields.peek("f0") == "0");
        CHECK_FALSE(fields.has("Body"));
        left.emplace_back("From", "you");
        CHECK(std::move(fields).rest() == left);
    }
}

TEST_CASE("names of one bucket are told apart") {
    static_assert(FieldName{"axb"}.bucket == FieldName{"ayb"}.bucket);
    const Fields f{"ayb=1&axb=2&azb=3&axb=4"};
    auto fields = f.of();
    CHECK(fields.take("axb") == "2");
    CHECK(fields.take("axb") == "4");
    CHECK_FALSE(fields.has("axb"));
    CHECK(fields.peek("azb") == "3");
    CHECK(std::move(fields).rest() == FieldList{{"ayb", "1"}, {"azb", "3"}});
}

}  // namespace webhook_fields_test
