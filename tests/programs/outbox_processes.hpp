/// @file
/// What the tests share that run an outbox in processes which die or stand still, beside an
/// emulator in another process, whose list is the truth.
#pragma once

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/http/curl_transport.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/webhook_handler.hpp>

#include "ahead_clock.hpp"
#include "cli/webhook_server.hpp"
#include "outbox_storage.hpp"
#include "support/free_port.hpp"

namespace outbox_processes {

/// This program again, with other arguments, in another process; killed if it outlives this object.
class Child {
public:
    explicit Child(const std::vector<std::string>& arguments) {
        int ends[2];
        // A child of another thread would keep it open.
        if (::pipe2(ends, O_CLOEXEC) != 0) fail("there are pipes");
        const auto parent = ::getpid();
        pid_ = ::fork();
        if (pid_ == 0) {
            // Whatever ends a test ends all of it.
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (::getppid() != parent) ::_exit(127);
            ::dup2(ends[1], STDOUT_FILENO);
            std::vector<char*> words;
            static char self[] = "/proc/self/exe";
            words.push_back(self);
            for (const auto& argument : arguments) {
                words.push_back(const_cast<char*>(argument.c_str()));
            }
            words.push_back(nullptr);
            ::execv(self, words.data());
            ::_exit(127);
        }
        ::close(ends[1]);
        from_ = ends[0];
    }
    ~Child() {
        if (pid_ > 0) {
            signal(SIGKILL);
            wait();
        }
        ::close(from_);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    void signal(int number) const { ::kill(pid_, number); }
    /// Returns when it stands still by SIGSTOP.
    void await_stop() {
        int status = 0;
        if (::waitpid(pid_, &status, WUNTRACED) != pid_ || !WIFSTOPPED(status)) {
            fail("a process stops where it is told to");
        }
    }
    /// Its next line; nullopt if none comes in that time, or ever.
    std::optional<std::string> line(std::chrono::milliseconds at_most) {
        const auto end = std::chrono::steady_clock::now() + at_most;
        while (true) {
            if (const auto at = text_.find('\n'); at != std::string::npos) {
                auto line = text_.substr(0, at);
                text_.erase(0, at + 1);
                return line;
            }
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                end - std::chrono::steady_clock::now());
            pollfd ready{from_, POLLIN, 0};
            if (left.count() < 0 || ::poll(&ready, 1, static_cast<int>(left.count())) != 1 ||
                !read_some()) {
                return std::nullopt;
            }
        }
    }
    /// Its end: the status; what it wrote and nobody has read goes to `output`.
    int wait(std::string* output = nullptr) {
        while (read_some()) {
        }
        if (output != nullptr) *output += text_;
        int status = 0;
        ::wait4(pid_, &status, 0, &usage_);
        pid_ = 0;
        return status;
    }
    /// The most memory it ever had, when it has ended.
    long kilobytes() const { return usage_.ru_maxrss; }

private:
    bool read_some() {
        char buffer[4096];
        const auto size = ::read(from_, buffer, sizeof buffer);
        if (size > 0) text_.append(buffer, static_cast<std::size_t>(size));
        return size > 0;
    }

    pid_t pid_ = 0;
    int from_ = -1;
    std::string text_ = {};
    rusage usage_ = {};
};

/// Runs this program with other arguments; its status, and what it wrote.
inline int run_self(const std::vector<std::string>& arguments, std::string& output) {
    return Child{arguments}.wait(&output);
}
inline bool was_killed(int status) {
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/// Says a line that whoever started this process reads at once.
inline void say(const std::string& text) {
    const auto line = text + '\n';
    if (::write(STDOUT_FILENO, line.data(), line.size()) < 0) std::_Exit(2);
}

/// A directory that is gone in the end, unless the test fails.
class Folder {
public:
    explicit Folder(const char* name)
        : path_(
              (std::filesystem::temp_directory_path() / (std::string{name} + "_XXXXXX")).string()) {
        if (::mkdtemp(path_.data()) == nullptr) fail("there is a temporary directory");
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string file(const std::string& name) const { return path_ + "/" + name; }

private:
    std::string path_;
};

/// Where a process dies, or stands still.
enum class Moment { before_commit, in_commit, after_commit, before_request, after_answer };
inline constexpr std::array moments{Moment::before_commit, Moment::in_commit, Moment::after_commit,
                                    Moment::before_request, Moment::after_answer};
inline constexpr std::array<const char*, moments.size()> moment_names{
    "before a commit", "within a commit", "after a commit", "before a request", "after an answer"};

/// Sends itself a signal when a moment is passed for the n-th time; never, if `count` is 0.
class Fate {
public:
    Fate() = default;
    Fate(Moment moment, int count, int signal = SIGKILL)
        : moment_(moment), signal_(signal), left_(count) {}
    void pass(Moment moment) {
        if (moment == moment_ && --left_ == 0) ::kill(::getpid(), signal_);
    }

private:
    Moment moment_ = Moment::before_commit;
    int signal_ = SIGKILL;
    std::atomic<int> left_{0};
};

class FatedStorage final : public OutboxStorage {
public:
    FatedStorage(std::shared_ptr<OutboxStorage> inner, std::shared_ptr<Fate> fate)
        : inner_(std::move(inner)), fate_(std::move(fate)) {}

    Result<void> transact(const Work& work) override {
        fate_->pass(Moment::before_commit);
        auto done = inner_->transact([&](OutboxTransaction& transaction) {
            auto worked = work(transaction);
            fate_->pass(Moment::in_commit);
            return worked;
        });
        fate_->pass(Moment::after_commit);
        return done;
    }
    std::uint32_t outbox_id() const override { return inner_->outbox_id(); }
    LeaseTime lease_now() const override { return inner_->lease_now(); }
    std::optional<TimePoint> now() const override { return inner_->now(); }
    std::string identity() const override { return inner_->identity(); }

private:
    std::shared_ptr<OutboxStorage> inner_;
    std::shared_ptr<Fate> fate_;
};

/// What goes wrong with one request on its way.
enum class Loss { none, answer, request };

/// What lies between a program and Twilio.
struct Wire {
    std::shared_ptr<Fate> fate = std::make_shared<Fate>();
    /// Whether the callback's URL keeps the marker of the attempt.
    bool marker = true;
    /// Later than it came: on the way to Twilio and back it takes as long.
    std::chrono::milliseconds answer_delay{0};
    /// Called before each request that creates a message; says what becomes of it.
    std::function<Loss()> on_create = {};
    /// Called with the SID of each message that was created, known to the program or not.
    std::function<void(std::string_view sid)> on_created = {};
};

class WireTransport final : public AsyncHttpTransport {
public:
    explicit WireTransport(Wire wire) : wire_(std::move(wire)) {}

    Result<HttpResponse> send(const HttpRequest& request, const CallContext& context) override {
        const auto loss = begin(request);
        if (loss == Loss::request) return lost();
        return end(inner_.send(on_the_wire(request), context), request.method, loss);
    }
    void async_send(HttpRequest request, CallContext context, Completion done) override {
        const auto loss = begin(request);
        auto finish = [this, loss, method = request.method,
                       done = std::move(done)](Result<HttpResponse> answer) {
            answer = end(std::move(answer), method, loss);
            if (wire_.answer_delay.count() == 0) return done(std::move(answer));
            inner_.call_at(std::chrono::steady_clock::now() + wire_.answer_delay,
                           [done, answer = std::move(answer)] { done(answer); });
        };
        if (loss == Loss::request) {
            return inner_.call_at(std::chrono::steady_clock::now(),
                                  [finish = std::move(finish)]() mutable { finish(lost()); });
        }
        inner_.async_send(on_the_wire(std::move(request)), std::move(context), std::move(finish));
    }
    void call_at(MonotonicTime when, std::function<void()> call) override {
        inner_.call_at(when, std::move(call));
    }

private:
    static Error lost() {
        return Error::transport(Effect::unknown, Stage::receive, "the connection broke");
    }
    Loss begin(const HttpRequest& request) const {
        auto loss = Loss::none;
        if (request.method == HttpMethod::post && wire_.on_create) loss = wire_.on_create();
        wire_.fate->pass(Moment::before_request);
        return loss;
    }
    HttpRequest on_the_wire(HttpRequest request) const {
        const auto at = request.body.find("twj%3D");
        if (!wire_.marker && at != std::string::npos) request.body.erase(at, 6 + 32);
        return request;
    }
    Result<HttpResponse> end(Result<HttpResponse> answer, HttpMethod method, Loss loss) const {
        if (answer && answer->status == 201 && method == HttpMethod::post && wire_.on_created) {
            constexpr std::string_view before = "\"sid\":\"";
            const auto at = answer->body.find(before);
            if (at != std::string::npos) {
                wire_.on_created(std::string_view{answer->body}.substr(at + before.size(), 34));
            }
        }
        wire_.fate->pass(Moment::after_answer);
        if (loss == Loss::answer) return lost();
        return answer;
    }

    const Wire wire_;
    CurlTransport inner_;
};

struct ProgramOptions {
    std::string callback = {};  ///< The URL of whoever receives status callbacks.
    Wire wire = {};
    std::shared_ptr<AheadClock> clock = std::make_shared<AheadClock>();
    std::chrono::milliseconds send_timeout = 5s;
    int concurrency = 50;
};

/// An outbox on a storage, and the client that it sends by.
struct Program {
    explicit Program(const std::string& path, ProgramOptions options = {})
        : clock(options.clock), storage(make_patiently([&] { return open_storage(path, clock); })) {
        auto client_options = ClientOptions::from_environment();
        client_options.transport = std::make_shared<WireTransport>(options.wire);
        client.emplace(Credentials::from_environment(), client_options);
        // It looks into its storage, too.
        outbox = make_patiently([&] {
            return std::make_shared<Outbox>(
                std::make_shared<FatedStorage>(storage, options.wire.fate),
                OutboxOptions{.client = [sender = *client](std::string_view) { return sender; },
                              .status_callback = options.callback,
                              .concurrency = options.concurrency,
                              .send_timeout = options.send_timeout,
                              .clock = clock});
        });
    }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    std::shared_ptr<AheadClock> clock;
    std::shared_ptr<OutboxStorage> storage;
    std::optional<MessagesClient> client = {};
    std::shared_ptr<Outbox> outbox = {};
};

/// The texts of what Twilio has for a recipient, by SID.
inline std::map<std::string, std::string> listed(const MessagesClient& client,
                                                 const std::string& recipient) {
    std::map<std::string, std::string> bodies;
    for (const auto& message : client.list({.to = recipient, .page_size = 1000})) {
        bodies.emplace(message.sid.str(), message.body);
    }
    return bodies;
}

inline bool is_sent(JobState state) {
    return state == JobState::accepted || state == JobState::delivered ||
           state == JobState::undelivered;
}
inline std::int64_t count_sent(const OutboxCounts& counts) {
    return counts.of(JobState::accepted) + counts.of(JobState::delivered) +
           counts.of(JobState::undelivered);
}

/// Takes Twilio's status callbacks, and gives them to outboxes.
class Receiver {
public:
    /// @param port  what is signed has it in it, so that it has to be known before
    explicit Receiver(int port = twiliowa::test::free_port())
        : base_("http://127.0.0.1:" + std::to_string(port)),
          server_("127.0.0.1", port, handler()) {}

    std::string url() const { return base_ + "/status#rc=5&rp=all"; }
    int port() const { return server_.port(); }
    /// Who learns from now on.
    void teach(std::vector<std::shared_ptr<Outbox>> outboxes) {
        const std::lock_guard lock(mutex_);
        pupils_ = std::move(outboxes);
        heard_.clear();
        ++lesson_;
    }
    /// Called when the pupils have learnt of a callback. Set it before `teach`.
    void on_learnt(std::function<void(const StatusCallback&)> listener) {
        const std::lock_guard lock(mutex_);
        listener_ = std::move(listener);
    }
    /// Whether Twilio has told of that message since `teach`.
    bool has_heard(const std::string& sid) const {
        const std::lock_guard lock(mutex_);
        return heard_.contains(sid);
    }
    /// Answers them and lets nobody learn of them, until `release`.
    void withhold() {
        const std::lock_guard lock(mutex_);
        withholds_ = true;
    }
    /// Those that were withheld, for who teaches them late. From now on they are taught at once.
    std::vector<StatusCallback> release() {
        const std::lock_guard lock(mutex_);
        withholds_ = false;
        return std::exchange(withheld_, {});
    }

private:
    WebhookHandler handler() {
        const char* token = std::getenv("TWILIO_AUTH_TOKEN");
        WebhookHandler handler{RequestValidator{token == nullptr ? "" : token},
                               {.public_url = PublicUrl::fixed(base_)}};
        handler.on_status([this](const StatusCallback& callback) {
            std::unique_lock lock(mutex_);
            if (withholds_) withheld_.push_back(callback);
            const auto pupils = withholds_ ? decltype(pupils_){} : pupils_;
            const auto lesson = lesson_;
            const auto listener = listener_;
            lock.unlock();
            for (const auto& pupil : pupils) pupil->learn(callback);
            if (listener && !pupils.empty()) listener(callback);
            lock.lock();
            if (lesson == lesson_) heard_.insert(callback.sid.str());
        });
        return handler;
    }

    const std::string base_;
    mutable std::mutex mutex_;
    std::vector<std::shared_ptr<Outbox>> pupils_ = {};
    std::set<std::string> heard_ = {};
    std::function<void(const StatusCallback&)> listener_ = {};
    int lesson_ = 0;
    bool withholds_ = false;
    std::vector<StatusCallback> withheld_ = {};
    cli::WebhookServer server_;
};

/// The emulator that the environment points at: its own orders.
class Emulator {
public:
    void post(const std::string& path, const std::string& order) {
        HttpRequest request;
        request.method = HttpMethod::post;
        const char* base = std::getenv("TWILIOWA_BASE_URL");
        request.url = (base == nullptr ? "" : base) + std::string{"/emulator/"} + path;
        request.headers = {{"Content-Type", "application/json"}};
        request.body = order;
        CallContext context;
        context.deadline = std::chrono::steady_clock::now() + 30s;
        context.max_response_bytes = std::size_t{1} << 20;
        const auto answer = transport_.send(request, context);
        if (!answer || answer->status != 200) fail("the emulator takes " + path + " " + order);
    }

private:
    CurlTransport transport_;
};

/// Asks until it is so, for what has no event; how long says when it is given up.
inline bool eventually(const std::function<bool()>& holds, std::chrono::milliseconds at_most,
                       std::chrono::milliseconds pause = 2ms) {
    const auto end = std::chrono::steady_clock::now() + at_most;
    while (!holds()) {
        if (std::chrono::steady_clock::now() > end) return false;
        system_clock()->sleep_until(system_clock()->monotonic_now() + pause, {});
    }
    return true;
}

}  // namespace outbox_processes
