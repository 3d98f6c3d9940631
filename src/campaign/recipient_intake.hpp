/// @file
/// How recipients become jobs of a campaign.
#pragma once

#include <cstddef>
#include <istream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/campaign/campaign.hpp>
#include <twiliowa/types/address.hpp>
#include <twiliowa/types/outbound.hpp>

#include "campaign/campaign_desk.hpp"
#include "outbox/job_intake.hpp"

namespace twiliowa::detail {

/// As a message's `to`: by SMS where its sender is one of SMS.
std::string recipient_as(const OutboundMessage& message, const Address& recipient);

/// A variant's message for a recipient, whose variables count more.
OutboundMessage message_for(const OutboundMessage& message, const Address& recipient,
                            const TemplateVariables& variables);
/// The same of what may follow it, whose variables are those that it names.
std::vector<Fallback> fallbacks_for(std::vector<Fallback> fallbacks,
                                    const TemplateVariables& variables);

/// Takes recipients in, in pieces. Not thread-safe.
class RecipientIntake {
public:
    static Result<RecipientIntake> open(const CampaignDesk& desk, std::string_view id,
                                        const CampaignFile& file);

    /// An error: nothing more is taken, and what is in pieces before is kept.
    Result<void> add(const CampaignRecipient& recipient);
    Result<void> read_csv(std::istream& csv);
    Result<void> read_json_lines(std::istream& lines);
    Result<AddedRecipients> finish();

private:
    struct Waiting {
        PreparedJob job = {};
        std::string problem = {};  ///< Not empty: it is kept as refused.
        std::size_t line = 0;
    };
    struct Granted {
        Sender sender = {};
        Address recipient = {};
        TimePoint at = {};
        std::string source = {};
    };

    RecipientIntake(const CampaignDesk& desk, std::string id, CampaignFile file,
                    std::shared_ptr<const CampaignPlan> plan, std::string tenant);

    Result<void> add_row(const CampaignRecipient& recipient, const std::string& problem);
    Result<Address> read_recipient(const std::string& text) const;
    Result<void> keep(const CampaignRecipient& recipient, const Address& address);
    Result<void> keep_refused(const std::string& to, const CampaignRecipient& recipient,
                              const std::string& problem);
    Result<void> note_consent(const CampaignRecipient& recipient, const Address& address,
                              const OutboundMessage& message);
    Result<void> flush_when_full();
    Result<void> flush();
    Result<void> flush_consents();
    Result<void> take_in(OutboxTransaction& transaction, const Waiting& waiting,
                         AddedRecipients& added) const;
    void tell(AddedRecipients& added, std::size_t line, const std::string& problem) const;
    std::string key_of(std::string_view recipient) const;
    Result<CampaignRecipient> recipient_of_json(std::string_view line, std::string& problem) const;

    const CampaignDesk* desk_;
    std::string id_;
    CampaignFile file_;
    std::shared_ptr<const CampaignPlan> plan_;
    JobIntake intake_;
    std::string tenant_;
    AddedRecipients added_ = {};
    std::vector<Waiting> waiting_ = {};
    std::vector<Granted> granted_ = {};
    std::optional<JobIds> ids_ = {};
    TimePoint now_ = {};
    std::size_t line_ = 0;
};

}  // namespace twiliowa::detail
