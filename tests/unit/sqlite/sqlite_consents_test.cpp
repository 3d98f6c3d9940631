#include <twiliowa/sqlite/sqlite_consents.hpp>

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <twiliowa/sqlite/sqlite_store.hpp>
#include <twiliowa/state/store.hpp>
#include <twiliowa/testing/check_consent_storage.hpp>

namespace sqlite_consents_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::testing::check_consent_storage;

namespace {

/// A directory of its own, with a file in it.
struct ConsentDisk {
    ConsentDisk() {
        auto name = (std::filesystem::temp_directory_path() / "twiliowa_consents_XXXXXX").string();
        directory = ::mkdtemp(name.data());
        path = directory + "/consents.db";
    }
    ConsentDisk(const ConsentDisk&) = delete;
    ConsentDisk& operator=(const ConsentDisk&) = delete;
    ~ConsentDisk() {
        std::error_code ignored;
        std::filesystem::remove_all(directory, ignored);
    }
    std::shared_ptr<SqliteConsents> open() const { return std::make_shared<SqliteConsents>(path); }
    bool is_refused() const {
        try {
            open();
        } catch (const TransportError& error) {
            return is_store_error(error.error()) && !error.error().hint().empty();
        }
        return false;
    }

    std::string directory;
    std::string path;
};

ConsentRecord granted_at(int seconds, std::string source = {}) {
    return {"person", "marketing", ConsentChange::granted, TimePoint{std::chrono::seconds{seconds}},
            std::move(source)};
}

}  // namespace

TEST_CASE("SqliteConsents keep the contract of a storage, each opened for itself or one for all") {
    const ConsentDisk d;
    CHECK(check_consent_storage([&] { return d.open(); }) == std::vector<std::string>{});
    const auto one = d.open();
    CHECK(check_consent_storage([&] { return one; }) == std::vector<std::string>{});
}

TEST_CASE("what SqliteConsents kept is there when they are opened again, for the owner alone") {
    const ConsentDisk d;
    const auto record = granted_at(1, "slip");
    CHECK(d.open()->add({&record, 1}).value() == 1);
    CHECK(d.open()->history("person").value() == std::vector<ConsentRecord>{record});
    struct stat file {};
    REQUIRE(::stat(d.path.c_str(), &file) == 0);
    CHECK((file.st_mode & 077U) == 0);
}

TEST_CASE("what SqliteConsents forget is not left in the file") {
    const ConsentDisk d;
    {
        const auto consents = d.open();
        const auto record = granted_at(1, "canary-of-a-source");
        CHECK(consents->add({&record, 1}).value() == 1);
        CHECK(consents->forget("person", TimePoint::min(), TimePoint::max())->erased == 1);
    }
    for (const auto& file : std::filesystem::directory_iterator(d.directory)) {
        std::ifstream in{file.path(), std::ios::binary};
        const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
        CHECK(bytes.find("canary-of-a-source") == std::string::npos);
    }
}

TEST_CASE("a file that is a store's is not touched, and what names no file is refused") {
    const ConsentDisk d;
    { const SqliteStore store{d.path}; }
    CHECK(d.is_refused());
    CHECK_THROWS_AS(SqliteConsents{":memory:"}, InvalidRequestError);
    CHECK_THROWS_AS(SqliteConsents{""}, InvalidRequestError);
    CHECK_THROWS_AS((SqliteConsents{d.path, {.busy_timeout = -1ms}}), InvalidRequestError);
    CHECK_THROWS_AS((SqliteConsents{d.path + ".absent", {.create = false}}), TransportError);
}

TEST_CASE("SqliteConsents that were opened before fork() answer an error in the child") {
    const ConsentDisk d;
    const auto consents = d.open();
    const auto child = ::fork();
    if (child == 0) ::_exit(consents->history("person") ? 1 : 0);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 0);
    CHECK(consents->history("person"));
}

}  // namespace sqlite_consents_test
