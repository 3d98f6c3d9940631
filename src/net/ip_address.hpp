/// @file
/// Which addresses are on the public internet.
#pragma once

#include <string_view>

namespace twiliowa::detail {

/// Whether `text` is a numeric IPv4 or IPv6 address that belongs to the public internet. False for
/// private, shared (CGNAT), loopback, link-local, multicast, unspecified, documentation, benchmark
/// and reserved ones, for IPv6 forms that carry such an IPv4 address (mapped, NAT64, 6to4), and for
/// what is no numeric address.
bool is_public_address(std::string_view text) noexcept;

}  // namespace twiliowa::detail
