/// @file
/// What everything of an inbox shares: its storage, its rules, and what a worker does with an
/// event, step by step. Without threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/outbox/durable_inbox.hpp>

#include "outbox/callback_intake.hpp"
#include "outbox/event_codec.hpp"
#include "outbox/inbox_machine.hpp"
#include "outbox/job_intake.hpp"
#include "outbox/turn_state.hpp"

namespace twiliowa::detail {

/// How many events may be taken up.
struct InboxRoom {
    std::size_t messages = 0;
    std::size_t all = 0;
};

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

/// How many events wait, known well enough: counted once a second at most. Thread-safe.
class BacklogGauge {
public:
    bool is_due(MonotonicTime now) const;
    void set(std::int64_t waiting, MonotonicTime now);
    void add(std::int64_t events);
    std::int64_t waiting() const;

private:
    mutable std::mutex mutex_;
    std::optional<MonotonicTime> counted_at_ = {};
    std::int64_t waiting_ = 0;
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

    Result<InboxLook> look(const EventKey& key) const;
    Result<InboxAnswer> take(const InboxDelivery& delivery);

    Result<InboxClaims> claim(const InboxRoom& room);
    /// Which of these another has taken, by number and fence; the others are renewed.
    Result<std::vector<std::int64_t>> renew(
        std::span<const std::pair<std::int64_t, std::int64_t>> held) const;
    /// Runs the handler of an event that was claimed. Nothing is written.
    InboxTry try_event(InboxHandler& handler, StoredEvent claimed, const CancelToken& lost) const;
    /// Writes down what came of it. An error: the storage failed, and it may be asked again.
    Result<InboxOutcome> settle(const InboxTry& tried);
    Result<bool> let_go(const StoredEvent& claimed) const;
    /// Removes what is kept no longer, a little at a time, and notes that somebody is here. Whether
    /// there is more.
    Result<bool> maintain() const;
    /// When somebody handled events last, or was ready to; nullopt: never.
    Result<std::optional<TimePoint>> alive_until() const;

    void tell(const StoredEvent& event, InboxOutcome outcome, std::string_view reason,
              std::chrono::microseconds duration) const;

private:
    InboxAnswer answer_of(TakenIn taken) const noexcept;
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
};

}  // namespace twiliowa::detail
