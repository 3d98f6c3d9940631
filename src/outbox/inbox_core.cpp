#include "outbox/inbox_core.hpp"

#include <algorithm>
#include <charconv>
#include <random>
#include <utility>

#include "types/duration_bound.hpp"
#include "types/random_name.hpp"

namespace twiliowa::detail {
namespace {

constexpr std::size_t abandoned_at_once = 100;
constexpr std::size_t removed_at_once = 100;
constexpr std::chrono::seconds backlog_recount{1};
/// How long an event waits that cannot be opened.
constexpr std::chrono::minutes unopened_wait{1};
/// Until when somebody was here, by the storage's time; a webhook may have been under way then.
constexpr std::string_view alive_fact = "inbox alive";
constexpr std::chrono::minutes alive_margin{1};
/// Bytes of a problem that are kept.
constexpr std::size_t longest_problem = 500;

constexpr std::string_view cannot_redirect =
    "its answer redirects to another URL, which an inbox cannot carry out: answer with messages";

InboxOptions with_inbox_defaults(InboxOptions options) {
    if (!options.clock) options.clock = system_clock();
    if (!options.random) {
        options.random = [] {
            thread_local std::minstd_rand generator{std::random_device{}()};
            return std::uniform_real_distribution<double>{}(generator);
        };
    }
    return options;
}

InboxRules inbox_rules_of(const InboxOptions& options) {
    InboxRules rules;
    rules.max_tries = options.max_tries;
    rules.pauses = options.pauses;
    return rules;
}

Error keeps_no_events() {
    return Error::invalid_request("storage", "keeps no events",
                                  "give one of the library's engines, and bring its tables up to "
                                  "date (migrate)");
}

LeaseTime lease_until(LeaseTime now, std::chrono::milliseconds lease) {
    now.microseconds += std::chrono::microseconds{lease}.count();
    return now;
}

std::string problem_of(const Error& error) {
    return error.what().substr(0, longest_problem);
}

std::int64_t microseconds_of(TimePoint time) {
    return std::chrono::duration_cast<std::chrono::microseconds>(time.time_since_epoch()).count();
}

bool is_message(const StoredEvent& event) {
    return event.kind == "message";
}

}  // namespace

// ---- BacklogGauge

bool BacklogGauge::is_due(MonotonicTime now) const {
    const std::lock_guard lock(mutex_);
    return !counted_at_ || now - *counted_at_ >= backlog_recount;
}

void BacklogGauge::set(std::int64_t waiting, MonotonicTime now) {
    const std::lock_guard lock(mutex_);
    waiting_ = waiting;
    counted_at_ = now;
}

void BacklogGauge::add(std::int64_t events) {
    const std::lock_guard lock(mutex_);
    waiting_ += events;
}

std::int64_t BacklogGauge::waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_;
}

// ---- InboxCore

InboxCore::InboxCore(std::shared_ptr<OutboxStorage> chosen, Outbox* outbox, InboxOptions asked)
    : storage(std::move(chosen)),
      options(with_inbox_defaults(std::move(asked))),
      rules(inbox_rules_of(options)),
      codec(options.sealer),
      worker(random_name()),
      outbox_(outbox) {
    if (outbox_ == nullptr) return;
    parts_ = OutboxParts::of(*outbox_);
    intake_.emplace(parts_.core);
    callbacks_.emplace(parts_.core);
}

Result<void> InboxCore::transact(const Work& work) const {
    return without_exceptions([&] {
        return storage->transact([&](OutboxTransaction& transaction) -> Result<void> {
            auto* const inbox = transaction.inbox();
            return inbox == nullptr ? keeps_no_events() : work(transaction, *inbox);
        });
    });
}

InboxAnswer InboxCore::answer_of(TakenIn taken) const noexcept {
    switch (taken) {
        case TakenIn::taken:
            return InboxAnswer::taken;
        case TakenIn::duplicate:
            return InboxAnswer::duplicate;
        case TakenIn::recut:
            break;
    }
    return InboxAnswer::recut;
}

Result<InboxLook> InboxCore::look(const EventKey& key) const {
    InboxLook seen;
    const auto done = transact([&](OutboxTransaction&, InboxTransaction& inbox) -> Result<void> {
        seen = {};
        const auto would = inbox.look(inbox_key_of(key), key.signature);
        if (!would) return would.error();
        seen.answer = answer_of(*would);
        if (seen.answer != InboxAnswer::duplicate) return {};
        const auto caught_up = is_caught_up(inbox, key);
        if (!caught_up) return caught_up.error();
        seen.caught_up = *caught_up;
        return {};
    });
    if (!done) return done.error();
    return seen;
}

/// Whether the event of that key was read from Twilio's list. False if it is gone.
Result<bool> InboxCore::is_caught_up(InboxTransaction& inbox, const EventKey& key) {
    // Nothing else is, and the list would be long of what has no SID.
    if (key.kind != "message" || key.message_sid.empty()) return false;
    const auto rows = inbox.list({.kind = key.kind, .message_sid = key.message_sid});
    if (!rows) return rows.error();
    return std::any_of(rows->begin(), rows->end(), [own = inbox_key_of(key)](const auto& row) {
        return row.key == own && row.caught_up;
    });
}

Result<InboxAnswer> InboxCore::take(const InboxDelivery& delivery) {
    const auto encoded = codec.encode(delivery);
    if (!encoded) return encoded.error();
    const bool bounded = options.max_waiting > 0 && delivery.has_handler;
    const auto now = options.clock->monotonic_now();
    const bool recount = bounded && backlog_.is_due(now);
    const auto known = backlog_.waiting();
    auto taken = TakenIn::taken;
    std::optional<std::int64_t> counted;
    bool full = false;
    const auto take_event = [&](OutboxTransaction& transaction,
                                InboxTransaction& inbox) -> Result<void> {
        counted.reset();
        if (recount) {
            const auto counts = inbox.counts();
            if (!counts) return counts.error();
            counted = 0;
            for (const auto& [state, events] : *counts) {
                if (state == InboxState::waiting || state == InboxState::running)
                    *counted += events;
            }
        }
        auto event = *encoded;
        const auto storage_now = transaction.now();
        // It is due at once, whatever the clock of who took it in says.
        event.not_before = std::min(event.not_before, storage_now);
        event.updated_at = storage_now;
        full = bounded && counted.value_or(known) >= options.max_waiting;
        if (full) {
            const auto would = inbox.look(event.key, delivery.key.signature);
            if (!would) return would.error();
            taken = *would;
            if (taken == TakenIn::taken) return {};
            full = false;
        }
        const auto answer = inbox.take(event, delivery.key.signature);
        if (!answer) return answer.error();
        taken = *answer;
        if (taken == TakenIn::taken && !delivery.has_handler) {
            return close(transaction, inbox, event);
        }
        return {};
    };
    const auto* const callback =
        outbox_ == nullptr ? nullptr : std::get_if<StatusCallback>(&delivery.event);
    // With the event, or neither: of a duplicate too, whose first may have come without an outbox.
    // What it proves is not lost for want of room.
    const auto done =
        callback == nullptr
            ? transact(take_event)
            : callbacks_->take_in(*callback, [&](const CallbackIntake::Work& learn) {
                  return transact(
                      [&](OutboxTransaction& transaction, InboxTransaction& inbox) -> Result<void> {
                          if (auto event_taken = take_event(transaction, inbox); !event_taken) {
                              return event_taken;
                          }
                          return taken == TakenIn::recut ? Result<void>{} : learn(transaction);
                      });
              });
    if (counted) backlog_.set(*counted, now);
    if (!done) return done.error();
    if (callback != nullptr && taken != TakenIn::recut) parts_.wake();
    if (full) return InboxAnswer::full;
    if (taken == TakenIn::taken && delivery.has_handler) backlog_.add(1);
    return answer_of(taken);
}

/// Its key and its signature are all that is kept.
Result<void> InboxCore::close(OutboxTransaction& transaction, InboxTransaction& inbox,
                              const StoredEvent& event) const {
    auto rows = inbox.list({.kind = event.kind, .message_sid = event.message_sid});
    if (!rows) return rows.error();
    for (auto& row : *rows) {
        if (row.key != event.key) continue;
        const auto closed = apply(transaction, inbox, row,
                                  [](InboxMachine& machine) { return machine.need_nobody(); });
        if (!closed) return closed.error();
    }
    return {};
}

Result<InboxClaims> InboxCore::claim(const InboxRoom& room) {
    InboxClaims found;
    const auto done =
        transact([&](OutboxTransaction& transaction, InboxTransaction& inbox) -> Result<void> {
            found = {};
            auto abandoned = inbox.abandoned(transaction.lease_now(), abandoned_at_once);
            if (!abandoned) return abandoned.error();
            for (auto& event : *abandoned) {
                const auto changed = apply(transaction, inbox, event, [](InboxMachine& machine) {
                    return machine.lease_ended();
                });
                if (!changed) return changed.error();
                if (*changed) found.abandoned.push_back(std::move(event));
            }
            if (room.all > 0) {
                auto ready = inbox.ready(transaction.now(), room.all);
                if (!ready) return ready.error();
                auto messages = room.messages;
                for (auto& event : *ready) {
                    if (is_message(event)) {
                        if (messages == 0) continue;
                        --messages;
                    }
                    const auto until = lease_until(transaction.lease_now(), options.lease);
                    const auto changed =
                        apply(transaction, inbox, event,
                              [&](InboxMachine& machine) { return machine.claim(worker, until); });
                    if (!changed) return changed.error();
                    if (*changed) found.claimed.push_back(std::move(event));
                }
            }
            auto next = inbox.next_due();
            if (!next) return next.error();
            found.next_due = *next;
            if (*next) found.due_in = **next - transaction.now();
            return {};
        });
    if (!done) return done.error();
    for (const auto& event : found.abandoned) {
        const bool dead = event.state == InboxState::dead;
        if (dead) backlog_.add(-1);
        tell(event, dead ? InboxOutcome::dead : InboxOutcome::failed, event.problem, {});
    }
    return found;
}

Result<std::vector<std::int64_t>> InboxCore::renew(
    std::span<const std::pair<std::int64_t, std::int64_t>> held) const {
    std::vector<std::int64_t> lost;
    const auto done =
        transact([&](OutboxTransaction& transaction, InboxTransaction& inbox) -> Result<void> {
            lost.clear();
            const auto until = lease_until(transaction.lease_now(), options.lease);
            std::vector<std::int64_t> sequences;
            for (const auto& each : held) sequences.push_back(each.first);
            auto events = inbox.load(sequences);
            if (!events) return events.error();
            for (const auto& [sequence, fence] : held) {
                const auto event = std::find_if(
                    events->begin(), events->end(),
                    [wanted = sequence](const auto& each) { return each.sequence == wanted; });
                bool renewed = false;
                if (event != events->end()) {
                    const auto changed =
                        apply(transaction, inbox, *event, [&, mine = fence](InboxMachine& machine) {
                            return machine.renew(mine, until);
                        });
                    if (!changed) return changed.error();
                    renewed = *changed;
                }
                if (!renewed) lost.push_back(sequence);
            }
            return {};
        });
    if (!done) return done.error();
    return lost;
}

InboxTry InboxCore::try_event(InboxHandler& handler, StoredEvent claimed,
                              const CancelToken& lost) const {
    InboxTry tried;
    tried.claimed = std::move(claimed);
    auto event = codec.event_of(tried.claimed);
    if (!event) {
        tried.failure = problem_of(event.error());
        tried.for_good = event.error().kind() == ErrorKind::invalid_request;
        if (!tried.for_good) tried.again_after = unopened_wait;
        return tried;
    }
    TurnState state{.event = *event};
    state.tries = tried.claimed.tries;
    state.fence = tried.claimed.fence;
    state.lease_lost = lost;
    state.intake = intake_ ? &*intake_ : nullptr;
    state.key_prefix =
        tried.claimed.message_sid.empty() ? tried.claimed.key : tried.claimed.message_sid;
    const auto began = options.clock->monotonic_now();
    const auto run = [&]() -> Result<void> {
        if (const auto* message = std::get_if<InboundMessage>(&*event);
            message != nullptr && options.reply_options) {
            state.reply_options = options.reply_options(*message);
            state.reply_options.key = {};
        }
        Turn turn{state};
        const auto answer = handler.run(*event, lost, turn);
        if (!answer) return answer.error();
        if (answer->redirects()) {
            tried.failure = cannot_redirect;
            tried.for_good = true;
            return {};
        }
        return state.answer(*answer);
    };
    const auto ended = without_exceptions(run);
    if (!ended) tried.failure = problem_of(ended.error());
    tried.duration = std::chrono::duration_cast<std::chrono::microseconds>(
        options.clock->monotonic_now() - began);
    tried.undo = std::move(state.undo);
    if (!tried.failure) {
        tried.jobs = std::move(state.jobs);
        tried.at_commit = std::move(state.at_commit);
    }
    return tried;
}

/// Before anything else is written the lease is looked at: who has lost it writes nothing.
Result<void> InboxCore::finish(OutboxTransaction& transaction, InboxTransaction& inbox,
                               const InboxTry& tried, std::optional<Error>& refused,
                               bool& lost) const {
    const auto& claimed = tried.claimed;
    auto events = inbox.load(std::span{&claimed.sequence, 1});
    if (!events) return events.error();
    lost = events->empty();
    if (lost) return {};
    auto& event = events->front();
    // Asked again after a commit whose end was not known.
    if (event.state == InboxState::done && event.fence == claimed.fence) return {};
    const auto done = apply(transaction, inbox, event,
                            [&](InboxMachine& machine) { return machine.finish(claimed.fence); });
    if (!done) return done.error();
    lost = !*done;
    if (lost) return {};
    std::vector<EnqueuedJob> jobs;
    for (const auto& job : tried.jobs) {
        auto taken = intake_->take_in(transaction, job, event.arrived_at);
        if (taken) {
            jobs.push_back(std::move(*taken));
            continue;
        }
        if (taken.error().kind() == ErrorKind::invalid_request) refused = taken.error();
        return taken.error();
    }
    if (tried.at_commit.empty()) return {};
    const auto native = transaction.native();
    for (const auto& work : tried.at_commit) {
        try {
            work(native, jobs);
        } catch (const TwilioError& error) {
            refused = error.error();
        } catch (...) {
            refused = Error::transport(Effect::none, Stage::prepare,
                                       "a function given to at_commit threw an exception");
        }
        if (!refused) {
            if (auto left = transaction.check_native(); !left) refused = left.error();
        }
        if (refused) return *refused;
    }
    return {};
}

Result<InboxOutcome> InboxCore::fail(const InboxTry& tried, const std::string& problem,
                                     bool for_good) {
    bool held = false;
    InboxState state = InboxState::waiting;
    const auto& claimed = tried.claimed;
    const auto done = transact([&](OutboxTransaction& transaction,
                                   InboxTransaction& inbox) -> Result<void> {
        held = false;
        auto events = inbox.load(std::span{&claimed.sequence, 1});
        if (!events) return events.error();
        if (events->empty()) return {};
        const auto changed = apply(transaction, inbox, events->front(), [&](InboxMachine& machine) {
            if (!tried.again_after) return machine.fail(claimed.fence, problem, for_good);
            return machine.let_go(claimed.fence, transaction.now() + *tried.again_after, problem);
        });
        if (!changed) return changed.error();
        held = *changed;
        state = events->front().state;
        return {};
    });
    if (!done) return done.error();
    if (!held) return InboxOutcome::lease_lost;
    return state == InboxState::dead ? InboxOutcome::dead : InboxOutcome::failed;
}

Result<InboxOutcome> InboxCore::settle(const InboxTry& tried) {
    std::optional<Error> refused;
    bool lost = false;
    Result<InboxOutcome> outcome = InboxOutcome::handled;
    auto reason = tried.failure.value_or(std::string{});
    const auto undo = [&] {
        for (const auto& each : tried.undo) each();
    };
    if (tried.failure) {
        undo();
        outcome = fail(tried, reason, tried.for_good);
    } else {
        const auto done = transact([&](OutboxTransaction& transaction, InboxTransaction& inbox) {
            refused.reset();
            return finish(transaction, inbox, tried, refused, lost);
        });
        if (refused) {
            reason = problem_of(*refused);
            undo();
            outcome = fail(tried, reason, false);
        } else if (!done) {
            return done.error();
        } else if (lost) {
            outcome = InboxOutcome::lease_lost;
        }
    }
    if (!outcome) return outcome;
    if (*outcome == InboxOutcome::handled && !tried.jobs.empty()) parts_.wake();
    if (*outcome == InboxOutcome::handled || *outcome == InboxOutcome::dead) backlog_.add(-1);
    tell(tried.claimed, *outcome, reason, tried.duration);
    return outcome;
}

Result<bool> InboxCore::let_go(const StoredEvent& claimed) const {
    return apply_to(claimed.sequence, [&](InboxMachine& machine) {
        return machine.let_go(claimed.fence, claimed.not_before, claimed.problem);
    });
}

Result<bool> InboxCore::maintain() const {
    bool more = false;
    const auto done =
        transact([&](OutboxTransaction& transaction, InboxTransaction& inbox) -> Result<void> {
            const auto now = transaction.now();
            const auto erased =
                inbox.redact(kept_since(now, options.payload_kept), removed_at_once);
            if (!erased) return erased.error();
            const auto gone = inbox.purge(kept_since(now, options.events_kept),
                                          kept_since(now, options.keys_kept), removed_at_once);
            if (!gone) return gone.error();
            const auto all = static_cast<std::int64_t>(removed_at_once);
            more = *erased == all || *gone == all;
            return transaction.set_fact(alive_fact, std::to_string(microseconds_of(now)));
        });
    if (!done) return done.error();
    return more;
}

Result<std::optional<TimePoint>> InboxCore::alive_until() const {
    std::optional<TimePoint> until;
    const auto done =
        transact([&](OutboxTransaction& transaction, InboxTransaction&) -> Result<void> {
            until.reset();
            const auto noted = transaction.fact(alive_fact);
            if (!noted) return noted.error();
            std::int64_t microseconds = 0;
            const auto read =
                std::from_chars(noted->data(), noted->data() + noted->size(), microseconds);
            if (noted->empty() || read.ec != std::errc{}) return {};
            until = TimePoint{std::chrono::microseconds{microseconds}} - alive_margin;
            return {};
        });
    if (!done) return done.error();
    return until;
}

void InboxCore::tell(const StoredEvent& event, InboxOutcome outcome, std::string_view reason,
                     std::chrono::microseconds duration) const {
    if (!options.observer) return;
    InboxResultEvent told;
    told.outcome = outcome;
    told.kind = event.kind;
    told.message_sid = event.message_sid;
    told.account_sid = event.account_sid;
    told.tries = event.tries;
    told.reason = reason;
    told.duration = duration;
    told.since_arrival = std::chrono::duration_cast<std::chrono::microseconds>(
        options.clock->now() - event.arrived_at);
    options.observer->on_inbox(told);
}

}  // namespace twiliowa::detail
