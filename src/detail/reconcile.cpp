#include "detail/reconcile.hpp"

#include <algorithm>
#include <utility>

namespace twiliowa::detail {

namespace {

/// A list that never gets old enough would otherwise be walked to its end.
constexpr int max_reconcile_pages = 200;

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
    search.to_ = checked->to.wire();
    search.from_ = checked->from.wire();
    search.messaging_service_sid_ = checked->messaging_service_sid;
    search.body_ = message.body;
    // Outside the window the fallback template went instead, whose text is not known here.
    search.compare_body_ = message.content_sid.empty() && message.fallback_content_sid.empty();
    search.num_media_ = static_cast<int>(message.media_url.size());
    search.earliest_ = attempted_at - where.clock_skew;
    search.latest_ = attempted_at + where.window;
    // No DateSent filter: a message that is still queued has no such date.
    search.filter_.to =
        checked->to.channel() == Address::Channel::sms ? "sms:" + search.to_ : search.to_;
    search.filter_.from = message.from.empty() && !search.messaging_service_sid_.empty()
                              ? std::string{}
                              : message.from;
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
    return ++pages_ < max_reconcile_pages;
}

Reconciliation ReconcileSearch::conclusion() const {
    using Outcome = Reconciliation::Outcome;
    Reconciliation result;
    result.sids = found_;
    result.outcome = found_.empty()       ? Outcome::not_found
                     : found_.size() == 1 ? Outcome::found
                                          : Outcome::several;
    return result;
}

}  // namespace twiliowa::detail
