#include <twiliowa/state/status_tracker.hpp>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "state/entries.hpp"
#include "state/guarded_store.hpp"
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

/// What is known: the furthest report, and of a failure that came without a code the furthest
/// failure that had one.
struct StatusRecord {
    MessageStatus status = {};
    int error_code = 0;
    MessageStatus reason_of = {};  ///< The failure that the code came with; empty: `status` itself.

    friend bool operator==(const StatusRecord&, const StatusRecord&) = default;
};

/// `63016 failed`, or `63016:failed undelivered`.
std::string status_record_text(const StatusRecord& record) {
    auto text = std::to_string(record.error_code);
    if (!record.reason_of.empty()) text.append(1, ':').append(record.reason_of.str());
    return text.append(1, ' ').append(record.status.str());
}

std::optional<StatusRecord> parse_status_record(std::string_view text) {
    const auto space = text.find(' ');
    if (space == std::string_view::npos) return std::nullopt;
    const auto reason = text.substr(0, space);
    const auto colon = std::min(reason.find(':'), reason.size());
    const auto code = parse_number<int>(reason.substr(0, colon));
    if (!code) return std::nullopt;
    const auto reason_of = reason.substr(std::min(colon + 1, reason.size()));
    return StatusRecord{MessageStatus{text.substr(space + 1)}, *code, MessageStatus{reason_of}};
}

bool is_failure(const MessageStatus& status) noexcept {
    return status == MessageStatus::failed || status == MessageStatus::undelivered ||
           status == MessageStatus::canceled;
}

bool outranks(const StatusRecord& news, const StatusRecord& known) {
    const auto place = [](const StatusRecord& report) {
        return std::make_tuple(status_rank(report.status), std::string_view{report.status.str()},
                               report.error_code);
    };
    return place(news) > place(known);
}

/// The report that a record's code came with, if it is that of a failure.
std::optional<StatusRecord> reason_in(const StatusRecord& record) {
    const auto& of = record.reason_of.empty() ? record.status : record.reason_of;
    if (record.error_code == 0 || !is_failure(of)) return std::nullopt;
    return StatusRecord{of, record.error_code, {}};
}

/// The order of the reports makes no difference: each part of a record is a maximum.
StatusRecord merged_status(const StatusRecord& known, const StatusRecord& news) {
    const StatusRecord furthest_known{
        known.status, known.reason_of.empty() ? known.error_code : 0, {}};
    auto result = outranks(news, furthest_known) ? news : furthest_known;
    if (result.error_code != 0 || !is_failure(result.status)) return result;
    auto reason = reason_in(known);
    const auto other = reason_in(news);
    if (other && (!reason || outranks(*other, *reason))) reason = other;
    if (!reason) return result;
    result.error_code = reason->error_code;
    result.reason_of = reason->status;
    return result;
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
    const detail::StatusRecord news{status, error_code, {}};
    auto after = news;
    const auto merge = [&](const std::string* value) -> Result<std::optional<detail::EntryChange>> {
        after = news;
        if (value != nullptr) {
            const auto known = detail::parse_status_record(*value);
            if (!known) return detail::foreign_entry();
            after = detail::merged_status(*known, news);
            if (after == *known) return std::optional<detail::EntryChange>{};
        }
        return std::optional<detail::EntryChange>{
            {detail::status_record_text(after), options_.kept, Keep::evictable}};
    };
    const auto written =
        detail::change_entry(*store_, detail::tracked_key(account_sid, message_sid), merge);
    if (!written) return written.error();
    return TrackedStatus{after.status, after.error_code, *written};
}

Result<std::optional<TrackedStatus>> StatusTracker::current(std::string_view account_sid,
                                                            std::string_view message_sid) const {
    const auto entry = store_->get(detail::tracked_key(account_sid, message_sid));
    if (!entry) return entry.error();
    if (!*entry) return std::optional<TrackedStatus>{};
    const auto known = detail::parse_status_record((*entry)->value);
    if (!known) return detail::foreign_entry();
    return std::optional<TrackedStatus>{{known->status, known->error_code, false}};
}

}  // namespace twiliowa
