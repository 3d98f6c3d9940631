#include <twiliowa/campaign/sending_rules.hpp>

#include <algorithm>
#include <charconv>
#include <map>
#include <mutex>
#include <tuple>
#include <utility>

#include <twiliowa/types/error_advice.hpp>
#include <twiliowa/types/phone_number.hpp>

#include "campaign/campaign_plan.hpp"
#include "outbox/job_intake.hpp"
#include "outbox/outbox_core.hpp"
#include "state/entries.hpp"
#include "state/quota_windows.hpp"
#include "text/ascii.hpp"
#include "text/percent.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr std::chrono::minutes health_holds{5};
constexpr std::chrono::minutes verdicts_hold{1};  // At most.
/// From best to worst.
constexpr std::string_view quality_ratings[] = {"HIGH", "MEDIUM", "LOW"};
/// A campaign is paused when it has used up so much of its sender's messaging limit.
constexpr std::int64_t near_limit_percent = 95;

constexpr std::string_view budget_of_all = "budget/all";

std::string tenant_budget_name(std::string_view tenant) {
    return std::string{"budget/tenant/"}.append(tenant);
}

QuotaWindow budget_window(const Budget& budget) {
    const auto limit = QuotaAmount::thousandths(budget.limit.micros());
    switch (budget.period) {
        case Budget::Period::day:
            return {std::chrono::seconds{86'400}, limit, true};
        case Budget::Period::month:
            return {std::chrono::seconds{0}, limit, true};
        case Budget::Period::in_all:
            return {quota_without_end, limit, true};
    }
    return {quota_without_end, limit, true};
}

/// `10K Customers/24hr`: how many in a day; 0: it does not say.
std::int64_t customers_a_day(std::string_view limit) {
    std::int64_t number = 0;
    const auto read = std::from_chars(limit.data(), limit.data() + limit.size(), number);
    if (read.ec != std::errc{}) return 0;
    const char unit = read.ptr == limit.data() + limit.size() ? ' ' : *read.ptr;
    if (unit == 'K' || unit == 'k') return number * 1'000;
    return unit == ' ' ? number : 0;
}

/// Of `quality_ratings`; nullptr: it is none of them.
const std::string_view* quality_rating(std::string_view rating) {
    const auto* const found =
        std::find_if(std::begin(quality_ratings), std::end(quality_ratings),
                     [&](std::string_view each) { return equals_ignoring_case(each, rating); });
    return found == std::end(quality_ratings) ? nullptr : found;
}

/// Notes how the sender is rated, and says why the campaign must wait for a person; empty: it need
/// not.
std::string note_quality(StoredCampaign& campaign, std::string_view rating, TimePoint asked_at) {
    const auto* const now = quality_rating(rating);
    if (now == nullptr) return {};
    auto course = CampaignCourse::read(campaign.course);
    const auto* const before = quality_rating(course.quality);
    // That it has risen may be older than the fall which another worker has seen.
    const bool is_old = before != nullptr && now < before && asked_at < campaign.updated_at;
    if (now != before && !is_old) {
        course.quality = *now;
        campaign.course = course.text();
    }
    const bool has_fallen = before != nullptr && now > before;
    if (!has_fallen && now != std::end(quality_ratings) - 1) return {};
    std::string problem = "Meta rates the quality of its sender as ";
    for (const char letter : *now) problem += ascii_lower(letter);
    if (has_fallen) {
        problem += "; it was ";
        for (const char letter : *before) problem += ascii_lower(letter);
    }
    return problem;
}

bool is_word(const TemplateCategory& category, std::string_view word) {
    return equals_ignoring_case(category.str(), word);
}

JobVerdict dead_verdict(DeadReason reason, std::string problem, int error_code = 0) {
    JobVerdict verdict;
    verdict.kind = JobVerdict::Kind::never;
    verdict.reason = reason;
    verdict.problem = std::move(problem);
    verdict.error_code = error_code;
    return verdict;
}

JobVerdict waiting_verdict(TimePoint until, std::string problem) {
    JobVerdict verdict;
    verdict.kind = JobVerdict::Kind::wait;
    verdict.until = until;
    verdict.problem = std::move(problem);
    return verdict;
}

/// A failure that tells nothing of the campaign: its recipient does not want it.
bool is_of_recipient(DeadReason reason) noexcept {
    return reason == DeadReason::opted_out || reason == DeadReason::no_consent ||
           reason == DeadReason::quiet || reason == DeadReason::expired;
}

constexpr int template_paused = 63041;
constexpr int template_disabled = 63042;

}  // namespace

/// What is found out about a job on the way to its verdict.
struct JudgedJob {
    const GatedJob* asked = nullptr;
    std::shared_ptr<const CampaignPlan> plan = {};
    Address to = {};
    Sender sender = {};
    TemplateCategory category = {};
    std::string purpose = {};
    std::optional<JobVerdict> verdict = {};
};

namespace {

/// How long all that wait take at their campaign's rate; 0: it has none.
std::chrono::milliseconds time_of_all(const JudgedJob& job) {
    constexpr double most_seconds = 1e6;
    if (!job.plan || job.plan->definition.rate.messages <= 0) return {};
    const auto& rate = job.plan->definition.rate;
    const double seconds = static_cast<double>(job.asked->waiting) *
                           static_cast<double>(rate.per.count()) /
                           static_cast<double>(rate.messages);
    return std::chrono::milliseconds{
        static_cast<std::int64_t>(std::min(seconds, most_seconds) * 1e3)};
}

}  // namespace
}  // namespace detail

struct SendingRules::State {
    struct Health {
        std::optional<ChannelSender> sender = {};
        TimePoint asked_at = {};
    };

    explicit State(SendingRulesOptions chosen) : options(std::move(chosen)) {
        if (options.quiet_hours) quiet.emplace(*options.quiet_hours);
    }

    std::shared_ptr<const detail::CampaignPlan> plan_of(const StoredCampaign& campaign) const;
    Result<ContentApproval> approval_of(const OutboundMessage& message) const;
    std::optional<Health> known_health(const std::string& account, const std::string& sender,
                                       TimePoint now) const;
    std::vector<Budget> budgets_of(std::string_view tenant) const {
        return options.budget_of_tenant ? options.budget_of_tenant(tenant) : std::vector<Budget>{};
    }
    Result<std::vector<BudgetState>> standing_of(Outbox& outbox, std::string_view name,
                                                 const std::vector<Budget>& budgets) const;
    void ask_health(const StoredJob& job, TimePoint now) const;

    Result<void> judge_refusals(detail::JudgedJob& job, TimePoint now) const;
    Result<void> judge_consents(std::vector<detail::JudgedJob>& jobs) const;
    Result<void> judge_hours(detail::JudgedJob& job, TimePoint now) const;
    void judge_price(detail::JudgedJob& job) const;
    void charge(JobVerdict& verdict, std::string name, const std::vector<Budget>& budgets,
                const Money& price) const;

    const SendingRulesOptions options;
    std::optional<QuietHours> quiet = {};
    mutable std::mutex mutex = {};
    /// By id: what was read last, and what it was read from.
    mutable std::map<std::string,
                     std::pair<std::string, std::shared_ptr<const detail::CampaignPlan>>>
        plans = {};
    mutable std::map<std::pair<std::string, std::string>, Health> healths = {};
};

SendingRules::SendingRules(SendingRulesOptions options) {
    for (const auto& budget : options.budget) {
        if (budget.limit.micros() <= 0) {
            Error::invalid_request("budget", "is not positive").raise();
        }
    }
    if ((!options.budget.empty() || options.budget_of_tenant) && options.prices.empty()) {
        Error::invalid_request("prices", "are missing, and there is a budget",
                               "give SendingRulesOptions::prices")
            .raise();
    }
    if (options.prices.currencies().size() > 1) {
        Error::invalid_request("prices", "are in more than one currency",
                               "a sum of them would say nothing: give them in one")
            .raise();
    }
    for (const auto percent : options.warn_at) {
        if (percent < 1 || percent > 100) {
            Error::invalid_request("warn_at", "is not between 1 and 100").raise();
        }
    }
    if (options.marketing_needs_consent && !options.consents) {
        Error::invalid_request("consents", "are missing, and marketing needs them").raise();
    }
    state_ = std::make_unique<State>(std::move(options));
}

SendingRules::~SendingRules() = default;

const SendingRulesOptions& SendingRules::options() const noexcept {
    return state_->options;
}

bool SendingRules::concerns(const ReadyGroup&) const {
    const auto& options = state_->options;
    return options.quiet_hours || options.marketing_needs_consent || !options.prices.empty();
}

// ---- What is known

std::shared_ptr<const detail::CampaignPlan> SendingRules::State::plan_of(
    const StoredCampaign& campaign) const {
    const std::lock_guard lock(mutex);
    auto& known = plans[campaign.id];
    if (!known.second || known.first != campaign.definition) {
        auto read = detail::CampaignPlan::of(campaign.definition);
        known = {campaign.definition, read ? *read : nullptr};
    }
    return known.second;
}

/// What WhatsApp has said of a message's template; empty where nobody knows.
Result<ContentApproval> SendingRules::State::approval_of(const OutboundMessage& message) const {
    if (message.content_sid.empty() || !options.templates) return ContentApproval{};
    const auto known = options.templates->try_get(message.content_sid);
    if (!known) return known.error();
    return known->approval.value_or(ContentApproval{});
}

/// What is so old that it is asked for anew before anything is sent is not known any more.
std::optional<SendingRules::State::Health> SendingRules::State::known_health(
    const std::string& account, const std::string& sender, TimePoint now) const {
    const std::lock_guard lock(mutex);
    const auto known = healths.find({account, sender});
    if (known == healths.end() || !known->second.sender) return std::nullopt;
    const bool is_old = now - known->second.asked_at > detail::health_holds + detail::verdicts_hold;
    return is_old ? std::nullopt : std::optional{known->second};
}

void SendingRules::State::ask_health(const StoredJob& job, TimePoint now) const {
    if (!options.sender_health || job.campaign.empty()) return;
    const std::pair place{job.account, job.sender};
    {
        const std::lock_guard lock(mutex);
        auto& known = healths[place];
        if (known.asked_at != TimePoint{} && now >= known.asked_at &&
            now - known.asked_at < detail::health_holds) {
            return;
        }
        known.asked_at = now;
    }
    auto sender = options.sender_health(job.account, job.sender);
    const std::lock_guard lock(mutex);
    // Who cannot be asked is as they were.
    if (sender) healths[place].sender = std::move(*sender);
}

// ---- Judging

Result<std::vector<JobVerdict>> SendingRules::judge(std::span<const GatedJob> jobs,
                                                    TimePoint now) const {
    std::vector<detail::JudgedJob> all;
    all.reserve(jobs.size());
    for (const auto& asked : jobs) {
        // Most are of the sender of the one before.
        const bool is_known = !all.empty() && all.back().asked->job->sender == asked.job->sender;
        auto sender = is_known ? all.back().sender : detail::sender_from_wire(asked.job->sender);
        auto& job = all.emplace_back();
        job.asked = &asked;
        job.sender = std::move(sender);
        state_->ask_health(*asked.job, now);
        if (auto judged = state_->judge_refusals(job, now); !judged) return judged.error();
    }
    if (auto judged = state_->judge_consents(all); !judged) return judged.error();
    for (auto& job : all) {
        if (auto judged = state_->judge_hours(job, now); !judged) return judged.error();
        if (!job.verdict) job.verdict.emplace();
        const auto kind = job.verdict->kind;
        if (kind == JobVerdict::Kind::go || kind == JobVerdict::Kind::wait)
            state_->judge_price(job);
        // A consent may be withdrawn until it leaves.
        job.verdict->condition = job.purpose;
    }
    std::vector<JobVerdict> verdicts;
    verdicts.reserve(all.size());
    for (auto& job : all) verdicts.push_back(std::move(*job.verdict));
    return verdicts;
}

Result<std::vector<bool>> SendingRules::may_leave(std::span<const LeavingJob> jobs) const {
    std::vector<bool> all(jobs.size(), false);
    std::map<std::pair<std::string_view, std::string_view>, std::vector<std::size_t>> groups;
    for (std::size_t i = 0; i < jobs.size(); ++i) {
        groups[{jobs[i].job->sender, jobs[i].condition}].push_back(i);
    }
    for (const auto& [place, group] : groups) {
        std::vector<Address> recipients;
        recipients.reserve(group.size());
        for (const auto i : group) {
            auto to = Address::parse(jobs[i].message->to);
            if (!to) return to.error();
            recipients.push_back(std::move(*to));
        }
        const auto agreed = state_->options.consents->has_each(
            detail::sender_from_wire(place.first), recipients, place.second);
        if (!agreed) return agreed.error();
        for (std::size_t i = 0; i < group.size(); ++i) all[group[i]] = (*agreed)[i];
    }
    return all;
}

/// Address, template, opt-outs, window.
Result<void> SendingRules::State::judge_refusals(detail::JudgedJob& job, TimePoint now) const {
    using detail::dead_verdict;
    const auto& asked = *job.asked;
    const auto& message = *asked.message;
    if (asked.campaign != nullptr) {
        job.plan = plan_of(*asked.campaign);
        if (!job.plan) {
            job.verdict.emplace();
            job.verdict->kind = JobVerdict::Kind::pause;
            job.verdict->problem = "its definition cannot be read by this version";
            return {};
        }
    }
    const auto to = Address::parse(message.to);
    if (!to) {
        job.verdict = dead_verdict(DeadReason::refused, to.error().what(), to.error().code());
        return {};
    }
    job.to = *to;
    const auto approval = approval_of(message);
    if (!approval) {
        const auto& error = approval.error();
        if (error.kind() != ErrorKind::not_found) return error;
        job.verdict =
            dead_verdict(DeadReason::refused, "there is no such content template", error.code());
        return {};
    }
    if (approval->status == ApprovalStatus::paused ||
        approval->status == ApprovalStatus::disabled) {
        job.verdict.emplace();
        job.verdict->kind = JobVerdict::Kind::pause;
        job.verdict->problem =
            "its template " + message.content_sid + " is " + approval->status.str();
        return {};
    }
    job.category = message.category.empty() ? approval->category : message.category;
    const bool is_marketing = detail::is_word(job.category, TemplateCategory::marketing);
    if (options.opt_outs) {
        const auto state = options.opt_outs->state(job.sender, job.to);
        if (!state) return state.error();
        if (state->everything || state->blocked || (is_marketing && state->marketing)) {
            job.verdict =
                dead_verdict(DeadReason::opted_out, "its recipient wants no such messages");
            return {};
        }
    }
    if (options.window && message.content_sid.empty() && message.fallback_content_sid.empty() &&
        job.to.channel() == Address::Channel::whatsapp) {
        const auto window = options.window->state(job.sender, job.to, now);
        if (!window) return window.error();
        if (window->known && !window->open) {
            job.verdict =
                dead_verdict(DeadReason::refused,
                             "the window of its recipient is closed: it takes a template", 63016);
            return {};
        }
    }
    if (job.plan) {
        job.purpose = detail::required_purpose(job.plan->definition);
        if (job.purpose.empty() && !job.plan->definition.require_consent && is_marketing) {
            job.purpose = consent_purpose::marketing;
        }
    } else if (options.marketing_needs_consent && is_marketing) {
        job.purpose = consent_purpose::marketing;
    }
    return {};
}

/// All of one sender and purpose together.
Result<void> SendingRules::State::judge_consents(std::vector<detail::JudgedJob>& jobs) const {
    std::map<std::pair<std::string, std::string>, std::vector<detail::JudgedJob*>> groups;
    for (auto& job : jobs) {
        if (job.verdict || job.purpose.empty()) continue;
        if (!options.consents) {
            job.verdict =
                detail::dead_verdict(DeadReason::no_consent,
                                     "nobody knows who has agreed: SendingRulesOptions::consents");
            continue;
        }
        groups[{job.sender.wire(), job.purpose}].push_back(&job);
    }
    for (const auto& [place, group] : groups) {
        std::vector<Address> recipients;
        recipients.reserve(group.size());
        for (const auto* const job : group) recipients.push_back(job->to);
        const auto agreed =
            options.consents->has_each(group.front()->sender, recipients, place.second);
        if (!agreed) return agreed.error();
        for (std::size_t i = 0; i < group.size(); ++i) {
            if ((*agreed)[i]) continue;
            group[i]->verdict = detail::dead_verdict(
                DeadReason::no_consent, "its recipient has not agreed to " + place.second);
        }
    }
    return {};
}

Result<void> SendingRules::State::judge_hours(detail::JudgedJob& job, TimePoint now) const {
    if (job.verdict) return {};
    const auto& stored = *job.asked->job;
    const auto& hours = job.plan && job.plan->quiet ? job.plan->quiet : quiet;
    job.verdict.emplace();
    if (!hours) return {};
    const auto allowed = hours->judge(
        {.address = job.to.text(), .zone = job.asked->time_zone, .lane = stored.lane}, now);
    if (!allowed) {
        const auto& error = allowed.error();
        if (error.kind() != ErrorKind::invalid_request || error.field() != "zone") return error;
        job.verdict = detail::dead_verdict(DeadReason::refused, error.what());
        return {};
    }
    if (allowed->now) {
        job.verdict->until = allowed->until;
        return {};
    }
    const auto from = hours->spread(stored.id.str(), *allowed, detail::time_of_all(job));
    if (!from || (stored.expires_at && *from >= *stored.expires_at)) {
        job.verdict = detail::dead_verdict(DeadReason::quiet,
                                           from ? "its time ends within its recipient's quiet hours"
                                                : "it is always night for its recipient");
        return {};
    }
    job.verdict =
        detail::waiting_verdict(*from, "it waits for the end of its recipient's quiet hours");
    return {};
}

/// What it is estimated to cost, and whose budgets that is taken from.
void SendingRules::State::judge_price(detail::JudgedJob& job) const {
    const auto& stored = *job.asked->job;
    const auto budget_of_campaign = job.plan ? job.plan->definition.budget : std::optional<Money>{};
    if (options.prices.empty()) {
        if (budget_of_campaign) {
            job.verdict = detail::dead_verdict(
                DeadReason::refused, "there are no prices, and its campaign has a budget");
        }
        return;
    }
    const auto of_tenant = budgets_of(stored.tenant);
    const auto price = options.prices.estimate(job.to, job.category);
    const bool limited = budget_of_campaign || !options.budget.empty() || !of_tenant.empty();
    if (!price) {
        // What nobody can reckon with goes where there is nothing to keep.
        if (limited) job.verdict = detail::dead_verdict(DeadReason::refused, price.error().what());
        return;
    }
    auto& verdict = *job.verdict;
    verdict.spend = price->micros();
    verdict.currency = price->currency();
    if (price->micros() == 0) return;
    if (budget_of_campaign) {
        charge(verdict, "budget/campaign/" + stored.campaign,
               {{*budget_of_campaign, Budget::Period::in_all}}, *price);
    }
    charge(verdict, detail::tenant_budget_name(stored.tenant), of_tenant, *price);
    charge(verdict, std::string{detail::budget_of_all}, options.budget, *price);
    if (verdict.kind == JobVerdict::Kind::never) return;
    const auto& message = *job.asked->message;
    const auto number = PhoneNumber::parse(job.to.phone_number());
    std::string name{detail::spend_counts};
    name += price->currency();
    const std::string_view parts[] = {
        stored.tenant, message.content_sid, number ? number->country() : std::string_view{},
        job.to.channel() == Address::Channel::sms ? "sms" : "whatsapp"};
    for (const auto part : parts) {
        name += '/';
        detail::append_percent_encoded(name, part);
    }
    verdict.charges.push_back({.budget = std::move(name), .micros = price->micros()});
}

void SendingRules::State::charge(JobVerdict& verdict, std::string name,
                                 const std::vector<Budget>& budgets, const Money& price) const {
    if (budgets.empty() || verdict.kind == JobVerdict::Kind::never) return;
    BudgetCharge charge{.budget = std::move(name),
                        .micros = price.micros(),
                        .warn_at = options.warn_at,
                        .observer = options.observer};
    for (const auto& budget : budgets) {
        if (budget.limit.currency() != price.currency()) {
            verdict = detail::dead_verdict(DeadReason::refused,
                                           "its price is in " + std::string{price.currency()} +
                                               ", and its budget in " +
                                               std::string{budget.limit.currency()});
            return;
        }
        charge.windows.push_back(detail::budget_window(budget));
    }
    verdict.charges.push_back(std::move(charge));
}

// ---- Budgets

Result<std::vector<BudgetState>> SendingRules::State::standing_of(
    Outbox& outbox, std::string_view name, const std::vector<Budget>& budgets) const {
    std::vector<BudgetState> states;
    if (budgets.empty()) return states;
    const auto core = detail::OutboxParts::of(outbox).core;
    const auto read = core->storage->transact([&](OutboxTransaction& transaction) -> Result<void> {
        states.clear();
        for (const auto& budget : budgets) {
            const auto slot = detail::quota_slot(detail::budget_window(budget), transaction.now());
            const auto counts = transaction.quota_history(name, slot.period, slot.begin, slot.end);
            if (!counts) return counts.error();
            const auto used = counts->empty() ? 0 : counts->front().used;
            const auto spent = Money::from_micros(used, budget.limit.currency());
            if (!spent) return spent.error();
            auto& state = states.emplace_back();
            state.budget = budget;
            state.spent = *spent;
            const auto levels =
                detail::quota_levels_reached(options.warn_at, budget.limit.micros(), 0, used);
            if (!levels.empty()) state.level = levels.back();
            if (budget.period != Budget::Period::in_all) state.renews_at = slot.end;
        }
        return {};
    });
    if (!read) return read.error();
    return states;
}

Result<std::vector<BudgetState>> SendingRules::budgets(Outbox& outbox) const {
    return state_->standing_of(outbox, detail::budget_of_all, state_->options.budget);
}

Result<std::vector<BudgetState>> SendingRules::budgets_of_tenant(Outbox& outbox,
                                                                 std::string_view tenant) const {
    return state_->standing_of(outbox, detail::tenant_budget_name(tenant),
                               state_->budgets_of(tenant));
}

// ---- Campaigns

CampaignStanding SendingRules::stand(StoredCampaign& campaign, TimePoint now) const {
    CampaignStanding standing;
    const auto plan = state_->plan_of(campaign);
    if (!plan) return standing;
    const auto& definition = plan->definition;
    if (campaign.state == CampaignState::scheduled) {
        if (definition.starts_at && now < *definition.starts_at) {
            standing.look_again = definition.starts_at;
            return standing;
        }
        standing.changed = true;
        campaign.problem.clear();
        if (definition.start_by && now > *definition.start_by) {
            campaign.state = CampaignState::paused;
            campaign.problem = "it could not start in time (start_by)";
            return standing;
        }
        campaign.state = CampaignState::running;
    }
    if (campaign.state != CampaignState::running) return standing;
    if (state_->options.sender_health) {
        const auto& message = definition.variants.front().message;
        const auto from =
            Sender::parse(message.from.empty() ? message.messaging_service_sid : message.from);
        const auto health = from ? state_->known_health(definition.account, from->wire(), now)
                                 : std::optional<State::Health>{};
        if (health) {
            const auto before = campaign.course;
            auto problem =
                detail::note_quality(campaign, health->sender->quality_rating, health->asked_at);
            standing.changed = standing.changed || campaign.course != before;
            if (!problem.empty()) {
                standing.changed = true;
                campaign.state = CampaignState::paused;
                campaign.problem = std::move(problem);
                return standing;
            }
            standing.most_a_day = detail::customers_a_day(health->sender->messaging_limit) *
                                  detail::near_limit_percent / 100;
        }
    }
    standing.may_go = true;
    if (definition.rate.messages > 0) {
        standing.rate =
            QuotaWindow{definition.rate.per, QuotaAmount::thousandths(definition.rate.messages)};
        standing.counts_waiting = plan->quiet || state_->quiet;
    }
    return standing;
}

bool SendingRules::note_failure(StoredCampaign& campaign, const StoredJob& job,
                                std::span<const CampaignCount> counts) const {
    const auto plan = state_->plan_of(campaign);
    if (!plan || (job.state == JobState::dead && detail::is_of_recipient(job.reason))) return false;
    const auto pause = [&](std::string problem) {
        campaign.state = CampaignState::paused;
        campaign.problem = std::move(problem);
        campaign.course = detail::CampaignCourse::read(campaign.course).begun_anew().text();
        return true;
    };
    const auto& guards = plan->definition.guards;
    std::int64_t in_doubt = 0;
    std::int64_t outcomes = 0;
    for (const auto& count : counts) {
        if (count.step != 0) continue;
        if (count.state == JobState::unknown || count.state == JobState::held) {
            in_doubt += count.jobs;
        }
        if (count.state >= JobState::held &&
            !(count.state == JobState::dead && detail::is_of_recipient(count.reason)) &&
            count.state != JobState::cancelled) {
            outcomes += count.jobs;
        }
    }
    if (guards.unknowns > 0 && in_doubt > guards.unknowns) {
        return pause(std::to_string(in_doubt) + " of its messages may have been sent or not");
    }
    if (job.state != JobState::undelivered && job.state != JobState::dead) return false;
    if (job.error_code == detail::template_paused || job.error_code == detail::template_disabled) {
        return pause(
            "its template was " +
            std::string{job.error_code == detail::template_paused ? "paused" : "disabled"} +
            " by Meta (" + std::to_string(job.error_code) + ")");
    }
    // Of first messages: one that follows has failed for whom the first failed already.
    if (guards.failures_percent == 0 || job.step != 0) return false;
    auto course = detail::CampaignCourse::read(campaign.course);
    if (outcomes - course.since > guards.out_of || outcomes < course.since) {
        course = course.begun_anew();
        course.since = outcomes - 1;
    }
    const std::string category{job.error_code == 0 ? to_string(job.reason)
                                                   : to_string(advise(job.error_code).category)};
    const auto failed = ++course.failures[category];
    campaign.course = course.text();
    if (failed * 100 <= std::int64_t{guards.failures_percent} * guards.out_of) return true;
    return pause(std::to_string(failed) + " of its last " +
                 std::to_string(std::max(outcomes - course.since, failed)) +
                 " messages failed for the same reason: " + category);
}

}  // namespace twiliowa
