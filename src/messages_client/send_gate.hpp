/// @file
/// What a client knows of its recipients and templates: asked before a send, told of a refusal
/// after it.
#pragma once

#include <array>
#include <memory>

#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/types/address.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/types/message.hpp>
#include <twiliowa/types/outbound.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/sender.hpp>

#include "messages_client/message_templates.hpp"
#include "messages_client/outbound_checks.hpp"
#include "templates/template_cache.hpp"

namespace twiliowa::detail {

/// Who a message goes to and comes from; empty where nothing is known or to be learnt.
struct SendNote {
    std::array<Sender, 2> senders = {};  ///< From and the messaging service, as far as known here.
    Address to = {};
    TimePoint at = {};
    bool fallback = false;  ///< Its fallback went instead.

    bool on_whatsapp() const noexcept { return to.channel() == Address::Channel::whatsapp; }
};

/// Any part may be missing. Immutable; thread-safe.
struct SendGate {
    std::shared_ptr<const ConversationWindow> window = {};
    std::shared_ptr<const OptOuts> opt_outs = {};
    std::shared_ptr<TemplateCache> templates = {};
    bool refuse_unknown_window = false;

    /// Whether there is anything to note of a message: who is asked about its recipient.
    bool knows_recipients() const noexcept { return window || opt_outs; }

    enum class Way { as_it_is, fallback };
    /// How the message may go, or why it may not. The note may be empty where no recipients are
    /// known, `content` is null where nothing is known of the message's template. Its fallback is
    /// needed only where that has to go.
    Result<Way> admit(const CheckedOutbound& checked, const SendNote& note,
                      const CompiledTemplate* content, NeededTemplate& fallback) const;
    /// Takes in what Twilio's refusal says of the recipient. A store that fails is left alone: the
    /// refusal is what the caller must hear of.
    void learn(const SendNote& note, const Error& refusal) const;
    /// After the send: says which way the message went, or learns why it did not.
    void finish(const SendNote& note, Result<Message>& sent) const {
        if (sent) {
            sent->sent_fallback = note.fallback;
        } else {
            learn(note, sent.error());
        }
    }
};

SendNote note_of(const CheckedOutbound& checked, TimePoint now);

/// `message` with its fallback template in place of its content.
OutboundMessage fallback_of(const OutboundMessage& message);

}  // namespace twiliowa::detail
