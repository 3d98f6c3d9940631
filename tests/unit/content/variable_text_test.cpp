#include "content/variable_text.hpp"

#include <doctest/doctest.h>

#include <string>
#include <string_view>

namespace variable_text_test {

namespace content = twiliowa::detail;

TEST_CASE("variables are filled in, and what is malformed stays") {
    const auto filled = [](std::string_view text) {
        return content::with_values(text, [](std::string_view name) {
            return name == "1" ? std::string_view("one") : std::string_view("{{1}}");
        });
    };
    CHECK(filled("{{1}}, {{ 1 }} and {{2}}") == "one, one and {{1}}");
    CHECK(filled("{{}} {{a-b}} {{1") == "{{}} {{a-b}} {{1");
    CHECK(filled("{{{1}}}") == "{one}");
    CHECK(filled("").empty());
    CHECK(content::has_variable("{{}} {{1}}"));
    CHECK_FALSE(content::has_variable("{{}} {1}"));
}

TEST_CASE("a variable counts as one character") {
    CHECK(content::shortest_length("") == 0);
    CHECK(content::shortest_length("\xc3\xa9{{ name }}{{1}}!") == 4);
    CHECK(content::shortest_length("{{}}") == 4);
}

TEST_CASE("variables with nothing but white space between them are neighbours") {
    CHECK(content::has_neighbouring_variables("a {{1}}{{2}} b"));
    CHECK(content::has_neighbouring_variables("a {{1}} \n{{2}} b"));
    CHECK(content::has_neighbouring_variables("{{1}}\xc2\xa0{{2}}"));
    CHECK_FALSE(content::has_neighbouring_variables("{{1}}, {{2}}"));
    CHECK_FALSE(content::has_neighbouring_variables("{{1}} and {{2}}"));
    CHECK_FALSE(content::has_neighbouring_variables("{{1}}"));
}

TEST_CASE("white space before a variable leaves it at the start, punctuation after it at the end") {
    CHECK(content::begins_with_variable("{{1}} is ready"));
    CHECK(content::begins_with_variable(" \n{{1}} is ready"));
    CHECK_FALSE(content::begins_with_variable("Dear {{1}}"));
    CHECK_FALSE(content::begins_with_variable("Dear"));
    for (const std::string end : {"", ".", " !", "?!\n", "\xe2\x80\xa6", "\xe3\x80\x82", "\xd8\x9f",
                                  "*_~", "\xe2\x80\x9d"}) {
        CAPTURE(end);
        CHECK(content::ends_with_variable("This is for {{1}}" + end));
    }
    CHECK_FALSE(content::ends_with_variable("This is for {{1}} now."));
    CHECK_FALSE(content::ends_with_variable("{{1}} \xf0\x9f\x98\x80"));
    CHECK_FALSE(content::ends_with_variable("No more."));
}

TEST_CASE("words are counted, variables and punctuation are not") {
    CHECK(content::count_words("") == 0);
    CHECK(content::count_words("Hi {{1}}, it's well-known - isn't it?") == 5);
    CHECK(content::count_words("a{{1}}b") == 2);
    CHECK(content::count_words("{{1}} ... {{2}}") == 0);
    CHECK(content::count_words("\xc3\xa9t\xc3\xa9 comme \xc3\xa7"
                               "a") == 3);
    CHECK(content::count_words("\xe6\x82\xa8\xe5\xa5\xbd {{1}}\xe3\x80\x82") == 2);
}

TEST_CASE("an emoji is one, however it is composed") {
    const std::string smile = "\xf0\x9f\x98\x80";
    const std::string family =
        "\xf0\x9f\x91\xa8\xe2\x80\x8d\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7";
    const std::string hand = "\xf0\x9f\x91\x8b\xf0\x9f\x8f\xbd";  // and the colour of its skin
    const std::string flag = "\xf0\x9f\x87\xab\xf0\x9f\x87\xb7";
    const std::string heart = "\xe2\x9d\xa4\xef\xb8\x8f";
    const std::string one = "1\xef\xb8\x8f\xe2\x83\xa3";
    for (const auto& each : {smile, family, hand, flag, heart, one}) {
        CAPTURE(each);
        CHECK(content::count_emojis(each) == 1);
        CHECK(content::count_emojis(each + each + " " + each) == 3);
    }
    CHECK(content::count_emojis("plain text 1 \xc2\xa9 \xe2\x82\xac \xe6\x82\xa8") == 0);
    CHECK(content::count_emojis("\xff\xf0\x9f") == 0);
}

TEST_CASE("a link to wa.me is found as a host, not inside of other names") {
    for (const std::string text : {"wa.me/15550100", "https://wa.me/15550100", "see WA.ME.",
                                   "https://www.wa.me", "(wa.me)"}) {
        CAPTURE(text);
        CHECK(content::has_wa_me_link(text));
    }
    for (const std::string text :
         {"", "wa.m", "kiwa.media", "wa.metro", "iowa.me/a", "wa.me.example.com", "wa-me"}) {
        CAPTURE(text);
        CHECK_FALSE(content::has_wa_me_link(text));
    }
}

TEST_CASE("one blank line is fine, several in a row are found") {
    CHECK_FALSE(content::has_run_of_blank_lines("a\n\nb\n\nc"));
    CHECK_FALSE(content::has_run_of_blank_lines("a\r\n\r\nb"));
    CHECK(content::has_run_of_blank_lines("a\n\n\nb"));
    CHECK(content::has_run_of_blank_lines("a\r\n \r\n\t\r\nb"));
}

}  // namespace variable_text_test
