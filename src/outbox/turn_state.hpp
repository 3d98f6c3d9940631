/// @file
/// What a handler has asked for in its turn.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <twiliowa/outbox/turn.hpp>
#include <twiliowa/webhook/parse_webhook.hpp>

#include "outbox/job_intake.hpp"

namespace twiliowa::detail {

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
    std::vector<std::function<void(const NativeTransaction&)>> at_commit = {};
    /// Called when the try fails in spite of the handler.
    std::vector<std::function<void()>> undo = {};
    int numbered = 0;  ///< Jobs that have a key of the event's.

    Result<void> reply(const TwimlMessage& message);
    Result<void> enqueue(const OutboundMessage& message, JobOptions options);
    /// What the handler has returned.
    Result<void> answer(const MessagingResponse& response);
};

/// What Dialogue may see of a Turn.
struct TurnParts {
    static TurnState& of(Turn& turn) noexcept { return turn.state_; }
};

}  // namespace twiliowa::detail
