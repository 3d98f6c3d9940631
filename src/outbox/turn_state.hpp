/// @file
/// What a handler has asked for in its turn.
#pragma once

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

    std::vector<PreparedJob> jobs = {};
    std::vector<std::function<void(const NativeTransaction&)>> at_commit = {};
    int numbered = 0;  ///< Jobs that have a key of the event's.

    Result<void> reply(const TwimlMessage& message);
    Result<void> enqueue(const OutboundMessage& message, JobOptions options);
    /// What the handler has returned.
    Result<void> answer(const MessagingResponse& response);
};

}  // namespace twiliowa::detail
