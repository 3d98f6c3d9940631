/// @file
/// The vocabulary of campaigns: what is sent to whom and when, and how far it is. Link
/// `twiliowa::campaigns`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/campaign/quiet_hours.hpp>
#include <twiliowa/outbox/job.hpp>
#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/money.hpp>
#include <twiliowa/types/outbound.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/template_variables.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

/// One of the messages of a campaign. Who gets which is decided by a hash of the recipient: always
/// the same.
struct CampaignVariant {
    TextField name = {};  ///< Up to 50 bytes; needed where there are several.
    /// Without `to`. Its content_variables hold for recipients that give no other value.
    OutboundMessage message = {};
    int weight = 1;  ///< Its share, 0 to 1000.
};

/// So many messages in each stretch of time, at most.
struct CampaignRate {
    int messages = 0;             ///< 0: as fast as the limits of the sender allow.
    std::chrono::seconds per{1};  ///< 1 s to a day.
};

/// When a campaign pauses by itself, and says why. It does so whatever is here when its template is
/// paused or disabled, or its budget is used up.
struct CampaignGuards {
    /// More than so many percent of `out_of` outcomes that failed for the same reason (a category
    /// of ErrorAdvice). 0: never.
    int failures_percent = 5;
    int out_of = 200;  ///< 10 to a million.
    /// More than so many messages whose outcome is not known, at one time. 0: never.
    int unknowns = 20;
};

/// What a campaign is.
struct CampaignDefinition {
    /// Your name for it, of its own in the outbox: 1 to 60 letters, digits, `.`, `_` and `-`.
    TextField id = {};
    TextField tenant = {};                       ///< As JobOptions::tenant.
    TextField account = {};                      ///< As JobOptions::account.
    std::vector<CampaignVariant> variants = {};  ///< 1 to 20.
    /// Which variable of the template is in which column of the file of recipients.
    std::map<std::string, std::string> columns = {};
    /// For which purpose recipients must have agreed (Consents); empty: for none. Default:
    /// `marketing` if a variant's category is MARKETING, else none.
    std::optional<TextField> require_consent = {};
    /// When it starts by itself once it was told to start; nullopt: at once.
    std::optional<TimePoint> starts_at = {};
    /// One that could not start until then does not start by itself any more: it is paused.
    std::optional<TimePoint> start_by = {};
    /// What has not been sent by then is not sent.
    std::optional<TimePoint> ends_at = {};
    /// Default: those of SendingRulesOptions.
    std::optional<QuietHoursOptions> quiet_hours = {};
    CampaignRate rate = {};  ///< Of this campaign; its sender's limits hold besides.
    /// What it may cost in all. Needs prices (SendingRulesOptions::prices).
    std::optional<Money> budget = {};
    CampaignGuards guards = {};                ///< When it pauses by itself.
    Lane lane = Lane::bulk;                    ///< As JobOptions::lane.
    std::optional<OnUnknown> on_unknown = {};  ///< Default: the outbox's.
    /// What goes to who is not reached, once (JobOptions::fallbacks). A template among them gets
    /// the recipient's values of the variables that it names. Each is judged by itself: by the
    /// opt-outs and consents of its own sender, quiet hours and budgets.
    std::vector<Fallback> fallbacks = {};
    TextField seed = {};  ///< Of the hash that gives out variants. Default: the id.

    /// One JSON object, as docs/campaigns.md describes it; times in UTC.
    std::string to_json() const;
    /// Errors: InvalidRequestError that names the member.
    static Result<CampaignDefinition> from_json(std::string_view json);
    /// What is wrong with it, by the member's name.
    Result<void> check() const;
};

/// One who is to get a message of a campaign.
struct CampaignRecipient {
    /// As OutboundMessage::to, or as somebody wrote it (`CampaignFile::country`).
    TextField to = {};
    TemplateVariables variables = {};  ///< Beside, and before, those of the variant.
    TextField time_zone = {};          ///< As JobOptions::time_zone.
    TextField tag = {};                ///< As JobOptions::tag; comes back in the report.
    /// When they agreed to the purpose that the campaign requires, and where that is written down.
    /// Recorded in SendingRulesOptions::consents.
    std::optional<TimePoint> consent_at = {};
    TextField consent_source = {};  ///< As Consent::source.
};

/// How a file of recipients is read. Names are those of the columns, or members.
struct CampaignFile {
    TextField to = "to";                          ///< Whom.
    TextField time_zone = "time_zone";            ///< May be absent, as all that follow.
    TextField tag = "tag";                        ///< CampaignRecipient::tag.
    TextField consent_at = "consent_at";          ///< `2026-11-30`, `2026-11-30T08:15:00Z`
    TextField consent_source = "consent_source";  ///< Where that is written down.
    /// Whose numbers are written without a country code, ISO 3166-1 alpha-2. Then numbers are read
    /// as people write them (PhoneNumber::parse). Empty: they are E.164, with or without the plus.
    TextField country = {};
    /// Whether numbers go in whose reading is likely and not certain.
    bool take_likely = true;
};

/// A recipient that was not taken.
struct RefusedRecipient {
    std::size_t line = 0;      ///< Of the file, or the place in the list, from 1.
    std::string problem = {};  ///< Without what it holds.
};

/// What became of recipients that were handed over.
struct AddedRecipients {
    std::size_t rows = 0;   ///< Were read.
    std::size_t added = 0;  ///< Are new.
    std::size_t known = 0;  ///< Were there before, with the same message.
    /// Are kept as refused: no number, variables that cannot be. Part of the campaign's recipients.
    std::size_t refused = 0;
    /// Cannot be read at all, or are known with another message; not kept.
    std::size_t faulty = 0;
    std::size_t consents = 0;                   ///< Were recorded and are new.
    std::vector<RefusedRecipient> faults = {};  ///< The first 100 refused and faulty ones.

    /// One JSON object of the same names.
    std::string to_json() const;
};

/// What stands in the way of recipients of a campaign, now.
enum class Hindrance {
    none,        ///< It would be sent.
    quiet,       ///< It waits for the end of quiet hours.
    opted_out,   ///< It will not be sent.
    no_consent,  ///< It will not be sent.
    refused,     ///< It will not be sent: no price, variables that the template does not take, ...
};
/// Its identifier.
std::string_view to_string(Hindrance hindrance) noexcept;

/// What a dry run found.
struct CampaignCheck {
    std::int64_t recipients = 0;                          ///< That wait to be sent.
    std::map<Hindrance, std::int64_t> by_hindrance = {};  ///< How many each stands in the way of.
    /// What is wrong with those that are refused, and with how many.
    std::map<std::string, std::int64_t> problems = {};
    /// What those that would be sent cost; nullopt: no prices were given.
    std::optional<Money> cost = {};
    /// Whether the budget is enough for them.
    bool within_budget = true;

    /// How many that hinders.
    std::int64_t of(Hindrance hindrance) const {
        const auto found = by_hindrance.find(hindrance);
        return found == by_hindrance.end() ? 0 : found->second;
    }
    /// One JSON object of the same names, and `currency`. The budget hinders all or nobody
    /// (`within_budget`): it is none of `by_hindrance`.
    std::string to_json() const;
};

/// How sure a time is.
enum class Certainty {
    none,      ///< There is no time.
    guessed,   ///< By the campaign's rate.
    measured,  ///< By what was sent in the last minutes.
};
/// Its identifier.
std::string_view to_string(Certainty certainty) noexcept;

/// What is said to be: CampaignState, and that it is finished: it is running, and nothing of it
/// waits or is under way.
enum class CampaignPhase { draft, scheduled, running, paused, cancelled, finished };
/// Its identifier.
std::string_view to_string(CampaignPhase phase) noexcept;

/// How far a campaign is. The numbers add up: `recipients` is the sum of `by_state`, and what is
/// dead is the sum of `by_reason`.
struct CampaignProgress {
    std::string id = {};                                ///< CampaignDefinition::id.
    std::string tenant = {};                            ///< CampaignDefinition::tenant.
    CampaignPhase phase = CampaignPhase::draft;         ///< Where it is.
    std::string problem = {};                           ///< Why it is paused.
    std::int64_t recipients = 0;                        ///< All of them.
    std::map<JobState, std::int64_t> by_state = {};     ///< How many are in each.
    std::map<DeadReason, std::int64_t> by_reason = {};  ///< Of those that are dead.
    std::int64_t waiting = 0;                           ///< Ready, or under way.
    std::int64_t sent = 0;      ///< Accepted by Twilio, whatever became of it then.
    std::int64_t in_doubt = 0;  ///< Unknown, or held for a person.
    /// Further messages to those that the first one did not reach.
    std::int64_t further = 0;
    /// How far one of its variants is.
    struct Variant {
        std::string name = {};        ///< CampaignVariant::name.
        std::int64_t recipients = 0;  ///< Who get it.
        std::int64_t sent = 0;        ///< Accepted by Twilio.
        std::int64_t delivered = 0;   ///< Delivered, or read.
    };
    std::vector<Variant> variants = {};  ///< In their order.
    /// What was spent, estimates where Twilio has not told the price; further messages, too.
    Money spend = {};
    std::optional<Money> budget = {};  ///< CampaignDefinition::budget.
    /// Messages a minute, in the last five full minutes and the present one.
    double rate_per_minute = 0;
    /// When the last one will be sent, if it goes on like that and nobody's night is in between.
    std::optional<std::chrono::seconds> left = {};
    Certainty left_is = Certainty::none;  ///< How sure that is.
    bool has_quiet_hours = false;         ///< It may take longer.
    TimePoint created_at = {};            ///< When it was made.
    TimePoint updated_at = {};  ///< When it was started, paused or otherwise decided about last.
    TimePoint now = {};         ///< When this was so, by the storage's time.

    /// How many are in that state.
    std::int64_t of(JobState state) const {
        const auto found = by_state.find(state);
        return found == by_state.end() ? 0 : found->second;
    }
    /// One line for a terminal: `spring  running  1,204 of 10,000 sent (12 %), 3 failed, 85/min,
    /// 1 h 44 min left, 62.11 of 500 USD`.
    std::string line() const;
    /// One JSON object.
    std::string to_json() const;
};

}  // namespace twiliowa
