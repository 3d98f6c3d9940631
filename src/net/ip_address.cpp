#include "net/ip_address.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace twiliowa::detail {

namespace {

struct Ip4Block {
    std::uint32_t network;
    int prefix;
};

/// Not for the public internet (IANA's special-purpose registry for IPv4).
constexpr std::array special_ip4{
    Ip4Block{0x00000000, 8},   // this network
    Ip4Block{0x0A000000, 8},   // private
    Ip4Block{0x64400000, 10},  // shared by a carrier (CGNAT)
    Ip4Block{0x7F000000, 8},   // loopback
    Ip4Block{0xA9FE0000, 16},  // link-local, with the clouds' metadata services
    Ip4Block{0xAC100000, 12},  // private
    Ip4Block{0xC0000000, 24},  // protocol assignments
    Ip4Block{0xC0000200, 24},  // documentation
    Ip4Block{0xC0586300, 24},  // 6to4 relays
    Ip4Block{0xC0A80000, 16},  // private
    Ip4Block{0xC6120000, 15},  // benchmarks
    Ip4Block{0xC6336400, 24},  // documentation
    Ip4Block{0xCB007100, 24},  // documentation
    Ip4Block{0xE0000000, 4},   // multicast
    Ip4Block{0xF0000000, 4},   // reserved, and broadcast
};

using Ip6Bytes = std::array<std::uint8_t, 16>;

struct Ip6Block {
    Ip6Bytes network;
    int prefix;
};

constexpr Ip6Block ip6_mapped{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 96};
constexpr Ip6Block ip6_nat64{{0x00, 0x64, 0xff, 0x9b}, 96};
constexpr Ip6Block ip6_6to4{{0x20, 0x02}, 16};
constexpr Ip6Block ip6_global{{0x20}, 3};  // the only part of IPv6 that is given out so far

/// Not for the public internet although in ip6_global.
constexpr std::array special_ip6{
    Ip6Block{{0x20, 0x01, 0x00}, 23},        // protocol assignments, Teredo, ORCHID
    Ip6Block{{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    Ip6Block{{0x3f, 0xff, 0x00}, 20},        // documentation
};

bool is_within(const Ip6Bytes& address, const Ip6Block& block) noexcept {
    const auto whole = static_cast<std::size_t>(block.prefix / 8);
    if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole),
                    block.network.begin())) {
        return false;
    }
    const int rest = block.prefix % 8;
    if (rest == 0) return true;
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
    return (address[whole] & mask) == (block.network[whole] & mask);
}

bool is_public_ip4(std::uint32_t address) noexcept {
    return std::none_of(special_ip4.begin(), special_ip4.end(), [address](const Ip4Block& block) {
        return (address >> (32 - block.prefix)) == (block.network >> (32 - block.prefix));
    });
}

std::uint32_t ip4_at(const Ip6Bytes& address, std::size_t offset) noexcept {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) value = value << 8 | address[offset + i];
    return value;
}

bool is_public_ip6(const Ip6Bytes& address) noexcept {
    if (is_within(address, ip6_mapped) || is_within(address, ip6_nat64)) {
        return is_public_ip4(ip4_at(address, 12));
    }
    if (!is_within(address, ip6_global)) return false;
    if (is_within(address, ip6_6to4)) return is_public_ip4(ip4_at(address, 2));
    return std::none_of(special_ip6.begin(), special_ip6.end(),
                        [&](const Ip6Block& block) { return is_within(address, block); });
}

}  // namespace

bool is_public_address(std::string_view text) noexcept {
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.size() >= terminated.size() || text.find('\0') != std::string_view::npos) return false;
    std::copy(text.begin(), text.end(), terminated.begin());
    in_addr ip4{};
    if (inet_pton(AF_INET, terminated.data(), &ip4) == 1) return is_public_ip4(ntohl(ip4.s_addr));
    in6_addr ip6{};
    if (inet_pton(AF_INET6, terminated.data(), &ip6) != 1) return false;
    Ip6Bytes bytes{};
    std::memcpy(bytes.data(), &ip6, bytes.size());
    return is_public_ip6(bytes);
}

}  // namespace twiliowa::detail
