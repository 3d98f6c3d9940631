#include "state/entries.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>

#include "text/ascii.hpp"

namespace twiliowa::detail {

std::string state_key(std::string_view what, std::initializer_list<std::string_view> parts) {
    constexpr std::size_t longest_length = std::numeric_limits<std::size_t>::digits10 + 1;
    std::size_t size = what.size();
    for (const auto part : parts) size += part.size() + longest_length + 2;
    std::string key(size, '\0');
    char* out = std::copy(what.begin(), what.end(), key.data());
    for (const auto part : parts) {
        *out++ = ' ';
        out = std::to_chars(out, out + longest_length, part.size()).ptr;
        *out++ = ':';
        out = std::copy(part.begin(), part.end(), out);
    }
    key.resize(static_cast<std::size_t>(out - key.data()));
    return key;
}

Result<std::string> conversation_key(std::string_view what, std::string_view scope,
                                     const Sender& sender, const Address& customer) {
    if (sender.empty()) return Error::invalid_request("From", "is empty");
    if (customer.empty()) return Error::invalid_request("To", "is empty");
    return state_key(what, {scope, sender.wire(), customer.wire()});
}

Sender sender_from_wire(std::string_view wire) {
    const auto address = Address::from_wire(wire);
    if (!address.empty()) return address;
    return MessagingServiceSid::from_wire(std::string{wire});
}

TimePoint no_later_than_now(const Clock& clock, const std::optional<TimePoint>& at) {
    const auto now = clock.now();
    return at ? std::min(*at, now) : now;
}

std::string nanoseconds_text(TimePoint time) {
    const auto since =
        std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch());
    return std::to_string(since.count());
}

std::optional<TimePoint> parse_nanoseconds(std::string_view text) noexcept {
    const auto count = parse_number<std::int64_t>(text);
    if (!count) return std::nullopt;
    return TimePoint{
        std::chrono::duration_cast<TimePoint::duration>(std::chrono::nanoseconds{*count})};
}

void require_same_scope(const Customers& customers, std::string_view scope) {
    if (customers.scope() == scope) return;
    Error::invalid_request("customers", "is of another scope", "give both the same scope").raise();
}

Error foreign_entry() {
    return store_error("holds something else where this entry belongs",
                       "share it with nothing that uses the same keys");
}

}  // namespace twiliowa::detail
