// SIGTERM and Ctrl-C, which end a system in an orderly way.
#pragma once

#include <csignal>

namespace support {

/// Make it before there are threads: all of them leave the signals to who waits.
class StopSignals {
public:
    StopSignals() {
        sigemptyset(&signals_);
        sigaddset(&signals_, SIGTERM);
        sigaddset(&signals_, SIGINT);
        pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    }
    void wait() const {
        int signal = 0;
        sigwait(&signals_, &signal);
    }

private:
    sigset_t signals_ = {};
};

}  // namespace support
