/// @file
/// A program with an outbox in a file, and a Twilio whose clock is the outbox's.
#pragma once

#include <doctest/doctest.h>
#include <sqlite3.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include <twiliowa/sqlite/sqlite_outbox.hpp>

#include "unit/outbox/outbox_service.hpp"

namespace sqlite_test {

/// A directory that goes with it.
struct TestDirectory {
    TestDirectory() {
        auto name = (std::filesystem::temp_directory_path() / "twiliowa_on_sqlite_XXXXXX").string();
        path = ::mkdtemp(name.data());
    }
    TestDirectory(const TestDirectory&) = delete;
    TestDirectory& operator=(const TestDirectory&) = delete;
    ~TestDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }

    std::string path;
};

/// A service whose jobs are in a file, in a directory of its own.
struct FileService {
    explicit FileService(twiliowa::OutboxOptions options = {}) : service(std::move(options)) {
        directory = own.path;
        path = directory + "/outbox.db";
        service.wrapped = [this] {
            auto file = open(path);
            in_use = file;
            return file;
        };
        service.restart();
    }
    FileService(const FileService&) = delete;
    FileService& operator=(const FileService&) = delete;
    ~FileService() { service.outbox.reset(); }

    std::shared_ptr<twiliowa::SqliteOutbox> open(const std::string& file) const {
        return std::make_shared<twiliowa::SqliteOutbox>(file, storage_options());
    }
    twiliowa::SqliteOutboxOptions storage_options() const {
        return {.busy_timeout = busy_timeout,
                .clock = service.options.clock,
                .lease_clock = [clock = service.clock] {
                    return twiliowa::LeaseTime{
                        "boot", std::chrono::duration_cast<std::chrono::microseconds>(
                                    clock->monotonic_now().time_since_epoch())
                                    .count()};
                }};
    }
    /// What stands in any file of the directory.
    bool files_hold(const std::string& text) const {
        for (const auto& entry : std::filesystem::directory_iterator(directory)) {
            std::ifstream file{entry.path(), std::ios::binary};
            const std::string bytes{std::istreambuf_iterator<char>{file}, {}};
            if (bytes.find(text) != std::string::npos) return true;
        }
        return false;
    }
    /// How often each text is at Twilio.
    std::map<std::string, int> at_twilio() const {
        std::map<std::string, int> counted;
        for (const auto& message : service.fake->messages()) ++counted[message.body];
        return counted;
    }

    TestDirectory own;
    outbox_test::Service service;
    std::string directory;
    std::string path;
    std::chrono::milliseconds busy_timeout{5'000};
    /// What the service's outbox has open, as long as it has.
    std::weak_ptr<twiliowa::SqliteOutbox> in_use;
};

/// A connection of the program's own.
struct Database {
    explicit Database(const std::string& path) {
        REQUIRE(sqlite3_open(path.c_str(), &handle) == SQLITE_OK);
        sqlite3_busy_timeout(handle, 5'000);
    }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database() { sqlite3_close(handle); }
    bool run(const std::string& sql) const {
        return sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
    }
    /// The first column of all rows.
    std::string text_of(const std::string& sql) const {
        std::string text;
        const auto collect = [](void* to, int, char** values, char**) {
            static_cast<std::string*>(to)->append(values[0] != nullptr ? values[0] : "NULL");
            return 0;
        };
        if (sqlite3_exec(handle, sql.c_str(), collect, &text, nullptr) != SQLITE_OK) {
            return sqlite3_errmsg(handle);
        }
        return text;
    }

    sqlite3* handle = nullptr;
};

}  // namespace sqlite_test
