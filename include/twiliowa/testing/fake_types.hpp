/// @file
/// The vocabulary of FakeTwilio: options, faults, what it logs, what a phone shows.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/http/http_transport.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/webhook/webhook_request.hpp>

namespace twiliowa::testing {

/// Who moves a message along.
enum class Lifecycle {
    /// The test does, with `FakeTwilio::set_status`.
    manual,
    /// Time does: queued, sending, sent, delivered, or a failure by WhatsApp's rules.
    automatic,
};

/// How long things take with Lifecycle::automatic.
struct FakeTimings {
    std::chrono::milliseconds until_sending{20};     ///< From the creation, at the earliest.
    std::chrono::milliseconds until_sent{80};        ///< From `sending`.
    std::chrono::milliseconds until_delivered{400};  ///< From `sent`.
    std::chrono::milliseconds until_read{2'000};  ///< From `delivered`, by those who read at once.
    std::chrono::milliseconds until_pending{1'000};    ///< An approval request, from `received`.
    std::chrono::milliseconds until_approved{60'000};  ///< From `pending`.
    std::chrono::milliseconds webhook_retry{1'000};    ///< Between two tries of a webhook.
};

/// How a FakeTwilio is set up. Everything has a default.
struct FakeTwilioOptions {
    /// Default: a ManualClock of its own.
    std::shared_ptr<Clock> clock = {};
    /// SIDs, request ids and chance follow from it: the same seed and the same requests give the
    /// same ones.
    std::uint64_t seed = 1;
    Lifecycle lifecycle = Lifecycle::manual;
    /// What a sender may send; the rest queues up. 0: without limit. Lifecycle::automatic only.
    double messages_per_second = 80.0;
    FakeTimings timings = {};
    /// Free-form messages need a message from the customer within 24 hours (63016).
    /// Lifecycle::automatic only.
    bool window_rule = true;
    /// STOP and its like opt a customer out, START back in; webhooks say so (OptOutType).
    bool opt_out_words = true;
    /// What a quick reply that was tapped comes as: `button`, or `interactive` with Forwarded and
    /// ExternalUserId. Both have been seen on Twilio's webhooks.
    bool interactive_taps = false;
    /// WhatsApp's webhooks name the customer's user id beside the number: ExternalUserId, with
    /// every message and with `delivered` and `read`, as Twilio documents it since June 2026.
    /// False: only customers without a number have one, and taps with `interactive_taps`.
    bool user_ids = true;
    /// Where media URLs in webhooks, and URLs in answers of the Content API, lead. Default:
    /// `https://api.twilio.com` and `https://content.twilio.com`.
    std::string public_url = {};
    /// Requests, and webhooks, that the log keeps; older ones are forgotten.
    std::size_t log_size = 1'000;
};

/// A content template.
struct FakeContent {
    std::string sid = {};  ///< HX...; made up when empty.
    std::string friendly_name = {};
    std::string language = "en";
    std::string body = {};  ///< `Hi {{1}}, your order {{2}} is on its way`
    /// Defaults of the variables, used when a message leaves them out.
    std::vector<std::pair<std::string, std::string>> variables = {};
    /// The template's types as the Content API writes them: a JSON object, `{"twilio/quick-reply":
    /// {"body": ..., "actions": [...]}}`. Empty: `twilio/text` with `body`.
    std::string types = {};
    /// `approved` templates may be sent at any time, others only within the 24-hour window.
    std::string approval = "approved";
    /// `UTILITY`, `MARKETING` or `AUTHENTICATION`.
    std::string category = "UTILITY";

    /// A text with buttons, as `twilio/quick-reply`. A button's payload is its title.
    static TWILIOWA_EXPORT FakeContent quick_reply(std::string_view body,
                                                   const std::vector<std::string>& titles);
};

/// A template as it stands: what it says, and what became of its approval.
struct FakeTemplateView {
    FakeContent content = {};        ///< With the `approval` of now.
    std::string approval_name = {};  ///< The name under which it was submitted.
    std::string rejection_reason = {};
};

/// A button of a message, as a phone shows it.
struct FakeButton {
    std::string type = {};  ///< QUICK_REPLY, URL, PHONE_NUMBER, COPY_CODE, ...
    std::string title = {};
    std::string id = {};     ///< The payload of a quick reply.
    std::string value = {};  ///< URL, phone number or code.
};

/// A line of a list picker.
struct FakeListItem {
    std::string id = {};
    std::string title = {};
    std::string description = {};
};

/// A place in a message.
struct FakeLocation {
    std::string latitude = {};
    std::string longitude = {};
    std::string label = {};
    std::string address = {};
};

/// A card of a carousel.
struct FakeCard {
    std::string title = {};
    std::string body = {};
    std::vector<std::string> media = {};  ///< URLs.
    std::vector<FakeButton> buttons = {};
};

/// A message as a phone shows it.
struct FakeBubble {
    std::string type = {};  ///< `twilio/quick-reply`, ...; empty for what is no template.
    std::string header = {};
    std::string body = {};
    std::string footer = {};
    std::vector<std::string> media = {};  ///< URLs.
    std::vector<FakeButton> buttons = {};
    std::string list_button = {};  ///< What opens the list; a flow's or catalog's button, too.
    std::vector<FakeListItem> items = {};
    std::vector<FakeLocation> locations = {};  ///< At most one.
    std::vector<FakeCard> cards = {};          ///< Of a carousel, beside what is above them.
};

/// A message from a customer, with whatever it needs. FakeCustomer fills it in for the usual ones.
struct FakeInbound {
    std::string from =
        {};  ///< The customer: `whatsapp:+447700900123`; a bare number gets the prefix.
    std::string to = {};  ///< The sender that it was sent to. Empty: the first account's first.
    std::string body = {};
    std::string media = {};         ///< The file's bytes.
    std::string media_type = {};    ///< `image/jpeg`; empty when there is no file.
    std::string reply_to = {};      ///< SID of the message that it answers.
    std::string message_type = {};  ///< Default: text, or what fits the media type.
    /// Further parameters of the webhook, as they are: `ButtonPayload`, `Latitude`, ... One that
    /// the webhook has anyway takes its place.
    std::vector<std::pair<std::string, std::string>> parameters = {};
};

/// What goes wrong with a request. In process the first six are transport errors; the emulator does
/// them to the socket.
enum class Fault {
    none,
    close_before,       ///< The connection closes without an answer; the request was not looked at.
    close_after,        ///< The connection closes without an answer; the request was carried out.
    reset,              ///< The connection is reset; the request was not looked at.
    black_hole,         ///< No answer ever; the request was not looked at.
    slow,               ///< Carried out; the answer takes `FakeTwilio::slow_answer`.
    truncated,          ///< Carried out; the answer breaks off half way.
    garbage,            ///< Carried out; the answer's body is noise.
    too_many_requests,  ///< 429 with 20429.
    too_many_requests_retry_after,  ///< The same with a Retry-After of one second.
    internal_error,                 ///< 500; nothing was done.
    internal_error_after,           ///< 500; the request was carried out.
    unavailable,                    ///< 503; nothing was done.
};

/// Every Fault but none, with the names they go by on a command line or a page.
inline constexpr std::array<std::pair<std::string_view, Fault>, 12> fault_names{{
    {"close-before", Fault::close_before},
    {"close-after", Fault::close_after},
    {"reset", Fault::reset},
    {"black-hole", Fault::black_hole},
    {"slow", Fault::slow},
    {"truncated", Fault::truncated},
    {"garbage", Fault::garbage},
    {"429", Fault::too_many_requests},
    {"429-retry-after", Fault::too_many_requests_retry_after},
    {"500", Fault::internal_error},
    {"500-after", Fault::internal_error_after},
    {"503", Fault::unavailable},
}};

/// An answer, and what is to be done to it on its way.
struct FakeAnswer {
    HttpResponse response = {};
    Fault fault = Fault::none;
    /// As long as it is kept, the request counts as under way (`set_concurrency_limit`).
    std::shared_ptr<void> under_way = {};
};

/// What goes wrong with webhooks, each with a probability from 0 to 1.
struct WebhookFaults {
    double dropped = 0.0;    ///< Never delivered.
    double doubled = 0.0;    ///< Delivered twice.
    double late = 0.0;       ///< Delivered `late_by` later.
    double reordered = 0.0;  ///< Delivered after the one that follows it (or `late_by` later).
    std::chrono::milliseconds late_by{5'000};
};

/// When messages get their prices. Twilio documents that a price is filled in later and may stay
/// null, not when: all of this is the fake's own.
struct FakePrices {
    /// From the first status that says that a message left (`sent`, `delivered`, ...).
    std::chrono::milliseconds delay{0};
    /// The share of messages, 0 to 1, that never get one. Chosen by the seed when a message leaves.
    double never = 0.0;
};

/// What goes wrong at present: see `FakeTwilio::next_fault` and its like.
struct FakeFaultPlan {
    std::vector<Fault> next = {};  ///< Of the next requests, in order.
    std::vector<std::pair<Fault, double>> rates = {};
    WebhookFaults webhooks = {};
};

/// A chat, as the customer's phone and Twilio have it.
struct FakeChatView {
    std::string customer = {};
    std::string sender = {};
    std::string profile_name = {};
    bool window_is_open = false;  ///< Free-form messages arrive.
    bool sees_typing = false;
    bool blocks = false;       ///< The customer blocks the sender.
    bool has_whatsapp = true;  ///< On the customer's phone, for every sender.
    bool reads_at_once = false;
    bool opted_out = false;
    std::string user_id = {};         ///< Of the customer, as on the wire.
    std::string parent_user_id = {};  ///< That of linked portfolios, if there are any.
    bool hides_number = false;        ///< From senders that do not know it yet.
    std::string known_as = {};        ///< How webhooks name the customer.
};

/// A file of a message.
struct FakeFile {
    std::string content_type = {};
    std::string bytes = {};
};

/// How customers' messages are told, besides where.
struct FakeWebhookOptions {
    /// `POST`, or `GET`: the parameters are in the query then, and the signature is over them
    /// there.
    std::string method = "POST";
    /// Asked when the webhook fails for good, or its answer is no TwiML: with ErrorCode and
    /// ErrorUrl among the parameters. Empty: nobody.
    std::string fallback_url = {};
    std::string fallback_method = "POST";  ///< `POST` or `GET`.
};

/// A webhook on its way out.
struct FakeWebhook {
    std::uint64_t number = 0;  ///< Counts tries of delivery; that of the log's record.
    std::string kind = {};     ///< `inbound` or `status`
    /// What the signature is over: as configured, without the fragment; with the parameters if the
    /// method is GET. To be called without user and password, which only answer a challenge.
    std::string url = {};
    WebhookRequest request = {};
    std::string message_sid = {};
    int attempt = 1;
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds read_timeout{15'000};
    std::chrono::milliseconds total_timeout{15'000};
};

/// A request the fake got.
struct FakeRequestRecord {
    std::uint64_t number = 0;  ///< 1, 2, ...
    TimePoint when = {};
    HttpMethod method = HttpMethod::get;
    std::string url = {};
    /// At most the first 64 KiB. Without credentials: those are in the headers, which are not kept.
    std::string body = {};
    std::string credentials = {};  ///< `accepted`, `refused` or `missing`.
    int status = 0;                ///< 0: the fault left no answer.
    int code = 0;                  ///< Twilio's error code, 0 when there was none.
    std::string response = {};     ///< At most the first 64 KiB.
    Fault fault = Fault::none;
};

/// A webhook the fake sent, or tried to.
struct FakeWebhookRecord {
    TimePoint when = {};
    FakeWebhook webhook = {};
    /// 0: no answer (yet); see `outcome`.
    int status = 0;
    std::string response = {};  ///< At most the first 64 KiB.
    /// `pending`, `answered`, `unreachable` (no connection), `timeout` (no answer), `dropped` (a
    /// WebhookFault), `nobody` (no sink was given).
    std::string outcome = "pending";
    /// What Twilio's debugger would say: 11200 the answer was no success, 11750 TwiML too large,
    /// 12100 no TwiML, 12300 wrong Content-Type, 14107 too many replies; 0 nothing.
    int error_code = 0;
};

/// A recipient with a fate.
struct MagicRecipient {
    std::string_view number = {};  ///< `+15005550001`; on WhatsApp with the prefix.
    int http_status = 201;         ///< Of the answer to the create request.
    int code = 0;  ///< Of the answer if that is no 201, else of the status callback.
    std::string_view status = {};  ///< Where the message ends, with Lifecycle::automatic.
    std::string_view meaning = {};
};

/// Recipients for each outcome. The first block is that of Twilio's test credentials. In the third,
/// `+150055` is followed by the error code; that works for every code from 30001 to 63999.
inline constexpr std::array<MagicRecipient, 34> magic_recipients{{
    {"+15005550001", 400, 21211, {}, "refused: not a valid number"},
    {"+15005550002", 400, 21612, {}, "refused: cannot be reached from this sender"},
    {"+15005550003", 400, 21408, {}, "refused: the region is not enabled"},
    {"+15005550004", 400, 21610, {}, "refused: has opted out"},
    {"+15005550009", 400, 21614, {}, "refused: not a mobile number"},

    {"+15005550006", 201, 0, "delivered", "delivered, at any time, no window needed"},
    {"+15005550020", 201, 0, "sent", "sent, and nothing is heard of it again"},
    {"+15005550021", 201, 0, "read", "delivered, and read soon after"},
    {"+15005550022", 201, 0, "read", "read; delivered is never reported"},
    {"+15005550023", 201, 0, "queued", "stays in the queue"},
    {"+15005550029", 429, 20429, {}, "refused: too many requests at once"},
    {"+15005550038", 429, 63038, {}, "refused: the account's messages of the day are used up"},
    {"+15005550050", 500, 20500, {}, "Twilio fails, and does nothing"},
    {"+15005550053", 503, 20503, {}, "Twilio is unavailable, and does nothing"},

    {"+15005530008", 201, 30008, "undelivered", "unknown error"},
    {"+15005530036", 201, 30036, "failed", "the validity period passed in the queue"},
    {"+15005563003", 201, 63003, "undelivered", "the channel knows no such recipient"},
    {"+15005563005", 201, 63005, "failed", "the channel did not accept the content"},
    {"+15005563009", 201, 63009, "failed", "the channel's server failed"},
    {"+15005563012", 201, 63012, "failed", "the channel failed"},
    {"+15005563013", 201, 63013, "failed", "against the channel's policy"},
    {"+15005563014", 201, 63014, "undelivered", "the customer has blocked the sender"},
    {"+15005563015", 201, 63015, "failed", "has not joined the sandbox"},
    {"+15005563016", 201, 63016, "undelivered", "free-form outside the 24-hour window"},
    {"+15005563018", 201, 63018, "failed", "the channel's rate limit"},
    {"+15005563019", 201, 63019, "failed", "the media could not be fetched"},
    {"+15005563021", 201, 63021, "failed", "the channel finds the content invalid"},
    {"+15005563024", 201, 63024, "undelivered", "no WhatsApp behind the number"},
    {"+15005563027", 201, 63027, "failed", "no template in that language"},
    {"+15005563028", 201, 63028, "failed", "another number of parameters expected"},
    {"+15005563032", 201, 63032, "undelivered", "the customer is part of an experiment"},
    {"+15005563041", 201, 63041, "failed", "the template is paused"},
    {"+15005563042", 201, 63042, "failed", "the template is disabled"},
    {"+15005563049", 201, 63049, "undelivered", "marketing, which Meta chose not to deliver"},
}};

/// Takes a webhook and gives the answer: a WebhookResponse, or an Error (stage resolve, connect or
/// tls: not reached; any other: no answer), which decides about another try.
using WebhookSink =
    std::function<Result<WebhookResponse>(const std::string& url, const WebhookRequest& request)>;
/// The same without waiting: calls back once, from any thread.
using AsyncWebhookSink =
    std::function<void(const FakeWebhook&, std::function<void(Result<WebhookResponse>)>)>;

}  // namespace twiliowa::testing
