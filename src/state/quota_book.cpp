#include "state/quota_book.hpp"

#include <algorithm>

namespace twiliowa::detail {

namespace {

constexpr std::size_t longest_quota_key = 256;
constexpr std::size_t most_quota_slots = 9;

/// Sums stay where every engine counts exactly.
std::int64_t bounded(std::int64_t amount) noexcept {
    return std::clamp<std::int64_t>(amount, 0, QuotaSlot::no_limit);
}

QuotaPlace place_of(const QuotaSlot& slot) noexcept {
    return {slot.period, quota_micros(slot.begin)};
}

std::vector<QuotaPlace> places_of(const std::vector<QuotaSlot>& time_slots) {
    std::vector<QuotaPlace> places;
    places.reserve(time_slots.size());
    for (const auto& slot : time_slots) places.push_back(place_of(slot));
    return places;
}

const QuotaTally* find_tally(const QuotaPage& page, const QuotaPlace& place) noexcept {
    for (const auto& tally : page.tallies) {
        if (tally.place == place) return &tally;
    }
    return nullptr;
}

/// Of a slot, as new if it is.
QuotaTally tally_of(const QuotaPage& page, const QuotaSlot& slot) noexcept {
    const auto place = place_of(slot);
    QuotaTally tally{.place = place};
    if (const auto* const found = find_tally(page, place)) tally = *found;
    tally.keep_until = std::max(tally.keep_until, quota_micros(slot.keep_until));
    return tally;
}

QuotaCount count_of(const QuotaTally& tally, std::int64_t peak_before) noexcept {
    return {tally.place.period, quota_time(tally.place.begin), tally.used, tally.open, tally.peak,
            peak_before};
}

bool is_now(const QuotaSlot& slot, QuotaMicros now) noexcept {
    return quota_micros(slot.begin) <= now && now < quota_micros(slot.end);
}

Error wrong_quota(std::string_view field, std::string_view problem) {
    return Error::invalid_request(field, problem);
}

Result<void> check_quota_key(std::string_view field, std::string_view key) {
    if (key.empty()) return wrong_quota(field, "is empty");
    if (key.size() > longest_quota_key) return wrong_quota(field, "is longer than 256 bytes");
    return {};
}

}  // namespace

QuotaMicros quota_micros(TimePoint time) noexcept {
    return std::chrono::floor<std::chrono::microseconds>(time.time_since_epoch()).count();
}

TimePoint quota_time(QuotaMicros micros) noexcept {
    constexpr auto last =
        std::chrono::floor<std::chrono::microseconds>((TimePoint::max)().time_since_epoch());
    return TimePoint{
        std::chrono::microseconds{std::clamp<std::int64_t>(micros, -last.count(), last.count())}};
}

QuotaMicros quota_later(QuotaMicros now, std::chrono::milliseconds wait) noexcept {
    // Engines keep numbers that a double has exactly.
    constexpr QuotaMicros last = QuotaSlot::no_limit;
    if (wait.count() >= (last - std::max<QuotaMicros>(now, 0)) / 1'000) return last;
    return now + wait.count() * 1'000;
}

void give_back_lapsed(QuotaTally& tally, std::int64_t cost) noexcept {
    tally.used = bounded(tally.used - cost);
    tally.open = bounded(tally.open - cost);
}

QuotaDecision<QuotaReply> decide_quota_reserve(const QuotaPage& page, const QuotaRequest& request) {
    QuotaDecision<QuotaReply> decision;
    auto& reply = decision.answer;
    reply.now = quota_time(page.now);
    const auto& time_slots = request.time_slots;
    const bool all_now = std::all_of(time_slots.begin(), time_slots.end(),
                                     [&](const auto& slot) { return is_now(slot, page.now); });
    if (!all_now) {
        reply.taken = QuotaTaken::other_time;
        return decision;
    }
    std::vector<QuotaTally> tallies;
    bool fits = true;
    for (const auto& slot : time_slots) {
        tallies.push_back(tally_of(page, slot));
        reply.counts.push_back(count_of(tallies.back(), tallies.back().peak));
        if (tallies.back().used > slot.limit - request.cost) fits = false;
    }
    if (page.send && page.send->state != QuotaSendState::lapsed) {
        reply.taken = QuotaTaken::taken_before;
        return decision;
    }
    for (std::size_t i = 0; i < time_slots.size(); ++i) {
        auto& tally = tallies[i];
        const auto before = tally.peak;
        if (fits) {
            tally.used = bounded(tally.used + request.cost);
            tally.open = bounded(tally.open + request.cost);
            tally.peak = std::max(tally.peak, tally.used);
        } else if (request.cost <= time_slots[i].limit &&
                   tally.used > time_slots[i].limit - request.cost) {
            tally.peak = std::max(tally.peak, time_slots[i].limit);
        }
        reply.counts[i] = count_of(tally, before);
        if (fits || tally.peak != before) decision.change.tallies.push_back(tally);
    }
    reply.taken = fits ? QuotaTaken::taken : QuotaTaken::refused;
    if (!fits) return decision;
    const auto lapses_at = quota_later(page.now, request.lapses_after);
    decision.change.send =
        QuotaSend{QuotaSendState::open, request.cost, lapses_at,
                  quota_later(lapses_at, request.remembered), places_of(time_slots)};
    return decision;
}

QuotaDecision<QuotaSettlement> decide_quota_settle(const QuotaPage& page, std::int64_t actual,
                                                   std::chrono::milliseconds remembered) {
    QuotaDecision<QuotaSettlement> decision;
    auto& answer = decision.answer;
    answer.now = quota_time(page.now);
    if (!page.send) return decision;
    if (page.send->state == QuotaSendState::settled) {
        answer.end = QuotaEnd::ended_before;
        return decision;
    }
    auto send = *page.send;
    for (const auto& place : send.places) {
        const auto* const found = find_tally(page, place);
        if (found == nullptr) continue;
        auto tally = *found;
        if (send.state == QuotaSendState::open) give_back_lapsed(tally, send.cost);
        tally.used = bounded(tally.used + actual);
        tally.peak = std::max(tally.peak, tally.used);
        answer.counts.push_back(count_of(tally, found->peak));
        decision.change.tallies.push_back(tally);
    }
    send.state = QuotaSendState::settled;
    send.cost = actual;
    send.forget_at = quota_later(page.now, remembered);
    decision.change.send = std::move(send);
    answer.end = QuotaEnd::done;
    return decision;
}

QuotaDecision<QuotaEnd> decide_quota_release(const QuotaPage& page) {
    QuotaDecision<QuotaEnd> decision{QuotaEnd::not_found};
    if (!page.send) return decision;
    if (page.send->state == QuotaSendState::settled) {
        decision.answer = QuotaEnd::ended_before;
        return decision;
    }
    decision.answer = QuotaEnd::done;
    decision.change.erase_send = true;
    if (page.send->state == QuotaSendState::lapsed) return decision;
    for (const auto& place : page.send->places) {
        const auto* const found = find_tally(page, place);
        if (found == nullptr) continue;
        auto tally = *found;
        give_back_lapsed(tally, page.send->cost);
        decision.change.tallies.push_back(tally);
    }
    return decision;
}

namespace {

template <class Answer>
Result<Answer> carry_out(QuotaDesk& desk, std::string_view quota, std::string_view send,
                         QuotaDecision<Answer> decision) {
    if (!decision.change.empty()) {
        if (auto stored = desk.store(quota, send, decision.change); !stored) return stored.error();
    }
    return std::move(decision.answer);
}

}  // namespace

Result<QuotaReply> reserve_quota(QuotaDesk& desk, const QuotaRequest& request) {
    const auto page = desk.load(request.quota, request.send, places_of(request.time_slots));
    if (!page) return page.error();
    return carry_out(desk, request.quota, request.send, decide_quota_reserve(*page, request));
}

Result<QuotaSettlement> settle_quota(QuotaDesk& desk, std::string_view quota, std::string_view send,
                                     std::int64_t actual, std::chrono::milliseconds remembered) {
    const auto page = desk.load(quota, send, {});
    if (!page) return page.error();
    return carry_out(desk, quota, send, decide_quota_settle(*page, actual, remembered));
}

Result<QuotaEnd> release_quota(QuotaDesk& desk, std::string_view quota, std::string_view send) {
    const auto page = desk.load(quota, send, {});
    if (!page) return page.error();
    return carry_out(desk, quota, send, decide_quota_release(*page));
}

Result<QuotaReply> read_quota(QuotaDesk& desk, std::string_view quota,
                              const std::vector<QuotaSlot>& time_slots) {
    const auto page = desk.load(quota, {}, places_of(time_slots));
    if (!page) return page.error();
    QuotaReply reply;
    reply.now = quota_time(page->now);
    for (const auto& slot : time_slots) {
        const auto tally = tally_of(*page, slot);
        reply.counts.push_back(count_of(tally, tally.peak));
    }
    return reply;
}

Result<void> check_quota_keys(std::string_view quota, std::string_view send) {
    if (auto checked = check_quota_key("quota_key", quota); !checked) return checked;
    return check_quota_key("send_key", send);
}

Result<void> check_quota_actual(std::int64_t actual) {
    if (actual >= 0 && actual <= QuotaSlot::most) return {};
    return wrong_quota("cost", "is negative, or more than can be counted");
}

Result<void> check_quota_slots(const std::vector<QuotaSlot>& time_slots) {
    if (time_slots.empty() || time_slots.size() > most_quota_slots) {
        return wrong_quota("time_slots", "are none, or more than 9");
    }
    for (const auto& slot : time_slots) {
        const bool bounded_limit = slot.limit >= 0 && slot.limit <= QuotaSlot::most;
        if (!bounded_limit && slot.limit != QuotaSlot::no_limit) {
            return wrong_quota("limit", "is negative, or more than can be counted");
        }
        if (slot.period < 0 || slot.begin >= slot.end) {
            return wrong_quota("time_slots", "have one that is no time");
        }
        const auto same =
            std::count_if(time_slots.begin(), time_slots.end(),
                          [&](const auto& other) { return other.period == slot.period; });
        if (same != 1) return wrong_quota("time_slots", "have two of one period");
    }
    return {};
}

Result<void> check_quota_request(const QuotaRequest& request) {
    if (auto checked = check_quota_keys(request.quota, request.send); !checked) return checked;
    if (request.cost < 1 || request.cost > QuotaSlot::most) {
        return wrong_quota("cost", "is not positive, or more than can be counted");
    }
    if (request.lapses_after.count() < 1 || request.remembered.count() < 0) {
        return wrong_quota("lapses_after", "is not positive, or remembered is negative");
    }
    return check_quota_slots(request.time_slots);
}

}  // namespace twiliowa::detail
