#include "media_client/media_headers.hpp"

#include <doctest/doctest.h>

#include <string>

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
          "attachment; filename"}) {
        CAPTURE(header);
        CHECK(safe_file_name(header).empty());
    }
    CHECK(safe_file_name("attachment; filename=" + std::string(256, 'a')).empty());
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
