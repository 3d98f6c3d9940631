/// @file
/// What a WebhookHandler knows of an inbox: it writes down what comes in before Twilio gets its
/// 200, and has it handled from there. `Inbox`. The one of the library is DurableInbox
/// (outbox/durable_inbox.hpp).
#pragma once

#include <string>
#include <string_view>

#include <twiliowa/export.hpp>
#include <twiliowa/messaging_response.hpp>
#include <twiliowa/state/dedup_store.hpp>
#include <twiliowa/types/cancel.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/webhook/parse_webhook.hpp>
#include <twiliowa/webhook/webhook_request.hpp>

namespace twiliowa {

/// One event and what its handler wants done with it: outbox/turn.hpp.
class Turn;
/// What a Turn answers to who enqueues: outbox/turn.hpp.
struct TurnJob;

/// A verified event on its way into an inbox.
struct InboxDelivery {
    const EventKey& key;        ///< With what stands for its signature, if it has one.
    const WebhookEvent& event;  ///< As it was read, and with what was learnt of it.
    /// What it was read from: these parts alone, none of the headers.
    std::string_view method = {};
    std::string_view target = {};  ///< The path and the query.
    std::string_view body = {};    ///< What the signature covers of it.
    TimePoint arrived_at = {};     ///< When it came in, or was sent.
    bool caught_up = false;        ///< From Twilio's list, and not from a webhook.
    bool has_handler = true;       ///< False: nobody wants it, only that it came is to be known.
};

/// What became of an event that was handed to an inbox.
enum class InboxAnswer {
    taken,         ///< It is on the disk.
    duplicate,     ///< It is there, or was.
    recut,         ///< Its signature came with another event first.
    full,          ///< As many wait as may.
    account_full,  ///< As many of its account wait as may.
    switched_off,  ///< Its account is switched off: it is answered 200, and not kept.
};

/// What `Inbox::look` sees.
struct InboxLook {
    InboxAnswer answer = InboxAnswer::taken;  ///< What `take` would answer.
    /// Of a duplicate: what is there was read from Twilio's list, as `InboundMessage::caught_up`
    /// says to its handler; so it came without a signature, and with SIDs, addresses, body and
    /// media alone. Known as long as the event is kept, and false then.
    bool caught_up = false;
};

/// Who handles the events of an inbox: a WebhookHandler.
class TWILIOWA_EXPORT InboxHandler {
public:
    virtual ~InboxHandler() = default;

    /// Runs the handler that is for the event; what it answers, or why it failed. Throws nothing
    /// but std::bad_alloc.
    /// @param turn  for a handler that takes one
    virtual Result<MessagingResponse> run(WebhookEvent& event, const CancelToken& lease_lost,
                                          Turn& turn) = 0;
    /// Takes in what no webhook brought, as if one had: what it teaches is learnt, and it is handed
    /// to the inbox. Nothing of it is verified.
    virtual Result<InboxAnswer> take_in(const WebhookRequest& request, TimePoint arrived_at) = 0;
};

/// Where events are written down before Twilio gets its 200, and handled from. Safe to use from any
/// thread.
class TWILIOWA_EXPORT Inbox {
public:
    virtual ~Inbox() = default;

    /// What `take` would answer, and how what is there came in; nothing is written.
    virtual Result<InboxLook> look(const EventKey& key) = 0;
    /// Writes an event down. When this returns `taken` it survives a loss of power.
    virtual Result<InboxAnswer> take(const InboxDelivery& delivery) = 0;

    /// Whether what handlers answer can be sent from here.
    virtual bool can_reply() const noexcept = 0;
    /// Whether it has begun to handle events: from then on no handler may be added.
    virtual bool is_running() const noexcept = 0;

    /// From now on events are handled by `handler`. An error if another one is there.
    virtual Result<void> attach(InboxHandler& handler) = 0;
    /// From now on by nobody; returns when none of its handlers runs any more.
    virtual void detach(InboxHandler& handler) noexcept = 0;
};

}  // namespace twiliowa
