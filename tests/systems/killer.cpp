// Loaded before a program's libraries (LD_PRELOAD), this kills it by SIGKILL at a moment of the
// test's choice: before or after the n-th time that it makes something last on the disk, or sends
// something. It also takes the clocks ahead, so that who comes up after a death need not wait for
// what time alone ends.
//
// KILLER_AT: which of these moments, from 1. KILLER_AHEAD: seconds.
#include <dlfcn.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

namespace {

long setting(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? 0 : std::strtol(value, nullptr, 10);
}

void pass_moment() {
    static const long chosen = setting("KILLER_AT");
    static std::atomic<long> passed{0};
    if (++passed == chosen) ::kill(::getpid(), SIGKILL);
}

template <class Function>
Function* real(const char* name) {
    return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

int fdatasync(int file) {
    static auto* const next = real<int(int)>("fdatasync");
    pass_moment();
    const int result = next(file);
    pass_moment();
    return result;
}

int fsync(int file) {
    static auto* const next = real<int(int)>("fsync");
    pass_moment();
    const int result = next(file);
    pass_moment();
    return result;
}

ssize_t send(int socket, const void* data, size_t size, int flags) {
    static auto* const next = real<ssize_t(int, const void*, size_t, int)>("send");
    pass_moment();
    const auto result = next(socket, data, size, flags);
    pass_moment();
    return result;
}

int clock_gettime(clockid_t clock, struct timespec* time) {
    static auto* const next = real<int(clockid_t, struct timespec*)>("clock_gettime");
    static const long ahead = setting("KILLER_AHEAD");
    const int result = next(clock, time);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_BOOTTIME)) time->tv_sec += ahead;
    return result;
}

}  // extern "C"
