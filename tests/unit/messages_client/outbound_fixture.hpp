/// @file
/// A message to send, and a client's defaults for it.
#pragma once

#include <chrono>
#include <string>

#include "messages_client/outbound_checks.hpp"

namespace twiliowa::test {

inline const TimePoint now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 21}};
inline const std::string hex(32, 'a');
inline const std::string service = "MG" + hex;

inline detail::OutboundDefaults own_defaults() {
    detail::OutboundDefaults result;
    result.from = Address::parse("+14155238886", "From").value();
    return result;
}

inline OutboundMessage text() {
    OutboundMessage message;
    message.to = "+447700900123";
    message.body = "Hi";
    return message;
}

}  // namespace twiliowa::test
