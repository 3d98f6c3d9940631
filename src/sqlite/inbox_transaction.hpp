/// @file
/// What an inbox asks of its storage, as statements on one file of SQLite.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include <twiliowa/outbox/inbox_storage.hpp>

#include "outbox/event_values.hpp"
#include "sqlite/work_statements.hpp"

namespace twiliowa::detail {

/// Events of the account ?1 that wait for nothing but their time, until ?2, at most ?3.
std::string ready_events_sql();
/// The first account behind ?1 that has events which wait: its name, when the first of them is due,
/// and whether that is a message.
std::string next_account_sql();

/// The part of a work that has to do with the inbox.
class SqliteInboxTransaction final : public InboxTransaction {
public:
    SqliteInboxTransaction(WorkStatements& statements, const Clock& clock)
        : statements_(statements), clock_(clock) {}

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
    /// What the file has of an event.
    struct EventRow {
        InboxState state = InboxState::waiting;
        std::string key = {};
        std::string line = {};
        bool holds_line = false;  ///< Others of its line wait for it.
    };

    /// The event's row, as long as nobody has changed it.
    Result<EventRow> unchanged_row(const StoredEvent& event);
    Result<EventOwners> owners_of(std::string_view key, std::string_view signature);
    /// The event that has the key, or had it; nullopt: none.
    Result<std::optional<std::int64_t>> event_of_key(std::string_view key);
    Result<std::optional<std::int64_t>> event_of_signature(std::string_view signature);
    Result<std::int64_t> insert(const StoredEvent& event);
    Result<void> bind_signature(std::string_view signature, std::int64_t event);
    Result<void> free_next(std::string_view line);
    Result<void> count(InboxState state, std::int64_t events);
    Result<void> remove(std::int64_t sequence, std::string_view key, TimePoint at);

    template <class Bind>
    Result<std::vector<StoredEvent>> events_of(const std::string& sql, const Bind& bind);
    Result<std::optional<std::int64_t>> number_of(
        const std::string& sql, const std::function<void(SqliteStatement&)>& bind);
    Result<std::optional<TimePoint>> time_of(const std::string& sql);

    WorkStatements& statements_;
    const Clock& clock_;
};

}  // namespace twiliowa::detail
