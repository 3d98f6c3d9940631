#include <twiliowa/state/status_tracker.hpp>

#include <array>
#include <string>
#include <tuple>
#include <utility>

#include "state/entries.hpp"
#include "text/ascii.hpp"
#include "types/duration_bound.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr std::array status_order = {
    MessageStatus::receiving,   MessageStatus::received,
    MessageStatus::scheduled,   MessageStatus::accepted,
    MessageStatus::queued,      MessageStatus::sending,
    MessageStatus::sent,        std::string_view{},  // the place of a word that is not here
    MessageStatus::canceled,    MessageStatus::failed,
    MessageStatus::undelivered, MessageStatus::partially_delivered,
    MessageStatus::delivered,   MessageStatus::read,
};
constexpr int unknown_status_rank = 7;
static_assert(status_order[unknown_status_rank].empty());

std::string tracked_key(std::string_view account_sid, std::string_view message_sid) {
    return state_key("status", {account_sid, message_sid});
}

std::string tracked_text(const TrackedStatus& tracked) {
    return std::to_string(tracked.error_code) + ' ' + tracked.status.str();
}

std::optional<TrackedStatus> parse_tracked(std::string_view text) {
    const auto space = text.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    const auto code = parse_number<int>(text.substr(0, space));
    if (!code) return std::nullopt;
    return TrackedStatus{MessageStatus{text.substr(space + 1)}, *code, false};
}

bool outranks(const TrackedStatus& news, const TrackedStatus& known) {
    const auto place = [](const TrackedStatus& tracked) {
        return std::make_tuple(status_rank(tracked.status), std::string_view{tracked.status.str()},
                               tracked.error_code);
    };
    return place(news) > place(known);
}

}  // namespace
}  // namespace detail

int status_rank(const MessageStatus& status) noexcept {
    for (std::size_t rank = 0; rank < detail::status_order.size(); ++rank) {
        if (!status.empty() && status == detail::status_order[rank]) return static_cast<int>(rank);
    }
    return detail::unknown_status_rank;
}

StatusTracker::StatusTracker(std::shared_ptr<Store> store, StatusTrackerOptions options)
    : store_(detail::guarded_store(std::move(store))), options_(options) {
    detail::require_duration("kept", options_.kept);
}

Result<TrackedStatus> StatusTracker::update(std::string_view account_sid,
                                            std::string_view message_sid,
                                            const MessageStatus& status, int error_code) const {
    if (status.empty()) return Error::invalid_request("MessageStatus", "is empty");
    const TrackedStatus news{status, error_code, true};
    TrackedStatus after = news;
    const auto merge = [&](const std::string* value) -> Result<std::optional<detail::StoreWrite>> {
        after = news;
        if (value != nullptr) {
            const auto known = detail::parse_tracked(*value);
            if (!known) return detail::foreign_entry();
            if (!detail::outranks(news, *known)) {
                after = *known;
                return std::optional<detail::StoreWrite>{};
            }
        }
        return std::optional<detail::StoreWrite>{
            {detail::tracked_text(news), options_.kept, Keep::evictable}};
    };
    const auto written =
        detail::change_entry(*store_, detail::tracked_key(account_sid, message_sid), merge);
    if (!written) return written.error();
    return after;
}

Result<std::optional<TrackedStatus>> StatusTracker::current(std::string_view account_sid,
                                                            std::string_view message_sid) const {
    const auto entry = store_->get(detail::tracked_key(account_sid, message_sid));
    if (!entry) return entry.error();
    if (!*entry) return std::optional<TrackedStatus>{};
    auto known = detail::parse_tracked((*entry)->value);
    if (!known) return detail::foreign_entry();
    return known;
}

}  // namespace twiliowa
