#include <twiliowa/state/private_store.hpp>

#include <utility>

#include "state/guarded_store.hpp"
#include "state/masked_sender.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr std::string_view hashed_key_purpose = "twiliowa store key";

/// What a value is bound to. No other use of the ring has texts that begin with it.
std::string sealed_value_place(std::string_view key) {
    return std::string{"twiliowa store value "}.append(key);
}

Error no_key_for_it() {
    return store_error("has no key to seal, hash or open with", "see the key ring");
}

/// As a store says it: what the Sealer says is for who calls it.
Error sealing_failed(const Error& error) {
    if (error.field() == "sealed") {
        return store_error("holds a value that does not open",
                           "it was not sealed, was altered or moved, or the ring lacks its key");
    }
    if (error.field() == "keys") {
        return no_key_for_it();
    }
    return store_error("refuses an entry of that size", "it is too long to be sealed or hashed");
}

}  // namespace
}  // namespace detail

// ---- HashedStore

HashedStore::HashedStore(std::shared_ptr<Store> store, const Sealer& sealer, std::string key_id)
    : store_(detail::guarded_store(std::move(store))),
      sealer_(sealer),
      key_id_(std::move(key_id)) {}

HashedStore::~HashedStore() = default;

Result<std::string> HashedStore::hashed(std::string_view key) const {
    auto index = detail::blind_index_of(sealer_, key, detail::hashed_key_purpose, key_id_);
    if (!index) return detail::sealing_failed(index.error());
    return *index ? Result<std::string>{std::move(**index)} : detail::no_key_for_it();
}

Result<std::optional<StoredValue>> HashedStore::get(std::string_view key) {
    const auto index = hashed(key);
    if (!index) return index.error();
    return store_->get(*index);
}

Result<std::uint64_t> HashedStore::compare_and_set(std::string_view key, std::uint64_t expected,
                                                   std::string_view value,
                                                   std::chrono::milliseconds time_to_live,
                                                   Keep keep) {
    const auto index = hashed(key);
    if (!index) return index.error();
    return store_->compare_and_set(*index, expected, value, time_to_live, keep);
}

Result<bool> HashedStore::erase(std::string_view key, std::uint64_t expected) {
    const auto index = hashed(key);
    if (!index) return index.error();
    return store_->erase(*index, expected);
}

Result<std::vector<std::optional<StoredValue>>> HashedStore::get_each(
    std::span<const std::string> keys) {
    std::vector<std::string> indexes;
    indexes.reserve(keys.size());
    for (const auto& key : keys) {
        auto index = hashed(key);
        if (!index) return index.error();
        indexes.push_back(std::move(*index));
    }
    return store_->get_each(indexes);
}

Result<std::vector<std::uint64_t>> HashedStore::compare_and_set_each(
    std::span<const StoreWrite> writes) {
    std::vector<std::string> indexes;
    indexes.reserve(writes.size());
    std::vector<StoreWrite> hidden{writes.begin(), writes.end()};
    for (auto& each : hidden) {
        auto index = hashed(each.key);
        if (!index) return index.error();
        each.key = indexes.emplace_back(std::move(*index));
    }
    return store_->compare_and_set_each(hidden);
}

// ---- SealedStore

SealedStore::SealedStore(std::shared_ptr<Store> store, const Sealer& sealer)
    : store_(detail::guarded_store(std::move(store))), sealer_(sealer) {}

SealedStore::~SealedStore() = default;

Result<std::optional<StoredValue>> SealedStore::opened(std::string_view key,
                                                       std::optional<StoredValue> entry) const {
    if (!entry) return entry;
    auto plain = sealer_.open(entry->value, detail::sealed_value_place(key));
    if (!plain) return detail::sealing_failed(plain.error());
    entry->value = std::move(*plain);
    return entry;
}

Result<std::optional<StoredValue>> SealedStore::get(std::string_view key) {
    auto entry = store_->get(key);
    if (!entry) return entry.error();
    return opened(key, std::move(*entry));
}

Result<std::uint64_t> SealedStore::compare_and_set(std::string_view key, std::uint64_t expected,
                                                   std::string_view value,
                                                   std::chrono::milliseconds time_to_live,
                                                   Keep keep) {
    const auto sealed = sealer_.seal(value, detail::sealed_value_place(key));
    if (!sealed) return detail::sealing_failed(sealed.error());
    return store_->compare_and_set(key, expected, *sealed, time_to_live, keep);
}

Result<bool> SealedStore::erase(std::string_view key, std::uint64_t expected) {
    return store_->erase(key, expected);
}

Result<std::vector<std::optional<StoredValue>>> SealedStore::get_each(
    std::span<const std::string> keys) {
    auto entries = store_->get_each(keys);
    if (!entries) return entries.error();
    for (std::size_t i = 0; i < keys.size(); ++i) {
        auto entry = opened(keys[i], std::move((*entries)[i]));
        if (!entry) return entry.error();
        (*entries)[i] = std::move(*entry);
    }
    return entries;
}

Result<std::vector<std::uint64_t>> SealedStore::compare_and_set_each(
    std::span<const StoreWrite> writes) {
    std::vector<std::string> values;
    values.reserve(writes.size());
    std::vector<StoreWrite> hidden{writes.begin(), writes.end()};
    for (auto& each : hidden) {
        auto sealed = sealer_.seal(each.value, detail::sealed_value_place(each.key));
        if (!sealed) return detail::sealing_failed(sealed.error());
        each.value = values.emplace_back(std::move(*sealed));
    }
    return store_->compare_and_set_each(hidden);
}

}  // namespace twiliowa
