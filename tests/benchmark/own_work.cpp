// The library's own work per send, without network: checks, form, call machine, decoding. The
// transport answers at once from memory; making its answer is not counted among the allocations.
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <new>
#include <string>
#include <utility>

#include <benchmark/benchmark.h>

#include "sample.hpp"

namespace {

thread_local long allocations = 0;
thread_local bool counting = false;

void* counted_allocation(std::size_t size) {
    if (counting) ++allocations;
    if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
    throw std::bad_alloc();
}

}  // namespace

void* operator new(std::size_t size) {
    return counted_allocation(size);
}
void* operator new[](std::size_t size) {
    return counted_allocation(size);
}
void operator delete(void* memory) noexcept {
    std::free(memory);
}
void operator delete[](void* memory) noexcept {
    std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
    std::free(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
    std::free(memory);
}

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
        const bool was = std::exchange(counting, false);
        wa::HttpResponse response;
        response.status = 201;
        response.headers = {{"content-type", "application/json"}};
        response.body = body_;
        counting = was;
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
    allocations = 0;
    for (auto _ : state) {
        counting = true;
        send();
        counting = false;
    }
    state.counters["allocations"] =
        benchmark::Counter(static_cast<double>(allocations), benchmark::Counter::kAvgIterations);
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
