#include "state/guarded_store.hpp"

#include <algorithm>
#include <utility>

namespace twiliowa::detail {

namespace {

/// A store promises not to throw; one on a database's client may all the same.
class GuardedStore final : public Store {
public:
    explicit GuardedStore(std::shared_ptr<Store> store) noexcept : store_(std::move(store)) {}

    Result<std::optional<StoredValue>> get(std::string_view key) override {
        return guarded([&] { return store_->get(key); });
    }
    Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                          std::string_view value,
                                          std::chrono::milliseconds time_to_live,
                                          Keep keep) override {
        return guarded(
            [&] { return store_->compare_and_set(key, expected, value, time_to_live, keep); });
    }
    Result<bool> erase(std::string_view key, std::uint64_t expected) override {
        return guarded([&] { return store_->erase(key, expected); });
    }
    Result<std::vector<std::optional<StoredValue>>> get_each(
        std::span<const std::string> keys) override {
        return guarded([&]() -> Result<std::vector<std::optional<StoredValue>>> {
            auto entries = store_->get_each(keys);
            if (entries && entries->size() != keys.size()) {
                return store_error("answers another number of keys than it was asked for");
            }
            return entries;
        });
    }
    Result<std::vector<std::uint64_t>> compare_and_set_each(
        std::span<const StoreWrite> writes) override {
        return guarded([&]() -> Result<std::vector<std::uint64_t>> {
            auto versions = store_->compare_and_set_each(writes);
            if (versions && !answers_all(*versions, writes.size())) {
                return store_error("answers another number of writes than it was asked for");
            }
            return versions;
        });
    }

private:
    /// Each that was written, and the first that was refused.
    static bool answers_all(std::span<const std::uint64_t> versions, std::size_t asked) {
        const auto refused = std::find(versions.begin(), versions.end(), 0);
        if (refused == versions.end()) return versions.size() == asked;
        return refused + 1 == versions.end() && versions.size() <= asked;
    }

    template <class Operation>
    static auto guarded(const Operation& operation) -> decltype(operation()) {
        try {
            return operation();
        } catch (...) {
            return store_error("threw an exception", "a Store answers store_error instead");
        }
    }

    std::shared_ptr<Store> store_;
};

}  // namespace

std::shared_ptr<Store> guarded_store(std::shared_ptr<Store> store) {
    if (!store) Error::invalid_request("store", "is null", "give a MemoryStore").raise();
    return std::make_shared<GuardedStore>(std::move(store));
}

}  // namespace twiliowa::detail
