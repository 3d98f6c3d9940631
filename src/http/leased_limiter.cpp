#include <twiliowa/http/leased_limiter.hpp>

#include <condition_variable>
#include <limits>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

#include <twiliowa/types/error.hpp>

#include "http/permit_lanes.hpp"
#include "types/duration_bound.hpp"
#include "types/unsent_error.hpp"

namespace twiliowa {

namespace detail {
namespace {

LeasedLimiterOptions checked_limit(LeasedLimiterOptions options) {
    const auto require = [](bool holds, const char* field, const char* problem) {
        if (!holds) Error::invalid_request(field, problem).raise();
    };
    require(options.per_second >= 1e-6 && options.per_second <= 1e6, "per_second",
            "is not between 0.000001 and 1000000");
    require(options.burst >= 1.0 && options.burst <= 1e6, "burst", "is not between 1 and 1000000");
    const std::chrono::duration<double> fills_in{options.burst / options.per_second};
    require(fills_in <= longest_duration, "burst",
            "takes longer than a hundred years at that rate");
    require(
        options.lease >= std::chrono::milliseconds{1} && options.lease <= std::chrono::minutes{1},
        "lease", "is not between a millisecond and a minute");
    require(options.processes >= 0, "processes", "is negative");
    if (!options.clock) options.clock = system_clock();
    return options;
}

/// Of somebody's own source.
Error source_broke() {
    return unsent_error(ErrorKind::transport, "the source of permits threw an exception");
}

std::int64_t permit_microseconds(MonotonicTime::duration time) {
    return std::chrono::ceil<std::chrono::microseconds>(time).count();
}

}  // namespace
}  // namespace detail

struct LeasedLimiter::State {
    State(std::shared_ptr<PermitSource> from, LeasedLimiterOptions chosen)
        : source(std::move(from)),
          options(std::move(chosen)),
          lanes(options, options.clock->monotonic_now()) {}

    /// What `lanes` gives out; its thread is woken if there is something to ask sooner.
    template <class Giving>
    auto give(const Giving& giving) {
        std::unique_lock lock(mutex);
        const auto given = giving(lanes);
        const bool is_sooner = lanes.due() < awaited;
        if (is_sooner) awaited = lanes.due();
        lock.unlock();
        if (is_sooner) wake.notify_one();
        return given;
    }

    /// Puts questions until the limiter ends.
    void work(LeasedLimiter& limiter) {
        std::unique_lock lock(mutex);
        while (!ending) {
            const auto now = options.clock->monotonic_now();
            awaited = lanes.due();
            if (awaited > now) {
                wake.wait_for(lock, awaited - now);
                continue;
            }
            lock.unlock();
            limiter.fetch();
            lock.lock();
        }
    }

    void put(const detail::PermitLanes::Question& question) {
        if (question.lane == nullptr) {
            const auto processes = ask([&] { return source->count_processes(); });
            tell(processes ? nullptr : &processes.error(), [&](MonotonicTime now, double chance) {
                lanes.count(processes.value_or(0), now, chance);
            });
            return;
        }
        const auto& pace = lanes.pace();
        const PermitRequest request{
            .sender = question.lane->sender,
            .owed = static_cast<std::int64_t>(question.owed.size()),
            .wanted = question.wanted,
            .interval = 1e6 / pace.per_second,
            .tolerance = detail::permit_microseconds(pace.tolerance),
            .furthest = detail::permit_microseconds(pace.furthest),
        };
        const auto permits = ask([&] { return source->take(request); });
        tell(permits ? nullptr : &permits.error(), [&](MonotonicTime now, double chance) {
            lanes.answer(question, permits ? &*permits : nullptr, now, chance);
        });
    }

    template <class Question>
    static auto ask(const Question& question) -> decltype(question()) {
        try {
            return question();
        } catch (...) {
            return detail::source_broke();
        }
    }

    /// Tells the lanes what was answered, and the observer what came of it.
    template <class Answer>
    void tell(const Error* error, const Answer& answer) {
        LimiterState before;
        LimiterState after;
        {
            const std::lock_guard lock(mutex);
            before = lanes.state();
            answer(options.clock->monotonic_now(),
                   std::uniform_real_distribution<double>{}(random));
            after = lanes.state();
        }
        const bool is_first = before.questions == 1;
        if (!options.observer || (before.shared == after.shared && !is_first)) return;
        options.observer->on_limiter({.shared = after.shared,
                                      .processes = after.processes,
                                      .share_per_second = after.share_per_second,
                                      .error = error});
    }

    const std::shared_ptr<PermitSource> source;
    const LeasedLimiterOptions options;
    mutable std::mutex mutex = {};
    std::condition_variable wake = {};
    detail::PermitLanes lanes;
    std::minstd_rand random{std::random_device{}()};
    MonotonicTime awaited = (MonotonicTime::max)();  ///< What the thread sleeps for.
    bool ending = false;
    std::thread thread = {};
};

LeasedLimiter::LeasedLimiter(std::shared_ptr<PermitSource> source, LeasedLimiterOptions options) {
    if (!source) Error::invalid_request("source", "is null").raise();
    state_ = std::make_unique<State>(std::move(source), detail::checked_limit(std::move(options)));
    fetch();
    if (state_->options.own_thread) state_->thread = std::thread{[this] { state_->work(*this); }};
}

LeasedLimiter::~LeasedLimiter() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->ending = true;
    }
    state_->wake.notify_all();
    if (state_->thread.joinable()) state_->thread.join();
}

MonotonicTime LeasedLimiter::reserve(std::string_view sender, MonotonicTime now) {
    return state_->give([&](detail::PermitLanes& lanes) { return lanes.reserve(sender, now); });
}

RateDecision LeasedLimiter::try_acquire(std::string_view sender, MonotonicTime now) {
    return state_->give([&](detail::PermitLanes& lanes) { return lanes.try_acquire(sender, now); });
}

void LeasedLimiter::release(std::string_view sender) noexcept {
    const std::lock_guard lock(state_->mutex);
    state_->lanes.release(sender);
}

MonotonicTime LeasedLimiter::fetch() {
    auto& state = *state_;
    std::unique_lock lock(state.mutex);
    while (!state.ending) {
        const auto question = state.lanes.next(state.options.clock->monotonic_now());
        if (!question) break;
        lock.unlock();
        state.put(*question);
        lock.lock();
    }
    return state.lanes.due();
}

LimiterState LeasedLimiter::state() const {
    const std::lock_guard lock(state_->mutex);
    return state_->lanes.state();
}

}  // namespace twiliowa
