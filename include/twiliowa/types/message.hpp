/// @file
/// Twilio's record of a message, and of its media.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/export.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/open_enum.hpp>
#include <twiliowa/types/page.hpp>
#include <twiliowa/types/sid.hpp>
#include <twiliowa/types/text_field.hpp>

namespace twiliowa {

/// Where a message is in its life: `m.status == MessageStatus::delivered`. A status that Twilio
/// adds later is kept as text. Source: Twilio's Messages resource; `read` occurs on WhatsApp and
/// RCS only.
class MessageStatus : public OpenEnum<MessageStatus> {
public:
    using OpenEnum::OpenEnum;
    static constexpr std::string_view accepted = "accepted";
    static constexpr std::string_view scheduled = "scheduled";
    static constexpr std::string_view queued = "queued";
    static constexpr std::string_view sending = "sending";
    static constexpr std::string_view sent = "sent";
    static constexpr std::string_view delivered = "delivered";
    static constexpr std::string_view partially_delivered = "partially_delivered";
    static constexpr std::string_view read = "read";
    static constexpr std::string_view undelivered = "undelivered";
    static constexpr std::string_view failed = "failed";
    static constexpr std::string_view canceled = "canceled";
    static constexpr std::string_view receiving = "receiving";
    static constexpr std::string_view received = "received";
};

/// Which way a message went: `m.direction == Direction::inbound`.
class Direction : public OpenEnum<Direction> {
public:
    using OpenEnum::OpenEnum;
    static constexpr std::string_view inbound = "inbound";
    static constexpr std::string_view outbound_api = "outbound-api";
    static constexpr std::string_view outbound_call = "outbound-call";
    static constexpr std::string_view outbound_reply = "outbound-reply";
};

/// A message as Twilio reports it. Text is unchecked: what Twilio sent. Absent and null fields are
/// empty, or nullopt.
struct Message {
    MessageSid sid = {};
    std::string account_sid = {};
    std::string messaging_service_sid = {};
    /// As on the wire: `whatsapp:+...`, or `+...` for SMS.
    std::string from = {};
    /// As on the wire. What begins with `whatsapp:` may be given to the next send as it is; before
    /// the bare number of an SMS `sms:` must be put, or it is read as WhatsApp. So with `from`.
    std::string to = {};
    std::string body = {};
    MessageStatus status = {};
    Direction direction = {};
    std::optional<int> error_code = {};  ///< See `advise()`.
    std::string error_message = {};
    std::optional<TimePoint> date_created = {};
    std::optional<TimePoint> date_sent = {};  ///< Nullopt while queued or scheduled.
    std::optional<TimePoint> date_updated = {};
    std::optional<int> num_media = {};
    std::optional<int> num_segments = {};
    std::string price = {};  ///< A decimal as text, negative, in `price_unit`; filled in later.
    std::string price_unit = {};
    std::string api_version = {};
    std::string uri = {};           ///< Relative to the API's host.
    std::string media_uri = {};     ///< `subresource_uris.media`
    std::string feedback_uri = {};  ///< `subresource_uris.feedback`
    /// Local, said by the send alone: the message's fallback template went, since the 24-hour
    /// window was closed.
    bool sent_fallback = false;
};

/// One attachment of a message.
struct Media {
    MediaSid sid = {};
    std::string account_sid = {};
    std::string parent_sid = {};
    std::string content_type = {};
    std::optional<TimePoint> date_created = {};
    std::optional<TimePoint> date_updated = {};
    std::string uri = {};  ///< Metadata; without `.json` it is the file itself.
};

/// Which messages to list. Empty fields do not filter.
struct MessageFilter {
    TextField to = {};                          ///< An address, as in `OutboundMessage::to`.
    TextField from = {};                        ///< An address, as in `OutboundMessage::to`.
    std::optional<TimePoint> sent_on = {};      ///< That day, UTC.
    std::optional<TimePoint> sent_before = {};  ///< That day or earlier.
    std::optional<TimePoint> sent_after = {};   ///< That day or later.
    int page_size = 50;                         ///< 1 to 1000.
};

}  // namespace twiliowa
