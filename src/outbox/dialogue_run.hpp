/// @file
/// One run of a step, as its DialogueTurn sees it.
#pragma once

#include <optional>
#include <string>

#include <twiliowa/outbox/dialogue.hpp>

#include "outbox/dialogue_contents.hpp"
#include "outbox/dialogue_courier.hpp"
#include "outbox/dialogue_memory.hpp"

namespace twiliowa::detail {

using DialogueSteps = std::map<std::string, Dialogue::Step, std::less<>>;

struct DialogueRun {
    const DialogueOptions& options;
    const DialogueSteps& steps;
    const KnownContents& contents;
    const InboundMessage& message;
    const DialogueParties& parties;
    const CancelToken& lease_lost;
    DialogueCourier& courier;
    const std::string step;           ///< That runs.
    DialogueState state = {};         ///< As it will be written.
    std::optional<Error> fault = {};  ///< Fails the turn, whatever the step makes of it.
    bool is_window_known = false;

    /// Whether replies may leave at present.
    Result<void> check_window();
    Result<void> reply(const TwimlMessage& message);
    Result<void> ask(AskedBy by, std::string_view question, const TextList& titles);
    Result<void> next(std::string_view name);
};

}  // namespace twiliowa::detail
