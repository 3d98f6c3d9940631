/// @file
/// The front door for receiving: `WebhookHandler`.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string_view>
#include <type_traits>
#include <utility>

#include <twiliowa/export.hpp>
#include <twiliowa/messaging_response.hpp>
#include <twiliowa/request_validator.hpp>
#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/dedup_store.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/observer.hpp>
#include <twiliowa/webhook/inbound_filter.hpp>
#include <twiliowa/webhook/parse_webhook.hpp>
#include <twiliowa/webhook/per_account.hpp>
#include <twiliowa/webhook/public_url.hpp>
#include <twiliowa/webhook/webhook_request.hpp>

namespace twiliowa {

/// How a handler is set up. Everything has a default.
struct WebhookOptions {
    /// How the outside world reaches this service: Twilio signs that URL. Behind a proxy, and
    /// wherever TLS is ended by something else, the default does not fit.
    PublicUrl public_url = PublicUrl::as_received();
    /// What was handled already. Default: in this process's memory; give one on a shared store when
    /// several processes serve the same URL.
    std::shared_ptr<DedupStore> dedup = {};
    /// Told of every inbound message, and of the error 63016, when given: a
    /// `std::shared_ptr<ConversationWindow>`, or a function from the AccountSid of a verified event
    /// to the account's own. Share it with MessagesClient. Where accounts do not trust each other
    /// each needs its own, with a scope: one may name another's sender (docs/security.md).
    PerAccount<ConversationWindow> window = {};
    /// Told of every inbound message and every error, when given. As `window`.
    PerAccount<OptOuts> opt_outs = {};
    std::shared_ptr<Observer> observer = {};
    std::size_t max_body_bytes = std::size_t{256} * 1024;
    /// Requests a peer may make at once; as many again become possible over `peer_period`, one by
    /// one. 0 does not limit. An IPv6 peer is its /64. Behind a proxy every request has the proxy's
    /// address: limit there.
    int requests_per_peer = 0;
    std::chrono::milliseconds peer_period{60'000};  ///< At most a hundred years.
    /// Sees what a handler threw, before it becomes a 500. May hold what it likes: the Observer is
    /// told of TwilioErrors only, whose `what()` is free of people.
    std::function<void(std::exception_ptr)> on_exception = {};
    std::shared_ptr<Clock> clock = {};  ///< Default: the machine's.
};

/// From a raw request to its answer: verify, parse, claim, dispatch, answer.
///
/// Each event runs its handler once, whatever Twilio repeats and however many threads (and, on a
/// shared store, processes) take part: a duplicate of a finished event is answered 200 without the
/// handler, one of an event still being handled 503. A handler that throws is answered 500 and the
/// event is free again; one whose process died is free when its lease ends (DedupOptions). Twilio
/// repeats a 5xx only if the webhook's URL asks for it, with `#rc=3&rp=all`: give Twilio what
/// `PublicUrl::webhook_url` makes with ConnectionOverrides.
///
/// An event is known by (AccountSid, MessageSid, its kind, its status), which are signed; headers
/// play no part. An UnknownWebhook is known by all its parameters instead of a status. A reply lost
/// on its way to Twilio is lost, as the repetition is answered without it: send what must arrive
/// with MessagesClient.
///
/// Set it up first; then `handle` may be called from any number of threads at once. Handlers run in
/// the thread that called it. The first handler whose filter says yes runs, and no other.
///
/// @code
/// WebhookHandler handler{RequestValidator{auth_token},
///                        {.public_url = PublicUrl::fixed("https://bot.example.com")}};
/// handler.on_text([](const InboundMessage& message) {
///     return MessagingResponse{"You said: " + message.body};
/// });
/// const WebhookResponse answer = handler.handle(request);  // a WebhookRequest
/// @endcode
class TWILIOWA_EXPORT WebhookHandler {
public:
    using MessageHandler = std::function<MessagingResponse(const InboundMessage&)>;
    using StatusHandler = std::function<void(const StatusCallback&)>;
    using UnknownHandler = std::function<MessagingResponse(const UnknownWebhook&)>;

    /// @throws InvalidRequestError naming the option that is wrong.
    explicit WebhookHandler(RequestValidator validator, WebhookOptions options = {});
    ~WebhookHandler();
    WebhookHandler(const WebhookHandler&) = delete;
    WebhookHandler& operator=(const WebhookHandler&) = delete;
    WebhookHandler(WebhookHandler&&) noexcept;
    WebhookHandler& operator=(WebhookHandler&&) noexcept;

    /// `handler` takes a `const InboundMessage&` and returns a MessagingResponse, or nothing.
    template <class Handler>
    WebhookHandler& on(const InboundFilter& filter, Handler handler) {
        add(filter, answering<InboundMessage>(std::move(handler)));
        return *this;
    }
    template <class Handler>
    WebhookHandler& on_text(Handler handler) {
        return on(inbound::text(), std::move(handler));
    }
    template <class Handler>
    WebhookHandler& on_media(Handler handler) {
        return on(inbound::media(), std::move(handler));
    }
    template <class Handler>
    WebhookHandler& on_location(Handler handler) {
        return on(inbound::location(), std::move(handler));
    }
    template <class Handler>
    WebhookHandler& on_button(Handler handler) {
        return on(inbound::button(), std::move(handler));
    }
    template <class Handler>
    WebhookHandler& on_list(Handler handler) {
        return on(inbound::list(), std::move(handler));
    }
    template <class Handler>
    WebhookHandler& on_flow(Handler handler) {
        return on(inbound::flow(), std::move(handler));
    }
    /// Whatever no earlier handler took.
    template <class Handler>
    WebhookHandler& on_message(Handler handler) {
        return on(inbound::any(), std::move(handler));
    }
    /// `handler` takes a `const StatusCallback&`.
    WebhookHandler& on_status(StatusHandler handler);
    /// Called for this status only: `MessageStatus::read`.
    WebhookHandler& on_status(std::string_view status, StatusHandler handler);
    /// `handler` takes a `const UnknownWebhook&`. One without a MessageSid is not deduplicated.
    template <class Handler>
    WebhookHandler& on_unknown(Handler handler) {
        add_unknown(answering<UnknownWebhook>(std::move(handler)));
        return *this;
    }

    /// Answers a request, whatever it holds. Throws nothing but std::bad_alloc.
    WebhookResponse handle(const WebhookRequest& request) const;

private:
    struct Impl;
    void add(InboundFilter filter, MessageHandler handler);
    void add_unknown(UnknownHandler handler);

    /// A handler that returns nothing answers nothing.
    template <class Event, class Handler>
    static std::function<MessagingResponse(const Event&)> answering(Handler handler) {
        if constexpr (std::is_void_v<std::invoke_result_t<Handler&, const Event&>>) {
            return [handler = std::move(handler)](const Event& event) mutable {
                handler(event);
                return MessagingResponse{};
            };
        } else {
            return handler;
        }
    }

    std::unique_ptr<Impl> impl_;
};

}  // namespace twiliowa
