// A server for as long as something needs it: the one way in which scripts, benchmarks and systems
// start one.
//
// Usage: twiliowa_servers postgresql|redis <command> [argument]...
// Runs the command and ends as it ends. To PostgreSQL points its environment (PGHOST, PGUSER,
// PGDATABASE: the database is `shop`); the URL of Redis is its last argument. Where there is no
// such server it says SKIPPED and ends with 77.
//
// Usage: twiliowa_servers postgresql|redis
// Prints where the server is in lines of NAME=VALUE, then READY, and serves until SIGTERM or the
// end of who started it. A server that was ended by somebody else is started again, where it was,
// on SIGHUP.
//
// In the environment: SERVER_COMES_BACK=yes starts it again whenever it ends; SERVER_DIRECTORY is
// where its files lie, if not in memory.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/servers.hpp"

namespace {

using namespace twiliowa::test;

constexpr int is_skipped = 77;
constexpr int starts_at_most = 10;

using Lines = std::vector<std::pair<std::string, std::string>>;

class Server {
public:
    Server() = default;
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    virtual ~Server() = default;

    virtual bool has_ended() = 0;
    virtual void start() = 0;
    /// Where it is.
    virtual Lines lines() const = 0;
    /// What a command that uses it is given: in its environment, and as its last argument.
    virtual Lines environment() const = 0;
    virtual std::string last_argument() const = 0;
};

class Postgres final : public Server {
public:
    Postgres() {
        server_.psql("postgres", "create role shop superuser login");
        server_.psql("postgres", "create database shop owner shop");
    }
    bool has_ended() override { return server_.has_ended(); }
    void start() override { server_.start(); }
    Lines lines() const override {
        auto all = environment();
        // It has no &, so that a shell takes the line as it is.
        all.emplace_back("DATABASE_URL",
                         "postgresql://shop@/shop?host=" + server_.directory().string());
        return all;
    }
    Lines environment() const override {
        return {{"PGHOST", server_.directory()}, {"PGUSER", "shop"}, {"PGDATABASE", "shop"}};
    }
    std::string last_argument() const override { return {}; }

private:
    // As a server is that nobody has set up: benchmarks measure it.
    TestPostgres server_{{.settings = {"shared_buffers=128MB"}}};
};

class Redis final : public Server {
public:
    bool has_ended() override { return server_.has_ended(); }
    void start() override { server_.start(); }
    Lines lines() const override {
        return {{"REDIS_URL", server_.url()},
                {"REDIS_PORT", std::to_string(server_.port())},
                {"REDIS_PID", std::to_string(server_.pid())}};
    }
    Lines environment() const override { return {}; }
    std::string last_argument() const override { return server_.url(); }

private:
    TestRedis server_{{.tcp = true}};
};

/// Once more if it was ended while it started.
void start_again(Server& server) {
    for (int failed = 0;;) {
        try {
            server.start();
            return;
        } catch (const std::exception&) {
            if (++failed == starts_at_most) throw;
        }
    }
}

/// What is awaited, and reaches nobody else. In a shell's background Ctrl-C is ignored, and stays
/// so.
sigset_t awaited_signals() {
    sigset_t signals;
    ::sigemptyset(&signals);
    for (const int each : {SIGTERM, SIGHUP, SIGCHLD}) ::sigaddset(&signals, each);
    struct sigaction interrupt = {};
    ::sigaction(SIGINT, nullptr, &interrupt);
    if (interrupt.sa_handler != SIG_IGN) ::sigaddset(&signals, SIGINT);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    return signals;
}

int next_of(const sigset_t& signals) {
    int signal = 0;
    while (::sigwait(&signals, &signal) != 0) continue;
    return signal;
}

void print(const Server& server) {
    for (const auto& [name, value] : server.lines()) {
        std::printf("%s=%s\n", name.c_str(), value.c_str());
    }
    std::puts("READY");
    std::fflush(stdout);
}

int serve(Server& server, const sigset_t& signals, bool comes_back) {
    print(server);
    while (true) {
        const int signal = next_of(signals);
        if (signal == SIGTERM || signal == SIGINT) return 0;
        // Asked whatever follows: who waits for its end sees it then.
        const bool ended = server.has_ended();
        if (ended && (comes_back || signal == SIGHUP)) start_again(server);
    }
}

pid_t start_command(const std::vector<std::string>& command, const Lines& environment,
                    const sigset_t& signals) {
    std::vector<char*> arguments;
    for (const auto& argument : command) arguments.push_back(const_cast<char*>(argument.c_str()));
    arguments.push_back(nullptr);
    const auto pid = ::fork();
    if (pid != 0) return pid;
    ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
    for (const auto& [name, value] : environment) ::setenv(name.c_str(), value.c_str(), 1);
    ::execvp(arguments.front(), arguments.data());
    std::fprintf(stderr, "cannot run %s: %s\n", arguments.front(), std::strerror(errno));
    ::_exit(127);
}

int run(Server& server, std::vector<std::string> command, const sigset_t& signals,
        bool comes_back) {
    if (const auto last = server.last_argument(); !last.empty()) command.push_back(last);
    const auto pid = start_command(command, server.environment(), signals);
    while (true) {
        const int signal = next_of(signals);
        // Ctrl-C has reached the command, too, and it says what follows.
        if (signal == SIGTERM || signal == SIGHUP) ::kill(pid, signal);
        int status = 0;
        if (::waitpid(pid, &status, WNOHANG) == pid) {
            return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        }
        const bool ended = server.has_ended();
        if (!ended || !comes_back) continue;
        try {
            start_again(server);
        } catch (const std::exception&) {
            ::kill(pid, SIGTERM);
            throw;
        }
    }
}

std::string name_of(const std::vector<std::string>& command) {
    std::string names;
    for (const auto& word : command) {
        names += (names.empty() ? "" : " ") + std::filesystem::path{word}.filename().string();
    }
    return names;
}

int skip(const std::vector<std::string>& command, const char* what) {
    if (command.empty()) {
        std::fprintf(stderr, "%s\n", what);
    } else {
        std::printf("SKIPPED: %s: %s\n", name_of(command).c_str(), what);
    }
    return is_skipped;
}

}  // namespace

int main(int count, char** arguments) {
    const std::string_view kind = count > 1 ? arguments[1] : "";
    if (kind != "postgresql" && kind != "redis") {
        std::fputs("Usage: twiliowa_servers postgresql|redis [command...]\n", stderr);
        return 2;
    }
    const std::vector<std::string> command{arguments + 2, arguments + count};
    const char* const comes_back = std::getenv("SERVER_COMES_BACK");
    const bool is_back = comes_back != nullptr && std::string_view{comes_back} == "yes";
    if (kind == "postgresql" && !TestPostgres::is_installed()) {
        return skip(command, "PostgreSQL is not installed below /usr/lib/postgresql");
    }
    if (kind == "redis" && !TestRedis::is_installed()) {
        return skip(command, "Redis is not installed");
    }
    if (command.empty()) ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    const auto signals = awaited_signals();
    try {
        std::unique_ptr<Server> server;
        if (kind == "redis") {
            server = std::make_unique<Redis>();
        } else {
            server = std::make_unique<Postgres>();
        }
        return command.empty() ? serve(*server, signals, is_back)
                               : run(*server, command, signals, is_back);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
