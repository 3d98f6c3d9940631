/// @file
/// The front door for sending: `MessagesClient`.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <twiliowa/client_options.hpp>
#include <twiliowa/export.hpp>
#include <twiliowa/types/call_options.hpp>
#include <twiliowa/types/credentials.hpp>
#include <twiliowa/types/message.hpp>
#include <twiliowa/types/observer.hpp>
#include <twiliowa/types/outbound.hpp>
#include <twiliowa/types/page.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

namespace detail {
struct SetupCheck;
}

/// What `reconcile` found.
struct Reconciliation {
    enum class Outcome {
        found,      ///< One message like it exists: it was sent.
        several,    ///< More than one: it, its twins, or both. Look at the SIDs.
        possible,   ///< Templates only: something went to the recipient then, and nothing shows
                    ///< that it was this.
        not_found,  ///< None yet. NEVER PROOF THAT IT WAS NOT SENT: Twilio's list may lag.
    };
    Outcome outcome = Outcome::not_found;
    std::vector<MessageSid> sids = {};  ///< The messages that `outcome` speaks of, newest first.
};

/// Where `reconcile` looks, and for what.
struct ReconcileOptions {
    /// When the message was first tried, if that was before `attempted_at`: after a resend the
    /// first attempt may be the one that was sent, so the search begins there.
    std::optional<TimePoint> first_attempted_at = {};
    /// The text that Twilio makes of the template, where you can say it; a client with
    /// ClientOptions::templates renders it itself. A message with this text
    /// is the one; without it the values of the variables are looked for, as whole words, and count
    /// only if one of them is distinctive, as far as one can see: an order number (`A-104237`), a
    /// code (`7GK2-99XA`, a UUID) or a number of eight digits, and no date, time or amount
    /// (docs/retries.md). A text of OutboundText needs none.
    TextField expected_text = {};
    /// Messages created from `attempted_at - clock_skew` ...
    std::chrono::milliseconds clock_skew{5'000};
    /// ... to `attempted_at + window` count. Longer than the timeout of the call that sent it.
    std::chrono::milliseconds window{120'000};
    /// Messages that were sent for something else, as far as you know them: they do not count. A
    /// message that looks the same (the same text, or a template with the same values) is told from
    /// the one you look for by nothing else.
    std::vector<MessageSid> known = {};
};

/// What a client adds to messages that leave it open.
struct SendDefaults {
    std::string from = {};  ///< As on the wire.
    std::string messaging_service_sid = {};
    std::string status_callback = {};
    bool may_duplicate = false;  ///< RetryPolicy::retry_may_duplicate
};

/// One of the messages that `reconcile_all` looks for; see ReconcileOptions for its parts.
struct ReconcileItem {
    OutboundMessage message = {};
    TimePoint attempted_at = {};
    std::optional<TimePoint> first_attempted_at = {};
    TextField expected_text = {};
};

/// What `reconcile_all` found of each item, in the items' order.
using Reconciliations = std::vector<Result<Reconciliation>>;

/// `for (const Message& m : client.list()) ...`
using MessageRange = ListRange<Message>;
/// `for (const Result<Message>& m : client.try_list()) ...`
using MessageResults = ListResults<Message>;

/// Sends WhatsApp messages, and looks after the ones sent.
///
/// Immutable and cheap to copy; one object may be used from any number of threads at once. Copies
/// share connections, the retry budget and the transport; the last one closes them, which completes
/// pending asynchronous calls.
///
/// Every verb comes in three forms: `verb` throws a TwilioError, `try_verb` returns a Result,
/// `async_verb` calls back once (on the transport's I/O thread, or the executor), never inside the
/// call itself. try_ and async forms never throw a TwilioError. An async form on a transport that
/// is not an AsyncHttpTransport calls back at once with an InvalidRequestError.
///
/// Errors of every verb: InvalidRequestError before the network; ApiError and its leaves when
/// Twilio refused; TransportError, TimeoutError, CancelledError when there was no answer. Verbs
/// that are not idempotent (the sends, feedback) end in OutcomeUnknownError when it cannot be known
/// whether they were done, so that any other error of theirs means that nothing was; the others may
/// end in ResponseError, and their `effect()` may be unknown: do them again.
///
/// Source of the wire facts: Twilio's OpenAPI document of the Messages resource (2010-04-01).
class TWILIOWA_EXPORT MessagesClient {
public:
    /// @throws InvalidRequestError naming the option that is wrong.
    explicit MessagesClient(Credentials credentials, ClientOptions options = {});
    /// Asks `provider` for credentials at every call.
    explicit MessagesClient(CredentialsProvider provider, ClientOptions options = {});
    static Result<MessagesClient> try_create(CredentialsProvider provider,
                                             ClientOptions options = {});
    /// Credentials::from_environment and ClientOptions::from_environment.
    static MessagesClient from_environment();
    static Result<MessagesClient> try_from_environment();

    // ---- Sending. POST /2010-04-01/Accounts/{AccountSid}/Messages.json. Not idempotent: never
    // ---- repeated once a byte of the body has left (OutcomeUnknownError instead).

    Message send_template(OutboundTemplate message, const CallOptions& options = {}) const;
    Result<Message> try_send_template(OutboundTemplate message,
                                      const CallOptions& options = {}) const;
    void async_send_template(OutboundTemplate message, Callback<Message> done,
                             const CallOptions& options = {}) const;

    Message send_text(OutboundText message, const CallOptions& options = {}) const;
    Result<Message> try_send_text(OutboundText message, const CallOptions& options = {}) const;
    void async_send_text(OutboundText message, Callback<Message> done,
                         const CallOptions& options = {}) const;

    Message send_media(OutboundMedia message, const CallOptions& options = {}) const;
    Result<Message> try_send_media(OutboundMedia message, const CallOptions& options = {}) const;
    void async_send_media(OutboundMedia message, Callback<Message> done,
                          const CallOptions& options = {}) const;

    Message send_location(OutboundLocation message, const CallOptions& options = {}) const;
    Result<Message> try_send_location(OutboundLocation message,
                                      const CallOptions& options = {}) const;
    void async_send_location(OutboundLocation message, Callback<Message> done,
                             const CallOptions& options = {}) const;

    /// Any of the above, or a message with every parameter.
    Message send(const OutboundMessage& message, const CallOptions& options = {}) const;
    Result<Message> try_send(const OutboundMessage& message, const CallOptions& options = {}) const;
    void async_send(const OutboundMessage& message, Callback<Message> done,
                    const CallOptions& options = {}) const;

    /// Checks a message as the send would, without sending it.
    Result<void> check(const OutboundMessage& message) const;

    /// What its options say of every message.
    SendDefaults send_defaults() const;
    /// The whole URL of a path that Twilio gives (`Message::uri`, `Media::uri`): on Twilio's host,
    /// or on ClientOptions::base_url.
    std::string url_of(std::string_view path) const;
    /// Whose account it is: the CredentialsProvider is asked, and Twilio is not.
    Result<AccountSid> try_account_sid() const;
    /// A text that is another one when the credentials are, and tells nothing of them: for who
    /// waits until refused ones are replaced. The CredentialsProvider is asked, and Twilio is not.
    Result<std::string> try_credentials_mark() const;

    // ---- A slot of ClientOptions::rate_limiter, for who waits for it before the send: a queue
    // ---- that writes down "sending" only when it may send at once. Nothing leaves.

    /// Takes a slot of the sender that the send would go by: From, else the messaging service, with
    /// the client's defaults. Gives the time from which the message may be sent with
    /// CallOptions::slot_held; MonotonicTime::max() where the limiter says never. Nullopt, and
    /// nothing is taken, if the send would take none: the client has no limiter, or the message has
    /// no sender or one that the send refuses. Looks at nothing else of the message: `check` does.
    /// Throws what the limiter throws.
    std::optional<MonotonicTime> take_slot(const OutboundMessage& message) const;
    /// Gives back a slot that `take_slot` gave for such a message and that no send used. Nothing
    /// where that takes none; a slot whose sender there is no memory to name stays used.
    void give_slot_back(const OutboundMessage& message) const noexcept;

    // ---- Looking. GET; idempotent.

    Message fetch(const MessageSid& sid, const CallOptions& options = {}) const;
    Result<Message> try_fetch(const MessageSid& sid, const CallOptions& options = {}) const;
    void async_fetch(const MessageSid& sid, Callback<Message> done,
                     const CallOptions& options = {}) const;

    /// Every message that passes the filter, newest first, fetched page by page as the range is
    /// walked; holds one page. The timeout is for each page. Walking throws a TwilioError.
    MessageRange list(MessageFilter filter = {}, const CallOptions& options = {}) const;
    /// The same as a range of Result<Message>; the first failure is its last element.
    MessageResults try_list(MessageFilter filter = {}, const CallOptions& options = {}) const;
    /// Calls `on_message` for each until it returns false or there are no more, then `done`.
    void async_list(const MessageFilter& filter, std::function<bool(Message)> on_message,
                    Callback<void> done, const CallOptions& options = {}) const;

    Page<Message> list_page(const MessageFilter& filter = {},
                            const CallOptions& options = {}) const;
    Result<Page<Message>> try_list_page(const MessageFilter& filter = {},
                                        const CallOptions& options = {}) const;
    void async_list_page(const MessageFilter& filter, Callback<Page<Message>> done,
                         const CallOptions& options = {}) const;

    /// The page after `page`; an empty one after the last. A `next` that leads to another host is
    /// refused (InvalidRequestError): credentials never go there.
    Page<Message> next_page(const Page<Message>& page, const CallOptions& options = {}) const;
    Result<Page<Message>> try_next_page(const Page<Message>& page,
                                        const CallOptions& options = {}) const;
    void async_next_page(const Page<Message>& page, Callback<Page<Message>> done,
                         const CallOptions& options = {}) const;

    /// Was it sent? Lists what went to the same recipient around `attempted_at` and compares To,
    /// From (or messaging service), body and number of media. Of a template Twilio lists the text
    /// it made: that has to be ReconcileOptions::expected_text, or without one to hold every value
    /// of the variables as whole words, one of which is distinctive; what merely went there at that
    /// time is `possible`. See Reconciliation for what the answer means. The timeout is for all
    /// pages together.
    Reconciliation reconcile(const OutboundMessage& message, TimePoint attempted_at,
                             const ReconcileOptions& where = {},
                             const CallOptions& options = {}) const;
    Result<Reconciliation> try_reconcile(const OutboundMessage& message, TimePoint attempted_at,
                                         const ReconcileOptions& where = {},
                                         const CallOptions& options = {}) const;
    void async_reconcile(const OutboundMessage& message, TimePoint attempted_at,
                         Callback<Reconciliation> done, const ReconcileOptions& where = {},
                         const CallOptions& options = {}) const;

    /// `reconcile` for many messages: after an outage, one list for each sender instead of one for
    /// each message. Lists what the sender sent, 1000 a page, back to the oldest of its attempts;
    /// messages that a messaging service sends from whichever sender it chooses are listed by
    /// recipient, one list for each. One list after another.
    ///
    /// Each item has an answer of its own. Where a list could not be read far enough, that is an
    /// error, of those items only that may be in the part which was not read; an item that is wrong
    /// is refused in its place. What an item leaves out of `first_attempted_at` and
    /// `expected_text`, `where` says. One message is never found for two items: those that it would
    /// be found for are `several`, with its SID, and no more of them were sent than there are SIDs.
    /// The call fails as a whole only if `where` is wrong or the transport is not asynchronous. The
    /// timeout is for all of it: give it a longer one where there is much to list.
    Reconciliations reconcile_all(std::span<const ReconcileItem> items,
                                  const ReconcileOptions& where = {},
                                  const CallOptions& options = {}) const;
    Result<Reconciliations> try_reconcile_all(std::span<const ReconcileItem> items,
                                              const ReconcileOptions& where = {},
                                              const CallOptions& options = {}) const;
    /// Copies the items.
    void async_reconcile_all(std::span<const ReconcileItem> items, Callback<Reconciliations> done,
                             const ReconcileOptions& where = {},
                             const CallOptions& options = {}) const;

    // ---- Changing.

    /// Cancels a scheduled message. POST Status=canceled; idempotent. Too late: ApiError 30409.
    Message cancel(const MessageSid& sid, const CallOptions& options = {}) const;
    Result<Message> try_cancel(const MessageSid& sid, const CallOptions& options = {}) const;
    void async_cancel(const MessageSid& sid, Callback<Message> done,
                      const CallOptions& options = {}) const;

    /// Erases the text of a message at Twilio. POST with an empty Body; idempotent.
    Message redact(const MessageSid& sid, const CallOptions& options = {}) const;
    Result<Message> try_redact(const MessageSid& sid, const CallOptions& options = {}) const;
    void async_redact(const MessageSid& sid, Callback<Message> done,
                      const CallOptions& options = {}) const;

    /// Deletes the record of a message. DELETE; idempotent (a 404 after an attempt of the same call
    /// whose answer was lost is success).
    void remove(const MessageSid& sid, const CallOptions& options = {}) const;
    Result<void> try_remove(const MessageSid& sid, const CallOptions& options = {}) const;
    void async_remove(const MessageSid& sid, Callback<void> done,
                      const CallOptions& options = {}) const;

    /// Tells Twilio that the message reached its purpose. POST Outcome=confirmed (or unconfirmed).
    void feedback(const MessageSid& sid, bool confirmed = true,
                  const CallOptions& options = {}) const;
    Result<void> try_feedback(const MessageSid& sid, bool confirmed = true,
                              const CallOptions& options = {}) const;
    void async_feedback(const MessageSid& sid, Callback<void> done, bool confirmed = true,
                        const CallOptions& options = {}) const;

    /// Shows the customer that an answer to `received`, the customer's message, is being written,
    /// and marks it as read. It ends with the next message, or after 25 seconds. WhatsApp only;
    /// Twilio calls it a public beta. POST https://messaging.twilio.com/v2/Indicators/Typing.json
    /// (to `base_url` when that is set); idempotent. `Credentials::for_account` does not reach it.
    void send_typing_indicator(const MessageSid& received, const CallOptions& options = {}) const;
    Result<void> try_send_typing_indicator(const MessageSid& received,
                                           const CallOptions& options = {}) const;
    void async_send_typing_indicator(const MessageSid& received, Callback<void> done,
                                     const CallOptions& options = {}) const;

    // ---- Media of a message. MediaClient downloads them.

    /// All attachments (a message has at most ten).
    std::vector<Media> list_media(const MessageSid& sid, const CallOptions& options = {}) const;
    Result<std::vector<Media>> try_list_media(const MessageSid& sid,
                                              const CallOptions& options = {}) const;
    void async_list_media(const MessageSid& sid, Callback<std::vector<Media>> done,
                          const CallOptions& options = {}) const;

    /// Deletes one attachment. DELETE; idempotent.
    void remove_media(const MessageSid& message, const MediaSid& media,
                      const CallOptions& options = {}) const;
    Result<void> try_remove_media(const MessageSid& message, const MediaSid& media,
                                  const CallOptions& options = {}) const;
    void async_remove_media(const MessageSid& message, const MediaSid& media, Callback<void> done,
                            const CallOptions& options = {}) const;

private:
    friend struct detail::SetupCheck;
    struct Impl;
    explicit MessagesClient(std::shared_ptr<const Impl> impl) noexcept : impl_(std::move(impl)) {}
    static Result<std::shared_ptr<const Impl>> make_impl(CredentialsProvider provider,
                                                         ClientOptions options);
    std::shared_ptr<const Impl> impl_;
};

}  // namespace twiliowa
