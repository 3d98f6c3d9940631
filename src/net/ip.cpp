#include "net/ip.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

constexpr IpNetwork ip4_network(std::uint32_t first, int prefix) noexcept {
    const auto byte = [first](int shift) {
        return static_cast<std::uint8_t>(first >> shift & 0xff);
    };
    return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, byte(24), byte(16), byte(8), byte(0)},
            96 + prefix};
}

/// Not for the public internet (IANA's special-purpose registry for IPv4).
constexpr std::array special_ip4{
    ip4_network(0x00000000, 8),   // this network
    ip4_network(0x0A000000, 8),   // private
    ip4_network(0x64400000, 10),  // shared by a carrier (CGNAT)
    ip4_network(0x7F000000, 8),   // loopback
    ip4_network(0xA9FE0000, 16),  // link-local, with the clouds' metadata services
    ip4_network(0xAC100000, 12),  // private
    ip4_network(0xC0000000, 24),  // protocol assignments
    ip4_network(0xC0000200, 24),  // documentation
    ip4_network(0xC0586300, 24),  // 6to4 relays
    ip4_network(0xC0A80000, 16),  // private
    ip4_network(0xC6120000, 15),  // benchmarks
    ip4_network(0xC6336400, 24),  // documentation
    ip4_network(0xCB007100, 24),  // documentation
    ip4_network(0xE0000000, 4),   // multicast
    ip4_network(0xF0000000, 4),   // reserved, and broadcast
};

constexpr IpNetwork ip6_nat64{{0x00, 0x64, 0xff, 0x9b}, 96};
constexpr IpNetwork ip6_6to4{{0x20, 0x02}, 16};
constexpr IpNetwork ip6_global{{0x20}, 3};  // the only part of IPv6 that is given out so far

/// Not for the public internet although in ip6_global.
constexpr std::array special_ip6{
    IpNetwork{{0x20, 0x01, 0x00}, 23},        // protocol assignments, Teredo, ORCHID
    IpNetwork{{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    IpNetwork{{0x3f, 0xff, 0x00}, 20},        // documentation
};

template <class Networks>
bool is_in_none(const Networks& networks, const IpBytes& address) noexcept {
    return std::none_of(networks.begin(), networks.end(),
                        [&](const IpNetwork& network) { return network.contains(address); });
}

/// The IPv4 address that an IPv6 address carries there.
IpBytes carried_ip4(const IpBytes& address, std::ptrdiff_t offset) noexcept {
    IpBytes ip4{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    std::copy_n(address.begin() + offset, 4, ip4.begin() + 12);
    return ip4;
}

bool is_public_ip(const IpBytes& address) noexcept {
    if (is_ip4(address)) return is_in_none(special_ip4, address);
    if (ip6_nat64.contains(address)) return is_public_ip(carried_ip4(address, 12));
    if (!ip6_global.contains(address)) return false;
    if (ip6_6to4.contains(address)) return is_public_ip(carried_ip4(address, 2));
    return is_in_none(special_ip6, address);
}

}  // namespace

std::optional<IpBytes> parse_ip_address(std::string_view text) noexcept {
    if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
        text = text.substr(1, text.size() - 2);
    }
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.empty() || text.size() >= terminated.size() ||
        text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    std::copy(text.begin(), text.end(), terminated.begin());
    IpBytes bytes{};
    in_addr ip4{};
    if (inet_pton(AF_INET, terminated.data(), &ip4) == 1) {
        bytes[10] = bytes[11] = 0xff;
        std::memcpy(bytes.data() + 12, &ip4, 4);
        return bytes;
    }
    in6_addr ip6{};
    if (inet_pton(AF_INET6, terminated.data(), &ip6) != 1) return std::nullopt;
    std::memcpy(bytes.data(), &ip6, bytes.size());
    return bytes;
}

bool is_ip4(const IpBytes& address) noexcept {
    return ip4_network(0, 0).contains(address);
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) noexcept {
    const auto slash = text.find('/');
    const auto address = parse_ip_address(text.substr(0, slash));
    if (!address) return std::nullopt;
    if (slash == std::string_view::npos) return IpNetwork{*address, 128};
    const auto bits = parse_number<int>(text.substr(slash + 1));
    const bool counts_as_ip4 = text.find(':') == std::string_view::npos;
    if (!bits || *bits < 0 || *bits > (counts_as_ip4 ? 32 : 128)) return std::nullopt;
    return IpNetwork{*address, *bits + (counts_as_ip4 ? 96 : 0)};
}

bool IpNetwork::contains(const IpBytes& address) const noexcept {
    const auto whole = static_cast<std::size_t>(prefix_ / 8);
    if (!std::equal(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(whole),
                    address.begin())) {
        return false;
    }
    const int rest = prefix_ % 8;
    if (rest == 0) return true;
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
    return (bytes_[whole] & mask) == (address[whole] & mask);
}

bool IpNetwork::contains(std::string_view text) const noexcept {
    const auto address = parse_ip_address(text);
    return address && contains(*address);
}

bool is_public_address(std::string_view text) noexcept {
    const auto address = parse_ip_address(text);
    return address && text.front() != '[' && is_public_ip(*address);
}

}  // namespace twiliowa::detail
