#include <twiliowa/adapters/fmt.hpp>

#include <doctest/doctest.h>

#include <string>

#include <twiliowa/twiliowa.hpp>

#include "support/show.hpp"

namespace fmt_test {

using namespace twiliowa;
using twiliowa::test::containing;

namespace {

Error daily_limit() {
    return Error{{.kind = ErrorKind::rate_limit,
                  .effect = Effect::none,
                  .http_status = 429,
                  .code = 63038,
                  .message = "Account +447700900123 exceeded the limit"}};
}

}  // namespace

TEST_CASE("fmt writes an error as its what(), without Twilio's own text") {
    const auto error = daily_limit();
    const auto text = fmt::format("{}", error);
    CHECK(text == error.what());
    CHECK(text != containing("447700900123"));
}

TEST_CASE("fmt writes an exception, and each of its leaves, the same way") {
    const auto error = daily_limit();
    CHECK(fmt::format("{}", TwilioError(error)) == error.what());
    CHECK(fmt::format("{}", RateLimitError(error)) == error.what());
}

TEST_CASE("fmt writes enumerations as words") {
    CHECK(fmt::format("{}", ErrorKind::outcome_unknown) == to_string(ErrorKind::outcome_unknown));
    CHECK(fmt::format("{}", Effect::none) == to_string(Effect::none));
    CHECK(fmt::format("{}", Stage::tls) == to_string(Stage::tls));
    const auto advice = advise(63038);
    CHECK(fmt::format("{}", advice.category) == to_string(advice.category));
    CHECK(fmt::format("{}", advice.retry) == to_string(advice.retry));
    CHECK(fmt::format("{}", HttpMethod::post) == to_string(HttpMethod::post));
    CHECK(fmt::format("{}", MessageStatus(MessageStatus::delivered)) == "delivered");
    CHECK(fmt::format("{}", Direction("sideways")) == "sideways");
}

TEST_CASE("fmt writes SIDs, with the format specification of a string") {
    const MessageSid sid("SM00000000000000000000000000000001");
    CHECK(fmt::format("{}", sid) == sid.str());
    CHECK(fmt::format("[{:<36}]", sid) == '[' + sid.str() + "  ]");
}

TEST_CASE("fmt does not write what holds a secret, a phone number or message text") {
    CHECK_FALSE(fmt::is_formattable<Secret>::value);
    CHECK_FALSE(fmt::is_formattable<Credentials>::value);
    CHECK_FALSE(fmt::is_formattable<Address>::value);
    CHECK_FALSE(fmt::is_formattable<Message>::value);
    CHECK_FALSE(fmt::is_formattable<OutboundMessage>::value);
    CHECK(fmt::is_formattable<Error>::value);
    CHECK(fmt::is_formattable<MessageSid>::value);
}

}  // namespace fmt_test
