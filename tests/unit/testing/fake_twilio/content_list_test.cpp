// The lists of the Content API.
#include <doctest/doctest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include <twiliowa/testing/fake_twilio.hpp>

#include "fixture.hpp"
#include "testing/fake_twilio/api/pattern.hpp"

namespace content_list_test {

namespace {

using namespace std::chrono_literals;
using namespace twiliowa;
using nlohmann::json;
using testing::FakeContent;
using testing::FakeTwilio;
using twiliowa::testing::fake::FakePattern;
using Names = std::vector<std::string>;

/// An account with three templates, made an hour apart, beside the built-in one.
struct Library {
    Library() {
        add("apple", "en", "unsubmitted", R"({"twilio/text":{"body":"An apple a day"}})");
        add("banana", "de", "approved",
            R"({"twilio/quick-reply":{"body":"Bananen?","actions":[{"title":"Ja"}]}})");
        add("cherry", "en", "rejected",
            R"({"twilio/card":{"title":"Cherries"},"twilio/text":{"body":"red"}})");
    }
    void add(const char* name, const char* language, const char* approval, const char* types) {
        fake->advance(1h);
        FakeContent content;
        content.friendly_name = name;
        content.language = language;
        content.approval = approval;
        content.types = types;
        fake->add_content(FakeTwilio::demo_account_sid, content);
    }
    HttpResponse get(const std::string& url) const {
        HttpRequest request;
        request.url = url;
        request.authorization = fake->credentials().authorization();
        return fake->handle(request);
    }
    json page(const std::string& url) const {
        const auto response = get(url);
        CHECK(response.status == 200);
        return json::parse(response.body);
    }
    Names names(const std::string& query, const std::string& path = "/v2/Content") const {
        Names found;
        const auto listed = page(path + "?" + query);
        for (const auto& content : listed["contents"]) {
            found.push_back(content["friendly_name"]);
        }
        return found;
    }
    int refused(const std::string& query) const {
        const auto response = get("/v2/Content?" + query);
        CHECK(response.status == 400);
        return json::parse(response.body)["code"];
    }

    std::shared_ptr<FakeTwilio> fake = FakeTwilio::with_account();
};

bool matches(std::string_view pattern, std::string_view text) {
    const auto parsed = FakePattern::parse(pattern);
    REQUIRE(parsed.has_value());
    return parsed->is_in(text);
}

}  // namespace

TEST_CASE("FakeTwilio searches templates by name, text, date, language, type and approval") {
    const Library library;
    const Names all{"cherry", "banana", "apple", "order_on_its_way"};
    CHECK(library.names("") == all);
    CHECK(library.names("ContentName=an") == Names{"banana"});
    CHECK(library.names("ContentName=%5E%5Bab%5D") == Names{"banana", "apple"});
    CHECK(library.names("Content=apple") == Names{"apple"});
    CHECK(library.names("Content=on%20its%20way") == Names{"order_on_its_way"});
    CHECK(library.names("Language=de") == Names{"banana"});
    CHECK(library.names("Language=de&Language=en") == all);
    CHECK(library.names("ContentType=twilio%2Ftext") ==
          Names{"cherry", "apple", "order_on_its_way"});
    CHECK(library.names("ContentType=twilio/card&ContentType=twilio/quick-reply") ==
          Names{"cherry", "banana"});
    CHECK(library.names("ChannelEligibility=whatsapp:rejected") == Names{"cherry"});
    CHECK(library.names("DateCreatedAfter=2026-01-01T02:00:00Z") == Names{"cherry", "banana"});
    CHECK(library.names("DateCreatedBefore=2026-01-01T01:00:00Z") ==
          Names{"apple", "order_on_its_way"});
    CHECK(library.names("DateCreatedAfter=2026-01-02") == Names{});
    CHECK(library.names("Language=en&ContentName=e&Content=red") == Names{"cherry"});
}

TEST_CASE("FakeTwilio sorts templates as asked") {
    const Library library;
    CHECK(library.names("SortByContentName=asc") ==
          Names{"apple", "banana", "cherry", "order_on_its_way"});
    CHECK(library.names("SortByContentName=DESC") ==
          Names{"order_on_its_way", "cherry", "banana", "apple"});
    CHECK(library.names("SortByDate=asc") ==
          Names{"order_on_its_way", "apple", "banana", "cherry"});
    CHECK(library.names("SortByDate=desc") ==
          Names{"cherry", "banana", "apple", "order_on_its_way"});
}

TEST_CASE("FakeTwilio refuses a search that cannot be") {
    const Library library;
    CHECK(library.refused("SortByDate=up") == 20422);
    CHECK(library.refused("SortByContentName=1") == 20422);
    CHECK(library.refused("DateCreatedAfter=yesterday") == 20422);
    CHECK(library.refused("ContentName=%28a%29") == 20422);
    CHECK(library.refused("Content=%5Ba") == 20422);
    CHECK(library.refused("PageSize=1001") == 20007);
    CHECK(library.refused("PageToken=PAnone") == 20422);
}

TEST_CASE("FakeTwilio keeps search and order through the pages, there and back") {
    const Library library;
    const std::string query = "SortByContentName=asc&ContentName=a";
    auto page = library.page("/v2/Content?PageSize=1&" + query);
    Names seen;
    for (int i = 0; i < 5; ++i) {
        for (const auto& content : page["contents"]) seen.push_back(content["friendly_name"]);
        if (page["meta"]["next_page_url"].is_null()) break;
        page = library.page(page["meta"]["next_page_url"]);
    }
    CHECK(seen == Names{"apple", "banana", "order_on_its_way"});
    page = library.page(page["meta"]["previous_page_url"]);
    CHECK(page["contents"][0]["friendly_name"] == "banana");
    CHECK(page["meta"]["page"] == 1);
    CHECK(library.names(query + "&PageSize=2&Page=1") == Names{"order_on_its_way"});
    CHECK(library.names(query + "&PageSize=2&Page=7") == Names{});
}

TEST_CASE("FakeTwilio lists templates with their approvals") {
    const Library library;
    for (const auto* path : {"/v1/ContentAndApprovals", "/v2/ContentAndApprovals"}) {
        const auto listed = library.page(path);
        const auto& item = listed["contents"][1];
        CHECK(item["friendly_name"] == "banana");
        CHECK_FALSE(item.contains("links"));
        CHECK(item["approval_requests"] == json{{"name", "banana"},
                                                {"category", "UTILITY"},
                                                {"content_type", "twilio/quick-reply"},
                                                {"status", "approved"},
                                                {"rejection_reason", ""},
                                                {"allow_category_change", true}});
    }
    CHECK(library.names("ChannelEligibility=whatsapp:approved", "/v2/ContentAndApprovals") ==
          Names{"banana", "order_on_its_way"});
}

TEST_CASE("FakeTwilio lists what WhatsApp knows under the names it has there") {
    Library library;
    HttpRequest request;
    request.method = HttpMethod::post;
    request.url = "/v1/Content";
    request.authorization = library.fake->credentials().authorization();
    request.headers = {{"Content-Type", "application/json"}};
    request.body = R"({"language":"en","types":{"twilio/text":{"body":"never submitted"}}})";
    CHECK(library.fake->handle(request).status == 201);
    const auto page = library.page("/v1/LegacyContent?PageSize=2");
    CHECK(page["contents"][0]["legacy_template_name"] == "cherry");
    CHECK(page["contents"][0]["legacy_body"] == "red");
    CHECK(page["contents"][1]["legacy_body"] == "Bananen?");
    const std::string next = page["meta"]["next_page_url"];
    CHECK(next.starts_with("https://content.twilio.com/v1/LegacyContent?"));
    CHECK(library.page(next)["contents"].size() == 2);
}

TEST_CASE("FakePattern matches what a regular expression matches") {
    CHECK(matches("", "anything"));
    CHECK(matches("b", "abc"));
    CHECK_FALSE(matches("^b", "abc"));
    CHECK(matches("^abc$", "abc"));
    CHECK_FALSE(matches("^ab$", "abc"));
    CHECK(matches("a.c", "xabcx"));
    CHECK(matches("^ab*c$", "ac"));
    CHECK(matches("^ab*c$", "abbbc"));
    CHECK_FALSE(matches("^ab+c$", "ac"));
    CHECK(matches("^ab+c$", "abbc"));
    CHECK(matches("^ab?c$", "abc"));
    CHECK_FALSE(matches("^ab?c$", "abbc"));
    CHECK(matches("^[a-c]+$", "abcab"));
    CHECK_FALSE(matches("^[^a-c]+$", "xyb"));
    CHECK(matches("^[]a]+$", "]a"));
    CHECK(matches("\\d\\d-\\w+\\s?\\.", "on 12-ab ."));
    CHECK_FALSE(matches("^\\D$", "7"));
    CHECK(matches("one|two|three", "thirty two"));
    CHECK(matches("[|]", "a|b"));
    CHECK(matches("(?i)^HELLO$", "hElLo"));
    CHECK_FALSE(matches("HELLO", "hello"));
    CHECK(matches(".*x$", std::string(10'000, 'y') + "x"));
    CHECK_FALSE(matches("a*a*a*a*a*a*a*a*a*a*b", std::string(10'000, 'a')));
}

TEST_CASE("FakePattern says what it does not know") {
    for (const auto* text : {"(a)", "a{2}", "*a", "a**", "[a", "a\\", "a^", "$a", ")"}) {
        CAPTURE(text);
        CHECK_FALSE(FakePattern::parse(text).has_value());
    }
    CHECK_FALSE(FakePattern::parse(std::string(201, 'a')).has_value());
}

}  // namespace content_list_test
