#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/campaign/campaigns.hpp>

#include "text/dates.hpp"
#include "text/masked.hpp"
#include "text/utf8.hpp"

namespace twiliowa {

namespace detail {
namespace {

using ReportRow = std::vector<std::pair<const char*, std::string>>;

/// What is shown of a recipient, by name.
ReportRow report_row(const CampaignReportRow& row, bool reveal) {
    const auto& job = row.job;
    const auto shown = [&](const std::string& address) {
        return reveal ? address : masked(address);
    };
    std::string to = job.message ? shown(job.message->to) : std::string{};
    std::string sent_at;
    for (const auto& attempt : job.attempts) {
        if (attempt.state == AttemptState::sent) sent_at = format_iso8601_utc(attempt.started_at);
    }
    const auto tag = reveal ? job.tag : with_numbers_masked(job.tag);
    std::string cost;
    if (job.spend != 0) {
        if (const auto money = Money::from_micros(job.spend, job.price_unit))
            cost = money->decimal();
    }
    return {{"key", job.key},
            {"to", std::move(to)},
            {"tag", tag},
            {"variant", row.variant},
            {"step", std::to_string(row.step)},
            {"state", std::string{to_string(job.state)}},
            {"reason",
             job.reason == DeadReason::none ? std::string{} : std::string{to_string(job.reason)}},
            {"status", job.status.str()},
            {"error_code", job.error_code == 0 ? std::string{} : std::to_string(job.error_code)},
            {"problem", job.problem},
            {"sid", job.sid.str()},
            {"sent_at", std::move(sent_at)},
            {"updated_at", format_iso8601_utc(job.updated_at)},
            {"cost", std::move(cost)},
            {"currency", job.spend != 0 ? job.price_unit : std::string{}},
            {"is_estimate", job.spend != 0 && job.price.empty() ? "yes" : ""}};
}

/// As RFC 4180 wants it. What a spreadsheet would take for a formula is made a text.
void write_csv_field(std::ostream& csv, const std::string& text) {
    const bool is_formula =
        !text.empty() && std::string_view{"=+-@\t\r"}.find(text.front()) != std::string_view::npos;
    const bool is_number = !text.empty() && text.front() == '+' &&
                           text.find_first_not_of("+0123456789*") == std::string::npos;
    const bool escapes = is_formula && !is_number;
    if (!escapes && text.find_first_of("\",\r\n") == std::string::npos) {
        csv << text;
        return;
    }
    csv << '"' << (escapes ? "'" : "");
    for (const char c : text) {
        if (c == '"') csv << '"';
        csv << c;
    }
    csv << '"';
}

Result<void> check_written(const std::ostream& out) {
    if (out.good()) return {};
    return Error::invalid_request("out", "cannot be written to");
}

}  // namespace
}  // namespace detail

Result<void> Campaigns::try_report_csv(std::string_view id, std::ostream& csv,
                                       const CampaignReportOptions& options) {
    bool first = true;
    const auto write_names = [&](const detail::ReportRow& row) {
        const char* between = "";
        for (const auto& each : row) {
            csv << between << each.first;
            between = ",";
        }
        csv << "\r\n";
        first = false;
    };
    auto told = try_report(id, [&](const CampaignReportRow& recipient) -> Result<void> {
        const auto row = detail::report_row(recipient, options.reveal);
        if (first) write_names(row);
        const char* between = "";
        for (const auto& each : row) {
            csv << between;
            between = ",";
            detail::write_csv_field(csv, each.second);
        }
        csv << "\r\n";
        return detail::check_written(csv);
    });
    if (!told) return told;
    // An empty campaign has columns, too.
    if (first) write_names(detail::report_row({}, false));
    return detail::check_written(csv);
}

Result<void> Campaigns::try_report_json(std::string_view id, std::ostream& lines,
                                        const CampaignReportOptions& options) {
    return try_report(id, [&](const CampaignReportRow& recipient) -> Result<void> {
        nlohmann::ordered_json json;
        for (const auto& [name, value] : detail::report_row(recipient, options.reveal)) {
            json[name] = value;
        }
        lines << json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace)
              << '\n';
        return detail::check_written(lines);
    });
}

}  // namespace twiliowa
