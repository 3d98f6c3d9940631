#include "allocations.hpp"

#include <cstddef>
#include <cstdlib>
#include <new>

namespace benchmark_support {

AllocationCounter& allocations() noexcept {
    thread_local AllocationCounter counter;
    return counter;
}

}  // namespace benchmark_support

namespace {

void* counted_allocation(std::size_t size) {
    auto& counter = benchmark_support::allocations();
    if (counter.counting) ++counter.count;
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) {
    return counted_allocation(size);
}
void* operator new[](std::size_t size) {
    return counted_allocation(size);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}
