#include "host_names.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <utility>

namespace emulator {

namespace {

/// A Host header without its port, as names are compared.
std::string host_of(std::string_view header) {
    if (header.starts_with('[')) {
        header = header.substr(1, header.find(']') - 1);
    } else if (const auto colon = header.find(':'); header.find(':', colon + 1) == header.npos) {
        header = header.substr(0, colon);
    }
    if (header.ends_with('.')) header.remove_suffix(1);
    std::string host{header};
    std::transform(host.begin(), host.end(), host.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return host;
}

/// The bytes of a numeric address, those of IPv4 as IPv6 maps them; empty if it is none.
std::string address_bytes(const std::string& text) {
    std::array<char, 16> bytes{};
    if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) return {bytes.begin(), bytes.end()};
    if (inet_pton(AF_INET6, ("::ffff:" + text).c_str(), bytes.data()) == 1) {
        return {bytes.begin(), bytes.end()};
    }
    return {};
}

bool is_loopback(const std::string& bytes) {
    return bytes == address_bytes("::1") ||
           bytes.substr(0, 13) == address_bytes("127.0.0.0").substr(0, 13);
}

bool is_local_name(const std::string& host) {
    return host == "localhost" || host.ends_with(".localhost");
}

bool is_every_address(const std::string& bytes) {
    return bytes == address_bytes("::") || bytes == address_bytes("0.0.0.0");
}

}  // namespace

HostNames::HostNames(std::string listening, std::vector<std::string> allowed)
    : names_(std::move(allowed)), on_every_address_(is_every_address(address_bytes(listening))) {
    names_.push_back(std::move(listening));
    std::transform(names_.begin(), names_.end(), names_.begin(), host_of);
}

bool HostNames::allow(std::string_view header, std::string_view own) const {
    const auto host = host_of(header);
    if (header.empty() || is_local_name(host)) return true;
    if (std::find(names_.begin(), names_.end(), host) != names_.end()) return true;
    const auto bytes = address_bytes(host);
    return !bytes.empty() &&
           (is_loopback(bytes) || on_every_address_ || bytes == address_bytes(std::string{own}));
}

bool HostNames::is_near(std::string_view origin, std::string_view host) {
    const auto scheme = origin.find("://");
    if (scheme == std::string_view::npos) return false;  // "null": whoever hides where it is from
    const auto page = host_of(origin.substr(scheme + 3));
    return page == host_of(host) || is_local_name(page) || is_loopback(address_bytes(page));
}

}  // namespace emulator
