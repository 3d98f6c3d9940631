/// @file
/// Twilio's side of the conversation, in this process: `FakeTwilio`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/testing/fake_customer.hpp>
#include <twiliowa/testing/fake_types.hpp>
#include <twiliowa/types/account.hpp>
#include <twiliowa/types/channel_sender.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/credentials.hpp>
#include <twiliowa/types/message.hpp>

namespace twiliowa {
struct ClientOptions;
}

namespace twiliowa::testing {

/// A Twilio to test against: it keeps accounts, senders, templates and messages, and answers the
/// requests of the Messages resource as Twilio does, errors included. It is a transport, so it
/// plugs into a client; there is no socket, no thread and no waiting.
///
/// @code
/// auto fake = twiliowa::testing::FakeTwilio::with_account();
/// twiliowa::MessagesClient client{fake->credentials(), fake->client_options()};
/// client.send_text({.to = "+447700900123", .body = "Hi"});
/// assert(fake->messages().front().body == "Hi");
/// @endcode
///
/// Blocking calls are answered at once. Asynchronous ones, timers, messages on their way and
/// webhooks run in `run_until_idle()`, in order of their times. With Lifecycle::manual a message
/// stays as it was created until the test moves it (`set_status`); with Lifecycle::automatic time
/// and WhatsApp's rules do:
/// @code
/// auto fake = FakeTwilio::with_account({.lifecycle = Lifecycle::automatic});
/// fake->set_webhook(FakeTwilio::demo_sender, "https://example.com/whatsapp");
/// fake->on_webhook([&](auto& url, auto& request) { return handler.handle(request); });
/// fake->customer("+447700900123").sends_text("Hello");
/// fake->run_until_idle();
/// @endcode
///
/// Served: create, fetch, list, update and delete of messages; list, fetch, download and delete of
/// their media; feedback; the account itself; the Content API (create, fetch, update, delete,
/// approval requests, the lists of both versions and the legacy one); the typing indicator.
/// Requests are told apart by path only: the host plays no part.
///
/// Where Twilio's behaviour is not documented, this is what the fake does: credentials that do not
/// open the path's account get 401 with 20003, and so do API keys that read an account; cancelling
/// a message that is cancelled already succeeds; DateSent filters take the date of creation of a
/// message that has not been sent; every change of status is told to the status callback, but for
/// the initial one; a template is turned down whose name contains `reject`, or whose body begins or
/// ends with a variable; a customer in a sandbox stays for three days; 30 replies by TwiML in 30
/// seconds are all that a chat gets (14107); an application it has not heard of has no status
/// callback; LegacyContent lists what WhatsApp was asked to approve; patterns that filter templates
/// may have no groups; lists have a message at once, scheduled ones too, and every message that
/// left has a price, unless `set_list_lag`, `set_scheduled_in_lists` or `set_prices` say otherwise.
///
/// Thread-safe. Functions that set things up throw InvalidRequestError when given what cannot be
/// (a malformed SID, an account that was not added), naming it.
class TWILIOWA_EXPORT FakeTwilio final : public AsyncHttpTransport,
                                         public std::enable_shared_from_this<FakeTwilio> {
public:
    // What `with_account` and `add_demo_account` set up.

    static constexpr std::string_view demo_account_sid = "AC00000000000000000000000000000001";
    static constexpr std::string_view demo_auth_token = "0123456789abcdef0123456789abcdef";
    static constexpr std::string_view demo_sender = "whatsapp:+14155238886";
    static constexpr std::string_view demo_messaging_service_sid =
        "MG00000000000000000000000000000001";
    /// "Hi {{1}}, your order {{2}} is on its way"; both variables have defaults.
    static constexpr std::string_view demo_content_sid = "HX00000000000000000000000000000001";

    explicit FakeTwilio(FakeTwilioOptions options = {});
    ~FakeTwilio() override;
    FakeTwilio(const FakeTwilio&) = delete;
    FakeTwilio& operator=(const FakeTwilio&) = delete;

    /// One with an account, a WhatsApp sender, a messaging service that holds it and a template.
    static std::shared_ptr<FakeTwilio> with_account(FakeTwilioOptions options = {});
    /// Adds the same to this one, under another SID and token if given.
    void add_demo_account(std::string_view account_sid = demo_account_sid,
                          std::string_view auth_token = demo_auth_token);

    // ---- Setting up.

    /// Adding an account again replaces its token.
    void add_account(std::string_view account_sid, std::string_view auth_token);
    /// An account that another owns: the first one added, unless `owner` names one that is itself
    /// no subaccount. The owner's auth token opens it, too (`Credentials::for_account`); its
    /// owner's API keys do not. Otherwise it is an account like any other, with senders and
    /// templates of its own. Adding it again replaces its token and its owner.
    void add_subaccount(std::string_view account_sid, std::string_view auth_token,
                        std::string_view owner = {});
    /// Adding a key again replaces its secret.
    void add_api_key(std::string_view account_sid, std::string_view key_sid,
                     std::string_view secret);
    /// A number or WhatsApp sender that the account may send from, as on the wire:
    /// `whatsapp:+14155238886`, or `+15005550006` for SMS.
    void add_sender(std::string_view account_sid, std::string_view address);
    /// A messaging service with a pool of senders, which are added to the account too.
    void add_messaging_service(std::string_view account_sid, std::string_view service_sid,
                               const std::vector<std::string>& senders = {});
    /// What the Senders API reports of one of the account's WhatsApp senders, `sender.sender_id`;
    /// its SID may be left out, and when its display name's status became what it is: then that is
    /// now, unless it was so before. Changes nothing about what may be sent. A callback URL that is
    /// left out is the one at which this calls for the sender, or for the account (`set_webhook`).
    void set_sender(std::string_view account_sid, ChannelSender sender);
    /// What the Accounts API reports: `active`, `suspended` or `closed`. Changes nothing about what
    /// may be sent.
    void set_account_status(std::string_view account_sid, std::string_view status);
    /// What is left on the account, as decimal text: "12.34", "USD".
    void set_balance(std::string_view account_sid, std::string_view amount,
                     std::string_view currency = "USD");
    /// Returns the template's SID.
    std::string add_content(std::string_view account_sid, FakeContent content);
    /// The same for the first account added.
    std::string add_content(FakeContent content);

    /// What WhatsApp decides about a template that was submitted, whatever was on its way:
    /// `approved`, `rejected` for a reason (`INVALID_FORMAT`), or later `paused` or `disabled`.
    void set_approval(std::string_view content_sid, std::string_view status,
                      std::string_view reason = {});

    /// The template of `with_account`, for another account.
    void add_demo_content(std::string_view account_sid);

    /// The credentials of the first account added, or of another: its own, not its owner's.
    Credentials credentials(std::string_view account_sid = {}) const;
    /// Options of a client that talks to this: transport, clock, fixed jitter, and the first
    /// account's first sender as `from`. The client keeps this alive if a shared_ptr owns it;
    /// otherwise this must outlive the client.
    ClientOptions client_options();

    // ---- Webhooks. Signed with the account's token, as Twilio does.

    /// Where messages from customers go. `owner` is a sender's address, a messaging service's SID
    /// or an account's; the first two go before the third. The URL's fragment may override retries
    /// and timeouts: `https://example.com/whatsapp#rc=3&rp=all`. With `user:password@` in it the
    /// request is sent without them first, and again when the answer is a challenge (401, Basic or
    /// Digest). An answer that leads elsewhere (301, 302, 303) is followed with GET and without
    /// parameters. An empty URL: nowhere.
    void set_webhook(std::string_view owner, std::string_view url, FakeWebhookOptions options = {});
    /// Where status callbacks go of messages that name no StatusCallback. As `set_webhook`; `owner`
    /// may also be the SID of an application, for the messages that name it (ApplicationSid).
    void set_status_callback(std::string_view owner, std::string_view url);
    /// Who takes the webhooks. The sink is called without a lock: it may call this. An exception
    /// that leaves it leaves `run_until_idle`, too. Answers to inbound messages are obeyed: TwiML
    /// Message, Body, Media and Redirect.
    void on_webhook(WebhookSink sink);
    /// Brings all webhooks of the first account to `handler`, a WebhookHandler or whatever has its
    /// `handle`, as if it were at `url`. The handler must be there as long as this runs.
    template <class Handler>
    void connect(Handler& handler, std::string_view url = "https://example.com/whatsapp") {
        connect_sink(url, [&handler](const std::string&, const WebhookRequest& request) {
            return handler.handle(request);
        });
    }
    /// The same for who delivers them in the background.
    void on_webhook_async(AsyncWebhookSink sink);
    /// What goes wrong with webhooks from now on.
    void set_webhook_faults(const WebhookFaults& faults);

    // ---- The customer's side.

    /// Who has that number, in a chat with `sender` (the first account's first when empty).
    /// A user id in place of the number names who has it; if nobody does, somebody new without a
    /// number. What is sent to an id that nobody has ends as undelivered, 63003: it is one of
    /// another portfolio.
    FakeCustomer customer(std::string_view number, std::string_view sender = {});
    /// The address that a customer is kept under, whom `address` reaches: the number of who has
    /// that user id, else `address` itself.
    std::string customer_address(std::string_view address) const;
    /// A message from a customer arrives. Returns its SID.
    std::string receive(FakeInbound message);
    /// The sender becomes a sandbox: customers must send `join <code>` first (63015).
    void set_sandbox(std::string_view sender, std::string_view code);
    /// A message as a phone shows it; an empty one when there is none of that SID.
    FakeBubble bubble(std::string_view message_sid) const;

    // ---- Faults.

    /// What happens to the next `count` requests.
    void next_fault(Fault fault, int count = 1);
    /// What happens to any request with that probability, 0 to 1, by the seed.
    void set_fault_rate(Fault fault, double probability);
    /// Chance begins anew from that seed, for requests and webhooks.
    void seed_faults(std::uint64_t seed);
    /// Nothing goes wrong any more, with requests or webhooks.
    void clear_faults();
    FakeFaultPlan faults() const;
    /// How long Fault::slow takes.
    static constexpr std::chrono::seconds slow_answer{5};

    // ---- What Twilio shows late, or not at all. Neither is documented: it is the fake's own.

    /// From now on a message is in lists only when this long has passed since it was created, by
    /// this clock; whoever has its SID can fetch it at once. At first 0.
    void set_list_lag(std::chrono::milliseconds lag);
    /// Whether lists have the messages that wait for their time (`scheduled`). At first true.
    /// Fetching one by its SID finds it in any case.
    void set_scheduled_in_lists(bool shown);
    /// When messages that leave from now on get their prices. At first in the same moment, all.
    void set_prices(const FakePrices& prices);
    std::chrono::milliseconds list_lag() const;
    bool scheduled_in_lists() const;
    FakePrices prices() const;

    // ---- Making Twilio say no.

    /// `recipient` wants nothing from `sender` any more (21610).
    void opt_out(std::string_view sender, std::string_view recipient);
    void opt_in(std::string_view sender, std::string_view recipient);
    /// A trial account reaches verified numbers only (21608).
    void set_trial(std::string_view account_sid, const std::vector<std::string>& verified);
    /// It reaches everybody again.
    void end_trial(std::string_view account_sid);
    /// Messages an account may create in a day, UTC (63038); nullopt lifts the limit.
    void set_daily_limit(std::string_view account_sid, std::optional<int> messages);
    /// Messages a second that every sender may send from now on; the rest queues up.
    /// `FakeTwilioOptions::messages_per_second` is what it begins with. 0: without limit.
    void set_message_rate(double messages_per_second);
    /// Requests an account may have under way at once (20429). Asynchronous requests are under way
    /// from `async_send` until `run_until_idle` has completed them, those of `answer` as long as
    /// the answer is kept. Nullopt lifts the limit.
    void set_concurrency_limit(std::string_view account_sid, std::optional<int> requests);
    /// Refuses the account's next requests with 20429, and a Retry-After header if given.
    void throttle_next(std::string_view account_sid, int requests,
                       std::optional<std::chrono::seconds> retry_after = {});

    // ---- Moving messages, and looking at them.

    /// Moves a message along: sets the status and what goes with it (date_sent, price or when it
    /// comes, from), and tells the status callback.
    void set_status(std::string_view message_sid, std::string_view status, int error_code = 0);
    /// The account's messages (the first account's when empty), newest first.
    std::vector<Message> messages(std::string_view account_sid = {}) const;
    /// One message, if there is such a one.
    std::optional<Message> message(std::string_view message_sid) const;
    /// The parameters a message was created with, as they came, unknown ones included.
    std::vector<std::pair<std::string, std::string>> parameters(std::string_view message_sid) const;
    /// The account's senders (the first account's when empty), as on the wire.
    std::vector<std::string> senders(std::string_view account_sid = {}) const;
    /// The account's templates (the first account's when empty), oldest first.
    std::vector<FakeTemplateView> templates(std::string_view account_sid = {}) const;
    /// The account's WhatsApp senders (the first account's when empty), as the Senders API reports
    /// them.
    std::vector<ChannelSender> channel_senders(std::string_view account_sid = {}) const;
    /// What the Accounts API reports of an account (the first one when empty).
    std::string account_status(std::string_view account_sid = {}) const;
    /// Empty for a subaccount, which has none.
    Balance balance(std::string_view account_sid = {}) const;
    /// The SIDs of the accounts that an account owns (the first account when empty).
    std::vector<std::string> subaccounts(std::string_view owner = {}) const;
    /// Every chat in which a customer wrote or did something.
    std::vector<FakeChatView> chats() const;
    /// A file that a customer sent, if there is such a one.
    std::optional<FakeFile> file(std::string_view message_sid, std::string_view media_sid) const;
    /// Where messages to that owner go, as `set_webhook` was told; empty: nowhere.
    std::string webhook(std::string_view owner) const;
    /// How they go there; the defaults where nobody was told.
    FakeWebhookOptions webhook_options(std::string_view owner) const;
    /// Requests seen, refused ones included.
    std::size_t request_count() const;

    std::shared_ptr<Clock> clock() const;

    /// The newest requests and webhooks (FakeTwilioOptions::log_size of each), oldest first; only
    /// those whose number is greater than `after`.
    std::vector<FakeRequestRecord> requests(std::uint64_t after = 0) const;
    std::vector<FakeWebhookRecord> webhooks(std::uint64_t after = 0) const;
    /// Grows with every change that a page would show.
    std::uint64_t revision() const;

    // ---- The doors.

    /// Answers a request, whatever it holds. `url` may be absolute or begin with the path. Of a
    /// fault that leaves no answer, status 0.
    HttpResponse handle(const HttpRequest& request);
    /// The same, and what is to be done to the answer on its way.
    FakeAnswer answer(const HttpRequest& request);

    Result<HttpResponse> send(const HttpRequest& request, const CallContext& context) override;
    void async_send(HttpRequest request, CallContext context, Completion done) override;
    void call_at(MonotonicTime when, std::function<void()> task) override;

    /// Answers pending asynchronous requests and runs timers, and what they start, in order of
    /// their times, until nothing is left. Moves a MovableClock to each; with any other clock
    /// timers run without waiting. Returns how many ran.
    std::size_t run_until_idle();
    /// Moves a MovableClock by `duration`, and runs what falls due on the way at its time, so that
    /// one long step does the same as many short ones. Returns how many ran.
    std::size_t advance(std::chrono::nanoseconds duration);
    /// Runs what is due by the clock, without moving it. Returns when there is more to do, if there
    /// is.
    std::optional<MonotonicTime> run_due();
    /// Called whenever something was put off for later, from any thread: time to look at
    /// `run_due()` again.
    void on_work(std::function<void()> notify);

    // ---- Keeping the state.

    /// Everything but the clock and the sinks, as JSON: accounts with their tokens, templates,
    /// messages, chats, what is on its way. Not asynchronous requests and timers.
    std::string save() const;
    /// Puts it all back, and moves a MovableClock forward to the time of saving: never backward.
    /// @throws InvalidRequestError if `state` is not what `save` made; then nothing has changed.
    void load(std::string_view state);

private:
    friend class FakeCustomer;
    struct State;
    void connect_sink(std::string_view url, WebhookSink sink);
    std::size_t run(MonotonicTime until);
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa::testing
