#include "messages_client/reconcile_search.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <twiliowa/types/address.hpp>

#include "call/api_error.hpp"
#include "messages_client/template_evidence.hpp"

namespace twiliowa::detail {

namespace {

/// A list that never gets old enough would otherwise be walked to its end.
constexpr int max_reconcile_pages = 200;

/// As a filter takes it: what was sent beside the checks may be no address, and is named then.
std::string filter_address(const std::string& wire) {
    const auto address = Address::from_wire(wire);
    return address.empty() ? wire : address.text();
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

std::optional<Error> wrong_search(const ReconcileOptions& where) {
    if (where.clock_skew.count() >= 0 && where.window.count() >= 0) return std::nullopt;
    return Error::invalid_request("where", "has a negative duration");
}

OtherMessages other_messages(const std::vector<MessageSid>& known) {
    auto others = std::make_shared<std::unordered_set<std::string>>();
    for (const auto& sid : known) others->insert(sid.str());
    return others;
}

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
    if (auto wrong = wrong_search(where)) return std::move(*wrong);
    ReconcileSearch search;
    // What was sent beside the checks was sent all the same.
    const auto sent = [&message](std::string_view name, std::string_view otherwise) {
        const auto* const extra = find_extra(message, name);
        return std::string{extra == nullptr ? otherwise : std::string_view{*extra}};
    };
    search.to_ = sent("To", checked->to.wire());
    search.from_ = sent("From", checked->from.wire());
    search.messaging_service_sid_ =
        sent("MessagingServiceSid", checked->messaging_service_sid.str());
    search.body_ = sent("Body", message.body);
    search.is_template_ = !sent("ContentSid", message.content_sid).empty();
    // Outside the window the fallback went instead.
    search.may_be_template_ = search.is_template_ || !message.fallback_content_sid.empty();
    if (!names_extra(message, "ContentVariables")) {
        const auto& variables =
            search.is_template_ ? message.content_variables : message.fallback_variables;
        for (const auto& [name, value] : variables.entries()) {
            auto words = single_spaced(value);
            if (!words.empty()) search.template_values_.push_back(std::move(words));
        }
    }
    search.expected_text_ = single_spaced(where.expected_text);
    search.num_media_ =
        static_cast<int>(message.media_url.size() +
                         static_cast<std::size_t>(std::count_if(
                             message.extra.begin(), message.extra.end(),
                             [](const auto& entry) { return entry.first == "MediaUrl"; })));
    const auto first = std::min(where.first_attempted_at.value_or(attempted_at), attempted_at);
    search.earliest_ = moved_time(first, -where.clock_skew);
    search.latest_ = moved_time(attempted_at, where.window);
    // No DateSent filter: a message that is still queued has no such date.
    search.filter_.to = filter_address(search.to_);
    const bool by_service = message.from.empty() && !search.messaging_service_sid_.empty() &&
                            !names_extra(message, "From");
    search.filter_.from = by_service ? std::string{} : filter_address(search.from_);
    return search;
}

auto ReconcileSearch::compare(const Message& candidate) const -> Likeness {
    if (candidate.sid.empty() || candidate.to != to_) return Likeness::none;
    if (candidate.direction == Direction::inbound) return Likeness::none;
    if (!from_.empty() && candidate.from != from_) return Likeness::none;
    if (from_.empty() && candidate.messaging_service_sid != messaging_service_sid_) {
        return Likeness::none;
    }
    // Without a date it may be the one: better found and looked at than overlooked.
    if (candidate.date_created &&
        (*candidate.date_created < earliest_ || *candidate.date_created > latest_)) {
        return Likeness::none;
    }
    return compare_content(candidate);
}

auto ReconcileSearch::compare_content(const Message& candidate) const -> Likeness {
    if (!is_template_ && candidate.body == body_ &&
        candidate.num_media.value_or(num_media_) == num_media_) {
        return Likeness::same;
    }
    if (!may_be_template_) return Likeness::none;
    const auto body = single_spaced(candidate.body);
    const bool shown =
        expected_text_.empty() ? shows_values(body, template_values_) : body == expected_text_;
    return shown ? Likeness::same : Likeness::possible;
}

void ReconcileSearch::look_at(const Message& candidate) {
    const auto likeness = compare(candidate);
    if (likeness == Likeness::none) return;
    auto& like = likeness == Likeness::same ? same_ : possible_;
    like.push_back(candidate.sid);
}

Reconciliation ReconcileSearch::conclusion() const {
    using Outcome = Reconciliation::Outcome;
    if (!same_.empty()) {
        return Reconciliation{same_.size() == 1 ? Outcome::found : Outcome::several, same_};
    }
    if (!possible_.empty()) return Reconciliation{Outcome::possible, possible_};
    return Reconciliation{};
}

std::size_t ReconcileWalk::add(ReconcileSearch search) {
    const auto number = searches_.size();
    by_recipient_[search.to()].push_back(number);
    earliest_ = std::min(earliest_, search.earliest());
    searches_.push_back(std::move(search));
    return number;
}

bool ReconcileWalk::look_at(const Page<Message>& page) {
    for (const auto& candidate : page.items) {
        if (candidate.date_created) reached_ = std::min(reached_, *candidate.date_created);
        if (reached_ < earliest_) return false;
        const auto wanted = by_recipient_.find(candidate.to);
        if (wanted == by_recipient_.end() || others_->contains(candidate.sid.str())) continue;
        // A list that grows meanwhile may show one again.
        if (!seen_.insert(candidate.sid.str()).second) continue;
        for (const auto number : wanted->second) {
            if (!is_done(searches_[number])) searches_[number].look_at(candidate);
        }
    }
    if (++pages_ < max_reconcile_pages) return true;
    if (!page.next.empty()) fail(endless_list("has 200 pages that are newer than the attempt"));
    return false;
}

Result<Reconciliation> ReconcileWalk::conclusion(std::size_t number) const {
    const auto& search = searches_[number];
    if (failure_ && !is_done(search)) return *failure_;
    return search.conclusion();
}

}  // namespace twiliowa::detail
