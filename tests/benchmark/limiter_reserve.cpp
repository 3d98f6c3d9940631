// What `reserve` of a limiter that processes share costs with permits in hand, beside a lone atomic
// increment. In turns, in one process; no source is asked within the measured time.
//
// Usage: limiter_reserve [rounds]
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include <twiliowa/http/leased_limiter.hpp>

#include "measure.hpp"

namespace {

using namespace twiliowa;
using benchmark_support::median;
using benchmark_support::wall_seconds;

constexpr int permits_of_a_round = 100'000;
constexpr std::chrono::milliseconds time_of_a_round{100};

class Everything final : public PermitSource {
public:
    Result<Permits> take(const PermitRequest& request) override {
        return Permits{request.wanted, std::chrono::microseconds{0}};
    }
    Result<int> count_processes() override { return 1; }
};

class MovedClock final : public Clock {
public:
    TimePoint now() const override { return {}; }
    MonotonicTime monotonic_now() const override { return time; }
    void sleep_until(MonotonicTime, const CancelToken&) override {}
    MonotonicTime time = std::chrono::steady_clock::now();
};

}  // namespace

int main(int count, char** arguments) {
    const int rounds = count > 1 ? std::atoi(arguments[1]) : 101;
    const auto clock = std::make_shared<MovedClock>();
    LeasedLimiter limiter{std::make_shared<Everything>(),
                          {.per_second = 1e6, .own_thread = false, .clock = clock}};
    std::int64_t sum = 0;
    const auto take = [&] {
        for (int i = 0; i < permits_of_a_round; ++i) {
            sum += limiter.reserve("whatsapp:+14155238886", clock->time).time_since_epoch().count();
        }
    };
    // Until a whole block is in hand.
    std::uint64_t promised = 1;
    while (limiter.state().promised != promised) {
        promised = limiter.state().promised;
        take();
        clock->time += time_of_a_round;
        limiter.fetch();
    }
    std::atomic<std::int64_t> counter{0};
    std::vector<double> reserve;
    std::vector<double> increment;
    for (int round = 0; round < rounds; ++round) {
        auto begin = wall_seconds();
        take();
        reserve.push_back((wall_seconds() - begin) / permits_of_a_round * 1e9);
        begin = wall_seconds();
        for (int i = 0; i < permits_of_a_round; ++i) counter.fetch_add(1);
        increment.push_back((wall_seconds() - begin) / permits_of_a_round * 1e9);
        clock->time += time_of_a_round;
        limiter.fetch();
    }
    if (limiter.state().promised != promised || sum == 0) {
        std::fputs("failed: permits were not in hand\n", stderr);
        return 1;
    }
    std::printf("%-24s %8.1f ns\n%-24s %8.1f ns\n", "reserve, with a lease", median(reserve),
                "an atomic increment", median(increment));
    return 0;
}
