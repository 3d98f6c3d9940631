#include "servers.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "free_port.hpp"

namespace twiliowa::test {

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

constexpr auto start_takes_at_most = 30s;
constexpr auto look_every = 2ms;

struct User {
    uid_t uid;
    gid_t gid;
};

/// Servers refuse to run as root.
User server_user() {
    if (::geteuid() != 0) return {::geteuid(), ::getegid()};
    for (const char* const name : {"postgres", "nobody"}) {
        if (const auto* const entry = ::getpwnam(name)) return {entry->pw_uid, entry->pw_gid};
    }
    throw std::runtime_error("there is no user without rights: neither postgres nor nobody");
}

std::string text_of(const fs::path& path) {
    std::ifstream file{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
}

/// Returns when it has ended, whoever's child it is, and its sockets are closed.
void kill_and_wait(pid_t pid) {
    const auto process = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (process < 0) return;  // It has ended already.
    ::kill(pid, SIGKILL);
    struct pollfd ended = {process, POLLIN, 0};
    while (::poll(&ended, 1, -1) < 0 && errno == EINTR) continue;
    ::close(process);
}

/// Starts a program as the user of servers. What comes after fork() must not allocate.
pid_t spawn(const std::vector<std::string>& command, const fs::path& log) {
    std::vector<char*> arguments;
    for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    const auto user = server_user();
    const auto parent = ::getpid();
    const auto pid = ::fork();
    if (pid != 0) return pid;
    const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
    const int input = ::open("/dev/null", O_RDONLY);
    ::dup2(input, 0);
    ::dup2(output, 1);
    ::dup2(output, 2);
    ::close_range(3, ~0U, 0);
    // A Ctrl-C is for who started it; and it hears what who started it does not.
    ::setpgid(0, 0);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (::geteuid() == 0 && (::setgid(user.gid) != 0 || ::setuid(user.uid) != 0)) ::_exit(126);
    // What kills the tests leaves no server behind.
    ::prctl(PR_SET_PDEATHSIG, SIGQUIT);
    if (::getppid() != parent || ::chdir("/") != 0) ::_exit(126);
    ::execv(arguments.front(), arguments.data());
    ::_exit(127);
}

/// Runs a program to its end.
void run(const std::vector<std::string>& command, const fs::path& log) {
    const auto pid = spawn(command, log);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        throw std::runtime_error(command.front() + " failed: " + text_of(log));
    }
}

/// The newest of Debian's; empty if there is none.
fs::path postgres_programs() {
    fs::path newest;
    int highest = 0;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{"/usr/lib/postgresql", ignored}) {
        const int version = std::atoi(entry.path().filename().c_str());
        if (version > highest && fs::exists(entry.path() / "bin" / "initdb")) {
            newest = entry.path() / "bin";
            highest = version;
        }
    }
    return newest;
}

constexpr const char* pgbouncer_program = "/usr/sbin/pgbouncer";
constexpr const char* redis_program = "/usr/bin/redis-server";
constexpr const char* redis_client = "/usr/bin/redis-cli";

/// A cluster that was just made: servers begin with copies of it.
const fs::path& new_cluster() {
    static const ServerDirectory directory;
    static const fs::path cluster = [] {
        auto data = directory.path / "data";
        run({postgres_programs() / "initdb", "--pgdata", data, "--username=twiliowa",
             "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"},
            directory.path / "log");
        return data;
    }();
    return cluster;
}

bool listens(const fs::path& socket_file) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, socket_file.c_str(), sizeof address.sun_path - 1);
    const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool connected =
        ::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(socket);
    return connected;
}

std::string socket_url(const fs::path& directory, int port, std::string_view database,
                       std::string_view role) {
    std::ostringstream url;
    url << "postgresql://" << role << "@/" << database << "?host=" << directory.string()
        << "&port=" << port;
    return url.str();
}

}  // namespace

// ---- ServerDirectory

ServerDirectory::ServerDirectory() {
    const char* const chosen = std::getenv("SERVER_DIRECTORY");
    const fs::path memory{chosen != nullptr ? chosen : "/dev/shm"};
    const auto parent = ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
    auto name = (parent / "twiliowa_XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    path = name;
    const auto user = server_user();
    if (::geteuid() == 0 && ::chown(name.c_str(), user.uid, user.gid) != 0) {
        throw std::runtime_error("cannot give away " + name);
    }
}

ServerDirectory::~ServerDirectory() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
}

// ---- ServerProcess

void ServerProcess::start(const std::vector<std::string>& command, const fs::path& log,
                          const std::function<bool()>& is_ready) {
    pid_ = spawn(command, log);
    const auto give_up = std::chrono::steady_clock::now() + start_takes_at_most;
    while (!is_ready()) {
        if (::waitpid(pid_, nullptr, WNOHANG) == pid_) {
            pid_ = 0;
            throw std::runtime_error(command.front() + " ended: " + text_of(log));
        }
        if (std::chrono::steady_clock::now() > give_up) {
            kill(SIGKILL);
            throw std::runtime_error(command.front() + " is not ready: " + text_of(log));
        }
        std::this_thread::sleep_for(look_every);
    }
}

void ServerProcess::kill(int signal) {
    if (pid_ == 0) return;
    ::kill(pid_, signal);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
}

bool ServerProcess::has_ended() {
    if (pid_ != 0 && ::waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
    return pid_ == 0;
}

std::vector<pid_t> ServerProcess::children() const {
    std::vector<pid_t> found;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator{"/proc", ignored}) {
        const auto pid = std::atoi(entry.path().filename().c_str());
        if (pid == 0) continue;
        // "pid (name) state parent": a name may hold anything.
        // It may end while it is read, which is no error.
        std::ifstream file{entry.path() / "stat"};
        std::string status;
        std::getline(file, status);
        const auto end = status.rfind(')');
        if (end == std::string::npos || status.size() < end + 4) continue;
        if (std::atoi(status.c_str() + end + 4) == pid_) found.push_back(pid);
    }
    return found;
}

void ServerProcess::pause() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGSTOP);
    for (const auto child : children()) ::kill(child, SIGSTOP);
}

void ServerProcess::resume() {
    if (pid_ == 0) return;
    for (const auto child : children()) ::kill(child, SIGCONT);
    ::kill(pid_, SIGCONT);
}

// ---- TestPostgres

bool TestPostgres::is_installed() {
    return !postgres_programs().empty();
}

TestPostgres& TestPostgres::shared() {
    static TestPostgres server;
    return server;
}

TestPostgres::TestPostgres(TestPostgresOptions options) : options_(std::move(options)) {
    if (options_.tcp) port_ = free_port();
    const auto log = directory_.path / "log";
    if (options_.standby_of != nullptr) {
        run({postgres_programs() / "pg_basebackup", "-D", directory_.path / "data", "-R", "-d",
             options_.standby_of->url("postgres"), "--checkpoint=fast"},
            log);
    } else {
        run({"/bin/cp", "-a", new_cluster(), directory_.path / "data"}, log);
    }
    std::ofstream{directory_.path / "data" / "pg_hba.conf"}
        << "local all guarded scram-sha-256\nhost all guarded samehost scram-sha-256\n"
        << "local all all trust\nhost all all samehost trust\nlocal replication all trust\n";
    start();
}

TestPostgres::~TestPostgres() {
    resume();
    process_.kill(SIGQUIT);
}

void TestPostgres::start() {
    std::vector<std::string> command{postgres_programs() / "postgres", "-D",
                                     directory_.path / "data"};
    std::vector<std::string> settings{
        "unix_socket_directories=" + directory_.path.string(), "port=" + std::to_string(port_),
        std::string("listen_addresses=") + (options_.tcp ? "127.0.0.1" : ""), "shared_buffers=32MB",
        // Within its directory: what is killed leaves it behind.
        "dynamic_shared_memory_type=mmap"};
    settings.insert(settings.end(), options_.settings.begin(), options_.settings.end());
    for (const auto& setting : settings) {
        command.emplace_back("-c");
        command.push_back(setting);
    }
    const auto status = directory_.path / "data" / "postmaster.pid";
    // One that was killed has left what says that it is ready.
    fs::remove(status);
    process_.start(command, directory_.path / "log", [&] {
        std::ifstream lines{status};
        std::string line;
        for (int i = 0; i < 8; ++i) std::getline(lines, line);
        return lines && (line.rfind("ready", 0) == 0 || line.rfind("standby", 0) == 0);
    });
}

void TestPostgres::stop() {
    process_.kill(SIGINT);
}

void TestPostgres::restart() {
    if (process_.is_running()) stop();
    start();
}

void TestPostgres::kill_now() {
    // Its children would go on until they notice.
    ::kill(process_.pid(), SIGSTOP);
    for (const auto child : process_.children()) kill_and_wait(child);
    process_.kill(SIGKILL);
}

void TestPostgres::catch_up() const {
    const auto written = options_.standby_of->psql("postgres", "select pg_current_wal_lsn()");
    const auto has_it = "select pg_last_wal_replay_lsn() >= '" + written + '\'';
    while (psql("postgres", has_it) != "t") std::this_thread::sleep_for(look_every);
}

void TestPostgres::cut_off() const {
    psql("postgres", "alter system set primary_conninfo = ''");
    psql("postgres", "select pg_reload_conf()");
    while (psql("postgres", "select count(*) from pg_stat_wal_receiver") != "0") {
        std::this_thread::sleep_for(look_every);
    }
}

void TestPostgres::promote() const {
    if (psql("postgres", "select pg_promote()") != "t") {
        throw std::runtime_error("a standby does not take over");
    }
}

std::string TestPostgres::url(std::string_view database, std::string_view role) const {
    return socket_url(directory_.path, port_, database, role);
}

std::string TestPostgres::tcp_url(std::string_view database, std::string_view role) const {
    std::ostringstream url;
    url << "postgresql://" << role << "@127.0.0.1:" << port_ << '/' << database;
    return url.str();
}

std::string TestPostgres::new_database() {
    static std::atomic<int> count{0};
    const auto name = "test_" + std::to_string(++count);
    // Its files are copied: what goes through the server's log takes four times as long.
    psql("postgres", "create database " + name + " strategy file_copy");
    return name;
}

std::string TestPostgres::psql(std::string_view database, std::string_view sql) const {
    static std::atomic<int> count{0};
    const auto output = directory_.path / ("psql_" + std::to_string(++count));
    run({postgres_programs() / "psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url(database), "-c",
         std::string{sql}},
        output);
    auto text = text_of(output);
    fs::remove(output);
    if (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
}

// ---- TestPgBouncer

bool TestPgBouncer::is_installed() {
    return fs::exists(pgbouncer_program);
}

TestPgBouncer::TestPgBouncer(const TestPostgres& server) {
    std::ofstream{directory_.path / "users"} << "\"twiliowa\" \"\"\n";
    std::ofstream{directory_.path / "pgbouncer.ini"}
        << "[databases]\n* = host=" << server.directory().string() << " port=" << server.port()
        << "\n[pgbouncer]\npool_mode=transaction\nauth_type=trust\nauth_file="
        << (directory_.path / "users").string() << "\nunix_socket_dir=" << directory_.path.string()
        << "\nlisten_port=6432\n";
    start();
}

void TestPgBouncer::start() {
    process_.start({pgbouncer_program, directory_.path / "pgbouncer.ini"}, directory_.path / "log",
                   [&] { return listens(directory_.path / ".s.PGSQL.6432"); });
}

void TestPgBouncer::stop() {
    process_.kill(SIGKILL);
}

std::string TestPgBouncer::url(std::string_view database) const {
    return socket_url(directory_.path, 6'432, database, "twiliowa");
}

// ---- TestRedis

bool TestRedis::is_installed() {
    return fs::exists(redis_program) && fs::exists(redis_client);
}

TestRedis& TestRedis::shared() {
    static TestRedis server;
    return server;
}

TestRedis::TestRedis(TestRedisOptions options) : options_(std::move(options)) {
    if (options_.tcp) port_ = free_port();
    start();
}

void TestRedis::start() {
    const auto socket = directory_.path / "redis";
    std::vector<std::string> command{redis_program, "--unixsocket", socket,
                                     options_.tls.empty() ? "--port" : "--tls-port",
                                     std::to_string(port_), "--bind", "127.0.0.1", "--dir",
                                     directory_.path, "--save", "", "--appendonly", "no",
                                     // A replica gets what there is at once.
                                     "--repl-diskless-sync-delay", "0"};
    if (!options_.tls.empty()) {
        const std::vector<std::string> words{"--port",
                                             "0",
                                             "--tls-auth-clients",
                                             "no",
                                             "--tls-cert-file",
                                             options_.tls / "server.pem",
                                             "--tls-key-file",
                                             options_.tls / "key.pem"};
        command.insert(command.end(), words.begin(), words.end());
    }
    command.insert(command.end(), options_.settings.begin(), options_.settings.end());
    if (options_.replica_of != nullptr) {
        command.emplace_back("--replicaof");
        command.emplace_back("127.0.0.1");
        command.push_back(std::to_string(options_.replica_of->port()));
    }
    // One that was killed has left it behind.
    fs::remove(socket);
    process_.start(command, directory_.path / "log", [&] { return listens(socket); });
}

std::string TestRedis::url() const {
    return "unix://" + (directory_.path / "redis").string();
}

std::string TestRedis::tcp_url() const {
    return "redis://127.0.0.1:" + std::to_string(port_);
}

std::string TestRedis::cli(const std::vector<std::string>& command) const {
    static std::atomic<int> count{0};
    const auto output = directory_.path / ("cli_" + std::to_string(++count));
    std::vector<std::string> call{redis_client, "-s", directory_.path / "redis"};
    call.insert(call.end(), command.begin(), command.end());
    run(call, output);
    auto text = text_of(output);
    fs::remove(output);
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return text;
}

}  // namespace twiliowa::test
