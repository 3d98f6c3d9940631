/// @file
/// What is stored of a customer's dialogue.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/outbox/dialogue.hpp>
#include <twiliowa/types/clock.hpp>

namespace twiliowa::detail {

/// How many messages are known to have been handled. One that comes again, or whose handler has
/// lost its lease, is told from a new one by them.
inline constexpr std::size_t most_handled_messages = 8;

struct DialogueRecord {
    DialogueState state = {};
    TimePoint written = {};
    /// The MessageSids that led here, newest first.
    std::vector<std::string> handled = {};
    /// Which claim of its event wrote this, where there is an inbox.
    std::int64_t fence = 0;
    /// What the newest message found: it runs again on that, if its answers did not leave. Nullopt:
    /// they have, or may have.
    std::optional<DialogueState> before = {};

    friend bool operator==(const DialogueRecord&, const DialogueRecord&) = default;
};

/// Of `before` the difference alone. Any bytes may occur.
std::string dialogue_text(const DialogueRecord& record);
/// Nullopt for what `dialogue_text` does not write.
std::optional<DialogueRecord> parse_dialogue(std::string_view text);

}  // namespace twiliowa::detail
