/// @file
/// Addresses and networks of IPv4 and IPv6, and which of them are on the public internet.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include <twiliowa/export.hpp>

namespace twiliowa::detail {

/// An address, as IPv6: one of IPv4 is in its mapped form.
using IpBytes = std::array<std::uint8_t, 16>;

/// `10.0.0.7`, `fd00::1`, `[::1]`; nullopt for anything else.
TWILIOWA_EXPORT std::optional<IpBytes> parse_ip_address(std::string_view text) noexcept;
bool is_ip4(const IpBytes& address) noexcept;

/// One address, or all that share its first bits. An IPv4 address and its IPv6-mapped form are the
/// same.
class IpNetwork {
public:
    constexpr IpNetwork(const IpBytes& first, int prefix) noexcept
        : bytes_(first), prefix_(prefix) {}
    /// `10.0.0.7`, `10.0.0.0/8`, `fd00::/8`, `[::1]`; nullopt for anything else.
    static std::optional<IpNetwork> parse(std::string_view text) noexcept;

    bool contains(const IpBytes& address) const noexcept;
    /// False for what is no numeric address.
    bool contains(std::string_view address) const noexcept;

private:
    IpBytes bytes_;
    int prefix_;
};

/// Whether `text` is a numeric IPv4 or IPv6 address that belongs to the public internet. False for
/// private, shared (CGNAT), loopback, link-local, multicast, unspecified, documentation, benchmark
/// and reserved ones, for IPv6 forms that carry such an IPv4 address (mapped, NAT64, 6to4), and for
/// what is no numeric address.
bool is_public_address(std::string_view text) noexcept;

}  // namespace twiliowa::detail
