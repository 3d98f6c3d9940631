#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <twiliowa/check_setup.hpp>
#include <twiliowa/content/finding.hpp>
#include <twiliowa/content_client.hpp>
#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/log_observer.hpp>
#include <twiliowa/request_validator.hpp>
#include <twiliowa/types/cancel.hpp>
#include <twiliowa/types/error_advice.hpp>
#include <twiliowa/types/message.hpp>
#include <twiliowa/types/observer.hpp>
#include <twiliowa/types/phone_number.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/secret.hpp>
#include <twiliowa/types/sid.hpp>

#include "support/identifiers.hpp"
#include "support/show.hpp"

namespace values_test {

using namespace twiliowa;
using twiliowa::test::containing;

TEST_CASE("a SID is checked when it is made, and says what is wrong") {
    const std::string hex(32, 'a');
    CHECK(MessageSid("SM" + hex).str() == "SM" + hex);
    CHECK(MessageSid::parse("MM" + hex).has_value());
    CHECK_THROWS_AS(MessageSid("HX" + hex), InvalidRequestError);
    const std::vector<std::string> wrong{"",
                                         "SM",
                                         "SM" + hex + "0",
                                         "SM" + std::string(32, 'g'),
                                         "SM../../../" + hex,
                                         std::string(34, '\0')};
    for (const auto& bad : wrong) {
        const auto sid = MessageSid::parse(bad);
        REQUIRE_FALSE(sid);
        CHECK(sid.error().field() == "MessageSid");
    }
    CHECK(MessageSid{}.empty());
}

TEST_CASE("a SID from Twilio may have a prefix of next year, but nothing unsafe in a URL") {
    CHECK(MessageSid::from_wire("XY12ab").str() == "XY12ab");
    CHECK(MessageSid::from_wire("SM/../x").empty());
    CHECK(MessageSid::from_wire("SM%2e").empty());
    CHECK(MessageSid::from_wire(std::string(65, 'a')).empty());
}

TEST_CASE("a status of next year survives a round trip") {
    const MessageStatus status("teleported");
    CHECK(status.str() == "teleported");
    CHECK(status != MessageStatus(MessageStatus::sent));
    CHECK(MessageStatus("sent") == MessageStatus::sent);
}

TEST_CASE("a secret survives copies and moves, and what it was moved from is empty") {
    Secret a("short");
    Secret b(std::move(a));
    CHECK(a.empty());  // NOLINT(bugprone-use-after-move): that is the point
    const Secret& c = b;
    Secret d(c);
    CHECK(d.reveal() == "short");
    d = Secret(std::string(100, 'x'));
    b = d;
    CHECK(b.reveal().size() == 100);
    b = std::move(d);
    CHECK(b.reveal().size() == 100);
}

TEST_CASE("a secret matches its own text alone, and an empty one nothing") {
    const Secret secret{"s3cret"};
    CHECK(secret.matches("s3cret"));
    for (const std::string_view other : {"", "s", "s3cre", "s3cret ", "S3cret", "t3rces"}) {
        CHECK_FALSE(secret.matches(other));
    }
    CHECK_FALSE(secret.matches(std::string_view{"s3cret\0", 7}));
    CHECK(Secret{std::string(1'000, 'x')}.matches(std::string(1'000, 'x')));
    CHECK_FALSE(Secret{}.matches(""));
    CHECK_FALSE(Secret{}.matches("x"));
}

TEST_CASE("a result holds a value or an error, and every access is checked") {
    Result<int> good = 1;
    CHECK(good.value() == 1);
    CHECK(*good == 1);
    CHECK(std::move(good).transform([](int i) { return i + 1; }).value() == 2);
    Result<int> bad = Error::invalid_request("To", "is empty");
    CHECK_THROWS_AS(static_cast<void>(bad.value()), InvalidRequestError);
    CHECK_THROWS_AS(static_cast<void>(*bad), InvalidRequestError);
    CHECK(bad.value_or(7) == 7);
    CHECK(std::move(bad).and_then([](int i) { return Result<int>(i); }).error().field() == "To");
    CHECK_NOTHROW(Result<void>{}.value());
    CHECK_THROWS_AS(Result<void>(Error::transport(Effect::none, Stage::connect, "x")).value(),
                    TransportError);
}

TEST_CASE("each kind of error throws its own exception, with everything in it") {
    const auto thrown = [](ErrorKind kind) {
        return Error{{.kind = kind, .code = 21211, .request_id = "RQ1"}};
    };
    CHECK_THROWS_AS(thrown(ErrorKind::invalid_request).raise(), InvalidRequestError);
    CHECK_THROWS_AS(thrown(ErrorKind::outcome_unknown).raise(), OutcomeUnknownError);
    CHECK_THROWS_AS(thrown(ErrorKind::api).raise(), ApiError);
    CHECK_THROWS_AS(thrown(ErrorKind::authentication).raise(), AuthenticationError);
    CHECK_THROWS_AS(thrown(ErrorKind::not_found).raise(), NotFoundError);
    CHECK_THROWS_AS(thrown(ErrorKind::rate_limit).raise(), RateLimitError);
    CHECK_THROWS_AS(thrown(ErrorKind::transport).raise(), TransportError);
    CHECK_THROWS_AS(thrown(ErrorKind::timeout).raise(), TimeoutError);
    CHECK_THROWS_AS(thrown(ErrorKind::response).raise(), ResponseError);
    CHECK_THROWS_AS(thrown(ErrorKind::cancelled).raise(), CancelledError);
    try {
        thrown(ErrorKind::not_found).raise();
    } catch (const TwilioError& error) {
        CHECK(error.code() == 21211);
        CHECK(std::string(error.what()) == containing("RQ1"));
        CHECK(std::string(error.what()) == containing("21211"));
    }
}

TEST_CASE("an error is permanent if the same request would fail again whenever it is made") {
    const auto permanent = [](ErrorKind kind, int code = 0, int http_status = 0) {
        const Error error{{.kind = kind, .http_status = http_status, .code = code}};
        CHECK(TwilioError{error}.is_permanent() == error.is_permanent());
        return error.is_permanent();
    };
    CHECK(permanent(ErrorKind::invalid_request));
    CHECK(permanent(ErrorKind::not_found, 20404, 404));
    CHECK(permanent(ErrorKind::api, 0, 400));
    CHECK(permanent(ErrorKind::api, 21211, 400));
    CHECK(permanent(ErrorKind::api, 21610, 400));
    CHECK_FALSE(permanent(ErrorKind::api, 20005, 400));  // the account is not active
    CHECK_FALSE(permanent(ErrorKind::api, 0, 408));
    CHECK_FALSE(permanent(ErrorKind::api, 0, 503));
    CHECK_FALSE(permanent(ErrorKind::api, 20500, 500));
    for (const auto kind :
         {ErrorKind::outcome_unknown, ErrorKind::authentication, ErrorKind::rate_limit,
          ErrorKind::transport, ErrorKind::timeout, ErrorKind::response, ErrorKind::cancelled}) {
        CAPTURE(kind);
        CHECK_FALSE(permanent(kind, 20404));
    }
}

TEST_CASE("what() never quotes Twilio's message, which may hold a number") {
    const Error error{{.kind = ErrorKind::api, .message = "The number +447700900123 is bad"}};
    CHECK(error.what() != containing("7700"));
    CHECK(error.message() == containing("7700"));
}

TEST_CASE("an error with one thing changed keeps the rest, and leaves the first as it was") {
    const Error error{{.kind = ErrorKind::api, .code = 21211, .field = "To", .attempts = 2}};
    const auto changed = error.with([](ErrorData& data) { data.field = "From"; });
    CHECK(changed.field() == "From");
    CHECK(changed.what() == containing("From"));
    CHECK(changed.kind() == ErrorKind::api);
    CHECK(changed.code() == 21211);
    CHECK(changed.attempts() == 2);
    CHECK(error.field() == "To");
}

TEST_CASE("cancellation runs each callback once, whenever it was registered") {
    CancelSource source;
    const auto token = source.token();
    int calls = 0;
    const auto first = token.on_cancel([&] { ++calls; });
    {
        const auto gone = token.on_cancel([&] { calls += 100; });
    }
    CHECK_FALSE(token.is_cancelled());
    source.cancel();
    source.cancel();
    CHECK(token.is_cancelled());
    CHECK(calls == 1);
    const auto late = token.on_cancel([&] { calls += 10; });
    CHECK(calls == 11);
    CHECK_FALSE(CancelToken{}.can_be_cancelled());
}

TEST_CASE("a callback may drop its own registration, and the source") {
    auto source = std::make_unique<CancelSource>();
    CancelRegistration registration;
    bool ran = false;
    registration = source->token().on_cancel([&] {
        registration.reset();
        source.reset();
        ran = true;
    });
    source->cancel();
    CHECK(ran);
}

TEST_CASE("to_string gives the names of the enumerators") {
    check_identifiers(ErrorKind::cancelled);
    check_identifiers(Effect::unknown);
    check_identifiers(Stage::decode);
    check_identifiers(ErrorCategory::info);
    check_identifiers(RetryAdvice::check_first);
    check_identifiers(NumberCertainty::likely);
    check_identifiers(NumberDoubt::unchecked_length);
    check_identifiers(WebhookOutcome::switched_off);
    check_identifiers(InboxOutcome::lease_lost);
    check_identifiers(SetupLevel::wrong);
    check_identifiers(ContentUse::whatsapp);
    check_identifiers(FindingLevel::warn);
    check_identifiers(ContentUpsert::Action::created);
    check_identifiers(VerdictReason::out_of_memory);
    check_identifiers(HttpMethod::delete_);
    check_identifiers(LogLevel::error);
    check_identifiers(JobChange::requeued);
    check_identifiers(BreakerChange::closed);
    CHECK(to_string(ErrorKind::outcome_unknown) == "outcome_unknown");
    CHECK(to_string(NumberDoubt::kept_trunk_prefix) == "kept_trunk_prefix");
    // The texts for people have their own words.
    CHECK(Error::invalid_request("To", "is empty").what() == "invalid request: To: is empty");
}

TEST_CASE("what a temporary result holds outlives it in a reference") {
    struct Letter {
        std::string body;
    };
    const auto result = [] { return Result<Letter>(Letter{std::string(100, 'x')}); };
    const auto failure = [] {
        return Result<Letter>(Error::invalid_request(std::string(100, 'x'), "is empty"));
    };
    static_assert(std::is_same_v<decltype(result().value()), Letter>);
    static_assert(std::is_same_v<decltype(*result()), Letter>);
    static_assert(std::is_same_v<decltype(failure().error()), Error>);
    static_assert(std::is_same_v<decltype(Result<void>{}.error()), Error>);
    const std::string& body = result().value().body;
    const std::string& same = (*result()).body;
    const Error& error = failure().error();
    CHECK(body == std::string(100, 'x'));
    CHECK(same == body);
    CHECK(error.field() == body);
}

}  // namespace values_test
