/// @file
/// Stores that misbehave, or let a test step between a read and a write.
#pragma once

#include <functional>
#include <memory>
#include <stdexcept>
#include <utility>

#include <twiliowa/state/store.hpp>

namespace twiliowa::testing {

/// Can do nothing.
class BrokenStore final : public Store {
public:
    Result<std::optional<StoredValue>> get(std::string_view) override { return failure(); }
    Result<std::uint64_t> compare_and_set(std::string_view, std::uint64_t, std::string_view,
                                          std::chrono::milliseconds, Keep) override {
        return failure();
    }
    Result<bool> erase(std::string_view, std::uint64_t) override { return failure(); }

private:
    static Error failure() { return store_error("cannot be reached"); }
};

/// Breaks its promise, as a database's client may.
class ThrowingStore final : public Store {
public:
    Result<std::optional<StoredValue>> get(std::string_view) override { throw 7; }
    Result<std::uint64_t> compare_and_set(std::string_view, std::uint64_t, std::string_view,
                                          std::chrono::milliseconds, Keep) override {
        throw std::runtime_error("connection to 10.0.0.7 lost");
    }
    Result<bool> erase(std::string_view, std::uint64_t) override { throw 7; }
};

/// A MemoryStore that lets a test act ahead of the next get or compare_and_set, and counts them.
class SteppedStore final : public Store {
public:
    explicit SteppedStore(MemoryStoreOptions options = {}) : inner(std::move(options)) {}

    Result<std::optional<StoredValue>> get(std::string_view key) override {
        ++gets;
        if (const auto step = std::exchange(before_read, nullptr)) step();
        return inner.get(key);
    }
    Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                          std::string_view value,
                                          std::chrono::milliseconds time_to_live,
                                          Keep keep) override {
        ++writes;
        if (const auto step = std::exchange(before_write, nullptr)) step();
        return inner.compare_and_set(key, expected, value, time_to_live, keep);
    }
    Result<bool> erase(std::string_view key, std::uint64_t expected) override {
        return inner.erase(key, expected);
    }

    MemoryStore inner;
    std::function<void()> before_read = {};   ///< Called once.
    std::function<void()> before_write = {};  ///< Called once.
    int gets = 0;
    int writes = 0;
};

}  // namespace twiliowa::testing
