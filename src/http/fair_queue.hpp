/// @file
/// Those who wait for a slot, in turns by their key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>

namespace twiliowa::detail {

/// The keys take turns, one item each; items of one key go in their order. So whoever has few waits
/// for as many turns of the others, however many they have. Everything takes constant time, but for
/// the search among the items of one key. Not thread-safe.
template <class Item>
class FairQueue {
public:
    FairQueue() = default;
    FairQueue(const FairQueue&) = delete;
    FairQueue& operator=(const FairQueue&) = delete;
    ~FairQueue() = default;

    bool empty() const noexcept { return size_ == 0; }

    /// No other item has this `order`.
    void add(std::uint64_t key, std::uint64_t order, Item item) {
        const auto [found, is_new] = lines_.try_emplace(key);
        auto& line = found->second;
        line.items.emplace(order, std::move(item));
        ++size_;
        if (!is_new) return;
        line.key = key;
        append(line);
    }

    /// The next in turn; there is one.
    Item take_next() {
        // A key whose items were all taken out keeps its turn until it comes.
        while (first_->items.empty()) lines_.erase(pop().key);
        auto& line = pop();
        auto item = std::move(line.items.extract(line.items.begin()).mapped());
        if (line.items.empty()) {
            lines_.erase(line.key);
        } else {
            append(line);
        }
        end_taking();
        return item;
    }

    /// Takes this one out, which is in; whose turn it is stays as it is.
    Item take(std::uint64_t key, std::uint64_t order) {
        auto item = std::move(lines_.at(key).items.extract(order).mapped());
        end_taking();
        return item;
    }

private:
    struct Line {
        std::uint64_t key = 0;
        std::map<std::uint64_t, Item> items = {};
        Line* next = nullptr;  ///< In the order of turns.
    };

    void append(Line& line) noexcept {
        line.next = nullptr;
        (first_ == nullptr ? first_ : last_->next) = &line;
        last_ = &line;
    }
    Line& pop() noexcept { return *std::exchange(first_, first_->next); }

    void end_taking() noexcept {
        if (--size_ > 0) return;
        lines_.clear();
        first_ = nullptr;
    }

    std::unordered_map<std::uint64_t, Line> lines_ = {};
    Line* first_ = nullptr;
    Line* last_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace twiliowa::detail
