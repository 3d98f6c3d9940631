/// @file
/// What a FakeTwilio is made of. Its members are defined beside this file: what sets it up and
/// tells it what to do in fake_twilio.cpp, what looks at it in views.cpp, requests and their
/// answers in transport.cpp, events, timers and webhooks in run.cpp, saving and loading in
/// snapshot.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/testing/manual_clock.hpp>

#include "testing/fake_twilio/api/api.hpp"
#include "testing/fake_twilio/world/moment.hpp"
#include "testing/fake_twilio/world/world.hpp"
#include "testing/timed_queue.hpp"

namespace twiliowa::testing::fake {

/// Whether the fake is still there, for those who answer late.
template <class State>
struct FakeLife {
    std::mutex mutex;
    State* state = nullptr;  ///< Null when it is gone.
};

}  // namespace twiliowa::testing::fake

namespace twiliowa::testing {

struct FakeTwilio::State {
    explicit State(FakeTwilioOptions options)
        : clock(options.clock ? options.clock : std::make_shared<ManualClock>()),
          movable_clock(dynamic_cast<MovableClock*>(clock.get())),
          world(std::move(options)),
          api(world) {}

    fake::FakeMoment moment() const { return fake::FakeMoment::of(*clock); }
    /// Moves the clock forward, if it can be moved.
    void move_to(MonotonicTime when) const {
        const auto now = clock->monotonic_now();
        if (movable_clock != nullptr && when > now) movable_clock->advance(when - now);
    }
    // Defined in run.cpp.

    /// Runs one event. Takes the lock, but not around the sink.
    void run_event(const fake::FakeEvent& event);
    /// Hands a webhook to the sink. Without the lock.
    void deliver(const std::string& job, const FakeWebhook& webhook, const AsyncWebhookSink& to);
    void finish(const std::string& job, std::uint64_t number, const Result<WebhookResponse>& got);
    /// Says that there is work. Without the lock.
    void notify() const;

    // Defined in transport.cpp.

    /// Keeps the request under way until it is let go of.
    std::shared_ptr<void> keep_under_way(const fake::FakeAdmission& admission) const;

    const std::shared_ptr<Clock> clock;
    MovableClock* const movable_clock;  ///< The clock, if it is one.
    mutable std::mutex mutex;           ///< Of everything below.
    fake::FakeWorld world;
    fake::FakeApi api;
    shared::TimedQueue<std::function<void()>> tasks;
    AsyncWebhookSink sink;
    std::function<void()> on_work;
    bool closing = false;
    /// Given to sinks that answer later, perhaps too late. Last: goes first.
    std::shared_ptr<fake::FakeLife<State>> life = std::make_shared<fake::FakeLife<State>>();
};

}  // namespace twiliowa::testing
