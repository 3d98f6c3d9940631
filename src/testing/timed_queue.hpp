/// @file
/// Things to come, in order of their times.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include <twiliowa/types/clock.hpp>

namespace twiliowa::testing::shared {

/// Items by time; those of the same time in the order they were added. Not thread-safe.
template <class Item>
class TimedQueue {
public:
    struct Entry {
        MonotonicTime when = {};
        std::uint64_t order = 0;
        Item item = {};
    };

    void push(MonotonicTime when, Item item) {
        heap_.push_back({when, next_order_++, std::move(item)});
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
    /// The first entry that is due at `until` and for which `is_wanted` holds, wherever it stands.
    template <class IsWanted>
    std::optional<Entry> take_due(MonotonicTime until, IsWanted is_wanted) {
        auto first = heap_.end();
        for (auto at = heap_.begin(); at != heap_.end(); ++at) {
            if (at->when > until || !is_wanted(at->item)) continue;
            if (first == heap_.end() || is_later(*first, *at)) first = at;
        }
        if (first == heap_.end()) return std::nullopt;
        Entry taken = std::move(*first);
        heap_.erase(first);
        std::make_heap(heap_.begin(), heap_.end(), is_later);
        return taken;
    }
    void clear() noexcept { heap_.clear(); }
    /// All of them, in order.
    std::vector<Entry> sorted() const {
        auto entries = heap_;
        std::sort(entries.begin(), entries.end(),
                  [](const Entry& a, const Entry& b) { return is_later(b, a); });
        return entries;
    }

private:
    static bool is_later(const Entry& a, const Entry& b) noexcept {
        return a.when != b.when ? a.when > b.when : a.order > b.order;
    }
    std::vector<Entry> heap_;
    std::uint64_t next_order_ = 0;
};

}  // namespace twiliowa::testing::shared
