// Counts what this process takes from the heap, libraries included: malloc is replaced by one that
// counts.
#pragma once

#include <atomic>

namespace benchmark_support {

struct AllocationCounter {
    std::atomic<bool> counting = false;
    std::atomic<long> count = 0;
};

AllocationCounter& allocations() noexcept;

}  // namespace benchmark_support
