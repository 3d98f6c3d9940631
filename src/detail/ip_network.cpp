#include "detail/ip_network.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <cstddef>
#include <cstring>

#include "detail/ascii.hpp"

namespace twiliowa::detail {

namespace {

struct ParsedIp {
    std::array<std::uint8_t, 16> bytes{};
    bool is_ip4 = false;
};

std::optional<ParsedIp> parse_ip(std::string_view text) noexcept {
    if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
        text = text.substr(1, text.size() - 2);
    }
    std::array<char, INET6_ADDRSTRLEN> terminated{};
    if (text.empty() || text.size() >= terminated.size() ||
        text.find('\0') != std::string_view::npos) {
        return std::nullopt;
    }
    std::copy(text.begin(), text.end(), terminated.begin());
    ParsedIp ip;
    in_addr ip4{};
    if (inet_pton(AF_INET, terminated.data(), &ip4) == 1) {
        ip.is_ip4 = true;
        ip.bytes[10] = ip.bytes[11] = 0xff;
        std::memcpy(ip.bytes.data() + 12, &ip4, 4);
        return ip;
    }
    in6_addr ip6{};
    if (inet_pton(AF_INET6, terminated.data(), &ip6) != 1) return std::nullopt;
    std::memcpy(ip.bytes.data(), &ip6, ip.bytes.size());
    return ip;
}

}  // namespace

std::optional<IpNetwork> IpNetwork::parse(std::string_view text) noexcept {
    const auto slash = text.find('/');
    const auto ip = parse_ip(text.substr(0, slash));
    if (!ip) return std::nullopt;
    IpNetwork network;
    network.bytes_ = ip->bytes;
    if (slash == std::string_view::npos) return network;
    const auto bits = parse_number<int>(text.substr(slash + 1));
    if (!bits || *bits < 0 || *bits > (ip->is_ip4 ? 32 : 128)) return std::nullopt;
    network.prefix_ = *bits + (ip->is_ip4 ? 96 : 0);
    return network;
}

bool IpNetwork::contains(std::string_view address) const noexcept {
    const auto ip = parse_ip(address);
    if (!ip) return false;
    const auto whole = static_cast<std::size_t>(prefix_ / 8);
    if (!std::equal(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(whole),
                    ip->bytes.begin())) {
        return false;
    }
    const int rest = prefix_ % 8;
    if (rest == 0) return true;
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
    return (bytes_[whole] & mask) == (ip->bytes[whole] & mask);
}

}  // namespace twiliowa::detail
