/// @file
/// Servers that tests start for themselves: Debian's programs in a temporary directory, as a user
/// without rights where the tests run as root, ended with the test.
/// tests/servers starts them for scripts, benchmarks and systems.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace twiliowa::test {

/// A directory that a server's user may write in: below SERVER_DIRECTORY, or in memory where there
/// is one. It is removed at the end.
class ServerDirectory {
public:
    ServerDirectory();
    ServerDirectory(const ServerDirectory&) = delete;
    ServerDirectory& operator=(const ServerDirectory&) = delete;
    ~ServerDirectory();

    std::filesystem::path path;
};

/// A server in a process of its own. It ends when this does, and when the thread that started it
/// dies.
class ServerProcess {
public:
    ServerProcess() = default;
    ServerProcess(const ServerProcess&) = delete;
    ServerProcess& operator=(const ServerProcess&) = delete;
    ~ServerProcess() { kill(9); }

    /// Starts the program, whose output goes to `log`, and waits until `is_ready`.
    /// @throws std::runtime_error, with what it said, if it ends, or is not ready in 30 seconds.
    void start(const std::vector<std::string>& command, const std::filesystem::path& log,
               const std::function<bool()>& is_ready);
    /// Sends it the signal, and waits for its end.
    void kill(int signal);
    /// That it was started, and somebody else has ended it. It may be started again.
    bool has_ended();
    /// Stops it and its children, and lets them go on.
    void pause();
    void resume();

    pid_t pid() const noexcept { return pid_; }
    bool is_running() const noexcept { return pid_ != 0; }
    /// Those that run now.
    std::vector<pid_t> children() const;

private:
    pid_t pid_ = 0;
};

struct TestPostgresOptions {
    /// Beside the socket, on a port of 127.0.0.1.
    bool tcp = false;
    /// As in postgresql.conf: `max_connections=5`.
    std::vector<std::string> settings = {};
    /// A standby of that one, which it follows without its waiting (hot_standby, asynchronous).
    const class TestPostgres* standby_of = nullptr;
};

/// PostgreSQL. Its superuser is `twiliowa`, whom it trusts; the role `guarded` has to have the
/// password `tested`, once `create role guarded` was run.
class TestPostgres {
public:
    static bool is_installed();
    /// The server that the tests of this program share. Each makes a database in it.
    static TestPostgres& shared();

    explicit TestPostgres(TestPostgresOptions options = {});
    TestPostgres(const TestPostgres&) = delete;
    TestPostgres& operator=(const TestPostgres&) = delete;
    ~TestPostgres();

    /// Through its socket.
    std::string url(std::string_view database, std::string_view role = "twiliowa") const;
    std::string tcp_url(std::string_view database, std::string_view role = "twiliowa") const;
    /// Makes a database; its name.
    std::string new_database();
    /// What psql prints, without headings: columns with | between them, rows in lines.
    std::string psql(std::string_view database, std::string_view sql) const;

    void start();
    /// As an administrator stops it: sessions are ended.
    void stop();
    void restart();
    /// As the power goes.
    void kill_now();
    bool has_ended() { return process_.has_ended(); }
    /// It is there, takes connections, and does not answer.
    void pause() { process_.pause(); }
    void resume() { process_.resume(); }

    // ---- Of a standby

    /// Returns when it has all that its primary has now.
    void catch_up() const;
    /// What its primary does from now on does not reach it.
    void cut_off() const;
    /// It takes writes from now on, on a timeline of its own.
    void promote() const;

    const std::filesystem::path& directory() const noexcept { return directory_.path; }
    int port() const noexcept { return port_; }

private:
    TestPostgresOptions options_;
    ServerDirectory directory_;
    int port_ = 5'432;
    ServerProcess process_;
};

/// PgBouncer before a PostgreSQL, in transaction mode: a session of the server for each
/// transaction.
class TestPgBouncer {
public:
    static bool is_installed();
    explicit TestPgBouncer(const TestPostgres& server);

    std::string url(std::string_view database) const;

    void stop();
    void start();

private:
    ServerDirectory directory_;
    ServerProcess process_;
};

struct TestRedisOptions {
    /// Beside the socket, on a port of 127.0.0.1. One that others follow needs it.
    bool tcp = false;
    /// The port speaks TLS, with the certificate `server.pem` and the key `key.pem` of this
    /// directory.
    std::filesystem::path tls = {};
    /// As on the command line: `--maxmemory 2mb`, a word each.
    std::vector<std::string> settings = {};
    /// A replica of that one.
    const class TestRedis* replica_of = nullptr;
};

/// Redis, which keeps nothing on a disk unless its settings say so.
class TestRedis {
public:
    static bool is_installed();
    /// The server that the tests of this program share. Each has a prefix of its own.
    static TestRedis& shared();

    explicit TestRedis(TestRedisOptions options = {});
    TestRedis(const TestRedis&) = delete;
    TestRedis& operator=(const TestRedis&) = delete;
    ~TestRedis() { resume(); }

    /// Through its socket.
    std::string url() const;
    std::string tcp_url() const;
    /// What redis-cli prints: a line for each value.
    std::string cli(const std::vector<std::string>& command) const;

    void start();
    /// As an administrator stops it.
    void stop() { process_.kill(15); }
    void kill_now() { process_.kill(9); }
    bool has_ended() { return process_.has_ended(); }
    void pause() { process_.pause(); }
    void resume() { process_.resume(); }

    const std::filesystem::path& directory() const noexcept { return directory_.path; }
    int port() const noexcept { return port_; }
    pid_t pid() const noexcept { return process_.pid(); }

private:
    TestRedisOptions options_;
    ServerDirectory directory_;
    int port_ = 0;
    ServerProcess process_;
};

}  // namespace twiliowa::test
