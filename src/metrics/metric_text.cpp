#include "metrics/metric_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <system_error>
#include <utility>

#include <twiliowa/types/error.hpp>

#include "text/ascii.hpp"
#include "text/utf8.hpp"

namespace twiliowa::detail {

namespace {

constexpr double microseconds_of_a_second = 1e6;

bool is_name_of_metrics(std::string_view name) noexcept {
    const auto may_begin = [](char c) { return is_letter(c) || c == '_'; };
    return !name.empty() && may_begin(name.front()) &&
           std::all_of(name.begin(), name.end(),
                       [&](char c) { return may_begin(c) || is_digit(c); });
}

/// A line break, a quote or a NUL must not end what they stand in.
void append_escaped(std::string& out, std::string_view text, bool is_quoted) {
    for (const char c : replace_invalid_utf8(text)) {
        switch (c) {
            case '\\':
                out += "\\\\";
                break;
            case '\n':
                out += "\\n";
                break;
            case '\0':
                out += "\xEF\xBF\xBD";
                break;
            case '"':
                if (is_quoted) out += '\\';
                [[fallthrough]];
            default:
                out += c;
        }
    }
}

void append_metric_number(std::string& out, double value) {
    if (std::isnan(value)) {
        out += "NaN";
    } else if (std::isinf(value)) {
        out += value < 0 ? "-Inf" : "+Inf";
    } else {
        std::array<char, 32> digits{};
        const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
        out.append(digits.data(), end);
    }
}

/// As people write it, if it is not too long: 0.0005, and not 5e-04.
std::string bucket_bound_text(double bound) {
    std::array<char, 32> digits{};
    const auto fixed = std::to_chars(digits.data(), digits.data() + digits.size(), bound,
                                     std::chars_format::fixed);
    if (fixed.ec == std::errc{}) return {digits.data(), fixed.ptr};
    std::string text;
    append_metric_number(text, bound);
    return text;
}

void append_line_start(std::string& out, std::string_view name, std::string_view suffix,
                       std::string_view labels, std::string_view bound = {}) {
    out.append(name).append(suffix);
    if (!labels.empty() || !bound.empty()) {
        out.append("{").append(labels);
        if (!bound.empty()) {
            out.append(labels.empty() ? "le=\"" : ",le=\"").append(bound).append("\"");
        }
        out += '}';
    }
    out += ' ';
}

void append_whole_sample(std::string& out, std::string_view name, std::string_view suffix,
                         std::string_view labels, std::uint64_t value,
                         std::string_view bound = {}) {
    append_line_start(out, name, suffix, labels, bound);
    out.append(std::to_string(value)).append("\n");
}

std::string_view type_name_of(MetricType type) noexcept {
    switch (type) {
        case MetricType::counter:
            return "counter";
        case MetricType::gauge:
            return "gauge";
        case MetricType::histogram:
            return "histogram";
    }
    return "untyped";
}

}  // namespace

bool is_metric_name(std::string_view name) noexcept {
    return is_name_of_metrics(name);
}

bool is_metric_label_name(std::string_view name) noexcept {
    return is_name_of_metrics(name) && !name.starts_with("__") && name != "le";
}

std::string metric_label_text(std::string_view metric, std::vector<MetricLabel> labels) {
    std::sort(labels.begin(), labels.end(),
              [](const MetricLabel& a, const MetricLabel& b) { return a.name < b.name; });
    std::string text;
    std::string_view before;
    for (const auto& label : labels) {
        if (!is_metric_label_name(label.name)) {
            Error::invalid_request(metric, "has a label whose name is none").raise();
        }
        if (label.name == before) {
            Error::invalid_request(metric, "has the label " + label.name + " twice").raise();
        }
        before = label.name;
        if (!text.empty()) text += ',';
        text.append(label.name).append("=\"");
        append_escaped(text, label.value, true);
        text += '"';
    }
    return text;
}

void append_metric_head(std::string& out, std::string_view name, std::string_view help,
                        MetricType type) {
    out.append("# HELP ").append(name).append(" ");
    append_escaped(out, help, false);
    out.append("\n# TYPE ").append(name).append(" ").append(type_name_of(type)).append("\n");
}

void append_metric_sample(std::string& out, std::string_view name, std::string_view labels,
                          double value) {
    append_line_start(out, name, {}, labels);
    append_metric_number(out, value);
    out += '\n';
}

void append_metric_histogram(std::string& out, std::string_view name, std::string_view labels,
                             const MetricHistogram& histogram) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < histogram.counts.size(); ++i) {
        count += histogram.counts[i];
        append_whole_sample(
            out, name, "_bucket", labels, count,
            i < histogram.bounds.size() ? bucket_bound_text(histogram.bounds[i]) : "+Inf");
    }
    append_line_start(out, name, "_sum", labels);
    append_metric_number(out, histogram.sum);
    out += '\n';
    append_whole_sample(out, name, "_count", labels, count);
}

void append_metric_series(std::string& out, std::string_view name, std::string_view labels,
                          std::span<const MetricBound> bounds, const MetricCells& cells) {
    if (bounds.empty()) return append_whole_sample(out, name, {}, labels, cells.front());
    std::uint64_t count = 0;
    for (std::size_t i = 0; i <= bounds.size(); ++i) {
        count += cells[i];
        append_whole_sample(out, name, "_bucket", labels, count,
                            i < bounds.size() ? bounds[i].text : "+Inf");
    }
    append_line_start(out, name, "_sum", labels);
    append_metric_number(out, static_cast<double>(cells.back()) / microseconds_of_a_second);
    out += '\n';
    append_whole_sample(out, name, "_count", labels, count);
}

}  // namespace twiliowa::detail
