#include "interruption.hpp"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

namespace cli {

twiliowa::CancelToken cancelled_by_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    twiliowa::CancelSource source;
    auto token = source.token();
    std::thread{[source, signals]() mutable {
        int received = 0;
        sigwait(&signals, &received);
        source.cancel();
        // The next one ends the process, whatever it is at.
        pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
        while (true) pause();
    }}.detach();
    return token;
}

}  // namespace cli
