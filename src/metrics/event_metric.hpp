/// @file
/// Metrics that events count.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace twiliowa::detail {

enum class MetricType { counter, gauge, histogram };

/// The upper bound of a bucket, and how it is written.
struct MetricBound {
    std::int64_t microseconds = 0;
    std::string_view text = {};
};

/// For what somebody waits for.
inline constexpr MetricBound short_metric_bounds[] = {
    {5'000, "0.005"},   {10'000, "0.01"},   {25'000, "0.025"}, {50'000, "0.05"},   {100'000, "0.1"},
    {250'000, "0.25"},  {500'000, "0.5"},   {1'000'000, "1"},  {2'500'000, "2.5"}, {5'000'000, "5"},
    {10'000'000, "10"}, {30'000'000, "30"}, {60'000'000, "60"}};
/// For what may lie for a while.
inline constexpr MetricBound long_metric_bounds[] = {
    {100'000, "0.1"},         {500'000, "0.5"},        {1'000'000, "1"},
    {2'000'000, "2"},         {5'000'000, "5"},        {10'000'000, "10"},
    {30'000'000, "30"},       {60'000'000, "60"},      {300'000'000, "300"},
    {900'000'000, "900"},     {3'600'000'000, "3600"}, {21'600'000'000, "21600"},
    {86'400'000'000, "86400"}};

/// A label and all values that it may have; the last is for what is none of the others.
struct MetricDimension {
    std::string label = {};
    std::vector<std::string> values = {};
};

/// What a series has counted: a counter one number; a histogram one for each bucket, not added up,
/// one for what is over all bounds, and the sum in microseconds.
using MetricCells = std::vector<std::uint64_t>;

/// A counter or a histogram whose series are all combinations of a few labels' values, so that it
/// is of one size for ever. Counting takes no lock and allocates nothing.
class EventMetric {
public:
    /// A counter.
    EventMetric(std::string_view name, std::string_view help,
                std::vector<MetricDimension> dimensions = {});
    /// A histogram.
    EventMetric(std::string_view name, std::string_view help, std::span<const MetricBound> bounds,
                std::vector<MetricDimension> dimensions = {});

    /// Shows a series from the beginning, so that a rate has something to begin from; others are
    /// shown once they have counted.
    void show(std::size_t series) { is_shown_[series] = true; }
    void show_all() { is_shown_.assign(is_shown_.size(), true); }

    /// The series of these values, as many as there are labels, each by its place.
    template <class... Place>
    std::size_t series(Place... place) const noexcept {
        std::size_t at = 0;
        std::size_t label = 0;
        ((at = at * dimensions_[label++].values.size() + place), ...);
        return at;
    }
    void count(std::size_t series) noexcept {
        cells_[series].fetch_add(1, std::memory_order_relaxed);
    }
    void observe(std::size_t series, std::chrono::microseconds duration) noexcept;

    const std::string& name() const noexcept { return name_; }
    const std::string& help() const noexcept { return help_; }
    MetricType type() const noexcept {
        return bounds_.empty() ? MetricType::counter : MetricType::histogram;
    }
    std::span<const MetricBound> bounds() const noexcept { return bounds_; }
    const std::vector<MetricDimension>& dimensions() const noexcept { return dimensions_; }
    std::size_t series_count() const noexcept { return is_shown_.size(); }
    /// The place of each label's value.
    std::vector<std::size_t> places_of(std::size_t series) const;
    bool is_shown(std::size_t series) const noexcept { return is_shown_[series]; }
    MetricCells read(std::size_t series) const;

private:
    std::size_t cells_of_series() const noexcept {
        return bounds_.empty() ? 1 : bounds_.size() + 2;
    }

    std::string name_;
    std::string help_;
    std::span<const MetricBound> bounds_;
    std::vector<MetricDimension> dimensions_;
    std::vector<bool> is_shown_;
    std::unique_ptr<std::atomic<std::uint64_t>[]> cells_;
};

}  // namespace twiliowa::detail
