// FakeTwilio as a transport, and as something that answers requests.
#include <algorithm>
#include <utility>

#include "testing/fake_twilio/state.hpp"
#include "testing/response_delivery.hpp"

namespace twiliowa::testing {

namespace {

/// What a client sees of an answer that arrives in time.
Result<HttpResponse> carry_answer(FakeAnswer answer, const CallContext& context) {
    answer.under_way.reset();
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
            return shared::deliver_response(std::move(answer.response), context);
    }
}

/// When the answer arrives; never before the deadline if there is none.
MonotonicTime arrival_of_answer(const FakeAnswer& answer, const CallContext& context,
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

std::shared_ptr<void> FakeTwilio::State::keep_under_way(
    const fake::FakeAdmission& admission) const {
    if (admission.holder.empty()) return {};
    const auto release = [life_of = life, holder = admission.holder](void*) {
        const std::lock_guard lock{life_of->mutex};
        if (life_of->state == nullptr) return;
        const std::lock_guard inner{life_of->state->mutex};
        life_of->state->api.release(holder);
    };
    return {nullptr, release};
}

FakeAnswer FakeTwilio::answer(const HttpRequest& request) {
    const auto admission = [&] {
        const std::lock_guard lock{state_->mutex};
        return state_->api.admit(request);
    }();
    auto under_way = state_->keep_under_way(admission);
    // Other threads' requests may arrive here: they are under way together.
    auto answer = [&] {
        const std::lock_guard lock{state_->mutex};
        return state_->api.answer(request, admission, state_->moment());
    }();
    answer.under_way = std::move(under_way);
    state_->notify();
    return answer;
}

HttpResponse FakeTwilio::handle(const HttpRequest& request) {
    return answer(request).response;
}

Result<HttpResponse> FakeTwilio::send(const HttpRequest& request, const CallContext& context) {
    const auto now = state_->clock->monotonic_now();
    if (auto refusal = shared::refusal_to_start(context, now)) return std::move(*refusal);
    auto got = answer(request);
    const auto arrival = arrival_of_answer(got, context, now);
    if (arrival > now) {
        state_->clock->sleep_until(std::min(arrival, context.deadline), context.cancel);
        if (comes_too_late(got, arrival, context)) return shared::no_answer_in_time();
    }
    return carry_answer(std::move(got), context);
}

void FakeTwilio::async_send(HttpRequest request, CallContext context, Completion done) {
    const auto now = state_->clock->monotonic_now();
    {
        const std::lock_guard lock{state_->mutex};
        const auto admission = state_->api.admit(request);
        state_->tasks.push(now, [this, request = std::move(request), context = std::move(context),
                                 done = std::move(done), admission,
                                 under_way = state_->keep_under_way(admission)]() mutable {
            const auto start = state_->clock->monotonic_now();
            auto refusal = shared::refusal_to_start(context, start);
            FakeAnswer got;
            {
                const std::lock_guard inner{state_->mutex};
                if (state_->closing && !refusal) refusal = shared::cancelled_before_start();
                if (!refusal) got = state_->api.answer(request, admission, state_->moment());
            }
            got.under_way = std::move(under_way);
            if (refusal) {
                got.under_way.reset();
                return done(std::move(*refusal));
            }
            const auto arrival = arrival_of_answer(got, context, start);
            if (arrival == start) return done(carry_answer(std::move(got), context));
            const bool late = comes_too_late(got, arrival, context);
            call_at(std::min(arrival, context.deadline),
                    [done, context, late, answer = std::move(got)]() mutable {
                        auto carried = carry_answer(std::move(answer), context);
                        if (late) carried = shared::no_answer_in_time();
                        done(std::move(carried));
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
