// What organisations and their customers write to one another: each message goes once, is in the
// history of its session, and is charged.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/outbox/turn.hpp>

#include "chatbot.hpp"
#include "history.hpp"
#include "support/log.hpp"
#include "tenants.hpp"
#include "usage.hpp"

namespace platform {

/// What was asked to be sent.
struct TakenIn {
    std::vector<twiliowa::JobId> jobs = {};  ///< One for each part of the text.
    /// The month, if it has not enough left: nothing was taken in.
    std::optional<twiliowa::QuotaState> refused_by = {};
};

/// Thread-safe.
struct Messages {
    /// An organisation sends a text.
    /// @param to   as Twilio wants it
    /// @param key  of the request: what is known under it is the answer.
    /// Throws InvalidRequestError for what a send would refuse; `key` if it was another text's;
    /// `max_waiting_per_tenant` if too many wait.
    TakenIn send(const Configuration& tenant, const std::string& to, const std::string& text,
                 const std::string& key) const;
    /// Whether that was sent under this key before.
    bool is_known(const std::string& organisation, const std::string& key) const;
    /// What became of it: charged is what has gone, or may have.
    void on_outcome(const twiliowa::JobOutcome& outcome) const;
    /// A customer has written: the organisation's chatbot answers.
    void on_message(twiliowa::Turn& turn) const;

    const Tenants& tenants;
    const History& history;
    const Usage& usage;
    Chatbot& chatbot;
    twiliowa::Outbox& outbox;
    const support::Log& log;

private:
    twiliowa::JobOptions job_of(const Configuration& tenant, const std::string& session) const;
    void reply(twiliowa::Turn& turn, const Configuration& tenant, const std::string& text) const;
};

}  // namespace platform
