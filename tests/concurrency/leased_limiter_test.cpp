#include <twiliowa/http/leased_limiter.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "support/memory_permits.hpp"

namespace leased_limiter_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t thread_count = 16;
constexpr int slots_of_each = 2'000;

/// Both limiters have a thread that asks; now and then there is no answer.
class SharedPermits final : public PermitSource {
public:
    SharedPermits(std::shared_ptr<MemoryPermitServer> server, std::mutex& mutex)
        : server_(server), permits_(std::move(server)), mutex_(mutex) {}

    Result<Permits> take(const PermitRequest& request) override {
        const std::lock_guard lock(mutex_);
        server_->away = ++questions_ % 16 == 0;
        return permits_.take(request);
    }
    Result<int> count_processes() override {
        const std::lock_guard lock(mutex_);
        server_->away = false;
        return permits_.count_processes();
    }

private:
    std::shared_ptr<MemoryPermitServer> server_;
    MemoryPermits permits_;
    std::mutex& mutex_;
    int questions_ = 0;
};

class Changes final : public Observer {
public:
    void on_limiter(const LimiterEvent&) noexcept override { ++count; }
    std::atomic<int> count{0};
};

}  // namespace

TEST_CASE("16 threads take slots of two limiters and give some back, while these fetch") {
    std::mutex mutex;
    const auto server = std::make_shared<MemoryPermitServer>();
    server->clock = system_clock();
    const auto changes = std::make_shared<Changes>();
    std::vector<std::unique_ptr<LeasedLimiter>> limiters;
    for (int i = 0; i < 2; ++i) {
        limiters.push_back(std::make_unique<LeasedLimiter>(
            std::make_shared<SharedPermits>(server, mutex),
            LeasedLimiterOptions{.per_second = 100'000, .lease = 1ms, .observer = changes}));
    }
    std::vector<std::thread> threads;
    std::atomic<int> taken{0};
    for (std::size_t i = 0; i < thread_count; ++i) {
        threads.emplace_back([&, i] {
            auto& limiter = *limiters[i % limiters.size()];
            const std::string sender(1, static_cast<char>('a' + i % 3));
            auto before = MonotonicTime{};
            for (int slot = 0; slot < slots_of_each; ++slot) {
                const auto now = std::chrono::steady_clock::now();
                const auto given = limiter.reserve(sender, now);
                if (given >= now) ++taken;
                before = std::max(before, given);
                if (slot % 10 == 0) limiter.release(sender);
                if (slot % 100 == 0) static_cast<void>(limiter.state());
            }
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(taken == static_cast<int>(thread_count) * slots_of_each);
    for (const auto& limiter : limiters) CHECK(limiter->state().questions > 0);
    limiters.clear();
    CHECK(changes->count >= 2);
}

TEST_CASE("a limiter that is fetched by a timer gives slots to other threads meanwhile") {
    const auto server = std::make_shared<MemoryPermitServer>();
    server->clock = system_clock();
    LeasedLimiter limiter{std::make_shared<MemoryPermits>(server),
                          {.per_second = 100'000, .lease = 1ms, .own_thread = false}};
    std::atomic<bool> done{false};
    std::thread timer{[&] {
        while (!done) limiter.fetch();
    }};
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int slot = 0; slot < slots_of_each; ++slot) {
                limiter.reserve("a", std::chrono::steady_clock::now());
            }
        });
    }
    for (auto& thread : threads) thread.join();
    done = true;
    timer.join();
    CHECK(limiter.state().shared);
}

}  // namespace leased_limiter_test
