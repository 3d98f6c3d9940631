#include "outbox/account_waits.hpp"

#include <algorithm>

namespace twiliowa::detail {
namespace {

constexpr std::chrono::milliseconds first_account_pause{1'000};
constexpr std::chrono::milliseconds longest_account_pause{60'000};
constexpr int account_pause_grows_by = 3;

/// What is left of a wait, in whole milliseconds, so that who waits so long does not come early.
std::chrono::milliseconds left_of_wait(MonotonicTime until, MonotonicTime now) {
    return std::chrono::ceil<std::chrono::milliseconds>(until - now);
}

}  // namespace

std::optional<std::chrono::milliseconds> AccountWaits::left(const std::string& account,
                                                            MonotonicTime now) const {
    const std::lock_guard lock(mutex_);
    const auto wait = waits_.find(account);
    if (wait == waits_.end() || now >= wait->second.until) return std::nullopt;
    return left_of_wait(wait->second.until, now);
}

std::chrono::milliseconds AccountWaits::put_off(const std::string& account, MonotonicTime now) {
    const std::lock_guard lock(mutex_);
    auto& wait = waits_[account];
    // Several who ask at once are one that asks.
    if (now >= wait.until) {
        wait.pause = std::clamp(wait.pause * account_pause_grows_by, first_account_pause,
                                longest_account_pause);
        wait.until = now + wait.pause;
    }
    return left_of_wait(wait.until, now);
}

void AccountWaits::is_here(const std::string& account) {
    const std::lock_guard lock(mutex_);
    waits_.erase(account);
}

std::map<std::string, std::chrono::milliseconds> AccountWaits::waiting(MonotonicTime now) const {
    std::map<std::string, std::chrono::milliseconds> waiting;
    const std::lock_guard lock(mutex_);
    for (const auto& [account, wait] : waits_) {
        if (now < wait.until) waiting.emplace(account, left_of_wait(wait.until, now));
    }
    return waiting;
}

}  // namespace twiliowa::detail
