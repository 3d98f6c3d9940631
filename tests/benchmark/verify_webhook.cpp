// What it costs to verify a webhook, beside its SHA-1 alone.
#include <cstdio>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include <twiliowa/request_validator.hpp>

#include "allocations.hpp"
#include "webhook_sample.hpp"

namespace {

namespace wa = twiliowa;
using namespace benchmark_support;

void floor_sha1(benchmark::State& state) {
    Sha1Floor floor;
    for (auto _ : state) {
        benchmark::DoNotOptimize(webhook_signed_text.data());
        floor.run();
        benchmark::DoNotOptimize(floor.digest);
    }
}

void verify(benchmark::State& state) {
    const wa::RequestValidator validator{webhook_token};
    // Over the prepared string: so the benchmark fails, too, if that were not what is signed.
    const std::string signature =
        validator.sign({.method = "GET", .url = webhook_signed_text, .content_type = {}});
    const wa::SignedRequest request{.url = webhook_url,
                                    .content_type = "application/x-www-form-urlencoded",
                                    .body = webhook_body,
                                    .signature = signature};
    if (!validator.validate(request)) state.SkipWithError("the signature does not fit");
    auto& counter = allocations();
    counter.count = 0;
    counter.counting = true;
    for (auto _ : state) {
        auto verdict = validator.check(request);
        benchmark::DoNotOptimize(verdict);
    }
    state.counters["allocations"] =
        benchmark::Counter(static_cast<double>(counter.count), benchmark::Counter::kAvgIterations);
}

void refuse_forgery(benchmark::State& state) {
    const wa::RequestValidator validator{webhook_token};
    const wa::SignedRequest request{.url = webhook_url,
                                    .content_type = "application/x-www-form-urlencoded",
                                    .body = webhook_body,
                                    .signature = "AAAAAAAAAAAAAAAAAAAAAAAAAAA="};
    for (auto _ : state) {
        auto verdict = validator.check(request);
        benchmark::DoNotOptimize(verdict);
    }
}

BENCHMARK(floor_sha1);
BENCHMARK(verify);
BENCHMARK(refuse_forgery);

/// Prints what the others print, and the ratio of the medians.
class RatioReporter final : public benchmark::ConsoleReporter {
public:
    RatioReporter() : ConsoleReporter(OO_Tabular) {}

    void ReportRuns(const std::vector<Run>& runs) override {
        ConsoleReporter::ReportRuns(runs);
        for (const auto& run : runs) {
            if (run.aggregate_name != "median") continue;
            if (run.run_name.function_name == "floor_sha1") floor_ = run.GetAdjustedCPUTime();
            if (run.run_name.function_name == "verify") verify_ = run.GetAdjustedCPUTime();
        }
    }
    void Finalize() override {
        if (floor_ > 0) {
            std::printf("verify_median / floor_sha1_median: %.2f\n", verify_ / floor_);
        }
    }

private:
    double floor_ = 0;
    double verify_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    RatioReporter reporter;
    benchmark::RunSpecifiedBenchmarks(&reporter);
    return 0;
}
