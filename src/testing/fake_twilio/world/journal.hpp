/// @file
/// The log of requests and webhooks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>

namespace twiliowa::testing::fake {

/// What the log keeps of a body or an answer, so that large ones do not fill the memory.
inline constexpr std::size_t kept_text = std::size_t{64} * 1024;

/// The newest records, each under its number.
template <class Record>
class FakeJournal {
public:
    void add(Record record, std::size_t limit) {
        records_.push_back(std::move(record));
        ++last_;
        while (records_.size() > limit) records_.pop_front();
    }
    std::uint64_t last_number() const noexcept { return last_; }
    /// The record of that number, or null when it is forgotten.
    Record* find(std::uint64_t number) noexcept {
        const auto first = last_ - records_.size() + 1;
        if (number < first || number > last_) return nullptr;
        return &records_[static_cast<std::size_t>(number - first)];
    }
    const std::deque<Record>& all() const noexcept { return records_; }

private:
    std::deque<Record> records_;
    std::uint64_t last_ = 0;
};

}  // namespace twiliowa::testing::fake
