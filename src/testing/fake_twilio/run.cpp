// FakeTwilio in motion: events, timers and webhooks, in order of their times.
#include <optional>
#include <utility>

#include "testing/fake_twilio/api/content_api.hpp"
#include "testing/fake_twilio/messages/lifecycle.hpp"
#include "testing/fake_twilio/messages/replies.hpp"
#include "testing/fake_twilio/state.hpp"
#include "testing/fake_twilio/webhooks/webhooks.hpp"

namespace twiliowa::testing {

using fake::FakeEvent;

void FakeTwilio::State::notify() const {
    const auto callback = [this] {
        const std::lock_guard lock{mutex};
        return on_work;
    }();
    if (callback) callback();
}

void FakeTwilio::State::run_event(const FakeEvent& event) {
    std::optional<FakeWebhook> webhook;
    AsyncWebhookSink to;
    {
        const std::lock_guard lock{mutex};
        const auto now = moment();
        switch (event.kind) {
            case FakeEvent::Kind::step:
                return fake::step_message(world, event.subject, event.expected, now);
            case FakeEvent::Kind::approval:
                return fake::step_approval(world, event.subject, event.expected, now);
            case FakeEvent::Kind::price:
                return fake::fill_in_price(world, event.subject);
            case FakeEvent::Kind::webhook:
            case FakeEvent::Kind::release:
                break;
        }
        webhook = fake::start_webhook(world, event, now);
        if (!webhook) return;
        to = sink;
        if (!to) return fake::discard_webhook(world, event.subject, webhook->number);
    }
    deliver(event.subject, *webhook, to);
}

void FakeTwilio::State::deliver(const std::string& job, const FakeWebhook& webhook,
                                const AsyncWebhookSink& to) {
    to(webhook, [life_of = life, job, number = webhook.number](const Result<WebhookResponse>& got) {
        std::function<void()> callback;
        {
            const std::lock_guard lock{life_of->mutex};
            if (life_of->state == nullptr) return;
            life_of->state->finish(job, number, got);
            const std::lock_guard inner{life_of->state->mutex};
            callback = life_of->state->on_work;
        }
        if (callback) callback();
    });
}

void FakeTwilio::State::finish(const std::string& job, std::uint64_t number,
                               const Result<WebhookResponse>& got) {
    const std::lock_guard lock{mutex};
    const auto now = moment();
    if (const auto answered = fake::finish_webhook(world, job, number, got, now)) {
        const int code = fake::obey_answer(world, *answered, *got, now);
        fake::conclude_webhook(world, *answered, number, code, now);
    }
}

void FakeTwilio::on_webhook_async(AsyncWebhookSink sink) {
    const std::lock_guard lock{state_->mutex};
    state_->sink = std::move(sink);
}

void FakeTwilio::on_webhook(WebhookSink sink) {
    if (!sink) return on_webhook_async({});
    on_webhook_async([sink = std::move(sink)](const FakeWebhook& webhook, const auto& done) {
        try {
            done(sink(webhook.url, webhook.request));
        } catch (...) {
            done(WebhookResponse{500, {}, {}});
            throw;
        }
    });
}

void FakeTwilio::on_work(std::function<void()> notify) {
    const std::lock_guard lock{state_->mutex};
    state_->on_work = std::move(notify);
}

std::size_t FakeTwilio::run(MonotonicTime until) {
    // A completion may let go of the last client, and with it of this.
    const auto self = weak_from_this().lock();
    for (std::size_t ran = 0;; ++ran) {
        decltype(state_->tasks.pop()) task;
        decltype(state_->world.events.pop()) event;
        {
            const std::lock_guard lock{state_->mutex};
            const auto task_time = state_->tasks.next_time();
            const auto event_time = state_->world.events.next_time();
            // On destruction time stands still: what is pending is only wound up, and webhooks and
            // messages stay where they are.
            const bool closing = state_->closing;
            if (task_time && (closing || !event_time || *task_time <= *event_time)) {
                if (!closing && *task_time > until) return ran;
                task = state_->tasks.pop();
                if (closing) task->when = MonotonicTime::min();
            } else if (event_time && !closing && *event_time <= until) {
                event = state_->world.events.pop();
            } else {
                return ran;
            }
        }
        state_->move_to(task ? task->when : event->when);
        if (task) {
            task->item();
        } else {
            state_->run_event(event->item);
        }
    }
}

std::size_t FakeTwilio::run_until_idle() {
    return run(MonotonicTime::max());
}

std::size_t FakeTwilio::advance(std::chrono::nanoseconds duration) {
    const auto until = state_->clock->monotonic_now() + duration;
    const auto ran = run(until);
    state_->move_to(until);
    return ran;
}

std::optional<MonotonicTime> FakeTwilio::run_due() {
    run(state_->clock->monotonic_now());
    const std::lock_guard lock{state_->mutex};
    const auto task_time = state_->tasks.next_time();
    const auto event_time = state_->world.events.next_time();
    if (task_time && event_time) return std::min(*task_time, *event_time);
    return task_time ? task_time : event_time;
}

}  // namespace twiliowa::testing
