/// @file
/// Where state is kept: `Store`, the interface, and `MemoryStore`, the default.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// What a store gives up first when it runs out of room.
enum class Keep {
    evictable,  ///< May be dropped early: what is lost is convenience.
    pinned,     ///< Stays until it expires or is erased: a running claim, an opt-out.
};

/// An entry as it was read.
struct StoredValue {
    std::string value = {};
    std::uint64_t version = 0;  ///< Never 0.
};

/// A write, as `compare_and_set` takes it.
struct StoreWrite {
    std::string_view key = {};
    std::uint64_t expected = 0;
    std::string_view value = {};
    std::chrono::milliseconds time_to_live{0};
    Keep keep = Keep::pinned;
};

/// Keys with values, versions and expiry: all that the library must remember.
///
/// To share state between processes, use one of those over SQLite, PostgreSQL or Redis, or
/// implement this over what you have. The contract, which everything above it relies on:
///
/// - Keys and values are opaque bytes; any byte may occur in them, NUL too. Keys may hold phone
///   numbers: do not log them.
/// - Each operation is atomic for its key, whoever else runs one, in this process or another. No
///   operation is atomic over several keys: `get_each` reads them one by one, as far as can be
///   told, and `compare_and_set_each` writes them so.
/// - A version is never 0, and is never given twice to one key, NOT EVEN after its entry expired or
///   was erased; else the holder of a lost lease could take another's for its own. Versions of a
///   key grow. Where a server can forget its last writes (a replica that takes over), a counter is
///   given twice: make the version of the server's time in microseconds, at least one more than the
///   entry's last, and random digits, and keep it when the entry goes.
/// - An entry whose time to live has passed is absent, for every operation. The store's clock
///   decides; holders of leases do not compare clocks.
/// - An operation that cannot be carried out answers `store_error`, and throws nothing. A write
///   whose answer was lost may have happened.
/// - Safe to call from any thread. Calls may block; they are made in the thread of the caller, and,
///   to learn from a refusal of an asynchronous send, in the thread of its completion.
class TWILIOWA_EXPORT Store {
public:
    /// The time to live of what does not expire.
    static constexpr std::chrono::milliseconds forever = (std::chrono::milliseconds::max)();

    virtual ~Store() = default;

    /// The entry, or nullopt if there is none.
    virtual Result<std::optional<StoredValue>> get(std::string_view key) = 0;

    /// Writes `value` if the entry's version is `expected` (0: if there is no entry). Returns the
    /// new version, or 0 if the version was another and nothing was written.
    /// @param time_to_live  from now; replaces the old one. Not positive: expired at once.
    virtual Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                                  std::string_view value,
                                                  std::chrono::milliseconds time_to_live,
                                                  Keep keep) = 0;

    /// Removes the entry if its version is `expected`; says whether it did.
    virtual Result<bool> erase(std::string_view key, std::uint64_t expected) = 0;

    /// The entries of all `keys`, in their order, each as `get` would give it. Override it where a
    /// server answers several keys in one round trip (Redis' MGET, SQL's IN); the default calls
    /// `get` for each.
    virtual Result<std::vector<std::optional<StoredValue>>> get_each(
        std::span<const std::string> keys);

    /// Writes one after the other, each as `compare_and_set` would, up to the first that is
    /// refused. Returns what each of them was answered: versions, and if one was refused, 0 at the
    /// end. After an error some may be written. Override it where a server takes several in one
    /// round trip, or a disk in one commit; the default calls `compare_and_set` for each.
    virtual Result<std::vector<std::uint64_t>> compare_and_set_each(
        std::span<const StoreWrite> writes);
};

/// What a store answers when it cannot do its work: a TransportError of effect none whose field is
/// "store". `problem` holds no key and no value.
TWILIOWA_EXPORT Error store_error(std::string_view problem, std::string_view hint = {});
/// Whether `error` came from a store.
TWILIOWA_EXPORT bool is_store_error(const Error& error) noexcept;

/// Options of MemoryStore.
struct MemoryStoreOptions {
    std::size_t max_entries = 100'000;
    /// Key and value together; a larger entry is refused.
    std::size_t max_entry_bytes = 4'096;
    /// Default: the machine's. Expiry goes by its monotonic time.
    std::shared_ptr<Clock> clock = {};
};

/// A store in this process's memory: lost with it, shared with nobody. Thread-safe.
///
/// Bounded: when it is full, a new entry first takes the place of one that has expired, then of the
/// evictable one that was written longest ago. A pinned entry is never dropped before its time;
/// when nothing else is left, the new entry is refused ("is full").
class TWILIOWA_EXPORT MemoryStore final : public Store {
public:
    /// @throws InvalidRequestError if a limit is 0.
    explicit MemoryStore(MemoryStoreOptions options = {});
    MemoryStore(const MemoryStore&) = delete;
    MemoryStore& operator=(const MemoryStore&) = delete;
    ~MemoryStore() override;

    Result<std::optional<StoredValue>> get(std::string_view key) override;
    Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                          std::string_view value,
                                          std::chrono::milliseconds time_to_live,
                                          Keep keep) override;
    Result<bool> erase(std::string_view key, std::uint64_t expected) override;
    Result<std::vector<std::optional<StoredValue>>> get_each(
        std::span<const std::string> keys) override;

    /// Entries held, those included that have expired and not been cleared away yet.
    std::size_t size() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa
