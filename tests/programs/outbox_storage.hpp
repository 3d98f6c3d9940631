/// @file
/// Where these programs keep their jobs: OUTBOX_ENGINE says whether the path that a program names
/// is a file of SQLite, or stands for a database in the server that libpq's variables name, which
/// twiliowa_servers starts.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>
#include <twiliowa/state/store.hpp>

#include "ahead_clock.hpp"

#ifdef WITH_POSTGRESQL
#include <libpq-fe.h>
#include <signal.h>

#include <fstream>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <twiliowa/postgresql/postgres_outbox.hpp>
#endif

namespace outbox_processes {

inline bool on_postgresql() {
    const char* const named = std::getenv("OUTBOX_ENGINE");
    const std::string_view engine = named == nullptr ? "sqlite" : named;
    if (engine == "sqlite") return false;
#ifdef WITH_POSTGRESQL
    if (engine == "postgresql") return true;
#endif
    fail("there is an engine of that name: " + std::string{engine});
}

/// Makes what uses a storage; a server that is being restarted is waited for.
template <class Make>
auto make_patiently(const Make& make) {
    const auto give_up = std::chrono::steady_clock::now() + 60s;
    while (true) {
        try {
            return make();
        } catch (const TransportError&) {
            if (!on_postgresql() || std::chrono::steady_clock::now() > give_up) throw;
        }
        std::this_thread::sleep_for(20ms);
    }
}

#ifdef WITH_POSTGRESQL

/// A connection of the test's own.
class PostgresSession {
public:
    explicit PostgresSession(const std::string& database)
        : connection_(::PQconnectdb(("dbname='" + database + "'").c_str())) {
        ::PQsetNoticeReceiver(
            connection_, [](void*, const PGresult*) {}, nullptr);
    }
    ~PostgresSession() { ::PQfinish(connection_); }
    PostgresSession(const PostgresSession&) = delete;
    PostgresSession& operator=(const PostgresSession&) = delete;

    bool is_open() const { return ::PQstatus(connection_) == CONNECTION_OK; }
    /// The first column of all rows; nullopt if it fails, and `failure` says by which SQLSTATE.
    std::optional<std::vector<std::string>> run(const std::string& sql) {
        auto* const result = ::PQexec(connection_, sql.c_str());
        const auto status = ::PQresultStatus(result);
        std::optional<std::vector<std::string>> column;
        if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
            column.emplace();
            for (int row = 0; row < ::PQntuples(result); ++row) {
                column->emplace_back(::PQgetvalue(result, row, 0));
            }
        } else {
            const char* const state = ::PQresultErrorField(result, PG_DIAG_SQLSTATE);
            failure = state == nullptr ? "" : state;
        }
        ::PQclear(result);
        return column;
    }

    std::string failure = {};

private:
    PGconn* connection_;
};

/// The server dies or ends sessions, and comes back.
class PostgresDeath {
public:
    static constexpr int kinds = 4;

    static const char* name(int kind) {
        constexpr const char* names[kinds] = {"sessions ended", "one of its processes killed",
                                              "killed", "restarted"};
        return names[kind];
    }
    /// It may be just coming back: then nothing happens. Whether it did.
    static bool strike(int kind) {
        if (kind < 2) {
            PostgresSession session{"postgres"};
            const auto others = session.is_open()
                                    ? session.run(
                                          "select pid from pg_stat_activity where backend_type = "
                                          "'client backend' and pid <> pg_backend_pid()")
                                    : std::nullopt;
            if (!others || others->empty()) return false;
            // Of one that is killed the server ends all, and recovers.
            if (kind == 1) return ::kill(std::stoi(others->front()), SIGKILL) == 0;
            for (const auto& other : *others) ::kill(std::stoi(other), SIGTERM);
            return true;
        }
        const char* const directory = std::getenv("PGHOST");
        if (directory == nullptr) fail("the server has a directory");
        std::ifstream file{std::string{directory} + "/data/postmaster.pid"};
        pid_t server = 0;
        if (!(file >> server) || server <= 1) return false;
        // At once, without writing down what is only in its log; or as an administrator does.
        return ::kill(server, kind == 2 ? SIGQUIT : SIGINT) == 0;
    }
};

/// The file's name and its directory's, which is another one for each test.
inline std::string database_of(const std::string& path) {
    const std::filesystem::path file{path};
    auto name = (file.parent_path().filename() / file.filename()).string();
    for (auto& letter : name) {
        if (letter == '/' || letter == '.') letter = '_';
    }
    return name;
}

/// Makes the database, with a clock that can be put ahead for all who use it.
/// @return whether it can be used.
inline bool make_database(const std::string& name) {
    constexpr std::string_view exists_already = "42P04";
    PostgresSession server{"postgres"};
    if (!server.is_open()) return false;
    // Its files are copied: what goes through the server's log takes four times as long.
    if (!server.run("create database \"" + name + "\" strategy file_copy")) {
        return server.failure == exists_already;
    }
    if (!PostgresOutbox::migrate("postgresql:///" + name)) fail("tables can be made");
    PostgresSession database{name};
    const bool timed =
        database
            .run(
                "create table public.ahead (microseconds bigint); "
                "insert into public.ahead values (0); "
                "create or replace function twiliowa.now() returns timestamptz language plpgsql "
                "stable as 'begin return (select statement_timestamp() + microseconds * interval "
                "''1 microsecond'' from public.ahead); end'")
            .has_value();
    if (!timed) fail("a database's clock can be put ahead");
    return true;
}

/// A database whose clock is as far ahead as that of whoever is the farthest.
class AheadPostgres final : public OutboxStorage {
public:
    AheadPostgres(const std::string& path, std::shared_ptr<AheadClock> clock)
        : clock_(std::move(clock)),
          name_(database_of(path)),
          storage_("postgresql:///" + name_, {.connect_timeout = 20s, .statement_timeout = 20s}) {}

    Result<void> transact(const Work& work) override {
        if (!tell_time()) return store_error("does not take the time");
        return storage_.transact(work);
    }
    std::uint32_t outbox_id() const override { return storage_.outbox_id(); }
    LeaseTime lease_now() const override {
        auto time = storage_.lease_now();
        time.microseconds += ahead() - told_;
        return time;
    }
    std::optional<TimePoint> now() const override {
        return *storage_.now() + std::chrono::microseconds{ahead() - told_};
    }
    std::string identity() const override { return storage_.identity(); }

private:
    std::int64_t ahead() const { return *clock_->ahead / 1'000; }
    bool tell_time() {
        const std::lock_guard lock(mutex_);
        const auto now = ahead();
        if (now == told_) return true;
        if (!session_ || !session_->is_open()) session_.emplace(name_);
        if (!session_->run("update public.ahead set microseconds = greatest(microseconds, " +
                           std::to_string(now) + ")")) {
            return false;
        }
        told_ = now;
        return true;
    }

    const std::shared_ptr<AheadClock> clock_;
    const std::string name_;
    std::mutex mutex_ = {};
    std::optional<PostgresSession> session_ = {};
    std::atomic<std::int64_t> told_{0};
    PostgresOutbox storage_;
};

inline std::shared_ptr<OutboxStorage> open_database(const std::string& path,
                                                    const std::shared_ptr<AheadClock>& clock) {
    if (!make_database(database_of(path))) store_error("cannot be reached").raise();
    return std::make_shared<AheadPostgres>(path, clock);
}

#endif

inline std::shared_ptr<OutboxStorage> open_storage(const std::string& path,
                                                   const std::shared_ptr<AheadClock>& clock) {
#ifdef WITH_POSTGRESQL
    if (on_postgresql()) return open_database(path, clock);
#endif
    static_cast<void>(on_postgresql());
    return std::make_shared<SqliteOutbox>(
        path, SqliteOutboxOptions{.busy_timeout = 20s, .clock = clock, .lease_clock = [clock] {
                                      return clock->lease_now();
                                  }});
}

/// Of what a directory's end does not remove, when nobody uses it any more.
inline void remove_storage([[maybe_unused]] const std::string& path) {
#ifdef WITH_POSTGRESQL
    if (!on_postgresql()) return;
    PostgresSession server{"postgres"};
    if (!server.run("drop database if exists \"" + database_of(path) + "\" with (force)")) {
        fail("a database can be removed");
    }
#endif
}

}  // namespace outbox_processes
