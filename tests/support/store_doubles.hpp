/// @file
/// Stores that misbehave, or let a test step between a read and a write.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

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
    Result<std::vector<std::optional<StoredValue>>> get_each(
        std::span<const std::string> keys) override {
        ++gets;
        if (const auto step = std::exchange(before_read, nullptr)) step();
        return inner.get_each(keys);
    }
    Result<std::vector<std::uint64_t>> compare_and_set_each(
        std::span<const StoreWrite> all) override {
        ++writes;
        if (const auto step = std::exchange(before_write, nullptr)) step();
        return inner.compare_and_set_each(all);
    }

    MemoryStore inner;
    std::function<void()> before_read = {};   ///< Called once.
    std::function<void()> before_write = {};  ///< Called once.
    int gets = 0;
    int writes = 0;
};

/// A store that shows all that it holds, which nothing else does.
class GlassStore final : public Store {
public:
    struct Entry {
        std::string value = {};
        std::uint64_t version = 0;
        std::chrono::milliseconds time_to_live{0};
        Keep keep = Keep::evictable;
    };

    Result<std::optional<StoredValue>> get(std::string_view key) override {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(key);
        if (found == entries_.end()) return std::optional<StoredValue>{};
        return std::optional<StoredValue>{{found->second.value, found->second.version}};
    }
    Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                          std::string_view value,
                                          std::chrono::milliseconds time_to_live,
                                          Keep keep) override {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(key);
        const auto version = found == entries_.end() ? 0 : found->second.version;
        if (version != expected) return std::uint64_t{0};
        entries_[std::string(key)] = {std::string(value), ++last_version_, time_to_live, keep};
        return last_version_;
    }
    Result<bool> erase(std::string_view key, std::uint64_t expected) override {
        const std::lock_guard lock(mutex_);
        const auto found = entries_.find(key);
        if (found == entries_.end() || found->second.version != expected) return false;
        entries_.erase(found);
        return true;
    }

    /// What it holds whose key begins with `what`.
    std::map<std::string, Entry> all(std::string_view what = {}) const {
        const std::lock_guard lock(mutex_);
        std::map<std::string, Entry> found;
        for (const auto& [key, entry] : entries_) {
            if (key.starts_with(what)) found.emplace(key, entry);
        }
        return found;
    }
    /// Whether `text` is anywhere in it.
    bool holds(std::string_view text) const {
        const std::lock_guard lock(mutex_);
        for (const auto& [key, entry] : entries_) {
            if (key.find(text) != std::string::npos) return true;
            if (entry.value.find(text) != std::string::npos) return true;
        }
        return false;
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, Entry, std::less<>> entries_;
    std::uint64_t last_version_ = 0;
};

}  // namespace twiliowa::testing
