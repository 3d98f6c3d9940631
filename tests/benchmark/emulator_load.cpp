// The emulator under load: how fast it starts, how many messages a second it takes, and how many
// with all their status callbacks, from a client and from an outbox in a file, which learns of
// each. Client, emulator and the receiver of the callbacks share the machine, nothing is pinned.
// And the same without sockets, on FakeTwilio.
//
//     emulator_load <twiliowa-emulator> [messages [directory of the outbox]]
#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <httplib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/twiliowa.hpp>
#ifdef WITH_SQLITE
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>
#endif

#include "measure.hpp"

namespace {

namespace wa = twiliowa;
using namespace benchmark_support;
using wa::testing::FakeTwilio;

constexpr int senders = 40;  // each may send 80 messages a second
constexpr int in_flight = 50;

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "emulator_load: %s\n", what.c_str());
    std::exit(1);
}

std::string sender(int i) {
    return "+1555010" + std::to_string(1000 + i % senders);
}
std::string customer(int i) {
    return "+4477009" + std::to_string(10000 + i % 80000);
}

/// A running emulator; ended by SIGTERM.
class Emulator {
public:
    explicit Emulator(const char* program) {
        std::vector<std::string> words = {program};
        for (int i = 0; i < senders; ++i) {
            words.emplace_back("--sender");
            words.push_back(sender(i));
        }
        std::vector<char*> argv;
        for (auto& word : words) argv.push_back(word.data());
        argv.push_back(nullptr);
        std::array<int, 2> ends{};
        if (pipe2(ends.data(), O_CLOEXEC) != 0) fail("no pipe");
        child_ = vfork();
        if (child_ == 0) {
            dup2(ends[1], STDOUT_FILENO);
            execv(program, argv.data());
            _exit(127);
        }
        close(ends[1]);
        read_environment(ends[0]);
        close(ends[0]);
    }
    Emulator(const Emulator&) = delete;
    Emulator& operator=(const Emulator&) = delete;
    ~Emulator() {
        kill(child_, SIGTERM);
        int status = 0;
        waitpid(child_, &status, 0);
        if (status != 0) fail("the emulator did not end cleanly");
    }

    const std::string& url() const { return url_; }
    const std::string& token() const { return token_; }
    wa::MessagesClient client(std::shared_ptr<wa::HttpTransport> transport) const {
        wa::ClientOptions options;
        options.base_url = url_;
        options.transport = std::move(transport);
        return wa::MessagesClient(wa::Credentials::auth_token(sid_, token_), std::move(options));
    }

private:
    /// The lines it prints once it listens.
    void read_environment(int from) {
        std::string text;
        std::array<char, 4096> buffer{};
        while (text.find("Ends with") == std::string::npos) {
            const auto got = read(from, buffer.data(), buffer.size());
            if (got <= 0) fail("the emulator did not start");
            text.append(buffer.data(), static_cast<std::size_t>(got));
        }
        url_ = value_of(text, "TWILIOWA_BASE_URL=");
        sid_ = value_of(text, "TWILIO_ACCOUNT_SID=");
        token_ = value_of(text, "TWILIO_AUTH_TOKEN=");
    }
    static std::string value_of(const std::string& text, const std::string& name) {
        const auto at = text.find(name);
        if (at == std::string::npos) fail("no " + name);
        const auto begin = at + name.size();
        return text.substr(begin, text.find('\n', begin) - begin);
    }

    pid_t child_ = -1;
    std::string url_;
    std::string sid_;
    std::string token_;
};

/// Counts the callbacks of a final status.
class Receiver {
public:
    /// @param take  called with each, if it is not null
    explicit Receiver(std::function<void(const httplib::Request&)> take = {}) {
        server_.new_task_queue = [] { return new httplib::ThreadPool(128); };
        server_.set_keep_alive_max_count(1'000'000'000);
        server_.Post("/status", [this, take = std::move(take)](const httplib::Request& request,
                                                               httplib::Response& answer) {
            if (take) take(request);
            ++callbacks_;
            if (request.get_param_value("MessageStatus") == "delivered") ++delivered_;
            answer.status = 204;
        });
        port_ = server_.bind_to_any_port("127.0.0.1");
        server_.widen_backlog();
        thread_ = std::thread([this] { server_.listen_after_bind(); });
    }
    Receiver(const Receiver&) = delete;
    Receiver& operator=(const Receiver&) = delete;
    ~Receiver() {
        server_.stop();
        thread_.join();
    }
    std::string base() const { return "http://127.0.0.1:" + std::to_string(port_); }
    std::string url() const { return base() + "/status"; }
    int delivered() const { return delivered_; }
    int callbacks() const { return callbacks_; }

private:
    struct Server final : httplib::Server {
        /// httplib lets five connections wait; a dropped one tries again after a second.
        void widen_backlog() { ::listen(svr_sock_, SOMAXCONN); }
    };

    Server server_;
    std::thread thread_;
    int port_ = 0;
    std::atomic<int> delivered_ = 0;
    std::atomic<int> callbacks_ = 0;
};

wa::OutboundTemplate message_of(int number) {
    wa::OutboundTemplate message{.to = customer(number),
                                 .content_sid = std::string{FakeTwilio::demo_content_sid},
                                 .variables = {{"1", "Lee"}, {"2", "A-1042"}}};
    message.from = sender(number);
    return message;
}

/// Sends that many, `in_flight` at a time.
class Sending {
public:
    Sending(wa::MessagesClient client, int messages, std::string callback)
        : client_(std::move(client)), callback_(std::move(callback)), left_(messages) {}

    void run() {
        for (int i = 0; i < in_flight; ++i) next();
        std::unique_lock lock(mutex_);
        ended_.wait(lock, [this] { return left_ == 0 && under_way_ == 0; });
    }

private:
    void next() {
        int number = 0;
        {
            const std::lock_guard lock(mutex_);
            if (left_ == 0) return;
            number = --left_;
            ++under_way_;
        }
        auto message = message_of(number);
        message.status_callback = callback_;
        client_.async_send_template(std::move(message), [this](const auto& sent) {
            if (!sent) fail(sent.error().what());
            next();
            const std::lock_guard lock(mutex_);
            if (--under_way_ == 0 && left_ == 0) ended_.notify_one();
        });
    }

    wa::MessagesClient client_;
    std::string callback_;
    std::mutex mutex_;
    std::condition_variable ended_;
    int left_;
    int under_way_ = 0;
};

std::shared_ptr<wa::CurlTransport> transport() {
    wa::CurlOptions options;
    options.proxy = "none";
    return std::make_shared<wa::CurlTransport>(std::move(options));
}

void start_time(const char* program) {
    std::vector<double> milliseconds;
    for (int i = 0; i < 11; ++i) {
        const double started = wall_seconds();
        const Emulator emulator(program);
        const auto listed = emulator.client(transport()).try_list({}, {});
        milliseconds.push_back((wall_seconds() - started) * 1e3);
    }
    std::printf("%-44s %8.1f ms\n", "start to the first answer (target: 100)",
                median(milliseconds));
}

void without_callbacks(const char* program, int messages) {
    const Emulator emulator(program);
    const auto own = transport();
    Sending(emulator.client(own), messages / 10, {}).run();
    const double started = wall_seconds();
    Sending(emulator.client(own), messages, {}).run();
    std::printf("%-44s %8.0f 1/s\n", "messages created (target: 5000)",
                messages / (wall_seconds() - started));
}

/// Messages a second.
double with_callbacks(const char* program, int messages) {
    const Emulator emulator(program);
    Receiver receiver;
    const double started = wall_seconds();
    Sending(emulator.client(transport()), messages, receiver.url()).run();
    while (receiver.delivered() < messages) {
        if (wall_seconds() - started > 120) fail("callbacks are missing");
        std::this_thread::sleep_for(std::chrono::milliseconds{5});
    }
    const double seconds = wall_seconds() - started;
    std::printf("%-44s %8.0f 1/s (%.0f callbacks/s)\n",
                "messages until all are delivered (target: 1000)", messages / seconds,
                receiver.callbacks() / seconds);
    return messages / seconds;
}

#ifdef WITH_SQLITE
/// The same by an outbox, from the first job to the last that is known to be delivered.
void by_an_outbox(const char* program, int messages, const std::string& directory, double alone) {
    const Emulator emulator(program);
    const auto client = emulator.client(transport());
    std::unique_ptr<wa::WebhookHandler> handler;
    Receiver receiver([&handler](const httplib::Request& request) {
        wa::WebhookRequest webhook{.method = request.method, .target = request.target};
        webhook.body = request.body;
        for (const auto& [name, value] : request.headers) webhook.headers.emplace_back(name, value);
        const auto answer = handler->handle(webhook);
        if (answer.status >= 300) fail("a callback was answered " + std::to_string(answer.status));
    });
    wa::Outbox outbox{std::make_shared<wa::SqliteOutbox>(directory + "/end_to_end.db"),
                      {.client = [&client](std::string_view) { return client; },
                       .status_callback = receiver.url(),
                       .concurrency = in_flight}};
    handler = std::make_unique<wa::WebhookHandler>(
        wa::RequestValidator{emulator.token()},
        wa::WebhookOptions{.public_url = wa::PublicUrl::fixed(receiver.base())});
    handler->on_status([&outbox](const wa::StatusCallback& callback) { outbox.learn(callback); });
    const double started = wall_seconds();
    outbox.start();
    constexpr int batch = 500;
    for (int begin = 0; begin < messages; begin += batch) {
        std::vector<wa::NewJob> jobs;
        for (int i = begin; i < std::min(begin + batch, messages); ++i) {
            jobs.push_back({message_of(i), {.key = "job-" + std::to_string(i)}});
        }
        for (const auto& job : outbox.enqueue_all(jobs)) {
            if (!job) fail(job.error().what());
        }
    }
    while (outbox.counts().of(wa::JobState::delivered) < messages) {
        if (wall_seconds() - started > 240) fail("not all are known to be delivered");
        std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    const double seconds = wall_seconds() - started;
    outbox.stop();
    std::printf("%-44s %8.0f 1/s (%.2f x the above; target: 0.7)\n",
                "by an outbox in a file, all of it known", messages / seconds,
                messages / seconds / alone);
}
#endif

void in_process(int messages) {
    const double started = wall_seconds();
    const auto fake = FakeTwilio::with_account({.lifecycle = wa::testing::Lifecycle::automatic});
    auto options = fake->client_options();
    options.status_callback = "https://example.com/status";
    const wa::MessagesClient client{fake->credentials(), std::move(options)};
    int callbacks = 0;
    fake->on_webhook([&callbacks](const std::string&, const wa::WebhookRequest&) {
        ++callbacks;
        return wa::WebhookResponse{204, {}, {}};
    });
    for (int i = 0; i < messages; ++i) {
        client.send_template({.to = customer(i),
                              .content_sid = std::string{FakeTwilio::demo_content_sid},
                              .variables = {{"1", "Lee"}, {"2", "A-1042"}}});
    }
    fake->run_until_idle();
    if (callbacks < messages) fail("callbacks are missing");
    std::printf("%-44s %8.2f s (%d messages, %d callbacks)\n", "FakeTwilio in process (target: 1)",
                wall_seconds() - started, messages, callbacks);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    const int messages = argc > 2 ? std::atoi(argv[2]) : 10'000;
    start_time(argv[1]);
    without_callbacks(argv[1], messages);
    const double alone = with_callbacks(argv[1], messages);
#ifdef WITH_SQLITE
    if (argc > 3) by_an_outbox(argv[1], messages, argv[3], alone);
#endif
    in_process(messages);
    return 0;
}
