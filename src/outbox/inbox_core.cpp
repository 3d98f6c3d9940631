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
/// Accounts whose counts are remembered longer than they are of use.
constexpr std::size_t most_backlog_counts = 10'000;
/// How long an event waits that cannot be opened.
constexpr std::chrono::minutes unopened_wait{1};
/// Until when somebody was here, by the storage's time; a webhook may have been under way then.
constexpr std::string_view alive_fact = "inbox alive";
constexpr std::chrono::minutes alive_margin{1};
/// Bytes of a problem that are kept.
constexpr std::size_t longest_problem = 500;

constexpr std::string_view cannot_redirect =
    "its answer redirects to another URL, which an inbox cannot carry out: answer with messages";

constexpr std::string_view account_not_now =
    "its account cannot be had at present, as InboxOptions::account says";
constexpr std::string_view account_switched_off = "its account is switched off";
constexpr std::string_view account_unknown = "the program knows no such account";

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

// ---- InboxRoom, InboxHeld

bool InboxRoom::has(const StoredEvent& event) const noexcept {
    return all > 0 && (messages > 0 || !is_message(event));
}

void InboxRoom::use(const StoredEvent& event) noexcept {
    --all;
    if (is_message(event)) --messages;
}

void InboxHeld::add(const StoredEvent& event) noexcept {
    ++all;
    if (is_message(event)) ++messages;
}

InboxRoom InboxHeld::room_of(std::size_t workers) const noexcept {
    const auto for_messages = workers > 1 ? workers - 1 : workers;
    return {.messages = for_messages - std::min(messages, for_messages),
            .all = workers - std::min(all, workers)};
}

// ---- BacklogGauge

bool BacklogGauge::is_due(const Of& of, MonotonicTime now) const {
    const std::lock_guard lock(mutex_);
    const auto count = counts_.find(of);
    return count == counts_.end() || now - count->second.at >= backlog_recount;
}

void BacklogGauge::set(const Of& of, std::int64_t waiting, MonotonicTime now) {
    const std::lock_guard lock(mutex_);
    // What is old is counted anew anyhow.
    if (counts_.size() >= most_backlog_counts) {
        std::erase_if(counts_,
                      [&](const auto& each) { return now - each.second.at >= backlog_recount; });
    }
    counts_[of] = {now, waiting};
}

void BacklogGauge::add(const std::string& account_sid, std::int64_t events) {
    const std::lock_guard lock(mutex_);
    for (const auto& of : {Of{}, Of{account_sid}}) {
        const auto count = counts_.find(of);
        if (count != counts_.end()) count->second.waiting += events;
    }
}

std::int64_t BacklogGauge::waiting(const Of& of) const {
    const std::lock_guard lock(mutex_);
    const auto count = counts_.find(of);
    return count == counts_.end() ? 0 : count->second.waiting;
}

// ---- AccountCircle

Result<std::vector<std::string>> AccountCircle::next(InboxTransaction& inbox,
                                                     ReadyAccountsQuery query) {
    std::vector<std::string> found;
    const auto wanted = query.limit;
    while (!closed_ && found.size() < wanted) {
        query.after = after_;
        query.limit = wanted - found.size();
        const auto accounts = inbox.ready_accounts(query);
        if (!accounts) return accounts.error();
        for (const auto& account : *accounts) {
            closed_ = from_first_ && account > last_;
            if (closed_) break;
            found.push_back(account);
            after_ = account;
        }
        if (accounts->size() == query.limit) continue;
        if (from_first_) closed_ = true;
        from_first_ = true;
        after_.reset();
    }
    return found;
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
        const auto both = [&](OutboxTransaction& transaction) -> Result<void> {
            auto* const inbox = transaction.inbox();
            return inbox == nullptr ? keeps_no_events() : work(transaction, *inbox);
        };
        // What becomes of jobs in it is told by their outbox.
        return outbox_ == nullptr ? storage->transact(both) : parts_.core->transact(both);
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

InboxAccount InboxCore::account(std::string_view account_sid) const {
    if (!options.account || account_sid.empty()) return InboxAccount::here;
    try {
        return options.account(account_sid);
    } catch (...) {
        return InboxAccount::not_now;
    }
}

Result<InboxLook> InboxCore::look(const EventKey& key) const {
    if (account(key.account_sid) == InboxAccount::switched_off) {
        return InboxLook{.answer = InboxAnswer::switched_off};
    }
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
    const auto now = options.clock->monotonic_now();
    const bool is_off = account(encoded->account_sid) == InboxAccount::switched_off;
    std::vector<Bound> bounds;
    if (delivery.has_handler && !is_off) bounds = bounds_of(*encoded);
    auto taken = TakenIn::taken;
    std::optional<InboxAnswer> full;
    const auto take_event = [&](OutboxTransaction& transaction,
                                InboxTransaction& inbox) -> Result<void> {
        full.reset();
        if (is_off) {
            // Nothing is kept of it; what was cut anew is told, and teaches nothing.
            const auto would = inbox.look(encoded->key, delivery.key.signature);
            if (would) taken = *would;
            return would ? Result<void>{} : would.error();
        }
        for (auto& bound : bounds) {
            bound.counted.reset();
            if (backlog_.is_due(bound.of, now)) {
                if (auto counted = count(inbox, bound); !counted) return counted;
            }
            const auto waiting = bound.counted.value_or(backlog_.waiting(bound.of));
            if (!full && waiting >= bound.most) full = bound.full;
        }
        auto event = *encoded;
        const auto storage_now = transaction.now();
        // It is due at once, whatever the clock of who took it in says.
        event.not_before = std::min(event.not_before, storage_now);
        event.updated_at = storage_now;
        if (full) {
            const auto would = inbox.look(event.key, delivery.key.signature);
            if (!would) return would.error();
            taken = *would;
            if (taken == TakenIn::taken) return {};
            full.reset();
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
    for (const auto& bound : bounds) {
        if (bound.counted) backlog_.set(bound.of, *bound.counted, now);
    }
    if (!done) return done.error();
    if (callback != nullptr && taken != TakenIn::recut) parts_.wake();
    if (is_off && taken != TakenIn::recut) return InboxAnswer::switched_off;
    if (full) return *full;
    if (taken == TakenIn::taken && delivery.has_handler) {
        note_account(encoded->account_sid);
        backlog_.add(encoded->account_sid, 1);
    }
    return answer_of(taken);
}

std::vector<InboxCore::Bound> InboxCore::bounds_of(const StoredEvent& event) const {
    std::vector<Bound> bounds;
    if (options.max_waiting > 0) bounds.push_back({.most = options.max_waiting});
    if (options.max_waiting_per_account > 0) {
        bounds.push_back({.of = event.account_sid,
                          .most = options.max_waiting_per_account,
                          .full = InboxAnswer::account_full});
    }
    return bounds;
}

Result<void> InboxCore::count(InboxTransaction& inbox, Bound& bound) const {
    if (bound.of) {
        const auto waiting = inbox.waiting(*bound.of, bound.most);
        if (!waiting) return waiting.error();
        bound.counted = *waiting;
        return {};
    }
    const auto counts = inbox.counts();
    if (!counts) return counts.error();
    bound.counted = 0;
    for (const auto& [state, events] : *counts) {
        if (state == InboxState::waiting || state == InboxState::running) *bound.counted += events;
    }
    return {};
}

void InboxCore::note_account(const std::string& account_sid) {
    if (account_sid.empty()) return;
    const std::lock_guard lock(accounts_mutex_);
    if (first_account_.empty()) first_account_ = account_sid;
    several_accounts_ = several_accounts_ || account_sid != first_account_;
}

std::size_t InboxCore::workers_per_account() const {
    const auto workers = static_cast<std::size_t>(options.workers);
    if (options.workers_per_account > 0) {
        return std::min(workers, static_cast<std::size_t>(options.workers_per_account));
    }
    const std::lock_guard lock(accounts_mutex_);
    return several_accounts_ ? (workers + 1) / 2 : workers;
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

Result<InboxClaims> InboxCore::claim(const InboxRoom& room, const InboxHeldByAccount& held) {
    Dealing dealing;
    const auto waiting = waits_.waiting(options.clock->monotonic_now());
    const auto begin = [&] {
        dealing = {.room = room, .turns = turns_};
        for (const auto& each : waiting) dealing.rooms.emplace(each.first, InboxRoom{});
        for (const auto& [account, its] : held) {
            dealing.rooms.emplace(account, its.room_of(workers_per_account()));
        }
    };
    const auto done =
        transact([&](OutboxTransaction& transaction, InboxTransaction& inbox) -> Result<void> {
            begin();
            auto& found = dealing.found;
            auto abandoned = inbox.abandoned(transaction.lease_now(), abandoned_at_once);
            if (!abandoned) return abandoned.error();
            for (auto& event : *abandoned) {
                const auto changed = apply(transaction, inbox, event, [](InboxMachine& machine) {
                    return machine.lease_ended();
                });
                if (!changed) return changed.error();
                if (*changed) found.abandoned.push_back(std::move(event));
            }
            if (auto claimed = claim_ready(transaction, inbox, dealing); !claimed) return claimed;
            auto next = inbox.next_due();
            if (!next) return next.error();
            found.next_due = *next;
            if (!*next) return {};
            found.due_in = **next - transaction.now();
            if (dealing.room.all == 0 || found.due_in.count() > 0 || waiting.empty()) return {};
            // What is due may be theirs who wait.
            found.due_in =
                std::min_element(waiting.begin(), waiting.end(), [](const auto& a, const auto& b) {
                    return a.second < b.second;
                })->second;
            found.next_due = transaction.now() + found.due_in;
            return {};
        });
    if (!done) return done.error();
    turns_ = std::move(dealing.turns);
    for (const auto& event : dealing.found.abandoned) {
        const bool dead = event.state == InboxState::dead;
        if (dead) backlog_.add(event.account_sid, -1);
        tell(event, dead ? InboxOutcome::dead : InboxOutcome::failed, event.problem, {});
    }
    return std::move(dealing.found);
}

/// Accounts take turns, however many events each has: enough of them are looked at for all the room
/// there is, beside those that have their share in hand.
Result<void> InboxCore::claim_ready(OutboxTransaction& transaction, InboxTransaction& inbox,
                                    Dealing& dealing) {
    AccountCircle circle{dealing.turns.last_road().first};
    while (dealing.room.all > 0 && !circle.is_closed()) {
        const auto accounts =
            circle.next(inbox, {.now = transaction.now(),
                                .without_messages = dealing.room.messages == 0,
                                .limit = dealing.room.all + dealing.rooms.size()});
        if (!accounts) return accounts.error();
        for (const auto& account : *accounts) note_account(account);
        for (const auto& account : *accounts) {
            dealing.rooms.try_emplace(account, InboxHeld{}.room_of(workers_per_account()));
        }
        if (auto claimed = claim_of(transaction, inbox, dealing, *accounts); !claimed) {
            return claimed;
        }
    }
    return {};
}

Result<void> InboxCore::claim_of(OutboxTransaction& transaction, InboxTransaction& inbox,
                                 Dealing& dealing, const std::vector<std::string>& accounts) const {
    std::vector<ReadyGroup> able;
    able.reserve(accounts.size());
    for (const auto& account : accounts) able.push_back({.account = account});
    while (dealing.room.all > 0 && !able.empty()) {
        const auto turns = dealing.turns.deal(able, dealing.room.all, [&](const SendRoad& road) {
            return dealing.rooms.at(road.first).all;
        });
        std::vector<ReadyGroup> more;
        for (const auto& turn : turns) {
            const auto taken =
                claim_some(transaction, inbox, dealing, turn.group.account, turn.jobs);
            if (!taken) return taken.error();
            // One of which nothing moves would be asked for the same events for ever.
            if (*taken == turn.jobs) more.push_back(turn.group);
        }
        able = std::move(more);
    }
    return {};
}

Result<std::size_t> InboxCore::claim_some(OutboxTransaction& transaction, InboxTransaction& inbox,
                                          Dealing& dealing, const std::string& account_sid,
                                          std::size_t wanted) const {
    auto ready =
        inbox.ready({.account_sid = account_sid, .now = transaction.now(), .limit = wanted});
    if (!ready) return ready.error();
    auto& its_room = dealing.rooms.at(account_sid);
    std::size_t taken = 0;
    for (auto& event : *ready) {
        if (!dealing.room.has(event) || !its_room.has(event)) continue;
        const auto until = lease_until(transaction.lease_now(), options.lease);
        const auto changed = apply(transaction, inbox, event, [&](InboxMachine& machine) {
            return machine.claim(worker, until);
        });
        if (!changed) return changed.error();
        if (!*changed) continue;
        dealing.room.use(event);
        its_room.use(event);
        dealing.found.claimed.push_back(std::move(event));
        ++taken;
    }
    return taken;
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

bool InboxCore::may_begin(InboxTry& tried) {
    const auto& name = tried.claimed.account_sid;
    const auto now = options.clock->monotonic_now();
    // Somebody has asked meanwhile.
    if (const auto left = waits_.left(name, now)) {
        tried.failure = account_not_now;
        tried.again_after = *left;
        return false;
    }
    switch (account(name)) {
        case InboxAccount::here:
            waits_.is_here(name);
            return true;
        case InboxAccount::not_now:
            tried.failure = account_not_now;
            break;
        case InboxAccount::switched_off:
            tried.failure = account_switched_off;
            break;
        case InboxAccount::unknown:
            tried.failure = account_unknown;
            tried.for_good = true;
            return false;
    }
    tried.again_after = waits_.put_off(name, now);
    return false;
}

InboxTry InboxCore::try_event(InboxHandler& handler, StoredEvent claimed, const CancelToken& lost) {
    InboxTry tried;
    tried.claimed = std::move(claimed);
    if (!may_begin(tried)) return tried;
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
    if (*outcome == InboxOutcome::handled || *outcome == InboxOutcome::dead) {
        backlog_.add(tried.claimed.account_sid, -1);
    }
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

void InboxCore::tell_of_failure(const Error& error) const {
    if (options.observer) options.observer->on_queue_failed({.queue = "inbox", .error = error});
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
