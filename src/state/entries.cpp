#include "state/entries.hpp"

#include <algorithm>
#include <cstdint>

#include "text/ascii.hpp"

namespace twiliowa::detail {

std::string state_key(std::string_view what, std::initializer_list<std::string_view> parts) {
    std::string key(what);
    for (const auto part : parts) {
        key.append(1, ' ').append(std::to_string(part.size())).append(1, ':').append(part);
    }
    return key;
}

Result<std::string> conversation_key(std::string_view what, std::string_view scope,
                                     const Sender& sender, const Address& customer) {
    if (sender.empty()) return Error::invalid_request("From", "is empty");
    if (customer.empty()) return Error::invalid_request("To", "is empty");
    return state_key(what, {scope, sender.wire(), customer.wire()});
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

Error foreign_entry() {
    return store_error("holds something else where this entry belongs",
                       "share it with nothing that uses the same keys");
}

}  // namespace twiliowa::detail
