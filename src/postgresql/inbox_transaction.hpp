/// @file
/// What an inbox asks of its storage, as statements in one transaction of PostgreSQL.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/outbox/inbox_storage.hpp>

#include "outbox/event_values.hpp"
#include "postgresql/inbox_rows.hpp"
#include "postgresql/work_statements.hpp"

namespace twiliowa::detail {

/// The part of a PostgresOutboxTransaction that has to do with the inbox. Everything is sent at
/// once, but for the counts. What was read is written only if it is still as it was; otherwise all
/// begins anew.
///
/// Lines: an event is `behind` once who looked for work has seen an earlier one in its way, and
/// kept that one where it was until the commit. Who takes an event out of its line has it alone
/// with others who do so, until the commit, and clears the next one. So an event is never behind
/// nobody, and who claims does not read over those that wait in long lines.
class PostgresInboxTransaction final : public InboxTransaction {
public:
    PostgresInboxTransaction(PostgresWorkStatements& statements, TimePoint now)
        : statements_(statements), now_(now) {}

    // ---- For the transaction that it is a part of: see PostgresOutboxTransaction

    void begin_work();
    void keep_work();
    void drop_work();
    void forget() { known_.clear(); }
    /// Of the works that were kept; nullopt: as many as before.
    std::optional<PostgresStatement> tally() const;

    // ---- InboxTransaction

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
    using Tally = std::map<InboxState, std::int64_t>;

    /// What the database has of an event, of a revision.
    struct KnownRow {
        std::int64_t revision = 0;
        InboxState state = InboxState::waiting;
        std::string key = {};
        std::string line = {};
        bool holds_line = false;  ///< Others of its line wait for it.
        bool has_payload = false;
    };

    Result<EventOwners> owners_of(std::string_view key, std::string_view signature);
    Result<std::vector<StoredEvent>> events_of(const PostgresStatement& statement);
    Result<std::optional<TimePoint>> time_of(const std::string& sql);
    /// The event's row, as long as nobody has changed it.
    Result<KnownRow> unchanged_row(const StoredEvent& event);
    /// How many were marked as behind others.
    Result<std::size_t> mark_behind(const ReadyEventsQuery& query);
    Result<void> fold_tally();
    void know(const StoredEvent& event);

    PostgresWorkStatements& statements_;
    const TimePoint now_;
    std::map<std::int64_t, KnownRow> known_ = {};
    Tally work_tally_ = {};
    Tally batch_tally_ = {};
};

}  // namespace twiliowa::detail
