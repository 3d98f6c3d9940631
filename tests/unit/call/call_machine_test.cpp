#include "call/call_machine.hpp"
#include "support/show.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace call_machine_test {

using namespace std::chrono_literals;
using twiliowa::Effect;
using twiliowa::Error;
using twiliowa::ErrorKind;
using twiliowa::MonotonicTime;
using twiliowa::RetryPolicy;
using twiliowa::Stage;
using twiliowa::detail::CallMachine;
using twiliowa::detail::CallStep;
using twiliowa::detail::Repeat;
using twiliowa::detail::RetryBudget;
using Action = CallStep::Action;
using twiliowa::test::containing;

namespace {

const MonotonicTime start_time{1000s};

Error answered(int status, int code, Effect effect, ErrorKind kind = ErrorKind::api) {
    return Error{{.kind = kind,
                  .effect = effect,
                  .stage = Stage::receive,
                  .http_status = status,
                  .code = code}};
}

Error broken(Effect effect, Stage stage, ErrorKind kind = ErrorKind::transport) {
    return Error{{.kind = kind, .effect = effect, .stage = stage}};
}

struct Fixture {
    RetryBudget budget{100, 0.1};
    CallMachine::Plan plan{};

    CallMachine machine(Repeat repeat) {
        plan.repeat = repeat;
        if (plan.deadline == MonotonicTime::max()) plan.deadline = start_time + 30s;
        return CallMachine{plan, budget};
    }
    /// What the machine does about `error` at the first attempt.
    Action first_failure(Repeat repeat, const Error& error) {
        auto m = machine(repeat);
        REQUIRE(m.start(start_time).action == Action::send);
        return m.on_failure(error, start_time, 0.5).action;
    }
    ErrorKind final_kind(Repeat repeat, const Error& error) {
        plan.policy.max_attempts = 1;
        auto m = machine(repeat);
        static_cast<void>(m.start(start_time));
        REQUIRE(m.on_failure(error, start_time, 0.5).action == Action::fail);
        return m.error().kind();
    }
};

}  // namespace

TEST_CASE("retry table: what never reached Twilio is tried again, whatever it was") {
    for (const auto stage : {Stage::resolve, Stage::connect, Stage::tls, Stage::send}) {
        CAPTURE(to_string(stage));
        const auto error = broken(Effect::none, stage);
        CHECK(Fixture{}.first_failure(Repeat::harmless, error) == Action::wait);
        CHECK(Fixture{}.first_failure(Repeat::idempotent, error) == Action::wait);
        CHECK(Fixture{}.first_failure(Repeat::duplicates, error) == Action::wait);
        CHECK(Fixture{}.final_kind(Repeat::duplicates, error) == ErrorKind::transport);
    }
}

TEST_CASE("retry table: 429 with 20429 is tried again, whatever it was") {
    const auto error = answered(429, 20429, Effect::none, ErrorKind::rate_limit);
    CHECK(Fixture{}.first_failure(Repeat::harmless, error) == Action::wait);
    CHECK(Fixture{}.first_failure(Repeat::idempotent, error) == Action::wait);
    CHECK(Fixture{}.first_failure(Repeat::duplicates, error) == Action::wait);
    CHECK(Fixture{}.final_kind(Repeat::duplicates, error) == ErrorKind::rate_limit);
}

TEST_CASE("retry table: 429 with another code or none is tried again only when idempotent") {
    for (const int code : {0, 12345}) {
        CAPTURE(code);
        const auto error = answered(429, code, Effect::none, ErrorKind::rate_limit);
        CHECK(Fixture{}.first_failure(Repeat::harmless, error) == Action::wait);
        CHECK(Fixture{}.first_failure(Repeat::idempotent, error) == Action::wait);
        CHECK(Fixture{}.first_failure(Repeat::duplicates, error) == Action::fail);
        CHECK(Fixture{}.final_kind(Repeat::duplicates, error) == ErrorKind::rate_limit);
    }
}

TEST_CASE("retry table: the daily limit is never tried again") {
    const auto error = answered(429, 63038, Effect::none, ErrorKind::rate_limit);
    CHECK(Fixture{}.first_failure(Repeat::harmless, error) == Action::fail);
    CHECK(Fixture{}.first_failure(Repeat::idempotent, error) == Action::fail);
    CHECK(Fixture{}.first_failure(Repeat::duplicates, error) == Action::fail);
}

TEST_CASE("retry table: any other 4xx is final and did nothing") {
    for (const int status : {400, 401, 403, 404, 409, 422}) {
        CAPTURE(status);
        const auto error = answered(status, 21211, Effect::none);
        for (const auto repeat : {Repeat::harmless, Repeat::idempotent, Repeat::duplicates}) {
            CHECK(Fixture{}.first_failure(repeat, error) == Action::fail);
            CHECK(Fixture{}.final_kind(repeat, error) == ErrorKind::api);
        }
    }
}

TEST_CASE("retry table: what may have been done is repeated only when idempotent") {
    const std::vector<Error> failures{
        answered(500, 0, Effect::unknown),
        answered(503, 20503, Effect::unknown),
        answered(201, 0, Effect::unknown, ErrorKind::response),
        broken(Effect::unknown, Stage::send),
        broken(Effect::unknown, Stage::receive),
        broken(Effect::unknown, Stage::receive, ErrorKind::timeout),
    };
    for (const auto& error : failures) {
        CAPTURE(error.what());
        CHECK(Fixture{}.first_failure(Repeat::harmless, error) == Action::wait);
        CHECK(Fixture{}.first_failure(Repeat::idempotent, error) == Action::wait);
        CHECK(Fixture{}.first_failure(Repeat::duplicates, error) == Action::fail);
        CHECK(Fixture{}.final_kind(Repeat::duplicates, error) == ErrorKind::outcome_unknown);
    }
}

TEST_CASE("outcome unknown: the error carries its cause, the effect and the way out") {
    Fixture f;
    auto m = f.machine(Repeat::duplicates);
    static_cast<void>(m.start(start_time));
    REQUIRE(m.on_failure(answered(500, 20500, Effect::unknown), start_time, 0).action ==
            Action::fail);
    CHECK(m.error().effect() == Effect::unknown);
    CHECK(m.error().http_status() == 500);
    REQUIRE(m.error().cause() != nullptr);
    CHECK(m.error().cause()->kind() == ErrorKind::api);
    CHECK(m.error().what() == containing("reconcile"));
}

TEST_CASE("a cancelled create that had left is of unknown outcome; one that had not is cancelled") {
    CHECK(Fixture{}.final_kind(Repeat::duplicates,
                               broken(Effect::unknown, Stage::receive, ErrorKind::cancelled)) ==
          ErrorKind::outcome_unknown);
    CHECK(Fixture{}.final_kind(Repeat::duplicates,
                               broken(Effect::none, Stage::connect, ErrorKind::cancelled)) ==
          ErrorKind::cancelled);
    CHECK(Fixture{}.first_failure(Repeat::harmless, broken(Effect::unknown, Stage::receive,
                                                           ErrorKind::cancelled)) == Action::fail);
}

TEST_CASE("a failed read did nothing; a failed idempotent change may have") {
    Fixture f;
    f.plan.policy.max_attempts = 1;
    for (const auto repeat : {Repeat::harmless, Repeat::idempotent}) {
        auto m = f.machine(repeat);
        static_cast<void>(m.start(start_time));
        static_cast<void>(m.on_failure(broken(Effect::unknown, Stage::receive), start_time, 0));
        CHECK(m.error().kind() == ErrorKind::transport);
        CHECK(m.error().effect() == (repeat == Repeat::harmless ? Effect::none : Effect::unknown));
    }
}

TEST_CASE("a 404 after a delete whose answer was lost is success; at first it is an error") {
    Fixture f;
    f.plan.is_delete = true;
    const auto missing = answered(404, 20404, Effect::none, ErrorKind::not_found);
    CHECK(f.first_failure(Repeat::idempotent, missing) == Action::fail);

    auto m = f.machine(Repeat::idempotent);
    static_cast<void>(m.start(start_time));
    const auto wait = m.on_failure(broken(Effect::unknown, Stage::receive), start_time, 0.5);
    REQUIRE(wait.action == Action::wait);
    REQUIRE(m.resume(wait.until).action == Action::send);
    CHECK(m.on_failure(missing, wait.until, 0.5).action == Action::succeed);

    auto refused = f.machine(Repeat::idempotent);
    static_cast<void>(refused.start(start_time));
    const auto again = refused.on_failure(broken(Effect::none, Stage::connect), start_time, 0.5);
    REQUIRE(refused.resume(again.until).action == Action::send);
    CHECK(refused.on_failure(missing, again.until, 0.5).action == Action::fail);
}

TEST_CASE("retry_may_duplicate repeats a create, and its doubt survives a later refusal") {
    Fixture f;
    f.plan.policy.retry_may_duplicate = true;
    auto m = f.machine(Repeat::duplicates);
    static_cast<void>(m.start(start_time));
    const auto wait = m.on_failure(answered(500, 0, Effect::unknown), start_time, 0.5);
    REQUIRE(wait.action == Action::wait);
    REQUIRE(m.resume(wait.until).action == Action::send);
    REQUIRE(m.on_failure(answered(400, 21211, Effect::none), wait.until, 0.5).action ==
            Action::fail);
    CHECK(m.error().kind() == ErrorKind::outcome_unknown);
    REQUIRE(m.error().cause() != nullptr);
    CHECK(m.error().cause()->http_status() == 500);
}

TEST_CASE("back-off is full jitter under a doubling, capped ceiling") {
    Fixture f;
    f.plan.policy.max_attempts = 10;
    f.plan.policy.backoff_base = 100ms;
    f.plan.policy.backoff_cap = 500ms;
    auto m = f.machine(Repeat::harmless);
    static_cast<void>(m.start(start_time));
    for (const auto expected : {50ms, 100ms, 200ms, 250ms, 250ms}) {
        const auto step = m.on_failure(broken(Effect::none, Stage::connect), start_time, 0.5);
        REQUIRE(step.action == Action::wait);
        CHECK(step.until - start_time == expected);
        static_cast<void>(m.resume(start_time));
    }
}

TEST_CASE("Retry-After is obeyed, unless it is longer than the caller allows") {
    auto data = answered(429, 20429, Effect::none, ErrorKind::rate_limit).data();
    data.retry_after = 7s;
    Fixture f;
    auto m = f.machine(Repeat::duplicates);
    static_cast<void>(m.start(start_time));
    const auto step = m.on_failure(Error{data}, start_time, 0.9);
    REQUIRE(step.action == Action::wait);
    CHECK(step.until == start_time + 7s);
    data.retry_after = 61s;
    CHECK(Fixture{}.first_failure(Repeat::duplicates, Error{data}) == Action::fail);
}

TEST_CASE("no retry is waited for that could not start before the deadline") {
    auto data = answered(429, 20429, Effect::none, ErrorKind::rate_limit).data();
    data.retry_after = 7s;
    Fixture f;
    f.plan.deadline = start_time + 7s;
    CHECK(f.first_failure(Repeat::duplicates, Error{data}) == Action::fail);
}

TEST_CASE("attempts are counted and limited") {
    Fixture f;
    f.plan.policy.max_attempts = 3;
    auto m = f.machine(Repeat::harmless);
    auto step = m.start(start_time);
    int sends = 0;
    while (step.action == Action::send) {
        ++sends;
        step = m.on_failure(broken(Effect::none, Stage::connect), start_time, 0);
        if (step.action == Action::wait) step = m.resume(step.until);
    }
    CHECK(sends == 3);
    CHECK(m.error().attempts() == 3);
}

TEST_CASE("the retry budget stops a storm and is earned back by calls") {
    RetryBudget budget(1, 0.5);
    CHECK(budget.spend());
    CHECK_FALSE(budget.spend());
    budget.earn();
    CHECK_FALSE(budget.spend());
    budget.earn();
    CHECK(budget.spend());
}

namespace {

struct FixedSlot final : twiliowa::RateLimiter {
    MonotonicTime slot;
    int released = 0;
    std::vector<std::string> senders;
    explicit FixedSlot(MonotonicTime at) : slot(at) {}
    MonotonicTime reserve(std::string_view sender, MonotonicTime) override {
        senders.emplace_back(sender);
        return slot;
    }
    void release(std::string_view) noexcept override { ++released; }
};

}  // namespace

TEST_CASE("a call waits for its slot, then goes without asking for another") {
    FixedSlot limiter{start_time + 2s};
    Fixture f;
    f.plan.rate_limiter = &limiter;
    f.plan.rate_key = "whatsapp:+15005550006";
    auto m = f.machine(Repeat::duplicates);
    const auto step = m.start(start_time);
    REQUIRE(step.action == Action::wait);
    CHECK(step.until == start_time + 2s);
    CHECK(m.resume(step.until).action == Action::send);
    CHECK(limiter.senders == std::vector<std::string>{"whatsapp:+15005550006"});
    CHECK(limiter.released == 0);
}

TEST_CASE("a slot beyond the deadline, or cancelled, is given back") {
    FixedSlot limiter{start_time + 40s};
    Fixture f;
    f.plan.rate_limiter = &limiter;
    auto late = f.machine(Repeat::duplicates);
    REQUIRE(late.start(start_time).action == Action::fail);
    CHECK(late.error().kind() == ErrorKind::timeout);
    CHECK(late.error().effect() == Effect::none);
    CHECK(limiter.released == 1);

    limiter.slot = start_time + 1s;
    auto cancelled = f.machine(Repeat::duplicates);
    REQUIRE(cancelled.start(start_time).action == Action::wait);
    REQUIRE(cancelled.cancel_wait().action == Action::fail);
    CHECK(cancelled.error().kind() == ErrorKind::cancelled);
    CHECK(limiter.released == 2);
}

TEST_CASE("an operation's own verdict goes before the retry table") {
    using twiliowa::detail::RepeatVerdict;
    const auto missing = answered(404, 20404, Effect::none, ErrorKind::not_found);
    const auto reset = broken(Effect::unknown, Stage::receive);
    Fixture f;
    auto m = f.machine(Repeat::harmless);
    REQUIRE(m.start(start_time).action == Action::send);
    auto step = m.on_failure(missing, start_time, 0.5, RepeatVerdict{true, 700ms});
    REQUIRE(step.action == Action::wait);
    CHECK(step.until == start_time + 700ms);
    REQUIRE(m.resume(step.until).action == Action::send);
    step = m.on_failure(missing, start_time, 0.5, RepeatVerdict{true, {}});
    REQUIRE(step.action == Action::wait);
    CHECK(step.until == start_time + 200ms);  // the back-off
    REQUIRE(m.resume(step.until).action == Action::send);
    auto data = missing.data();
    data.retry_after = 3s;
    step = m.on_failure(Error{data}, start_time, 0.5, RepeatVerdict{true, 700ms});
    REQUIRE(step.action == Action::wait);
    CHECK(step.until == start_time + 3s);
    REQUIRE(m.resume(step.until).action == Action::send);
    CHECK(m.on_failure(reset, start_time, 0.5, RepeatVerdict{}).action == Action::fail);
    auto first = f.machine(Repeat::harmless);
    REQUIRE(first.start(start_time).action == Action::send);
    CHECK(first.on_failure(reset, start_time, 0.5, RepeatVerdict{}).action == Action::fail);
}

TEST_CASE("a Retry-After exactly at the cap is waited for") {
    Fixture f;
    f.plan.policy.retry_after_cap = 5s;
    const auto asked = [](std::chrono::milliseconds wait) {
        return Error{twiliowa::ErrorData{.kind = ErrorKind::rate_limit,
                                         .effect = Effect::none,
                                         .http_status = 429,
                                         .code = 20429,
                                         .retry_after = wait}};
    };
    CHECK(f.first_failure(Repeat::duplicates, asked(5s)) == Action::wait);
    CHECK(f.first_failure(Repeat::duplicates, asked(5001ms)) == Action::fail);
}

TEST_CASE("a request that the transport refuses as invalid is not repeated") {
    const auto refused = Error::invalid_request("url", "is not one");
    for (const auto repeat : {Repeat::harmless, Repeat::idempotent, Repeat::duplicates}) {
        CHECK(Fixture{}.first_failure(repeat, refused) == Action::fail);
        CHECK(Fixture{}.final_kind(repeat, refused) == ErrorKind::invalid_request);
    }
}

TEST_CASE("retry table: a proxy that asks for credentials is not asked again, and sent nothing") {
    const auto asked = answered(407, 0, Effect::none, ErrorKind::transport);
    CHECK(Fixture{}.first_failure(Repeat::harmless, asked) == Action::fail);
    CHECK(Fixture{}.first_failure(Repeat::duplicates, asked) == Action::fail);
    CHECK(Fixture{}.final_kind(Repeat::duplicates, asked) == ErrorKind::transport);
}

}  // namespace call_machine_test
