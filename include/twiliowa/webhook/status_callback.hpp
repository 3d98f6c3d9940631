/// @file
/// What became of a message that was sent: `StatusCallback`.
#pragma once

#include <string>
#include <string_view>

#include <twiliowa/export.hpp>
#include <twiliowa/types/error_advice.hpp>
#include <twiliowa/types/message.hpp>
#include <twiliowa/types/sid.hpp>
#include <twiliowa/webhook/inbound_message.hpp>

namespace twiliowa {

/// A message has reached a status. Callbacks carry no time and no number, and come late, twice and
/// out of order: give them to a StatusTracker. One may come before the send has returned the SID
/// that it names; what you put into the URL of the callback comes back in `query`. Source: Twilio's
/// page "Outbound message status in status callbacks".
struct StatusCallback {
    MessageSid sid = {};
    AccountSid account_sid = {};
    std::string messaging_service_sid = {};
    MessageStatus status = {};
    std::string from = {};  ///< Your sender.
    std::string to = {};    ///< The customer.
    int error_code = 0;     ///< 0 when nothing failed.
    std::string error_message = {};
    std::string channel_status_message = {};   ///< The channel's own words.
    std::string channel_prefix = {};           ///< `whatsapp`
    std::string channel_to_address = {};       ///< Masked.
    std::string channel_install_sid = {};      ///< XE...
    std::string event_type = {};               ///< `READ`, `DELIVERED`, ...
    std::string external_user_id = {};         ///< With `delivered` and `read`: see InboundMessage.
    std::string parent_external_user_id = {};  ///< The same.
    /// Every other parameter, as it came.
    WebhookParameters other = {};
    /// The parameters of the URL that Twilio called, which is signed with the rest: with the
    /// status_callback `https://bot.example.com/status?job=17`, job is 17. For a callback by GET
    /// Twilio's own are among them, as they are in its URL.
    WebhookParameters query = {};

    /// What the offline catalogue says of `error_code`.
    TWILIOWA_EXPORT ErrorAdvice advice() const noexcept;
    /// The parameter of that name in `other`, or empty.
    TWILIOWA_EXPORT std::string_view parameter(std::string_view name) const noexcept;
    /// The first parameter of that name in `query`, or empty.
    TWILIOWA_EXPORT std::string_view query_parameter(std::string_view name) const noexcept;
};

}  // namespace twiliowa
