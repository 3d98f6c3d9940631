/// @file
/// Writing to a connection whose other end has gone, without the signal for it.
#pragma once

#include <csignal>
#include <ctime>

#include <pthread.h>

namespace twiliowa::detail {

/// Keeps SIGPIPE from this thread as long as it lives. For writes of others: OpenSSL's, which take
/// no flag that says so.
class QuietPipe {
public:
    QuietPipe() noexcept {
        sigemptyset(&pipe_);
        sigaddset(&pipe_, SIGPIPE);
        sigset_t pending;
        ::sigpending(&pending);
        was_pending_ = sigismember(&pending, SIGPIPE) == 1;
        ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
    }
    QuietPipe(const QuietPipe&) = delete;
    QuietPipe& operator=(const QuietPipe&) = delete;
    ~QuietPipe() {
        const timespec at_once{};
        if (!was_pending_) ::sigtimedwait(&pipe_, nullptr, &at_once);
        ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
    }

private:
    sigset_t pipe_ = {};
    sigset_t before_ = {};
    bool was_pending_ = false;
};

}  // namespace twiliowa::detail
