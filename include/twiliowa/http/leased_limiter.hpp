/// @file
/// One limit for many processes: permits that are taken in blocks from a place that all share.
/// `RedisLimiter` and `PostgresLimiter` are made of it; over another place it is for who keeps one.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

#include <twiliowa/export.hpp>
#include <twiliowa/http/rate_limiter.hpp>
#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/observer.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa {

/// What is asked of a PermitSource. Times in microseconds.
struct PermitRequest {
    std::string_view sender = {};  ///< As `reserve` was told; mask it before it is kept.
    /// So many were promised before they were taken: they are taken, however far ahead they lie.
    std::int64_t owed = 0;
    std::int64_t wanted = 0;     ///< So many besides, as far as they lie within `furthest`.
    double interval = 0;         ///< From one permit to the next.
    std::int64_t tolerance = 0;  ///< By so much permits may come early: what a burst is.
    std::int64_t furthest = 0;   ///< So far ahead what is wanted may lie.
};

/// What a PermitSource answers.
struct Permits {
    std::int64_t granted = 0;  ///< Of what was wanted.
    /// From the source's time until the first of them; the others follow `interval` after each
    /// other. Negative: it was due before.
    std::chrono::microseconds wait{0};
};

/// Where permits come from: one place for all processes, with a clock of its own. Of each sender it
/// keeps one time, at which its permits are all free again:
///
///     if (full_at > now + tolerance + 2 * furthest) full_at = now;  // that clock was set back
///     full_at = max(full_at, now) + ceil(owed * interval);
///     granted = clamp((now + tolerance + furthest - full_at) / interval, 0, wanted);
///     wait = full_at - tolerance - now;
///     full_at += ceil(granted * interval);
///
/// in one step, whoever else asks. Called by one thread at a time; it may block.
class PermitSource {
public:
    virtual ~PermitSource() = default;
    /// Errors: whatever kept it from an answer. They must hold no sender.
    virtual Result<Permits> take(const PermitRequest& request) = 0;
    /// Says that this process lives, and answers how many do, this one included: those that have
    /// said so within the last five seconds.
    virtual Result<int> count_processes() = 0;
};

/// Options of LeasedLimiter.
struct LeasedLimiterOptions {
    double per_second = 80.0;  ///< Of each sender, by all processes: 1e-6 to 1e6.
    double burst = 1.0;        ///< How many may leave at once after a pause, 1 to 1e6.
    /// A block of permits is what may leave in this time, at least one: 1 millisecond to a minute.
    std::chrono::milliseconds lease{100};
    /// How many processes to reckon with until the source has told. 0: it is not known, and one
    /// message a second leaves.
    int processes = 0;
    /// Whether it has a thread, which begins and ends with it. Without one call `fetch`.
    bool own_thread = true;
    std::shared_ptr<Clock> clock = {};        ///< Default: the machine's.
    std::shared_ptr<Observer> observer = {};  ///< Hears when the limit is shared, and when not.
};

/// How a LeasedLimiter does, for metrics. The counts are since it began.
struct LimiterState {
    /// False: the source does not answer, and this process keeps to its share by itself.
    bool shared = false;
    int processes = 0;             ///< That share the limit, as far as was told; 0: not told yet.
    double share_per_second = 0;   ///< What this process keeps to while it is not shared.
    std::uint64_t granted = 0;     ///< Permits that the source gave.
    std::uint64_t promised = 0;    ///< Slots that were given without one in hand.
    std::uint64_t lapsed = 0;      ///< Permits that nobody used in time.
    std::uint64_t questions = 0;   ///< That were put to the source.
    std::uint64_t unanswered = 0;  ///< Of them.
};

/// A limit for each sender that any number of processes keep together.
///
/// `reserve` and `release` never wait and never ask anybody: they give out permits that were
/// fetched before, by a thread of the limiter's own or by `fetch`, a block at a time, the next one
/// when half of the last is used. A permit has its time. One that is not used within a block's time
/// after that has lapsed.
///
/// With none in hand, as for the first message after a pause, `reserve` promises a slot: a few
/// milliseconds later, and further ones spaced as far as this process's share of the limit says.
/// The source hears of it with the next question, and the others get so much less. So a sender is
/// asked about once a block at most, and all processes together keep to the limit; what may leave
/// early is one promise or a few, where processes begin in the same moment, and is made good.
/// A thousand calls at once of a process that is alone in sending get the slots of its share, since
/// a slot that was given is not changed any more; a loop of calls gets the whole limit.
///
/// Sending never stops. While the source does not answer, each process keeps to the limit divided
/// by the number of processes that were known last (at least one message a second, or the limit if
/// that is less), says so (`state`, Observer::on_limiter), and asks again 50 milliseconds to a
/// second later, with jitter. When the source is back it goes on by its share for two seconds,
/// until the others are back, too.
///
/// What was promised far ahead counts for the source from ten blocks' time before it is due.
///
/// Thread-safe. Make one in each process after fork().
class TWILIOWA_EXPORT LeasedLimiter : public RateLimiter {
public:
    /// Asks the source how many processes there are. One that does not answer is no error.
    /// @throws InvalidRequestError if there is no source, a number is out of its bounds, or the
    /// burst
    ///     takes longer than a hundred years to come back.
    explicit LeasedLimiter(std::shared_ptr<PermitSource> source, LeasedLimiterOptions options = {});
    LeasedLimiter(const LeasedLimiter&) = delete;
    LeasedLimiter& operator=(const LeasedLimiter&) = delete;
    /// Ends its thread, when the question under way is answered. Permits in hand lapse.
    ~LeasedLimiter() override;

    /// MonotonicTime::max() for a slot more than a hundred years ahead: never.
    MonotonicTime reserve(std::string_view sender, MonotonicTime now) override;
    /// Neither waits nor asks. With no permit in hand it gives what this process's share allows
    /// and the source is not known to lack, and the source hears of it afterwards.
    RateDecision try_acquire(std::string_view sender, MonotonicTime now) override;
    void release(std::string_view sender) noexcept override;

    /// Puts the questions to the source that are due, which may block; answers when the next one
    /// will be. For a timer of the program's own: call it then, or at least every half lease, from
    /// one thread at a time.
    MonotonicTime fetch();

    /// How it does now.
    LimiterState state() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace twiliowa
