#include "outbox/outcome_teller.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <span>
#include <string_view>
#include <utility>

namespace twiliowa::detail {
namespace {

constexpr std::size_t told_at_once = 100;
/// So long nobody is told of anything when the process has died that told.
constexpr std::chrono::microseconds teller_lease{std::chrono::seconds{10}};
/// With so much left it is renewed while a handler runs, and sooner than another could take it.
constexpr std::chrono::microseconds teller_renewal = teller_lease * 2 / 3;
constexpr std::string_view teller_fact = "teller";

/// Who tells, until when.
struct TellerLease {
    std::string name = {};
    LeaseTime until = {};

    std::string text() const {
        return name + ' ' + std::to_string(until.microseconds) + ' ' + until.boot;
    }
    /// Of nobody, if it is not one.
    static TellerLease read(std::string_view text) {
        TellerLease lease;
        const auto name_end = text.find(' ');
        if (name_end == std::string_view::npos) return lease;
        const auto time = text.substr(name_end + 1);
        const auto read =
            std::from_chars(time.data(), time.data() + time.size(), lease.until.microseconds);
        const auto time_end = static_cast<std::size_t>(read.ptr - time.data());
        if (read.ec != std::errc{} || time_end == time.size()) return {};
        lease.until.boot = time.substr(time_end + 1);
        lease.name = text.substr(0, name_end);
        return lease;
    }
};

}  // namespace

void OutcomeTeller::set_handler(std::function<void(const JobOutcome&)> handler) {
    const std::lock_guard lock(mutex_);
    handler_ = std::move(handler);
}

std::function<void(const JobOutcome&)> OutcomeTeller::handler() const {
    const std::lock_guard lock(mutex_);
    return handler_;
}

void OutcomeTeller::be(std::string name) {
    name_ = std::move(name);
}

// ---- The lease

void OutcomeTeller::set_lease(std::optional<LeaseTime> until) {
    const std::lock_guard lock(mutex_);
    lease_until_ = std::move(until);
}

/// Whether no more than that is left of it.
bool OutcomeTeller::is_ending(std::chrono::microseconds with) const {
    const std::lock_guard lock(mutex_);
    if (!lease_until_) return true;
    auto then = core_->storage->lease_now();
    then.microseconds += with.count();
    return lease_until_->ended(then);
}

Result<bool> OutcomeTeller::change_lease(OutboxTransaction& transaction, bool keep,
                                         LeaseTime& until) const {
    const auto known = transaction.fact(teller_fact);
    if (!known) return known.error();
    if (TellerLease::read(*known).name != name_) return false;
    until = transaction.lease_now();
    until.microseconds += teller_lease.count();
    const auto changed =
        transaction.set_fact(teller_fact, keep ? TellerLease{name_, until}.text() : std::string{});
    if (!changed) return changed.error();
    return true;
}

void OutcomeTeller::keep_lease() {
    if (!telling_ || !is_ending(teller_renewal)) return;
    bool mine = false;
    LeaseTime until;
    const auto done = without_exceptions([&] {
        return core_->storage->transact([&](OutboxTransaction& transaction) -> Result<void> {
            const auto changed = change_lease(transaction, true, until);
            if (!changed) return changed.error();
            mine = *changed;
            return {};
        });
    });
    // What cannot be written now is tried again, until the lease has ended.
    if (!done) return;
    const std::lock_guard lock(mutex_);
    if (lease_until_ && mine) lease_until_ = until;
}

void OutcomeTeller::leave() {
    {
        const std::lock_guard lock(mutex_);
        if (!lease_until_) return;
        lease_until_.reset();
    }
    // Where that fails it ends by itself.
    static_cast<void>(without_exceptions([&] {
        return core_->storage->transact([&](OutboxTransaction& transaction) -> Result<void> {
            LeaseTime until;
            const auto changed = change_lease(transaction, false, until);
            return changed ? Result<void>{} : changed.error();
        });
    }));
}

// ---- Telling

Result<std::int64_t> OutcomeTeller::read(OutboxTransaction& transaction, std::int64_t after,
                                         std::size_t limit,
                                         std::vector<JobOutcome>& outcomes) const {
    const auto stored = transaction.outcomes(after, limit);
    if (!stored) return stored.error();
    std::vector<JobId> ids;
    ids.reserve(stored->size());
    for (const auto& each : *stored) ids.push_back(each.job);
    if (auto read = transaction.foresee(ids, {}); !read) return read.error();
    for (const auto& each : *stored) {
        const auto jobs = transaction.load(std::span{&each.job, 1});
        if (!jobs) return jobs.error();
        after = each.cursor;
        if (jobs->empty()) continue;
        outcomes.push_back({each.cursor, each.outcome, each.at, core_->codec.view(jobs->front())});
    }
    return after;
}

Result<TimePoint> OutcomeTeller::purged_before(OutboxTransaction& transaction,
                                               TimePoint before) const {
    {
        const std::lock_guard lock(mutex_);
        if (!handler_) return before;
    }
    const auto told = transaction.told();
    if (!told) return told.error();
    const auto next = transaction.outcomes(*told, 1);
    if (!next) return next.error();
    return next->empty() ? before : std::min(before, next->front().at);
}

Result<void> OutcomeTeller::take_batch(OutboxTransaction& transaction, Batch& batch) const {
    batch = {};
    const auto known = transaction.fact(teller_fact);
    if (!known) return known.error();
    const auto lease = TellerLease::read(*known);
    const auto now = transaction.lease_now();
    const bool mine = lease.name == name_;
    if (!lease.name.empty() && !mine && !lease.until.ended(now)) return {};
    const auto told = transaction.told();
    if (!told) return told.error();
    const auto end = read(transaction, *told, told_at_once, batch.outcomes);
    if (!end) return end.error();
    if (*end == *told) return {};
    batch.before = *told;
    batch.end = *end;
    batch.lease_until = lease.until;
    auto soon = now;
    soon.microseconds += teller_renewal.count();
    if (mine && !lease.until.ended(soon)) return {};
    batch.lease_until = now;
    batch.lease_until.microseconds += teller_lease.count();
    return transaction.set_fact(teller_fact, TellerLease{name_, batch.lease_until}.text());
}

Result<bool> OutcomeTeller::note(std::int64_t told, bool keep) {
    bool mine = false;
    LeaseTime until;
    const auto noted =
        core_->storage->transact([&](OutboxTransaction& transaction) -> Result<void> {
            const auto changed = change_lease(transaction, keep, until);
            if (!changed) return changed.error();
            mine = *changed;
            return mine ? transaction.set_told(told) : Result<void>{};
        });
    if (!noted) return noted.error();
    set_lease(mine && keep ? std::optional{until} : std::nullopt);
    return mine;
}

bool OutcomeTeller::call(const std::function<void(const JobOutcome&)>& handler,
                         const JobOutcome& outcome) const {
    const auto& clock = *core_->options.clock;
    const auto began = clock.monotonic_now();
    bool handled = true;
    try {
        handler(outcome);
    } catch (...) {
        handled = false;
    }
    if (!core_->options.observer) return handled;
    const auto since = core_->now() - outcome.at;
    const auto id = outcome.job.id.str();
    core_->options.observer->on_outcome_told(
        {.job = id,
         .outcome = to_string(outcome.outcome),
         .handled = handled,
         .duration =
             std::chrono::duration_cast<std::chrono::microseconds>(clock.monotonic_now() - began),
         .since_outcome = std::chrono::duration_cast<std::chrono::milliseconds>(since)});
    return handled;
}

Result<std::optional<std::int64_t>> OutcomeTeller::tell(
    const Batch& batch, const std::function<void(const JobOutcome&)>& handler, bool& failed) {
    auto told = batch.before;
    for (const auto& outcome : batch.outcomes) {
        if (is_ending(teller_lease / 3)) {
            const auto mine = note(told, true);
            if (!mine) return mine.error();
            if (!*mine) return std::optional<std::int64_t>{};
        }
        if (!call(handler, outcome)) {
            failed = true;
            return std::optional{told};
        }
        told = outcome.cursor;
    }
    return batch.end;
}

Result<bool> OutcomeTeller::tell_some() {
    const auto handler = this->handler();
    if (!handler) {
        leave();
        return false;
    }
    Batch batch;
    const auto taken = core_->storage->transact(
        [&](OutboxTransaction& transaction) { return take_batch(transaction, batch); });
    if (!taken) return taken.error();
    if (!batch.end) return false;
    set_lease(batch.lease_until);
    bool failed = false;
    telling_ = true;
    const auto told = without_exceptions([&] { return tell(batch, handler, failed); });
    telling_ = false;
    if (!told) return told.error();
    if (!*told) return false;
    // Another may have more luck with it.
    const auto noted = note(**told, !failed);
    if (!noted) return noted.error();
    if (failed) {
        return Error::transport(Effect::none, Stage::prepare,
                                "the handler of outcomes threw; it is called again");
    }
    return *noted;
}

}  // namespace twiliowa::detail
