/// @file
/// The events of an inbox in a MemoryOutbox.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/outbox/inbox_storage.hpp>
#include <twiliowa/types/clock.hpp>

namespace twiliowa::testing::memory_outbox {

/// How to undo a work, in the order of what it did.
using UndoSteps = std::vector<std::function<void()>>;

struct KeptEventKey {
    std::int64_t sequence = 0;
    std::optional<TimePoint> removed_at = {};  ///< When its event's row went.
};

struct InboxTables {
    std::map<std::int64_t, StoredEvent> events = {};
    std::map<std::string, KeptEventKey> keys = {};
    std::map<std::string, std::int64_t> signatures = {};  ///< The sequence of the event.
    std::int64_t last_sequence = 0;
};

class MemoryInbox final : public InboxTransaction {
public:
    MemoryInbox(InboxTables& tables, const Clock& clock, UndoSteps& undo)
        : tables_(tables), clock_(clock), undo_(undo) {}

    Result<TakenIn> take(const StoredEvent& event, std::string_view signature) override;
    Result<TakenIn> look(std::string_view key, std::string_view signature) override;
    Result<std::vector<StoredEvent>> load(std::span<const std::int64_t> sequences) override;
    Result<void> save(StoredEvent& event) override;

    Result<std::vector<std::string>> ready_accounts(const ReadyAccountsQuery& query) override;
    Result<std::vector<StoredEvent>> ready(const ReadyEventsQuery& query) override;
    Result<std::int64_t> waiting(std::string_view account_sid, std::int64_t at_most) override;
    Result<std::vector<StoredEvent>> abandoned(const LeaseTime& now, std::size_t limit) override;
    Result<std::optional<TimePoint>> next_due() override;
    Result<std::vector<StoredEvent>> list(const InboxFilter& filter) override;
    Result<std::map<InboxState, std::int64_t>> counts() override;
    Result<std::optional<TimePoint>> newest_arrival() override;
    Result<std::optional<TimePoint>> oldest_waiting() override;

    Result<std::int64_t> redact(TimePoint before, std::size_t limit) override;
    Result<void> rewrite(StoredEvent& event) override;
    Result<std::int64_t> purge(TimePoint before, std::optional<TimePoint> keys_before,
                               std::size_t limit) override;

private:
    /// Those that may be taken up when they are due, the first due first.
    std::vector<const StoredEvent*> free_events() const;
    /// The event's row, as long as nobody has changed it; otherwise null.
    StoredEvent* unchanged_row(const StoredEvent& event);
    void keep_row(const StoredEvent& row);

    InboxTables& tables_;
    const Clock& clock_;
    UndoSteps& undo_;
};

}  // namespace twiliowa::testing::memory_outbox
