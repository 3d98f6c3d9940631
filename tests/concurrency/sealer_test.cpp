#include <twiliowa/state/sealer.hpp>

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/testing/manual_clock.hpp>

namespace sealer_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::testing::ManualClock;

namespace {

/// Runs `work(i)` in 16 threads that begin together.
template <class Work>
void in_16_threads(Work work) {
    std::vector<std::thread> threads;
    std::promise<void> go;
    const auto started = go.get_future().share();
    for (std::size_t i = 0; i < 16; ++i) {
        threads.emplace_back([&work, started, i] {
            started.wait();
            work(i);
        });
    }
    go.set_value();
    for (auto& thread : threads) thread.join();
}

}  // namespace

TEST_CASE("16 threads seal and open with copies of one sealer") {
    const Sealer sealer{KeyRing::parse(KeyRing::new_key("k").reveal())};
    std::atomic<int> failures{0};
    in_16_threads([&, sealer](std::size_t i) {
        const Sealer copy = sealer;
        const auto row = std::to_string(i);
        for (int k = 0; k < 200; ++k) {
            const auto plain = row + '/' + std::to_string(k);
            const auto sealed = copy.seal(plain, row);
            if (sealer.open(sealed.value(), row).value() != plain) ++failures;
            if (sealer.open(sealed.value(), row + 'x').has_value()) ++failures;
            if (copy.blind_index(plain, row).value() != sealer.blind_index(plain, row).value()) {
                ++failures;
            }
        }
    });
    CHECK(failures == 0);
}

TEST_CASE("16 threads go on while the keys are rotated, and nothing that was sealed is lost") {
    std::string text{KeyRing::new_key("0").reveal()};
    std::mutex mutex;
    const Sealer sealer{[&]() -> Result<KeyRing> {
        const std::lock_guard lock(mutex);
        return KeyRing::try_parse(text);
    }};
    std::atomic<int> failures{0};
    in_16_threads([&](std::size_t i) {
        for (int k = 0; k < 100; ++k) {
            if (i == 0 && k % 10 == 0) {
                const auto key = KeyRing::new_key(std::to_string(k + 1));
                {
                    const std::lock_guard lock(mutex);
                    text.insert(0, std::string(key.reveal()) + '\n');
                }
                if (!sealer.refresh()) ++failures;
            }
            const auto sealed = sealer.seal("Hello", "row");
            if (!sealed || !sealer.open(*sealed, "row")) ++failures;
            if (!sealer.blind_indexes("Hello", "row")) ++failures;
        }
    });
    CHECK(failures == 0);
    CHECK(sealer.blind_indexes("Hello", "row").value().size() == 11);
}

TEST_CASE("16 threads that meet a key which is not known ask for it once") {
    const std::string old_key{KeyRing::new_key("old").reveal()};
    const std::string new_key{KeyRing::new_key("new").reveal()};
    const auto sealed = Sealer{KeyRing::parse(new_key)}.seal("Hello", "row").value();
    const auto clock = std::make_shared<ManualClock>();
    std::atomic<int> asked{0};
    const Sealer sealer{
        [&]() -> Result<KeyRing> {
            return KeyRing::try_parse(asked++ == 0 ? old_key : new_key + '\n' + old_key);
        },
        {.clock = clock}};
    CHECK(sealer.refresh().has_value());
    clock->advance(1s);
    std::atomic<int> opened{0};
    in_16_threads([&](std::size_t) {
        if (sealer.open(sealed, "row")) ++opened;
    });
    CHECK(opened == 16);
    CHECK(asked == 2);
}

}  // namespace sealer_test
