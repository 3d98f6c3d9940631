#include <twiliowa/sqlite/sqlite_outbox.hpp>

#include <doctest/doctest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/metrics_observer.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/testing/check_outbox_storage.hpp>
#include <twiliowa/testing/manual_clock.hpp>

#include "sqlite/outbox_file.hpp"
#include "support/show.hpp"

namespace sqlite_outbox_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::test::containing;
using twiliowa::testing::check_outbox_storage;
using twiliowa::testing::ManualClock;

namespace {

/// A directory of its own, with the file of an outbox in it.
struct OutboxDisk {
    OutboxDisk() {
        auto name = (std::filesystem::temp_directory_path() / "twiliowa_outbox_XXXXXX").string();
        directory = ::mkdtemp(name.data());
        path = directory + "/outbox.db";
    }
    OutboxDisk(const OutboxDisk&) = delete;
    OutboxDisk& operator=(const OutboxDisk&) = delete;
    ~OutboxDisk() {
        std::error_code ignored;
        std::filesystem::permissions(directory, std::filesystem::perms::owner_all, ignored);
        std::filesystem::remove_all(directory, ignored);
    }

    std::shared_ptr<SqliteOutbox> open(SqliteOutboxOptions options = {}) const {
        if (!options.clock) options.clock = clock;
        return std::make_shared<SqliteOutbox>(path, std::move(options));
    }
    /// Opening it fails, with these words.
    std::string refusal(SqliteOutboxOptions options = {}) const {
        try {
            open(std::move(options));
        } catch (const TransportError& error) {
            CHECK(is_store_error(error.error()));
            CHECK_FALSE(error.error().hint().empty());
            CHECK(std::string{error.what()}.find(directory) == std::string::npos);
            return error.what();
        }
        return "it was opened";
    }
    std::string bytes(const std::string& of) const {
        std::ifstream file{of, std::ios::binary};
        return {std::istreambuf_iterator<char>{file}, {}};
    }
    /// Whether it was carried out.
    bool execute(const std::string& sql) const {
        sqlite3* database = nullptr;
        REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
        const auto code = sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
        sqlite3_close(database);
        return code == SQLITE_OK;
    }
    std::string text_of(const std::string& sql) const {
        sqlite3* database = nullptr;
        REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
        std::string text;
        const auto collect = [](void* to, int, char** values, char**) {
            static_cast<std::string*>(to)->append(values[0] != nullptr ? values[0] : "NULL");
            return 0;
        };
        CHECK(sqlite3_exec(database, sql.c_str(), collect, &text, nullptr) == SQLITE_OK);
        sqlite3_close(database);
        return text;
    }

    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::string directory;
    std::string path;
};

StoredJob numbered_job(int number) {
    StoredJob job;
    JobId::Bytes id{};
    for (int i = 0; i < 4; ++i) {
        id[static_cast<std::size_t>(i)] = static_cast<unsigned char>(number >> (8 * i));
    }
    id[9] = 1;
    job.id = JobId{id};
    job.key = "key-" + std::to_string(number);
    job.content_hash = "hash";
    job.payload = "{\"to\":\"whatsapp:+447700900123\",\"body\":\"secret word\"}";
    job.sender = "whatsapp:+15005550006";
    job.customer = "whatsapp:+447700900123";
    return job;
}

Result<void> put(OutboxStorage& storage, int number) {
    return storage.transact([number](OutboxTransaction& t) -> Result<void> {
        auto inserted = t.insert(numbered_job(number));
        if (!inserted) return inserted.error();
        return {};
    });
}

bool has(OutboxStorage& storage, int number) {
    bool found = false;
    storage
        .transact([&](OutboxTransaction& t) -> Result<void> {
            found = t.find_key("", numbered_job(number).key).value().has_value();
            return {};
        })
        .value();
    return found;
}

/// Runs it in a process of its own: its exit code.
template <class Work>
int in_child_process(const Work& work) {
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

/// Each on a line of its own.
std::string lines_of(const std::vector<std::string>& faults) {
    std::string lines;
    for (const auto& fault : faults) lines += fault + '\n';
    return lines;
}

/// A connection of the program's own.
struct ProgramConnection {
    explicit ProgramConnection(const std::string& path) {
        REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
    }
    ProgramConnection(const ProgramConnection&) = delete;
    ProgramConnection& operator=(const ProgramConnection&) = delete;
    ~ProgramConnection() { sqlite3_close(database); }

    int run(const std::string& sql) const {
        return sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr);
    }

    sqlite3* database = nullptr;
};

}  // namespace

TEST_CASE("a SqliteOutbox keeps the contract of an outbox's storage") {
    const OutboxDisk d;
    const auto stranger = [&](std::string_view key, std::string_view payload) {
        CHECK(d.execute("insert into outbox_message (key, payload) values ('" + std::string{key} +
                        "', '" + std::string{payload} + "')"));
    };
    CHECK(lines_of(check_outbox_storage([&] { return d.open({.busy_timeout = 60s}); },
                                        {.insert_as_stranger = stranger})) == "");
    CHECK(d.text_of("pragma integrity_check") == "ok");
    // What is counted is what is there.
    CHECK(d.text_of("select count(*) from (select tenant, state, count(*) from outbox_job group by "
                    "1, 2 except select tenant, state, jobs from outbox_tally)") == "0");
    CHECK(d.text_of("select count(*) from outbox_tally where jobs < 0") == "0");
}

TEST_CASE("one SqliteOutbox serves any number of threads") {
    const OutboxDisk d;
    const auto storage = d.open();
    CHECK(lines_of(check_outbox_storage([&] { return storage; }, {.threads = 16})) == "");
}

TEST_CASE("what comes while a commit is under way shares the next one") {
    const OutboxDisk d;
    const auto storage = d.open();
    constexpr int others = 63;
    const auto before = storage->stats();
    std::latch started{1};
    std::latch go_on{1};
    std::vector<std::thread> threads;
    threads.emplace_back([&] {
        storage
            ->transact([&](OutboxTransaction& t) -> Result<void> {
                started.count_down();
                go_on.wait();
                static_cast<void>(t.insert(numbered_job(0)).value());
                return {};
            })
            .value();
    });
    started.wait();
    for (int i = 1; i <= others; ++i) {
        threads.emplace_back([&, i] { put(*storage, i).value(); });
    }
    while (storage->stats().waiting < others) std::this_thread::yield();
    go_on.count_down();
    for (auto& thread : threads) thread.join();
    const auto after = storage->stats();
    CHECK(after.works - before.works == others + 1);
    CHECK(after.commits - before.commits == 2);
    for (int i = 0; i <= others; ++i) CHECK(has(*storage, i));
}

TEST_CASE("a commit that 64 threads share is fewer than their works") {
    const OutboxDisk d;
    const auto storage = d.open();
    constexpr int each = 10;
    std::latch begin{64};
    std::vector<std::thread> threads;
    for (int i = 0; i < 64; ++i) {
        threads.emplace_back([&, i] {
            begin.arrive_and_wait();
            for (int n = 0; n < each; ++n) put(*storage, i * each + n).value();
        });
    }
    for (auto& thread : threads) thread.join();
    const auto stats = storage->stats();
    CHECK(stats.works >= 64 * each);
    // How many share one hangs on how long the disk takes; that all of them who wait do, the test
    // before shows.
    CHECK(stats.commits < stats.works);
    CHECK(d.text_of("select count(*) from outbox_job") == std::to_string(64 * each));
}

TEST_CASE("commits are sampled for a scrape: how long they took, and how many works each had") {
    const OutboxDisk d;
    const auto storage = d.open();
    MetricsObserver metrics;
    const auto source =
        metrics.add_source([&](MetricSamples& samples) { add_samples(samples, *storage); });
    const auto count_of = [&](const std::string& series) {
        const auto text = metrics.text();
        const auto at = text.find('\n' + series + ' ');
        REQUIRE(at != std::string::npos);
        const auto begin = at + series.size() + 2;
        return text.substr(begin, text.find('\n', begin) - begin);
    };
    CHECK(count_of("twiliowa_outbox_commit_seconds_count") == "0");
    put(*storage, 0).value();
    put(*storage, 1).value();
    // What only reads is no commit.
    CHECK(storage->transact([](OutboxTransaction& t) -> Result<void> {
        static_cast<void>(t.counts());
        return {};
    }));
    CHECK(count_of("twiliowa_outbox_commit_seconds_count") == "2");
    CHECK(count_of("twiliowa_outbox_commit_works_bucket{le=\"1\"}") == "2");
    CHECK(count_of("twiliowa_outbox_commit_works_sum") == "2");
    CHECK(std::stod(count_of("twiliowa_outbox_commit_seconds_sum")) > 0);
}

TEST_CASE("in a shared commit a work that fails is undone alone, and each gets its own answer") {
    const OutboxDisk d;
    const auto storage = d.open();
    std::latch started{1};
    std::latch go_on{1};
    std::thread first{[&] {
        storage
            ->transact([&](OutboxTransaction&) -> Result<void> {
                started.count_down();
                go_on.wait();
                return {};
            })
            .value();
    }};
    started.wait();
    std::atomic<int> errors{0};
    std::atomic<int> exceptions{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 30; ++i) {
        threads.emplace_back([&, i] {
            try {
                const auto result = storage->transact([&](OutboxTransaction& t) -> Result<void> {
                    static_cast<void>(t.insert(numbered_job(i)).value());
                    if (i % 3 == 1) return Error::invalid_request("n", std::to_string(i));
                    if (i % 3 == 2) throw i;
                    return {};
                });
                if (!result && result.error().what() == containing(std::to_string(i))) ++errors;
            } catch (int thrown) {
                if (thrown == i) ++exceptions;
            }
        });
    }
    while (storage->stats().waiting < threads.size()) std::this_thread::yield();
    go_on.count_down();
    for (auto& thread : threads) thread.join();
    first.join();
    CHECK(errors == 10);
    CHECK(exceptions == 10);
    for (int i = 0; i < 30; ++i) CHECK(has(*storage, i) == (i % 3 == 0));
    CHECK(storage->stats().commits == 1);
}

TEST_CASE("what a work counts has what others did before it in the same commit") {
    const OutboxDisk d;
    const auto storage = d.open();
    constexpr std::int64_t room = 10;
    std::latch started{1};
    std::latch go_on{1};
    std::vector<std::thread> threads;
    threads.emplace_back([&] {
        storage
            ->transact([&](OutboxTransaction&) -> Result<void> {
                started.count_down();
                go_on.wait();
                return {};
            })
            .value();
    });
    started.wait();
    // With and without one that fails after it has counted, which makes the others begin anew.
    bool one_fails = false;
    SUBCASE("all succeed") {}
    SUBCASE("one fails") {
        one_fails = true;
    }
    for (int i = 0; i < 30; ++i) {
        threads.emplace_back([&, i] {
            static_cast<void>(storage->transact([&](OutboxTransaction& t) -> Result<void> {
                const auto waiting = t.waiting(std::string{}).value();
                CHECK(waiting == t.counts().value()[JobState::ready]);
                if (waiting < room) static_cast<void>(t.insert(numbered_job(i)).value());
                if (one_fails && i == 7) return Error::invalid_request("n", "fails");
                return {};
            }));
        });
    }
    while (storage->stats().waiting < 30) std::this_thread::yield();
    go_on.count_down();
    for (auto& thread : threads) thread.join();
    CHECK(storage->stats().commits == 1);
    CHECK(d.text_of("select count(*) from outbox_job") == std::to_string(room));
    CHECK(d.text_of("select jobs from outbox_tally") == std::to_string(room));
}

TEST_CASE("works that only read cost no commit") {
    const OutboxDisk d;
    const auto storage = d.open();
    put(*storage, 1).value();
    const auto before = storage->stats().commits;
    CHECK(has(*storage, 1));
    CHECK(storage->stats().commits == before);
}

TEST_CASE("a work that begins another is refused, and does not wait for itself") {
    const OutboxDisk d;
    const auto storage = d.open();
    const auto result = storage->transact([&](OutboxTransaction&) {
        return storage->transact([](OutboxTransaction&) { return Result<void>{}; });
    });
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().what() == containing("transact"));
    CHECK(put(*storage, 1).has_value());
}

TEST_CASE("a statement that failed undoes its work, even if that took no notice") {
    const OutboxDisk d;
    const auto storage = d.open();
    const auto result = storage->transact([](OutboxTransaction& t) -> Result<void> {
        t.set_fact("name", "value").value();
        auto too_long = numbered_job(2);
        too_long.key = std::string(5'000, 'k');
        const auto refused = t.insert(too_long);
        CHECK_FALSE(refused.has_value());
        CHECK(refused.error().what() == containing("store: refuses a value"));
        return {};
    });
    REQUIRE_FALSE(result.has_value());
    CHECK(is_store_error(result.error()));
    CHECK(d.text_of("select count(*) from outbox_fact") == "0");
}

TEST_CASE("jobs are there when the file is opened again, under the same outbox id") {
    const OutboxDisk d;
    const auto first = d.open();
    put(*first, 1).value();
    const auto id = first->outbox_id();
    const auto identity = first->identity();
    const auto second = d.open();
    CHECK(has(*second, 1));
    CHECK(second->outbox_id() == id);
    CHECK(second->identity() == identity);
    const OutboxDisk other;
    CHECK(other.open()->outbox_id() != id);
}

TEST_CASE("a copy of the file has another identity, and so has one that takes its place") {
    const OutboxDisk d;
    const auto identity = d.open()->identity();
    CHECK(identity.size() == 16);
    const auto copy = d.path + ".copy";
    std::filesystem::copy_file(d.path, copy);
    CHECK(SqliteOutbox{copy}.identity() != identity);
    // Its number may be used again; when it was made is not.
    std::filesystem::remove(d.path);
    std::filesystem::copy_file(copy, d.path);
    CHECK(d.open()->identity() != identity);
}

TEST_CASE("leases go by the time since the machine started, or by the clock that is given") {
    const OutboxDisk d;
    const auto storage = d.open();
    const auto first = storage->lease_now();
    const auto second = storage->lease_now();
    CHECK(first.boot.size() == 36);
    CHECK(first.boot == second.boot);
    CHECK(first.microseconds <= second.microseconds);
    const auto given = d.open({.lease_clock = [] { return LeaseTime{"boot", 7}; }});
    CHECK(given->lease_now() == LeaseTime{"boot", 7});
    given
        ->transact([](OutboxTransaction& t) -> Result<void> {
            CHECK(t.lease_now() == LeaseTime{"boot", 7});
            return {};
        })
        .value();
}

TEST_CASE("an outbox's file is its owner's alone, and says what it is") {
    const OutboxDisk d;
    const auto storage = d.open();
    put(*storage, 1).value();
    for (const auto* const suffix : {"", "-wal", "-shm"}) {
        struct stat facts = {};
        REQUIRE(::stat((d.path + suffix).c_str(), &facts) == 0);
        CHECK((facts.st_mode & 0777) == 0600);
    }
    CHECK(d.text_of("pragma application_id") == std::to_string(0x5477576f));
    CHECK(d.text_of("pragma user_version") == "5");
    CHECK(d.text_of("select component || version from twiliowa_schema") == "outbox5");
    CHECK(d.text_of("pragma journal_mode") == "wal");
}

TEST_CASE("what was erased from an outbox is not left in its file") {
    const OutboxDisk d;
    {
        const auto storage = d.open();
        put(*storage, 1).value();
        storage
            ->transact([](OutboxTransaction& t) -> Result<void> {
                const auto id = numbered_job(1).id;
                auto job = t.load({&id, 1}).value().at(0);
                job.state = JobState::delivered;
                t.save(job).value();
                CHECK(t.redact(job.updated_at + 1h, 10).value() == 1);
                return {};
            })
            .value();
        CHECK(has(*storage, 1));
    }
    CHECK(d.bytes(d.path).find("secret word") == std::string::npos);
}

TEST_CASE("options that a SqliteOutbox cannot have are refused") {
    const OutboxDisk d;
    CHECK_THROWS_AS(d.open({.busy_timeout = -1ms}), InvalidRequestError);
    CHECK_THROWS_AS(SqliteOutbox(""), InvalidRequestError);
    CHECK_THROWS_AS(SqliteOutbox(":memory:"), InvalidRequestError);
}

TEST_CASE("a file that is no outbox's is refused, and stays as it was") {
    const OutboxDisk d;
    SUBCASE("no database") {
        std::ofstream{d.path} << std::string(5'000, '#');
        const auto before = d.bytes(d.path);
        CHECK(d.refusal() == containing("store: is no file of SQLite"));
        CHECK(d.bytes(d.path) == before);
    }
    SUBCASE("tables of another program") {
        d.execute("create table outbox_job (id)");
        const auto before = d.bytes(d.path);
        CHECK(d.refusal() == containing("store: is a database of another program"));
        CHECK(d.bytes(d.path) == before);
    }
    SUBCASE("a store's") {
        d.execute("pragma application_id = " + std::to_string(0x54775761) +
                  "; pragma user_version = 1; create table entry (key)");
        CHECK(d.refusal() == containing("store: is a database of another program"));
    }
    SUBCASE("a later version's") {
        put(*d.open(), 1).value();
        d.execute("update twiliowa_schema set version = 6");
        CHECK(d.refusal() == containing("store: was written by a later version"));
        CHECK(d.text_of("select count(*) from outbox_job") == "1");
    }
    SUBCASE("in UTF-16") {
        d.execute("pragma encoding = 'UTF-16'; " + SqliteOutbox::migration_sql());
        CHECK(d.refusal() == containing("store: is kept in UTF-16"));
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
    SUBCASE("an empty file, and nothing shall be made") {
        std::ofstream{d.path}.flush();
        CHECK(d.refusal({.create = false}) == containing("store: has no tables of an outbox"));
    }
}

TEST_CASE("earlier tables are refused with the way out, which leads there") {
    const OutboxDisk d;
    d.execute("pragma application_id = " + std::to_string(0x5477576f));
    CHECK(d.refusal() == containing("store: has tables of an earlier version"));
    CHECK(SqliteOutbox::migrate(d.path).has_value());
    CHECK(put(*d.open(), 1).has_value());
    // A second time it has nothing to do.
    CHECK(SqliteOutbox::migrate(d.path).has_value());
    CHECK(has(*d.open({.create = false}), 1));
}

TEST_CASE("the printed migrations make what migrate makes") {
    const OutboxDisk printed;
    CHECK(printed.execute(SqliteOutbox::migration_sql()));
    const auto storage = printed.open({.create = false});
    CHECK(put(*storage, 1).has_value());
    const OutboxDisk made;
    SqliteOutbox::migrate(made.path).value();
    const auto* const schema =
        "select group_concat(sql, ';') from (select sql from sqlite_schema order by name)";
    CHECK(printed.text_of(schema) == made.text_of(schema));
}

TEST_CASE("an outbox that may not be written says so") {
    const OutboxDisk d;
    const auto owner = d.open();
    put(*owner, 1).value();
    std::filesystem::permissions(d.directory, std::filesystem::perms{0555});
    for (const auto* const suffix : {"", "-wal", "-shm"}) {
        std::filesystem::permissions(d.path + suffix, std::filesystem::perms{0444});
    }
    // As somebody whom permissions bind.
    CHECK(in_child_process([&] {
              if (::geteuid() == 0 && ::setuid(65'534) != 0) return 1;
              const auto words = containing("store: is read-only");
              return d.refusal() == words && d.refusal({.create = false}) == words ? 0 : 2;
          }) == 0);
}

TEST_CASE("another process that writes to an outbox is waited for, and then named") {
    const OutboxDisk d;
    const auto storage = d.open({.busy_timeout = 0ms});
    const ProgramConnection other{d.path};
    REQUIRE(other.run("begin immediate") == SQLITE_OK);
    const auto refused = put(*storage, 1);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().what() == containing("store: is locked by another process"));
    CHECK_FALSE(refused.error().hint().empty());
    REQUIRE(other.run("rollback") == SQLITE_OK);
    CHECK(put(*storage, 1).has_value());
}

TEST_CASE("file systems of the network are known by name") {
    const std::array<std::pair<unsigned long, const char*>, 6> known{{{0x6969, "NFS"},
                                                                      {0xff534d42, "CIFS"},
                                                                      {0xfe534d42, "SMB2"},
                                                                      {0x65735546, "FUSE"},
                                                                      {0x01021997, "9P"},
                                                                      {0x00c36400, "Ceph"}}};
    for (const auto& [type, name] : known) CHECK(detail::network_file_system(type) == name);
    // ext4, tmpfs, XFS, btrfs, overlayfs
    for (const unsigned long type :
         {0xef53UL, 0x01021994UL, 0x58465342UL, 0x9123683eUL, 0x794c7630UL}) {
        CHECK(detail::network_file_system(type).empty());
    }
}

TEST_CASE("a full disk refuses what is handed over and loses nothing") {
    const OutboxDisk d;
    // In a process of its own, whose limit is nobody else's.
    CHECK(in_child_process([&] {
              const auto storage = d.open();
              std::signal(SIGXFSZ, SIG_IGN);
              struct rlimit limit = {};
              ::getrlimit(RLIMIT_FSIZE, &limit);
              const auto before = limit;
              limit.rlim_cur = 400 * 1024;
              ::setrlimit(RLIMIT_FSIZE, &limit);
              int written = 0;
              for (; written < 1'000; ++written) {
                  const auto wrote = put(*storage, written);
                  if (wrote) continue;
                  if (!is_store_error(wrote.error())) return 1;
                  if (wrote.error().hint().empty()) return 2;
                  break;
              }
              if (written == 0 || written == 1'000) return 3;
              if (has(*storage, written)) return 4;
              for (int i = 0; i < written; ++i) {
                  if (!has(*storage, i)) return 5;
              }
              ::setrlimit(RLIMIT_FSIZE, &before);
              return put(*storage, written).has_value() ? 0 : 6;
          }) == 0);
    CHECK(d.text_of("pragma integrity_check") == "ok");
}

TEST_CASE("a shared commit that fails is told to each whose work it had") {
    const OutboxDisk d;
    CHECK(in_child_process([&] {
              const auto storage = d.open();
              std::latch started{1};
              std::latch go_on{1};
              std::thread first{[&] {
                  static_cast<void>(storage->transact([&](OutboxTransaction&) -> Result<void> {
                      started.count_down();
                      go_on.wait();
                      return {};
                  }));
              }};
              started.wait();
              std::atomic<int> told{0};
              std::vector<std::thread> threads;
              for (int i = 0; i < 20; ++i) {
                  threads.emplace_back([&, i] {
                      const auto wrote = put(*storage, i);
                      if (!wrote && is_store_error(wrote.error())) ++told;
                  });
              }
              while (storage->stats().waiting < threads.size()) std::this_thread::yield();
              std::signal(SIGXFSZ, SIG_IGN);
              struct rlimit limit = {};
              ::getrlimit(RLIMIT_FSIZE, &limit);
              const auto before = limit;
              limit.rlim_cur = 4'096;
              ::setrlimit(RLIMIT_FSIZE, &limit);
              go_on.count_down();
              for (auto& thread : threads) thread.join();
              first.join();
              ::setrlimit(RLIMIT_FSIZE, &before);
              if (told != 20) return 1;
              for (int i = 0; i < 20; ++i) {
                  if (has(*storage, i)) return 2;
              }
              return storage->stats().commits == 0 && put(*storage, 1) ? 0 : 3;
          }) == 0);
}

TEST_CASE(
    "an outbox that was opened before fork() is of no use in the child, whole in the parent") {
    const OutboxDisk d;
    auto storage = d.open();
    put(*storage, 1).value();
    CHECK(in_child_process([&] {
              const auto refused = put(*storage, 2);
              const bool told = !refused && refused.error().what() == containing("before fork()");
              // Closing it must not take the log from the parent.
              storage.reset();
              return told ? 0 : 1;
          }) == 0);
    CHECK(std::filesystem::exists(d.path + "-wal"));
    CHECK(put(*storage, 3).has_value());
    CHECK(has(*storage, 1));
    CHECK_FALSE(has(*storage, 2));
}

TEST_CASE("to open a file once more leaves the locks of who has it open") {
    const OutboxDisk d;
    int go_on[2] = {};
    REQUIRE(::pipe(go_on) == 0);
    // Before the file is opened here: another process, as SQLite sees it.
    const auto child = ::fork();
    if (child == 0) {
        char byte = 0;
        if (::read(go_on[0], &byte, 1) != 1) ::_exit(1);
        int code = 2;
        try {
            // Who closes it last takes the log away; this one is not the last.
            SqliteOutbox{d.path};
            code = 0;
        } catch (...) {
            code = 3;
        }
        ::_exit(code);
    }
    const auto first = d.open();
    put(*first, 1).value();
    const auto second = d.open();
    CHECK(::write(go_on[1], "w", 1) == 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
    ::close(go_on[0]);
    ::close(go_on[1]);
    CHECK(std::filesystem::exists(d.path + "-wal"));
    CHECK(put(*first, 2).has_value());
    CHECK(d.text_of("select count(*) from outbox_job") == "2");
}

TEST_CASE("a process that is killed between its works loses none that was answered") {
    const OutboxDisk d;
    for (int kill_after = 1; kill_after <= 40; kill_after += 13) {
        int told[2] = {};
        REQUIRE(::pipe(told) == 0);
        const int first = kill_after * 10'000;
        const auto child = ::fork();
        if (child == 0) {
            try {
                SqliteOutbox storage{d.path};
                for (int n = first;; n += 2) {
                    storage
                        .transact([n](OutboxTransaction& t) -> Result<void> {
                            // Both, or neither.
                            static_cast<void>(t.insert(numbered_job(n)).value());
                            static_cast<void>(t.insert(numbered_job(n + 1)).value());
                            return {};
                        })
                        .value();
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
        const auto storage = d.open();
        for (int n = 0; n < answered; ++n) {
            CHECK(has(*storage, first + 2 * n));
            CHECK(has(*storage, first + 2 * n + 1));
        }
        // The one under way is there whole, or not at all; what came after it is not.
        CHECK(has(*storage, first + 2 * answered) == has(*storage, first + 2 * answered + 1));
        CHECK_FALSE(has(*storage, first + 2 * answered + 2));
    }
    CHECK(d.text_of("pragma integrity_check") == "ok");
}

TEST_CASE("a process that is killed within a work leaves nothing of it") {
    const OutboxDisk d;
    put(*d.open(), 1).value();
    CHECK(in_child_process([&] {
              SqliteOutbox storage{d.path};
              return storage.transact([](OutboxTransaction& t) -> Result<void> {
                  static_cast<void>(t.insert(numbered_job(2)).value());
                  ::kill(::getpid(), SIGKILL);
                  return {};
              })
                         ? 1
                         : 2;
          }) == -1);
    const auto storage = d.open();
    CHECK(has(*storage, 1));
    CHECK_FALSE(has(*storage, 2));
    CHECK(d.text_of("pragma integrity_check") == "ok");
}

TEST_CASE("another program's INSERT needs a key and a message, and no more") {
    const OutboxDisk d;
    const auto storage = d.open();
    const std::string values = " outbox_message (key, payload) values ('k', '{}')";
    CHECK(d.execute("insert into" + values));
    SUBCASE("a key that is known aborts it, whatever it says of conflicts") {
        CHECK_FALSE(d.execute("insert into" + values));
        CHECK_FALSE(d.execute("insert or ignore into" + values));
        CHECK_FALSE(d.execute("insert or replace into" + values));
        CHECK_FALSE(d.execute("begin; insert or fail into" + values + "; commit"));
        CHECK(d.text_of("select count(*) from outbox_job") == "1");
        CHECK(d.execute(
            "insert into outbox_message (tenant, key, payload) values ('another', 'k', '{}')"));
    }
    SUBCASE("so does what a job cannot be") {
        const std::string into = "insert into outbox_message ";
        CHECK_FALSE(d.execute(into + "(key) values ('no message')"));
        CHECK_FALSE(d.execute(into + "(key, payload) values ('', '{}')"));
        CHECK_FALSE(d.execute("insert or ignore into outbox_message (key) values ('no message')"));
        CHECK_FALSE(d.execute(into + "(payload, lane) values ('{}', 4)"));
        CHECK_FALSE(d.execute(into + "(payload, state) values ('{}', 2)"));
        CHECK_FALSE(d.execute(into + "(payload, on_unknown) values ('{}', 'guess')"));
        CHECK_FALSE(
            d.execute(into + "(payload, tag) values ('{}', '" + std::string(1'001, 't') + "')"));
        CHECK(d.text_of("select count(*) from outbox_job") == "1");
        CHECK(d.text_of("select count(*) from outbox_key") == "1");
        CHECK(d.text_of("select sum(jobs) from outbox_tally") == "1");
    }
    SUBCASE("a time that no clock counts is the last one") {
        CHECK(
            d.execute("insert into outbox_message (payload, not_before, expires_at) values "
                      "('{}', -9223372036854775807, 9223372036854775807)"));
        storage
            ->transact([](OutboxTransaction& t) -> Result<void> {
                const auto job = t.strangers(10).value().at(1);
                CHECK(job.not_before < TimePoint{});
                CHECK(job.expires_at > TimePoint::max() - 1s);
                return {};
            })
            .value();
    }
    SUBCASE("what it says of the job is kept") {
        CHECK(
            d.execute("insert into outbox_message (tenant, key, payload, tag, account, lane, "
                      "on_unknown, not_before, expires_at, order_key) values ('t', 'k', '{}', "
                      "'tag', 'a', 0, 'drop:60', 1000000, 2000000, 'o')"));
        storage
            ->transact([](OutboxTransaction& t) -> Result<void> {
                const auto job = t.strangers(10).value().at(1);
                CHECK(job.tenant == "t");
                CHECK(job.tag == "tag");
                CHECK(job.account == "a");
                CHECK(job.lane == Lane::urgent);
                CHECK(job.on_unknown == OnUnknown::drop(60s));
                CHECK(job.not_before == TimePoint{} + 1s);
                CHECK(job.expires_at == TimePoint{} + 2s);
                CHECK(job.order_key == "o");
                CHECK(t.waiting("t").value() == 1);
                return {};
            })
            .value();
    }
    SUBCASE("it is in no group, and due nowhere, before it is adopted") {
        storage
            ->transact([](OutboxTransaction& t) -> Result<void> {
                CHECK(t.ready_groups().value().empty());
                CHECK_FALSE(t.next_due().value().has_value());
                CHECK(t.strangers(10).value().size() == 1);
                CHECK(t.waiting(std::nullopt).value() == 1);
                return {};
            })
            .value();
    }
    SUBCASE("its key is its own when none is given") {
        CHECK(d.execute("insert into outbox_message (payload) values ('{}')"));
        CHECK(d.execute("insert into outbox_message (payload) values ('{}')"));
        CHECK(d.text_of("select count(distinct key) from outbox_key") == "3");
    }
}

TEST_CASE("a job is handed over in the program's own transaction, with what belongs to it") {
    const OutboxDisk d;
    const auto storage = d.open();
    const ProgramConnection program{d.path};
    REQUIRE(program.run("create table invoice (number integer primary key)") == SQLITE_OK);
    const auto insert = [&](int number) {
        return SqliteOutbox::insert_into(program.database, numbered_job(number));
    };
    SUBCASE("it is there when the program commits") {
        REQUIRE(program.run("begin immediate; insert into invoice values (1)") == SQLITE_OK);
        const auto inserted = insert(1).value();
        CHECK(inserted.inserted);
        CHECK(inserted.id == numbered_job(1).id);
        REQUIRE(program.run("commit") == SQLITE_OK);
        CHECK(has(*storage, 1));
        storage
            ->transact([](OutboxTransaction& t) -> Result<void> {
                const auto groups = t.ready_groups().value();
                CHECK(groups.size() == 1);
                CHECK(t.waiting(std::nullopt).value() == 1);
                return {};
            })
            .value();
    }
    SUBCASE("it is not when the program rolls back") {
        REQUIRE(program.run("begin; insert into invoice values (1)") == SQLITE_OK);
        CHECK(insert(1).value().inserted);
        REQUIRE(program.run("rollback") == SQLITE_OK);
        CHECK_FALSE(has(*storage, 1));
        CHECK(put(*storage, 1).has_value());
    }
    SUBCASE("a key that is known is an answer, and the program goes on") {
        put(*storage, 1).value();
        REQUIRE(program.run("begin immediate; insert into invoice values (1)") == SQLITE_OK);
        auto same = numbered_job(1);
        same.id = numbered_job(2).id;
        const auto known = SqliteOutbox::insert_into(program.database, same).value();
        CHECK_FALSE(known.inserted);
        CHECK(known.id == numbered_job(1).id);
        CHECK(known.content_hash == "hash");
        REQUIRE(program.run("commit") == SQLITE_OK);
        CHECK(d.text_of("select count(*) from invoice") == "1");
    }
    SUBCASE("what is refused leaves nothing, and the program goes on") {
        REQUIRE(program.run("begin immediate; insert into invoice values (1)") == SQLITE_OK);
        auto twin = numbered_job(1);
        CHECK(SqliteOutbox::insert_into(program.database, twin).value().inserted);
        twin.key = "another key, the same id";
        CHECK_FALSE(SqliteOutbox::insert_into(program.database, twin).has_value());
        REQUIRE(program.run("commit") == SQLITE_OK);
        CHECK(d.text_of("select count(*) from invoice") == "1");
        CHECK(d.text_of("select count(*) from outbox_key") == "1");
    }
    SUBCASE("outside of a transaction it is refused") {
        const auto refused = insert(1);
        REQUIRE_FALSE(refused.has_value());
        CHECK(refused.error().what() == containing("database: is in no transaction"));
        CHECK_FALSE(has(*storage, 1));
    }
    SUBCASE("as what it is attached, and nothing else") {
        const ProgramConnection elsewhere{d.directory + "/program.db"};
        REQUIRE(elsewhere.run("attach '" + d.path + "' as mail; begin") == SQLITE_OK);
        const auto lacks = SqliteOutbox::insert_into(elsewhere.database, numbered_job(1));
        REQUIRE_FALSE(lacks.has_value());
        CHECK(lacks.error().what() == containing("schema: has no tables of an outbox"));
        const auto nonsense = SqliteOutbox::insert_into(elsewhere.database, numbered_job(1), "a b");
        REQUIRE_FALSE(nonsense.has_value());
        CHECK(nonsense.error().what() == containing("schema: is no name"));
        CHECK(SqliteOutbox::insert_into(elsewhere.database, numbered_job(1), "mail")
                  .value()
                  .inserted);
        REQUIRE(elsewhere.run("commit") == SQLITE_OK);
        CHECK(has(*storage, 1));
    }
    CHECK_FALSE(SqliteOutbox::insert_into(nullptr, numbered_job(1)).has_value());
}

TEST_CASE("several processes that open a new outbox at once hand over all of their jobs") {
    const OutboxDisk d;
    constexpr int processes = 4;
    constexpr int rounds = 25;
    std::vector<pid_t> children;
    for (int i = 0; i < processes; ++i) {
        const auto child = ::fork();
        if (child == 0) {
            int code = 0;
            try {
                SqliteOutbox storage{d.path, {.busy_timeout = 60s}};
                for (int n = 0; n < rounds; ++n) put(storage, i * rounds + n).value();
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
    CHECK(d.text_of("select count(*) from outbox_job") == std::to_string(processes * rounds));
    CHECK(d.text_of("select count(*) from outbox") == "1");
}

}  // namespace sqlite_outbox_test
