/// @file
/// The time of a running twiliowa-emulator.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <twiliowa/export.hpp>
#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/types/clock.hpp>

namespace twiliowa::testing {

/// Follows the calendar of an emulator, so that a real process sees the 24-hour window close when
/// the emulator's clock is moved by 25 hours. Give it to ConversationWindow, OptOuts and
/// WebhookHandler, as you would the system's clock.
///
/// Only `now()` is the emulator's. `monotonic_now()` and `sleep_until` are the machine's:
/// deadlines, pauses and limits of requests to the emulator take real time, and so does what
/// expires in a MemoryStore, which goes by `monotonic_now()`.
///
/// `now()` asks the emulator (`GET /emulator/clock`) once in `refresh`, blocking for at most a
/// second, and adds the machine's time since. When the emulator cannot be asked, it goes on from
/// the last answer, or from the machine's time if there was none. It never goes backward.
/// Thread-safe.
class TWILIOWA_EXPORT EmulatorClock final : public Clock {
public:
    /// `base_url` is the emulator's (TWILIOWA_BASE_URL): `http://127.0.0.1:8080`.
    EmulatorClock(std::string_view base_url, std::shared_ptr<HttpTransport> transport,
                  std::chrono::milliseconds refresh = std::chrono::milliseconds{250});

    TimePoint now() const override;
    MonotonicTime monotonic_now() const override;
    void sleep_until(MonotonicTime until, const CancelToken& cancel) override;

private:
    std::shared_ptr<HttpTransport> transport_;
    std::shared_ptr<Clock> machine_;
    std::string url_;
    std::chrono::milliseconds refresh_;
    mutable std::mutex mutex_;
    mutable MonotonicTime ask_from_ = (MonotonicTime::min)();
    /// How far the emulator's calendar is ahead of the machine's monotonic time.
    mutable std::chrono::nanoseconds ahead_{0};
    mutable TimePoint latest_ = (TimePoint::min)();
};

}  // namespace twiliowa::testing
