#include "http/no_proxy.hpp"

#include <algorithm>

#include "net/ip.hpp"
#include "text/ascii.hpp"

namespace twiliowa::detail {

namespace {

bool is_in_domain(std::string_view host, std::string_view domain) {
    if (host.ends_with('.')) host.remove_suffix(1);
    if (domain.ends_with('.')) domain.remove_suffix(1);
    if (domain.starts_with('.')) domain.remove_prefix(1);
    if (domain.empty() || domain.size() > host.size()) return false;
    const auto rest = host.size() - domain.size();
    return equals_ignoring_case(host.substr(rest), domain) && (rest == 0 || host[rest - 1] == '.');
}

}  // namespace

bool goes_without_proxy(std::string_view host, std::string_view no_proxy) {
    constexpr std::string_view separators = ", \t";
    const bool is_address = IpNetwork::parse(host).has_value();
    const auto names_host = [&](std::string_view entry) {
        if (entry == "*") return true;
        if (const auto network = IpNetwork::parse(entry)) return network->contains(host);
        return !is_address && is_in_domain(host, entry);
    };
    while (!no_proxy.empty()) {
        const auto end = std::min(no_proxy.find_first_of(separators), no_proxy.size());
        if (names_host(no_proxy.substr(0, end))) return true;
        no_proxy.remove_prefix(std::min(end + 1, no_proxy.size()));
    }
    return false;
}

}  // namespace twiliowa::detail
