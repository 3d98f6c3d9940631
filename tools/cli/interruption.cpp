#include "interruption.hpp"

#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace cli {

namespace {

/// Takes what repeats a signal within its second: who passes one on to a process and to its group
/// as well (timeout, npm) sends it twice.
void take_repetitions(const sigset_t& signals) {
    std::this_thread::sleep_for(std::chrono::seconds{1});  // they are blocked
    constexpr timespec at_once{};
    while (sigtimedwait(&signals, nullptr, &at_once) > 0) {
    }
}

/// Whoever started this wants it to go on: a shell, of what it runs in the background.
bool is_ignored(int signal) {
    struct sigaction present {};
    return sigaction(signal, nullptr, &present) == 0 && present.sa_handler == SIG_IGN;
}

}  // namespace

twiliowa::CancelToken cancelled_by_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM}) {
        if (!is_ignored(signal)) sigaddset(&signals, signal);
    }
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    twiliowa::CancelSource source;
    auto token = source.token();
    std::thread{[source, signals]() mutable {
        int received = 0;
        sigwait(&signals, &received);
        source.cancel();
        take_repetitions(signals);
        // The next one ends the process, whatever it is at.
        pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
        while (true) pause();
    }}.detach();
    return token;
}

}  // namespace cli
