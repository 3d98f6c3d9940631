#include <twiliowa/state/lease_keeper.hpp>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "state/held_lease.hpp"

namespace twiliowa {

namespace detail {

void HeldLease::renew(MonotonicTime now) {
    if (now < due) return;
    {
        const std::lock_guard lock(mutex);
        if (ended) return;
        const auto write = [&](std::uint64_t expected) {
            return store->compare_and_set(key, expected, claim_running, length, Keep::pinned);
        };
        auto written = write(version);
        // The lease ran out. If nobody took the event since, it is held again.
        if (written && *written == 0) written = write(0);
        // A store that is away is asked again soon.
        due = now + (written ? length / 3 : length / 20);
        if (!written) return;
        version = *written;
        if (version != 0) return;
        ended = true;
    }
    lost.cancel();
}

std::optional<std::uint64_t> HeldLease::end() {
    const std::lock_guard lock(mutex);
    ended = true;
    if (version == 0) return std::nullopt;
    return version;
}

bool HeldLease::has_ended() {
    const std::lock_guard lock(mutex);
    return ended;
}

namespace {

/// How often a keeper's thread looks, as long as there is something to look at.
constexpr std::chrono::milliseconds keeper_tick{200};

}  // namespace
}  // namespace detail

struct LeaseKeeper::State {
    /// Works until the keeper ends.
    void work(LeaseKeeper& keeper) {
        std::unique_lock lock(mutex);
        while (!ending) {
            if (leases.empty()) {
                wake.wait(lock, [&] { return ending || !leases.empty(); });
                continue;
            }
            if (wake.wait_for(lock, detail::keeper_tick, [&] { return ending; })) break;
            lock.unlock();
            keeper.renew_due();
            lock.lock();
        }
    }

    void forget_ended() {
        std::erase_if(leases, [](const auto& each) {
            const auto lease = each.lock();
            return !lease || lease->has_ended();
        });
    }

    std::shared_ptr<Clock> clock;
    std::mutex mutex;
    std::condition_variable wake;
    std::vector<std::weak_ptr<detail::HeldLease>> leases;
    std::size_t forget_at = 64;
    bool ending = false;
    std::thread thread;
};

LeaseKeeper::LeaseKeeper(LeaseKeeperOptions options) : state_(std::make_unique<State>()) {
    state_->clock = options.clock ? std::move(options.clock) : system_clock();
    if (options.own_thread) state_->thread = std::thread{[this] { state_->work(*this); }};
}

LeaseKeeper::~LeaseKeeper() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->ending = true;
    }
    state_->wake.notify_all();
    if (state_->thread.joinable()) state_->thread.join();
}

void LeaseKeeper::renew_due() {
    std::vector<std::shared_ptr<detail::HeldLease>> held;
    {
        const std::lock_guard lock(state_->mutex);
        state_->forget_ended();
        held.reserve(state_->leases.size());
        for (const auto& each : state_->leases) {
            if (auto lease = each.lock()) held.push_back(std::move(lease));
        }
    }
    for (const auto& lease : held) lease->renew(state_->clock->monotonic_now());
}

void LeaseKeeper::hold(const std::shared_ptr<detail::HeldLease>& lease) {
    lease->due = state_->clock->monotonic_now() + lease->length / 3;
    bool is_first = false;
    {
        const std::lock_guard lock(state_->mutex);
        // Without anybody to renew they must not pile up.
        if (state_->leases.size() >= state_->forget_at) {
            state_->forget_ended();
            state_->forget_at = 2 * state_->leases.size() + 64;
        }
        is_first = state_->leases.empty();
        state_->leases.push_back(lease);
    }
    if (is_first) state_->wake.notify_one();
}

}  // namespace twiliowa
