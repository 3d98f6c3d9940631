// FakeTwilio as a transport, and as something that answers requests.
#include <algorithm>
#include <utility>

#include "testing/fake_state.hpp"
#include "testing/response_delivery.hpp"

namespace twiliowa::testing {

namespace {

/// What a client sees of an answer that arrives in time.
Result<HttpResponse> carry_fake_answer(FakeAnswer answer, const CallContext& context) {
    switch (answer.fault) {
        case Fault::close_before:
        case Fault::close_after:
            return Error::transport(Effect::unknown, Stage::receive,
                                    "the connection was closed without an answer");
        case Fault::reset:
            return Error::transport(Effect::unknown, Stage::receive, "the connection was reset");
        case Fault::truncated:
            return Error::transport(Effect::unknown, Stage::receive, "the answer broke off");
        default:
            return detail::deliver_test_response(std::move(answer.response), context);
    }
}

/// When the answer arrives; never before the deadline if there is none.
MonotonicTime arrival_of_fake_answer(const FakeAnswer& answer, const CallContext& context,
                                     MonotonicTime now) {
    if (answer.fault == Fault::slow) return now + FakeTwilio::slow_answer;
    if (answer.fault != Fault::black_hole) return now;
    // Without a deadline somebody gives up at last.
    return std::min(context.deadline, now + std::chrono::hours{1});
}

bool comes_too_late(const FakeAnswer& answer, MonotonicTime arrival, const CallContext& context) {
    return answer.fault == Fault::black_hole || arrival >= context.deadline;
}

}  // namespace

FakeAnswer FakeTwilio::answer(const HttpRequest& request) {
    const auto admission = [&] {
        const std::lock_guard lock{state_->mutex};
        return state_->api.admit(request);
    }();
    // Other threads' requests may arrive here: they are under way together.
    auto answer = [&] {
        const std::lock_guard lock{state_->mutex};
        return state_->api.answer(request, admission, state_->moment());
    }();
    state_->notify();
    return answer;
}

HttpResponse FakeTwilio::handle(const HttpRequest& request) {
    return answer(request).response;
}

Result<HttpResponse> FakeTwilio::send(const HttpRequest& request, const CallContext& context) {
    const auto now = state_->clock->monotonic_now();
    if (auto refusal = detail::test_transport_refusal(context, now)) return std::move(*refusal);
    auto got = answer(request);
    const auto arrival = arrival_of_fake_answer(got, context, now);
    if (arrival > now) {
        state_->clock->sleep_until(std::min(arrival, context.deadline), context.cancel);
        if (comes_too_late(got, arrival, context)) return detail::test_transport_timeout();
    }
    return carry_fake_answer(std::move(got), context);
}

void FakeTwilio::async_send(HttpRequest request, CallContext context, Completion done) {
    const auto now = state_->clock->monotonic_now();
    {
        const std::lock_guard lock{state_->mutex};
        const auto admission = state_->api.admit(request);
        state_->tasks.push(now, [this, request = std::move(request), context = std::move(context),
                                 done = std::move(done), admission] {
            const auto start = state_->clock->monotonic_now();
            auto refusal = detail::test_transport_refusal(context, start);
            FakeAnswer got;
            {
                const std::lock_guard inner{state_->mutex};
                if (state_->closing && !refusal) refusal = detail::test_transport_cancelled();
                if (refusal) {
                    state_->api.abandon(admission);
                } else {
                    got = state_->api.answer(request, admission, state_->moment());
                }
            }
            if (refusal) return done(std::move(*refusal));
            const auto arrival = arrival_of_fake_answer(got, context, start);
            if (arrival == start) return done(carry_fake_answer(std::move(got), context));
            const bool late = comes_too_late(got, arrival, context);
            call_at(std::min(arrival, context.deadline),
                    [done, context, late, answer = std::move(got)] {
                        done(late ? Result<HttpResponse>{detail::test_transport_timeout()}
                                  : carry_fake_answer(answer, context));
                    });
        });
    }
    state_->notify();
}

void FakeTwilio::call_at(MonotonicTime when, std::function<void()> task) {
    const auto now = state_->clock->monotonic_now();
    {
        const std::lock_guard lock{state_->mutex};
        state_->tasks.push(std::max(when, now), std::move(task));
    }
    state_->notify();
}

}  // namespace twiliowa::testing
