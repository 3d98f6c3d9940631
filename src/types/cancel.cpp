#include <twiliowa/types/cancel.hpp>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace twiliowa {

namespace detail {

struct CancelState {
    struct Entry {
        unsigned long long id;
        std::function<void()> callback;
    };
    std::atomic<bool> cancelled{false};
    std::mutex mutex;
    std::condition_variable idle;
    std::vector<Entry> callbacks;
    unsigned long long next_id = 1;
    unsigned long long running_id = 0;
    std::thread::id running_in;
};

}  // namespace detail

CancelRegistration::CancelRegistration(CancelRegistration&& other) noexcept
    : state_(std::move(other.state_)), id_(std::exchange(other.id_, 0)) {}

CancelRegistration& CancelRegistration::operator=(CancelRegistration&& other) noexcept {
    if (this != &other) {
        reset();
        state_ = std::move(other.state_);
        id_ = std::exchange(other.id_, 0);
    }
    return *this;
}

CancelRegistration::~CancelRegistration() {
    reset();
}

void CancelRegistration::reset() noexcept {
    if (!state_) return;
    const auto state = std::exchange(state_, nullptr);
    std::unique_lock lock(state->mutex);
    std::erase_if(state->callbacks, [this](const auto& entry) { return entry.id == id_; });
    // A callback under way in another thread may still use what its owner is about to destroy.
    state->idle.wait(lock, [&] {
        return state->running_id != id_ || state->running_in == std::this_thread::get_id();
    });
}

bool CancelToken::is_cancelled() const noexcept {
    return state_ && state_->cancelled.load(std::memory_order_acquire);
}

CancelRegistration CancelToken::on_cancel(std::function<void()> callback) const {
    CancelRegistration registration;
    if (!state_) return registration;
    {
        std::lock_guard lock(state_->mutex);
        if (!state_->cancelled.load(std::memory_order_relaxed)) {
            registration.id_ = state_->next_id++;
            state_->callbacks.push_back({registration.id_, std::move(callback)});
            registration.state_ = state_;
            return registration;
        }
    }
    callback();
    return registration;
}

CancelSource::CancelSource() : state_(std::make_shared<detail::CancelState>()) {}

void CancelSource::cancel() noexcept {
    const auto state = state_;  // a callback may destroy this
    std::unique_lock lock(state->mutex);
    if (state->cancelled.exchange(true, std::memory_order_acq_rel)) return;
    state->running_in = std::this_thread::get_id();
    while (!state->callbacks.empty()) {
        const auto entry = std::move(state->callbacks.back());
        state->callbacks.pop_back();
        state->running_id = entry.id;
        lock.unlock();
        entry.callback();
        lock.lock();
        state->running_id = 0;
        state->idle.notify_all();
    }
}

}  // namespace twiliowa
