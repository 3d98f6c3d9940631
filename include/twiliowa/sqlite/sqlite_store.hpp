/// @file
/// A Store in a file of SQLite: what is remembered survives the process, and processes of one
/// machine share it. Link `twiliowa::sqlite`.
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

#include <twiliowa/state/store.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// Options of SqliteStore.
struct SqliteStoreOptions {
    /// Whether a file that is not there is made, for its owner alone.
    bool create = true;
    /// Key and value together; a larger entry is refused.
    std::size_t max_entry_bytes = 4'096;
    /// How long an operation waits for another process that writes, before it answers an error.
    std::chrono::milliseconds busy_timeout{5'000};
    /// Default: the machine's. Expiry goes by its calendar time, which outlives a process: one that
    /// is set back makes entries live longer by as much.
    std::shared_ptr<Clock> clock = {};
};

/// A store in one file, on a disk of this machine (not of the network), for any number of threads
/// and processes. What was written is on the disk when the call returns (WAL, synchronous=FULL): a
/// write costs an fsync, which writes of several threads share, and a read none.
///
/// Nothing is ever dropped before its time, evictable or pinned: the disk is the limit. A full disk
/// refuses writes and loses nothing. Entries that have expired go in small batches with the writes
/// that follow; what is erased is overwritten (`secure_delete`).
///
/// Thread-safe: one connection writes and one reads, each for one thread at a time. Threads that
/// write at once wait for one commit, made by one of them (group commit). SQLite lets one write at
/// a time whatever there is, and readers do not wait for the disk. Open one in each process after
/// fork(); one that was opened before answers an error in the child.
///
/// Errors are those of `store_error`, each with its way out, without keys, values and paths. One
/// file holds the entries of one SqliteStore and nothing else.
class SqliteStore final : public Store {
public:
    /// Opens the file, and makes its table where it is new.
    /// @throws InvalidRequestError if an option is wrong.
    /// @throws TransportError (field "store") if the file cannot be opened, is another program's or
    /// of a later version of this library; it stays as it was.
    explicit SqliteStore(const std::string& path, SqliteStoreOptions options = {});
    SqliteStore(const SqliteStore&) = delete;
    SqliteStore& operator=(const SqliteStore&) = delete;
    ~SqliteStore() override;

    Result<std::optional<StoredValue>> get(std::string_view key) override;
    Result<std::uint64_t> compare_and_set(std::string_view key, std::uint64_t expected,
                                          std::string_view value,
                                          std::chrono::milliseconds time_to_live,
                                          Keep keep) override;
    Result<bool> erase(std::string_view key, std::uint64_t expected) override;
    /// In one statement for each 1024 keys.
    Result<std::vector<std::optional<StoredValue>>> get_each(
        std::span<const std::string> keys) override;
    /// In one commit: after an error none is written.
    Result<std::vector<std::uint64_t>> compare_and_set_each(
        std::span<const StoreWrite> writes) override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa
