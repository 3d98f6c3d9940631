/// @file
/// What a create request says.
#pragma once

#include <string>

#include "messages_client/outbound_checks.hpp"

namespace twiliowa::detail {

/// Its application/x-www-form-urlencoded body.
std::string encode_outbound(const CheckedOutbound& checked);

}  // namespace twiliowa::detail
