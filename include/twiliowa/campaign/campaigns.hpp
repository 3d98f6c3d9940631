/// @file
/// Messages to many: `Campaigns`. Link `twiliowa::campaigns`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/campaign/campaign.hpp>
#include <twiliowa/campaign/sending_rules.hpp>
#include <twiliowa/outbox/job.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// A recipient in the report of a campaign.
struct CampaignReportRow {
    Job job = {};              ///< As it is; `message` as long as it is kept.
    std::string variant = {};  ///< Its name.
    int step = 0;              ///< 0: the first message; others follow where that did not arrive.
};

/// How a report is written.
struct CampaignReportOptions {
    /// Whole numbers instead of masked ones (`+44******123`).
    bool reveal = false;
};

/// Campaigns on an outbox: each recipient is a job of it, under a key of its own, so that nobody
/// gets a message twice, whatever is added again, and dies in between. The outbox's workers send
/// them: whoever runs one with the same SendingRules as OutboxOptions::gate.
///
/// @code
/// wa::Campaigns campaigns{outbox, rules};
/// campaigns.create({.id = "spring", .variants = {{.message = wa::OutboundTemplate{...}}}});
/// std::ifstream file{"customers.csv"};
/// campaigns.add_csv("spring", file, {.country = "GB"});
/// campaigns.start("spring");
/// @endcode
///
/// A campaign is `draft` until it is told to start; then `scheduled` (until
/// CampaignDefinition::starts_at) or `running`. It may be paused at any time, by a person or by one
/// of its guards: within a second nothing more of it is sent, by no worker. One that is cancelled
/// is over: what has not left does not leave. Finished is a running one of which nothing waits;
/// with recipients that are added later it goes on.
///
/// Everything is in the outbox's storage, and may be called from any process and thread. Errors:
/// InvalidRequestError for what is refused by name (field "campaign" if there is none of that id),
/// and those of the storage. Each verb throws, and its `try_` twin does not.
class Campaigns {
public:
    /// @param outbox  outlives this.
    /// @param rules   of the gate that sends; for consents that come with recipients, and the dry
    ///     run. May be null: then both are refused.
    explicit Campaigns(Outbox& outbox, std::shared_ptr<const SendingRules> rules = {});
    ~Campaigns();
    Campaigns(const Campaigns&) = delete;
    Campaigns& operator=(const Campaigns&) = delete;

    /// Makes it, as a draft. Each variant's message is checked as a send would. Made twice with the
    /// same definition it is the same; with another it is refused.
    /// @returns whether it is new.
    bool create(const CampaignDefinition& definition);
    Result<bool> try_create(const CampaignDefinition& definition);
    /// What it was made of.
    CampaignDefinition definition(std::string_view id);
    Result<CampaignDefinition> try_definition(std::string_view id);

    // ---- Recipients. In pieces of 1000, each in one commit: who was cut off adds all of them
    // ---- again. A recipient is who has a number: both ways of writing it are one, and whatever
    // the
    // ---- channel says.

    /// A list of them.
    AddedRecipients add(std::string_view id, std::span<const CampaignRecipient> recipients);
    Result<AddedRecipients> try_add(std::string_view id,
                                    std::span<const CampaignRecipient> recipients);
    /// Comma-separated values (RFC 4180, UTF-8) whose first line names the columns. Read as a
    /// stream: a file may be of any size.
    AddedRecipients add_csv(std::string_view id, std::istream& csv, const CampaignFile& file = {});
    Result<AddedRecipients> try_add_csv(std::string_view id, std::istream& csv,
                                        const CampaignFile& file = {});
    /// One JSON object a line: the members that CampaignFile names, `variables` (an object), and
    /// the columns of the campaign.
    AddedRecipients add_json_lines(std::string_view id, std::istream& lines,
                                   const CampaignFile& file = {});
    Result<AddedRecipients> try_add_json_lines(std::string_view id, std::istream& lines,
                                               const CampaignFile& file = {});

    // ---- Before it starts.

    /// Judges all that wait, as if they were to be sent now, and says what they would cost. Sends
    /// and changes nothing. What each would be refused for by Twilio alone is not known.
    CampaignCheck check(std::string_view id);
    Result<CampaignCheck> try_check(std::string_view id);
    /// Hands over each variant once, to one number, as jobs that are none of the campaign's.
    /// @param variables  as CampaignRecipient::variables.
    std::vector<EnqueuedJob> test(std::string_view id, std::string_view to,
                                  const TemplateVariables& variables = {});
    Result<std::vector<EnqueuedJob>> try_test(std::string_view id, std::string_view to,
                                              const TemplateVariables& variables = {});

    // ---- Deciding. Each says whether it changed anything; what cannot be is refused by name.

    /// From a draft: now, or at CampaignDefinition::starts_at.
    bool start(std::string_view id);
    Result<bool> try_start(std::string_view id);
    /// @param why  at most 200 bytes; comes back as the problem.
    bool pause(std::string_view id, std::string_view why = {});
    Result<bool> try_pause(std::string_view id, std::string_view why = {});
    /// Lets one that is paused go on.
    bool resume(std::string_view id);
    Result<bool> try_resume(std::string_view id);
    /// Also cancels all its jobs that have not left, piece by piece: called again, it goes on.
    bool cancel(std::string_view id);
    Result<bool> try_cancel(std::string_view id);
    /// Sends again what is dead for that reason and certainly was not sent. Rows that were refused
    /// when they were added have no message, and stay as they are. Returns how many.
    std::int64_t retry(std::string_view id, DeadReason reason);
    Result<std::int64_t> try_retry(std::string_view id, DeadReason reason);

    // ---- Looking.

    /// How far it is, at one moment.
    CampaignProgress progress(std::string_view id);
    Result<CampaignProgress> try_progress(std::string_view id);
    /// Of all campaigns, the oldest first.
    std::vector<CampaignProgress> list();
    Result<std::vector<CampaignProgress>> try_list();

    /// Every recipient and further message that is still kept, in the order in which they were
    /// added. An error of `row` ends it.
    Result<void> try_report(std::string_view id,
                            const std::function<Result<void>(const CampaignReportRow&)>& row);
    /// One line for each: CSV with the names in the first line.
    void report_csv(std::string_view id, std::ostream& csv,
                    const CampaignReportOptions& options = {});
    Result<void> try_report_csv(std::string_view id, std::ostream& csv,
                                const CampaignReportOptions& options = {});
    /// One JSON object a line, of the same names.
    void report_json(std::string_view id, std::ostream& lines,
                     const CampaignReportOptions& options = {});
    Result<void> try_report_json(std::string_view id, std::ostream& lines,
                                 const CampaignReportOptions& options = {});

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// What was spent, by day, tenant, template, country and channel.
struct SpendRow {
    TimePoint day = {};            ///< Its beginning, in UTC.
    std::string tenant = {};       ///< The jobs'.
    std::string content_sid = {};  ///< Empty: no template.
    std::string country = {};      ///< ISO 3166-1 alpha-2; empty: not known.
    std::string channel = {};      ///< `whatsapp` or `sms`.
    Money spend = {};              ///< Estimates where Twilio has not told the price.
};

/// What the jobs of an outbox have cost on the days (UTC) that begin in `from <= day < to`, by
/// currency, tenant, template, country and channel, then by day. Kept for 400 days. Errors: those
/// of the storage.
Result<std::vector<SpendRow>> spend_by_day(Outbox& outbox, TimePoint from, TimePoint to);
/// Adds to a scrape what the jobs of an outbox have cost today (UTC), by currency. Throws as
/// `spend_by_day` answers.
void add_spend_samples(MetricSamples& samples, Outbox& outbox);

/// Adds to a scrape what docs/metrics.md lists of campaigns: how many are in each phase, and the
/// recipients of those that run, by state of their job. Throws as `Campaigns::list` does.
void add_samples(MetricSamples& samples, Campaigns& campaigns);

}  // namespace twiliowa
