#include "outbox/worker.hpp"

#include <algorithm>
#include <atomic>
#include <iterator>

#include "outbox/marker.hpp"
#include "outbox/witness.hpp"

namespace twiliowa::detail {
namespace {

/// What a lease has beyond the time of the send: for the commit before it and the one after it.
constexpr std::chrono::milliseconds lease_margin{30'000};
/// Less than that is left: the attempt is not begun.
constexpr std::chrono::milliseconds shortest_send{1'000};
/// Without a report for so long, a message is asked for.
constexpr std::chrono::hours fetched_after{24};
constexpr std::chrono::hours sms_fetched_after{36};
/// How long a job waits whose message cannot be opened.
constexpr std::chrono::minutes keys_wait{1};
constexpr std::size_t swept_at_once = 200;
constexpr std::size_t looks_at_once = 500;
constexpr std::size_t fetches_at_once = 20;
constexpr std::size_t most_slots = 64;
constexpr std::size_t crowd = 20;
/// Of the messages that may be a job's, so many are told to who decides.
constexpr std::size_t most_candidates = 20;

LeaseTime later(LeaseTime time, std::chrono::milliseconds by) {
    time.microseconds += std::chrono::microseconds{by}.count();
    return time;
}

std::chrono::milliseconds left_until(const LeaseTime& end, const LeaseTime& now) {
    if (end.ended(now)) return {};
    return std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::microseconds{end.microseconds - now.microseconds});
}

/// A sender of SMS; what a messaging service sends is not told by it.
bool sends_sms(const std::string& sender) {
    return !sender.empty() && !MessagingServiceSid::parse(sender) &&
           sender.find(':') == std::string::npos;
}

TimePoint next_day(TimePoint now) {
    return std::chrono::ceil<std::chrono::days>(now + std::chrono::seconds{1});
}

/// A message that goes by the limits of that sender.
OutboundMessage as_sender(const std::string& sender) {
    OutboundMessage message;
    if (MessagingServiceSid::parse(sender)) {
        message.messaging_service_sid = sender;
    } else {
        message.from = Address::from_wire(sender).text();
    }
    return message;
}

/// Where Twilio reports about a message: its own URL, the client's, the outbox's.
std::string callback_of(const OutboundMessage& message, const MessagesClient& client,
                        const OutboxOptions& options) {
    if (!message.status_callback.empty()) return message.status_callback;
    auto url = client.send_defaults().status_callback;
    return url.empty() ? std::string{options.status_callback} : url;
}

/// Whether Twilio has said anything.
bool was_answered(const SendAnswer& answer) {
    const auto* const unsent = std::get_if<NotSentProof>(&answer.what);
    return unsent == nullptr || unsent->http_status != 0;
}

}  // namespace

// ---- FinishedWork

void FinishedWork::add(Item item) {
    {
        const std::lock_guard lock(mutex_);
        items_.push_back(std::move(item));
    }
    const std::lock_guard lock(wake_mutex_);
    if (wake_) wake_();
}

void FinishedWork::close() noexcept {
    const std::lock_guard lock(wake_mutex_);
    wake_ = nullptr;
}

std::vector<FinishedWork::Item> FinishedWork::take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(items_, {});
}

void FinishedWork::put_back(std::vector<Item> items) {
    const std::lock_guard lock(mutex_);
    items.insert(items.end(), std::make_move_iterator(items_.begin()),
                 std::make_move_iterator(items_.end()));
    items_ = std::move(items);
}

// ---- OutboxWorker

/// What one step is about to do, as its transaction decided.
struct OutboxWorker::Plan {
    struct Launch {
        AttemptUnderWay attempt = {};
        OutboundMessage message = {};
        LeaseTime until = {};
        bool slot_held = false;
        std::size_t turn = 0;  ///< Within its group; what is urgent has the first.
    };
    struct Look {
        JobId job = {};
        std::string account = {};
        std::string sid = {};  ///< Known: it is fetched.
        ReconcileItem item = {};
        bool suspect = false;
        bool callbacks_tell = false;
    };

    TimePoint now = {};
    MonotonicTime monotonic = {};
    std::size_t free = 0;
    std::vector<Launch> launches = {};
    std::vector<Look> looks = {};
    std::set<std::string> accounts = {};  ///< That jobs name.
    bool lacks_account = false;           ///< One was not asked for in time.
    std::map<SendRoad, std::size_t> slots_used = {};
    std::map<ReadyGroup, std::size_t> turns = {};  ///< That were taken.
    Neighbourhoods neighbourhoods = {};
    std::map<std::string, std::size_t> looks_for = {};  ///< By customer.
    std::vector<std::shared_ptr<const Neighbourhood>> crowds = {};
    std::set<SendRoad> witnesses = {};  ///< To ask.
    Step step = {};
};

OutboxWorker::OutboxWorker(std::shared_ptr<const OutboxCore> core, std::string name,
                           std::function<void()> wake)
    : core_(std::move(core)),
      name_(std::move(name)),
      finished_(std::make_shared<FinishedWork>(std::move(wake))) {}

OutboxWorker::~OutboxWorker() {
    give_back_slots((MonotonicTime::max)());
    stop_.cancel();
    finished_->close();
}

void OutboxWorker::cancel() {
    stop_.cancel();
}

Result<OutboxWorker::Step> OutboxWorker::step(bool blocking, bool take_new) {
    return without_exceptions([&] { return take_step(blocking, take_new); });
}

Result<void> OutboxWorker::commit(Plan& plan, const std::vector<FinishedWork::Item>& finished,
                                  std::size_t ended, bool take_new) {
    const auto work = [&](OutboxTransaction& transaction) -> Result<void> {
        plan = Plan{};
        plan.now = transaction.now();
        plan.monotonic = core_->options.clock->monotonic_now();
        plan.free = static_cast<std::size_t>(core_->options.concurrency) - (under_way_ - ended);
        if (auto taken = take_in(transaction, plan, finished); !taken) return taken;
        plan.step.progress = !finished.empty();
        if (auto swept = sweep(transaction, plan); !swept) return swept;
        if (take_new) {
            if (auto adopted = adopt_strangers(transaction, plan); !adopted) return adopted;
            if (auto chosen = choose(transaction, plan); !chosen) return chosen;
            if (auto chosen = choose_looks(transaction, plan); !chosen) return chosen;
        }
        auto next = transaction.next_due();
        if (!next) return next.error();
        plan.step.next_due = *next;
        return {};
    };
    return without_exceptions([&] { return core_->storage->transact(work); });
}

Result<OutboxWorker::Step> OutboxWorker::take_step(bool blocking, bool take_new) {
    ask_for_accounts();
    auto finished = finished_->take();
    const auto ended = static_cast<std::size_t>(
        std::count_if(finished.begin(), finished.end(),
                      [](const auto& item) { return std::holds_alternative<FinishedSend>(item); }));
    // Before anything else goes: what an answer says of the others holds at once.
    try {
        for (auto& item : finished) {
            auto* const send = std::get_if<FinishedSend>(&item);
            if (send == nullptr || std::exchange(send->noted, true)) continue;
            note_answer(*send, core_->options.clock->monotonic_now());
        }
    } catch (...) {
        finished_->put_back(std::move(finished));
        throw;
    }
    Plan plan;
    const auto committed = commit(plan, finished, ended, take_new);
    if (!committed) {
        finished_->put_back(std::move(finished));
        give_back_slots(core_->options.clock->monotonic_now());
        return committed.error();
    }
    under_way_ -= ended;
    for (const auto& item : finished) {
        if (const auto* const look = std::get_if<FinishedLook>(&item)) looking_.erase(look->job);
        if (const auto* const witness = std::get_if<FinishedWitness>(&item)) {
            witnesses_[witness->road] = true;
        }
    }
    for (const auto& [road, used] : plan.slots_used) {
        auto& slots = traffic_[road].slots;
        slots.erase(slots.begin(),
                    slots.begin() + static_cast<std::ptrdiff_t>(std::min(used, slots.size())));
    }
    give_back_slots(plan.monotonic);
    for (const auto& each : traffic_) {
        const auto& traffic = each.second;
        const auto sooner = [](std::optional<MonotonicTime>& next, MonotonicTime at) {
            if (!next || at < *next) next = at;
        };
        if (!traffic.slots.empty()) sooner(plan.step.next_slot, traffic.slots.front());
        if (traffic.breaker.is_open()) {
            sooner(plan.step.next_probe, traffic.breaker.next_probe());
        }
    }
    for (const auto& [road, traffic] : traffic_) {
        if (!traffic.slots.empty()) plan.accounts.insert(road.first);
    }
    wanted_accounts_ = std::move(plan.accounts);
    if (plan.lacks_account) plan.step.progress = true;
    launch(plan, blocking);
    launch_looks(plan, blocking);
    launch_witnesses(plan, blocking);
    return plan.step;
}

void OutboxWorker::ask_for_accounts() {
    accounts_.clear();
    for (const auto& name : wanted_accounts_) {
        KnownAccount known{core_->account(name)};
        if (known.client() != nullptr) {
            known.sid = core_->account_sid(known.account);
            known.credentials = core_->credentials_mark(known.account);
            // Who cannot say who they are cannot send.
            if (known.sid.empty()) known.account = OutboxAccount::switched_off();
        }
        accounts_.emplace(name, std::move(known));
    }
}

// ---- What has ended

/// Answers first: they say more than looks, which compare what each job has.
Result<void> OutboxWorker::take_in(OutboxTransaction& transaction, Plan& plan,
                                   const std::vector<FinishedWork::Item>& finished) const {
    for (const auto& item : finished) {
        const auto* const send = std::get_if<FinishedSend>(&item);
        if (send == nullptr) continue;
        if (auto taken = take_in(transaction, *send); !taken) return taken;
    }
    for (const auto& item : finished) {
        const auto* const witness = std::get_if<FinishedWitness>(&item);
        if (witness == nullptr) continue;
        const auto later =
            tells_of_later_state(transaction, core_->codec, witness->newest,
                                 core_->options.send_timeout + std::chrono::minutes{1});
        if (!later) return later.error();
        if (!*later) continue;
        const auto marked = core_->suspect_since(
            transaction, TimePoint{},
            "Twilio lists what its storage does not know: it went back in time",
            [&](const std::string& account) { return account == witness->road.first; });
        if (!marked) return marked.error();
    }
    for (const auto& item : finished) {
        const auto* const look = std::get_if<FinishedLook>(&item);
        if (look == nullptr) continue;
        if (auto taken = take_in(transaction, plan, *look); !taken) return taken;
    }
    return {};
}

Result<void> OutboxWorker::take_in(OutboxTransaction& transaction,
                                   const FinishedSend& finished) const {
    const auto& attempt = finished.attempt;
    auto jobs = transaction.load(std::span{&attempt.job, 1});
    if (!jobs) return jobs.error();
    if (jobs->empty()) return {};
    auto& job = jobs->front();
    Result<bool> taken = false;
    if (const auto* const sent = std::get_if<SentProof>(&finished.answer.what)) {
        taken = core_->take_proof(transaction, job, attempt.nonce, *sent);
    } else if (const auto* const unsent = std::get_if<NotSentProof>(&finished.answer.what)) {
        taken = core_->apply(transaction, job, [&](JobMachine& machine) {
            return machine.not_sent(attempt.nonce, *unsent);
        });
    } else {
        const auto& unknown = std::get<UnknownAnswer>(finished.answer.what);
        taken = core_->apply(transaction, job, [&](JobMachine& machine) {
            return machine.outcome_unknown(attempt.number, unknown.http_status, unknown.error_code,
                                           unknown.problem);
        });
    }
    if (!taken) return taken.error();
    if (finished.answer.scope != AnswerScope::account) return {};
    return pause_refused(transaction, finished);
}

Result<void> OutboxWorker::pause_refused(OutboxTransaction& transaction,
                                         const FinishedSend& finished) const {
    const auto& attempt = finished.attempt;
    const auto& why = std::get<NotSentProof>(finished.answer.what);
    const Pause pause{Pause::Of::account, attempt.account,
                      "Twilio refused the account: give other credentials, or put it right and "
                      "resume (" +
                          std::to_string(why.error_code) + ")",
                      transaction.now()};
    const auto fact = core_->refused_fact(attempt.account);
    const auto refused = transaction.fact(fact);
    if (!refused) return refused.error();
    const auto known = transaction.pauses();
    if (!known) return known.error();
    const bool paused = std::any_of(known->begin(), known->end(),
                                    [&](const Pause& each) { return each.same_place(pause); });
    // What a person has paused only a person resumes.
    if (paused && refused->empty()) return {};
    if (auto noted = transaction.set_fact(fact, attempt.credentials); !noted) return noted;
    return transaction.pause(pause);
}

Result<void> OutboxWorker::take_in(OutboxTransaction& transaction, Plan& plan,
                                   const FinishedLook& finished) const {
    auto jobs = transaction.load(std::span{&finished.job, 1});
    if (!jobs) return jobs.error();
    if (jobs->empty()) return {};
    auto& job = jobs->front();
    if (finished.fetched) {
        const auto& message = *finished.fetched;
        if (!message.price.empty() && job.sid == message.sid.str()) {
            job.price = message.price;
            job.price_unit = message.price_unit;
        }
        // Whatever it says, it was asked now.
        const auto told = core_->apply(transaction, job, [&](JobMachine& machine) {
            machine.status_changed(message.sid.str(), message.status.str(),
                                   message.error_code.value_or(0));
            job.updated_at = transaction.now();
            return true;
        });
        return told ? Result<void>{} : told.error();
    }
    const auto weighed = weigh(transaction, plan, job, finished.result);
    if (!weighed) return weighed.error();
    const auto looked = core_->apply(transaction, job,
                                     [&](JobMachine& machine) { return machine.looked(*weighed); });
    if (!looked) return looked.error();
    plan.neighbourhoods.changed(job, core_->codec);
    return {};
}

/// What a look proves: only a message that is no other job's, of a text that no other job may have
/// sent.
Result<LookResult> OutboxWorker::weigh(OutboxTransaction& transaction, Plan& plan,
                                       const StoredJob& job, const LookResult& seen) const {
    if (seen.kind != LookResult::Kind::found && seen.kind != LookResult::Kind::several) return seen;
    const auto around = plan.neighbourhoods.around(transaction, job, core_->codec);
    if (!around) return around.error();
    const auto twins = (*around)->twins_of(job, core_->codec);
    // Twins of senders that nobody else uses are interchangeable: each takes one.
    const bool any_will_do = core_->options.exclusive_senders && !twins.look_alike;
    // Of one SID there are several only if it may be that of several jobs.
    const bool contested = seen.kind == LookResult::Kind::several && seen.sids.size() == 1;
    auto result = seen;
    result.sids.clear();
    for (const auto& sid : seen.sids) {
        if ((*around)->is_others(sid, job.id)) continue;
        const auto owner = transaction.find_sid(sid);
        if (!owner) return owner.error();
        if (*owner && **owner != job.id) continue;
        const auto stranger = core_->is_stranger(transaction, job, sid);
        if (!stranger) return stranger.error();
        if (*stranger) continue;
        result.sids.push_back(sid);
        if (any_will_do || result.sids.size() == most_candidates) break;
    }
    if (result.sids.empty()) {
        result.kind = LookResult::Kind::nothing;
        return result;
    }
    const bool one = any_will_do || (!twins.twin && result.sids.size() == 1 && !contested);
    result.kind = one ? LookResult::Kind::found : LookResult::Kind::several;
    return result;
}

void OutboxWorker::note_answer(const FinishedSend& finished, MonotonicTime now) {
    const auto& attempt = finished.attempt;
    auto& traffic = traffic_[{attempt.account, attempt.sender}];
    auto& pace = pace_of(attempt.account);
    if (finished.answer.scope == AnswerScope::pace) {
        pace.refused();
    } else {
        pace.answered();
    }
    switch (finished.answer.scope) {
        case AnswerScope::sender:
            traffic.breaker.failed(now);
            break;
        case AnswerScope::day:
            blocked_until_[attempt.account] = next_day(core_->options.clock->now());
            [[fallthrough]];
        default:
            if (was_answered(finished.answer)) {
                traffic.breaker.answered();
            } else {
                traffic.breaker.unanswered();
            }
    }
    if (!finished.slot_unused) return;
    if (const auto account = accounts_.find(attempt.account);
        account != accounts_.end() && account->second.client() != nullptr) {
        account->second.client()->give_slot_back(as_sender(attempt.sender));
    }
}

// ---- What time has ended

Result<void> OutboxWorker::sweep(OutboxTransaction& transaction, Plan& plan) const {
    auto vanished = transaction.due(Due::lease, (TimePoint::max)(), swept_at_once);
    if (!vanished) return vanished.error();
    for (auto& job : *vanished) {
        const auto done = core_->apply(transaction, job,
                                       [](JobMachine& machine) { return machine.lease_ended(); });
        if (!done) return done.error();
        if (*done) plan.step.progress = true;
    }
    auto expired = transaction.due(Due::expiry, plan.now, swept_at_once);
    if (!expired) return expired.error();
    for (auto& job : *expired) {
        const auto done =
            core_->apply(transaction, job, [](JobMachine& machine) { return machine.tick(); });
        if (!done) return done.error();
        if (*done) plan.step.progress = true;
    }
    return {};
}

// ---- What other programs have put in

Result<void> OutboxWorker::adopt_strangers(OutboxTransaction& transaction, Plan& plan) const {
    auto rows = transaction.strangers(swept_at_once);
    if (!rows) return rows.error();
    for (auto& row : *rows) {
        plan.accounts.insert(row.account);
        const auto account = accounts_.find(row.account);
        if (account == accounts_.end()) {
            plan.lacks_account = true;
            continue;
        }
        // Who sends for that account knows what it sends as.
        if (account->second.account.is_switched_off()) continue;
        JobDefaults defaults;
        if (const auto* const client = account->second.client()) {
            const auto own = client->send_defaults();
            defaults = {Address::from_wire(own.from).text(), own.messaging_service_sid};
        }
        const auto adopted = adopt(transaction, row, defaults);
        if (!adopted) return adopted.error();
        if (*adopted) plan.step.progress = true;
    }
    return {};
}

Result<bool> OutboxWorker::adopt(OutboxTransaction& transaction, StoredJob& row,
                                 const JobDefaults& defaults) const {
    auto whole = core_->codec.complete(row, defaults);
    std::string problem;
    if (!whole) {
        // Without its key it waits for who has it.
        if (whole.error().kind() != ErrorKind::invalid_request) return false;
        problem = whole.error().what();
    } else if (whole->key != row.key) {
        // Sealed, it may turn out to be one that is there already.
        const auto holder = transaction.find_key(row.tenant, whole->key);
        if (!holder) return holder.error();
        if (*holder) problem = "its key was used before";
    }
    if (problem.empty()) {
        const auto written = transaction.rewrite(*whole);
        return written ? Result<bool>{true} : written.error();
    }
    row.content_hash = "refused";
    // In the clear it may not stay where everything else is sealed.
    if (core_->options.sealer) row.payload.clear();
    if (const auto written = transaction.rewrite(row); !written) return written.error();
    return core_->apply(transaction, row, [&](JobMachine& machine) {
        return machine.refuse(row.fence, DeadReason::refused, 0, problem);
    });
}

// ---- What goes next

SendPace& OutboxWorker::pace_of(const std::string& account) {
    return paces_
        .try_emplace(account, SendPace{static_cast<std::size_t>(core_->options.concurrency)})
        .first->second;
}

/// How many more of an account may go, beside those of the plan.
std::size_t OutboxWorker::room_of(const Plan& plan, const std::string& account) {
    const auto planned = static_cast<std::size_t>(
        std::count_if(plan.launches.begin(), plan.launches.end(),
                      [&](const auto& each) { return each.attempt.account == account; }));
    const auto room = pace_of(account).room();
    return room - std::min(room, planned);
}

std::size_t OutboxWorker::allowed(const SendRoad& road, std::size_t wanted, MonotonicTime now) {
    const auto& client = *accounts_.at(road.first).client();
    auto& traffic = traffic_[road];
    wanted = std::min({wanted, traffic.breaker.allowed(now), most_slots});
    auto& slots = traffic.slots;
    traffic.limited = true;
    while (slots.size() < wanted && (slots.empty() || slots.back() <= now)) {
        const auto slot = client.take_slot(as_sender(road.second));
        if (!slot) {
            traffic.limited = false;
            return wanted;
        }
        if (*slot == (MonotonicTime::max)()) {
            // Never, as things are: it is asked again.
            client.give_slot_back(as_sender(road.second));
            break;
        }
        slots.push_back(*slot);
    }
    const auto ripe =
        std::count_if(slots.begin(), slots.end(), [&](MonotonicTime slot) { return slot <= now; });
    return std::min(wanted, static_cast<std::size_t>(ripe));
}

void OutboxWorker::give_back_slots(MonotonicTime now) {
    for (auto& [road, traffic] : traffic_) {
        while (!traffic.slots.empty() && traffic.slots.front() <= now) {
            if (const auto account = accounts_.find(road.first);
                account != accounts_.end() && account->second.client() != nullptr) {
                account->second.client()->give_slot_back(as_sender(road.second));
            }
            traffic.slots.erase(traffic.slots.begin());
        }
    }
}

Result<std::vector<Pause>> OutboxWorker::pauses(OutboxTransaction& transaction, Plan& plan) const {
    auto all = transaction.pauses();
    if (!all) return all.error();
    std::vector<Pause> holding;
    for (auto& pause : *all) {
        bool over = false;
        if (pause.of == Pause::Of::account) {
            const auto fact = core_->refused_fact(pause.name);
            const auto refused = transaction.fact(fact);
            if (!refused) return refused.error();
            if (!refused->empty()) {
                plan.accounts.insert(pause.name);
                const auto account = accounts_.find(pause.name);
                if (account == accounts_.end()) {
                    plan.lacks_account = true;
                } else {
                    const auto& credentials = account->second.credentials;
                    over = !credentials.empty() && credentials != *refused;
                }
            }
            if (over) {
                if (auto done = transaction.set_fact(fact, ""); !done) return done.error();
                if (auto done = transaction.resume(pause.of, pause.name); !done) {
                    return done.error();
                }
            }
        }
        if (!over) holding.push_back(std::move(pause));
    }
    return holding;
}

Result<void> OutboxWorker::choose(OutboxTransaction& transaction, Plan& plan) {
    const auto held_back = pauses(transaction, plan);
    if (!held_back) return held_back.error();
    const auto waiting = transaction.ready_groups();
    if (!waiting) return waiting.error();
    std::vector<ReadyGroup> able;
    for (const auto& group : *waiting) {
        plan.accounts.insert(group.account);
        if (std::any_of(held_back->begin(), held_back->end(),
                        [&](const Pause& pause) { return pause.holds_back(group); })) {
            continue;
        }
        const auto blocked = blocked_until_.find(group.account);
        if (blocked != blocked_until_.end() && plan.now < blocked->second) continue;
        const auto account = accounts_.find(group.account);
        if (account == accounts_.end()) {
            plan.lacks_account = true;
            continue;
        }
        if (account->second.account.is_switched_off()) continue;
        if (!is_witnessed(plan, {group.account, group.sender})) continue;
        able.push_back(group);
    }
    while (plan.launches.size() < plan.free && !able.empty()) {
        const auto turns =
            scheduler_.deal(able, plan.free - plan.launches.size(), [&](const SendRoad& road) {
                if (accounts_.at(road.first).client() == nullptr) return most_slots;
                const auto used = plan.slots_used.find(road);
                const auto gone = used == plan.slots_used.end() ? 0 : used->second;
                const auto able_to = allowed(road, gone + plan.free, plan.monotonic);
                return std::min(able_to - std::min(able_to, gone), room_of(plan, road.first));
            });
        std::vector<ReadyGroup> more;
        for (const auto& turn : turns) {
            // Several senders may be of one account.
            const auto wanted = std::min(turn.jobs, room_of(plan, turn.group.account));
            if (wanted == 0) continue;
            auto jobs = transaction.ready(
                {turn.group, plan.now, plan.now - ReadyQuery::order_wait, wanted});
            if (!jobs) return jobs.error();
            bool moved = false;
            for (auto& job : *jobs) {
                const auto gone = send_off(transaction, plan, job);
                if (!gone) return gone.error();
                moved = moved || *gone;
            }
            // A group of which nothing moves would be asked for the same jobs for ever.
            if (moved && jobs->size() == wanted) more.push_back(turn.group);
            plan.step.progress = plan.step.progress || moved;
        }
        able = std::move(more);
    }
    // One of each group after the other, as they were dealt: who has few waits for few.
    std::stable_sort(plan.launches.begin(), plan.launches.end(),
                     [](const auto& a, const auto& b) { return a.turn < b.turn; });
    return {};
}

Result<bool> OutboxWorker::send_off(OutboxTransaction& transaction, Plan& plan, StoredJob& job) {
    const auto& account = accounts_.at(job.account);
    const auto refuse = [&](auto event) { return core_->apply(transaction, job, event); };
    if (account.client() == nullptr) {
        return refuse([&](JobMachine& machine) {
            return machine.hold(job.fence, "the program knows no such account");
        });
    }
    const auto& client = *account.client();
    if (client.send_defaults().may_duplicate) {
        return refuse([&](JobMachine& machine) {
            return machine.hold(job.fence,
                                "its account's client has RetryPolicy::retry_may_duplicate");
        });
    }
    auto message = core_->codec.message_of(job);
    if (!message) {
        const auto& error = message.error();
        return refuse([&](JobMachine& machine) {
            // Keys may come, and another worker may have them.
            if (error.kind() != ErrorKind::invalid_request) {
                return machine.postpone(job.fence, plan.now + keys_wait, error.what());
            }
            if (error.field() == "sealed") return machine.hold(job.fence, error.what());
            return machine.refuse(job.fence, DeadReason::refused, error.code(), error.what());
        });
    }
    Plan::Launch launch;
    launch.attempt.nonce = core_->new_nonce();
    const auto url = callback_of(*message, client, core_->options);
    launch.until = later(transaction.lease_now(), core_->options.send_timeout + lease_margin);
    const auto went = core_->apply(transaction, job, [&](JobMachine& machine) {
        const auto* const attempt = machine.go(job.fence, name_, launch.until, launch.attempt.nonce,
                                               account.sid, !url.empty());
        if (attempt != nullptr) launch.attempt.number = attempt->number;
        return attempt != nullptr;
    });
    if (!went) return went.error();
    // It may have expired before the sweep came to it.
    if (!*went) return refuse([](JobMachine& machine) { return machine.tick(); });
    launch.attempt.job = job.id;
    launch.attempt.account = job.account;
    launch.attempt.credentials = account.credentials;
    launch.attempt.sender = job.sender;
    if (!url.empty()) {
        message->status_callback =
            with_marker(url, {core_->storage->outbox_id(), job.id, launch.attempt.nonce});
    }
    if (job.expires_at && !message->validity_period) {
        const auto left =
            std::chrono::duration_cast<std::chrono::seconds>(*job.expires_at - plan.now).count();
        message->validity_period = static_cast<int>(std::clamp<std::int64_t>(left, 1, 36'000));
    }
    launch.message = std::move(*message);
    if (job.lane != Lane::urgent) {
        launch.turn = ++plan.turns[{job.sender, job.lane, job.tenant, job.account}];
    }
    const SendRoad road{job.account, job.sender};
    launch.slot_held = traffic_[road].limited;
    ++plan.slots_used[road];
    plan.launches.push_back(std::move(launch));
    return true;
}

void OutboxWorker::launch(Plan& plan, bool blocking) {
    for (auto& each : plan.launches) {
        const auto token = stop_.token();
        const auto end = [finished = finished_, attempt = each.attempt,
                          ended = std::make_shared<std::atomic<bool>>(false)](SendAnswer answer,
                                                                              bool slot_unused) {
            if (!ended->exchange(true)) {
                finished->add(FinishedSend{attempt, std::move(answer), slot_unused});
            }
        };
        const auto done = [end, held = each.slot_held, token](const Result<Message>& answer) {
            const bool refused = !answer && answer.error().kind() == ErrorKind::invalid_request;
            end(read_send_answer(answer, token.is_cancelled()), held && refused);
        };
        ++under_way_;
        ++plan.step.sent;
        traffic_[{each.attempt.account, each.attempt.sender}].breaker.went();
        pace_of(each.attempt.account).went();
        const auto& client = *accounts_.at(each.attempt.account).client();
        // Since the commit the machine may have slept: then nobody may send any more.
        const auto left = left_until(each.until, core_->storage->lease_now()) - lease_margin;
        if (left < shortest_send || token.is_cancelled()) {
            NotSentProof unbegun;
            unbegun.may_retry = true;
            unbegun.counts = false;
            unbegun.problem = "the time of the attempt was over before it began";
            end({std::move(unbegun)}, each.slot_held);
            continue;
        }
        const CallOptions call{.timeout = std::min(left, core_->options.send_timeout),
                               .cancel = token,
                               .slot_held = each.slot_held};
        try {
            if (blocking) {
                done(client.try_send(each.message, call));
            } else {
                client.async_send(each.message, done, call);
            }
        } catch (...) {
            end({UnknownAnswer{0, 0, "the send threw an exception"}, AnswerScope::sender}, false);
        }
    }
}

// ---- Looking

bool OutboxWorker::is_witnessed(Plan& plan, const SendRoad& road) const {
    // What others send as well says nothing of this storage; a service's senders are not known.
    if (!core_->options.exclusive_senders || MessagingServiceSid::parse(road.second) ||
        accounts_.at(road.first).client() == nullptr) {
        return true;
    }
    const auto asked = witnesses_.find(road);
    if (asked != witnesses_.end()) return asked->second;
    plan.witnesses.insert(road);
    return false;
}

void OutboxWorker::launch_witnesses(Plan& plan, bool blocking) {
    for (const auto& road : plan.witnesses) {
        plan.step.progress = true;
        witnesses_[road] = false;
        const auto& client = *accounts_.at(road.first).client();
        const auto done = [finished = finished_, road](const Result<Page<Message>>& page) {
            finished->add(FinishedWitness{road, page ? page->items : std::vector<Message>{}});
        };
        const MessageFilter newest{.from = as_sender(road.second).from};
        const CallOptions call{.timeout = core_->options.send_timeout, .cancel = stop_.token()};
        try {
            if (blocking) {
                done(client.try_list_page(newest, call));
            } else {
                client.async_list_page(newest, done, call);
            }
        } catch (...) {
            witnesses_.erase(road);
            throw;
        }
    }
}

Result<void> OutboxWorker::choose_looks(OutboxTransaction& transaction, Plan& plan) const {
    const auto choose = [&](StoredJob& job) -> Result<void> {
        if (looking_.contains(job.id)) return {};
        plan.accounts.insert(job.account);
        const auto account = accounts_.find(job.account);
        if (account == accounts_.end()) {
            plan.lacks_account = true;
            return {};
        }
        Plan::Look look;
        look.job = job.id;
        look.account = job.account;
        look.sid = job.sid;
        auto message = core_->codec.message_of(job);
        if (account->second.client() == nullptr && !look.sid.empty()) {
            // Asked again a day later, so that it keeps nobody else back.
            const auto put_off = core_->apply(transaction, job, [&](JobMachine&) {
                job.updated_at = plan.now;
                return true;
            });
            return put_off ? Result<void>{} : put_off.error();
        }
        if (account->second.client() == nullptr || (look.sid.empty() && !message)) {
            const auto done = core_->apply(transaction, job, [](JobMachine& machine) {
                return machine.looked({.kind = LookResult::Kind::failed});
            });
            return done ? Result<void>{} : done.error();
        }
        if (look.sid.empty()) {
            // So many of one customer would each be shown what all the others have.
            if (++plan.looks_for[job.customer] == crowd) {
                const auto around = plan.neighbourhoods.around(transaction, job, core_->codec);
                if (!around) return around.error();
                plan.crowds.push_back(*around);
            }
            look.callbacks_tell =
                !callback_of(*message, *account->second.client(), core_->options).empty();
            look.suspect = job.suspect_since.has_value();
            look.item.attempted_at = look.suspect || job.attempts.empty()
                                         ? job.created_at
                                         : job.attempts.back().started_at;
            for (const auto& attempt : job.attempts) {
                if (attempt.state != AttemptState::open || look.suspect) continue;
                look.item.first_attempted_at = attempt.started_at;
                break;
            }
            look.item.message = std::move(*message);
        }
        plan.looks.push_back(std::move(look));
        return {};
    };
    auto due = transaction.due(Due::look, plan.now, looks_at_once);
    if (!due) return due.error();
    auto silent = transaction.due(Due::fetch, plan.now - fetched_after, looks_at_once);
    if (!silent) return silent.error();
    std::erase_if(*silent, [&](const StoredJob& job) {
        return sends_sms(job.sender) && job.updated_at > plan.now - sms_fetched_after;
    });
    if (silent->size() > fetches_at_once) silent->resize(fetches_at_once);
    for (auto* const jobs : {&*due, &*silent}) {
        for (auto& job : *jobs) {
            if (auto chosen = choose(job); !chosen) return chosen;
        }
    }
    return {};
}

void OutboxWorker::launch_looks(Plan& plan, bool blocking) {
    try {
        start_looks(plan, blocking);
    } catch (...) {
        // They are due again at once; one that is under way then ends twice, which does no harm.
        for (const auto& look : plan.looks) looking_.erase(look.job);
        throw;
    }
}

void OutboxWorker::start_looks(Plan& plan, bool blocking) {
    /// Looks of one account, over one stretch of time.
    struct Batch {
        std::vector<Plan::Look> looks = {};
        std::vector<ReconcileItem> items = {};
        TimePoint earliest = (TimePoint::max)();
    };
    std::map<std::pair<std::string, bool>, Batch> batches;
    const CallOptions call{.timeout = core_->options.send_timeout, .cancel = stop_.token()};
    for (auto& look : plan.looks) {
        looking_.insert(look.job);
        ++plan.step.looks;
        plan.step.progress = true;
        const auto& client = *accounts_.at(look.account).client();
        if (!look.sid.empty()) {
            const auto done = [finished = finished_,
                               job = look.job](const Result<Message>& fetched) {
                // A message that cannot be fetched has told nothing.
                finished->add(FinishedLook{job, {}, fetched ? *fetched : Message{}});
            };
            const auto sid = MessageSid::from_wire(look.sid);
            if (blocking) {
                done(client.try_fetch(sid, call));
            } else {
                client.async_fetch(sid, done, call);
            }
            continue;
        }
        auto& batch = batches[{look.account, look.suspect}];
        batch.earliest = std::min(batch.earliest, look.item.attempted_at);
        batch.items.push_back(std::move(look.item));
        batch.looks.push_back(std::move(look));
    }
    std::vector<MessageSid> known;
    for (const auto& around : plan.crowds) around->collect_sids(known);
    for (auto& [key, batch] : batches) {
        const auto& client = *accounts_.at(key.first).client();
        ReconcileOptions where;
        where.known = known;
        where.window = core_->options.send_timeout + std::chrono::minutes{1};
        if (key.second) {
            where.window =
                std::chrono::duration_cast<std::chrono::milliseconds>(plan.now - batch.earliest) +
                std::chrono::minutes{1};
        }
        const auto done = [finished = finished_,
                           looks = std::move(batch.looks)](const Result<Reconciliations>& answer) {
            // So many that there is one for each, whoever else takes one meanwhile.
            const auto enough = looks.size() + most_candidates;
            for (std::size_t i = 0; i < looks.size(); ++i) {
                FinishedLook ended{looks[i].job, {}, {}};
                ended.result.callbacks_tell = looks[i].callbacks_tell;
                if (!answer || !(*answer)[i]) {
                    ended.result.kind = LookResult::Kind::failed;
                } else {
                    const auto& found = *(*answer)[i];
                    for (const auto& sid : found.sids) {
                        if (ended.result.sids.size() == enough) break;
                        ended.result.sids.push_back(sid.str());
                    }
                    using Outcome = Reconciliation::Outcome;
                    if (found.outcome == Outcome::found) {
                        ended.result.kind = LookResult::Kind::found;
                    } else if (found.outcome == Outcome::several) {
                        ended.result.kind = LookResult::Kind::several;
                    }
                }
                finished->add(std::move(ended));
            }
        };
        if (blocking) {
            done(client.try_reconcile_all(batch.items, where, call));
        } else {
            client.async_reconcile_all(batch.items, done, where, call);
        }
    }
}

}  // namespace twiliowa::detail
