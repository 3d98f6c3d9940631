// Four processes that send as fast as a shared limiter lets them. A page of memory that all share
// counts what was given out, to each tenth of a second: that is the truth. What is too much is so
// in any run; that the limit is reached is shown by one of three, as a machine may stand still for
// a while.
//
// Usage: limiter_shared redis|postgresql <seconds> <url>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <twiliowa/redis/redis_limiter.hpp>
#include <twiliowa/redis/redis_pool.hpp>
#ifdef WITH_POSTGRESQL
#include <twiliowa/postgresql/postgres_limiter.hpp>
#endif

namespace {

using namespace twiliowa;
using namespace std::chrono_literals;

constexpr int process_count = 4;
constexpr int threads_of_each = 4;
constexpr double per_second = 80;
constexpr int longest = 120;
constexpr int tenths = 10;

/// What all processes share. The clock is the machine's, the same for all of them.
struct Truth {
    std::string sender;
    std::atomic<int> ready{0};
    std::atomic<bool> go{false};
    std::atomic<std::int64_t> begin{0};  ///< Nanoseconds of the machine's clock.
    std::atomic<int> given[longest * tenths]{};
    std::atomic<int> commands[process_count]{};
    std::atomic<int> alone{0};  ///< How often a limiter said that it is not shared.
};

int failures = 0;

void expect(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "not so: %s\n", what);
    ++failures;
}

class CountedConnection final : public RedisConnection {
public:
    CountedConnection(std::shared_ptr<RedisConnection> to, std::atomic<int>& commands)
        : to_(std::move(to)), commands_(commands) {}
    Result<RedisReply> command(std::span<const std::string_view> arguments,
                               MonotonicTime deadline) override {
        ++commands_;
        return to_->command(arguments, deadline);
    }

private:
    std::shared_ptr<RedisConnection> to_;
    std::atomic<int>& commands_;
};

class CountedFailures final : public Observer {
public:
    explicit CountedFailures(std::atomic<int>& alone) : alone_(alone) {}
    void on_limiter(const LimiterEvent& event) noexcept override {
        if (event.shared) return;
        ++alone_;
        std::fprintf(stderr, "not shared: %s\n", event.error->what().c_str());
    }

private:
    std::atomic<int>& alone_;
};

std::shared_ptr<LeasedLimiter> limiter_of(std::string_view engine, const std::string& url,
                                          Truth& truth, int process) {
    const auto observer = std::make_shared<CountedFailures>(truth.alone);
    if (engine == "redis") {
        return std::make_shared<RedisLimiter>(
            std::make_shared<CountedConnection>(std::make_shared<RedisPool>(url),
                                                truth.commands[process]),
            RedisLimiterOptions{.per_second = per_second, .timeout = 10s, .observer = observer});
    }
#ifdef WITH_POSTGRESQL
    if (engine == "postgresql") {
        return std::make_shared<PostgresLimiter>(
            url,
            PostgresLimiterOptions{.per_second = per_second, .timeout = 10s, .observer = observer});
    }
#endif
    std::exit(2);
}

/// Takes slot after slot, each when the one before has come, until the time is over.
void take_slots(LeasedLimiter& limiter, Truth& truth, int seconds) {
    const MonotonicTime begin{std::chrono::nanoseconds{truth.begin.load()}};
    while (true) {
        const auto slot = limiter.reserve(truth.sender, std::chrono::steady_clock::now());
        const auto tenth = (slot - begin) / 100ms;
        if (tenth >= seconds * tenths) return;
        ++truth.given[std::max<std::int64_t>(tenth, 0)];
        std::this_thread::sleep_until(slot);
    }
}

[[noreturn]] void run_process(std::string_view engine, const std::string& url, Truth& truth,
                              int process, int seconds) {
    {
        const auto limiter = limiter_of(engine, url, truth, process);
        ++truth.ready;
        while (!truth.go) std::this_thread::yield();
        std::vector<std::thread> threads;
        for (int i = 0; i < threads_of_each; ++i) {
            threads.emplace_back([&] { take_slots(*limiter, truth, seconds); });
        }
        for (auto& thread : threads) thread.join();
    }
    std::_Exit(0);
}

/// Whether the limit was reached.
bool judge(const Truth& truth, int seconds) {
    const double allowed_more = 1 + per_second * seconds / 100;
    int total = 0;
    double most_above = 0;
    for (int tenth = 0; tenth < seconds * tenths; ++tenth) {
        total += truth.given[tenth];
        most_above = std::max(most_above, total - per_second * (tenth + 1) / tenths);
    }
    int most_commands = 0;
    for (const auto& commands : truth.commands) most_commands = std::max(most_commands, +commands);
    std::printf(
        "%d slots in %d s, at most %.1f more than the rate until then; at most %.1f commands "
        "a second and process\n",
        total, seconds, most_above, static_cast<double>(most_commands) / seconds);
    expect(total <= per_second * seconds + allowed_more, "no more than the limit");
    expect(most_above <= allowed_more, "no more than the limit at any time");
    expect(most_commands <= 12 * seconds, "12 commands a second and process");
    expect(truth.alone == 0, "the limit is shared all the time");
    return total >= per_second * seconds * 0.97;
}

/// Forks, runs and judges; nullopt if the processes did not come up.
std::optional<bool> run(std::string_view engine, const std::string& url, int seconds, int which) {
    void* const memory =
        ::mmap(nullptr, sizeof(Truth), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return std::nullopt;
    auto& truth = *new (memory) Truth{.sender = "whatsapp:+1415523888" + std::to_string(which)};
    std::vector<pid_t> processes;
    for (int i = 0; i < process_count; ++i) {
        const auto pid = ::fork();
        if (pid == 0) run_process(engine, url, truth, i, seconds);
        processes.push_back(pid);
    }
    while (truth.ready < process_count) {
        std::this_thread::yield();
        if (::waitpid(-1, nullptr, WNOHANG) != 0) return std::nullopt;
    }
    truth.begin = std::chrono::steady_clock::now().time_since_epoch().count();
    truth.go = true;
    for (const auto pid : processes) {
        int status = 0;
        ::waitpid(pid, &status, 0);
        expect(status == 0, "each process comes to its end");
    }
    const bool reached = judge(truth, seconds);
    truth.~Truth();
    ::munmap(memory, sizeof(Truth));
    return reached;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 4) return 2;
    const std::string_view engine = arguments[1];
    const int seconds = std::atoi(arguments[2]);
    if (seconds < 1 || seconds > longest) return 2;
    constexpr int tries = 3;
    bool reached = false;
    for (int i = 0; i < tries && !reached && failures == 0; ++i) {
        const auto ran = run(engine, arguments[3], seconds, i);
        if (!ran) return 1;
        reached = *ran;
    }
    expect(reached, "97 % of the limit, in one of three runs");
    return failures == 0 ? 0 : 1;
}
