/// @file
/// The checks a send makes.
#pragma once

#include <string>
#include <string_view>

#include <twiliowa/types/address.hpp>
#include <twiliowa/types/outbound.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/sid.hpp>

namespace twiliowa::detail {

/// What a client adds to a message that leaves it open.
struct OutboundDefaults {
    Address from = {};
    MessagingServiceSid messaging_service_sid = {};
    std::string status_callback = {};
};

/// What a message is sent from: both are empty where only `extra` says it, or nothing.
struct OutboundSender {
    Address from = {};
    MessagingServiceSid messaging_service_sid = {};

    /// From, else the messaging service: what rate limits go by.
    std::string_view sender() const noexcept {
        return from.empty() ? messaging_service_sid.str() : from.wire();
    }
};

/// A message that passed every check: what depends on the defaults is decided.
struct CheckedOutbound : OutboundSender {
    const OutboundMessage* message = nullptr;
    Address to = {};
    std::string_view status_callback = {};
};

/// Refuses a sender that is none.
Result<OutboundSender> check_sender(const OutboundMessage& message,
                                    const OutboundDefaults& defaults);

/// Refuses, by the name of the field, what Twilio or WhatsApp would refuse. `message` and
/// `defaults` must outlive the result.
Result<CheckedOutbound> check_outbound(const OutboundMessage& message,
                                       const OutboundDefaults& defaults, TimePoint now);

/// Why a one-time code does not go to a user id.
Error user_id_for_authentication();

/// The first parameter of that name in `extra`, or null.
const std::string* find_extra(const OutboundMessage& message, std::string_view name) noexcept;
bool names_extra(const OutboundMessage& message, std::string_view name) noexcept;

}  // namespace twiliowa::detail
