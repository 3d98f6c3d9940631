#include <twiliowa/state/store.hpp>

#include <algorithm>
#include <functional>
#include <mutex>
#include <set>
#include <unordered_map>
#include <utility>

#include "state/store_writes.hpp"

namespace twiliowa {

Error store_error(std::string_view problem, std::string_view hint) {
    return Error{{.kind = ErrorKind::transport,
                  .effect = Effect::none,
                  .summary = std::string(problem),
                  .field = "store",
                  .hint = std::string(hint)}};
}

bool is_store_error(const Error& error) noexcept {
    return error.kind() == ErrorKind::transport && error.field() == "store";
}

Result<std::vector<std::optional<StoredValue>>> Store::get_each(std::span<const std::string> keys) {
    std::vector<std::optional<StoredValue>> entries;
    entries.reserve(keys.size());
    for (const auto& key : keys) {
        auto entry = get(key);
        if (!entry) return entry.error();
        entries.push_back(std::move(*entry));
    }
    return entries;
}

Result<std::vector<std::uint64_t>> Store::compare_and_set_each(std::span<const StoreWrite> writes) {
    std::vector<std::uint64_t> versions;
    versions.reserve(writes.size());
    for (const auto& each : writes) {
        const auto version =
            compare_and_set(each.key, each.expected, each.value, each.time_to_live, each.keep);
        if (!version) return version.error();
        versions.push_back(*version);
        if (*version == 0) break;
    }
    return versions;
}

namespace detail {

/// A key and its hash, which is made once of each: keys are long.
template <class Text>
struct HashedKey {
    explicit HashedKey(std::string_view key)
        : text(key), hash(std::hash<std::string_view>{}(key)) {}
    template <class Other>
    explicit HashedKey(const HashedKey<Other>& other) : text(other.text), hash(other.hash) {}
    Text text;
    std::size_t hash;
};
using StoredKey = HashedKey<std::string>;
using SoughtKey = HashedKey<std::string_view>;

struct KeyHash {
    using is_transparent = void;
    std::size_t operator()(const StoredKey& key) const noexcept { return key.hash; }
    std::size_t operator()(const SoughtKey& key) const noexcept { return key.hash; }
};
struct KeyEqual {
    using is_transparent = void;
    template <class A, class B>
    bool operator()(const HashedKey<A>& a, const HashedKey<B>& b) const noexcept {
        return a.hash == b.hash && a.text == b.text;
    }
};

namespace {

MonotonicTime expiry_after(MonotonicTime now, std::chrono::milliseconds time_to_live) {
    // Compared in milliseconds: `forever` does not fit into the clock's nanoseconds.
    const auto room = std::chrono::duration_cast<std::chrono::milliseconds>(
        MonotonicTime::max() - std::max(now, MonotonicTime{}));
    return time_to_live >= room ? MonotonicTime::max() : now + time_to_live;
}

}  // namespace
}  // namespace detail

struct MemoryStore::State {
    struct Entry {
        const detail::StoredKey* key = nullptr;  ///< Of the map, whose nodes do not move.
        std::string value = {};
        std::uint64_t version = 0;
        MonotonicTime expires = MonotonicTime::max();
        Keep keep = Keep::pinned;
        // Of an evictable entry: those written before and after it.
        Entry* older = nullptr;
        Entry* newer = nullptr;
    };
    using Entries = std::unordered_map<detail::StoredKey, Entry, detail::KeyHash, detail::KeyEqual>;

    explicit State(MemoryStoreOptions chosen) : options(std::move(chosen)) {}

    /// The entry, unless it has expired; one that has goes.
    Entries::iterator find_live(const detail::SoughtKey& key, MonotonicTime now) {
        const auto found = entries.find(key);
        if (found == entries.end() || found->second.expires > now) return found;
        remove(found);
        return entries.end();
    }

    void remove(Entries::iterator entry) {
        unlist(entry->second);
        entries.erase(entry);
    }

    /// Takes an entry out of the two indices.
    void unlist(Entry& entry) noexcept {
        unlist_expiry(entry);
        unlist_age(entry);
    }
    void unlist_expiry(Entry& entry) noexcept {
        if (entry.expires != MonotonicTime::max()) by_expiry.erase({entry.expires, &entry});
    }
    void unlist_age(Entry& entry) noexcept {
        if (entry.keep != Keep::evictable) return;
        (entry.older != nullptr ? entry.older->newer : oldest) = entry.newer;
        (entry.newer != nullptr ? entry.newer->older : newest) = entry.older;
    }
    void list_age(Entry& entry) noexcept {
        if (entry.keep != Keep::evictable) return;
        entry.newer = nullptr;
        entry.older = std::exchange(newest, &entry);
        (entry.older != nullptr ? entry.older->newer : oldest) = &entry;
    }

    /// What the entry is from now on. Where memory is wanting nothing has changed.
    void write(Entry& entry, std::string_view value, std::uint64_t version, MonotonicTime expires,
               Keep keep) {
        std::string text{value};
        if (expires != entry.expires) {
            // Most expire after all that are there.
            if (expires != MonotonicTime::max()) {
                by_expiry.insert(by_expiry.end(), {expires, &entry});
            }
            unlist_expiry(entry);
        }
        unlist_age(entry);
        entry.value = std::move(text);
        entry.version = version;
        entry.expires = expires;
        entry.keep = keep;
        list_age(entry);
    }

    /// Another one, of which nothing is left where memory is wanting.
    void add(const detail::SoughtKey& key, std::string_view value, std::uint64_t version,
             MonotonicTime expires, Keep keep) {
        const auto added = entries.try_emplace(detail::StoredKey{key}).first;
        added->second.key = &added->first;
        try {
            write(added->second, value, version, expires, keep);
        } catch (...) {
            entries.erase(added);
            throw;
        }
    }

    void remove(const Entry& entry) { remove(entries.find(detail::SoughtKey{*entry.key})); }

    bool remove_one_expired(MonotonicTime now) {
        if (by_expiry.empty() || by_expiry.begin()->first > now) return false;
        remove(*by_expiry.begin()->second);
        return true;
    }

    bool make_room(MonotonicTime now) {
        // Two for each one that comes: what has expired goes away in time, and no call takes long.
        if (remove_one_expired(now)) remove_one_expired(now);
        if (entries.size() < options.max_entries) return true;
        if (oldest == nullptr) return false;
        remove(*oldest);
        return true;
    }

    const MemoryStoreOptions options;
    mutable std::mutex mutex;
    Entries entries;
    std::set<std::pair<MonotonicTime, Entry*>> by_expiry;
    // Of the evictable entries, by when they were written.
    Entry* oldest = nullptr;
    Entry* newest = nullptr;
    std::uint64_t last_version = 0;
};

MemoryStore::MemoryStore(MemoryStoreOptions options) {
    if (options.max_entries == 0) Error::invalid_request("max_entries", "is 0").raise();
    if (options.max_entry_bytes == 0) Error::invalid_request("max_entry_bytes", "is 0").raise();
    if (!options.clock) options.clock = system_clock();
    state_ = std::make_unique<State>(std::move(options));
}

MemoryStore::~MemoryStore() = default;

Result<std::optional<StoredValue>> MemoryStore::get(std::string_view key) {
    const detail::SoughtKey sought{key};
    const auto now = state_->options.clock->monotonic_now();
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->find_live(sought, now);
    if (found == state_->entries.end()) return std::optional<StoredValue>{};
    return std::optional<StoredValue>{{found->second.value, found->second.version}};
}

Result<std::uint64_t> MemoryStore::compare_and_set(std::string_view key, std::uint64_t expected,
                                                   std::string_view value,
                                                   std::chrono::milliseconds time_to_live,
                                                   Keep keep) {
    const auto most = state_->options.max_entry_bytes;
    if (const auto fits = detail::check_entry_size(key, value, most); !fits) return fits.error();
    const detail::SoughtKey sought{key};
    const auto now = state_->options.clock->monotonic_now();
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->find_live(sought, now);
    const bool exists = found != state_->entries.end();
    if (expected != (exists ? found->second.version : 0)) return std::uint64_t{0};
    const auto version = ++state_->last_version;
    if (time_to_live <= std::chrono::milliseconds{0}) {
        if (exists) state_->remove(found);
        return version;
    }
    const auto expires = detail::expiry_after(now, time_to_live);
    if (exists) {
        state_->write(found->second, value, version, expires, keep);
    } else if (state_->make_room(now)) {
        state_->add(sought, value, version, expires, keep);
    } else {
        return store_error("is full of entries that must stay", "raise max_entries");
    }
    return version;
}

Result<bool> MemoryStore::erase(std::string_view key, std::uint64_t expected) {
    const detail::SoughtKey sought{key};
    const auto now = state_->options.clock->monotonic_now();
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->find_live(sought, now);
    if (found == state_->entries.end() || found->second.version != expected) return false;
    state_->remove(found);
    return true;
}

Result<std::vector<std::optional<StoredValue>>> MemoryStore::get_each(
    std::span<const std::string> keys) {
    std::vector<std::optional<StoredValue>> entries;
    entries.reserve(keys.size());
    const auto now = state_->options.clock->monotonic_now();
    const std::lock_guard lock(state_->mutex);
    for (const auto& key : keys) {
        auto& entry = entries.emplace_back();
        const auto found = state_->find_live(detail::SoughtKey{key}, now);
        if (found != state_->entries.end()) {
            entry = StoredValue{found->second.value, found->second.version};
        }
    }
    return entries;
}

std::size_t MemoryStore::size() const {
    const std::lock_guard lock(state_->mutex);
    return state_->entries.size();
}

}  // namespace twiliowa
