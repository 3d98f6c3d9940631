#include "state/store_deadline.hpp"

#include <algorithm>
#include <utility>

#include "types/duration_bound.hpp"

namespace twiliowa::detail {

namespace {

MonotonicTime& deadline_of_this_thread() noexcept {
    thread_local MonotonicTime deadline = MonotonicTime::max();
    return deadline;
}

MonotonicTime earlier_of(MonotonicTime outer, std::chrono::milliseconds left) noexcept {
    return std::min(outer, time_after(std::chrono::steady_clock::now(), left));
}

}  // namespace

MonotonicTime store_deadline() noexcept {
    return deadline_of_this_thread();
}

StoreDeadline::StoreDeadline(std::chrono::milliseconds left) noexcept
    : before_(
          std::exchange(deadline_of_this_thread(), earlier_of(deadline_of_this_thread(), left))) {}

StoreDeadline::~StoreDeadline() {
    deadline_of_this_thread() = before_;
}

}  // namespace twiliowa::detail
