#include <twiliowa/campaign/campaigns.hpp>

#include <algorithm>
#include <utility>

#include "campaign/campaign_desk.hpp"
#include "campaign/campaign_plan.hpp"
#include "campaign/recipient_intake.hpp"
#include "outbox/chain_steps.hpp"
#include "outbox/job_pages.hpp"
#include "text/utf8.hpp"

namespace twiliowa {

namespace detail {
namespace {

/// Stands for any recipient while a message is checked.
constexpr const char* any_recipient = "+447700900123";
constexpr std::size_t jobs_at_once = 200;
constexpr std::size_t judged_at_once = 500;

Error in_state(std::string_view verb, CampaignState state) {
    return Error::invalid_request(
        "phase", "cannot be " + std::string{verb} + ": it is " + std::string{to_string(state)});
}

}  // namespace

Result<StoredCampaign> CampaignDesk::load(OutboxTransaction& transaction,
                                          std::string_view id) const {
    const std::string name{id};
    auto campaigns = transaction.campaigns(std::span{&name, 1});
    if (!campaigns) return campaigns.error();
    if (campaigns->empty()) {
        return Error::invalid_request("campaign", "is none of this outbox", "create it first");
    }
    return std::move(campaigns->front());
}

Result<std::shared_ptr<const CampaignPlan>> CampaignDesk::plan_of(std::string_view id) const {
    std::string definition;
    const auto done = parts.core->transact([&](OutboxTransaction& transaction) -> Result<void> {
        auto campaign = load(transaction, id);
        if (!campaign) return campaign.error();
        definition = std::move(campaign->definition);
        return {};
    });
    if (!done) return done.error();
    return CampaignPlan::of(definition);
}

}  // namespace detail

struct Campaigns::Impl {
    Impl(Outbox& its_outbox, std::shared_ptr<const SendingRules> its_rules)
        : desk{detail::OutboxParts::of(its_outbox), std::move(its_rules)},
          intake(desk.parts.core) {}

    Result<void> transact(const OutboxStorage::Work& work) const {
        return desk.parts.core->transact(work);
    }

    /// `change` says whether the campaign is to be saved, or why it cannot be.
    template <class Change>
    Result<bool> change(std::string_view id, Change change) {
        bool changed = false;
        const auto done = transact([&](OutboxTransaction& transaction) -> Result<void> {
            changed = false;
            auto campaign = desk.load(transaction, id);
            if (!campaign) return campaign.error();
            const auto before = campaign->state;
            const auto wanted = change(*campaign, transaction.now());
            if (!wanted) return wanted.error();
            changed = *wanted;
            if (!changed) return {};
            if (auto* const news = detail::OutboxNews::of(transaction)) {
                news->campaign_changed(before, *campaign);
            }
            campaign->updated_at = transaction.now();
            return transaction.save_campaign(*campaign);
        });
        if (!done) return done.error();
        if (changed) desk.parts.wake();
        return changed;
    }

    Result<CampaignDefinition> with_senders(CampaignDefinition definition) const;
    /// In all.
    Result<std::int64_t> spent(std::string_view id) const;
    using JobEvent = std::function<Result<bool>(OutboxTransaction&, StoredJob&)>;
    Result<std::int64_t> apply_to_jobs(std::string_view id, JobState state,
                                       const std::function<bool(const StoredJob&)>& concerns,
                                       const JobEvent& event) const;
    Result<void> judge_page(const std::vector<StoredJob>& jobs, const StoredCampaign& campaign,
                            TimePoint now, CampaignCheck& check) const;

    const detail::CampaignDesk desk;
    const detail::JobIntake intake;
};

Campaigns::Campaigns(Outbox& outbox, std::shared_ptr<const SendingRules> rules)
    : impl_(std::make_unique<Impl>(outbox, std::move(rules))) {}
Campaigns::~Campaigns() = default;

// ---- Making one

/// What each message is sent as is written down: it stays as it is when the program's defaults
/// change.
Result<CampaignDefinition> Campaigns::Impl::with_senders(CampaignDefinition definition) const {
    for (std::size_t i = 0; i < definition.variants.size(); ++i) {
        auto& message = definition.variants[i].message;
        auto whole = message;
        whole.to = detail::recipient_as(message, Address::parse(detail::any_recipient).value());
        // What the columns will give may be anything that is a value.
        for (const auto& column : definition.columns) {
            whole.content_variables.set(column.first, "1");
        }
        const auto prepared = intake.prepare(whole, {.tenant = definition.tenant,
                                                     .account = definition.account,
                                                     .on_unknown = definition.on_unknown,
                                                     .fallbacks = definition.fallbacks});
        if (!prepared) {
            const auto& error = prepared.error();
            return error.with([&](ErrorData& data) {
                // What follows is the campaign's, and no variant's.
                if (data.field.starts_with("fallbacks")) return;
                data.field = "variants[" + std::to_string(i) + "].message." + data.field;
            });
        }
        const auto& sender = prepared->stored.sender;
        if (message.from.empty() && message.messaging_service_sid.empty()) {
            if (MessagingServiceSid::parse(sender)) {
                message.messaging_service_sid = sender;
            } else {
                message.from = Address::from_wire(sender).text();
            }
        }
    }
    return definition;
}

Result<bool> Campaigns::try_create(const CampaignDefinition& definition) {
    if (auto fits = definition.check(); !fits) return fits.error();
    auto whole = impl_->with_senders(definition);
    if (!whole) return whole.error();
    const bool has_prices = impl_->desk.rules && !impl_->desk.rules->options().prices.empty();
    if (definition.budget && !has_prices) {
        return Error::invalid_request("budget", "is given, and nobody knows what messages cost",
                                      "give SendingRulesOptions::prices");
    }
    StoredCampaign campaign;
    campaign.id = definition.id;
    campaign.tenant = definition.tenant;
    campaign.definition = whole->to_json();
    // What cannot be read again could not be sent.
    if (auto read = CampaignDefinition::from_json(campaign.definition); !read) return read.error();
    bool is_new = false;
    const auto done = impl_->transact([&](OutboxTransaction& transaction) -> Result<void> {
        campaign.created_at = transaction.now();
        campaign.updated_at = campaign.created_at;
        const auto inserted = transaction.insert_campaign(campaign);
        if (!inserted) return inserted.error();
        is_new = *inserted;
        if (is_new) {
            if (auto* const news = detail::OutboxNews::of(transaction)) {
                news->campaign_changed(std::nullopt, campaign);
            }
            return {};
        }
        const auto known = impl_->desk.load(transaction, campaign.id);
        if (!known) return known.error();
        if (known->definition == campaign.definition && known->tenant == campaign.tenant) return {};
        return Error::invalid_request("id", "is another campaign's", "give this one its own");
    });
    if (!done) return done.error();
    return is_new;
}

Result<CampaignDefinition> Campaigns::try_definition(std::string_view id) {
    const auto plan = impl_->desk.plan_of(id);
    if (!plan) return plan.error();
    return (*plan)->definition;
}

// ---- Recipients

Result<AddedRecipients> Campaigns::try_add(std::string_view id,
                                           std::span<const CampaignRecipient> recipients) {
    auto adder = detail::RecipientIntake::open(impl_->desk, id, {});
    if (!adder) return adder.error();
    for (const auto& recipient : recipients) {
        if (auto taken = adder->add(recipient); !taken) return taken.error();
    }
    return adder->finish();
}

Result<AddedRecipients> Campaigns::try_add_csv(std::string_view id, std::istream& csv,
                                               const CampaignFile& file) {
    auto adder = detail::RecipientIntake::open(impl_->desk, id, file);
    if (!adder) return adder.error();
    if (auto read = adder->read_csv(csv); !read) return read.error();
    return adder->finish();
}

Result<AddedRecipients> Campaigns::try_add_json_lines(std::string_view id, std::istream& lines,
                                                      const CampaignFile& file) {
    auto adder = detail::RecipientIntake::open(impl_->desk, id, file);
    if (!adder) return adder.error();
    if (auto read = adder->read_json_lines(lines); !read) return read.error();
    return adder->finish();
}

// ---- Before it starts

Result<void> Campaigns::Impl::judge_page(const std::vector<StoredJob>& jobs,
                                         const StoredCampaign& campaign, TimePoint now,
                                         CampaignCheck& check) const {
    std::vector<detail::JobCodec::Content> contents;
    std::vector<GatedJob> asked;
    contents.reserve(jobs.size());
    const auto refuse = [&](const std::string& problem) {
        ++check.by_hindrance[Hindrance::refused];
        ++check.problems[problem];
    };
    for (const auto& job : jobs) {
        auto content = desk.parts.core->codec.read(job);
        if (!content) {
            refuse(content.error().what());
            continue;
        }
        contents.push_back(std::move(*content));
        asked.push_back({.job = &job,
                         .message = &contents.back().message,
                         .time_zone = contents.back().time_zone,
                         .campaign = &campaign});
    }
    const auto verdicts = desk.rules->judge(asked, now);
    if (!verdicts) return verdicts.error();
    for (const auto& verdict : *verdicts) {
        switch (verdict.kind) {
            case JobVerdict::Kind::go:
                ++check.by_hindrance[Hindrance::none];
                break;
            case JobVerdict::Kind::wait:
                ++check.by_hindrance[Hindrance::quiet];
                break;
            case JobVerdict::Kind::pause:
                refuse(verdict.problem);
                continue;
            case JobVerdict::Kind::never:
                if (verdict.reason == DeadReason::opted_out) {
                    ++check.by_hindrance[Hindrance::opted_out];
                } else if (verdict.reason == DeadReason::no_consent) {
                    ++check.by_hindrance[Hindrance::no_consent];
                } else {
                    refuse(verdict.problem);
                }
                continue;
        }
        if (verdict.currency.empty()) continue;
        const auto price = Money::from_micros(verdict.spend, verdict.currency);
        if (!price) return price.error();
        auto sum = check.cost.value_or(Money{}).plus(*price);
        if (!sum) return sum.error();
        check.cost = *sum;
    }
    return {};
}

Result<std::int64_t> Campaigns::Impl::spent(std::string_view id) const {
    std::int64_t spent = 0;
    const auto read = transact([&](OutboxTransaction& transaction) -> Result<void> {
        const auto counts = transaction.campaign_counts(id);
        if (!counts) return counts.error();
        spent = 0;
        for (const auto& count : *counts) spent += count.spend;
        return {};
    });
    if (!read) return read.error();
    return spent;
}

Result<CampaignCheck> Campaigns::try_check(std::string_view id) {
    if (!impl_->desk.rules) {
        return Error::invalid_request("rules", "are missing", "give Campaigns its SendingRules");
    }
    CampaignCheck check;
    StoredCampaign campaign;
    const auto found = impl_->transact([&](OutboxTransaction& transaction) -> Result<void> {
        auto known = impl_->desk.load(transaction, id);
        if (!known) return known.error();
        campaign = std::move(*known);
        return {};
    });
    if (!found) return found.error();
    const auto definition = CampaignDefinition::from_json(campaign.definition);
    if (!definition) return definition.error();
    JobFilter filter{.state = JobState::ready, .limit = detail::judged_at_once};
    filter.campaign = id;
    TimePoint now;
    const auto judged = detail::for_each_page(
        *impl_->desk.parts.core, filter,
        [&](OutboxTransaction& transaction, const std::vector<StoredJob>&) {
            now = transaction.now();
            return Result<void>{};
        },
        [&](const std::vector<StoredJob>& jobs) {
            check.recipients += static_cast<std::int64_t>(jobs.size());
            return impl_->judge_page(jobs, campaign, now, check);
        });
    if (!judged) return judged.error();
    if (!definition->budget || !check.cost) return check;
    const auto spent = impl_->spent(id);
    if (!spent) return spent.error();
    check.within_budget = *spent + check.cost->micros() <= definition->budget->micros();
    return check;
}

Result<std::vector<EnqueuedJob>> Campaigns::try_test(std::string_view id, std::string_view to,
                                                     const TemplateVariables& variables) {
    const auto plan = impl_->desk.plan_of(id);
    if (!plan) return plan.error();
    const auto& definition = (*plan)->definition;
    const auto address = Address::parse(to, "to");
    if (!address) return address.error();
    std::vector<detail::PreparedJob> prepared;
    for (const auto& variant : definition.variants) {
        auto message = detail::message_for(variant.message, *address, variables);
        auto job = impl_->intake.prepare(
            message, {.tenant = definition.tenant,
                      .tag = "test of " + definition.id,
                      .account = definition.account,
                      .lane = Lane::high,
                      .on_unknown = definition.on_unknown,
                      .fallbacks = detail::fallbacks_for(definition.fallbacks, variables)});
        if (!job) return job.error();
        prepared.push_back(std::move(*job));
    }
    std::vector<EnqueuedJob> enqueued;
    const auto done = impl_->transact([&](OutboxTransaction& transaction) -> Result<void> {
        enqueued.clear();
        for (const auto& job : prepared) {
            auto taken = impl_->intake.take_in(transaction, job);
            if (!taken) return taken.error();
            enqueued.push_back(std::move(*taken));
        }
        return {};
    });
    if (!done) return done.error();
    impl_->desk.parts.wake();
    return enqueued;
}

// ---- Deciding

Result<bool> Campaigns::try_start(std::string_view id) {
    return impl_->change(id, [](StoredCampaign& campaign, TimePoint now) -> Result<bool> {
        if (campaign.state == CampaignState::running ||
            campaign.state == CampaignState::scheduled) {
            return false;
        }
        if (campaign.state != CampaignState::draft) {
            return detail::in_state("started", campaign.state);
        }
        const auto definition = CampaignDefinition::from_json(campaign.definition);
        if (!definition) return definition.error();
        if (definition->start_by && *definition->start_by < now) {
            return Error::invalid_request("start_by", "has passed");
        }
        if (definition->ends_at && *definition->ends_at <= now) {
            return Error::invalid_request("ends_at", "has passed");
        }
        const bool later = definition->starts_at && now < *definition->starts_at;
        campaign.state = later ? CampaignState::scheduled : CampaignState::running;
        campaign.problem.clear();
        return true;
    });
}

Result<bool> Campaigns::try_pause(std::string_view id, std::string_view why) {
    if (why.size() > 200 || !detail::is_valid_utf8(why)) {
        return Error::invalid_request("why", "is longer than 200 bytes, or not UTF-8");
    }
    return impl_->change(id, [&](StoredCampaign& campaign, TimePoint) -> Result<bool> {
        if (campaign.state == CampaignState::paused) return false;
        if (campaign.state != CampaignState::running &&
            campaign.state != CampaignState::scheduled) {
            return detail::in_state("paused", campaign.state);
        }
        campaign.state = CampaignState::paused;
        campaign.problem = why;
        return true;
    });
}

Result<bool> Campaigns::try_resume(std::string_view id) {
    return impl_->change(id, [](StoredCampaign& campaign, TimePoint now) -> Result<bool> {
        if (campaign.state == CampaignState::running) return false;
        if (campaign.state != CampaignState::paused) {
            return detail::in_state("resumed", campaign.state);
        }
        const auto definition = CampaignDefinition::from_json(campaign.definition);
        if (!definition) return definition.error();
        // Somebody has seen that it is late.
        const bool later = definition->starts_at && now < *definition->starts_at;
        campaign.state = later ? CampaignState::scheduled : CampaignState::running;
        campaign.problem.clear();
        campaign.course = detail::CampaignCourse::read(campaign.course).begun_anew().text();
        return true;
    });
}

Result<std::int64_t> Campaigns::Impl::apply_to_jobs(
    std::string_view id, JobState state, const std::function<bool(const StoredJob&)>& concerns,
    const JobEvent& event) const {
    JobFilter filter{.state = state, .limit = detail::jobs_at_once};
    filter.campaign = id;
    auto applied =
        detail::change_jobs(*desk.parts.core, filter,
                            [&](OutboxTransaction& transaction, StoredJob& job) -> Result<bool> {
                                if (!concerns(job)) return false;
                                return event(transaction, job);
                            });
    if (applied) desk.parts.wake();
    return applied;
}

Result<bool> Campaigns::try_cancel(std::string_view id) {
    auto changed = impl_->change(id, [](StoredCampaign& campaign, TimePoint) -> Result<bool> {
        if (campaign.state == CampaignState::cancelled) return false;
        campaign.state = CampaignState::cancelled;
        campaign.problem.clear();
        return true;
    });
    if (!changed) return changed;
    const auto all = [](const StoredJob&) { return true; };
    std::int64_t cancelled = 0;
    for (const auto state :
         {JobState::ready, JobState::claimed, JobState::sending, JobState::unknown}) {
        const auto some = impl_->apply_to_jobs(
            id, state, all, [&](OutboxTransaction& transaction, StoredJob& job) {
                return impl_->desk.parts.core->apply(
                    transaction, job, [](detail::JobMachine& machine) { return machine.cancel(); });
            });
        if (!some) return some.error();
        cancelled += *some;
    }
    return *changed || cancelled > 0;
}

Result<std::int64_t> Campaigns::try_retry(std::string_view id, DeadReason reason) {
    // One that is not there is told.
    if (const auto known = impl_->desk.plan_of(id); !known) return known.error();
    return impl_->apply_to_jobs(
        id, JobState::dead, [&](const StoredJob& job) { return job.reason == reason; },
        [&](OutboxTransaction& transaction, StoredJob& job) {
            return detail::retry_job(*impl_->desk.parts.core, transaction, job);
        });
}

// ---- Looking

Result<CampaignProgress> Campaigns::try_progress(std::string_view id) {
    CampaignProgress progress;
    const auto done = impl_->transact([&](OutboxTransaction& transaction) -> Result<void> {
        const auto campaign = impl_->desk.load(transaction, id);
        if (!campaign) return campaign.error();
        auto read = detail::read_progress(transaction, *campaign);
        if (!read) return read.error();
        progress = std::move(*read);
        return {};
    });
    if (!done) return done.error();
    return progress;
}

Result<std::vector<CampaignProgress>> Campaigns::try_list() {
    std::vector<CampaignProgress> all;
    const auto done = impl_->transact([&](OutboxTransaction& transaction) -> Result<void> {
        all.clear();
        const auto campaigns = transaction.campaigns({});
        if (!campaigns) return campaigns.error();
        for (const auto& campaign : *campaigns) {
            auto progress = detail::read_progress(transaction, campaign);
            if (!progress) return progress.error();
            all.push_back(std::move(*progress));
        }
        return {};
    });
    if (!done) return done.error();
    return all;
}

Result<void> Campaigns::try_report(
    std::string_view id, const std::function<Result<void>(const CampaignReportRow&)>& row) {
    const auto plan = impl_->desk.plan_of(id);
    if (!plan) return plan.error();
    const auto& variants = (*plan)->definition.variants;
    JobFilter filter{.limit = detail::judged_at_once};
    filter.campaign = id;
    return detail::for_each_page(
        *impl_->desk.parts.core, filter,
        [](OutboxTransaction&, const std::vector<StoredJob>&) { return Result<void>{}; },
        [&](const std::vector<StoredJob>& jobs) -> Result<void> {
            for (const auto& job : jobs) {
                const auto variant = static_cast<std::size_t>(job.variant);
                auto told = row({impl_->desk.parts.core->codec.view(job),
                                 variant < variants.size() ? std::string{variants[variant].name}
                                                           : std::string{},
                                 job.step});
                if (!told) return told;
            }
            return {};
        });
}

// ---- The same, throwing

bool Campaigns::create(const CampaignDefinition& definition) {
    return try_create(definition).value();
}
CampaignDefinition Campaigns::definition(std::string_view id) {
    return try_definition(id).value();
}
AddedRecipients Campaigns::add(std::string_view id, std::span<const CampaignRecipient> recipients) {
    return try_add(id, recipients).value();
}
AddedRecipients Campaigns::add_csv(std::string_view id, std::istream& csv,
                                   const CampaignFile& file) {
    return try_add_csv(id, csv, file).value();
}
AddedRecipients Campaigns::add_json_lines(std::string_view id, std::istream& lines,
                                          const CampaignFile& file) {
    return try_add_json_lines(id, lines, file).value();
}
CampaignCheck Campaigns::check(std::string_view id) {
    return try_check(id).value();
}
std::vector<EnqueuedJob> Campaigns::test(std::string_view id, std::string_view to,
                                         const TemplateVariables& variables) {
    return try_test(id, to, variables).value();
}
bool Campaigns::start(std::string_view id) {
    return try_start(id).value();
}
bool Campaigns::pause(std::string_view id, std::string_view why) {
    return try_pause(id, why).value();
}
bool Campaigns::resume(std::string_view id) {
    return try_resume(id).value();
}
bool Campaigns::cancel(std::string_view id) {
    return try_cancel(id).value();
}
std::int64_t Campaigns::retry(std::string_view id, DeadReason reason) {
    return try_retry(id, reason).value();
}
CampaignProgress Campaigns::progress(std::string_view id) {
    return try_progress(id).value();
}
std::vector<CampaignProgress> Campaigns::list() {
    return try_list().value();
}
void Campaigns::report_csv(std::string_view id, std::ostream& csv,
                           const CampaignReportOptions& options) {
    try_report_csv(id, csv, options).value();
}
void Campaigns::report_json(std::string_view id, std::ostream& lines,
                            const CampaignReportOptions& options) {
    try_report_json(id, lines, options).value();
}

}  // namespace twiliowa
