/// @file
/// What a handler of an inbox may do beside answering: `Turn`.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include <twiliowa/messaging_response.hpp>
#include <twiliowa/outbox/job.hpp>
#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/types/cancel.hpp>
#include <twiliowa/types/outbound.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/webhook/inbound_message.hpp>

namespace twiliowa {

namespace detail {
struct TurnParts;
struct TurnState;
}  // namespace detail

/// A job that a Turn has asked for, before it is there.
struct TurnJob {
    std::string tenant = {};  ///< JobOptions::tenant.
    /// What it is known by, in every try: `Outbox::find(tenant, key)` gives it once the event is
    /// done.
    std::string key = {};
    /// What it will have if this try is committed, and no earlier event has handed over a job under
    /// that key: then that one stays, with its own. `Turn::at_commit` is told which it is.
    JobId id = {};
};

/// A message and what its handler wants done when it is handled. Take it in place of the
/// InboundMessage: `handler.on_text([](Turn& turn) { turn.reply("Thank you"); })`.
///
/// Nothing of it happens before the handler has returned: then the event is marked as done, what it
/// replied and enqueued becomes jobs of the outbox, and what it gave to `at_commit` is done, in one
/// transaction: all of it, or nothing. Handlers run at least once; what is committed with the event
/// happens once. No transaction is open while the handler runs, so it may take its time.
///
/// Lives as long as the call of the handler, and is for its thread alone.
class Turn {
public:
    /// Made by the inbox.
    explicit Turn(detail::TurnState& state) noexcept : state_(state) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() = default;

    /// What the customer wrote.
    const InboundMessage& message() const noexcept;
    /// From 1: which try at this event it is.
    int tries() const noexcept;
    /// Cancelled when another has taken the event: what is asked for here will be dropped. May be
    /// given to a send.
    const CancelToken& lease_lost() const noexcept;

    /// Replies to who wrote, as the sender that was written to: a job under the key
    /// `<MessageSid>/1`, the next one under `/2`, in this order. Answers that a handler returns
    /// come after these.
    /// @throws InvalidRequestError for what a send would refuse, or without an outbox.
    TurnJob reply(std::string_view text);
    /// As the TwiML says: its `to`, `from` and `action` (or `status_callback`) count, too.
    TurnJob reply(const TwimlMessage& message);
    Result<TurnJob> try_reply(const TwimlMessage& message);

    /// Any message. Without a key in `options` it has the next one of the replies; with one it is
    /// as `Outbox::enqueue` with that key, so that events may share it.
    /// @throws InvalidRequestError as `reply`.
    TurnJob enqueue(const OutboundMessage& message, const JobOptions& options = {});
    Result<TurnJob> try_enqueue(const OutboundMessage& message, const JobOptions& options = {});

    /// Runs `work` in the transaction that marks the event as done, for rows of the program's own:
    /// on its connection (`NativeTransaction::sqlite`, `postgresql`; in a MemoryOutbox neither). If
    /// it throws, all is undone, and the event tried again: that try counts, as one whose handler
    /// threw, since only the handler can mend what its rows do not fit into any more, and what
    /// never fits has to end as a dead letter. It may run in another thread, and again if the
    /// storage has to begin anew: it must only write to that connection, and neither end the
    /// transaction nor wait for anybody, nor change the connection's settings.
    ///
    /// A SqliteOutbox gives `sqlite3*`; foreign keys are not enforced on it. A PostgresOutbox gives
    /// `PGconn*`, which is to be used by calls that wait (`PQexec`, `PQexecParams`), with no result
    /// left unread; the server ends a statement that takes longer than about `statement_timeout`. A
    /// statement that fails there fails the whole transaction, also if nothing is thrown, unless it
    /// is rolled back to a savepoint.
    void at_commit(std::function<void(const NativeTransaction&)> work);
    /// The same for rows that name jobs: `jobs` are those of the event as they were taken in, in
    /// this transaction, in the order in which they were asked for, with what the handler returned
    /// at the end.
    void at_commit(
        std::function<void(const NativeTransaction&, std::span<const EnqueuedJob> jobs)> work);

private:
    friend struct detail::TurnParts;
    detail::TurnState& state_;
};

}  // namespace twiliowa
