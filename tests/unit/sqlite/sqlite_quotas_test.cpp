#include <twiliowa/sqlite/sqlite_quotas.hpp>

#include <doctest/doctest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/sqlite/sqlite_store.hpp>
#include <twiliowa/state/quotas.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/testing/check_quota_storage.hpp>
#include <twiliowa/testing/manual_clock.hpp>

#include "support/show.hpp"

namespace sqlite_quotas_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::test::containing;
using twiliowa::testing::check_quota_storage;
using twiliowa::testing::ManualClock;

namespace {

using Faults = std::vector<std::string>;

/// A directory of its own, with a file in it.
struct QuotaDisk {
    QuotaDisk() {
        auto name = (std::filesystem::temp_directory_path() / "twiliowa_quotas_XXXXXX").string();
        directory = ::mkdtemp(name.data());
        path = directory + "/quotas.db";
    }
    QuotaDisk(const QuotaDisk&) = delete;
    QuotaDisk& operator=(const QuotaDisk&) = delete;
    ~QuotaDisk() {
        std::error_code ignored;
        std::filesystem::remove_all(directory, ignored);
    }

    std::shared_ptr<SqliteQuotas> open(SqliteQuotasOptions options = {}) const {
        if (!options.clock) options.clock = clock;
        return std::make_shared<SqliteQuotas>(path, std::move(options));
    }
    Quotas quotas() const {
        return Quotas{open(),
                      {.windows = {QuotaWindow::per_minute(30), QuotaWindow::per_month(100)},
                       .clock = clock}};
    }
    std::string refusal(SqliteQuotasOptions options = {}) const {
        try {
            open(std::move(options));
        } catch (const TransportError& error) {
            CHECK(is_store_error(error.error()));
            CHECK_FALSE(error.error().hint().empty());
            return error.what();
        }
        return "it was opened";
    }
    long long number(const std::string& sql) const {
        sqlite3* database = nullptr;
        REQUIRE(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
        long long found = -1;
        const auto read = [](void* to, int, char** values, char**) {
            *static_cast<long long*>(to) = std::stoll(values[0]);
            return 0;
        };
        CHECK(sqlite3_exec(database, sql.c_str(), read, &found, nullptr) == SQLITE_OK);
        sqlite3_close(database);
        return found;
    }

    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::string directory;
    std::string path;
};

}  // namespace

TEST_CASE("SqliteQuotas keep the contract of a storage, each opened for itself or one for all") {
    const QuotaDisk d;
    const auto pass = [&](auto time) { d.clock->advance(time); };
    CHECK(check_quota_storage([&] { return d.open(); }, {.pass_time = pass}) == Faults{});
    const auto one = d.open();
    CHECK(check_quota_storage([&] { return one; }, {.pass_time = pass}) == Faults{});
}

TEST_CASE("what SqliteQuotas counted is there when they are opened again") {
    const QuotaDisk d;
    CHECK(d.quotas().reserve({"org", "a", 20}).value().granted);
    CHECK(d.quotas().settle({"org", "a", 20}, 10).value() == QuotaEnd::done);
    CHECK(d.quotas().reserve({"org", "a", 20}).value().granted_before);
    CHECK(d.quotas().read("org").value()[1].used == 10);
    CHECK(d.quotas().reserve({"org", "b", 21}).value().http_status() == 429);
}

TEST_CASE("sends and counts go when their time has passed, the usage by day a year later") {
    const QuotaDisk d;
    const auto quotas = d.quotas();
    for (int i = 0; i < 30; ++i) {
        const QuotaCharge charge{"org", std::to_string(i), 1};
        CHECK(quotas.reserve(charge).value().granted);
        CHECK(quotas.settle(charge).has_value());
    }
    CHECK(d.number("select count(*) from quota_send") == 90);
    d.clock->advance(49h);
    for (int i = 0; i < 4; ++i) CHECK(quotas.reserve({"other", std::to_string(i), 1}).has_value());
    CHECK(d.number("select count(*) from quota_send where quota = x'6f7267'") == 0);
    CHECK(d.number("select count(*) from quota_count where quota = x'6f7267'") == 2);
    const auto days = quotas.usage_by_day("org", TimePoint{}, d.clock->now()).value();
    REQUIRE(days.size() == 1);
    CHECK(days.front().used == 30);
    d.clock->advance(24h * 440);
    CHECK(quotas.reserve({"other", "x", 1}).has_value());
    CHECK(d.number("select count(*) from quota_count where quota = x'6f7267'") == 0);
}

TEST_CASE("the file of quotas is its owner's alone, says what it is, and is no other's") {
    const QuotaDisk d;
    d.open();
    struct stat facts = {};
    REQUIRE(::stat(d.path.c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);
    CHECK(d.number("pragma application_id") == 0x54775771);
    CHECK_THROWS_AS(SqliteStore{d.path}, TransportError);
    const QuotaDisk other;
    SqliteStore{other.path};
    CHECK(other.refusal() == containing("store: is a database of another program"));
    const QuotaDisk none;
    CHECK(none.refusal({.create = false}) == containing("store: cannot be opened"));
    CHECK_THROWS_AS(none.open({.busy_timeout = -1ms}), InvalidRequestError);
    CHECK_THROWS_AS(SqliteQuotas(":memory:"), InvalidRequestError);
}

TEST_CASE("while another process writes, quotas answer an error, and grant nothing") {
    const QuotaDisk d;
    const Quotas quotas{d.open({.busy_timeout = 0ms}), {.windows = {QuotaWindow::per_minute(30)}}};
    sqlite3* other = nullptr;
    REQUIRE(sqlite3_open(d.path.c_str(), &other) == SQLITE_OK);
    REQUIRE(sqlite3_exec(other, "begin immediate", nullptr, nullptr, nullptr) == SQLITE_OK);
    const auto answer = quotas.reserve({"canary+447700900123", "canary", 1});
    CHECK(is_store_error(answer.error()));
    CHECK(std::string{answer.error().what()}.find("canary") == std::string::npos);
    sqlite3_close(other);
    CHECK(quotas.reserve({"canary+447700900123", "canary", 1}).value().granted);
}

TEST_CASE("quotas that were opened before fork() answer an error in the child") {
    const QuotaDisk d;
    const auto quotas = d.quotas();
    const auto child = ::fork();
    if (child == 0) ::_exit(is_store_error(quotas.reserve({"org", "a", 1}).error()) ? 0 : 1);
    int status = 0;
    ::waitpid(child, &status, 0);
    CHECK(WEXITSTATUS(status) == 0);
    CHECK(quotas.reserve({"org", "a", 1}).value().granted);
}

}  // namespace sqlite_quotas_test
