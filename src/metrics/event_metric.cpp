#include "metrics/event_metric.hpp"

#include <algorithm>
#include <utility>

namespace twiliowa::detail {

namespace {

std::size_t combinations_of(const std::vector<MetricDimension>& dimensions) {
    std::size_t count = 1;
    for (const auto& dimension : dimensions) count *= dimension.values.size();
    return count;
}

}  // namespace

EventMetric::EventMetric(std::string_view name, std::string_view help,
                         std::vector<MetricDimension> dimensions)
    : EventMetric(name, help, std::span<const MetricBound>{}, std::move(dimensions)) {}

EventMetric::EventMetric(std::string_view name, std::string_view help,
                         std::span<const MetricBound> bounds,
                         std::vector<MetricDimension> dimensions)
    : name_(name),
      help_(help),
      bounds_(bounds),
      dimensions_(std::move(dimensions)),
      is_shown_(combinations_of(dimensions_), dimensions_.empty()),
      cells_(std::make_unique<std::atomic<std::uint64_t>[]>(is_shown_.size() * cells_of_series())) {
}

void EventMetric::observe(std::size_t series, std::chrono::microseconds duration) noexcept {
    const auto microseconds = std::max<std::int64_t>(duration.count(), 0);
    std::size_t bucket = 0;
    while (bucket < bounds_.size() && microseconds > bounds_[bucket].microseconds) ++bucket;
    auto* const cells = &cells_[series * cells_of_series()];
    cells[bucket].fetch_add(1, std::memory_order_relaxed);
    cells[bounds_.size() + 1].fetch_add(static_cast<std::uint64_t>(microseconds),
                                        std::memory_order_relaxed);
}

std::vector<std::size_t> EventMetric::places_of(std::size_t series) const {
    std::vector<std::size_t> places(dimensions_.size());
    for (std::size_t i = dimensions_.size(); i-- > 0;) {
        const auto count = dimensions_[i].values.size();
        places[i] = series % count;
        series /= count;
    }
    return places;
}

MetricCells EventMetric::read(std::size_t series) const {
    MetricCells read(cells_of_series());
    const auto* const cells = &cells_[series * read.size()];
    for (std::size_t i = 0; i < read.size(); ++i) {
        read[i] = cells[i].load(std::memory_order_relaxed);
    }
    return read;
}

}  // namespace twiliowa::detail
