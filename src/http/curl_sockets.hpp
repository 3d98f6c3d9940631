/// @file
/// A libcurl multi handle whose sockets are watched by epoll: a wake-up costs what is ready, not
/// what is open.
#pragma once

#include <twiliowa/types/clock.hpp>

#include "http/curl_handles.hpp"

namespace twiliowa::detail {

class OwnedDescriptor {
public:
    explicit OwnedDescriptor(int descriptor) noexcept : descriptor_(descriptor) {}
    OwnedDescriptor(const OwnedDescriptor&) = delete;
    OwnedDescriptor& operator=(const OwnedDescriptor&) = delete;
    ~OwnedDescriptor();
    int get() const noexcept { return descriptor_; }

private:
    int descriptor_;
};

/// For one thread, except `wake`. Not movable: libcurl holds its address.
class CurlSockets {
public:
    /// @throws std::system_error when the process has no file descriptor left.
    CurlSockets();
    CurlSockets(const CurlSockets&) = delete;
    CurlSockets& operator=(const CurlSockets&) = delete;
    ~CurlSockets() = default;

    CURLM* multi() const noexcept { return multi_.get(); }

    /// Waits until a socket is ready, `wake`, or `until`, and lets libcurl work on what is ready.
    void wait(MonotonicTime until);
    /// Lets libcurl work on what is due: new handles, time-outs.
    void run_due();
    /// Ends a `wait`, now or to come. From any thread.
    void wake() noexcept;

private:
    static int on_socket(CURL* easy, curl_socket_t socket, int what, void* self, void* watched);
    static int on_timer(CURLM* multi, long milliseconds, void* self);

    OwnedDescriptor epoll_;
    OwnedDescriptor event_;
    MonotonicTime due_ = MonotonicTime::max();
    CurlMulti multi_;  // its end still calls on_socket
};

}  // namespace twiliowa::detail
