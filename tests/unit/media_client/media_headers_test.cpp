#include "media_client/media_headers.hpp"

#include <doctest/doctest.h>

#include <string>

namespace media_headers_test {

using twiliowa::detail::plain_media_type;
using twiliowa::detail::safe_file_name;

TEST_CASE("the file name of a Content-Disposition is read in all its forms") {
    CHECK(safe_file_name("attachment; filename=report.pdf") == "report.pdf");
    CHECK(safe_file_name("attachment;filename = \"a b.pdf\" ; x=y") == "a b.pdf");
    CHECK(safe_file_name("inline; x; FILENAME=\"a;b.pdf\"") == "a;b.pdf");
    CHECK(safe_file_name(R"(attachment; filename="it\'s.pdf")") == "it's.pdf");
    CHECK(safe_file_name("attachment; filename=\"caf\xc3\xa9.pdf\"") == "caf\xc3\xa9.pdf");
    CHECK(safe_file_name("attachment; filename=\"x\"; filename*=UTF-8''na%C3%AFve.txt") ==
          "na\xc3\xafve.txt");
    CHECK(safe_file_name("attachment; filename*=utf-8'en'a%20b") == "a b");
    CHECK(safe_file_name("attachment; filename=\"x\"; filename*=ISO-8859-1''%E9") == "x");
}

TEST_CASE("a file name loses its directories") {
    CHECK(safe_file_name("attachment; filename=\"../../etc/passwd\"") == "passwd");
    CHECK(safe_file_name(R"(attachment; filename="C:\\Windows\\evil.exe")") == "evil.exe");
    CHECK(safe_file_name("attachment; filename*=UTF-8''..%2F..%2Fx") == "x");
}

TEST_CASE("a file name that is not safe is none") {
    for (const std::string header :
         {"",
          "attachment",
          "attachment; filename=",
          "attachment; filename=\"\"",
          "attachment; filename=\"..\"",
          "attachment; filename=\".bashrc\"",
          "attachment; filename=\"a/\"",
          "attachment; filename=\"a.\"",
          "attachment; filename=\"a:b\"",
          "attachment; filename=\"a\tb\"",
          "attachment; filename=\"a\x7f\"",
          "attachment; filename=\"\xff\"",
          "attachment; filename*=UTF-8''a%00b",
          "attachment; filename*=UTF-8''a%0Ab",
          "attachment; filename*=UTF-8''%E2%80%AEfdp.exe",  // shown from right to left
          "attachment; filename*=UTF-8''a%C2%85b",
          "attachment; filename*=UTF-8'a",
          "attachment; filename*=",
          "attachment; =x",
          "attachment;;;=",
          "attachment; filename=\"-rf.txt\"",
          "attachment; filename*=UTF-8''a%D8%9Cb.pdf",        // U+061C
          "attachment; filename*=UTF-8''a%EF%BB%BFb.pdf",     // U+FEFF
          "attachment; filename*=UTF-8''a%C2%ADb.pdf",        // U+00AD
          "attachment; filename*=UTF-8''a%E1%A0%8Eb.pdf",     // U+180E
          "attachment; filename*=UTF-8''a%E3%85%A4b.pdf",     // U+3164
          "attachment; filename*=UTF-8''a%EF%BF%B9b.pdf",     // U+FFF9
          "attachment; filename*=UTF-8''a%F3%A0%81%81b.pdf",  // U+E0041
          "attachment; filename"}) {
        CAPTURE(header);
        CHECK(safe_file_name(header).empty());
    }
    CHECK(safe_file_name("attachment; filename=" + std::string(255, 'a')).size() == 255);
}

TEST_CASE("a media type is plain text with a slash") {
    CHECK(plain_media_type(" image/jpeg ") == "image/jpeg");
    CHECK(plain_media_type("text/plain; charset=utf-8") == "text/plain; charset=utf-8");
    CHECK(plain_media_type("nonsense").empty());
    CHECK(plain_media_type("image/\xff").empty());
    CHECK(plain_media_type("image/\x01").empty());
    CHECK(plain_media_type("a/" + std::string(200, 'b')).empty());
}

TEST_CASE("a file name that is too long is shortened, and keeps its extension") {
    const auto shortened = [](const std::string& name) {
        return safe_file_name("attachment; filename=\"" + name + "\"");
    };
    CHECK(shortened(std::string(256, 'a')) == std::string(255, 'a'));
    CHECK(shortened(std::string(300, 'a') + ".tar.gz") == std::string(252, 'a') + ".gz");
    std::string accents;
    for (int i = 0; i < 200; ++i) accents += "\xc3\xa9";
    CHECK(shortened(accents + ".pdf") == accents.substr(0, 250) + ".pdf");  // no half character
    // What is no extension is not kept: it would leave nothing of the name.
    CHECK(shortened("a." + std::string(300, 'b')) == "a." + std::string(253, 'b'));
    CHECK(shortened(std::string(254, 'a') + ". " + std::string(9, 'b')) == std::string(254, 'a'));
}

}  // namespace media_headers_test
