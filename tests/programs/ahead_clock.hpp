/// @file
/// A clock that processes put ahead, so that nobody has to wait.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>

#include <twiliowa/outbox/lease_time.hpp>
#include <twiliowa/types/clock.hpp>

namespace outbox_processes {

using namespace twiliowa;
using namespace std::chrono_literals;

[[noreturn]] inline void fail(const std::string& what) {
    std::fprintf(stderr, "not so: %s\n", what.c_str());
    std::exit(1);
}

/// The machine's clock, ahead by as much as the test likes.
class AheadClock final : public Clock {
public:
    TimePoint now() const override {
        return system_clock()->now() + std::chrono::nanoseconds{*ahead};
    }
    MonotonicTime monotonic_now() const override { return system_clock()->monotonic_now(); }
    void sleep_until(MonotonicTime until, const CancelToken& cancel) override {
        system_clock()->sleep_until(until, cancel);
    }
    LeaseTime lease_now() const {
        timespec time{};
        ::clock_gettime(CLOCK_BOOTTIME, &time);
        const auto since_start = std::chrono::seconds{time.tv_sec} +
                                 std::chrono::nanoseconds{time.tv_nsec} +
                                 std::chrono::nanoseconds{*ahead};
        return {"boot", std::chrono::duration_cast<std::chrono::microseconds>(since_start).count()};
    }
    void forward(std::chrono::nanoseconds by) const { *ahead += by.count(); }

    /// Nanoseconds; processes may share it.
    std::shared_ptr<std::atomic<std::int64_t>> ahead =
        std::make_shared<std::atomic<std::int64_t>>(0);
};

/// How far ahead the clock of a machine is, for all processes that open that file.
inline std::shared_ptr<AheadClock> clock_in_file(const std::string& path) {
    using Ahead = std::atomic<std::int64_t>;
    static_assert(Ahead::is_always_lock_free);
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 || ::ftruncate(file, sizeof(Ahead)) != 0) fail("a file can be made");
    auto* const memory =
        ::mmap(nullptr, sizeof(Ahead), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (memory == MAP_FAILED) fail("a file can be shared");
    auto clock = std::make_shared<AheadClock>();
    clock->ahead = std::shared_ptr<Ahead>(static_cast<Ahead*>(memory),
                                          [](Ahead* shared) { ::munmap(shared, sizeof(Ahead)); });
    return clock;
}

}  // namespace outbox_processes
