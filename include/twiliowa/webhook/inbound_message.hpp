/// @file
/// What a customer sent: `InboundMessage`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/types/open_enum.hpp>
#include <twiliowa/types/sid.hpp>

namespace twiliowa {

/// Parameters of a webhook, decoded, in their order.
using WebhookParameters = std::vector<std::pair<std::string, std::string>>;

/// A file that came with a message. `url` wants the account's credentials: see MediaClient.
struct InboundMedia {
    std::string url = {};
    std::string content_type = {};
};

/// A place that the customer shared.
struct InboundLocation {
    double latitude = 0.0;     ///< Degrees.
    double longitude = 0.0;    ///< Degrees.
    std::string address = {};  ///< Empty when only a pin was set.
    std::string label = {};    ///< The place's name.
};

/// A tap on a quick reply button.
struct ButtonReply {
    std::string payload = {};  ///< The button's id in the template; may be missing.
    std::string text = {};     ///< What the button says; may be missing.
};

/// A choice from a list picker.
struct ListReply {
    std::string id = {};
    std::string title = {};
};

/// The advertisement through which the customer came.
struct Referral {
    std::string headline = {};
    std::string body = {};
    std::string source_id = {};
    std::string source_type = {};
    std::string source_url = {};
    std::string media_id = {};
    std::string media_content_type = {};
    std::string media_url = {};
    std::string click_id = {};  ///< `ReferralCtwaClid`
};

/// The message that this one answers. Known for seven days.
struct ReplyContext {
    std::string sender = {};
    MessageSid message_sid = {};
};

/// What Twilio made of an opt-out word; Advanced Opt-Out only.
class OptOutType : public OpenEnum<OptOutType> {
public:
    using OpenEnum::OpenEnum;
    static constexpr std::string_view stop = "STOP";
    static constexpr std::string_view start = "START";
    static constexpr std::string_view help = "HELP";
};

/// What kind of button was tapped. Source: Twilio's page "Webhook request", as of 2026; it does not
/// say which taps carry it.
class ButtonType : public OpenEnum<ButtonType> {
public:
    using OpenEnum::OpenEnum;
    static constexpr std::string_view reply = "REPLY";
    static constexpr std::string_view action = "ACTION";
};

/// A message from a customer. Text is what the customer typed: valid UTF-8 (what was not is
/// U+FFFD), otherwise unchecked. Absent parameters are empty, or nullopt. Source: Twilio's page
/// "Webhook request", and parameters seen in captured requests.
struct InboundMessage {
    MessageSid sid = {};
    AccountSid account_sid = {};
    std::string messaging_service_sid = {};
    /// The customer: `whatsapp:+447700900123`. Need not be a phone number: WhatsApp also has user
    /// ids (`whatsapp:US.1234`). May be given to the next send as it is. That of an SMS, a bare
    /// number (`+447700900123`), may not: it would be read as WhatsApp. Put `sms:` before it.
    std::string from = {};
    std::string to = {};  ///< Your sender.
    std::string body = {};
    std::string message_type = {};  ///< `text`, `image`, `button`, `interactive`, ...
    std::vector<InboundMedia> media = {};
    std::optional<InboundLocation> location = {};
    std::optional<ButtonReply> button = {};
    ButtonType button_type = {};
    std::optional<ListReply> list = {};
    std::string interactive_data = {};  ///< A flow's answer, as seen on webhooks: JSON text.
    std::string flow_data = {};         ///< A flow's answer, as Twilio documents it: JSON text.
    std::optional<Referral> referral = {};
    std::optional<ReplyContext> reply_to = {};
    bool forwarded = false;
    bool frequently_forwarded = false;
    std::string profile_name = {};
    std::string wa_id = {};  ///< The phone number's digits; may be missing.
    /// The WhatsApp user id, as on the wire: `whatsapp:US.4f1a`. Every message has one, by the key
    /// concepts that Twilio has published on 2026-06-03; older ones may not. It belongs to the
    /// number (a new number has a new one) and to your business portfolio.
    std::string external_user_id = {};
    /// That of linked portfolios: `whatsapp:US.ENT.4f1a`. Empty without any.
    std::string parent_external_user_id = {};
    OptOutType opt_out_type = {};
    /// Set by WebhookHandler: WebhookOptions::opt_outs or stop_words took it for an opt-out.
    bool taken_for_stop = false;
    std::string channel_metadata = {};  ///< JSON text.
    /// Read from Twilio's list, as its webhook did not come (an inbox does that): only SIDs,
    /// addresses, body and media are known, and everything else is empty. A tap on a button is its
    /// text alone.
    bool caught_up = false;
    /// Every other parameter, as it came.
    WebhookParameters other = {};
    /// The parameters of the URL that Twilio called, which is signed with the rest. Yours; for a
    /// webhook by GET Twilio's own are among them, as they are in its URL.
    WebhookParameters query = {};

    /// What a tapped button means: its payload, else its text, else the body. Empty when there was
    /// no button.
    TWILIOWA_EXPORT std::string_view button_answer() const noexcept;
    /// The parameter of that name in `other`, or empty.
    TWILIOWA_EXPORT std::string_view parameter(std::string_view name) const noexcept;
    /// The first parameter of that name in `query`, or empty.
    TWILIOWA_EXPORT std::string_view query_parameter(std::string_view name) const noexcept;
};

}  // namespace twiliowa
