#include "content_client/approval_poll.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/testing/scripted_transport.hpp>

namespace approval_poll_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::detail::ApprovalPoll;
using twiliowa::testing::ManualClock;
using twiliowa::testing::ScriptedTransport;

namespace {

const ContentSid sid{"HX" + std::string(32, 'a')};

ContentApproval with_status(std::string_view status) {
    return {.status = ApprovalStatus{status}};
}

/// What the wait says to one answer.
std::optional<Result<ContentApproval>> judged(const Result<ContentApproval>& answer) {
    ApprovalPoll poll{{}, MonotonicTime{}};
    return poll.on_answer(answer, MonotonicTime{}).result;
}

std::string answer_of(const std::string& status) {
    return R"({"whatsapp": {"status": ")" + status + R"("}})";
}

struct Fixture {
    std::shared_ptr<ScriptedTransport> transport = std::make_shared<ScriptedTransport>();
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::optional<ContentClient> client = [this] {
        ClientOptions options;
        options.transport = transport;
        options.clock = clock;
        options.retry.max_attempts = 1;
        return ContentClient{Credentials::auth_token("AC" + std::string(32, '0'), "token"),
                             options};
    }();
};

}  // namespace

TEST_CASE("a wait asks after 5 seconds, then after twice as long, up to 5 minutes") {
    ApprovalPoll poll{{}, MonotonicTime{}};
    MonotonicTime now{};
    std::vector<std::chrono::seconds> waits;
    for (int i = 0; i < 9; ++i) {
        const auto step = poll.on_answer(with_status("pending"), now);
        REQUIRE_FALSE(step.result);
        waits.push_back(std::chrono::duration_cast<std::chrono::seconds>(step.ask_at - now));
        now = step.ask_at;
    }
    CHECK(waits ==
          std::vector<std::chrono::seconds>{5s, 10s, 20s, 40s, 80s, 160s, 300s, 300s, 300s});
}

TEST_CASE("a wait ends with whatever is not pending") {
    for (const auto* status : {"approved", "rejected", "paused", "disabled", "in_appeal"}) {
        CAPTURE(status);
        const auto result = judged(with_status(status));
        REQUIRE(result);
        CHECK((*result)->status == std::string_view{status});
    }
    CHECK_FALSE(judged(with_status("received")));
    CHECK_FALSE(judged(with_status("pending")));
}

TEST_CASE("a wait refuses a template that was not submitted") {
    const auto result = judged(with_status("unsubmitted"));
    REQUIRE(result);
    CHECK(result->error().kind() == ErrorKind::invalid_request);
    CHECK(result->error().hint() == "call submit first");
}

TEST_CASE("a wait goes on after what may pass, and ends with what will not") {
    const auto of = [](ErrorKind kind, int status = 0) {
        return Error{{.kind = kind, .http_status = status, .summary = "no"}};
    };
    CHECK_FALSE(judged(of(ErrorKind::transport)));
    CHECK_FALSE(judged(of(ErrorKind::timeout)));
    CHECK_FALSE(judged(of(ErrorKind::rate_limit, 429)));
    CHECK_FALSE(judged(of(ErrorKind::response, 200)));
    CHECK_FALSE(judged(of(ErrorKind::api, 503)));
    CHECK(judged(of(ErrorKind::api, 400)));
    CHECK(judged(of(ErrorKind::authentication, 401)));
    CHECK(judged(of(ErrorKind::not_found, 404)));
    CHECK(judged(of(ErrorKind::cancelled)));
}

TEST_CASE("a wait does as Retry-After says") {
    ApprovalPoll poll{{}, MonotonicTime{}};
    const Error slow{{.kind = ErrorKind::rate_limit, .summary = "slow", .retry_after = 60s}};
    CHECK(poll.on_answer(slow, MonotonicTime{}).ask_at == MonotonicTime{60s});
    // But it does not ask sooner than it would have by itself.
    const Error soon{{.kind = ErrorKind::rate_limit, .summary = "soon", .retry_after = 1s}};
    CHECK(poll.on_answer(soon, MonotonicTime{}).ask_at == MonotonicTime{10s});
}

TEST_CASE("a wait whose time is up says so, or what kept it from knowing") {
    const ApprovalWait wait{.first = 5s, .longest = 5s, .timeout = 12s};
    ApprovalPoll poll{wait, MonotonicTime{}};
    CHECK(poll.on_answer(with_status("pending"), MonotonicTime{}).ask_at == MonotonicTime{5s});
    CHECK(poll.on_answer(with_status("pending"), MonotonicTime{5s}).ask_at == MonotonicTime{10s});
    const auto last = poll.on_answer(with_status("pending"), MonotonicTime{10s}).result;
    REQUIRE(last);
    CHECK(last->error().kind() == ErrorKind::timeout);
    CHECK(last->error().effect() == Effect::none);
    const Error down{{.kind = ErrorKind::transport, .summary = "down"}};
    CHECK(poll.on_answer(down, MonotonicTime{11s}).result->error().kind() == ErrorKind::transport);
}

TEST_CASE("times that are not positive are refused by name") {
    Fixture f;
    const auto field = [&](const ApprovalWait& wait) {
        return f.client->try_wait_until_approved(sid, wait).error().field();
    };
    CHECK(field({.first = 0s}) == "first");
    CHECK(field({.longest = -1s}) == "longest");
    CHECK(field({.timeout = 0s}) == "timeout");
    CHECK(f.transport->request_count() == 0);
}

TEST_CASE("the longest times are no overflow") {
    const ApprovalWait wait{.first = std::chrono::milliseconds::max(),
                            .longest = std::chrono::milliseconds::max(),
                            .timeout = std::chrono::milliseconds::max()};
    ApprovalPoll poll{wait, MonotonicTime{1s}};
    CHECK(poll.on_answer(with_status("pending"), MonotonicTime{1s}).ask_at == MonotonicTime::max());
    CHECK(poll.on_answer(with_status("pending"), MonotonicTime{1s}).ask_at == MonotonicTime::max());
}

TEST_CASE("no question of a wait outlasts it, blocking or not") {
    Fixture f;
    std::vector<std::chrono::milliseconds> times;
    const auto note = [&](const HttpRequest&, const CallContext& context) -> Result<HttpResponse> {
        times.push_back(std::chrono::floor<std::chrono::milliseconds>(context.deadline -
                                                                      f.clock->monotonic_now()));
        return HttpResponse{200, {}, answer_of(times.size() % 2 == 1 ? "pending" : "approved")};
    };
    const ApprovalWait wait{.first = 2s, .timeout = 10s};
    f.transport->then(note).then(note).then(note).then(note).then(note).then(note);
    CHECK(f.client->try_wait_until_approved(sid, wait, {.timeout = 9s}));
    CHECK(times == std::vector<std::chrono::milliseconds>{9s, 8s});
    CHECK(f.client->try_wait_until_approved(sid, wait));
    CHECK(times.at(2) == 10s);
    CHECK(times.at(3) == 8s);
    std::optional<ContentApproval> got;
    f.client->async_wait_until_approved(
        sid, [&](auto result) { got = std::move(*result); }, wait);
    f.transport->run_until_idle(f.clock.get());
    REQUIRE(got);
    CHECK(times.at(4) == 10s);
    CHECK(times.at(5) == 8s);
}

TEST_CASE("a cancelled wait ends, blocking and not") {
    Fixture f;
    CancelSource source;
    f.transport->then([&](const HttpRequest&, const CallContext&) -> Result<HttpResponse> {
        source.cancel();
        return HttpResponse{200, {}, answer_of("pending")};
    });
    CHECK(f.client->try_wait_until_approved(sid, {}, {.cancel = source.token()}).error().kind() ==
          ErrorKind::cancelled);

    CancelSource later;
    f.transport->respond(200, answer_of("pending"));
    std::optional<Error> end;
    f.client->async_wait_until_approved(sid, [&](const auto& result) { end = result.error(); }, {},
                                        {.cancel = later.token()});
    later.cancel();
    f.transport->run_until_idle(f.clock.get());
    REQUIRE(end);
    CHECK(end->kind() == ErrorKind::cancelled);
    CHECK(f.transport->request_count() <= 2);
}

TEST_CASE("an asynchronous wait asks once for each time, and not for a client that is gone") {
    Fixture f;
    f.transport->respond(200, answer_of("pending"))
        .respond(500)
        .respond(200, answer_of("approved"));
    std::optional<ContentApproval> got;
    f.client->async_wait_until_approved(sid, [&](auto result) { got = std::move(*result); });
    f.transport->run_until_idle(f.clock.get());
    REQUIRE(got);
    CHECK(got->is_approved());
    CHECK(f.transport->request_count() == 3);

    f.transport->respond(200, answer_of("pending"));
    std::optional<Error> end;
    f.client->async_wait_until_approved(sid, [&](const auto& result) { end = result.error(); });
    f.client.reset();
    f.transport->run_until_idle(f.clock.get());
    REQUIRE(end);
    CHECK(end->kind() == ErrorKind::cancelled);
}

}  // namespace approval_poll_test
