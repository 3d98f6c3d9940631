#include "outbox/commit_counts.hpp"

#include <algorithm>

namespace twiliowa::detail {

namespace {

constexpr double nanoseconds_of_a_second = 1e9;

}  // namespace

template <std::size_t Bounds>
void CommitCounts::Buckets<Bounds>::count(const std::array<double, Bounds>& bounds,
                                          double value) noexcept {
    const auto bucket = std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin();
    counts[static_cast<std::size_t>(bucket)].fetch_add(1, std::memory_order_relaxed);
}

template <std::size_t Bounds>
MetricHistogram CommitCounts::Buckets<Bounds>::read(const std::array<double, Bounds>& bounds,
                                                    double sum) const {
    MetricHistogram histogram{.bounds = {bounds.begin(), bounds.end()}, .sum = sum};
    for (const auto& each : counts) {
        histogram.counts.push_back(each.load(std::memory_order_relaxed));
    }
    return histogram;
}

void CommitCounts::note(std::chrono::steady_clock::duration took, std::size_t works) noexcept {
    const auto nanoseconds = std::max<std::int64_t>(
        std::chrono::duration_cast<std::chrono::nanoseconds>(took).count(), 0);
    nanoseconds_.fetch_add(static_cast<std::uint64_t>(nanoseconds), std::memory_order_relaxed);
    all_works_.fetch_add(works, std::memory_order_relaxed);
    seconds_.count(second_bounds, static_cast<double>(nanoseconds) / nanoseconds_of_a_second);
    works_.count(work_bounds, static_cast<double>(works));
}

void CommitCounts::add_to(MetricSamples& samples) const {
    const auto nanoseconds = nanoseconds_.load(std::memory_order_relaxed);
    samples.histogram(
        "twiliowa_outbox_commit_seconds", "How long commits of the storage took.",
        seconds_.read(second_bounds, static_cast<double>(nanoseconds) / nanoseconds_of_a_second));
    samples.histogram(
        "twiliowa_outbox_commit_works", "How many works shared a commit of the storage.",
        works_.read(work_bounds, static_cast<double>(all_works_.load(std::memory_order_relaxed))));
}

}  // namespace twiliowa::detail
