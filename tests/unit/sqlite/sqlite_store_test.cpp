#include <twiliowa/sqlite/sqlite_store.hpp>

#include <doctest/doctest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/testing/check_store.hpp>
#include <twiliowa/testing/manual_clock.hpp>

#include "state/store_deadline.hpp"
#include "support/show.hpp"

namespace sqlite_store_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::test::containing;
using twiliowa::testing::check_store;
using twiliowa::testing::ManualClock;

namespace {

/// A directory of its own, with a file in it.
struct Disk {
    Disk() {
        auto name = (std::filesystem::temp_directory_path() / "twiliowa_sqlite_XXXXXX").string();
        directory = ::mkdtemp(name.data());
        path = directory + "/state.db";
    }
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;
    ~Disk() {
        std::error_code ignored;
        std::filesystem::permissions(directory, std::filesystem::perms::owner_all, ignored);
        std::filesystem::remove_all(directory, ignored);
    }

    std::shared_ptr<SqliteStore> open(SqliteStoreOptions options = {}) const {
        if (!options.clock) options.clock = clock;
        return std::make_shared<SqliteStore>(path, std::move(options));
    }
    /// Opening it fails, with these words.
    std::string refusal(SqliteStoreOptions options = {}) const {
        try {
            open(std::move(options));
        } catch (const TransportError& error) {
            CHECK(is_store_error(error.error()));
            CHECK_FALSE(error.error().hint().empty());
            return error.what();
        }
        return "it was opened";
    }
    std::string bytes(const std::string& of) const {
        std::ifstream file{of, std::ios::binary};
        return {std::istreambuf_iterator<char>{file}, {}};
    }
    void execute(const char* sql) const {
        sqlite3* database = nullptr;
        REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
        CHECK(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
        sqlite3_close(database);
    }
    std::string text_of(const char* sql) const {
        sqlite3* database = nullptr;
        REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
        std::string text;
        const auto collect = [](void* to, int, char** values, char**) {
            static_cast<std::string*>(to)->append(values[0] != nullptr ? values[0] : "NULL");
            return 0;
        };
        CHECK(sqlite3_exec(database, sql, collect, &text, nullptr) == SQLITE_OK);
        sqlite3_close(database);
        return text;
    }

    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::string directory;
    std::string path;
};

std::uint64_t put(Store& store, const std::string& key, std::chrono::milliseconds lives = 1h) {
    return store.compare_and_set(key, 0, "v", lives, Keep::pinned).value();
}

bool has(Store& store, const std::string& key) {
    return store.get(key).value().has_value();
}

/// Runs it in a process of its own: its exit code.
template <class Work>
int in_child(const Work& work) {
    const auto child = ::fork();
    if (child == 0) {
        int code = 99;
        try {
            code = work();
        } catch (...) {
            code = 98;
        }
        ::_exit(code);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("a SqliteStore keeps the contract of a store") {
    const Disk d;
    CHECK(check_store([&] { return d.open(); }, {.pass_time = [&](auto time) {
                          d.clock->advance(time);
                      }}) == std::vector<std::string>{});
}

TEST_CASE("one SqliteStore serves any number of threads") {
    const Disk d;
    const auto store = d.open();
    CHECK(check_store([&] { return store; }, {.pass_time = [&](auto time) {
                          d.clock->advance(time);
                      }}) == std::vector<std::string>{});
}

TEST_CASE("writes of several threads share a commit, and each has its own answer") {
    /// While it is asked for the first time others come, and wait for the file.
    struct BusyClock final : Clock {
        TimePoint now() const override {
            if (!asked.exchange(true)) {
                begun.store(true);
                while (started.load() < 7) std::this_thread::yield();
                // Time enough to come to where they wait.
                for (int i = 0; i < 20'000; ++i) std::this_thread::yield();
            }
            return TimePoint{1h};
        }
        MonotonicTime monotonic_now() const override { return {}; }
        void sleep_until(MonotonicTime, const CancelToken&) override {}
        mutable std::atomic<bool> asked{true};
        mutable std::atomic<bool> begun{false};
        mutable std::atomic<int> started{0};
    };
    const Disk d;
    const auto clock = std::make_shared<BusyClock>();
    const auto store = d.open({.clock = clock});
    put(*store, "known");
    const auto commits = [&] {
        // Frames of a write-ahead log; the last of each commit has the size of the file.
        const auto log = d.bytes(d.path + "-wal");
        int ended = 0;
        for (std::size_t frame = 32; frame + 24 <= log.size(); frame += 24 + 4'096) {
            if (log.substr(frame + 4, 4) != std::string(4, '\0')) ++ended;
        }
        return ended;
    };
    const int before = commits();
    clock->asked = false;
    std::vector<std::thread> threads;
    threads.emplace_back([&] { put(*store, "first"); });
    while (!clock->begun) std::this_thread::yield();
    std::atomic<int> refused{0};
    for (int i = 0; i < 7; ++i) {
        threads.emplace_back([&, i] {
            ++clock->started;
            // Two of them write what is there.
            const auto key = i < 2 ? std::string{"known"} : "key " + std::to_string(i);
            if (put(*store, key) == 0) ++refused;
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(refused == 2);
    CHECK(has(*store, "first"));
    for (int i = 2; i < 7; ++i) CHECK(has(*store, "key " + std::to_string(i)));
    const int made = commits() - before;
    CAPTURE(made);
    CHECK(made >= 2);
    CHECK(made < 6);
}

TEST_CASE("what a SqliteStore holds is there when it is opened again") {
    const Disk d;
    const auto version = put(*d.open(), "k");
    const auto store = d.open();
    CHECK(store->get("k").value()->value == "v");
    CHECK(store->get("k").value()->version == version);
    const OptOuts opt_outs{store};
    CHECK(opt_outs.opt_out("whatsapp:+447700900001", "whatsapp:+447700900123").has_value());
    CHECK(
        OptOuts{d.open()}.is_opted_out("whatsapp:+447700900001", "whatsapp:+447700900123").value());
}

TEST_CASE("a version is not given again when the file was opened again, or is an old one") {
    const Disk d;
    std::uint64_t last = 0;
    {
        const auto store = d.open();
        last = put(*store, "k");
        CHECK(store->erase("k", last).value());
    }
    CHECK(put(*d.open(), "k") > last);
    // As from a backup that was made before all of it.
    d.execute("update counter set last_version = 0; delete from entry");
    d.clock->advance(1s);
    CHECK(put(*d.open(), "k") > last + 1);
}

TEST_CASE("an entry expires to the microsecond, by the clock of the store") {
    const Disk d;
    const auto store = d.open();
    put(*store, "k", 10s);
    d.clock->advance(10s - 1us);
    CHECK(has(*store, "k"));
    d.clock->advance(1us);
    CHECK_FALSE(has(*store, "k"));
}

TEST_CASE("entries that have expired go with later writes, a few at a time") {
    const Disk d;
    const auto store = d.open();
    for (int i = 0; i < 20; ++i) put(*store, "old" + std::to_string(i), 1s);
    put(*store, "kept");
    d.clock->advance(1s);
    const auto kept = put(*store, "new");
    CHECK(d.text_of("select count(*) from entry") == "14");
    CHECK(store->erase("new", kept).value());
    put(*store, "new");
    CHECK(d.text_of("select count(*) from entry") == "2");
    CHECK(has(*store, "kept"));
}

TEST_CASE("what is erased is not left in the file") {
    const Disk d;
    {
        const auto store = d.open();
        const auto version =
            store->compare_and_set("+447700900123", 0, "secret word", 1h, Keep::pinned).value();
        CHECK(store->erase("+447700900123", version).value());
    }
    CHECK(d.bytes(d.path).find("+447700900123") == std::string::npos);
    CHECK(d.bytes(d.path).find("secret word") == std::string::npos);
}

TEST_CASE("the file is its owner's alone, and says what it is") {
    const Disk d;
    const auto store = d.open();
    put(*store, "k");
    for (const auto* const suffix : {"", "-wal", "-shm"}) {
        struct stat facts = {};
        REQUIRE(::stat((d.path + suffix).c_str(), &facts) == 0);
        CHECK((facts.st_mode & 0777) == 0600);
    }
    CHECK(d.text_of("pragma application_id") == std::to_string(0x54775761));
    CHECK(d.text_of("pragma user_version") == "1");
    CHECK(d.text_of("pragma journal_mode") == "wal");
}

TEST_CASE("a key and a value of no bytes at all are a key and a value") {
    const Disk d;
    const auto store = d.open();
    CHECK(store->compare_and_set(std::string_view{}, 0, std::string_view{}, 1h, Keep::pinned)
              .value() != 0);
    const auto entry = store->get(std::string_view{}).value();
    REQUIRE(entry);
    CHECK(entry->value.empty());
}

TEST_CASE("a great many keys are read at once") {
    const Disk d;
    const auto store = d.open();
    put(*store, "0");
    put(*store, "2500");
    std::vector<std::string> keys;
    for (int i = 0; i <= 2'500; ++i) keys.push_back(std::to_string(i));
    const auto entries = store->get_each(keys).value();
    REQUIRE(entries.size() == keys.size());
    CHECK(entries.front().has_value());
    CHECK(entries.back().has_value());
    CHECK(std::count_if(entries.begin(), entries.end(), [](auto& e) { return e.has_value(); }) ==
          2);
}

TEST_CASE("an entry over the size limit is refused by a SqliteStore") {
    const Disk d;
    const auto store = d.open({.max_entry_bytes = 8});
    CHECK(store->compare_and_set("1234", 0, "5678", 1h, Keep::pinned).value() != 0);
    CHECK(is_store_error(store->compare_and_set("1234", 0, "56789", 1h, Keep::pinned).error()));
    CHECK(is_store_error(store->compare_and_set("123456789", 0, "", 1h, Keep::pinned).error()));
}

TEST_CASE("options that a SqliteStore cannot have are refused") {
    const Disk d;
    CHECK_THROWS_AS(d.open({.max_entry_bytes = 0}), InvalidRequestError);
    CHECK_THROWS_AS(d.open({.busy_timeout = -1ms}), InvalidRequestError);
    CHECK_THROWS_AS(SqliteStore(""), InvalidRequestError);
    CHECK_THROWS_AS(SqliteStore(":memory:"), InvalidRequestError);
}

TEST_CASE("a file that is no store's is refused, and stays as it was") {
    const Disk d;
    SUBCASE("no database") {
        std::ofstream{d.path} << std::string(5'000, '#');
        const auto before = d.bytes(d.path);
        CHECK(d.refusal() == containing("store: is no file of SQLite"));
        CHECK(d.bytes(d.path) == before);
    }
    SUBCASE("tables of another program") {
        d.execute("create table entry (id)");
        const auto before = d.bytes(d.path);
        CHECK(d.refusal() == containing("store: is a database of another program"));
        CHECK(d.bytes(d.path) == before);
    }
    SUBCASE("another application's mark") {
        d.execute("pragma application_id = 7");
        CHECK(d.refusal() == containing("store: is a database of another program"));
    }
    SUBCASE("a later version's") {
        put(*d.open(), "k");
        d.execute("pragma user_version = 2");
        CHECK(d.refusal() == containing("store: was written by a later version"));
        CHECK(d.text_of("select count(*) from entry") == "1");
    }
    SUBCASE("a directory") {
        std::filesystem::create_directory(d.path);
        CHECK(d.refusal() == containing("store: cannot be opened"));
    }
    SUBCASE("a directory that is not there") {
        std::filesystem::remove_all(d.directory);
        CHECK(d.refusal() == containing("store: cannot be opened"));
    }
    SUBCASE("nothing, and nothing shall be made") {
        CHECK(d.refusal({.create = false}) == containing("store: cannot be opened"));
        CHECK_FALSE(std::filesystem::exists(d.path));
    }
}

TEST_CASE("a store that may not be written says so") {
    const Disk d;
    const auto owner = d.open();
    put(*owner, "k");
    std::filesystem::permissions(d.directory, std::filesystem::perms{0555});
    for (const auto* const suffix : {"", "-wal", "-shm"}) {
        std::filesystem::permissions(d.path + suffix, std::filesystem::perms{0444});
    }
    // As somebody whom permissions bind.
    CHECK(in_child([&] {
              if (::geteuid() == 0 && ::setuid(65'534) != 0) return 1;
              const auto words = containing("store: is read-only");
              return d.refusal() == words && d.refusal({.create = false}) == words ? 0 : 2;
          }) == 0);
}

TEST_CASE("a new file that another program holds is refused when the time to wait is over") {
    const Disk d;
    sqlite3* other = nullptr;
    REQUIRE(sqlite3_open(d.path.c_str(), &other) == SQLITE_OK);
    REQUIRE(sqlite3_exec(other, "begin immediate", nullptr, nullptr, nullptr) == SQLITE_OK);
    CHECK(d.refusal({.busy_timeout = 0ms}) == containing("is locked by another process"));
    sqlite3_close(other);
    CHECK(put(*d.open(), "k") != 0);
}

TEST_CASE("a disk that cannot have a write-ahead log is refused") {
    const Disk d;
    auto* const usual = sqlite3_vfs_find(nullptr);
    // Knows no shared memory, as a disk of the network.
    REQUIRE(sqlite3_vfs_register(sqlite3_vfs_find("unix-dotfile"), 1) == SQLITE_OK);
    CHECK(d.refusal() == containing("cannot have a write-ahead log"));
    REQUIRE(sqlite3_vfs_register(usual, 1) == SQLITE_OK);
    CHECK(put(*d.open(), "k") != 0);
}

TEST_CASE("a file that others hold is waited for no longer than who asks has time") {
    const Disk d;
    const auto store = d.open({.busy_timeout = 24h});
    sqlite3* other = nullptr;
    REQUIRE(sqlite3_open(d.path.c_str(), &other) == SQLITE_OK);
    REQUIRE(sqlite3_exec(other, "begin immediate", nullptr, nullptr, nullptr) == SQLITE_OK);
    {
        const detail::StoreDeadline wanted{20ms};
        const auto refused = store->compare_and_set("k", 0, "v", 1h, Keep::pinned);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().what() == containing("store: is locked by another process"));
    }
    sqlite3_close(other);
}

TEST_CASE("another process that writes is waited for, and then named") {
    const Disk d;
    const auto store = d.open({.busy_timeout = 0ms});
    const auto version = put(*store, "k");
    sqlite3* other = nullptr;
    REQUIRE(sqlite3_open(d.path.c_str(), &other) == SQLITE_OK);
    REQUIRE(sqlite3_exec(other, "begin immediate", nullptr, nullptr, nullptr) == SQLITE_OK);
    const auto refused = store->compare_and_set("+447700900123", 0, "v", 1h, Keep::pinned);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().what() == containing("store: is locked by another process"));
    CHECK(refused.error().what().find("900123") == std::string::npos);
    CHECK_FALSE(store->erase("k", version).has_value());
    // Who reads does not wait.
    CHECK(has(*store, "k"));
    sqlite3_exec(other, "rollback", nullptr, nullptr, nullptr);
    sqlite3_close(other);
    CHECK(store->erase("k", version).value());
}

TEST_CASE("a full disk refuses the write and loses nothing") {
    const Disk d;
    // In a process of its own, whose limit is nobody else's.
    CHECK(in_child([&] {
              const auto store = d.open();
              const auto version = put(*store, "k");
              std::signal(SIGXFSZ, SIG_IGN);
              struct rlimit limit = {};
              ::getrlimit(RLIMIT_FSIZE, &limit);
              const auto before = limit;
              limit.rlim_cur = 64 * 1024;
              ::setrlimit(RLIMIT_FSIZE, &limit);
              int written = 0;
              const std::string value(3'000, 'x');
              for (; written < 200; ++written) {
                  const auto wrote = store->compare_and_set("n" + std::to_string(written), 0, value,
                                                            1h, Keep::evictable);
                  if (wrote) continue;
                  if (!is_store_error(wrote.error())) return 1;
                  if (wrote.error().hint().empty()) return 2;
                  break;
              }
              if (written == 0 || written == 200) return 3;
              if (store->get("k").value()->version != version) return 4;
              for (int i = 0; i < written; ++i) {
                  if (!has(*store, "n" + std::to_string(i))) return 5;
              }
              if (has(*store, "n" + std::to_string(written))) return 6;
              ::setrlimit(RLIMIT_FSIZE, &before);
              return put(*store, "after") > version ? 0 : 7;
          }) == 0);
    CHECK(d.text_of("pragma integrity_check") == "ok");
}

TEST_CASE("a store that ends closes its file, and after fork() leaves the parent's as it was") {
    const Disk d;
    const auto open_files = [] {
        const std::filesystem::directory_iterator all{"/dev/fd"};
        return std::distance(begin(all), end(all));
    };
    const auto before = open_files();
    auto store = d.open();
    put(*store, "k");
    CHECK(open_files() > before);
    CHECK(in_child([&] {
              const auto inherited = open_files();
              store.reset();
              return open_files() == inherited ? 0 : 1;
          }) == 0);
    store.reset();
    CHECK(open_files() == before);
    CHECK_FALSE(std::filesystem::exists(d.path + "-wal"));
}

TEST_CASE(
    "a store that was opened before fork() is of no use in the child, and whole in the parent") {
    const Disk d;
    auto store = d.open();
    put(*store, "k");
    CHECK(in_child([&] {
              const auto read = store->get("k");
              const bool told = !read && read.error().what() == containing("before fork()");
              const bool refused = !store->erase("k", 1).has_value() &&
                                   !store->compare_and_set("x", 0, "v", 1h, Keep::pinned) &&
                                   !store->get_each({}).has_value();
              // Closing it must not take the log from the parent.
              store.reset();
              return told && refused ? 0 : 1;
          }) == 0);
    CHECK(std::filesystem::exists(d.path + "-wal"));
    CHECK(put(*store, "after") != 0);
    CHECK(has(*store, "k"));
}

TEST_CASE("several processes that open a new file at once count up one entry and lose no write") {
    const Disk d;
    constexpr int processes = 4;
    constexpr int rounds = 25;
    std::vector<pid_t> children;
    for (int i = 0; i < processes; ++i) {
        const auto child = ::fork();
        if (child == 0) {
            int code = 1;
            try {
                SqliteStore store{d.path, {.busy_timeout = 60s}};
                for (int n = 0; n < rounds;) {
                    const auto entry = store.get("n").value();
                    const auto next = entry ? std::stoi(entry->value) + 1 : 1;
                    const auto wrote =
                        store.compare_and_set("n", entry ? entry->version : 0, std::to_string(next),
                                              Store::forever, Keep::pinned);
                    if (wrote.value() != 0) ++n;
                }
                code = 0;
            } catch (...) {
                code = 2;
            }
            ::_exit(code);
        }
        children.push_back(child);
    }
    for (const auto child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    }
    CHECK(d.open()->get("n").value()->value == std::to_string(processes * rounds));
    CHECK(d.text_of("select last_version > 0 from counter") == "1");
}

TEST_CASE("a process that is killed between its writes loses none that was answered") {
    const Disk d;
    for (int kill_after = 1; kill_after <= 40; kill_after += 13) {
        int told[2] = {};
        REQUIRE(::pipe(told) == 0);
        const auto child = ::fork();
        if (child == 0) {
            try {
                SqliteStore store{d.path};
                for (int n = 0;; ++n) {
                    const auto key = std::to_string(kill_after) + "/" + std::to_string(n);
                    static_cast<void>(
                        store.compare_and_set(key, 0, key, Store::forever, Keep::pinned).value());
                    if (::write(told[1], "w", 1) != 1) ::_exit(1);
                }
            } catch (...) {
                ::_exit(2);
            }
        }
        ::close(told[1]);
        int answered = 0;
        char byte = 0;
        while (answered < kill_after && ::read(told[0], &byte, 1) == 1) ++answered;
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        while (::read(told[0], &byte, 1) == 1) ++answered;
        ::close(told[0]);
        CHECK(answered >= kill_after);
        const auto store = d.open();
        for (int n = 0; n < answered; ++n) {
            const auto key = std::to_string(kill_after) + "/" + std::to_string(n);
            const auto entry = store->get(key).value();
            REQUIRE(entry.has_value());
            CHECK(entry->value == key);
        }
        CHECK(put(*store, "after" + std::to_string(kill_after)) != 0);
    }
    CHECK(d.text_of("pragma integrity_check") == "ok");
}

}  // namespace sqlite_store_test
