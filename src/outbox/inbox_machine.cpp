#include "outbox/inbox_machine.hpp"

#include <algorithm>
#include <cmath>

namespace twiliowa::detail {
namespace {

constexpr double pause_grows_by = 3;
/// Beyond it the first pauses would be next to nothing.
constexpr int most_growing_pauses = 12;

}  // namespace

std::chrono::milliseconds inbox_pause(const InboxRules& rules, int tries, double jitter) {
    const int pauses = std::max(rules.max_tries - 1, 1);
    const int growing = std::min(pauses, most_growing_pauses);
    // In units of the first: 1, 3, 9, ... and, of very many, the last again and again.
    const auto longest = std::pow(pause_grows_by, growing - 1);
    const auto all = (std::pow(pause_grows_by, growing) - 1) / (pause_grows_by - 1) +
                     longest * (pauses - growing);
    const auto mine = std::min(std::pow(pause_grows_by, std::clamp(tries - 1, 0, 40)), longest);
    const auto share = static_cast<double>(rules.pauses.count()) * mine / all;
    return std::chrono::milliseconds{
        static_cast<std::int64_t>(std::floor(share * (0.75 + 0.25 * jitter)))};
}

bool InboxMachine::holds(std::int64_t fence) const noexcept {
    return event_.state == InboxState::running && event_.fence == fence;
}

void InboxMachine::move_to(InboxState state) {
    event_.state = state;
    event_.updated_at = at_.now;
    if (state != InboxState::running) {
        event_.worker.clear();
        event_.lease_until = {};
    }
}

void InboxMachine::wait_until(TimePoint not_before) {
    move_to(InboxState::waiting);
    event_.not_before = not_before;
}

bool InboxMachine::need_nobody() {
    if (event_.state != InboxState::waiting || event_.tries != 0) return false;
    move_to(InboxState::done);
    return true;
}

bool InboxMachine::claim(std::string_view worker, const LeaseTime& until) {
    if (event_.state != InboxState::waiting || event_.not_before > at_.now) return false;
    move_to(InboxState::running);
    ++event_.tries;
    ++event_.fence;
    event_.worker = worker;
    event_.lease_until = until;
    return true;
}

bool InboxMachine::renew(std::int64_t fence, const LeaseTime& until) {
    if (!holds(fence)) return false;
    event_.lease_until = until;
    return true;
}

bool InboxMachine::finish(std::int64_t fence) {
    if (!holds(fence)) return false;
    move_to(InboxState::done);
    event_.problem.clear();
    return true;
}

bool InboxMachine::fail(std::int64_t fence, std::string_view problem, bool for_good) {
    if (!holds(fence)) return false;
    event_.problem = problem;
    if (for_good || event_.tries >= rules_.max_tries) {
        move_to(InboxState::dead);
    } else {
        wait_until(at_.now + inbox_pause(rules_, event_.tries, at_.jitter));
    }
    return true;
}

bool InboxMachine::let_go(std::int64_t fence, TimePoint not_before, std::string_view problem) {
    if (!holds(fence)) return false;
    --event_.tries;
    event_.problem = problem;
    wait_until(not_before);
    return true;
}

bool InboxMachine::lease_ended() {
    if (event_.state != InboxState::running || !event_.lease_until.ended(at_.lease_now)) {
        return false;
    }
    event_.problem = "its handler did not end: the process died, or stood still";
    if (event_.tries >= rules_.max_tries) {
        move_to(InboxState::dead);
    } else {
        // Its lease was pause enough.
        wait_until(at_.now);
    }
    return true;
}

bool InboxMachine::retry() {
    if (event_.state != InboxState::dead || event_.payload.empty()) return false;
    event_.tries = 0;
    event_.out_of_order = true;
    wait_until(at_.now);
    return true;
}

bool InboxMachine::drop(std::string_view problem) {
    if (event_.state != InboxState::dead && event_.state != InboxState::waiting) return false;
    if (!problem.empty()) event_.problem = problem;
    move_to(InboxState::dropped);
    return true;
}

}  // namespace twiliowa::detail
