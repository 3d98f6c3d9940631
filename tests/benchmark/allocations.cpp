#include "allocations.hpp"

#include <cstddef>

namespace benchmark_support {

namespace {

constinit AllocationCounter counter;

void count_one() noexcept {
    if (counter.counting.load(std::memory_order_relaxed)) {
        counter.count.fetch_add(1, std::memory_order_relaxed);
    }
}

}  // namespace

AllocationCounter& allocations() noexcept {
    return counter;
}

}  // namespace benchmark_support

// What glibc calls its own, where a program has replaced them.
extern "C" {

void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);

void* malloc(std::size_t size) {
    benchmark_support::count_one();
    return __libc_malloc(size);
}
void* calloc(std::size_t count, std::size_t size) {
    benchmark_support::count_one();
    return __libc_calloc(count, size);
}
void* realloc(void* memory, std::size_t size) {
    benchmark_support::count_one();
    return __libc_realloc(memory, size);
}
}
