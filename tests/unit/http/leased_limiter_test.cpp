#include <twiliowa/http/leased_limiter.hpp>

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>
#include <twiliowa/types/error.hpp>

#include "support/limiter_load.hpp"
#include "support/memory_permits.hpp"

namespace leased_limiter_test {

using namespace twiliowa;
using namespace twiliowa::test;
using namespace std::chrono_literals;
using twiliowa::testing::ManualClock;

namespace {

struct World {
    std::shared_ptr<ManualClock> clock = std::make_shared<ManualClock>();
    std::shared_ptr<MemoryPermitServer> server =
        std::make_shared<MemoryPermitServer>(MemoryPermitServer{.clock = clock});

    MonotonicTime now() const { return clock->monotonic_now(); }
    std::shared_ptr<LeasedLimiter> limiter(LeasedLimiterOptions options = {}) const {
        options.own_thread = false;
        options.clock = clock;
        return std::make_shared<LeasedLimiter>(std::make_shared<MemoryPermits>(server), options);
    }
};

void run_limited(World& world, std::vector<SendingProcess>& processes, SentSlots& sent,
                 std::chrono::milliseconds time) {
    run_limited(*world.clock, processes, sent, time);
}

std::vector<SendingProcess> several(const World& world, int count, std::size_t callers,
                                    const LeasedLimiterOptions& options = {}) {
    std::vector<SendingProcess> processes;
    for (int i = 0; i < count; ++i) processes.emplace_back(world.limiter(options), callers);
    // Each hears of those that came after it.
    for (int i = 0; i < 2; ++i) {
        world.clock->advance(1s);
        for (auto& process : processes) process.limiter->fetch();
    }
    return processes;
}

class Heard final : public Observer {
public:
    void on_limiter(const LimiterEvent& event) noexcept override {
        said.push_back((event.shared ? "shared by " : "alone of ") +
                       std::to_string(event.processes) + (event.error != nullptr ? "!" : ""));
        share = event.share_per_second;
    }
    std::vector<std::string> said = {};
    double share = 0;
};

}  // namespace

TEST_CASE("four processes together keep to the limit, and use it") {
    for (const unsigned callers : {1U, 4U, 16U, 64U}) {
        CAPTURE(callers);
        World world;
        auto processes = several(world, 4, callers);
        SentSlots sent;
        const auto begin = world.now();
        run_limited(world, processes, sent, 60s);
        const auto count = sent.between(begin, begin + 60s);
        CHECK(count <= 80 * 60 * 101 / 100 + 1);
        CHECK(count >= 80 * 60 * 97 / 100);
        // At no time more than the limit, a burst and a block of each.
        for (const auto length : {100ms, 1'000ms, 10'000ms}) {
            CHECK(sent.most_within(length) <=
                  static_cast<std::size_t>(80 * length.count() / 1'000 + 1 + 4 * 8));
        }
        for (const auto& process : processes) {
            CHECK(process.limiter->state().questions <= 12 * 62);
        }
    }
}

TEST_CASE("a process that is alone in sending gets the whole limit, though others live") {
    for (const unsigned callers : {1U, 16U}) {
        CAPTURE(callers);
        World world;
        auto processes = several(world, 4, callers);
        for (std::size_t i = 1; i < 4; ++i) processes[i].callers.clear();
        SentSlots sent;
        const auto begin = world.now();
        run_limited(world, processes, sent, 10s);
        const auto count = sent.between(begin, begin + 10s);
        CHECK(count <= 809);
        CHECK(count >= 776);
        CHECK(processes[0].limiter->state().questions <= 12 * 12);
    }
}

TEST_CASE("processes that send little take little") {
    World world;
    std::vector<std::shared_ptr<LeasedLimiter>> limiters;
    for (int i = 0; i < 20; ++i) limiters.push_back(world.limiter());
    // Two a second of each, which is half of the limit: none has to wait.
    MonotonicTime::duration longest{};
    for (int step = 0; step < 10'000; ++step) {
        for (std::size_t i = 0; i < limiters.size(); ++i) {
            if ((step + static_cast<int>(i) * 25) % 500 == 0) {
                longest = std::max(longest, limiters[i]->reserve("s", world.now()) - world.now());
            }
            limiters[i]->fetch();
        }
        world.clock->advance(1ms);
    }
    CHECK(longest <= 25ms);
    for (const auto& limiter : limiters) CHECK(limiter->state().lapsed == 0);
}

TEST_CASE("a thousand calls at once get the slots of the process's share") {
    World world;
    auto processes = several(world, 4, 1);
    std::vector<MonotonicTime> slots;
    for (int i = 0; i < 1'000; ++i) {
        slots.push_back(processes[0].limiter->reserve(load_sender, world.now()));
    }
    CHECK(std::is_sorted(slots.begin(), slots.end()));
    CHECK(slots.back() - slots.front() == 999 * 50ms);
    // The others go on with what is left.
    processes[0].callers.clear();
    SentSlots sent;
    sent.slots = slots;
    const auto begin = world.now();
    run_limited(world, processes, sent, 20s);
    const auto count = sent.between(begin, begin + 20s);
    for (const auto& process : processes) CHECK(process.limiter->state().lapsed == 0);
    CHECK(count <= 80 * 20 * 101 / 100 + 1);
    CHECK(count >= 80 * 20 * 97 / 100);
}

TEST_CASE("the first message after a pause has a slot soon, which the source hears of") {
    World world;
    const auto limiter = world.limiter();
    for (int i = 0; i < 3; ++i) {
        const auto slot = limiter->reserve("a", world.now());
        CHECK(slot > world.now());
        CHECK(slot <= world.now() + 20ms);
        limiter->fetch();
        CHECK(world.server->questions.back() == std::pair<std::int64_t, std::int64_t>{1, 0});
        world.clock->advance(10s);
    }
    CHECK(limiter->state().promised == 3);
    CHECK(limiter->state().lapsed == 0);
}

TEST_CASE("a slot that is free now is acquired after a pause, and the source hears of it") {
    World world;
    const auto limiter = world.limiter();
    for (int i = 0; i < 5; ++i) {
        world.clock->advance(10s);
        limiter->fetch();
        world.server->questions.clear();
        CHECK(limiter->try_acquire("a", world.now()));
        const auto refused = limiter->try_acquire("a", world.now());
        CHECK_FALSE(refused);
        CHECK(refused.free_at > world.now());
        CHECK(refused.free_at <= world.now() + 13ms);
        limiter->fetch();
        REQUIRE(world.server->questions.size() == 1);
        CHECK(world.server->questions.front().first == 1);
    }
}

TEST_CASE("what could not be acquired is not used up, and of nobody else's limit") {
    World world;
    const auto limiter = world.limiter({.per_second = 1});
    CHECK(limiter->try_acquire("a", world.now()));
    limiter->fetch();
    for (int i = 0; i < 100; ++i) CHECK_FALSE(limiter->try_acquire("a", world.now()));
    world.clock->advance(1'100ms);
    limiter->fetch();
    CHECK(limiter->try_acquire("a", world.now()));
    CHECK(limiter->state().promised + limiter->state().granted - limiter->state().lapsed <= 4);
}

TEST_CASE("processes that acquire whenever they can keep to the limit, and use it") {
    for (const bool away : {false, true}) {
        CAPTURE(away);
        World world;
        auto processes = several(world, 4, 0);
        world.server->away = away;
        int acquired = 0;
        for (int i = 0; i < 30'000; ++i) {
            world.clock->advance(1ms);
            for (auto& process : processes) {
                if (process.limiter->try_acquire("a", world.now())) ++acquired;
                process.limiter->fetch();
            }
        }
        // At no time more than the limit and a block of each.
        CHECK(acquired <= 80 * 30 + 4 * 8);
        CHECK(acquired >= 80 * 30 * 97 / 100);
    }
}

TEST_CASE("a burst leaves at once after a pause") {
    World world;
    const auto limiter = world.limiter({.per_second = 10, .burst = 5, .lease = 500ms});
    const auto first = limiter->reserve("a", world.now());
    for (int i = 0; i < 4; ++i) CHECK(limiter->reserve("a", world.now()) == first);
    CHECK(limiter->reserve("a", world.now()) == first + 100ms);
    limiter->fetch();
    CHECK(limiter->reserve("a", world.now()) > first + 100ms);
}

TEST_CASE("a burst is shared") {
    World world;
    auto processes = several(world, 4, 1, {.per_second = 80, .burst = 8});
    for (const auto& process : processes) {
        const auto first = process.limiter->reserve("a", world.now());
        CHECK(process.limiter->reserve("a", world.now()) == first);
        CHECK(process.limiter->reserve("a", world.now()) == first + 50ms);
    }
}

TEST_CASE("a slot that is given back is given out again") {
    World world;
    const auto limiter = world.limiter();
    const auto first = limiter->reserve("a", world.now());
    const auto second = limiter->reserve("a", world.now());
    CHECK(second == first + 12'500us);
    limiter->release("a");
    limiter->release("unknown");
    CHECK(limiter->reserve("a", world.now()) == second);
    SUBCASE("one that the source has heard of, too") {
        limiter->fetch();
        limiter->release("a");
        CHECK(limiter->reserve("a", world.now()) == second);
        const auto promised = limiter->state().promised;
        CHECK(promised == 3);
    }
}

TEST_CASE("permits that nobody uses lapse, and are not given out in a heap later") {
    World world;
    auto processes = several(world, 1, 4);
    SentSlots sent;
    run_limited(world, processes, sent, 5s);
    const auto& limiter = processes[0].limiter;
    CHECK(limiter->state().lapsed == 0);
    world.clock->advance(3s);
    limiter->fetch();
    limiter->reserve(load_sender, world.now());
    CHECK(limiter->state().lapsed > 0);
    int soon = 0;
    while (limiter->reserve(load_sender, world.now()) < world.now() + 100ms) ++soon;
    CHECK(soon <= 8);
}

TEST_CASE("while the source is away, all together go on and keep to the limit") {
    for (const unsigned callers : {1U, 16U}) {
        CAPTURE(callers);
        World world;
        auto processes = several(world, 4, callers);
        SentSlots sent;
        run_limited(world, processes, sent, 5s);
        const auto gone = world.now();
        world.server->away = true;
        run_limited(world, processes, sent, 60s);
        CHECK(sent.between(gone, gone + 60s) <= 80 * 60 * 102 / 100);
        CHECK(sent.between(gone, gone + 60s) >= 80 * 60 * 95 / 100);
        for (int second = 0; second < 60; ++second) {
            const auto begin = gone + second * 1s;
            CHECK(sent.between(begin, begin + 1s) <= 96);
        }
        for (const auto& process : processes) {
            CHECK_FALSE(process.limiter->state().shared);
            CHECK(process.limiter->state().processes == 4);
            CHECK(process.limiter->state().share_per_second == 20);
        }
        // It comes back, and has forgotten everything.
        const auto back = world.now();
        world.server->away = false;
        world.server->full_at.clear();
        world.server->seen.clear();
        run_limited(world, processes, sent, 20s);
        for (int second = 0; second < 20; ++second) {
            const auto begin = back + second * 1s;
            CAPTURE(second);
            // What a process promised before another came back is known of too early, once.
            CHECK(sent.between(begin, begin + 1s) <= 112);
            CHECK(sent.between(begin, begin + 1s) >= 64);
        }
        CHECK(sent.between(back, back + 10s) <= 80 * 10 * 105 / 100);
        CHECK(sent.between(back, back + 20s) >= 80 * 20 * 97 / 100);
        for (const auto& process : processes) CHECK(process.limiter->state().shared);
    }
}

TEST_CASE(
    "a process that never heard of the others sends one message a second, or as it was told") {
    World world;
    world.server->away = true;
    const auto limiter = world.limiter();
    CHECK_FALSE(limiter->state().shared);
    CHECK(limiter->reserve("a", world.now()) == world.now());
    CHECK(limiter->reserve("a", world.now()) == world.now() + 1s);
    const auto told = world.limiter({.processes = 8});
    CHECK(told->reserve("a", world.now()) == world.now());
    CHECK(told->reserve("a", world.now()) == world.now() + 100ms);
    const auto slow = world.limiter({.per_second = 0.1});
    CHECK(slow->reserve("a", world.now()) == world.now());
    CHECK(slow->reserve("a", world.now()) == world.now() + 10s);
}

TEST_CASE("a source that is away is asked again later and later, a second at most") {
    World world;
    world.server->away = true;
    const auto limiter = world.limiter();
    const auto begin = world.now();
    for (int i = 0; i < 60'000; ++i) {
        limiter->reserve("a", world.now());
        limiter->fetch();
        world.clock->advance(1ms);
    }
    CHECK(world.now() - begin == 60s);
    CHECK(limiter->state().questions >= 60);
    CHECK(limiter->state().questions <= 130);
}

TEST_CASE("an observer hears when the limit is shared, and when not") {
    World world;
    const auto heard = std::make_shared<Heard>();
    const auto other = world.limiter();
    const auto limiter = world.limiter({.observer = heard});
    CHECK(heard->said == std::vector<std::string>{"shared by 2"});
    world.server->away = true;
    limiter->reserve("+447700900123", world.now());
    limiter->fetch();
    limiter->fetch();
    CHECK(heard->said == std::vector<std::string>{"shared by 2", "alone of 2!"});
    CHECK(heard->share == 40);
    world.clock->advance(1s);
    limiter->fetch();
    CHECK(heard->said.size() == 2);
    world.server->away = false;
    world.clock->advance(1s);
    limiter->fetch();
    CHECK(heard->said.back() == "shared by 2");
    CHECK(heard->said.size() == 3);
    world.server->away = true;
    const auto late = world.limiter({.observer = heard});
    CHECK(heard->said.back() == "alone of 0!");
}

TEST_CASE("a source that throws is as one that is away") {
    class Throwing final : public PermitSource {
        Result<Permits> take(const PermitRequest&) override { throw 1; }
        Result<int> count_processes() override { return 1; }
    };
    World world;
    LeasedLimiter limiter{std::make_shared<Throwing>(),
                          {.own_thread = false, .clock = world.clock}};
    CHECK(limiter.state().shared);
    limiter.reserve("a", world.now());
    limiter.fetch();
    CHECK_FALSE(limiter.state().shared);
    CHECK(limiter.state().unanswered == 1);
}

TEST_CASE("a permit that the source has for later is not given out sooner") {
    World world;
    const auto first = world.limiter();
    const auto second = world.limiter();
    std::vector<MonotonicTime> slots;
    for (int i = 0; i < 20; ++i) first->reserve("a", world.now());
    first->fetch();
    second->reserve("a", world.now());
    second->fetch();
    // What the source had given away was known by then.
    CHECK(second->reserve("a", world.now()) >= world.now() + 21 * 12'500us);
}

TEST_CASE("slots lie less than a hundred years ahead, or never come") {
    World world;
    const auto limiter = world.limiter({.per_second = 1e-6, .processes = 1});
    auto slot = limiter->reserve("a", world.now());
    for (int i = 0; i < 3'200 && slot != MonotonicTime::max(); ++i) {
        const auto next = limiter->reserve("a", world.now());
        REQUIRE(next > slot);
        slot = next;
    }
    CHECK(slot == MonotonicTime::max());
    // To give that back makes room for nobody.
    limiter->release("a");
    CHECK(limiter->reserve("a", world.now()) == MonotonicTime::max());
    limiter->release("a");
    limiter->release("a");
    CHECK(limiter->reserve("a", world.now()) < MonotonicTime::max());
}

TEST_CASE("senders do not share") {
    World world;
    const auto limiter = world.limiter();
    for (int i = 0; i < 100; ++i) limiter->reserve("a", world.now());
    CHECK(limiter->reserve("b", world.now()) <= world.now() + 20ms);
    limiter->fetch();
    CHECK(world.server->full_at.size() == 2);
}

TEST_CASE("numbers out of their bounds are refused by name") {
    World world;
    const auto refused = [&](LeasedLimiterOptions options) -> std::string {
        try {
            world.limiter(std::move(options));
        } catch (const InvalidRequestError& error) {
            return std::string{error.error().field()};
        }
        return "taken";
    };
    for (const double bad : {0.0, -1.0, 1e7, std::numeric_limits<double>::quiet_NaN()}) {
        CHECK(refused({.per_second = bad}) == "per_second");
        CHECK(refused({.burst = bad}) == "burst");
    }
    CHECK(refused({.per_second = 1e-6, .burst = 1e6}) == "burst");
    CHECK(refused({.lease = 0ms}) == "lease");
    CHECK(refused({.lease = 61s}) == "lease");
    CHECK(refused({.processes = -1}) == "processes");
    CHECK_THROWS_AS(LeasedLimiter{nullptr}, InvalidRequestError);
}

TEST_CASE("a thread of its own fetches, and ends with it") {
    const auto clock = system_clock();
    const auto server = std::make_shared<MemoryPermitServer>(MemoryPermitServer{.clock = clock});
    LeasedLimiter limiter{std::make_shared<MemoryPermits>(server)};
    // The first is promised; what the thread fetches comes in hand.
    while (limiter.state().granted < 10) {
        clock->sleep_until(limiter.reserve("a", clock->monotonic_now()), {});
    }
    CHECK(limiter.state().shared);
}

}  // namespace leased_limiter_test
