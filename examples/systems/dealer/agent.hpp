// The dealer's agent: what becomes of a customer's message, of an answer, and of what people at the
// help desk do.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include <twiliowa/media_client.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/outbox/turn.hpp>

#include "conversations.hpp"
#include "telemetry.hpp"
#include "workflow.hpp"

namespace dealer {

struct AgentOptions {
    std::string media_directory = {};    ///< Where customers' files go.
    std::string fallback_template = {};  ///< Goes for an agent's text outside the window (HX...).
    std::size_t longest_text = 4'096;    ///< Of a message that the workflow is asked about, bytes.
};

/// What the help desk reports, in the form of Chatwoot's webhooks.
enum class DeskAnswer { done, not_known, unreadable };

/// Thread-safe.
class Agent {
public:
    Agent(Conversations& conversations, Workflow& workflow, twiliowa::Outbox& outbox,
          twiliowa::MediaClient media, Telemetry& telemetry, AgentOptions options);

    /// From the inbox. Asks the workflow, unless a person has taken the conversation over.
    void on_message(twiliowa::Turn& turn);
    /// STOP and its like: seen by the help desk, answered by nobody.
    void on_opt_out(twiliowa::Turn& turn);
    /// Of the outbox.
    void on_outcome(const twiliowa::JobOutcome& outcome);
    /// A conversation is opened (taken over), pending or resolved (handed back), or somebody
    /// writes.
    DeskAnswer on_desk_event(std::string_view json);
    /// For InboxOptions::reply_options.
    twiliowa::JobOptions reply_options(const twiliowa::InboundMessage& message);

private:
    /// Hands a person's answer over to the channel by which the customer came.
    using Channel = std::function<void(const Conversation& conversation, const std::string& key,
                                       const std::string& text, const std::string& file_url)>;
    Conversation record(const twiliowa::Turn& turn);
    std::string describe(const twiliowa::Turn& turn);
    void answer(twiliowa::Turn& turn, const Conversation& conversation, const std::string& text);
    void take_over(const Conversation& conversation);
    void send_by_twilio(const Conversation& conversation, const std::string& key,
                        const std::string& text, const std::string& file_url);

    Conversations& conversations_;
    Workflow& workflow_;
    twiliowa::Outbox& outbox_;
    twiliowa::MediaClient media_;
    Telemetry& telemetry_;
    AgentOptions options_;
    std::map<std::string, Channel> channels_ = {};
};

}  // namespace dealer
