/// @file
/// Who a message is sent as.
#pragma once

#include <string>
#include <string_view>

#include <twiliowa/export.hpp>
#include <twiliowa/types/address.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/sid.hpp>

namespace twiliowa {

/// Your side of a conversation: an address, or a messaging service, where the address is Twilio's
/// choice. An Address or a MessagingServiceSid may be given in its place.
class TWILIOWA_EXPORT Sender {
public:
    Sender() noexcept = default;
    Sender(const Address& address) : wire_(address.wire()) {}
    Sender(const MessagingServiceSid& service) : wire_(service.str()) {}
    /// Reads the SID of a messaging service (MG...), or an address as Address::parse does.
    static Result<Sender> parse(std::string_view text);

    /// As Twilio writes it.
    const std::string& wire() const noexcept { return wire_; }
    bool empty() const noexcept { return wire_.empty(); }
    friend bool operator==(const Sender&, const Sender&) = default;

private:
    std::string wire_;
};

}  // namespace twiliowa
