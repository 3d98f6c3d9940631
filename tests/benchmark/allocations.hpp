// Counts what this thread allocates. The program's operator new is replaced by one that counts.
#pragma once

namespace benchmark_support {

struct AllocationCounter {
    bool counting = false;
    long count = 0;
};

/// Of this thread.
AllocationCounter& allocations() noexcept;

}  // namespace benchmark_support
