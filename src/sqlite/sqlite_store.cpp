#include <twiliowa/sqlite/sqlite_store.hpp>

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <exception>
#include <functional>
#include <limits>
#include <mutex>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

#include "sqlite/connection.hpp"
#include "sqlite/database_file.hpp"
#include "sqlite/store_file.hpp"
#include "state/group_commit.hpp"
#include "state/store_writes.hpp"

namespace twiliowa {

namespace detail {
namespace {

using Microseconds = std::int64_t;
constexpr Microseconds never_expires = std::numeric_limits<Microseconds>::max();

constexpr std::size_t keys_in_one_statement = 1'024;
constexpr std::size_t most_writes_in_one_commit = 1'000;
/// More entries that have expired go with a commit than writes come with it.
constexpr std::int64_t swept_for_each_write = 8;

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
    /// One caller's part of a commit, at its time. Answers whether it has changed something.
    using Write = std::function<Result<bool>(detail::Microseconds now)>;
    using Commits = detail::GroupCommit<Write>;

    State(const std::string& path, SqliteStoreOptions chosen)
        : options(std::move(chosen)),
          writer(detail::open_store_file(path, options.busy_timeout).value()),
          reader(detail::open_store_file(path, options.busy_timeout).value()),
          writes([this](std::span<Commits::Queued* const> batch) { return run(batch); },
                 detail::most_writes_in_one_commit) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        if (::getpid() == process) return;
        writer->abandon();
        reader->abandon();
    }

    Commits::Duration run(std::span<Commits::Queued* const> batch) noexcept;
    void run_alone(Commits::Queued& write) noexcept;
    Result<bool> run_together(std::span<Commits::Queued* const> batch);

    detail::Microseconds now() const { return detail::microseconds_of(*options.clock); }

    Result<void> check_process() const {
        if (::getpid() == process) return {};
        return store_error("was opened before fork()", "open one in each process");
    }

    /// The version that a key has, 0 for none.
    Result<std::int64_t> version_of(std::string_view key, detail::Microseconds at) const {
        const auto prepared =
            writer->prepare("select version from entry where key = ?1 and expires > ?2");
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
        const auto prepared = writer->prepare(
            "update counter set last_version = max(last_version + 1, ?1) returning last_version");
        if (!prepared) return prepared.error();
        detail::SqliteStatement update{*prepared};
        update.bind(1, at);
        const auto row = update.step();
        if (!row) return row.error();
        if (!*row) return store_error("lacks its counter", "restore it from a backup");
        return update.number(0);
    }

    Result<void> sweep(detail::Microseconds at, std::size_t written) const {
        // Few enough that no commit takes long.
        const auto prepared = writer->prepare(
            "delete from entry where key in (select key from entry "
            "where expires <= ?1 and expires < 9223372036854775807 limit ?2)");
        if (!prepared) return prepared.error();
        detail::SqliteStatement erase{*prepared};
        erase.bind(1, at);
        erase.bind(2, detail::swept_for_each_write * static_cast<std::int64_t>(written));
        if (const auto done = erase.step(); !done) return done.error();
        return {};
    }

    Result<void> write(std::string_view key, std::string_view value, std::int64_t version,
                       detail::Microseconds expires, Keep keep) const {
        const auto prepared =
            writer->prepare("insert or replace into entry values (?1, ?2, ?3, ?4, ?5)");
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

    /// The new version; 0 if the entry's is another than expected.
    Result<std::int64_t> compare_and_set(const StoreWrite& asked, detail::Microseconds at) const {
        const auto current = version_of(asked.key, at);
        if (!current) return current.error();
        if (static_cast<std::uint64_t>(*current) != asked.expected) return std::int64_t{0};
        const auto version = next_version(at);
        if (!version) return version.error();
        const auto expires = detail::expiry_of(at, asked.time_to_live);
        const auto done = write(asked.key, asked.value, *version, expires, asked.keep);
        if (!done) return done.error();
        return *version;
    }

    /// Keys that are no more than fit into one statement.
    Result<void> read_some(std::span<const std::string> keys,
                           std::unordered_map<std::string, StoredValue>& found) const {
        // Few statements are kept; what a longer one has left over is NULL, which no key is.
        const auto prepared = reader->prepare(detail::select_each(std::bit_ceil(keys.size())));
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
    const std::unique_ptr<detail::SqliteConnection> writer;  ///< Who runs a batch has it.
    const std::unique_ptr<detail::SqliteConnection> reader;
    mutable std::mutex reading = {};
    Commits::Duration commit_took = {};
    Commits writes;
};

auto SqliteStore::State::run(std::span<Commits::Queued* const> batch) noexcept
    -> Commits::Duration {
    commit_took = {};
    Result<bool> done = true;
    std::exception_ptr thrown;
    try {
        done = run_together(batch);
    } catch (...) {
        thrown = std::current_exception();
    }
    const bool one_failed = thrown || (done && !*done);
    for (auto* const each : batch) {
        each->thrown = thrown;
        if (!done) each->result = done.error();
        // What failed may be one that is too large: the others are not to suffer from it.
        if (one_failed && batch.size() > 1) run_alone(*each);
    }
    return commit_took;
}

void SqliteStore::State::run_alone(Commits::Queued& write) noexcept {
    write.result = {};
    write.thrown = {};
    auto* each = &write;
    try {
        if (const auto done = run_together({&each, 1}); !done) write.result = done.error();
    } catch (...) {
        write.thrown = std::current_exception();
    }
}

/// False: one of them failed, as it says itself, and nothing was committed.
Result<bool> SqliteStore::State::run_together(std::span<Commits::Queued* const> batch) {
    detail::SqliteTransaction transaction{*writer};
    if (const auto begun = transaction.begin(); !begun) return begun.error();
    // Read when it is our turn: meanwhile time has passed.
    const auto at = now();
    std::size_t written = 0;
    for (auto* const each : batch) {
        const auto changed = each->work(at);
        if (!changed) {
            each->result = changed.error();
            return false;
        }
        if (*changed) ++written;
    }
    if (written == 0) return true;
    if (const auto done = sweep(at, written); !done) return done.error();
    const auto begun = std::chrono::steady_clock::now();
    if (const auto done = transaction.commit(); !done) return done.error();
    commit_took = std::chrono::steady_clock::now() - begun;
    return true;
}

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
    const std::lock_guard lock(state_->reading);
    const auto prepared =
        state_->reader->prepare("select value, version from entry where key = ?1 and expires > ?2");
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
    return detail::write_alone(*this, {key, expected, value, time_to_live, keep});
}

Result<std::vector<std::uint64_t>> SqliteStore::compare_and_set_each(
    std::span<const StoreWrite> writes) {
    for (const auto& each : writes) {
        const auto most = state_->options.max_entry_bytes;
        if (const auto fits = detail::check_entry_size(each.key, each.value, most); !fits) {
            return fits.error();
        }
    }
    if (const auto ours = state_->check_process(); !ours) return ours.error();
    std::vector<std::uint64_t> versions;
    if (writes.empty()) return versions;
    const auto done = state_->writes.commit([&](detail::Microseconds now) -> Result<bool> {
        versions.clear();
        for (const auto& each : writes) {
            const auto version = state_->compare_and_set(each, now);
            if (!version) return version.error();
            versions.push_back(static_cast<std::uint64_t>(*version));
            if (*version == 0) break;
        }
        return versions.front() != 0;
    });
    if (!done) return done.error();
    return versions;
}

Result<bool> SqliteStore::erase(std::string_view key, std::uint64_t expected) {
    if (const auto ours = state_->check_process(); !ours) return ours.error();
    bool is_erased = false;
    const auto done = state_->writes.commit([&](detail::Microseconds now) -> Result<bool> {
        is_erased = false;
        const auto current = state_->version_of(key, now);
        if (!current) return current.error();
        if (*current == 0 || static_cast<std::uint64_t>(*current) != expected) return false;
        const auto prepared = state_->writer->prepare("delete from entry where key = ?1");
        if (!prepared) return prepared.error();
        detail::SqliteStatement erase{*prepared};
        erase.bind(1, key);
        if (const auto stepped = erase.step(); !stepped) return stepped.error();
        is_erased = true;
        return true;
    });
    if (!done) return done.error();
    return is_erased;
}

Result<std::vector<std::optional<StoredValue>>> SqliteStore::get_each(
    std::span<const std::string> keys) {
    if (const auto ours = state_->check_process(); !ours) return ours.error();
    std::unordered_map<std::string, StoredValue> found;
    {
        const std::lock_guard lock(state_->reading);
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
