/// @file
/// What a program's rules say of a message that is about to be sent: `SendingRules`. Link
/// `twiliowa::campaigns`.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/campaign/campaign.hpp>
#include <twiliowa/campaign/price_table.hpp>
#include <twiliowa/campaign/quiet_hours.hpp>
#include <twiliowa/outbox/job_gate.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/state/consents.hpp>
#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/templates.hpp>
#include <twiliowa/types/channel_sender.hpp>
#include <twiliowa/types/money.hpp>
#include <twiliowa/types/observer.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// What may be spent.
struct Budget {
    /// Of which time.
    enum class Period { day, month, in_all };
    Money limit = {};               ///< More than nothing.
    Period period = Period::month;  ///< Days and months of UTC.
};

/// How a budget stands.
struct BudgetState {
    Budget budget = {};  ///< Which one.
    /// Estimates where Twilio has not told the price; what is under way counts.
    Money spent = {};
    /// The highest of SendingRulesOptions::warn_at that is reached; 0: none.
    int level = 0;
    /// When it begins anew; nullopt: never.
    std::optional<TimePoint> renews_at = {};

    /// The part that is spent: 1 when it is used up.
    double used() const noexcept {
        return static_cast<double>(spent.micros()) / static_cast<double>(budget.limit.micros());
    }
};

/// Options of SendingRules. What is not given is not asked.
struct SendingRulesOptions {
    /// Who has agreed to what. Campaigns that require a consent are refused without it.
    std::shared_ptr<const Consents> consents = {};
    /// Also for jobs without a campaign: templates of the category MARKETING need a consent.
    bool marketing_needs_consent = false;
    std::shared_ptr<const OptOuts> opt_outs = {};  ///< Who wants no messages.
    /// For free-form text: not sent while its window is known to be closed.
    std::shared_ptr<const ConversationWindow> window = {};
    /// For categories that messages do not say, and templates that are paused or disabled.
    std::shared_ptr<Templates> templates = {};
    /// Of all jobs, unless their campaign says otherwise.
    std::optional<QuietHoursOptions> quiet_hours = {};
    /// What messages are estimated to cost. Empty: nothing is counted, and there are no budgets.
    PriceTable prices = {};
    std::vector<Budget> budget = {};  ///< Of everything together.
    /// Of a tenant; none: nothing limits it. Called for each job; must be thread-safe.
    std::function<std::vector<Budget>(std::string_view tenant)> budget_of_tenant = {};
    /// In percent of a budget, 1 to 100: told to the observer when it is reached, as of quotas
    /// (`Observer::on_quota_level`).
    std::vector<int> warn_at = {80, 100};
    std::shared_ptr<Observer> observer = {};  ///< Who is told of budgets.
    /// How the sender stands with Meta: asked at most every five minutes of each account and
    /// sender. A campaign pauses when its quality rating is low, or lower than when that campaign
    /// was looked at before, or its messaging limit is near. An error is passed over. Must be
    /// thread-safe.
    std::function<Result<ChannelSender>(std::string_view account, std::string_view sender)>
        sender_health = {};
};

/// Judges each job before it is sent: opt-outs, consents, quiet hours, windows, templates, budgets;
/// and knows what campaigns say of all that. Give it to OutboxOptions::gate, and to Campaigns.
///
/// @code
/// auto rules = std::make_shared<wa::SendingRules>(wa::SendingRulesOptions{
///     .consents = consents, .opt_outs = opt_outs,
///     .quiet_hours = wa::QuietHoursOptions{.week = wa::QuietHoursOptions::every_day({8h, 20h})}});
/// wa::Outbox outbox{storage, {.client = client, .gate = rules}};
/// @endcode
///
/// It is asked when a job is due, for many at once, and the answer is good for a second; at the
/// send the client judges opt-outs, windows and templates once more, and consents are asked for
/// again. When a storage fails that it has to ask, nothing is sent. Thread-safe.
class SendingRules final : public JobGate {
public:
    /// @throws InvalidRequestError naming the option that is wrong.
    explicit SendingRules(SendingRulesOptions options = {});
    ~SendingRules() override;
    SendingRules(const SendingRules&) = delete;
    SendingRules& operator=(const SendingRules&) = delete;

    /// As they were given.
    const SendingRulesOptions& options() const noexcept;

    /// How the budgets of everything stand by now, in the order of SendingRulesOptions::budget.
    /// Errors: those of the storage.
    Result<std::vector<BudgetState>> budgets(Outbox& outbox) const;
    /// Those of a tenant, as SendingRulesOptions::budget_of_tenant gives them.
    Result<std::vector<BudgetState>> budgets_of_tenant(Outbox& outbox,
                                                       std::string_view tenant) const;

    bool concerns(const ReadyGroup& group) const override;
    Result<std::vector<JobVerdict>> judge(std::span<const GatedJob> jobs,
                                          TimePoint now) const override;
    Result<std::vector<bool>> may_leave(std::span<const LeavingJob> jobs) const override;
    CampaignStanding stand(StoredCampaign& campaign, TimePoint now) const override;
    bool note_failure(StoredCampaign& campaign, const StoredJob& job,
                      std::span<const CampaignCount> counts) const override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa
