/// @file
/// Stores in which no phone number is kept in the clear, over any other one.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/state/sealer.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// Gives another store the keys' blind indexes in place of the keys: which number a key is of,
/// nobody can tell without the key ring. Values go as they are: put a SealedStore beside it.
///
/// All of them are hashed with one key of the ring, for good, whichever seals: the ring is rotated
/// around it. To take another forgets everything: entries are not found any more, and go when they
/// expire. All processes name the same.
///
/// Thread-safe. Errors of the Sealer become a store_error.
class TWILIOWA_EXPORT HashedStore final : public Store {
public:
    /// @param key_id  of the key that hashes. One that the ring does not have is a store_error of
    ///     each operation.
    /// @throws InvalidRequestError if there is no store.
    HashedStore(std::shared_ptr<Store> store, const Sealer& sealer, std::string key_id);
    HashedStore(const HashedStore&) = delete;
    HashedStore& operator=(const HashedStore&) = delete;
    ~HashedStore() override;

    Result<std::optional<StoredValue>> get(std::string_view key) override;
    Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                          std::string_view value,
                                          std::chrono::milliseconds time_to_live,
                                          Keep keep) override;
    Result<bool> erase(std::string_view key, std::uint64_t expected) override;
    Result<std::vector<std::optional<StoredValue>>> get_each(
        std::span<const std::string> keys) override;
    Result<std::vector<std::uint64_t>> compare_and_set_each(
        std::span<const StoreWrite> writes) override;

private:
    Result<std::string> hashed(std::string_view key) const;

    std::shared_ptr<Store> store_;
    Sealer sealer_;
    std::string key_id_;
};

/// Seals the values for another store, with the newest key of the ring, and opens them with any:
/// keys are rotated as usual. A value is bound to its key: moved to another one it does not open.
/// It takes a third more room, and 45 to 60 bytes: mind the other store's limit.
///
/// Values that were there before it do not open, which is a store_error: begin with an empty store,
/// or another prefix.
///
/// Thread-safe. Errors of the Sealer become a store_error.
class TWILIOWA_EXPORT SealedStore final : public Store {
public:
    /// @throws InvalidRequestError if there is no store.
    SealedStore(std::shared_ptr<Store> store, const Sealer& sealer);
    SealedStore(const SealedStore&) = delete;
    SealedStore& operator=(const SealedStore&) = delete;
    ~SealedStore() override;

    Result<std::optional<StoredValue>> get(std::string_view key) override;
    Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                          std::string_view value,
                                          std::chrono::milliseconds time_to_live,
                                          Keep keep) override;
    Result<bool> erase(std::string_view key, std::uint64_t expected) override;
    Result<std::vector<std::optional<StoredValue>>> get_each(
        std::span<const std::string> keys) override;
    Result<std::vector<std::uint64_t>> compare_and_set_each(
        std::span<const StoreWrite> writes) override;

private:
    Result<std::optional<StoredValue>> opened(std::string_view key,
                                              std::optional<StoredValue> entry) const;

    std::shared_ptr<Store> store_;
    Sealer sealer_;
};

}  // namespace twiliowa
