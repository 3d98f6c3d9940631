#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <twiliowa/messages_client.hpp>
#include <twiliowa/testing/fake_twilio.hpp>
#include <twiliowa/types/cancel.hpp>

namespace one_client_test {

using namespace twiliowa;
using namespace std::chrono_literals;
using twiliowa::testing::FakeTwilio;

namespace {

constexpr int thread_count = 64;

/// Runs `work(i)` in 64 threads that begin together.
template <class Work>
void in_parallel(Work work) {
    std::vector<std::thread> threads;
    std::promise<void> go;
    const auto started = go.get_future().share();
    for (int i = 0; i < thread_count; ++i) {
        threads.emplace_back([&work, started, i] {
            started.wait();
            work(i);
        });
    }
    go.set_value();
    for (auto& thread : threads) thread.join();
}

struct Counter final : Observer {
    std::atomic<int> results{0};
    void on_result(const ResultEvent&) noexcept override { ++results; }
};

}  // namespace

TEST_CASE("64 threads send, fetch and list on one client, and nothing is lost or doubled") {
    const auto fake = FakeTwilio::with_account();
    auto options = fake->client_options();
    const auto counter = std::make_shared<Counter>();
    options.observer = counter;
    options.rate_limiter = token_bucket({.per_second = 1e6});
    const MessagesClient client(fake->credentials(), options);
    std::atomic<int> sent{0};
    in_parallel([&](int i) {
        const auto copy = client;
        for (int k = 0; k < 10; ++k) {
            const auto message = copy.send_text(
                {.to = "+447700900123", .body = std::to_string(i) + '/' + std::to_string(k)});
            if (client.fetch(message.sid).body == message.body) ++sent;
        }
        static_cast<void>(client.list_page({.page_size = 5}));
    });
    CHECK(sent == thread_count * 10);
    std::set<std::string> bodies;
    for (const auto& message : fake->messages()) bodies.insert(message.body);
    CHECK(bodies.size() == thread_count * 10);
    CHECK(fake->messages().size() == thread_count * 10);
    CHECK(counter->results == thread_count * 21);
}

TEST_CASE("a token cancelled while callbacks come and go runs each at most once") {
    for (int round = 0; round < 20; ++round) {
        CancelSource source;
        std::atomic<int> ran{0};
        in_parallel([&](int i) {
            if (i == 7) {
                source.cancel();
                return;
            }
            const auto registration = source.token().on_cancel([&ran] { ++ran; });
        });
        CHECK(ran <= thread_count - 1);
    }
}

}  // namespace one_client_test
