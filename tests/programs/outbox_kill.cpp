// A process with an outbox is killed by SIGKILL at one moment after another: before, within and
// after each of its commits, before each request and after each answer. What comes up then has to
// send every message once: none twice, none not at all, and none is called what it is not. The
// truth is what the emulator, another process, lists.
//
// Usage: outbox_kill, in the environment of an emulator. Prints how many kills it took.
#include <signal.h>
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
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/http/curl_transport.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/sqlite/sqlite_outbox.hpp>

namespace {

using namespace twiliowa;
using namespace std::chrono_literals;

constexpr int jobs_of_a_run = 4;

/// Where a process dies.
enum class Moment { before_commit, in_commit, after_commit, before_request, after_answer };
constexpr std::array moments{Moment::before_commit, Moment::in_commit, Moment::after_commit,
                             Moment::before_request, Moment::after_answer};
constexpr std::array<const char*, moments.size()> moment_names{
    "before a commit", "within a commit", "after a commit", "before a request", "after an answer"};

/// Dies when a moment is passed for the n-th time.
class Fate {
public:
    Fate(Moment moment, int count) : moment_(moment), left_(count) {}
    void pass(Moment moment) {
        if (moment == moment_ && --left_ == 0) ::kill(::getpid(), SIGKILL);
    }

private:
    Moment moment_;
    std::atomic<int> left_;
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
    std::string identity() const override { return inner_->identity(); }

private:
    std::shared_ptr<OutboxStorage> inner_;
    std::shared_ptr<Fate> fate_;
};

class FatedTransport final : public AsyncHttpTransport {
public:
    explicit FatedTransport(std::shared_ptr<Fate> fate) : fate_(std::move(fate)) {}

    Result<HttpResponse> send(const HttpRequest& request, const CallContext& context) override {
        fate_->pass(Moment::before_request);
        auto answer = inner_.send(request, context);
        fate_->pass(Moment::after_answer);
        return answer;
    }
    void async_send(HttpRequest request, CallContext context, Completion done) override {
        fate_->pass(Moment::before_request);
        inner_.async_send(std::move(request), std::move(context),
                          [fate = fate_, done = std::move(done)](Result<HttpResponse> answer) {
                              fate->pass(Moment::after_answer);
                              done(std::move(answer));
                          });
    }
    void call_at(MonotonicTime when, std::function<void()> call) override {
        inner_.call_at(when, std::move(call));
    }

private:
    std::shared_ptr<Fate> fate_;
    CurlTransport inner_;
};

/// The machine's clock, ahead by as much as the test likes: who comes up again need not wait.
class AheadClock final : public Clock {
public:
    TimePoint now() const override { return system_clock()->now() + ahead.load(); }
    MonotonicTime monotonic_now() const override { return system_clock()->monotonic_now(); }
    void sleep_until(MonotonicTime until, const CancelToken& cancel) override {
        system_clock()->sleep_until(until, cancel);
    }
    LeaseTime lease_now() const {
        timespec time{};
        ::clock_gettime(CLOCK_BOOTTIME, &time);
        const auto since_start = std::chrono::seconds{time.tv_sec} +
                                 std::chrono::nanoseconds{time.tv_nsec} + ahead.load();
        return {"boot", std::chrono::duration_cast<std::chrono::microseconds>(since_start).count()};
    }
    std::atomic<std::chrono::nanoseconds> ahead{std::chrono::nanoseconds{0}};
};

std::string recipient_of(int run) {
    auto digits = std::to_string(100'000 + run);
    return "+447700" + digits;
}
std::string key_of(int run, int job) {
    return "run-" + std::to_string(run) + "-job-" + std::to_string(job);
}
OutboundText message_of(int run, int job) {
    return {.to = recipient_of(run), .body = "Text of " + key_of(run, job)};
}

struct Program {
    Program(const std::string& path, std::shared_ptr<Fate> fate) {
        auto file = std::make_shared<SqliteOutbox>(
            path, SqliteOutboxOptions{.clock = clock, .lease_clock = [clock = clock] {
                                          return clock->lease_now();
                                      }});
        auto client_options = ClientOptions::from_environment();
        client_options.transport = std::make_shared<FatedTransport>(fate);
        client.emplace(Credentials::from_environment(), client_options);
        outbox.emplace(std::make_shared<FatedStorage>(file, fate),
                       OutboxOptions{.client = [this](std::string_view) { return *client; },
                                     .send_timeout = 5s,
                                     .clock = clock});
    }

    std::shared_ptr<AheadClock> clock = std::make_shared<AheadClock>();
    std::optional<MessagesClient> client;
    std::optional<Outbox> outbox;
};

/// Hands over and sends, until it dies or all is done.
int work(const std::string& path, int run, bool threads, Moment moment, int count) {
    Program program{path, std::make_shared<Fate>(moment, count)};
    for (int job = 0; job < jobs_of_a_run; ++job) {
        program.outbox->enqueue(message_of(run, job), {.key = key_of(run, job)});
        // What is said here has been promised.
        std::printf("%d\n", job);
        std::fflush(stdout);
    }
    if (!threads) {
        program.outbox->run_until_idle();
        return 0;
    }
    program.outbox->start();
    while (program.outbox->counts().of(JobState::accepted) < jobs_of_a_run) {
        std::this_thread::sleep_for(1ms);
    }
    program.outbox->stop();
    return 0;
}

[[noreturn]] void fail(const std::string& what) {
    std::fprintf(stderr, "not so: %s\n", what.c_str());
    std::exit(1);
}

int listed(const MessagesClient& client, int run, int job, MessageSid* sid) {
    int count = 0;
    const std::string body = message_of(run, job).body;
    for (const auto& message : client.list({.to = recipient_of(run), .page_size = 1000})) {
        if (message.body != body) continue;
        ++count;
        if (sid != nullptr) *sid = message.sid;
    }
    return count;
}

/// Comes up again after the death, and looks what there is.
int recover(const std::string& path, int run, int promised) {
    Program program{path, std::make_shared<Fate>(Moment::before_commit, 0)};
    auto& outbox = *program.outbox;
    for (int job = 0; job < jobs_of_a_run; ++job) {
        const auto known = outbox.find("", key_of(run, job));
        if (job < promised && !known) fail("what was promised is there: " + key_of(run, job));
        outbox.enqueue(message_of(run, job), {.key = key_of(run, job)});
    }
    for (int round = 0; round < 40; ++round) {
        const auto report = outbox.run_until_idle();
        for (const auto& held : outbox.list({.state = JobState::held})) {
            // A person looks: what nothing shows was not sent.
            int number = 0;
            while (key_of(run, number) != held.key) ++number;
            if (listed(*program.client, run, number, nullptr) != 0) {
                fail("a text of its own is found, nobody is asked: " + held.key);
            }
            outbox.resolve(held.id, Resolution::not_sent());
        }
        if (outbox.counts().of(JobState::accepted) == jobs_of_a_run) break;
        auto step = std::chrono::nanoseconds{61s};
        if (report.next_due) {
            step =
                std::max<std::chrono::nanoseconds>(step, *report.next_due - program.clock->now());
        }
        program.clock->ahead = program.clock->ahead.load() + step;
    }
    for (int job = 0; job < jobs_of_a_run; ++job) {
        const auto known = outbox.find("", key_of(run, job)).value();
        MessageSid sid;
        const int count = listed(*program.client, run, job, &sid);
        if (count != 1) fail(key_of(run, job) + " was sent " + std::to_string(count) + " times");
        if (known.state != JobState::accepted) {
            fail(key_of(run, job) + " is " + std::string{to_string(known.state)});
        }
        if (known.sid != sid) fail(key_of(run, job) + " has another's SID");
        if (!known.doubles.empty()) fail(key_of(run, job) + " went twice");
    }
    return 0;
}

/// Runs this program again with other arguments; its status, and what it wrote.
int run_self(const std::vector<std::string>& arguments, std::string& output) {
    int ends[2];
    if (::pipe(ends) != 0) fail("there are pipes");
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(ends[1], STDOUT_FILENO);
        ::close(ends[0]);
        ::close(ends[1]);
        std::vector<char*> words;
        static char self[] = "/proc/self/exe";
        words.push_back(self);
        for (const auto& argument : arguments) words.push_back(const_cast<char*>(argument.c_str()));
        words.push_back(nullptr);
        ::execv(self, words.data());
        ::_exit(127);
    }
    ::close(ends[1]);
    char buffer[256];
    while (true) {
        const auto size = ::read(ends[0], buffer, sizeof buffer);
        if (size <= 0) break;
        output.append(buffer, static_cast<std::size_t>(size));
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
}

int kill_at_every_moment() {
    auto folder = (std::filesystem::temp_directory_path() / "outbox_kill_XXXXXX").string();
    if (::mkdtemp(folder.data()) == nullptr) fail("there is a temporary directory");
    int run = 0;
    int kills = 0;
    for (const bool threads : {false, true}) {
        for (std::size_t m = 0; m < moments.size(); ++m) {
            int at_moment = 0;
            // On threads the number of commits is not the same each time, and grows while it waits.
            const int most = threads ? 12 : 1'000;
            for (int count = 1; count <= most; ++count) {
                const auto path = folder + "/" + std::to_string(++run) + ".db";
                std::string promised;
                const int status = run_self({"work", path, std::to_string(run), threads ? "1" : "0",
                                             std::to_string(m), std::to_string(count)},
                                            promised);
                const bool died = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
                if (!died && status != 0) fail("a program that is not killed ends well");
                const auto lines = std::count(promised.begin(), promised.end(), '\n');
                std::string said;
                if (run_self({"recover", path, std::to_string(run), std::to_string(lines)}, said) !=
                    0) {
                    fail(std::string{"all is well after a death "} + moment_names[m] + ", the " +
                         std::to_string(count) + ". of its kind" + (threads ? ", on threads" : ""));
                }
                if (!died) break;
                ++kills;
                ++at_moment;
            }
            std::printf("%s%s: %d kills\n", moment_names[m], threads ? ", on threads" : "",
                        at_moment);
            std::fflush(stdout);
            if (at_moment < 4) fail("there were as many moments as jobs");
        }
    }
    std::filesystem::remove_all(folder);
    std::printf("%d kills: every message once\n", kills);
    return 0;
}

}  // namespace

int main(int count, char** arguments) try {
    const std::vector<std::string> words(arguments + 1, arguments + count);
    if (words.empty()) return kill_at_every_moment();
    const auto number = [&](std::size_t i) { return std::stoi(words.at(i)); };
    if (words[0] == "work") {
        return work(words.at(1), number(2), number(3) != 0,
                    moments.at(static_cast<std::size_t>(number(4))), number(5));
    }
    return recover(words.at(1), number(2), number(3));
} catch (const TwilioError& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
}
