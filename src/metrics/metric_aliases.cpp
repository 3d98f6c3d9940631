#include "metrics/metric_aliases.hpp"

#include <algorithm>
#include <cstdint>
#include <functional>
#include <iterator>
#include <utility>

#include <twiliowa/types/error.hpp>

#include "metrics/metric_text.hpp"

namespace twiliowa::detail {

namespace {

[[noreturn]] void refuse_alias(const MetricAlias& alias, const std::string& problem) {
    Error::invalid_request(alias.name.empty() ? "aliases" : alias.name, problem).raise();
}

const EventMetric& find_metric(const MetricAlias& alias, std::span<EventMetric* const> metrics) {
    const auto found = std::find_if(metrics.begin(), metrics.end(), [&](const EventMetric* metric) {
        return metric->name() == alias.of;
    });
    if (found == metrics.end()) {
        refuse_alias(alias, "is an alias of what is no counter or histogram of the observer's");
    }
    return **found;
}

bool has_value(const EventMetric& metric, const MetricLabel& wanted) {
    return std::any_of(metric.dimensions().begin(), metric.dimensions().end(),
                       [&](const MetricDimension& dimension) {
                           return dimension.label == wanted.name &&
                                  std::find(dimension.values.begin(), dimension.values.end(),
                                            wanted.value) != dimension.values.end();
                       });
}

/// Whether the label may have that value.
bool fits(const std::string& label, const std::string& value,
          const std::vector<MetricLabel>& only) {
    bool is_named = false;
    for (const auto& wanted : only) {
        if (wanted.name != label) continue;
        if (wanted.value == value) return true;
        is_named = true;
    }
    return !is_named;
}

bool is_taken(const EventMetric& metric, std::size_t series, const MetricAlias& alias) {
    const auto places = metric.places_of(series);
    for (std::size_t i = 0; i < places.size(); ++i) {
        const auto& dimension = metric.dimensions()[i];
        const auto& value = dimension.values[places[i]];
        if (!fits(dimension.label, value, alias.only)) return false;
        for (const auto& unwanted : alias.except) {
            if (unwanted.name == dimension.label && unwanted.value == value) return false;
        }
    }
    return true;
}

std::vector<std::size_t> taken_series(const EventMetric& metric, const MetricAlias& alias) {
    for (const auto* labels : {&alias.only, &alias.except}) {
        for (const auto& label : *labels) {
            if (has_value(metric, label)) continue;
            refuse_alias(alias, alias.of + " has no series with that value of " + label.name);
        }
    }
    std::vector<std::size_t> taken;
    for (std::size_t series = 0; series < metric.series_count(); ++series) {
        if (is_taken(metric, series, alias)) taken.push_back(series);
    }
    return taken;
}

}  // namespace

MetricAliases::MetricAliases(const std::vector<MetricAlias>& aliases,
                             std::span<EventMetric* const> metrics) {
    for (const auto& alias : aliases) {
        if (!is_metric_name(alias.name)) refuse_alias(alias, "is no name of a metric");
        if (alias.name.starts_with("twiliowa_")) {
            refuse_alias(alias, "is a name of the library's");
        }
        add(alias, find_metric(alias, metrics));
    }
}

void MetricAliases::add(const MetricAlias& alias, const EventMetric& metric) {
    auto family = std::find_if(families_.begin(), families_.end(),
                               [&](const Family& each) { return each.name == alias.name; });
    if (family == families_.end()) {
        families_.push_back({alias.name, alias.help, &metric, {}});
        family = std::prev(families_.end());
    }
    if (family->first->bounds().data() != metric.bounds().data()) {
        refuse_alias(alias, "adds up metrics of two types, or with other bounds");
    }
    auto labels = metric_label_text(alias.name, alias.labels);
    auto series = std::find_if(family->series.begin(), family->series.end(),
                               [&](const Series& each) { return each.labels == labels; });
    if (series == family->series.end()) {
        family->series.push_back({std::move(labels), {}});
        series = std::prev(family->series.end());
    }
    series->parts.push_back({&metric, taken_series(metric, alias)});
}

bool MetricAliases::has(std::string_view name) const noexcept {
    return std::any_of(families_.begin(), families_.end(),
                       [&](const Family& family) { return family.name == name; });
}

MetricCells MetricAliases::Series::read() const {
    MetricCells sum;
    for (const auto& part : parts) {
        for (const auto each : part.series) {
            const auto cells = part.metric->read(each);
            sum.resize(cells.size());
            std::transform(cells.begin(), cells.end(), sum.begin(), sum.begin(),
                           std::plus<std::uint64_t>{});
        }
    }
    return sum;
}

void MetricAliases::append_to(std::string& out) const {
    for (const auto& family : families_) {
        append_metric_head(out, family.name, family.help, family.first->type());
        for (const auto& series : family.series) {
            append_metric_series(out, family.name, series.labels, family.first->bounds(),
                                 series.read());
        }
    }
}

}  // namespace twiliowa::detail
