/// @file
/// Addresses as they are on the wire: phone numbers, and identities on WhatsApp.
#pragma once

#include <string>
#include <string_view>

namespace twiliowa::testing::fake {

bool is_whatsapp(std::string_view address) noexcept;

/// The address without its `whatsapp:`.
std::string_view identity_of(std::string_view address) noexcept;

/// The address on WhatsApp, unless it names a channel already.
std::string on_whatsapp(std::string_view address);

/// An identity on WhatsApp that is not a phone number: `GB.4f1a`, `US.ENT.4f1a`.
bool is_user_id(std::string_view text) noexcept;

bool is_phone_number(std::string_view text) noexcept;

/// Whether a message can be sent there: to a phone number, or to a user id on WhatsApp.
bool is_address(std::string_view address) noexcept;

}  // namespace twiliowa::testing::fake
