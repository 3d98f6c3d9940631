/// @file
/// How long the commits of a storage take, and how much each has.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <twiliowa/export.hpp>
#include <twiliowa/metrics_observer.hpp>

namespace twiliowa::detail {

/// Any thread may note, and any may read meanwhile.
class TWILIOWA_EXPORT CommitCounts {
public:
    /// A commit that wrote. @param works  that it had.
    void note(std::chrono::steady_clock::duration took, std::size_t works) noexcept;
    /// As the histograms that docs/metrics.md lists.
    void add_to(MetricSamples& samples) const;

private:
    static constexpr std::array second_bounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                              0.1,    0.25,  0.5,    1.0,   2.5,  5.0};
    static constexpr std::array work_bounds{1.0,  2.0,   5.0,   10.0,  20.0,
                                            50.0, 100.0, 200.0, 500.0, 1000.0};

    template <std::size_t Bounds>
    struct Buckets {
        std::array<std::atomic<std::uint64_t>, Bounds + 1> counts = {};

        void count(const std::array<double, Bounds>& bounds, double value) noexcept;
        MetricHistogram read(const std::array<double, Bounds>& bounds, double sum) const;
    };

    Buckets<second_bounds.size()> seconds_ = {};
    Buckets<work_bounds.size()> works_ = {};
    std::atomic<std::uint64_t> nanoseconds_{0};  ///< Of all commits together.
    std::atomic<std::uint64_t> all_works_{0};    ///< The same.
};

}  // namespace twiliowa::detail
