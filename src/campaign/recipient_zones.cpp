#include <twiliowa/campaign/recipient_zones.hpp>

#include <algorithm>

#include "campaign/zone_tables.hpp"

namespace twiliowa {

namespace detail {
namespace {

std::string_view zones_by_prefix(std::string_view digits) {
    constexpr std::size_t longest_prefix = 7;
    const auto prefixes = zone_prefixes();
    for (auto length = std::min(longest_prefix, digits.size()); length > 0; --length) {
        const auto begin = digits.substr(0, length);
        const auto found = std::lower_bound(
            prefixes.begin(), prefixes.end(), begin,
            [](const ZonePrefix& p, std::string_view sought) { return p.digits < sought; });
        if (found != prefixes.end() && found->digits == begin) return found->zones;
    }
    return {};
}

}  // namespace
}  // namespace detail

std::vector<std::string> zones_of(const Address& recipient) {
    std::vector<std::string> zones;
    const auto number = recipient.phone_number();
    if (number.empty()) return zones;
    auto names = detail::zones_by_prefix(std::string_view{number}.substr(1));
    while (!names.empty()) {
        const auto space = std::min(names.find(' '), names.size());
        zones.emplace_back(names.substr(0, space));
        names.remove_prefix(std::min(space + 1, names.size()));
    }
    return zones;
}

std::vector<std::string> zones_of(std::string_view recipient) {
    const auto address = Address::parse(recipient);
    return address ? zones_of(*address) : std::vector<std::string>{};
}

}  // namespace twiliowa
