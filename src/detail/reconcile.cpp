#include "detail/reconcile.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "detail/api_error.hpp"

namespace twiliowa::detail {

namespace {

/// A list that never gets old enough would otherwise be walked to its end.
constexpr int max_reconcile_pages = 200;

/// What Address::parse reads as the same: there a bare number is one on WhatsApp.
std::string filter_address(const std::string& wire) {
    return wire.starts_with('+') ? "sms:" + wire : wire;
}

/// As far as the clock goes.
TimePoint moved_time(TimePoint time, std::chrono::milliseconds by) {
    using std::chrono::milliseconds;
    constexpr milliseconds longest{std::chrono::hours{24 * 366 * 1000}};
    const auto wanted = std::chrono::floor<milliseconds>(time.time_since_epoch()) +
                        std::clamp(by, -longest, longest);
    const auto least = std::chrono::ceil<milliseconds>(TimePoint::min().time_since_epoch());
    const auto most = std::chrono::floor<milliseconds>(TimePoint::max().time_since_epoch());
    return TimePoint{std::clamp(wanted, least, most)};
}

}  // namespace

Result<ReconcileSearch> ReconcileSearch::create(const OutboundMessage& message,
                                                const OutboundDefaults& defaults,
                                                TimePoint attempted_at,
                                                const ReconcileOptions& where) {
    // The schedule was checked when the message was sent, against the time it was then.
    auto unscheduled = message;
    unscheduled.send_at.reset();
    unscheduled.schedule_type.clear();
    const auto checked = check_outbound(unscheduled, defaults, attempted_at);
    if (!checked) return checked.error();
    if (where.clock_skew.count() < 0 || where.window.count() < 0) {
        return Error::invalid_request("where", "has a negative duration");
    }
    ReconcileSearch search;
    // What was sent beside the checks was sent all the same.
    const auto sent = [&message](std::string_view name, std::string_view otherwise) {
        const auto* const extra = find_extra(message, name);
        return std::string{extra == nullptr ? otherwise : std::string_view{*extra}};
    };
    search.to_ = sent("To", checked->to.wire());
    search.from_ = sent("From", checked->from.wire());
    search.messaging_service_sid_ = sent("MessagingServiceSid", checked->messaging_service_sid);
    search.body_ = sent("Body", message.body);
    // Outside the window the fallback template went instead, whose text is not known here.
    search.compare_body_ =
        sent("ContentSid", message.content_sid).empty() && message.fallback_content_sid.empty();
    search.num_media_ =
        static_cast<int>(message.media_url.size() +
                         static_cast<std::size_t>(std::count_if(
                             message.extra.begin(), message.extra.end(),
                             [](const auto& entry) { return entry.first == "MediaUrl"; })));
    search.earliest_ = moved_time(attempted_at, -where.clock_skew);
    search.latest_ = moved_time(attempted_at, where.window);
    // No DateSent filter: a message that is still queued has no such date.
    search.filter_.to = filter_address(search.to_);
    const bool by_service = message.from.empty() && !search.messaging_service_sid_.empty() &&
                            !names_extra(message, "From");
    search.filter_.from = by_service ? std::string{} : filter_address(search.from_);
    return search;
}

bool ReconcileSearch::matches(const Message& candidate) const {
    if (candidate.sid.empty() || candidate.to != to_) return false;
    if (candidate.direction == Direction::inbound) return false;
    if (!from_.empty() && candidate.from != from_) return false;
    if (from_.empty() && candidate.messaging_service_sid != messaging_service_sid_) return false;
    if (compare_body_ && candidate.body != body_) return false;
    if (compare_body_ && candidate.num_media.value_or(num_media_) != num_media_) return false;
    // Without a date it may be the one: better found and looked at than overlooked.
    return !candidate.date_created ||
           (*candidate.date_created >= earliest_ && *candidate.date_created <= latest_);
}

bool ReconcileSearch::look_at(const Page<Message>& page) {
    for (const auto& candidate : page.items) {
        if (candidate.date_created && *candidate.date_created < earliest_) return false;
        if (matches(candidate)) found_.push_back(candidate.sid);
    }
    if (++pages_ < max_reconcile_pages) return true;
    cut_short_ = !page.next.empty();
    return false;
}

Result<Reconciliation> ReconcileSearch::conclusion() const {
    if (cut_short_) return endless_list("has 200 pages that are newer than the attempt");
    using Outcome = Reconciliation::Outcome;
    Reconciliation result;
    result.sids = found_;
    result.outcome = found_.empty()       ? Outcome::not_found
                     : found_.size() == 1 ? Outcome::found
                                          : Outcome::several;
    return result;
}

}  // namespace twiliowa::detail
