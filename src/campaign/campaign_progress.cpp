#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include <twiliowa/campaign/campaign.hpp>
#include <twiliowa/campaign/campaigns.hpp>
#include <twiliowa/metrics_observer.hpp>

#include "campaign/campaign_desk.hpp"
#include "outbox/outbox_core.hpp"
#include "text/dates.hpp"
#include "text/percent.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr std::chrono::minutes measured_over{5};
constexpr std::size_t counts_at_once = 500;

bool was_sent(JobState state) {
    return state == JobState::accepted || state == JobState::delivered ||
           state == JobState::undelivered;
}

void add_count(CampaignProgress& progress, const CampaignCount& count) {
    if (count.step != 0) {
        progress.further += count.jobs;
        return;
    }
    progress.recipients += count.jobs;
    progress.by_state[count.state] += count.jobs;
    if (count.state == JobState::dead) progress.by_reason[count.reason] += count.jobs;
    if (count.state < JobState::unknown) progress.waiting += count.jobs;
    if (count.state == JobState::unknown || count.state == JobState::held) {
        progress.in_doubt += count.jobs;
    }
    if (was_sent(count.state)) progress.sent += count.jobs;
    const auto variant = static_cast<std::size_t>(count.variant);
    if (variant >= progress.variants.size()) return;
    auto& its = progress.variants[variant];
    its.recipients += count.jobs;
    if (was_sent(count.state)) its.sent += count.jobs;
    if (count.state == JobState::delivered) its.delivered += count.jobs;
}

/// What was sent in the last minutes, and how long that took.
Result<void> measure_rate(OutboxTransaction& transaction, CampaignProgress& progress) {
    const auto now = progress.now;
    const auto minute = std::chrono::floor<std::chrono::minutes>(now);
    const auto from = minute - measured_over;
    const auto counts = transaction.quota_history(std::string{campaign_counts_name} + progress.id,
                                                  60, from, minute + std::chrono::minutes{1});
    if (!counts) return counts.error();
    std::int64_t sent = 0;
    std::optional<TimePoint> first;
    for (const auto& count : *counts) {
        sent += count.used;
        if (!first && count.used > 0) first = count.begin;
    }
    if (!first) return {};
    const auto took = std::max(now - *first, TimePoint::duration{std::chrono::seconds{10}});
    progress.rate_per_minute =
        static_cast<double>(sent) * 60.0 /
        std::chrono::duration_cast<std::chrono::duration<double>>(took).count();
    if (took >= std::chrono::minutes{1}) progress.left_is = Certainty::measured;
    return {};
}

void reckon_time_left(CampaignProgress& progress, const CampaignRate& rate) {
    auto each_minute = progress.rate_per_minute;
    if (progress.left_is != Certainty::measured) {
        each_minute = rate.messages * 60.0 / static_cast<double>(rate.per.count());
        progress.left_is = rate.messages > 0 ? Certainty::guessed : Certainty::none;
    }
    if (progress.phase != CampaignPhase::running || each_minute <= 0) {
        progress.left_is = Certainty::none;
        return;
    }
    progress.left = std::chrono::seconds{static_cast<std::int64_t>(
        std::ceil(static_cast<double>(progress.waiting) * 60.0 / each_minute))};
}

CampaignPhase phase_of(CampaignState state, std::span<const CampaignCount> counts) {
    switch (state) {
        case CampaignState::draft:
            return CampaignPhase::draft;
        case CampaignState::scheduled:
            return CampaignPhase::scheduled;
        case CampaignState::paused:
            return CampaignPhase::paused;
        case CampaignState::cancelled:
            return CampaignPhase::cancelled;
        case CampaignState::running:
            break;
    }
    return is_campaign_over(counts) ? CampaignPhase::finished : CampaignPhase::running;
}

// ---- For a terminal

/// `10,000`
std::string grouped(std::int64_t number) {
    auto text = std::to_string(number);
    for (auto at = static_cast<std::ptrdiff_t>(text.size()) - 3; at > (number < 0 ? 1 : 0);
         at -= 3) {
        text.insert(static_cast<std::size_t>(at), 1, ',');
    }
    return text;
}

/// `1 h 44 min`, `12 min`, `40 s`
std::string lasting(std::chrono::seconds time) {
    const auto seconds = time.count();
    if (seconds < 90) return std::to_string(seconds) + " s";
    const auto minutes = (seconds + 30) / 60;
    if (minutes < 60) return std::to_string(minutes) + " min";
    if (minutes / 60 < 48) {
        return std::to_string(minutes / 60) + " h " + std::to_string(minutes % 60) + " min";
    }
    return std::to_string((minutes / 60 + 12) / 24) + " days";
}

// ---- As JSON

std::string dumped(const nlohmann::ordered_json& json) {
    return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

/// Without the words that every problem begins with.
std::string_view problem_alone(std::string_view problem) {
    constexpr std::string_view beginning = "invalid request: ";
    if (problem.starts_with(beginning)) problem.remove_prefix(beginning.size());
    return problem;
}

}  // namespace

Result<CampaignProgress> read_progress(OutboxTransaction& transaction,
                                       const StoredCampaign& campaign) {
    CampaignProgress progress;
    progress.id = campaign.id;
    progress.tenant = campaign.tenant;
    progress.problem = campaign.problem;
    progress.created_at = campaign.created_at;
    progress.updated_at = campaign.updated_at;
    progress.now = transaction.now();
    const auto plan = CampaignPlan::of(campaign.definition);
    if (!plan) return plan.error();
    const auto& definition = (*plan)->definition;
    for (const auto& variant : definition.variants) {
        progress.variants.push_back({.name = variant.name});
    }
    progress.budget = definition.budget;
    progress.has_quiet_hours = definition.quiet_hours.has_value();
    const auto counts = transaction.campaign_counts(campaign.id);
    if (!counts) return counts.error();
    std::int64_t spend = 0;
    for (const auto& count : *counts) {
        add_count(progress, count);
        spend += count.spend;
    }
    if (spend != 0) {
        const auto currency = transaction.fact(campaign_currency_fact(campaign.id));
        if (!currency) return currency.error();
        const std::string_view named =
            definition.budget ? definition.budget->currency() : std::string_view{*currency};
        if (const auto sum = Money::from_micros(spend, named)) progress.spend = *sum;
    }
    progress.phase = phase_of(campaign.state, *counts);
    if (auto measured = measure_rate(transaction, progress); !measured) return measured.error();
    reckon_time_left(progress, definition.rate);
    return progress;
}

}  // namespace detail

std::string_view to_string(Hindrance hindrance) noexcept {
    switch (hindrance) {
        case Hindrance::none:
            return "none";
        case Hindrance::quiet:
            return "quiet";
        case Hindrance::opted_out:
            return "opted_out";
        case Hindrance::no_consent:
            return "no_consent";
        case Hindrance::refused:
            return "refused";
    }
    return "?";
}

std::string_view to_string(Certainty certainty) noexcept {
    switch (certainty) {
        case Certainty::none:
            return "none";
        case Certainty::guessed:
            return "guessed";
        case Certainty::measured:
            return "measured";
    }
    return "?";
}

std::string_view to_string(CampaignPhase phase) noexcept {
    switch (phase) {
        case CampaignPhase::draft:
            return "draft";
        case CampaignPhase::scheduled:
            return "scheduled";
        case CampaignPhase::running:
            return "running";
        case CampaignPhase::paused:
            return "paused";
        case CampaignPhase::cancelled:
            return "cancelled";
        case CampaignPhase::finished:
            return "finished";
    }
    return "?";
}

std::string CampaignProgress::line() const {
    std::string text = id;
    text.append("  ").append(to_string(phase));
    if (!problem.empty()) text.append(" (").append(problem).append(")");
    text.append("  ").append(detail::grouped(sent)).append(" of ");
    text.append(detail::grouped(recipients)).append(" sent");
    if (recipients > 0) {
        text.append(" (").append(std::to_string(sent * 100 / recipients)).append(" %)");
    }
    const auto more = [&](std::int64_t count, std::string_view what) {
        if (count != 0) text.append(", ").append(detail::grouped(count)).append(" ").append(what);
    };
    more(of(JobState::delivered), "delivered");
    more(of(JobState::undelivered), "undelivered");
    for (const auto& [reason, count] : by_reason) more(count, to_string(reason));
    more(of(JobState::cancelled), "cancelled");
    more(of(JobState::held), "held");
    more(of(JobState::unknown), "unknown");
    if (phase == CampaignPhase::running) {
        more(static_cast<std::int64_t>(std::llround(rate_per_minute)), "a minute");
        if (left) {
            text.append(", ").append(left_is == Certainty::guessed ? "about " : "");
            text.append(detail::lasting(*left)).append(" left");
            if (has_quiet_hours) text.append(" without quiet hours");
        }
    }
    if (spend.micros() != 0) {
        text.append(", ").append(spend.decimal());
        if (budget) text.append(" of ").append(budget->decimal());
        text.append(" ").append(spend.currency());
    }
    return text;
}

std::string AddedRecipients::to_json() const {
    auto lines = nlohmann::ordered_json::array();
    for (const auto& fault : faults) {
        lines.push_back({{"line", fault.line}, {"problem", detail::problem_alone(fault.problem)}});
    }
    return detail::dumped({{"rows", rows},
                           {"added", added},
                           {"known", known},
                           {"refused", refused},
                           {"faulty", faulty},
                           {"consents", consents},
                           {"faults", std::move(lines)}});
}

std::string CampaignCheck::to_json() const {
    nlohmann::ordered_json json{{"recipients", recipients},
                                {"by_hindrance", nlohmann::ordered_json::object()},
                                {"problems", nlohmann::ordered_json::object()},
                                {"cost", cost ? cost->decimal() : ""},
                                {"currency", cost ? std::string{cost->currency()} : ""},
                                {"within_budget", within_budget}};
    for (const auto hindrance : {Hindrance::none, Hindrance::quiet, Hindrance::opted_out,
                                 Hindrance::no_consent, Hindrance::refused}) {
        json["by_hindrance"][std::string{to_string(hindrance)}] = of(hindrance);
    }
    for (const auto& [problem, count] : problems) {
        json["problems"][std::string{detail::problem_alone(problem)}] = count;
    }
    return detail::dumped(json);
}

std::string CampaignProgress::to_json() const {
    nlohmann::ordered_json json{
        {"id", id},           {"tenant", tenant},         {"phase", to_string(phase)},
        {"problem", problem}, {"recipients", recipients}, {"waiting", waiting},
        {"sent", sent},       {"in_doubt", in_doubt},     {"further", further}};
    json["by_state"] = nlohmann::ordered_json::object();
    for (const auto& [state, count] : by_state)
        json["by_state"][std::string{to_string(state)}] = count;
    json["by_reason"] = nlohmann::ordered_json::object();
    for (const auto& [reason, count] : by_reason) {
        json["by_reason"][std::string{to_string(reason)}] = count;
    }
    json["variants"] = nlohmann::ordered_json::array();
    for (const auto& variant : variants) {
        json["variants"].push_back({{"name", variant.name},
                                    {"recipients", variant.recipients},
                                    {"sent", variant.sent},
                                    {"delivered", variant.delivered}});
    }
    json["spend"] = spend.decimal();
    json["currency"] = spend.currency();
    json["budget"] = nullptr;
    if (budget) json["budget"] = budget->decimal();
    json["rate_per_minute"] = std::round(rate_per_minute * 10) / 10;
    json["left_seconds"] = nullptr;
    if (left) json["left_seconds"] = left->count();
    json["left_is"] = to_string(left_is);
    json["has_quiet_hours"] = has_quiet_hours;
    json["created_at"] = detail::format_iso8601_utc(created_at);
    json["updated_at"] = detail::format_iso8601_utc(updated_at);
    json["now"] = detail::format_iso8601_utc(now);
    return detail::dumped(json);
}

void add_samples(MetricSamples& samples, Campaigns& campaigns) {
    std::map<CampaignPhase, int> phases;
    std::map<JobState, std::int64_t> recipients;
    for (const auto& campaign : campaigns.list()) {
        ++phases[campaign.phase];
        if (campaign.phase != CampaignPhase::running) continue;
        for (const auto& [state, count] : campaign.by_state) recipients[state] += count;
    }
    for (const auto phase :
         {CampaignPhase::scheduled, CampaignPhase::running, CampaignPhase::paused}) {
        samples.gauge("twiliowa_campaigns", "Campaigns, by state.", phases[phase],
                      {{"state", std::string{to_string(phase)}}});
    }
    for (const auto& [state, count] : recipients) {
        samples.gauge("twiliowa_campaign_recipients",
                      "Recipients of campaigns that run, by state of their job.",
                      static_cast<double>(count), {{"state", std::string{to_string(state)}}});
    }
}

Result<std::vector<SpendRow>> spend_by_day(Outbox& outbox, TimePoint from, TimePoint to) {
    constexpr std::int64_t day = 86'400;
    const auto core = detail::OutboxParts::of(outbox).core;
    std::vector<SpendRow> rows;
    std::string after;
    while (true) {
        std::vector<NamedQuotaCount> counts;
        const auto read = core->transact([&](OutboxTransaction& transaction) -> Result<void> {
            auto page = transaction.quota_histories(detail::spend_counts, day, from, to, after,
                                                    detail::counts_at_once);
            if (!page) return page.error();
            counts = std::move(*page);
            return {};
        });
        if (!read) return read.error();
        if (counts.empty()) return rows;
        for (const auto& [name, count] : counts) {
            if (count.used == 0) continue;
            std::array<std::string, 5> parts;
            std::string_view rest = std::string_view{name}.substr(detail::spend_counts.size());
            for (auto& part : parts) {
                const auto end = rest.find('/');
                part = detail::percent_decode(rest.substr(0, end), false);
                rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
            }
            const auto spend = Money::from_micros(count.used, parts[0]);
            if (!spend) return spend.error();
            rows.push_back({count.begin, parts[1], parts[2], parts[3], parts[4], *spend});
        }
        after = counts.back().quota;
    }
}

void add_spend_samples(MetricSamples& samples, Outbox& outbox) {
    const auto now = detail::OutboxParts::of(outbox).core->now();
    const auto today = std::chrono::floor<std::chrono::days>(now);
    std::map<std::string, std::int64_t, std::less<>> micros;
    for (const auto& row : spend_by_day(outbox, today, now + std::chrono::seconds{1}).value()) {
        micros[std::string{row.spend.currency()}] += row.spend.micros();
    }
    for (const auto& [currency, spent] : micros) {
        samples.gauge("twiliowa_spend_today", "What messages sent today have cost.",
                      static_cast<double>(spent) / 1e6, {{"currency", currency}});
    }
}

}  // namespace twiliowa
