/// @file
/// How a message becomes a job: checked and sealed, then inserted in a transaction.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/outbox/storage.hpp>

#include "outbox/outbox_core.hpp"

namespace twiliowa::detail {

/// A job that is checked, and not handed over yet.
struct PreparedJob {
    StoredJob stored = {};
    std::string key = {};                ///< As it was given.
    std::vector<std::string> keys = {};  ///< As it may be kept.
    /// Why it is refused, unless somebody has its key: handed over again it is not too late.
    std::optional<Error> too_late = {};
};

class JobIntake {
public:
    explicit JobIntake(std::shared_ptr<const OutboxCore> core) noexcept : core_(std::move(core)) {}

    /// Errors: what a send would refuse, by the field's name; what the sealer answered.
    Result<PreparedJob> prepare(const OutboundMessage& message, const JobOptions& options) const;
    Result<PreparedJob> prepare(const OutboundMessage& message, const JobOptions& options,
                                const JobId& id, TimePoint now) const;
    /// Inserts it, or says who has its key. Errors: InvalidRequestError if that is for another
    /// message, or too many wait; those of the storage.
    Result<EnqueuedJob> take_in(OutboxTransaction& transaction, const PreparedJob& job) const;
    /// The same of a job that follows from something that arrived then. If the storage went back in
    /// time since, a later state of it may have sent that message: it is a suspect.
    Result<EnqueuedJob> take_in(OutboxTransaction& transaction, const PreparedJob& job,
                                TimePoint arrived_at) const;
    Result<EnqueuedJob> answer_of(const PreparedJob& job, const InsertedJob& inserted) const;

private:
    Result<std::optional<InsertedJob>> holder_of(OutboxTransaction& transaction,
                                                 const PreparedJob& job) const;
    bool asks_first(const PreparedJob& job) const noexcept;
    Result<void> check_room(OutboxTransaction& transaction, const StoredJob& job) const;
    JobDefaults defaults_of(const OutboundMessage& message, const std::string& account) const;

    std::shared_ptr<const OutboxCore> core_;
};

/// What else needs of an Outbox that is on its storage.
struct OutboxParts {
    std::shared_ptr<const OutboxCore> core = {};
    std::function<void()> wake = {};  ///< Something new waits. As long as the outbox lives.

    static OutboxParts of(Outbox& outbox);
};

}  // namespace twiliowa::detail
