/// @file
/// What will happen in the fake by itself, as data, so that it can be saved.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/types/clock.hpp>

namespace twiliowa::testing::fake {

struct FakeEvent {
    enum class Kind {
        step,      ///< A message leaves the status `expected`; `subject` is its SID.
        webhook,   ///< A webhook goes out; `subject` is its job.
        release,   ///< A webhook that was held back goes out at last; `subject` is its job.
        approval,  ///< A template's approval leaves `expected`; `subject` is its SID.
    };
    MonotonicTime when = {};
    Kind kind = Kind::step;
    std::string subject = {};
    std::string expected = {};
    std::uint64_t order = 0;  ///< Given by the queue.
};

/// Events by time; those of the same time in the order they were added. Not thread-safe.
class FakeEventQueue {
public:
    void push(FakeEvent event) {
        event.order = next_order_++;
        heap_.push_back(std::move(event));
        std::push_heap(heap_.begin(), heap_.end(), is_later);
    }
    std::optional<MonotonicTime> next_time() const {
        if (heap_.empty()) return std::nullopt;
        return heap_.front().when;
    }
    FakeEvent pop() {
        std::pop_heap(heap_.begin(), heap_.end(), is_later);
        FakeEvent first = std::move(heap_.back());
        heap_.pop_back();
        return first;
    }
    void clear() noexcept { heap_.clear(); }
    /// All of them, in order.
    std::vector<FakeEvent> sorted() const {
        auto events = heap_;
        std::sort(events.begin(), events.end(),
                  [](const FakeEvent& a, const FakeEvent& b) { return is_later(b, a); });
        return events;
    }

private:
    static bool is_later(const FakeEvent& a, const FakeEvent& b) noexcept {
        return a.when != b.when ? a.when > b.when : a.order > b.order;
    }
    std::vector<FakeEvent> heap_;
    std::uint64_t next_order_ = 0;
};

}  // namespace twiliowa::testing::fake
