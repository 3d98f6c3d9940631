/// @file
/// A message as an outbox keeps it, and as other languages hand it over: one JSON object, its names
/// those of OutboundMessage.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <twiliowa/types/outbound.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

/// Bytes. No message that Twilio takes comes near.
inline constexpr std::size_t longest_message = std::size_t{256} * 1024;

/// Names sorted, no blanks, nothing that is empty: the same message always gives the same text.
/// Errors: text that is not UTF-8, by the member's name.
Result<std::string> write_message_json(const OutboundMessage& message);

/// Reads what `write_message_json` writes, blanks and order aside. Refuses by name what it does not
/// know: a member that is passed over would be lost.
Result<OutboundMessage> read_message_json(std::string_view json);

/// The member of OutboundMessage that a send's check means by that field: `content_sid` of
/// `ContentSid`.
std::string member_of_send(std::string_view field);

}  // namespace twiliowa::detail
