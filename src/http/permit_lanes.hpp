/// @file
/// Permits that are fetched in blocks and given out one by one: what to ask for, when, and what to
/// answer meanwhile. Without I/O, clock, threads and randomness of its own.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/http/leased_limiter.hpp>
#include <twiliowa/types/clock.hpp>

namespace twiliowa::detail {

/// The limit in times and numbers.
struct PermitPace {
    explicit PermitPace(const LeasedLimiterOptions& options);

    double per_second;
    double burst;
    MonotonicTime::duration lease;
    MonotonicTime::duration interval;    ///< From one permit to the next.
    std::int64_t block;                  ///< So many may leave in a lease; at least one.
    MonotonicTime::duration block_time;  ///< In which so many may leave; at least a lease.
    MonotonicTime::duration furthest;    ///< So far ahead permits are taken.
    MonotonicTime::duration tolerance;   ///< By so much permits may come early.
};

/// What one sender has in hand.
struct PermitLane {
    std::string_view sender = {};
    struct Block {
        MonotonicTime next;  ///< The time of its first permit that is left.
        std::int64_t left;
        MonotonicTime lapses;
    };
    std::deque<Block> blocks = {};
    std::int64_t left = 0;   ///< In all blocks.
    std::int64_t spare = 0;  ///< Given back; to be used from `given` on, for a block's time.
    /// The last time of what was given out and the source knows of.
    MonotonicTime given = {};

    /// Slots that were promised and not told to the source, in their order.
    std::deque<MonotonicTime> owed = {};
    int never = 0;                     ///< So often there was no slot within a hundred years.
    MonotonicTime promised = {};       ///< The last that was.
    MonotonicTime promises_full = {};  ///< By when they have used up this process's share.
    MonotonicTime full_at = {};  ///< Before that the source has no permit, as far as is known.

    std::int64_t want = 0;  ///< How many a block has: as many as are used.
    std::int64_t lapsed = 0;
    bool paused = true;  ///< Nothing was asked for in a while.
    MonotonicTime last_slot = {};

    bool asking = false;
    bool needy = false;    ///< Something was asked for with little in hand.
    bool waiting = false;  ///< Is among those that are to ask.
    MonotonicTime asked_at = {};
    MonotonicTime ask_at = (MonotonicTime::max)();
};

/// Not thread-safe. Questions are put one after the other.
class PermitLanes {
public:
    static constexpr std::chrono::milliseconds first_wait{50};
    static constexpr std::chrono::milliseconds longest_wait{1'000};
    static constexpr std::chrono::seconds beat{1};
    /// How long this process goes by its share after the source is back: until the others are.
    static constexpr std::chrono::seconds probation{2};

    /// What to ask the source. Without a lane: how many processes there are.
    struct Question {
        PermitLane* lane = nullptr;
        std::vector<MonotonicTime> owed = {};
        std::int64_t wanted = 0;
        MonotonicTime due = {};  ///< Since then it is waited for.
    };

    PermitLanes(const LeasedLimiterOptions& options, MonotonicTime now);

    MonotonicTime reserve(std::string_view sender, MonotonicTime now);
    RateDecision try_acquire(std::string_view sender, MonotonicTime now);
    void release(std::string_view sender) noexcept;

    /// When the next question is due.
    MonotonicTime due() const noexcept;
    /// The one that is due, if one is. It must be answered before the next.
    std::optional<Question> next(MonotonicTime now);
    /// @param permits  null: there was no answer.
    /// @param random   from 0 up to 1
    void answer(const Question& question, const Permits* permits, MonotonicTime now, double random);
    /// The same where it has no lane.
    /// @param processes  0: there was no answer.
    void count(int processes, MonotonicTime now, double random);

    const PermitPace& pace() const noexcept { return pace_; }
    const LimiterState& state() const noexcept { return state_; }

private:
    PermitLane& lane_of(std::string_view sender);
    void drop_lapsed(PermitLane& lane, MonotonicTime now);
    MonotonicTime give(PermitLane& lane, MonotonicTime now);
    MonotonicTime promise(PermitLane& lane, MonotonicTime now);
    MonotonicTime next_promise(const PermitLane& lane, MonotonicTime earliest) const;
    void note_promise(PermitLane& lane, MonotonicTime slot, MonotonicTime earliest);
    MonotonicTime earliest_promise(const PermitLane& lane, MonotonicTime now,
                                   MonotonicTime::duration delay) const;
    void forget_old_promises(PermitLane& lane, MonotonicTime now);
    void see_whether_needy(PermitLane& lane, MonotonicTime now);
    MonotonicTime earliest_question(const PermitLane& lane) const;
    void schedule(PermitLane& lane, MonotonicTime at);
    void schedule_owed(PermitLane& lane);
    void size_block(PermitLane& lane);
    void fail(MonotonicTime now, double random);
    void reckon_share();

    const PermitPace pace_;
    std::map<std::string, PermitLane, std::less<>> lanes_ = {};
    std::vector<PermitLane*> waiting_ = {};
    MonotonicTime next_lane_ = (MonotonicTime::max)();
    LimiterState state_ = {};
    MonotonicTime::duration spacing_ = {};  ///< Of what is promised.
    MonotonicTime::duration early_ = {};    ///< By so much it may come early: the share of a burst.
    MonotonicTime shared_since_ = (MonotonicTime::min)();
    /// From a need to an answer, about.
    MonotonicTime::duration delay_;
    MonotonicTime beat_at_;
    MonotonicTime probation_ends_ = (MonotonicTime::min)();
    std::chrono::milliseconds wait_ = first_wait;
};

}  // namespace twiliowa::detail
