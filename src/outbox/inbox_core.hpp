/// @file
/// What everything of an inbox shares: its storage, its rules, and what a worker does with an
/// event, step by step. Without threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/outbox/durable_inbox.hpp>

#include "outbox/account_waits.hpp"
#include "outbox/callback_intake.hpp"
#include "outbox/event_codec.hpp"
#include "outbox/inbox_machine.hpp"
#include "outbox/job_intake.hpp"
#include "outbox/scheduler.hpp"
#include "outbox/turn_state.hpp"

namespace twiliowa::detail {

/// How many events may be taken up.
struct InboxRoom {
    std::size_t messages = 0;
    std::size_t all = 0;

    bool has(const StoredEvent& event) const noexcept;
    void use(const StoredEvent& event) noexcept;
};

/// How many events are in hand.
struct InboxHeld {
    std::size_t messages = 0;
    std::size_t all = 0;

    void add(const StoredEvent& event) noexcept;
    /// What that leaves of so many workers; of two or more, one is left to what is no message.
    InboxRoom room_of(std::size_t workers) const noexcept;
};
/// The same for each account.
using InboxHeldByAccount = std::map<std::string, InboxHeld>;

/// What one look for work has found.
struct InboxClaims {
    std::vector<StoredEvent> claimed = {};
    /// Whose workers have gone, as they are now.
    std::vector<StoredEvent> abandoned = {};
    /// When the next one is due, or was, if there was no room for it; by the storage's time.
    std::optional<TimePoint> next_due = {};
    /// In how long that is; of what was due it is not positive.
    std::chrono::nanoseconds due_in{0};
};

/// What came of a handler, before it is written down.
struct InboxTry {
    StoredEvent claimed = {};
    std::vector<PreparedJob> jobs = {};
    std::vector<TurnWork> at_commit = {};
    std::vector<std::function<void()>> undo = {};  ///< Called if it fails.
    std::optional<std::string> failure = {};
    bool for_good = false;  ///< Another try would fail, too.
    /// It could not be begun, and is to be tried after so long.
    std::optional<std::chrono::milliseconds> again_after = {};
    std::chrono::microseconds duration{0};
};

/// How many events wait, in all (nullopt) and of each account, known well enough: counted once a
/// second at most. Thread-safe.
class BacklogGauge {
public:
    using Of = std::optional<std::string>;

    bool is_due(const Of& of, MonotonicTime now) const;
    void set(const Of& of, std::int64_t waiting, MonotonicTime now);
    /// Of what was counted; in all, and of that account.
    void add(const std::string& account_sid, std::int64_t events);
    std::int64_t waiting(const Of& of) const;

private:
    struct Count {
        MonotonicTime at = {};
        std::int64_t waiting = 0;
    };
    mutable std::mutex mutex_;
    std::map<Of, Count> counts_ = {};
};

/// Whose turn it is: accounts take turns, from the one that had the last once around.
class AccountCircle {
public:
    explicit AccountCircle(std::string last) : last_(std::move(last)), after_(last_) {}

    /// Whether all had theirs.
    bool is_closed() const noexcept { return closed_; }
    /// The next accounts, as many as the query's limit; what it says of `after` is nothing.
    Result<std::vector<std::string>> next(InboxTransaction& inbox, ReadyAccountsQuery query);

private:
    std::string last_;
    std::optional<std::string> after_;
    bool from_first_ = false;
    bool closed_ = false;
};

class InboxCore {
public:
    /// @param outbox  null: there is none
    InboxCore(std::shared_ptr<OutboxStorage> storage, Outbox* outbox, InboxOptions options);

    const std::shared_ptr<OutboxStorage> storage;
    const InboxOptions options;
    const InboxRules rules;
    const EventCodec codec;
    const std::string worker;  ///< By whose name events are claimed.

    bool can_reply() const noexcept { return outbox_ != nullptr; }

    using Work = std::function<Result<void>(OutboxTransaction&, InboxTransaction&)>;
    /// Errors: those of the storage, and one by name if it keeps no events.
    Result<void> transact(const Work& work) const;
    /// Applies something that happened to an event that was read in this transaction; whether it
    /// changed anything.
    template <class Event>
    Result<bool> apply(OutboxTransaction& transaction, InboxTransaction& inbox, StoredEvent& stored,
                       Event&& event) const {
        const InboxMoment at{transaction.now(), transaction.lease_now(), options.random()};
        InboxMachine machine{stored, rules, at};
        if (!event(machine)) return false;
        if (auto saved = inbox.save(stored); !saved) return saved.error();
        return true;
    }
    /// The same of an event by its number; false if it is not there.
    template <class Event>
    Result<bool> apply_to(std::int64_t sequence, Event event) const {
        bool applied = false;
        const auto done =
            transact([&](OutboxTransaction& transaction, InboxTransaction& inbox) -> Result<void> {
                applied = false;
                auto events = inbox.load(std::span{&sequence, 1});
                if (!events) return events.error();
                if (events->empty()) return {};
                const auto changed = apply(transaction, inbox, events->front(), event);
                if (!changed) return changed.error();
                applied = *changed;
                return {};
            });
        if (!done) return done.error();
        return applied;
    }

    /// What the program says of an account.
    InboxAccount account(std::string_view account_sid) const;
    Result<InboxLook> look(const EventKey& key) const;
    Result<InboxAnswer> take(const InboxDelivery& delivery);

    /// @param held  what this process has in hand of each account
    Result<InboxClaims> claim(const InboxRoom& room, const InboxHeldByAccount& held);
    /// Which of these another has taken, by number and fence; the others are renewed.
    Result<std::vector<std::int64_t>> renew(
        std::span<const std::pair<std::int64_t, std::int64_t>> held) const;
    /// Runs the handler of an event that was claimed. Nothing is written.
    InboxTry try_event(InboxHandler& handler, StoredEvent claimed, const CancelToken& lost);
    /// Writes down what came of it. An error: the storage failed, and it may be asked again.
    Result<InboxOutcome> settle(const InboxTry& tried);
    Result<bool> let_go(const StoredEvent& claimed) const;
    /// Removes what is kept no longer, a little at a time, and notes that somebody is here. Whether
    /// there is more.
    Result<bool> maintain() const;
    /// When somebody handled events last, or was ready to; nullopt: never.
    Result<std::optional<TimePoint>> alive_until() const;

    /// A thread could not do its work.
    void tell_of_failure(const Error& error) const;
    void tell(const StoredEvent& event, InboxOutcome outcome, std::string_view reason,
              std::chrono::microseconds duration) const;

private:
    /// What a claim deals out.
    struct Dealing {
        InboxRoom room = {};
        std::map<std::string, InboxRoom> rooms = {};  ///< Of accounts.
        OutboxScheduler turns = {};
        InboxClaims found = {};
    };
    /// How many events may wait, and whose that is.
    struct Bound {
        BacklogGauge::Of of = {};
        std::int64_t most = 0;
        InboxAnswer full = InboxAnswer::full;
        std::optional<std::int64_t> counted = {};
    };

    InboxAnswer answer_of(TakenIn taken) const noexcept;
    std::vector<Bound> bounds_of(const StoredEvent& event) const;
    Result<void> count(InboxTransaction& inbox, Bound& bound) const;
    void note_account(const std::string& account_sid);
    /// Whether its account is here; else the try has failed.
    bool may_begin(InboxTry& tried);
    std::size_t workers_per_account() const;
    Result<void> claim_ready(OutboxTransaction& transaction, InboxTransaction& inbox,
                             Dealing& dealing);
    Result<void> claim_of(OutboxTransaction& transaction, InboxTransaction& inbox, Dealing& dealing,
                          const std::vector<std::string>& accounts) const;
    /// How many it took up.
    Result<std::size_t> claim_some(OutboxTransaction& transaction, InboxTransaction& inbox,
                                   Dealing& dealing, const std::string& account_sid,
                                   std::size_t wanted) const;
    static Result<bool> is_caught_up(InboxTransaction& inbox, const EventKey& key);
    Result<void> close(OutboxTransaction& transaction, InboxTransaction& inbox,
                       const StoredEvent& event) const;
    Result<void> finish(OutboxTransaction& transaction, InboxTransaction& inbox,
                        const InboxTry& tried, std::optional<Error>& refused, bool& lost) const;
    Result<InboxOutcome> fail(const InboxTry& tried, const std::string& problem, bool for_good);

    Outbox* const outbox_;
    OutboxParts parts_ = {};
    std::optional<JobIntake> intake_ = {};
    std::optional<CallbackIntake> callbacks_ = {};
    BacklogGauge backlog_;
    /// Accounts take turns as senders of an outbox do. Who claims is one thread.
    OutboxScheduler turns_ = {};

    AccountWaits waits_ = {};
    mutable std::mutex accounts_mutex_;
    std::string first_account_ = {};  ///< Of which something came.
    bool several_accounts_ = false;
};

}  // namespace twiliowa::detail
