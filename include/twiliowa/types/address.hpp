/// @file
/// Who a message goes to or comes from.
#pragma once

#include <string>
#include <string_view>

#include <twiliowa/export.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// A checked WhatsApp or SMS address.
///
/// | written                  | means                              | on the wire              |
/// |--------------------------|------------------------------------|--------------------------|
/// | `+447700900123`          | WhatsApp, by phone number (E.164)  | `whatsapp:+447700900123` |
/// | `whatsapp:+447700900123` | the same                           | `whatsapp:+447700900123` |
/// | `whatsapp:GB.4f1a`       | WhatsApp, by user id               | `whatsapp:GB.4f1a`       |
/// | `sms:+447700900123`      | SMS                                | `+447700900123`          |
///
/// WhatsApp identities need not be phone numbers (Twilio passes Meta's business-scoped user ids:
/// a country code, a dot, optionally `ENT.`, letters and digits).
class TWILIOWA_EXPORT Address {
public:
    enum class Channel { whatsapp, sms };

    Address() noexcept = default;
    /// Reads any of the forms above. The error says what is wrong with the text, without quoting
    /// it.
    /// @param field  the parameter's name for the error ("To").
    static Result<Address> parse(std::string_view text, std::string_view field = "To");

    /// From Twilio's own answer or webhook, where a bare number is SMS; empty when it is none of
    /// the forms above.
    static Address from_wire(std::string_view wire);

    Channel channel() const noexcept { return channel_; }
    /// As Twilio wants it.
    const std::string& wire() const noexcept { return wire_; }
    /// As `parse` reads it, and a message's `to` is written: `sms:` before an SMS number.
    std::string text() const;
    /// `+` and digits, or empty when the identity is not a phone number.
    std::string_view phone_number() const noexcept;
    bool empty() const noexcept { return wire_.empty(); }
    friend bool operator==(const Address&, const Address&) = default;

private:
    Channel channel_ = Channel::whatsapp;
    std::string wire_;
};

}  // namespace twiliowa
