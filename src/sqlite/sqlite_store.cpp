#include <twiliowa/sqlite/sqlite_store.hpp>

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <limits>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "sqlite/connection.hpp"
#include "sqlite/database_file.hpp"
#include "sqlite/store_file.hpp"

namespace twiliowa {

namespace detail {
namespace {

using Microseconds = std::int64_t;
constexpr Microseconds never_expires = std::numeric_limits<Microseconds>::max();

constexpr std::size_t keys_in_one_statement = 1'024;

Microseconds microseconds_of(const Clock& clock) {
    return std::chrono::duration_cast<std::chrono::microseconds>(clock.now().time_since_epoch())
        .count();
}

Microseconds expiry_of(Microseconds now, std::chrono::milliseconds time_to_live) {
    // Before any time that a clock shows, even one that is set back.
    if (time_to_live.count() <= 0) return std::numeric_limits<Microseconds>::min();
    if (time_to_live.count() >= (never_expires - std::max<Microseconds>(now, 0)) / 1'000)
        return never_expires;
    return now + time_to_live.count() * 1'000;
}

/// `?` for each of `count` keys, and one for the time.
std::string select_each(std::size_t count) {
    std::string sql = "select key, value, version from entry where key in (?";
    for (std::size_t i = 1; i < count; ++i) sql += ",?";
    return sql + ") and expires > ?";
}

StoredValue stored_value(const SqliteStatement& row, int column) {
    return {std::string{row.bytes(column)}, static_cast<std::uint64_t>(row.number(column + 1))};
}

}  // namespace
}  // namespace detail

struct SqliteStore::State {
    /// A connection for one thread at a time.
    struct Desk {
        std::mutex mutex;
        std::unique_ptr<detail::SqliteConnection> file;
    };

    State(const std::string& path, SqliteStoreOptions chosen) : options(std::move(chosen)) {
        for (auto* const desk : {&writer, &reader}) {
            auto opened = detail::open_store_file(path, options.busy_timeout);
            desk->file = std::move(opened).value();
        }
    }
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        if (::getpid() == process) return;
        writer.file->abandon();
        reader.file->abandon();
    }

    detail::Microseconds now() const { return detail::microseconds_of(*options.clock); }

    Result<void> check_process() const {
        if (::getpid() == process) return {};
        return store_error("was opened before fork()", "open one in each process");
    }

    /// The version that a key has, 0 for none.
    Result<std::int64_t> version_of(std::string_view key, detail::Microseconds at) const {
        const auto prepared =
            writer.file->prepare("select version from entry where key = ?1 and expires > ?2");
        if (!prepared) return prepared.error();
        detail::SqliteStatement select{*prepared};
        select.bind(1, key);
        select.bind(2, at);
        const auto row = select.step();
        if (!row) return row.error();
        return *row ? select.number(0) : 0;
    }

    /// By the clock, so that a file that comes from a backup gives no version again, either.
    Result<std::int64_t> next_version(detail::Microseconds at) const {
        const auto prepared = writer.file->prepare(
            "update counter set last_version = max(last_version + 1, ?1) returning last_version");
        if (!prepared) return prepared.error();
        detail::SqliteStatement update{*prepared};
        update.bind(1, at);
        const auto row = update.step();
        if (!row) return row.error();
        if (!*row) return store_error("lacks its counter", "restore it from a backup");
        return update.number(0);
    }

    Result<void> sweep(detail::Microseconds at) const {
        // More than come with one write, and few enough that no write takes long.
        const auto prepared = writer.file->prepare(
            "delete from entry where key in (select key from entry "
            "where expires <= ?1 and expires < 9223372036854775807 limit 8)");
        if (!prepared) return prepared.error();
        detail::SqliteStatement erase{*prepared};
        erase.bind(1, at);
        if (const auto done = erase.step(); !done) return done.error();
        return {};
    }

    Result<void> write(std::string_view key, std::string_view value, std::int64_t version,
                       detail::Microseconds expires, Keep keep) const {
        const auto prepared =
            writer.file->prepare("insert or replace into entry values (?1, ?2, ?3, ?4, ?5)");
        if (!prepared) return prepared.error();
        detail::SqliteStatement insert{*prepared};
        insert.bind(1, key);
        insert.bind(2, value);
        insert.bind(3, version);
        insert.bind(4, expires);
        insert.bind(5, keep == Keep::pinned ? 1 : 0);
        if (const auto done = insert.step(); !done) return done.error();
        return {};
    }

    /// Keys that are no more than fit into one statement.
    Result<void> read_some(std::span<const std::string> keys,
                           std::unordered_map<std::string, StoredValue>& found) const {
        // Few statements are kept; what a longer one has left over is NULL, which no key is.
        const auto prepared = reader.file->prepare(detail::select_each(std::bit_ceil(keys.size())));
        if (!prepared) return prepared.error();
        detail::SqliteStatement select{*prepared};
        for (std::size_t i = 0; i < keys.size(); ++i) {
            select.bind(static_cast<int>(i + 1), keys[i]);
        }
        select.bind(static_cast<int>(std::bit_ceil(keys.size()) + 1), now());
        while (true) {
            const auto row = select.step();
            if (!row) return row.error();
            if (!*row) return {};
            found[std::string{select.bytes(0)}] = detail::stored_value(select, 1);
        }
    }

    const SqliteStoreOptions options;
    const pid_t process = ::getpid();
    mutable Desk writer;
    mutable Desk reader;
};

SqliteStore::SqliteStore(const std::string& path, SqliteStoreOptions options) {
    // An empty name and ":memory:" are databases that nobody else sees.
    if (path.empty() || path.front() == ':') {
        Error::invalid_request("path", "names no file").raise();
    }
    if (options.max_entry_bytes == 0) Error::invalid_request("max_entry_bytes", "is 0").raise();
    if (options.busy_timeout.count() < 0) {
        Error::invalid_request("busy_timeout", "is negative").raise();
    }
    if (!options.clock) options.clock = system_clock();
    if (options.create) detail::make_database_file(path).value();
    state_ = std::make_unique<State>(path, std::move(options));
}

SqliteStore::~SqliteStore() = default;

Result<std::optional<StoredValue>> SqliteStore::get(std::string_view key) {
    if (const auto ours = state_->check_process(); !ours) return ours.error();
    const std::lock_guard lock(state_->reader.mutex);
    const auto prepared = state_->reader.file->prepare(
        "select value, version from entry where key = ?1 and expires > ?2");
    if (!prepared) return prepared.error();
    detail::SqliteStatement select{*prepared};
    select.bind(1, key);
    select.bind(2, state_->now());
    const auto row = select.step();
    if (!row) return row.error();
    if (!*row) return std::optional<StoredValue>{};
    return std::optional<StoredValue>{detail::stored_value(select, 0)};
}

Result<std::uint64_t> SqliteStore::compare_and_set(std::string_view key, std::uint64_t expected,
                                                   std::string_view value,
                                                   std::chrono::milliseconds time_to_live,
                                                   Keep keep) {
    const auto limit = state_->options.max_entry_bytes;
    if (key.size() > limit || value.size() > limit - key.size()) {
        return store_error("refuses an entry of that size", "raise max_entry_bytes");
    }
    if (const auto ours = state_->check_process(); !ours) return ours.error();
    const std::lock_guard lock(state_->writer.mutex);
    detail::SqliteTransaction transaction{*state_->writer.file};
    if (const auto begun = transaction.begin(); !begun) return begun.error();
    // Read when it is our turn: meanwhile time has passed.
    const auto now = state_->now();
    const auto current = state_->version_of(key, now);
    if (!current) return current.error();
    if (static_cast<std::uint64_t>(*current) != expected) return std::uint64_t{0};
    const auto version = state_->next_version(now);
    if (!version) return version.error();
    const auto expires = detail::expiry_of(now, time_to_live);
    if (const auto done = state_->write(key, value, *version, expires, keep); !done) {
        return done.error();
    }
    if (const auto done = state_->sweep(now); !done) return done.error();
    if (const auto done = transaction.commit(); !done) return done.error();
    return static_cast<std::uint64_t>(*version);
}

Result<bool> SqliteStore::erase(std::string_view key, std::uint64_t expected) {
    if (const auto ours = state_->check_process(); !ours) return ours.error();
    const std::lock_guard lock(state_->writer.mutex);
    auto& file = *state_->writer.file;
    detail::SqliteTransaction transaction{file};
    if (const auto begun = transaction.begin(); !begun) return begun.error();
    const auto now = state_->now();
    const auto current = state_->version_of(key, now);
    if (!current) return current.error();
    if (*current == 0 || static_cast<std::uint64_t>(*current) != expected) return false;
    const auto prepared = file.prepare("delete from entry where key = ?1");
    if (!prepared) return prepared.error();
    {
        detail::SqliteStatement erase{*prepared};
        erase.bind(1, key);
        if (const auto done = erase.step(); !done) return done.error();
    }
    if (const auto done = state_->sweep(now); !done) return done.error();
    if (const auto done = transaction.commit(); !done) return done.error();
    return true;
}

Result<std::vector<std::optional<StoredValue>>> SqliteStore::get_each(
    std::span<const std::string> keys) {
    if (const auto ours = state_->check_process(); !ours) return ours.error();
    std::unordered_map<std::string, StoredValue> found;
    {
        const std::lock_guard lock(state_->reader.mutex);
        for (auto left = keys; !left.empty();) {
            const auto some = left.first(std::min(left.size(), detail::keys_in_one_statement));
            left = left.subspan(some.size());
            if (const auto read = state_->read_some(some, found); !read) return read.error();
        }
    }
    std::vector<std::optional<StoredValue>> entries;
    entries.reserve(keys.size());
    for (const auto& key : keys) {
        const auto entry = found.find(key);
        if (entry == found.end()) {
            entries.emplace_back();
        } else {
            entries.emplace_back(entry->second);
        }
    }
    return entries;
}

}  // namespace twiliowa
