#include "text/multipart.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

namespace multipart_test {

using twiliowa::detail::is_multipart_form;
using twiliowa::detail::parse_multipart;
using Fields = std::vector<std::pair<std::string, std::string>>;

namespace {

const std::string multipart_type = "multipart/form-data; boundary=b";

std::string form_part(const std::string& parameters, const std::string& value) {
    return "--b\r\nContent-Disposition: form-data" + parameters + "\r\n\r\n" + value + "\r\n";
}

}  // namespace

TEST_CASE("multipart: a media type is one in any case, with or without parameters") {
    CHECK(is_multipart_form("multipart/form-data"));
    CHECK(is_multipart_form("Multipart/Form-Data ; boundary=x"));
    CHECK_FALSE(is_multipart_form("multipart/mixed; boundary=x"));
    CHECK_FALSE(is_multipart_form(""));
}

TEST_CASE("multipart: fields come in their order, values as they are") {
    const auto body = form_part("; name=\"To\"", "a") + form_part("; name=To", "") +
                      form_part("; name=\"B\"", "1\r\n--\r\n-- b\r\n\r\n2") +
                      form_part("; name=\"x\\\"y\\\\z\\w\"", "\r\n") + "--b--\r\n";
    const auto fields = parse_multipart(multipart_type, body);
    REQUIRE(fields);
    CHECK(
        *fields ==
        Fields{{"To", "a"}, {"To", ""}, {"B", "1\r\n--\r\n-- b\r\n\r\n2"}, {"x\"y\\z\\w", "\r\n"}});
}

TEST_CASE("multipart: a form without fields has none") {
    const auto fields = parse_multipart(multipart_type, "--b--");
    REQUIRE(fields);
    CHECK(fields->empty());
}

TEST_CASE("multipart: files are left out, other headers are passed over") {
    const auto body = form_part("; name=\"f\"; filename=\"a.txt\"", "file") +
                      "--b \t\r\nContent-Type: text/plain; "
                      "charset=utf-8\r\ncontent-disposition:form-data;name=a\r\n"
                      "Content-Transfer-Encoding: 8bit\r\n\r\nvalue\r\n--b--";
    const auto fields = parse_multipart("multipart/form-data;boundary=\"b\"", body);
    REQUIRE(fields);
    CHECK(*fields == Fields{{"a", "value"}});
}

TEST_CASE("multipart: a boundary is what the standard allows") {
    const auto with_boundary = [](const std::string& boundary) {
        return parse_multipart("multipart/form-data; boundary=\"" + boundary + "\"",
                               "--" + boundary + "--")
            .has_value();
    };
    CHECK(with_boundary("a'()+_,-./:=? b"));
    CHECK(with_boundary(std::string(70, 'x')));
    CHECK_FALSE(with_boundary(std::string(71, 'x')));
    CHECK_FALSE(with_boundary(""));
    CHECK_FALSE(with_boundary("ends in a blank "));
    CHECK_FALSE(with_boundary("a@b"));
    CHECK_FALSE(parse_multipart("multipart/form-data", "----"));
    CHECK_FALSE(parse_multipart("multipart/form-data; boundary=b; boundary=c", "--b--"));
    CHECK_FALSE(parse_multipart("multipart/form-data; boundary=\"b", "--b--"));
    CHECK_FALSE(parse_multipart("multipart/form-data boundary=b", "--b--"));
    CHECK_FALSE(parse_multipart("text/plain; boundary=b", "--b--"));
}

TEST_CASE("multipart: what is not well-formed is refused whole") {
    const auto good = form_part("; name=\"a\"", "1");
    for (const auto& body : std::vector<std::string>{
             "",
             "--b",
             good,
             good + "--b",
             good + "--c--",
             good + "--b-",
             good + "--b--x",
             good + "--b--\r\nepilogue",
             good + "--bx--",
             "preamble\r\n" + good + "--b--",
             "\r\n" + good + "--b--",
             "--b\nContent-Disposition: form-data; name=a\n\n1\n--b--",
             form_part("", "1") + "--b--",
             form_part("; name", "1") + "--b--",
             form_part("; name=\"a", "1") + "--b--",
             form_part("; name=a; name=b", "1") + "--b--",
             form_part("; name=\"a\" x", "1") + "--b--",
             "--b\r\n\r\n1\r\n--b--",
             "--b\r\nContent-Type: text/plain\r\n\r\n1\r\n--b--",
             "--b\r\nContent-Disposition: attachment; name=a\r\n\r\n1\r\n--b--",
             "--b\r\nContent-Disposition: form-data; name=a\r\nnonsense\r\n\r\n1\r\n--b--",
             "--b\r\nContent-Disposition: form-data;\r\n name=a\r\n\r\n1\r\n--b--",
             "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Disposition: form-data; "
             "name=b\r\n\r\n1\r\n--b--",
             "--b\r\nContent-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: "
             "base64\r\n\r\nMQ==\r\n--b--",
             "--b\r\nX: " + std::string(5'000, 'x') +
                 "\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--",
         }) {
        CAPTURE(body);
        CHECK_FALSE(parse_multipart(multipart_type, body));
    }
    CHECK(parse_multipart(multipart_type, good + "--b--"));
}

TEST_CASE("multipart: more parts than allowed are refused") {
    const auto body = form_part("; name=a", "1") + form_part("; name=a", "2") + "--b--";
    CHECK(parse_multipart(multipart_type, body, 2));
    CHECK_FALSE(parse_multipart(multipart_type, body, 1));
}

}  // namespace multipart_test
