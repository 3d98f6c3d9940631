#include "content/content_urls.hpp"

#include <doctest/doctest.h>

#include <string>

namespace content_urls_test {

using twiliowa::detail::button_url_problem;
using twiliowa::detail::called_url_problem;
using twiliowa::detail::file_ending_of;
using twiliowa::detail::is_known_file_ending;
using twiliowa::detail::is_phone_number;
using twiliowa::detail::media_url_problem;

TEST_CASE("the URL of a button takes one variable, at its end, after a slash") {
    CHECK(button_url_problem("https://example.com").empty());
    CHECK(button_url_problem("https://example.com/a?b=c").empty());
    CHECK(button_url_problem("https://example.com/{{1}}").empty());
    CHECK(button_url_problem("https://example.com/a/{{ 1 }}").empty());
    CHECK(button_url_problem("https://example.com/{{1}}/{{2}}") == "has more than one variable");
    CHECK(button_url_problem("https://example.com/{{1}}/a") ==
          "has a variable that is not at its end");
    CHECK(button_url_problem("https://example.com/a{{1}}") ==
          "has a variable that is not after a slash");
    CHECK(button_url_problem("https://example.com/?a={{1}}") ==
          "has a variable that is not after a slash");
    CHECK(button_url_problem("https://{{1}}") == "has a variable in its domain");
    CHECK(button_url_problem("https://example.{{1}}/") == "has a variable in its domain");
    CHECK(button_url_problem("https://example.com{{1}}") == "has a variable in its domain");
}

TEST_CASE("a URL that no server could be asked for is found whatever its variables") {
    for (const std::string url : {"", "example.com", "ftp://example.com/{{1}}", "{{1}}", "https://",
                                  "https:///a", "https://example.com/a b"}) {
        CAPTURE(url);
        CHECK_FALSE(button_url_problem(url).empty());
        CHECK_FALSE(media_url_problem(url).empty());
    }
}

TEST_CASE("the URL of a file takes variables anywhere after its domain") {
    CHECK(media_url_problem("https://example.com/{{1}}").empty());
    CHECK(media_url_problem("https://example.com/{{1}}/a-{{2}}.png?x={{3}}").empty());
    CHECK(media_url_problem("{{1}}") == "has a variable in its domain");
    CHECK(media_url_problem("https://{{1}}.com/a.png") == "has a variable in its domain");
    CHECK(media_url_problem("https://example.com:{{1}}/a.png") == "has a variable in its domain");
}

TEST_CASE("WhatsApp's reviewers open URLs on the public internet only") {
    for (const std::string url :
         {"https://example.com", "http://a.b/c", "https://8.8.8.8/a",
          "https://localhost.example.com/", "https://[2001:4860:4860::8888]"}) {
        CAPTURE(url);
        CHECK(called_url_problem(url).empty());
    }
    for (const std::string url :
         {"http://localhost:8080/a", "https://intranet/a", "https://127.0.0.1/",
          "https://10.0.0.7/", "https://[::1]/", "https://nas.local/a", "https://shop.TEST/",
          "https://nas.local./"}) {
        CAPTURE(url);
        CHECK(called_url_problem(url) == "leads to no server on the internet");
    }
    CHECK(called_url_problem("https://exa mple.com") != "");
}

TEST_CASE("the ending of a file is what its path ends with") {
    CHECK(file_ending_of("https://example.com/a.png") == ".png");
    CHECK(file_ending_of("https://example.com/a.b/c.PNG?d=e.gif#f.pdf") == ".png");
    CHECK(file_ending_of("https://example.com").empty());
    CHECK(file_ending_of("https://example.com?a.png").empty());
    CHECK(file_ending_of("https://example.com/").empty());
    CHECK(file_ending_of("https://example.com/a").empty());
    CHECK(file_ending_of("https://example.com/a.").empty());
    CHECK(file_ending_of("https://example.com/a.png/b").empty());
    CHECK(file_ending_of("https://example.com/a.abcdef").empty());
    CHECK(file_ending_of("").empty());
    CHECK(is_known_file_ending(".pdf"));
    CHECK_FALSE(is_known_file_ending(".php"));
}

TEST_CASE("a phone number has a plus, a country code and 15 digits at most") {
    CHECK(is_phone_number("+447700900123"));
    CHECK(is_phone_number("+123456789012345"));
    for (const std::string text : {"", "+", "447700900123", "+1234567890123456", "+44 7700",
                                   "+0447700900123", "whatsapp:+447700900123"}) {
        CAPTURE(text);
        CHECK_FALSE(is_phone_number(text));
    }
}

}  // namespace content_urls_test
