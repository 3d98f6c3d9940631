/// @file
/// The front door for receiving: `WebhookHandler`.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/inbox.hpp>
#include <twiliowa/messaging_response.hpp>
#include <twiliowa/request_validator.hpp>
#include <twiliowa/state/conversation_window.hpp>
#include <twiliowa/state/customers.hpp>
#include <twiliowa/state/dedup_store.hpp>
#include <twiliowa/state/opt_outs.hpp>
#include <twiliowa/types/cancel.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/observer.hpp>
#include <twiliowa/types/text_field.hpp>
#include <twiliowa/webhook/inbound_filter.hpp>
#include <twiliowa/webhook/parse_webhook.hpp>
#include <twiliowa/webhook/per_account.hpp>
#include <twiliowa/webhook/public_url.hpp>
#include <twiliowa/webhook/webhook_request.hpp>

namespace twiliowa {

/// The method by which Twilio calls.
enum class WebhookMethod { post, get };

/// Which requests use up what a peer may make (WebhookOptions::requests_per_peer).
enum class PeerLimitCounts {
    /// Those that are not verified: no signature that fits, the wrong method, too large a body. The
    /// peer that has made as many is answered 429 to them; what Twilio signed always passes, which
    /// takes a look at each signature. Replays pass, too.
    failed,
    /// Every request, before anything else is looked at: Twilio's, too, which then may be refused.
    all,
};

/// How a handler is set up. Everything has a default.
struct WebhookOptions {
    /// How the outside world reaches this service: Twilio signs that URL. Behind a proxy, and
    /// wherever TLS is ended by something else, the default does not fit.
    PublicUrl public_url = PublicUrl::as_received();
    /// What was handled already. Default: in this process's memory (the last 100,000 events); give
    /// one on a shared store, with a LeaseKeeper, when several processes serve the same URL.
    std::shared_ptr<DedupStore> dedup = {};
    /// Writes each event down before it is answered 200, and has it handled from there: a
    /// DurableInbox (outbox/durable_inbox.hpp, docs/inbox.md). It knows each event by itself, in
    /// the commit that writes it down, so `dedup` and `unknown_may_repeat` are refused beside it:
    /// what is to be known elsewhere, as statuses, has a WebhookHandler of its own.
    std::shared_ptr<Inbox> inbox = {};
    /// How long a request whose event another is handling waits in its thread, one for each event,
    /// before it is answered 503. It takes over when the other fails or its lease ends. At most
    /// 15 s, which is how long Twilio waits. 0: it does not wait.
    std::chrono::milliseconds wait_for_running{8'000};
    /// Whether `on_unknown` runs again for a request with a signature that was seen before. A
    /// replay and a true second event of the same bytes cannot be told apart: the default runs it
    /// once for both. With it, who has seen one can also cut its parameters anew.
    bool unknown_may_repeat = false;
    /// The one method that is taken; Twilio's default is POST.
    WebhookMethod method = WebhookMethod::post;
    /// A typed message that is one of these and nothing else (case and spaces around it do not
    /// count) counts as an opt-out, like one that Twilio or `opt_outs` say is one: see
    /// `inbound::opt_out`. Also where OptOutType is a word that nobody knows yet. It writes nothing
    /// down; `opt_outs` do. Empty: no words do.
    TextList stop_words = {"STOP", "STOPALL", "UNSUBSCRIBE", "REVOKE", "OPTOUT"};
    /// Told of every inbound message, and of the error 63016, when given: a
    /// `std::shared_ptr<const ConversationWindow>`, or a function from the AccountSid of a verified
    /// event to the account's own. Share it with MessagesClient. Where accounts do not trust each
    /// other each needs its own, with a scope: one may name another's sender (docs/security.md).
    PerAccount<const ConversationWindow> window = {};
    /// Told of every inbound message and every error, when given. As `window`.
    PerAccount<const OptOuts> opt_outs = {};
    /// Learns from every event that names a customer's number and user id that both are one
    /// customer's, when given; before the window and the opt-outs, which should have the same one
    /// in their options. As `window`.
    PerAccount<const Customers> customers = {};
    std::shared_ptr<Observer> observer = {};
    std::size_t max_body_bytes = std::size_t{256} * 1024;
    /// Requests a peer may make at once, of those that `peer_limit_counts` says; as many again
    /// become possible over `peer_period`, one by one. 0 does not limit. An IPv6 peer is its /64.
    /// Behind a proxy the peer is the client that the proxy names, if `public_url` lists the proxy
    /// (PublicUrl::client_of); otherwise all requests are one peer's, the proxy's.
    int requests_per_peer = 0;
    /// The time that requests_per_peer is about. At most a hundred years.
    std::chrono::milliseconds peer_period{60'000};
    /// Whether what Twilio signed counts, and can be refused, too.
    PeerLimitCounts peer_limit_counts = PeerLimitCounts::failed;
    /// Sees what a handler threw, before it becomes a 500. May hold what it likes: the Observer is
    /// told of TwilioErrors only, whose `what()` is free of people.
    std::function<void(std::exception_ptr)> on_exception = {};
    std::shared_ptr<Clock> clock = {};  ///< Default: the machine's.
};

/// What a handler may want to know of its own run. Take it as a second parameter, or leave it.
struct HandlerContext {
    /// Cancelled when the process stood still for longer than its lease, or the store was away, and
    /// another has taken the event: leave off. What the handler returns or throws is dropped. Only
    /// a DedupStore with a LeaseKeeper tells, and an inbox; otherwise it never is. May be given to
    /// a send.
    CancelToken lease_lost = {};
};

/// From a raw request to its answer: verify, parse, claim, dispatch, answer.
///
/// Each event runs its handler once, whatever Twilio repeats and however many threads (and, on a
/// shared store, processes) take part: a duplicate of a finished event is answered 200 without the
/// handler; one of an event still being handled waits for its end, and is answered 503 if that does
/// not come. A handler that throws is answered 500 (503 if it threw what a store failed with,
/// `store_error`) and the event is free again; one whose process
/// died is free when its lease ends (DedupOptions). Twilio repeats a 5xx only if the webhook's URL
/// asks for it, with `#rc=3&rp=all`: give Twilio what `PublicUrl::webhook_url` makes with
/// ConnectionOverrides.
///
/// An event is known by (AccountSid, MessageSid, its kind, its status), which are signed; headers
/// play no part. An UnknownWebhook is known by its signature. A signature is bound to the event it
/// was first read as: the same signature on a text that is cut differently is refused (403,
/// WebhookOutcome::recut). A reply lost on its way to Twilio is lost, as the repetition is answered
/// without it: send what must arrive with MessagesClient.
///
/// With WebhookOptions::inbox the event is written down and answered 200; the inbox calls the
/// handlers, in threads of its own, and what they answer is sent by its outbox. Handlers then run
/// at least once; what is committed with the event happens once.
///
/// STOP, START and HELP, where they are an opt-out, reach `on_opt_out` and handlers whose filter
/// names them, and no general one: no bot answers an opt-out by accident.
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
    using MessageHandler =
        std::function<MessagingResponse(const InboundMessage&, const HandlerContext&)>;
    using StatusHandler = std::function<void(const StatusCallback&, const HandlerContext&)>;
    using UnknownHandler =
        std::function<MessagingResponse(const UnknownWebhook&, const HandlerContext&)>;
    /// For WebhookOptions::inbox.
    using TurnHandler = std::function<MessagingResponse(Turn&)>;

    /// @throws InvalidRequestError naming the option that is wrong.
    explicit WebhookHandler(RequestValidator validator, WebhookOptions options = {});
    ~WebhookHandler();
    WebhookHandler(const WebhookHandler&) = delete;
    WebhookHandler& operator=(const WebhookHandler&) = delete;
    WebhookHandler(WebhookHandler&&) noexcept;
    WebhookHandler& operator=(WebhookHandler&&) noexcept;

    /// `handler` takes a `const InboundMessage&`, and a `const HandlerContext&` if it likes, or
    /// with an inbox a `Turn&` (outbox/turn.hpp), and returns a MessagingResponse, or nothing.
    /// @throws InvalidRequestError for what cannot be: a `Turn&` without an inbox, an answer where
    /// the inbox has no outbox, a handler for an inbox that runs already. So with every `on_...`.
    template <class Handler>
    WebhookHandler& on(const InboundFilter& filter, Handler handler) {
        if constexpr (takes<Handler, InboundMessage>) {
            constexpr bool answers = answers_to<Handler, InboundMessage>;
            add(filter, answering<InboundMessage>(std::move(handler)), answers);
        } else {
            add_turn(filter, taking_turns(std::move(handler)));
        }
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
    /// STOP, START and HELP: see `inbound::opt_out`. A reply to a STOP is refused (21610).
    template <class Handler>
    WebhookHandler& on_opt_out(Handler handler) {
        return on(inbound::opt_out(), std::move(handler));
    }
    /// Whatever no earlier handler took, but for opt-outs.
    template <class Handler>
    WebhookHandler& on_message(Handler handler) {
        return on(inbound::any(), std::move(handler));
    }
    /// `handler` takes a `const StatusCallback&`, and a `const HandlerContext&` if it likes.
    template <class Handler>
    WebhookHandler& on_status(Handler handler) {
        add_status({}, listening(std::move(handler)));
        return *this;
    }
    /// Called for this status only: `MessageStatus::read`.
    template <class Handler>
    WebhookHandler& on_status(std::string_view status, Handler handler) {
        add_status(status, listening(std::move(handler)));
        return *this;
    }
    /// `handler` takes a `const UnknownWebhook&`, and a `const HandlerContext&` if it likes. It
    /// runs once for each signature: see WebhookOptions::unknown_may_repeat.
    template <class Handler>
    WebhookHandler& on_unknown(Handler handler) {
        constexpr bool answers = answers_to<Handler, UnknownWebhook>;
        add_unknown(answering<UnknownWebhook>(std::move(handler)), answers);
        return *this;
    }

    /// Whether it has WebhookOptions::inbox, so that handlers may take a `Turn&`.
    bool has_inbox() const noexcept;

    /// Answers a request, whatever it holds. Throws nothing but std::bad_alloc.
    WebhookResponse handle(const WebhookRequest& request) const;

    /// The URL to give to Twilio for a path (and query) of this server: as PublicUrl::webhook_url,
    /// but where an inbox is set Twilio is asked to try again for as long as it can
    /// (`#rc=5&rp=all`), unless `overrides` says how.
    /// @throws InvalidRequestError
    std::string webhook_url(std::string_view path, const ConnectionOverrides& overrides = {}) const;
    Result<std::string> try_webhook_url(std::string_view path,
                                        const ConnectionOverrides& overrides = {}) const;

    /// WebhookOptions::max_body_bytes: a web server need not read more than one byte beyond.
    std::size_t max_body_bytes() const noexcept;

private:
    struct Impl;
    void add(InboundFilter filter, MessageHandler handler, bool answers);
    void add_turn(InboundFilter filter, TurnHandler handler);
    void add_status(std::string_view status, StatusHandler handler);
    void add_unknown(UnknownHandler handler, bool answers);

    template <class Handler, class Event>
    static constexpr bool takes =
        std::is_invocable_v<Handler&, const Event&> ||
        std::is_invocable_v<Handler&, const Event&, const HandlerContext&>;

    template <class Handler, class Event>
    static decltype(auto) call(Handler& handler, const Event& event,
                               const HandlerContext& context) {
        if constexpr (std::is_invocable_v<Handler&, const Event&, const HandlerContext&>) {
            return handler(event, context);
        } else {
            static_cast<void>(context);
            return handler(event);
        }
    }

    template <class Handler, class Event>
    static constexpr bool answers_to =
        !std::is_void_v<decltype(call(std::declval<Handler&>(), std::declval<const Event&>(),
                                      std::declval<const HandlerContext&>()))>;

    template <class Handler>
    static TurnHandler taking_turns(Handler handler) {
        return [handler = std::move(handler)](Turn& turn) mutable -> MessagingResponse {
            using Answer = decltype(handler(turn));
            // As in `return turn.reply("Thank you");`.
            constexpr bool answers_nothing =
                std::is_void_v<Answer> || std::is_same_v<Answer, TurnJob>;
            if constexpr (answers_nothing) {
                static_cast<void>(handler(turn));
                return {};
            } else {
                return handler(turn);
            }
        };
    }

    /// A handler that returns nothing answers nothing.
    template <class Event, class Handler>
    static std::function<MessagingResponse(const Event&, const HandlerContext&)> answering(
        Handler handler) {
        return [handler = std::move(handler)](
                   const Event& event, const HandlerContext& context) mutable -> MessagingResponse {
            if constexpr (std::is_void_v<decltype(call(handler, event, context))>) {
                call(handler, event, context);
                return {};
            } else {
                return call(handler, event, context);
            }
        };
    }
    /// What a status's handler returns says nothing.
    template <class Handler>
    static StatusHandler listening(Handler handler) {
        return [handler = std::move(handler)](const StatusCallback& callback,
                                              const HandlerContext& context) mutable {
            static_cast<void>(call(handler, callback, context));
        };
    }

    std::unique_ptr<Impl> impl_;
};

}  // namespace twiliowa
