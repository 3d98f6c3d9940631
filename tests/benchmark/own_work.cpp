// The library's own work per send, without network: checks, form, call machine, decoding. The
// transport answers at once from memory; making its answer is not counted among the allocations.
#include <atomic>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include <benchmark/benchmark.h>

#include "allocations.hpp"
#include "sample.hpp"

namespace {

namespace wa = twiliowa;

/// Answers every request with the same message. Asynchronous calls wait in `run`.
class Instant final : public wa::AsyncHttpTransport {
public:
    explicit Instant(std::string body) : body_(std::move(body)) {}

    wa::Result<wa::HttpResponse> send(const wa::HttpRequest& request,
                                      const wa::CallContext&) override {
        benchmark::DoNotOptimize(request.body.data());
        return answer();
    }
    void async_send(wa::HttpRequest request, wa::CallContext, Completion done) override {
        benchmark::DoNotOptimize(request.body.data());
        pending_ = std::move(done);
    }
    void call_at(wa::MonotonicTime, std::function<void()> task) override { task(); }
    void run() { std::exchange(pending_, nullptr)(answer()); }

private:
    wa::HttpResponse answer() const {
        const bool was = std::exchange(benchmark_support::allocations().counting, false);
        wa::HttpResponse response;
        response.status = 201;
        response.headers = {{"content-type", "application/json"}};
        response.body = body_;
        benchmark_support::allocations().counting = was;
        return response;
    }

    std::string body_;
    Completion pending_ = {};
};

std::string benchmark_answer() {
    std::ifstream file(BENCHMARK_ANSWER);
    return {std::istreambuf_iterator<char>(file), {}};
}

template <class Send>
void measure(benchmark::State& state, Send send) {
    auto& allocations = benchmark_support::allocations();
    allocations.count = 0;
    for (auto _ : state) {
        allocations.counting = true;
        send();
        allocations.counting = false;
    }
    state.counters["allocations"] = benchmark::Counter(static_cast<double>(allocations.count),
                                                       benchmark::Counter::kAvgIterations);
}

void send_template(benchmark::State& state) {
    const auto client =
        benchmark_support::sample_client(std::make_shared<Instant>(benchmark_answer()));
    measure(state, [&] {
        auto sent = client.try_send_template(benchmark_support::sample_message());
        benchmark::DoNotOptimize(sent);
    });
}

void send_text(benchmark::State& state) {
    const auto client =
        benchmark_support::sample_client(std::make_shared<Instant>(benchmark_answer()));
    measure(state, [&] {
        auto sent = client.try_send_text(
            {.to = "+447700900123", .body = "Your order A-1042 is on its way. Track it any time."});
        benchmark::DoNotOptimize(sent);
    });
}

void async_send_template(benchmark::State& state) {
    const auto transport = std::make_shared<Instant>(benchmark_answer());
    const auto client = benchmark_support::sample_client(transport);
    measure(state, [&] {
        client.async_send_template(benchmark_support::sample_message(),
                                   [](auto sent) { benchmark::DoNotOptimize(sent); });
        transport->run();
    });
}

BENCHMARK(send_template);
BENCHMARK(send_text);
BENCHMARK(async_send_template);

}  // namespace

BENCHMARK_MAIN();
