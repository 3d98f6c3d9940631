#include "net/ip_network.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "text/ascii.hpp"

namespace twiliowa::detail {

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
    constexpr IpBytes mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return std::equal(address.begin(), address.begin() + 12, mapped.begin());
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) noexcept {
    const auto slash = text.find('/');
    const auto address = parse_ip_address(text.substr(0, slash));
    if (!address) return std::nullopt;
    IpNetwork network;
    network.bytes_ = *address;
    if (slash == std::string_view::npos) return network;
    const auto bits = parse_number<int>(text.substr(slash + 1));
    const bool counts_as_ip4 = text.find(':') == std::string_view::npos;
    if (!bits || *bits < 0 || *bits > (counts_as_ip4 ? 32 : 128)) return std::nullopt;
    network.prefix_ = *bits + (counts_as_ip4 ? 96 : 0);
    return network;
}

bool IpNetwork::contains(std::string_view text) const noexcept {
    const auto address = parse_ip_address(text);
    if (!address) return false;
    const auto whole = static_cast<std::size_t>(prefix_ / 8);
    if (!std::equal(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(whole),
                    address->begin())) {
        return false;
    }
    const int rest = prefix_ % 8;
    if (rest == 0) return true;
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
    return (bytes_[whole] & mask) == ((*address)[whole] & mask);
}

}  // namespace twiliowa::detail
