/// @file
/// What one step of an outbox's worker is about to do.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "outbox/neighbourhood.hpp"
#include "outbox/worker.hpp"
#include "state/quota_book.hpp"

namespace twiliowa::detail {

/// As its transaction decided.
struct OutboxWorker::Plan {
    struct Launch {
        AttemptUnderWay attempt = {};
        OutboundMessage message = {};
        LeaseTime until = {};
        std::optional<TimePoint> leave_by = {};  ///< What the gate says.
        std::string condition = {};              ///< What it asks again before it leaves.
        bool slot_held = false;
        std::size_t turn = 0;  ///< Within its group; what is urgent has the first.
    };
    struct Look {
        JobId job = {};
        std::string account = {};
        std::string sid = {};  ///< Known: it is fetched.
        ReconcileItem item = {};
        bool suspect = false;
        bool callbacks_tell = false;
    };

    TimePoint now = {};
    MonotonicTime monotonic = {};
    std::size_t free = 0;
    std::vector<Launch> launches = {};
    std::vector<Look> looks = {};
    std::set<std::string> accounts = {};  ///< That jobs name.
    bool lacks_account = false;           ///< One was not asked for in time.
    std::map<SendRoad, std::size_t> slots_used = {};
    std::map<ReadyGroup, std::size_t> turns = {};  ///< That were taken.
    Neighbourhoods neighbourhoods = {};
    std::map<std::string, std::size_t> looks_for = {};  ///< By customer.
    std::vector<std::shared_ptr<const Neighbourhood>> crowds = {};
    std::set<SendRoad> witnesses = {};  ///< To ask.
    std::set<AccountDay> walks = {};    ///< To begin.
    std::set<std::string> quotas = {};  ///< That jobs name.
    std::vector<PermitWanted> permits_wanted = {};
    std::set<JobId> permits_used = {};
    /// What is counted of quotas, with what was taken since; nullopt: another has it.
    std::map<std::string, std::optional<QuotaPage>> quota_pages = {};
    std::map<std::string, QuotaTurn> quota_turns = {};
    struct QuotaNews {
        std::string quota = {};
        std::vector<QuotaWindow> windows = {};
        std::vector<QuotaCount> counts = {};
        std::vector<int> warn_at = {};
        std::shared_ptr<Observer> observer = {};
    };
    std::optional<TimePoint> quota_busy_until = {};  ///< One was asked for that another has.
    std::vector<QuotaNews> quota_news = {};          ///< To tell, if there is an observer.
    /// To tell, if there is an observer.
    std::vector<std::pair<std::string, QuotaAnswer>> quota_refusals = {};
    /// Attempts whose worker vanished, where their quota is counted elsewhere.
    std::vector<QuotaCharge> vanished = {};
    Candidates candidates = {};  ///< For the next step.
    std::map<std::string, StoredCampaign> campaigns = {};
    std::map<std::string, Waiting> campaign_waiting = {};
    /// How many more of a campaign may go.
    std::map<std::string, std::size_t> campaign_room = {};
    std::map<std::string, QuotaWindow> campaign_rates = {};
    std::map<std::string, std::size_t> campaign_sent = {};
    std::map<std::string, std::string> campaign_currencies = {};  ///< Not noted yet.
    std::optional<TimePoint> campaign_due = {};                   ///< When one may stand otherwise.
    std::set<std::string> waiting_campaigns = {};                 ///< Jobs of them are ready.
    OutboxNews::Endings concluded = {};
    Step step = {};
    bool looks_around = false;
};

/// What an attempt takes of a budget.
struct OutboxWorker::BudgetReservation {
    const BudgetCharge* charge = nullptr;
    std::vector<QuotaSlot> time_slots = {};
    QuotaChange change = {};
    Plan::QuotaNews news = {};
};

/// What an attempt takes of its job's quota.
struct OutboxWorker::Reservation {
    std::optional<QuotaPermit> permit = {};  ///< Of what is counted elsewhere.
    QuotaChange change = {};
    Plan::QuotaNews news = {};

    CountedAttempt counted(int attempt) const;
};

/// A message that goes by the limits of that sender.
OutboundMessage as_sender(const std::string& sender);

/// Where Twilio reports about a message: its own URL, the client's, the outbox's.
std::string callback_of(const OutboundMessage& message, const MessagesClient& client,
                        const OutboxOptions& options);

}  // namespace twiliowa::detail
