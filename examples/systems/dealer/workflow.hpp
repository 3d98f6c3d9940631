// What answers customers: a router, an extraction, a conversation and the dealer's CRM, elsewhere.
#pragma once

#include <string>

#include <twiliowa/types/cancel.hpp>

#include "support/settings.hpp"

namespace dealer {

struct Question {
    std::string source = {};       ///< The channel it came by: `twilio`.
    std::string message_sid = {};  ///< What to know a repetition by.
    std::string customer_name = {};
    std::string text = {};
    int files = 0;
};

class Workflow {
public:
    virtual ~Workflow() = default;
    /// Takes some seconds. Empty: nothing is to be said. What it throws is tried again. It may be
    /// asked again about a message, by another process, too. Called by several threads at once.
    virtual std::string answer(const Question& question, const twiliowa::CancelToken& lost) = 0;
};

/// Answers by words, after a while.
class StandInWorkflow final : public Workflow {
public:
    explicit StandInWorkflow(support::Waits waits) : waits_(waits) {}
    std::string answer(const Question& question, const twiliowa::CancelToken& lost) override;

private:
    support::Waits waits_;
};

}  // namespace dealer
