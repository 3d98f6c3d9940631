/// @file
/// Where an inbox keeps its events: `InboxTransaction`, a part of OutboxTransaction
/// (outbox/storage.hpp). Only who writes an engine of their own reads further. It may change with a
/// minor release.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/outbox/lease_time.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// Where an event of an inbox is.
enum class InboxState {
    waiting,  ///< For its first try, or its next.
    running,  ///< A worker has it.
    done,     ///< Its handler has run, and what it asked for is written down. Final.
    dead,     ///< It was tried as often as it may be: a person decides.
    dropped,  ///< A person decided that nobody handles it. Final.
};
TWILIOWA_EXPORT std::string_view to_string(InboxState state) noexcept;
/// The state of that name, as `to_string` gives it.
TWILIOWA_EXPORT std::optional<InboxState> parse_inbox_state(std::string_view name) noexcept;

/// An event as it is stored. `key`, `line`, `customer` are only compared, and `payload` is only
/// kept: in a sealed inbox they are sealed, or hashes.
struct StoredEvent {
    // ---- As it arrived; never changes, but for `payload` and `customer`, which may be erased.
    std::int64_t sequence = 0;  ///< Given by the storage: the order of arrival.
    std::string key = {};       ///< What it is known by: an event that has another's is the same.
    std::string account_sid = {};
    std::string kind = {};         ///< "message", "status", "unknown".
    std::string message_sid = {};  ///< In the clear. Empty where an unknown webhook has none.
    /// Events of one line are handled one at a time, in order. Empty: those wait for nobody.
    std::string line = {};
    std::string customer = {};  ///< Whom it names; empty: nobody.
    std::string payload = {};   ///< Empty: erased.
    bool caught_up = false;     ///< Read from Twilio's list, and not from a webhook.
    TimePoint arrived_at = {};  ///< By the clock of who took it in, or when it was sent.

    // ---- Where it is.
    InboxState state = InboxState::waiting;
    TimePoint not_before = {};
    int tries = 0;  ///< Counted when it is taken up: one that ends the process is counted, too.
    std::int64_t fence = 0;  ///< Grows with every claim.
    std::string worker = {};
    LeaseTime lease_until = {};
    bool out_of_order = false;  ///< A person tries it again: it waits for nobody, nobody for it.
    std::string problem = {};   ///< Of its last try. Free of people.
    TimePoint updated_at = {};

    /// Grows with every change: a change of what was read before another's is refused.
    std::int64_t revision = 0;
};

/// What became of an event that was handed to `InboxTransaction::take`.
enum class TakenIn {
    taken,
    duplicate,  ///< One of its key is there, or was as long as it is kept. It was not written.
    recut,      ///< Its signature came with another event first. Nothing was written.
};

/// Which events a list gives. What is empty does not filter.
struct InboxFilter {
    std::optional<InboxState> state = {};
    std::string kind = {};
    std::string message_sid = {};
    std::vector<std::string> customers = {};  ///< Any of them.
    std::int64_t after = 0;                   ///< The sequence after which it begins.
    std::size_t limit = 100;
};

/// Which accounts `InboxTransaction::ready_accounts` gives.
struct ReadyAccountsQuery {
    TimePoint now = {};                     ///< What is due by then.
    std::optional<std::string> after = {};  ///< Those behind that one; nullopt: from the first.
    bool without_messages = false;          ///< Only those whose first that is due is no message.
    std::size_t limit = 0;                  ///< No more than that.
};

/// Which events `InboxTransaction::ready` gives.
struct ReadyEventsQuery {
    std::string account_sid = {};  ///< Of that account; empty: of those that name none.
    TimePoint now = {};            ///< What is due by then.
    std::size_t limit = 0;         ///< No more than that.
};

/// The events of a storage, within a transaction of it (`OutboxTransaction::inbox`).
class TWILIOWA_EXPORT InboxTransaction {
public:
    virtual ~InboxTransaction() = default;

    /// Takes an event in as it arrived, in state waiting, with its `not_before` and `updated_at`
    /// (times of the storage), under the next sequence; binds `signature` to its key, if it is not
    /// empty: a signature belongs to the event that it came with first, also where that is a
    /// duplicate.
    virtual Result<TakenIn> take(const StoredEvent& event, std::string_view signature) = 0;
    /// What `take` would answer to an event of that key; changes nothing.
    virtual Result<TakenIn> look(std::string_view key, std::string_view signature) = 0;
    /// By sequence; what is not there is left out.
    virtual Result<std::vector<StoredEvent>> load(std::span<const std::int64_t> sequences) = 0;
    /// Writes where it is, and erases its payload or customer if they are empty; then
    /// `event.revision` is the new one. An error if somebody else has changed it.
    virtual Result<void> save(StoredEvent& event) = 0;

    /// Accounts that have events which wait and are due, in the order of their bytes: what an
    /// account has costs no other, however much that is. An account may be among them whose events
    /// all wait for others of their lines.
    virtual Result<std::vector<std::string>> ready_accounts(const ReadyAccountsQuery& query) = 0;
    /// Events of an account that wait and are due, by `not_before`, then by sequence: of each line
    /// the first that is neither done nor dead nor dropped, and only if nobody runs one of that
    /// line. Those that are `out_of_order` when they are due, whatever their line does; their line
    /// does not look at them. With several processes: none that another's transaction is taking up.
    virtual Result<std::vector<StoredEvent>> ready(const ReadyEventsQuery& query) = 0;
    /// How many events of that account wait, due or not, counted up to `at_most`.
    virtual Result<std::int64_t> waiting(std::string_view account_sid, std::int64_t at_most) = 0;
    /// Running, and whose lease has ended.
    virtual Result<std::vector<StoredEvent>> abandoned(const LeaseTime& now, std::size_t limit) = 0;
    /// When the first that waits for nothing but its time is due, or was; nullopt: there is none.
    virtual Result<std::optional<TimePoint>> next_due() = 0;
    virtual Result<std::vector<StoredEvent>> list(const InboxFilter& filter) = 0;
    virtual Result<std::map<InboxState, std::int64_t>> counts() = 0;
    /// When the newest event arrived, and the oldest that is waiting or running; nullopt: none.
    virtual Result<std::optional<TimePoint>> newest_arrival() = 0;
    virtual Result<std::optional<TimePoint>> oldest_waiting() = 0;

    /// Erases payload and customer of events that are done or dropped and were last changed before
    /// then; returns how many.
    virtual Result<std::int64_t> redact(TimePoint before, std::size_t limit) = 0;
    /// Writes `payload`, `customer`, `key` and `line` anew: erases them, or seals them anew. What
    /// was known of the old key is known of the new one. Otherwise as `save`.
    virtual Result<void> rewrite(StoredEvent& event) = 0;
    /// Removes events that are done or dropped and were last changed before `before`; and what was
    /// known of keys and signatures of events removed before `keys_before`.
    virtual Result<std::int64_t> purge(TimePoint before, std::optional<TimePoint> keys_before,
                                       std::size_t limit) = 0;
};

}  // namespace twiliowa
