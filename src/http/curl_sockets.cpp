#include "http/curl_sockets.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <new>
#include <system_error>

namespace twiliowa::detail {

namespace {

constexpr std::chrono::milliseconds longest_wait{60'000};

int checked_descriptor(int descriptor, const char* what) {
    if (descriptor < 0) throw std::system_error(errno, std::generic_category(), what);
    return descriptor;
}

int wait_milliseconds(MonotonicTime until) {
    // Compared first: the extremes overflow when subtracted from.
    const auto now = std::chrono::steady_clock::now();
    if (until <= now) return 0;
    if (until >= now + longest_wait) return static_cast<int>(longest_wait.count());
    return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(until - now).count());
}

}  // namespace

OwnedDescriptor::~OwnedDescriptor() {
    if (descriptor_ >= 0) close(descriptor_);
}

CurlSockets::CurlSockets()
    : epoll_(checked_descriptor(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")),
      event_(checked_descriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")),
      multi_(curl_multi_init()) {
    if (!multi_) throw std::bad_alloc();
    // Edge-triggered: each write counts, and nobody has to read it.
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.fd = event_.get();
    checked_descriptor(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, event_.get(), &event), "epoll_ctl");
    curl_multi_setopt(multi(), CURLMOPT_SOCKETFUNCTION, &CurlSockets::on_socket);
    curl_multi_setopt(multi(), CURLMOPT_SOCKETDATA, static_cast<void*>(this));
    curl_multi_setopt(multi(), CURLMOPT_TIMERFUNCTION, &CurlSockets::on_timer);
    curl_multi_setopt(multi(), CURLMOPT_TIMERDATA, static_cast<void*>(this));
}

void CurlSockets::wait(MonotonicTime until) {
    std::array<epoll_event, 64> events{};
    const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                 wait_milliseconds(std::min(until, due_)));
    for (int i = 0; i < count; ++i) {
        const auto& event = events[static_cast<std::size_t>(i)];
        if (event.data.fd == event_.get()) continue;
        int ready = 0;
        if ((event.events & (EPOLLIN | EPOLLHUP)) != 0) ready |= CURL_CSELECT_IN;
        if ((event.events & EPOLLOUT) != 0) ready |= CURL_CSELECT_OUT;
        if ((event.events & EPOLLERR) != 0) ready |= CURL_CSELECT_ERR;
        int running = 0;
        curl_multi_socket_action(multi(), event.data.fd, ready, &running);
    }
}

void CurlSockets::run_due() {
    if (due_ == MonotonicTime::max() || due_ > std::chrono::steady_clock::now()) return;
    due_ = MonotonicTime::max();  // libcurl sets the next one
    int running = 0;
    curl_multi_socket_action(multi(), CURL_SOCKET_TIMEOUT, 0, &running);
}

void CurlSockets::wake() noexcept {
    const std::uint64_t one = 1;
    static_cast<void>(!write(event_.get(), &one, sizeof one));
}

// `watched` is what curl_multi_assign gave the socket: null until it is watched, and again after
// it was removed.
int CurlSockets::on_socket(CURL*, curl_socket_t socket, int what, void* self, void* watched) {
    auto& sockets = *static_cast<CurlSockets*>(self);
    const int epoll = sockets.epoll_.get();
    epoll_event event{};
    event.data.fd = socket;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, socket, &event);
        return 0;
    }
    if ((what & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
    if ((what & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
    if (watched != nullptr && epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event) == 0) return 0;
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) != 0) return -1;
    curl_multi_assign(sockets.multi(), socket, self);
    return 0;
}

int CurlSockets::on_timer(CURLM*, long milliseconds, void* self) {
    auto& due = static_cast<CurlSockets*>(self)->due_;
    if (milliseconds < 0) {
        due = MonotonicTime::max();
    } else if (milliseconds == 0) {
        due = MonotonicTime::min();
    } else {
        due = std::chrono::steady_clock::now() + std::chrono::milliseconds{milliseconds};
    }
    return 0;
}

}  // namespace twiliowa::detail
