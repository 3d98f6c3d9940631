/// @file
/// Twilio's JSON, read without trusting it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/types/message.hpp>

namespace twiliowa::detail {

/// How a document was read. Fields read before a fault are kept.
enum class Decoded { complete, broken };

Decoded decode_message(std::string_view json, Message& message);
/// In the answer to a create that cannot be read to its end: the SID, wherever it is. An empty one
/// if there is none, or more than one.
MessageSid find_message_sid(std::string_view json);
Decoded decode_message_page(std::string_view json, Page<Message>& page);
Decoded decode_media_page(std::string_view json, Page<Media>& page);

}  // namespace twiliowa::detail
