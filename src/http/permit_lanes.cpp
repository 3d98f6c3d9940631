#include "http/permit_lanes.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "types/duration_bound.hpp"

namespace twiliowa::detail {
namespace {

using PermitTime = MonotonicTime::duration;

/// So many blocks ahead permits are taken: as many processes as that may each have one in hand.
constexpr int blocks_ahead = 10;
constexpr std::chrono::milliseconds shortest_delay{5};
constexpr std::chrono::milliseconds first_delay{20};

PermitTime permit_seconds(double seconds) noexcept {
    return std::chrono::ceil<PermitTime>(std::chrono::duration<double>{seconds});
}

/// Below the time of any permit, and far enough from the end of the clock.
constexpr MonotonicTime long_ago = MonotonicTime{} - longest_duration;

}  // namespace

PermitPace::PermitPace(const LeasedLimiterOptions& options)
    : per_second(options.per_second),
      burst(options.burst),
      lease(options.lease),
      interval(permit_seconds(1.0 / options.per_second)),
      block(std::max<std::int64_t>(
          static_cast<std::int64_t>(std::ceil(
              options.per_second * std::chrono::duration<double>{options.lease}.count() - 1e-9)),
          1)),
      block_time(std::max<PermitTime>(lease, interval * block)),
      furthest(block_time * blocks_ahead),
      tolerance(permit_seconds((options.burst - 1.0) / options.per_second)) {}

PermitLanes::PermitLanes(const LeasedLimiterOptions& options, MonotonicTime now)
    : pace_(options),
      delay_(std::clamp<PermitTime>(first_delay, shortest_delay,
                                    std::max<PermitTime>(pace_.lease, shortest_delay))),
      beat_at_(now) {
    state_.processes = options.processes;
    reckon_share();
}

// ---- What is given out

MonotonicTime PermitLanes::reserve(std::string_view sender, MonotonicTime now) {
    auto& lane = lane_of(sender);
    drop_lapsed(lane, now);
    if (now > lane.last_slot + 2 * pace_.block_time) lane.paused = true;
    const auto slot = lane.left + lane.spare > 0 ? give(lane, now) : promise(lane, now);
    if (slot == (MonotonicTime::max)()) {
        ++lane.never;
        return slot;
    }
    lane.last_slot = std::max(lane.last_slot, slot);
    see_whether_needy(lane, now);
    return slot;
}

RateDecision PermitLanes::try_acquire(std::string_view sender, MonotonicTime now) {
    auto& lane = lane_of(sender);
    drop_lapsed(lane, now);
    if (now > lane.last_slot + 2 * pace_.block_time) lane.paused = true;
    if (lane.left + lane.spare > 0) {
        const auto next = lane.spare > 0 ? lane.given : lane.blocks.front().next;
        if (next > now) return {false, next};
        give(lane, now);
    } else {
        forget_old_promises(lane, now);
        // No time for the source to answer: it hears of this one when it has gone.
        const auto earliest = earliest_promise(lane, now, PermitTime{0});
        const auto slot = next_promise(lane, earliest);
        if (slot > now) return {false, slot};
        note_promise(lane, slot, earliest);
    }
    lane.last_slot = std::max(lane.last_slot, now);
    see_whether_needy(lane, now);
    return {true, now};
}

void PermitLanes::release(std::string_view sender) noexcept {
    const auto found = lanes_.find(sender);
    if (found == lanes_.end()) return;
    auto& lane = found->second;
    if (lane.never > 0) {
        --lane.never;
        return;
    }
    if (lane.owed.empty()) {
        ++lane.spare;
        return;
    }
    // The last that was promised: that of who had to wait too long.
    lane.owed.pop_back();
    lane.promised = lane.owed.empty() ? long_ago : lane.owed.back();
    lane.promises_full -= spacing_;
}

PermitLane& PermitLanes::lane_of(std::string_view sender) {
    const auto found = lanes_.find(sender);
    if (found != lanes_.end()) return found->second;
    const auto made = lanes_.emplace(sender, PermitLane{}).first;
    auto& lane = made->second;
    lane.sender = made->first;
    lane.given = lane.promised = lane.promises_full = long_ago;
    lane.full_at = lane.last_slot = lane.asked_at = long_ago;
    return lane;
}

void PermitLanes::drop_lapsed(PermitLane& lane, MonotonicTime now) {
    while (!lane.blocks.empty() &&
           (lane.blocks.front().left == 0 || lane.blocks.front().lapses < now)) {
        const auto lapsed = lane.blocks.front().left;
        lane.lapsed += lapsed;
        lane.left -= lapsed;
        state_.lapsed += static_cast<std::uint64_t>(lapsed);
        lane.blocks.pop_front();
    }
    if (lane.spare > 0 && lane.given + pace_.block_time < now) {
        state_.lapsed += static_cast<std::uint64_t>(lane.spare);
        lane.spare = 0;
    }
}

MonotonicTime PermitLanes::give(PermitLane& lane, MonotonicTime now) {
    if (lane.spare > 0) {
        --lane.spare;
        return std::max(lane.given, now);
    }
    auto& block = lane.blocks.front();
    lane.given = std::max(lane.given, block.next);
    const auto slot = std::max(block.next, now);
    block.next += pace_.interval;
    --block.left;
    --lane.left;
    if (block.left == 0) lane.blocks.pop_front();
    return slot;
}

MonotonicTime PermitLanes::promise(PermitLane& lane, MonotonicTime now) {
    forget_old_promises(lane, now);
    // What the source gives now comes when it has answered.
    const auto earliest = earliest_promise(lane, now, delay_);
    const auto slot = next_promise(lane, earliest);
    if (slot - now > longest_duration) return (MonotonicTime::max)();
    note_promise(lane, slot, earliest);
    return slot;
}

MonotonicTime PermitLanes::next_promise(const PermitLane& lane, MonotonicTime earliest) const {
    const auto full = std::max(lane.promises_full, earliest);
    return std::max({earliest, full - early_, lane.promised});
}

void PermitLanes::note_promise(PermitLane& lane, MonotonicTime slot, MonotonicTime earliest) {
    lane.promises_full = std::max(lane.promises_full, earliest) + spacing_;
    lane.promised = slot;
    lane.owed.push_back(slot);
    ++state_.promised;
}

MonotonicTime PermitLanes::earliest_promise(const PermitLane& lane, MonotonicTime now,
                                            PermitTime delay) const {
    // What was taken for this process before comes first.
    if (!state_.shared) return std::max(now, lane.given + spacing_);
    // Not before what the source has given.
    return std::max(now + delay, lane.full_at);
}

/// What was promised while the source was away is nobody else's: each kept to its share.
void PermitLanes::forget_old_promises(PermitLane& lane, MonotonicTime now) {
    const auto old =
        state_.shared ? std::max(now - 2 * pace_.block_time - beat, shared_since_) : now;
    while (!lane.owed.empty() && lane.owed.front() < old) lane.owed.pop_front();
}

// ---- What is asked for

void PermitLanes::see_whether_needy(PermitLane& lane, MonotonicTime now) {
    if (2 * lane.left > lane.want) return;
    lane.needy = true;
    if (!lane.asking) schedule(lane, std::max(now, earliest_question(lane)));
}

/// What was asked for last is used up by then, at the most.
MonotonicTime PermitLanes::earliest_question(const PermitLane& lane) const {
    return lane.asked_at + pace_.lease * lane.want / pace_.block;
}

void PermitLanes::schedule(PermitLane& lane, MonotonicTime at) {
    lane.ask_at = std::min(lane.ask_at, at);
    next_lane_ = std::min(next_lane_, lane.ask_at);
    if (lane.waiting) return;
    lane.waiting = true;
    waiting_.push_back(&lane);
}

void PermitLanes::schedule_owed(PermitLane& lane) {
    if (lane.owed.empty()) return;
    schedule(lane, std::max(lane.owed.front() - pace_.furthest, lane.asked_at + pace_.lease));
}

MonotonicTime PermitLanes::due() const noexcept {
    return state_.shared ? std::min(beat_at_, next_lane_) : beat_at_;
}

std::optional<PermitLanes::Question> PermitLanes::next(MonotonicTime now) {
    if (due() > now) return std::nullopt;
    ++state_.questions;
    if (beat_at_ <= now) return Question{};
    const auto sooner = [](const auto* a, const auto* b) { return a->ask_at < b->ask_at; };
    const auto first = std::min_element(waiting_.begin(), waiting_.end(), sooner);
    auto& lane = **first;
    Question question{.lane = &lane, .due = std::max(lane.ask_at, shared_since_)};
    waiting_.erase(first);
    const auto second = std::min_element(waiting_.begin(), waiting_.end(), sooner);
    next_lane_ = second == waiting_.end() ? (MonotonicTime::max)() : (*second)->ask_at;
    lane.waiting = false;
    lane.asking = true;
    const bool is_needy = std::exchange(lane.needy, false);
    lane.asked_at = now;
    lane.ask_at = (MonotonicTime::max)();
    drop_lapsed(lane, now);
    forget_old_promises(lane, now);
    while (!lane.owed.empty() && lane.owed.front() <= now + pace_.furthest) {
        question.owed.push_back(lane.owed.front());
        lane.owed.pop_front();
    }
    if (!question.owed.empty()) lane.given = std::max(lane.given, question.owed.back());
    if (!is_needy || now < probation_ends_) return question;
    size_block(lane);
    question.wanted = std::max<std::int64_t>(lane.want + lane.want / 2 - lane.left, 0);
    return question;
}

/// The first message after a pause takes what it needs; what follows takes more, as long as nothing
/// lapses.
void PermitLanes::size_block(PermitLane& lane) {
    if (std::exchange(lane.paused, false)) {
        lane.want = 0;
    } else if (lane.lapsed > 0) {
        lane.want = std::max<std::int64_t>(lane.want - lane.lapsed, 0);
    } else {
        lane.want = std::clamp<std::int64_t>(2 * lane.want, std::min<std::int64_t>(pace_.block, 2),
                                             pace_.block);
    }
    lane.lapsed = 0;
}

void PermitLanes::answer(const Question& question, const Permits* permits, MonotonicTime now,
                         double random) {
    auto& lane = *question.lane;
    lane.asking = false;
    if (permits == nullptr) {
        lane.owed.insert(lane.owed.begin(), question.owed.begin(), question.owed.end());
        schedule(lane, now);
        fail(now, random);
        return;
    }
    wait_ = first_wait;
    delay_ = std::clamp<PermitTime>(2 * (now - question.due) + shortest_delay, shortest_delay,
                                    std::max<PermitTime>(pace_.lease, shortest_delay));
    const auto granted = std::clamp<std::int64_t>(permits->granted, 0, question.wanted);
    const auto first =
        now + std::clamp<PermitTime>(permits->wait, -longest_duration / 2, longest_duration / 2);
    lane.full_at = first + granted * pace_.interval;
    if (granted > 0) {
        state_.granted += static_cast<std::uint64_t>(granted);
        lane.blocks.push_back({first, granted, std::max(now, lane.full_at) + pace_.block_time});
        lane.left += granted;
    }
    state_.granted += question.owed.size();
    if (lane.needy && 2 * lane.left <= lane.want) schedule(lane, earliest_question(lane));
    schedule_owed(lane);
}

void PermitLanes::count(int processes, MonotonicTime now, double random) {
    if (processes < 1) {
        fail(now, random);
        return;
    }
    beat_at_ = now + beat;
    if (state_.shared) wait_ = first_wait;
    if (!std::exchange(state_.shared, true)) {
        shared_since_ = now;
        if (state_.unanswered > 0) probation_ends_ = now + probation;
    }
    const bool others_may_be_away = now < probation_ends_;
    state_.processes = others_may_be_away ? std::max(state_.processes, processes) : processes;
    reckon_share();
}

void PermitLanes::fail(MonotonicTime now, double random) {
    ++state_.unanswered;
    state_.shared = false;
    const auto half = wait_ / 2;
    beat_at_ = now + half + std::chrono::duration_cast<PermitTime>(half * random);
    wait_ = std::min(wait_ * 2, longest_wait);
}

void PermitLanes::reckon_share() {
    const auto processes = static_cast<double>(state_.processes);
    const auto share = processes > 0 ? pace_.per_second / processes : 0.0;
    state_.share_per_second = std::min(pace_.per_second, std::max(share, 1.0));
    spacing_ = std::max(permit_seconds(1.0 / state_.share_per_second), pace_.interval);
    const auto burst = processes > 0 ? std::max(pace_.burst / processes, 1.0) : 1.0;
    early_ = permit_seconds((burst - 1.0) / state_.share_per_second);
}

}  // namespace twiliowa::detail
