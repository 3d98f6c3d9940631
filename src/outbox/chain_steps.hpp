/// @file
/// How the steps of a chain become jobs: in the transaction that takes in what calls for them.
#pragma once

#include <optional>
#include <span>

#include <twiliowa/outbox/storage.hpp>

#include "outbox/outbox_core.hpp"

namespace twiliowa::detail {

/// What follows for its chain from what has just become of a job: its next step is taken in, or
/// cancelled. To be saved with the job, which it may change.
Result<void> keep_chain(const OutboxCore& core, OutboxTransaction& transaction, StoredJob& job,
                        std::span<const Outcome> outcomes);

/// Takes in the next step of a job whose `chain_due` has come. Whether it had.
Result<bool> overtake(const OutboxCore& core, OutboxTransaction& transaction, StoredJob& job);

/// The job that is its next step, if there is one.
Result<std::optional<StoredJob>> next_step_of(const OutboxCore& core,
                                              OutboxTransaction& transaction, const StoredJob& job);

/// Sends a job again that is dead and certainly was not sent, unless a later step of its chain has
/// left, or may: that one is what to send again. Whether it does.
Result<bool> retry_job(const OutboxCore& core, OutboxTransaction& transaction, StoredJob& job);

}  // namespace twiliowa::detail
