#include <twiliowa/types/clock.hpp>

#include <condition_variable>
#include <mutex>

namespace twiliowa {

namespace detail {
namespace {

class SystemClock final : public Clock {
public:
    TimePoint now() const override { return std::chrono::system_clock::now(); }
    MonotonicTime monotonic_now() const override { return std::chrono::steady_clock::now(); }
    void sleep_until(MonotonicTime until, const CancelToken& cancel) override {
        std::mutex mutex;
        std::condition_variable woken;
        bool cancelled = false;
        const auto registration = cancel.on_cancel([&] {
            const std::lock_guard lock(mutex);
            cancelled = true;
            woken.notify_one();
        });
        std::unique_lock lock(mutex);
        woken.wait_until(lock, until, [&] { return cancelled; });
        lock.unlock();
    }
};

}  // namespace
}  // namespace detail

std::shared_ptr<Clock> system_clock() {
    return std::make_shared<detail::SystemClock>();
}

}  // namespace twiliowa
