// Usage: webhook_two_processes [URL of a Redis]. Two processes behind HTTP that share a store, in
// that Redis, or without one in the PostgreSQL that libpq's variables name:
//
//   - a webhook that comes 1,000 times to both runs its handler once;
//   - of 200 webhooks that each come to both at once, each runs its handler once;
//   - a process that is killed in a handler: the other takes the event over, in Twilio's 15 s.
//
// What ran is counted outside of them: each handler adds a line to a file.
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/adapters/httplib.hpp>
#include <twiliowa/webhook_handler.hpp>
#ifdef WITH_POSTGRESQL
#include <twiliowa/postgresql/postgres_store.hpp>
#endif
#ifdef WITH_REDIS
#include <twiliowa/redis/redis_pool.hpp>
#include <twiliowa/redis/redis_store.hpp>
#endif

namespace {

using namespace twiliowa;
using namespace std::chrono_literals;

constexpr int repetitions = 1'000;
constexpr int callers = 16;
constexpr int refused_before_release = 100;
constexpr int events = 200;
const std::string base_url = "https://bot.example.com";
const std::string token = "token";

void expect(bool holds, const std::string& what) {
    if (holds) return;
    std::fprintf(stderr, "not so: %s\n", what.c_str());
    std::exit(1);
}

std::shared_ptr<Store> open_store(const std::string& redis) {
#ifdef WITH_REDIS
    if (!redis.empty()) return std::make_shared<RedisStore>(std::make_shared<RedisPool>(redis));
#endif
#ifdef WITH_POSTGRESQL
    if (redis.empty()) return std::make_shared<PostgresStore>("postgresql:///shop");
#endif
    throw std::runtime_error{"built without that store"};
}

void say(int to, const std::string& word) {
    const auto line = word + "\n";
    if (::write(to, line.data(), line.size()) < 0) std::_Exit(2);
}

/// Serves until it is killed. A text "wait" has its handler wait for a byte from `in`, or for its
/// process's end.
[[noreturn]] void serve(const std::string& redis, const std::string& ran, int in, int out) {
    const int file = ::open(ran.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    const auto keeper = std::make_shared<LeaseKeeper>();
    WebhookOptions options;
    options.public_url = PublicUrl::fixed(base_url);
    options.dedup = std::make_shared<DedupStore>(open_store(redis), DedupOptions{.keeper = keeper});
    WebhookHandler handler{RequestValidator{token}, options};
    handler.on_message([&](const InboundMessage& message) {
        say(file, message.sid.str());  // one write, in one piece
        if (message.body != "wait") return;
        say(out, "runs");
        char released = 0;
        if (::read(in, &released, 1) < 0) std::_Exit(2);
    });
    httplib::Server server;
    server.new_task_queue = [] { return new httplib::ThreadPool(2 * callers); };
    serve_webhooks(server, "/whatsapp", handler);
    say(out, std::to_string(server.bind_to_any_port("127.0.0.1")));
    server.listen_after_bind();
    std::_Exit(1);
}

/// A process that serves.
class Server {
public:
    Server(const std::string& redis, const std::string& ran) {
        std::array<int, 2> orders{};
        std::array<int, 2> reports{};
        if (::pipe(orders.data()) != 0 || ::pipe(reports.data()) != 0) std::abort();
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(orders[1]);
            ::close(reports[0]);
            try {
                serve(redis, ran, orders[0], reports[1]);
            } catch (const std::exception& error) {
                std::fprintf(stderr, "a server: %s\n", error.what());
                std::_Exit(1);
            }
        }
        ::close(orders[0]);
        ::close(reports[1]);
        to_ = orders[1];
        from_ = reports[0];
        const auto port = says();
        expect(!port.empty(), "a server begins");
        port_ = std::stoi(port);
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() { kill(); }

    int port() const { return port_; }
    void release() const { expect(::write(to_, "r", 1) == 1, "a handler is released"); }
    void kill() {
        if (pid_ == 0) return;
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }
    /// Its next line; empty if it ended, or none comes.
    std::string says(int milliseconds = 30'000) const {
        std::string line;
        pollfd ready{from_, POLLIN, 0};
        char c = 0;
        while (::poll(&ready, 1, milliseconds) == 1 && ::read(from_, &c, 1) == 1 && c != '\n') {
            line += c;
        }
        return line;
    }

private:
    pid_t pid_ = 0;
    int to_ = -1;
    int from_ = -1;
    int port_ = 0;
};

std::string sid_of(int number) {
    char text[35];
    std::snprintf(text, sizeof text, "SM%032d", number);
    return text;
}

/// Twilio, as far as it posts a webhook to one of two servers. The status of the answer.
int post(const Server& server, int number, const std::string& text) {
    const auto body = "MessageSid=" + sid_of(number) +
                      "&AccountSid=AC00000000000000000000000000000001"
                      "&From=whatsapp%3A%2B447700900123&Body=" +
                      text;
    static const RequestValidator validator{token};
    const std::string type = "application/x-www-form-urlencoded";
    const auto signature =
        validator.sign({.url = base_url + "/whatsapp", .content_type = type, .body = body});
    httplib::Client client{"127.0.0.1", server.port()};
    client.set_read_timeout(20s);
    const auto answer =
        client.Post("/whatsapp", {{"X-Twilio-Signature", signature}}, body, type.c_str());
    return answer ? answer->status : 0;
}

/// How often each event's handler ran.
std::map<std::string, int> read_runs(const std::string& path) {
    std::map<std::string, int> runs;
    std::ifstream in{path};
    for (std::string line; std::getline(in, line);) ++runs[line];
    return runs;
}

/// Runs work(0), work(1)... up to `count`, `callers` at once.
void run_all(int count, const std::function<void(int)>& work) {
    std::atomic<int> next{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < callers; ++i) {
        threads.emplace_back([&] {
            for (int n = next++; n < count; n = next++) work(n);
        });
    }
    for (auto& thread : threads) thread.join();
}

void same_webhook_many_times(const std::array<const Server*, 2>& servers, const std::string& ran) {
    constexpr int number = 1;
    std::array<std::atomic<int>, 600> answers{};
    std::atomic<int> refused{0};
    run_all(repetitions, [&](int n) {
        const int status = post(*servers.at(static_cast<std::size_t>(n % 2)), number, "wait");
        ++answers.at(static_cast<std::size_t>(status));
        // Not before many have come in vain: whoever has the event holds it until then.
        if (status == 503 && ++refused == refused_before_release) {
            for (const auto* server : servers) server->release();
        }
    });
    expect(answers[200] + answers[503] == repetitions, "each is answered 200, or 503 meanwhile");
    expect(answers[503] >= refused_before_release, "some come while it is handled");
    expect(answers[200] > 0, "it is handled");
    for (const auto* server : servers) {
        expect(post(*server, number, "wait") == 200, "both know that it was handled");
    }
    expect(read_runs(ran)[sid_of(number)] == 1, "a webhook that comes 1,000 times runs once");
    std::printf("one webhook %d times: 1 run, %d times 200, %d times 503\n", repetitions,
                answers[200].load(), answers[503].load());
}

void many_webhooks_to_both(const std::array<const Server*, 2>& servers, const std::string& ran) {
    constexpr int first = 1'000;
    run_all(4 * events, [&](int n) {
        const auto& server = *servers.at(static_cast<std::size_t>(n % 2));
        int status = 503;
        while (status == 503) status = post(server, first + n / 4, "hi");
        expect(status == 200, "each webhook is handled");
    });
    const auto runs = read_runs(ran);
    for (int n = 0; n < events; ++n) {
        expect(runs.at(sid_of(first + n)) == 1, "a webhook that comes to both at once runs once");
    }
    std::printf("%d webhooks, four times each to both: %d runs\n", events, events);
}

void one_is_killed(Server& victim, const Server& heir, const std::string& ran) {
    constexpr int number = 2;
    std::thread call{[&] { post(victim, number, "wait"); }};
    expect(victim.says() == "runs", "a handler runs in the process that is to be killed");
    const auto began = std::chrono::steady_clock::now();
    victim.kill();
    call.join();
    heir.release();  // its handler need not wait
    int status = 503;
    while (status == 503) status = post(heir, number, "wait");
    const auto took = std::chrono::steady_clock::now() - began;
    expect(status == 200, "the other process takes the event over");
    expect(took < 15s, "while Twilio still tries");
    expect(read_runs(ran)[sid_of(number)] == 2, "its handler ran in both, once in each");
    expect(post(heir, number, "wait") == 200, "then it is known");
    expect(read_runs(ran)[sid_of(number)] == 2, "and runs no more");
    std::printf("killed in the handler: the other had it done after %.1f s\n",
                std::chrono::duration<double>(took).count());
}

}  // namespace

int main(int argc, char** argv) {
    ::signal(SIGPIPE, SIG_IGN);
    const std::string redis = argc > 1 ? argv[1] : "";
    std::string directory = std::filesystem::temp_directory_path() / "twiliowa_two_XXXXXX";
    if (::mkdtemp(directory.data()) == nullptr) return 1;
    {
        const auto ran = directory + "/ran";
        Server first{redis, ran};
        Server second{redis, ran};
        many_webhooks_to_both({&first, &second}, ran);
        same_webhook_many_times({&first, &second}, ran);
        // Whoever did not have it has been released in advance: it must not be the one to wait.
        Server fresh{redis, ran};
        Server heir{redis, ran};
        one_is_killed(fresh, heir, ran);
    }
    std::filesystem::remove_all(directory);
    std::puts("ok");
}
