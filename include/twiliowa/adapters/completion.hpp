/// @file
/// What the future and coroutine adapters share: a callback that is always heard.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

/// Hands one result to `Deliver`. If every copy of the callback goes away uncalled (a transport of
/// somebody's own that breaks its contract), it hands over an `outcome_unknown` instead, so that
/// nobody waits forever.
template <class T, class Deliver>
class Completion {
public:
    explicit Completion(Deliver deliver) : deliver_(std::move(deliver)) {}
    Completion(const Completion&) = delete;
    Completion& operator=(const Completion&) = delete;
    ~Completion() {
        if (used_.load() || disarmed_) return;
        complete(Error{{.kind = ErrorKind::outcome_unknown,
                        .effect = Effect::unknown,
                        .summary = "the call was dropped without a result"}});
    }
    void complete(Result<T> result) {
        if (!used_.exchange(true)) deliver_(std::move(result));
    }
    /// The call never began: there is nobody to tell.
    void disarm() noexcept { disarmed_ = true; }

private:
    Deliver deliver_;
    std::atomic<bool> used_{false};
    bool disarmed_ = false;
};

/// Starts a call whose result goes to `deliver`. If `start` throws, `deliver` is not called and the
/// exception passes on.
template <class T, class Start, class Deliver>
void start_call(Start&& start, Deliver deliver) {
    auto completion = std::make_shared<Completion<T, Deliver>>(std::move(deliver));
    try {
        std::forward<Start>(start)(Callback<T>(
            [completion](Result<T> result) { completion->complete(std::move(result)); }));
    } catch (...) {
        completion->disarm();
        throw;
    }
}

}  // namespace twiliowa::detail
