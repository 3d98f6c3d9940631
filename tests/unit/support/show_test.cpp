#include "support/show.hpp"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/types/address.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/types/message.hpp>

namespace show_test {

using namespace twiliowa;
using twiliowa::test::containing;

namespace {

/// As a failing check shows it.
template <class T>
std::string shown(const T& value) {
    return doctest::detail::stringifyBinaryExpr(value, " == ", value).c_str();
}

}  // namespace

TEST_CASE("a failing check names an enumeration's value") {
    CHECK(shown(Effect::unknown) == "unknown == unknown");
    const std::string kind{to_string(ErrorKind::timeout)};
    CHECK(shown(ErrorKind::timeout) == kind + " == " + kind);
    CHECK(shown(VerdictReason::ok) != "0 == 0");
    CHECK(shown(Stage::send) == "send == send");
    CHECK(shown(HttpMethod::put) == "PUT == PUT");
    CHECK(shown(ClaimOutcome::recut) == "recut == recut");
    CHECK(shown(WebhookOutcome::duplicate) == "duplicate == duplicate");
}

TEST_CASE("a failing check shows the text of a status, and what an optional holds") {
    CHECK(shown(MessageStatus::delivered) == "delivered == delivered");
    CHECK(shown(std::optional<int>{7}) == "7 == 7");
    CHECK(shown(std::optional<int>{}) == "nothing == nothing");
}

TEST_CASE("a text is held against a part of it, and both are shown") {
    const std::string text = "one, two";
    CHECK(text == containing("two"));
    CHECK(text != containing("three"));
    const std::string failure =
        doctest::detail::stringifyBinaryExpr(text, " == ", containing("three")).c_str();
    CHECK(failure == "one, two == containing \"three\"");
}

}  // namespace show_test
