// The dealer's agent: what becomes of a customer's message, of an answer, and of what people at the
// help desk do.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/outbox/accounts.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/outbox/turn.hpp>

#include "conversations.hpp"
#include "support/log.hpp"
#include "workflow.hpp"

namespace dealer {

/// What an account has besides its sender.
struct Site {
    std::string sms_sender = {};     ///< `sms:+...`; empty: nobody gets an SMS.
    std::string asks_to_write = {};  ///< A template for outside of the window (HX...); or empty.
};

struct AgentOptions {
    std::string media_directory = {};        ///< Where customers' files go.
    std::map<std::string, Site> sites = {};  ///< By their AccountSids.
    std::size_t longest_text = 4'096;  ///< Of a message that the workflow is asked about, bytes.
};

/// Thread-safe.
struct Agent {
    /// From the inbox. Asks the workflow, unless a person has taken the conversation over.
    void on_message(twiliowa::Turn& turn) const;
    /// STOP and its like: seen by the help desk, answered by nobody.
    void on_opt_out(const twiliowa::Turn& turn) const { record(turn); }
    /// Of the outbox.
    void on_outcome(const twiliowa::JobOutcome& outcome) const;
    /// What the help desk reports, in the form of Chatwoot's webhooks: a conversation is opened
    /// (taken over), pending or resolved (handed back), or somebody writes. Answers the HTTP
    /// status: 400 if it cannot be read, 404 if no such conversation is known.
    int on_desk_event(std::string_view json) const;

    Conversations& conversations;
    Workflow& workflow;
    twiliowa::Outbox& outbox;
    const twiliowa::Accounts& accounts;
    const support::Log& log;
    AgentOptions options = {};

private:
    twiliowa::JobOptions job_of(const Conversation& conversation, const std::string& text,
                                bool is_first) const;
    Conversation record(const twiliowa::Turn& turn) const;
    std::string describe(const twiliowa::Turn& turn) const;
    void answer(twiliowa::Turn& turn, const Conversation& conversation,
                const std::string& text) const;
    void take_over(const Conversation& conversation) const;
    void send_by_twilio(const Conversation& conversation, const std::string& key,
                        const std::string& text, const std::vector<std::string>& files) const;
};

}  // namespace dealer
