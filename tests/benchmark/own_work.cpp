// The library's own work per send, without network: checks, form, call machine, decoding. The
// transport answers at once from memory; making its answer is not counted among the allocations.
#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "allocations.hpp"
#include "instant_transport.hpp"
#include "sample.hpp"

namespace {

using namespace benchmark_support;

template <class Send>
void measure(benchmark::State& state, Send send) {
    auto& counter = allocations();
    counter.count = 0;
    for (auto _ : state) {
        counter.counting = true;
        send();
        counter.counting = false;
    }
    state.counters["allocations"] =
        benchmark::Counter(static_cast<double>(counter.count), benchmark::Counter::kAvgIterations);
}

void send_template(benchmark::State& state) {
    const auto client = sample_client(std::make_shared<InstantTransport>(benchmark_answer()));
    measure(state, [&] {
        auto sent = client.try_send_template(sample_message());
        benchmark::DoNotOptimize(sent);
    });
}

void send_text(benchmark::State& state) {
    const auto client = sample_client(std::make_shared<InstantTransport>(benchmark_answer()));
    measure(state, [&] {
        auto sent = client.try_send_text(
            {.to = "+447700900123", .body = "Your order A-1042 is on its way. Track it any time."});
        benchmark::DoNotOptimize(sent);
    });
}

void async_send_template(benchmark::State& state) {
    const auto transport = std::make_shared<InstantTransport>(benchmark_answer());
    const auto client = sample_client(transport);
    measure(state, [&] {
        client.async_send_template(sample_message(),
                                   [](auto sent) { benchmark::DoNotOptimize(sent); });
        transport->run();
    });
}

BENCHMARK(send_template);
BENCHMARK(send_text);
BENCHMARK(async_send_template);

}  // namespace

BENCHMARK_MAIN();
