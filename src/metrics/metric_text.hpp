/// @file
/// Prometheus' text form, 0.0.4.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/metrics_observer.hpp>

#include "metrics/event_metric.hpp"

namespace twiliowa::detail {

bool is_metric_name(std::string_view name) noexcept;
/// Refused are names that Prometheus keeps for itself, and those of a histogram's bounds.
bool is_metric_label_name(std::string_view name) noexcept;

/// `a="1",b="2"`, by name, with what is hostile escaped.
/// @throws InvalidRequestError naming `metric` if a label's name is none, or there twice.
std::string metric_label_text(std::string_view metric, std::vector<MetricLabel> labels);

/// `# HELP` and `# TYPE`.
void append_metric_head(std::string& out, std::string_view name, std::string_view help,
                        MetricType type);
/// A line of a series.
void append_metric_sample(std::string& out, std::string_view name, std::string_view labels,
                          double value);
/// The lines of a series of a histogram that a source gives.
void append_metric_histogram(std::string& out, std::string_view name, std::string_view labels,
                             const MetricHistogram& histogram);
/// The lines of a series of a counter, or of a histogram if there are bounds.
void append_metric_series(std::string& out, std::string_view name, std::string_view labels,
                          std::span<const MetricBound> bounds, const MetricCells& cells);

}  // namespace twiliowa::detail
