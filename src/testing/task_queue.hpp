/// @file
/// Things to do later, in order of their times.
#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include <twiliowa/types/clock.hpp>

namespace twiliowa::detail {

/// Tasks by time; those of the same time in the order they were added. Not thread-safe.
class TimedTaskQueue {
public:
    struct Entry {
        MonotonicTime when = {};
        unsigned long long order = 0;
        std::function<void()> task = {};
    };

    void push(MonotonicTime when, std::function<void()> task) {
        heap_.push_back({when, next_order_++, std::move(task)});
        std::push_heap(heap_.begin(), heap_.end(), is_later);
    }
    std::optional<MonotonicTime> next_time() const {
        if (heap_.empty()) return std::nullopt;
        return heap_.front().when;
    }
    std::optional<Entry> pop() {
        if (heap_.empty()) return std::nullopt;
        std::pop_heap(heap_.begin(), heap_.end(), is_later);
        Entry first = std::move(heap_.back());
        heap_.pop_back();
        return first;
    }

private:
    static bool is_later(const Entry& a, const Entry& b) noexcept {
        return a.when != b.when ? a.when > b.when : a.order > b.order;
    }
    std::vector<Entry> heap_;
    unsigned long long next_order_ = 0;
};

}  // namespace twiliowa::detail
