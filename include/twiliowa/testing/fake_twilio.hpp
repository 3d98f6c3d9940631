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
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/credentials.hpp>
#include <twiliowa/types/message.hpp>

namespace twiliowa {
struct ClientOptions;
}

namespace twiliowa::testing {

/// How a FakeTwilio is set up. Everything has a default.
struct FakeTwilioOptions {
    /// Default: a ManualClock of its own.
    std::shared_ptr<Clock> clock = {};
    /// SIDs and request ids follow from it: the same seed and the same requests give the same ones.
    std::uint64_t seed = 1;
};

/// A content template.
struct FakeContent {
    std::string sid = {};  ///< HX...; made up when empty.
    std::string friendly_name = {};
    std::string language = "en";
    std::string body = {};  ///< `Hi {{1}}, your order {{2}} is on its way`
    /// Defaults of the variables, used when a message leaves them out.
    std::vector<std::pair<std::string, std::string>> variables = {};
};

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
/// Blocking calls are answered at once. Asynchronous ones, and timers, run in `run_until_idle()`,
/// in order of their times. A message stays as it was created until the test moves it
/// (`set_status`).
///
/// Served: create, fetch, list, update and delete of messages; list, fetch and delete of their
/// media; feedback. Requests are told apart by path only: the host plays no part.
///
/// Where Twilio's behaviour is not documented, this is what the fake does: credentials for another
/// account than the path's get 401 with 20003; cancelling a message that is cancelled already
/// succeeds; DateSent filters take the date of creation of a message that has not been sent.
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
    /// Adding a key again replaces its secret.
    void add_api_key(std::string_view account_sid, std::string_view key_sid,
                     std::string_view secret);
    /// A number or WhatsApp sender that the account may send from, as on the wire:
    /// `whatsapp:+14155238886`, or `+15005550006` for SMS.
    void add_sender(std::string_view account_sid, std::string_view address);
    /// A messaging service with a pool of senders, which are added to the account too.
    void add_messaging_service(std::string_view account_sid, std::string_view service_sid,
                               const std::vector<std::string>& senders = {});
    /// Returns the template's SID.
    std::string add_content(std::string_view account_sid, FakeContent content);

    /// The credentials of the first account added.
    Credentials credentials() const;
    /// Options of a client that talks to this: transport, clock, fixed jitter, and the first
    /// account's first sender as `from`. The client keeps this alive if a shared_ptr owns it;
    /// otherwise this must outlive the client.
    ClientOptions client_options();

    // ---- Making Twilio say no.

    /// `recipient` wants nothing from `sender` any more (21610).
    void opt_out(std::string_view sender, std::string_view recipient);
    void opt_in(std::string_view sender, std::string_view recipient);
    /// A trial account reaches verified numbers only (21608).
    void set_trial(std::string_view account_sid, const std::vector<std::string>& verified);
    /// Messages an account may create in a day, UTC (63038); nullopt lifts the limit.
    void set_daily_limit(std::string_view account_sid, std::optional<int> messages);
    /// Requests an account may have under way at once (20429). Asynchronous requests are under way
    /// from `async_send` until `run_until_idle` answers them. Nullopt lifts the limit.
    void set_concurrency_limit(std::string_view account_sid, std::optional<int> requests);
    /// Refuses the account's next requests with 20429, and a Retry-After header if given.
    void throttle_next(std::string_view account_sid, int requests,
                       std::optional<std::chrono::seconds> retry_after = {});

    // ---- Moving messages, and looking at them.

    /// Moves a message along: sets the status and what goes with it (date_sent, price, from).
    void set_status(std::string_view message_sid, std::string_view status, int error_code = 0);
    /// The account's messages (the first account's when empty), newest first.
    std::vector<Message> messages(std::string_view account_sid = {}) const;
    /// One message, if there is such a one.
    std::optional<Message> message(std::string_view message_sid) const;
    /// The parameters a message was created with, as they came, unknown ones included.
    std::vector<std::pair<std::string, std::string>> parameters(std::string_view message_sid) const;
    /// Requests seen, refused ones included.
    std::size_t request_count() const;

    std::shared_ptr<Clock> clock() const;

    // ---- The doors.

    /// Answers a request, whatever it holds. `url` may be absolute or begin with the path.
    HttpResponse handle(const HttpRequest& request);

    Result<HttpResponse> send(const HttpRequest& request, const CallContext& context) override;
    void async_send(HttpRequest request, CallContext context, Completion done) override;
    void call_at(MonotonicTime when, std::function<void()> task) override;

    /// Answers pending asynchronous requests and runs timers, and what they start, in order of
    /// their times, until nothing is left. Moves a ManualClock to each; with any other clock timers
    /// run without waiting. Returns how many ran.
    std::size_t run_until_idle();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa::testing
