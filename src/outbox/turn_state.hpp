/// @file
/// What a handler has asked for in its turn.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/outbox/turn.hpp>
#include <twiliowa/webhook/parse_webhook.hpp>

#include "outbox/job_intake.hpp"

namespace twiliowa::detail {

/// What runs in the transaction that ends an event, of which the jobs are there by then.
using TurnWork = std::function<void(const NativeTransaction&, std::span<const EnqueuedJob>)>;

/// One that asks for no jobs.
inline TurnWork without_jobs(std::function<void(const NativeTransaction&)> work) {
    return [work = std::move(work)](const NativeTransaction& transaction,
                                    std::span<const EnqueuedJob>) { work(transaction); };
}

/// Filled by a Turn, and by what the handler returns.
struct TurnState {
    const WebhookEvent& event;
    int tries = 1;
    CancelToken lease_lost = {};
    const JobIntake* intake = nullptr;  ///< Null: there is no outbox.
    JobOptions reply_options = {};      ///< Without a key.
    std::string key_prefix = {};        ///< Of the jobs' keys: the MessageSid.
    std::int64_t fence = 0;             ///< Grows with every claim of the event.

    std::vector<PreparedJob> jobs = {};
    std::vector<TurnWork> at_commit = {};
    /// Called when the try fails in spite of the handler.
    std::vector<std::function<void()>> undo = {};
    int numbered = 0;  ///< Jobs that have a key of the event's.

    Result<TurnJob> reply(const TwimlMessage& message);
    Result<TurnJob> enqueue(const OutboundMessage& message, JobOptions options);
    /// What the handler has returned.
    Result<void> answer(const MessagingResponse& response);
};

/// What Dialogue may see of a Turn.
struct TurnParts {
    static TurnState& of(Turn& turn) noexcept { return turn.state_; }
};

}  // namespace twiliowa::detail
