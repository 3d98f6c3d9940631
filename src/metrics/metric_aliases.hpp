/// @file
/// Other names of what events count.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/metrics_observer.hpp>

#include "metrics/event_metric.hpp"

namespace twiliowa::detail {

/// Metrics that are sums of series of others. The metrics must outlive it.
class MetricAliases {
public:
    /// @throws InvalidRequestError naming the alias that is wrong.
    MetricAliases(const std::vector<MetricAlias>& aliases, std::span<EventMetric* const> metrics);

    bool has(std::string_view name) const noexcept;
    void append_to(std::string& out) const;

private:
    /// Some series of a metric.
    struct Part {
        const EventMetric* metric = nullptr;
        std::vector<std::size_t> series = {};
    };
    struct Series {
        std::string labels = {};
        std::vector<Part> parts = {};
        MetricCells read() const;
    };
    struct Family {
        std::string name = {};
        std::string help = {};
        const EventMetric* first = nullptr;  ///< Whose type and bounds all of it have.
        std::vector<Series> series = {};
    };

    void add(const MetricAlias& alias, const EventMetric& metric);

    std::vector<Family> families_ = {};
};

}  // namespace twiliowa::detail
