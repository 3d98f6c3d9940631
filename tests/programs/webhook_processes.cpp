// Two processes that share a store, and a webhook whose handler's process is killed, or stopped.
// What Twilio does then (`#rc=1&rp=all`) is done here: it tries the other process at once.
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>

#include <twiliowa/webhook_handler.hpp>

#include "support/file_store.hpp"

namespace {

using namespace twiliowa;
using namespace std::chrono_literals;

constexpr const char* base_url = "https://example.com";

void expect(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "not so: %s\n", what);
    std::exit(1);
}

/// Writes how each webhook ended.
class Reporter final : public Observer {
public:
    explicit Reporter(int out) : out_(out) {}
    void on_webhook(const WebhookResultEvent& event) noexcept override {
        say(std::string{to_string(event.outcome)});
    }
    void say(const std::string& word) const noexcept {
        const auto line = word + "\n";
        if (::write(out_, line.data(), line.size()) < 0) std::_Exit(2);
    }

private:
    int out_;
};

/// Returns when the lease is lost; false if that takes too long.
bool wait_until_lost(const CancelToken& lost) {
    std::mutex mutex;
    std::condition_variable told;
    bool is_lost = false;
    const auto registration = lost.on_cancel([&] {
        const std::lock_guard lock(mutex);
        is_lost = true;
        told.notify_all();
    });
    std::unique_lock lock(mutex);
    return told.wait_for(lock, 20s, [&] { return is_lost; });
}

/// Handles the same webhook for each byte that comes in: `h`, or `w` to wait in the handler for
/// the next byte and then for the lease to be lost.
[[noreturn]] void serve(const std::string& path, int in, int out) {
    const auto reporter = std::make_shared<Reporter>(out);
    const RequestValidator validator{"token"};
    char order = 0;
    WebhookOptions options;
    options.public_url = PublicUrl::fixed(base_url);
    options.observer = reporter;
    options.dedup =
        std::make_shared<DedupStore>(std::make_shared<test::FileStore>(path),
                                     DedupOptions{.keeper = std::make_shared<LeaseKeeper>()});
    WebhookHandler handler{validator, options};
    handler.on_message([&](const InboundMessage&, const HandlerContext& context) {
        reporter->say("runs");
        if (order != 'w') return;
        if (::read(in, &order, 1) != 1) std::_Exit(0);
        reporter->say(wait_until_lost(context.lease_lost) ? "told" : "not told");
    });
    WebhookRequest request;
    request.target = "/hook";
    request.body =
        "MessageSid=SM0123456789abcdef0123456789abcdef&AccountSid="
        "AC00000000000000000000000000000001&From=whatsapp%3A%2B447700900123&Body=Hi";
    const auto url = std::string{base_url} + request.target;
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"},
                       {"X-Twilio-Signature", validator.sign({.url = url, .body = request.body})}};
    while (::read(in, &order, 1) == 1) static_cast<void>(handler.handle(request));
    std::_Exit(0);
}

/// A process that serves.
class Server {
public:
    explicit Server(const std::string& path) {
        int orders[2];
        int reports[2];
        if (::pipe(orders) != 0 || ::pipe(reports) != 0) std::abort();
        pid_ = ::fork();
        if (pid_ == 0) {
            ::close(orders[1]);
            ::close(reports[0]);
            serve(path, orders[0], reports[1]);
        }
        ::close(orders[0]);
        ::close(reports[1]);
        to_ = orders[1];
        from_ = reports[0];
    }
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;
    ~Server() { end(SIGKILL); }

    void order(char what) const { expect(::write(to_, &what, 1) == 1, "the process takes orders"); }
    void signal(int number) const { ::kill(pid_, number); }
    void end(int number) {
        if (pid_ == 0) return;
        ::kill(pid_, number);
        ::waitpid(pid_, nullptr, 0);
        pid_ = 0;
    }

    /// The next line that it says.
    std::string says() const {
        std::string line;
        pollfd ready{from_, POLLIN, 0};
        char c = 0;
        while (::poll(&ready, 1, 30'000) == 1 && ::read(from_, &c, 1) == 1 && c != '\n') line += c;
        return line;
    }

private:
    pid_t pid_ = 0;
    int to_ = -1;
    int from_ = -1;
};

}  // namespace

int main() {
    ::signal(SIGPIPE, SIG_IGN);
    std::string directory = std::filesystem::temp_directory_path() / "twiliowa_processes_XXXXXX";
    if (::mkdtemp(directory.data()) == nullptr) return 1;
    const auto killed_store = directory + "/killed";
    const auto stopped_store = directory + "/stopped";

    const auto began = std::chrono::steady_clock::now();
    Server killed{killed_store};
    killed.order('w');
    expect(killed.says() == "runs", "the first process runs its handler");
    killed.end(SIGKILL);

    Server stopped{stopped_store};
    stopped.order('w');
    expect(stopped.says() == "runs", "the process to be stopped runs its handler");
    {
        // Not within an operation of the store, which would keep the others from it.
        const test::FileLock lock{stopped_store};
        stopped.signal(SIGSTOP);
    }

    Server heir{killed_store};
    Server other{stopped_store};
    heir.order('h');
    other.order('h');
    expect(heir.says() == "runs" && heir.says() == "handled",
           "what a killed process had is handled by the other");
    expect(std::chrono::steady_clock::now() - began < 15s, "within Twilio's 15 s");
    expect(other.says() == "runs" && other.says() == "handled",
           "what a stopped process had is handled by the other");

    stopped.signal(SIGCONT);
    stopped.order('g');
    expect(stopped.says() == "told", "a process that goes on is told that its lease is lost");
    expect(stopped.says() == "lease_lost", "and so is its observer");
    stopped.order('h');
    expect(stopped.says() == "duplicate", "the event stays done");
    heir.order('h');
    expect(heir.says() == "duplicate", "the event of the killed process, too");

    std::filesystem::remove_all(directory);
    std::puts("ok");
}
