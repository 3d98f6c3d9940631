/// @file
/// A message as a line of JSON, which other languages hand over.
#pragma once

#include <string>
#include <string_view>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/types/result.hpp>

namespace cli {

/// Reads one JSON object: the members of an OutboundMessage by their names, and those of
/// JobOptions. Errors name the member.
twiliowa::Result<twiliowa::NewJob> read_job_line(std::string_view line);

/// The field of an error, by the name that such a line has for it: `to` for Twilio's To.
std::string member_of_field(std::string_view field);

}  // namespace cli
