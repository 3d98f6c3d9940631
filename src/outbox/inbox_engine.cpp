#include "outbox/inbox_engine.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "outbox/catch_up.hpp"

namespace twiliowa::detail {
namespace {

/// What other processes have taken in is seen within that time.
constexpr std::chrono::milliseconds inbox_poll{1'000};
constexpr std::chrono::milliseconds inbox_failure_pause{1'000};
constexpr std::chrono::minutes inbox_maintenance_every{1};
constexpr std::chrono::milliseconds inbox_maintenance_pause{100};
/// When Twilio's list is read after a start: it may lag.
constexpr std::array<std::chrono::minutes, 5> catch_up_times{
    std::chrono::minutes{0}, std::chrono::minutes{1}, std::chrono::minutes{5},
    std::chrono::minutes{15}, std::chrono::minutes{60}};
/// And as long as one of them cannot be read.
constexpr std::chrono::minutes catch_up_every{60};
/// How often who ends asks a storage that fails.
constexpr int most_failures_at_end = 3;

}  // namespace

Error InboxEngine::no_handler() {
    return Error::invalid_request("handler", "is not there",
                                  "give the inbox to a WebhookHandler first");
}

InboxEngine::Leave::~Leave() {
    {
        const std::lock_guard lock(engine.mutex_);
        --engine.calls_;
    }
    engine.changed_.notify_all();
}

Result<void> InboxEngine::attach(InboxHandler& handler) {
    const std::lock_guard lock(mutex_);
    if (handler_ != nullptr) {
        return Error::invalid_request("inbox", "has a WebhookHandler already",
                                      "give each WebhookHandler an inbox of its own");
    }
    handler_ = &handler;
    return {};
}

void InboxEngine::detach(InboxHandler& handler) noexcept {
    std::unique_lock lock(mutex_);
    if (handler_ != &handler) return;
    handler_ = nullptr;
    changed_.wait(lock, [&] { return calls_ == 0; });
}

void InboxEngine::wake() {
    {
        const std::lock_guard lock(mutex_);
        ++wakes_;
    }
    changed_.notify_all();
}

bool InboxEngine::is_own_thread() const {
    const std::lock_guard lock(mutex_);
    return std::find(own_threads_.begin(), own_threads_.end(), std::this_thread::get_id()) !=
           own_threads_.end();
}

Result<void> InboxEngine::start() {
    const std::lock_guard lifecycle(lifecycle_);
    if (keeper_.joinable()) return {};
    {
        const std::lock_guard lock(mutex_);
        if (handler_ == nullptr) return no_handler();
        stopping_ = false;
        draining_ = false;
    }
    const auto away_since = core_->alive_until();
    if (!away_since) return away_since.error();
    if (auto noted = core_->maintain(); !noted) return noted.error();
    running_ = true;
    ended_ = {};
    keeper_ = std::thread([this] { run_keeper(); });
    if (*away_since && !core_->options.clients.empty()) {
        catcher_ =
            std::thread([this, since = **away_since, end = ended_] { run_catcher(since, end); });
    }
    for (int i = 0; i < core_->options.workers; ++i) {
        workers_.emplace_back([this] {
            {
                const std::lock_guard lock(mutex_);
                own_threads_.push_back(std::this_thread::get_id());
            }
            run_worker();
        });
    }
    return {};
}

bool InboxEngine::drain(std::chrono::milliseconds at_most) {
    constexpr std::chrono::milliseconds for_ever = std::chrono::hours{24 * 365};
    std::unique_lock lock(mutex_);
    if (!running_) return true;
    draining_ = true;
    changed_.notify_all();
    return changed_.wait_for(lock, std::min(at_most, for_ever),
                             [&] { return held_.empty() || !running_; });
}

void InboxEngine::stop() {
    const bool own = is_own_thread();
    {
        const std::lock_guard lock(mutex_);
        if (running_) stopping_ = true;
    }
    changed_.notify_all();
    // A handler cannot wait for itself.
    if (own) return;
    const std::lock_guard lifecycle(lifecycle_);
    ended_.cancel();
    for (auto& worker : workers_) worker.join();
    workers_.clear();
    if (catcher_.joinable()) catcher_.join();
    if (keeper_.joinable()) keeper_.join();
    const std::lock_guard lock(mutex_);
    own_threads_.clear();
    running_ = false;
    stopping_ = false;
    draining_ = false;
    changed_.notify_all();
}

// ---- The keeper

InboxRoom InboxEngine::room() const {
    const std::lock_guard lock(mutex_);
    if (handler_ == nullptr || stopping_ || draining_) return {};
    InboxHeld held;
    for (const auto& each : held_) held.add(each.second->event);
    return held.room_of(static_cast<std::size_t>(core_->options.workers));
}

InboxHeldByAccount InboxEngine::held_by_account() const {
    InboxHeldByAccount held;
    const std::lock_guard lock(mutex_);
    for (const auto& each : held_) {
        const auto& event = each.second->event;
        held[event.account_sid].add(event);
    }
    return held;
}

bool InboxEngine::claim_some() {
    auto claims = core_->claim(room(), held_by_account());
    const auto now = core_->options.clock->monotonic_now();
    if (!claims) {
        core_->tell_of_failure(claims.error());
        next_due_ = now + inbox_failure_pause;
        return false;
    }
    next_due_.reset();
    // What is years away is not due within this pause.
    if (claims->next_due && claims->due_in < inbox_poll) next_due_ = now + claims->due_in;
    if (claims->claimed.empty()) return false;
    bool too_late = false;
    {
        const std::lock_guard lock(mutex_);
        too_late = stopping_;
        for (auto& event : claims->claimed) {
            if (too_late) break;
            auto held = std::make_shared<Held>(Held{std::move(event), {}});
            held_.emplace(held->event.sequence, held);
            queue_.push_back(std::move(held));
        }
    }
    if (too_late) {
        // Where that fails, their leases end by themselves.
        for (const auto& event : claims->claimed) static_cast<void>(core_->let_go(event));
        return false;
    }
    changed_.notify_all();
    return true;
}

void InboxEngine::renew_due() {
    const auto now = core_->options.clock->monotonic_now();
    if (now < next_renewal_) return;
    next_renewal_ = now + core_->options.lease / 3;
    std::vector<std::pair<std::int64_t, std::int64_t>> held;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [sequence, each] : held_) held.emplace_back(sequence, each->event.fence);
    }
    if (held.empty()) return;
    const auto lost = core_->renew(held);
    if (!lost) return;
    std::vector<std::shared_ptr<Held>> gone;
    {
        const std::lock_guard lock(mutex_);
        for (const auto sequence : *lost) {
            if (const auto each = held_.find(sequence); each != held_.end()) {
                gone.push_back(each->second);
            }
        }
    }
    // What is told of it is the program's own.
    for (const auto& each : gone) each->lost.cancel();
}

void InboxEngine::maintain_due() {
    const auto now = core_->options.clock->monotonic_now();
    if (now < next_maintenance_) return;
    // What cannot be done now is done later.
    const auto more = core_->maintain();
    next_maintenance_ = now;
    if (more && *more) {
        next_maintenance_ += inbox_maintenance_pause;
    } else {
        next_maintenance_ += inbox_maintenance_every;
    }
}

void InboxEngine::run_keeper() {
    std::uint64_t seen = 0;
    while (true) {
        {
            const std::lock_guard lock(mutex_);
            if (stopping_ && held_.empty()) break;
            seen = wakes_;
        }
        renew_due();
        maintain_due();
        if (claim_some()) continue;
        std::chrono::nanoseconds pause = inbox_poll;
        const auto monotonic = core_->options.clock->monotonic_now();
        for (const auto next : {next_renewal_, next_maintenance_}) {
            pause = std::min<std::chrono::nanoseconds>(pause, next - monotonic);
        }
        if (next_due_) {
            const auto due = *next_due_ - monotonic;
            // What is due already waits for room, of which somebody tells.
            if (due.count() > 0) pause = std::min<std::chrono::nanoseconds>(pause, due);
        }
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, pause,
                          [&] { return wakes_ != seen || (stopping_ && held_.empty()); });
    }
    // Until now somebody was here.
    static_cast<void>(core_->maintain());
}

// ---- What came while nobody was here

void InboxEngine::run_catcher(TimePoint since, const CancelSource& end) {
    const auto began = core_->options.clock->monotonic_now();
    bool all_read = false;
    std::chrono::minutes after{0};
    for (std::size_t i = 0; i < catch_up_times.size() || !all_read; ++i) {
        after = i < catch_up_times.size() ? catch_up_times[i] : after + catch_up_every;
        {
            std::unique_lock lock(mutex_);
            const auto left = began + after - core_->options.clock->monotonic_now();
            if (left.count() > 0) changed_.wait_for(lock, left, [&] { return stopping_; });
            if (stopping_) return;
        }
        // What fails is read again with the next.
        const auto read = with_handler([&](InboxHandler& handler) {
            return without_exceptions(
                [&] { return catch_up(*core_, since, handler, end.token()); });
        });
        all_read = read.has_value();
        wake();
    }
}

// ---- The workers

void InboxEngine::run_worker() {
    while (true) {
        std::shared_ptr<Held> held;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [&] { return stopping_ || !queue_.empty(); });
            if (queue_.empty()) return;
            held = std::move(queue_.front());
            queue_.pop_front();
        }
        handle(held);
        forget(*held);
    }
}

void InboxEngine::forget(const Held& held) {
    {
        const std::lock_guard lock(mutex_);
        held_.erase(held.event.sequence);
        ++wakes_;
    }
    changed_.notify_all();
}

void InboxEngine::handle(const std::shared_ptr<Held>& held) {
    bool begins = false;
    {
        const std::lock_guard lock(mutex_);
        begins = !stopping_ && handler_ != nullptr;
    }
    if (begins) {
        const auto tried = with_handler([&](InboxHandler& handler) -> Result<InboxTry> {
            return core_->try_event(handler, held->event, held->lost.token());
        });
        if (tried) return settle(*tried);
    }
    // Where that fails, the lease ends by itself.
    static_cast<void>(core_->let_go(held->event));
}

void InboxEngine::settle(const InboxTry& tried) {
    int failures = 0;
    while (true) {
        const auto settled = core_->settle(tried);
        if (settled) return;
        core_->tell_of_failure(settled.error());
        std::unique_lock lock(mutex_);
        if (stopping_ && ++failures > most_failures_at_end) return;
        changed_.wait_for(lock, inbox_failure_pause, [&] { return stopping_ && failures == 0; });
    }
}

}  // namespace twiliowa::detail
