/// @file
/// What may happen to an event of an inbox, and what then becomes of it: the table of
/// docs/inbox.md, without I/O, clock or randomness of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include <twiliowa/outbox/inbox_storage.hpp>

namespace twiliowa::detail {

/// What holds for every event of an inbox.
struct InboxRules {
    int max_tries = 5;
    /// The most that an event's pauses between its tries add up to.
    std::chrono::milliseconds pauses{std::chrono::minutes{2}};
};

/// When something happens.
struct InboxMoment {
    TimePoint now = {};
    LeaseTime lease_now = {};
    double jitter = 0.5;  ///< In [0, 1).
};

/// How long an event waits after that many tries. Each is three times the one before, and all of
/// them together at most `InboxRules::pauses`; jitter only shortens them.
std::chrono::milliseconds inbox_pause(const InboxRules& rules, int tries, double jitter);

/// Applies one thing that happened to an event. Each returns whether it changed anything; false
/// means that the table has no such arrow from here, and the event is as it was.
class InboxMachine {
public:
    InboxMachine(StoredEvent& event, const InboxRules& rules, const InboxMoment& at) noexcept
        : event_(event), rules_(rules), at_(at) {}

    /// Nobody is to handle it: it is done as soon as it is there.
    bool need_nobody();

    // ---- A worker's: they hold only with the fence that its claim gave.

    /// Counts the try: one that ends the process is counted, too.
    bool claim(std::string_view worker, const LeaseTime& until);
    bool renew(std::int64_t fence, const LeaseTime& until);
    bool finish(std::int64_t fence);
    /// @param for_good  another try would fail, too
    bool fail(std::int64_t fence, std::string_view problem, bool for_good);
    /// Its handler did not begin: the try does not count.
    bool let_go(std::int64_t fence, TimePoint not_before, std::string_view problem);

    // ---- Time, persons.

    bool lease_ended();
    bool retry();
    bool drop(std::string_view problem);

private:
    bool holds(std::int64_t fence) const noexcept;
    void move_to(InboxState state);
    void wait_until(TimePoint not_before);

    StoredEvent& event_;
    const InboxRules& rules_;
    const InboxMoment& at_;
};

}  // namespace twiliowa::detail
