#include "outbox/worker.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "outbox/chain_steps.hpp"
#include "outbox/witness.hpp"
#include "outbox/worker_plan.hpp"

namespace twiliowa::detail {
namespace {

constexpr std::size_t swept_at_once = 200;

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

OutboxWorker::OutboxWorker(std::shared_ptr<const OutboxCore> core, std::string name,
                           std::function<void()> wake)
    : core_(std::move(core)),
      name_(std::move(name)),
      finished_(std::make_shared<FinishedWork>(std::move(wake))),
      quotas_(*core_) {}

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
        plan.quota_turns = quota_turns_;
        plan.monotonic = core_->options.clock->monotonic_now();
        plan.free = static_cast<std::size_t>(core_->options.concurrency) - (under_way_ - ended);
        if (auto taken = take_in(transaction, plan, finished); !taken) return taken;
        plan.step.progress = !finished.empty();
        plan.looks_around = finished.empty() || is_due_to_look_around(plan.now);
        if (plan.looks_around) {
            if (auto swept = sweep(transaction, plan); !swept) return swept;
            if (take_new) {
                if (auto adopted = adopt_strangers(transaction, plan); !adopted) return adopted;
            }
        }
        if (take_new) {
            if (auto chosen = choose(transaction, plan); !chosen) return chosen;
            if (plan.looks_around) {
                if (auto chosen = choose_looks(transaction, plan); !chosen) return chosen;
            }
        }
        if (auto concluded = conclude_campaigns(transaction, plan); !concluded) return concluded;
        // Who has done something asks again before it waits.
        if (plan.step.progress) return {};
        auto next = transaction.next_due();
        if (!next) return next.error();
        plan.step.next_due = *next;
        if (plan.campaign_due && (!*next || *plan.campaign_due < **next)) {
            plan.step.next_due = plan.campaign_due;
        }
        return {};
    };
    OutboxNews::Endings endings;
    auto done = without_exceptions([&] { return core_->transact(work, endings); });
    if (!done) return done;
    for (const auto& each : plan.concluded) endings_.erase(each.first);
    for (const auto& [campaign, runs_anew] : endings) {
        endings_[campaign] = endings_[campaign] || runs_anew;
    }
    return done;
}

/// Where one answer follows the other there is more to do than to ask each time what else may be:
/// each question is a round trip to a database.
bool OutboxWorker::is_due_to_look_around(TimePoint now) const {
    constexpr std::chrono::milliseconds longest{100};
    return !looked_around_ || now < *looked_around_ || now >= *looked_around_ + longest;
}

Result<OutboxWorker::Step> OutboxWorker::take_step(bool blocking, bool take_new) {
    if (storage_may_differ_) {
        // It may be another one since: a standby that took over lacks what was written last.
        if (auto checked = core_->check_identity(last_commit_); !checked) return checked.error();
        storage_may_differ_ = false;
    }
    ask_for_accounts();
    quotas_.prepare(wanted_quotas_, wanted_permits_, core_->options.clock->monotonic_now());
    judge_candidates();
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
        storage_may_differ_ = true;
        finished_->put_back(std::move(finished));
        give_back_slots(core_->options.clock->monotonic_now());
        quotas_.give_back_but({});
        return committed.error();
    }
    if (!plan.step.progress && core_->is_another_storage()) {
        // Who has nothing to send is not told by an error. What comes next is not suspect.
        storage_may_differ_ = true;
        plan.step.progress = true;
    } else {
        last_commit_ = plan.now;
    }
    if (plan.looks_around) looked_around_ = plan.now;
    under_way_ -= ended;
    for (const auto& item : finished) {
        if (const auto* const look = std::get_if<FinishedLook>(&item)) looking_.erase(look->job);
        if (const auto* const witness = std::get_if<FinishedWitness>(&item)) {
            witnesses_[witness->road] = true;
        }
        if (const auto* const read = std::get_if<FinishedPage>(&item)) {
            auto& walk = walks_[read->day];
            walk = {.before = {.next = read->page.next}};
            if (walk.before.next.empty()) walk.ended = plan.monotonic;
        }
    }
    for (const auto& [road, used] : plan.slots_used) {
        auto& slots = traffic_[road].slots;
        slots.erase(slots.begin(),
                    slots.begin() + static_cast<std::ptrdiff_t>(std::min(used, slots.size())));
    }
    // What ripened since is for what waits: it is asked for in the next step.
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
    conclude_quotas(plan, finished);
    candidates_ = std::move(plan.candidates);
    campaigns_ = std::move(plan.campaigns);
    campaign_waiting_ = std::move(plan.campaign_waiting);
    for (const auto& each : plan.campaign_currencies) noted_currencies_.insert(each.first);
    if (plan.lacks_account) plan.step.progress = true;
    launch(plan, blocking);
    launch_looks(plan, blocking);
    launch_witnesses(plan, blocking);
    // Who takes nothing new leaves the next page to who goes on.
    if (take_new) launch_walks(plan, blocking);
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
    std::vector<JobId> ended;
    std::vector<std::string> sids;
    for (const auto& item : finished) {
        if (const auto* const send = std::get_if<FinishedSend>(&item)) {
            ended.push_back(send->attempt.job->id);
            const auto* const sent = std::get_if<SentProof>(&send->answer.what);
            if (sent != nullptr) sids.push_back(sent->sid);
        } else if (const auto* const look = std::get_if<FinishedLook>(&item)) {
            ended.push_back(look->job);
        }
    }
    if (auto read = transaction.foresee(ended, sids); !read) return read;
    if (auto taken = take_sends(transaction, finished); !taken) return taken;
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
    for (const auto& item : finished) {
        const auto* const read = std::get_if<FinishedPage>(&item);
        if (read == nullptr) continue;
        if (auto taken = take_in(transaction, *read); !taken) return taken;
    }
    return {};
}

Result<void> OutboxWorker::take_sends(OutboxTransaction& transaction,
                                      const std::vector<FinishedWork::Item>& finished) const {
    std::vector<StoredJob> went;
    for (const auto& item : finished) {
        if (const auto* const send = std::get_if<FinishedSend>(&item)) {
            went.push_back(*send->attempt.job);
        }
    }
    auto read = transaction.reload(went);
    if (!read) return read.error();
    std::map<JobId, StoredJob> jobs;
    std::set<JobId> stale;
    for (auto& job : *read) jobs.emplace(job.id, std::move(job));
    for (const auto& item : finished) {
        const auto* const send = std::get_if<FinishedSend>(&item);
        if (send == nullptr) continue;
        const auto id = send->attempt.job->id;
        if (const auto* const sent = std::get_if<SentProof>(&send->answer.what)) {
            // It takes its message from whoever was thought to have sent it.
            for (auto& [other, job] : jobs) {
                if (other != id && job.sid == sent->sid) stale.insert(other);
            }
        }
        if (stale.erase(id) > 0) {
            auto anew = transaction.load(std::span{&id, 1});
            if (!anew) return anew.error();
            jobs.erase(id);
            for (auto& job : *anew) jobs.emplace(id, std::move(job));
        }
        const auto job = jobs.find(id);
        if (job == jobs.end()) continue;
        if (auto taken = take_in(transaction, job->second, *send); !taken) return taken;
    }
    return {};
}

Result<void> OutboxWorker::take_in(OutboxTransaction& transaction, StoredJob& job,
                                   const FinishedSend& finished) const {
    const auto& attempt = finished.attempt;
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
    if (auto* const news = OutboxNews::of(transaction); news != nullptr && !paused) {
        news->paused(pause, true);
    }
    return transaction.pause(pause);
}

// ---- What time has ended

Result<void> OutboxWorker::sweep(OutboxTransaction& transaction, Plan& plan) const {
    auto vanished = transaction.due(Due::lease, (TimePoint::max)(), swept_at_once);
    if (!vanished) return vanished.error();
    for (auto& job : *vanished) {
        const auto done = core_->apply(transaction, job,
                                       [](JobMachine& machine) { return machine.lease_ended(); });
        if (!done) return done.error();
        if (!*done) continue;
        plan.step.progress = true;
        if (job.quota.empty() || !quotas_.has_rates() || job.attempts.empty()) continue;
        plan.vanished.push_back({job.quota, quota_send_key(job.id, job.attempts.back().nonce),
                                 QuotaAmount::thousandths(job.cost)});
    }
    auto expired = transaction.due(Due::expiry, plan.now, swept_at_once);
    if (!expired) return expired.error();
    for (auto& job : *expired) {
        const auto done =
            core_->apply(transaction, job, [](JobMachine& machine) { return machine.tick(); });
        if (!done) return done.error();
        if (*done) plan.step.progress = true;
    }
    auto late = transaction.due(Due::chain, plan.now, swept_at_once);
    if (!late) return late.error();
    for (auto& job : *late) {
        const auto done = overtake(*core_, transaction, job);
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
    if (core_->options.refuse_unsealed_rows && !JobCodec::is_sealed(row)) {
        problem = "payload: is in the clear, and rows that are not sealed are refused";
    } else if (!whole) {
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
        if (!written) return written.error();
        if (auto* const news = OutboxNews::of(transaction)) {
            news->adopted(*whole, transaction.now());
        }
        return true;
    }
    row.content_hash = "refused";
    // In the clear it may not stay where everything else is sealed.
    if (core_->options.sealer) row.payload.clear();
    if (const auto written = transaction.rewrite(row); !written) return written.error();
    return core_->apply(transaction, row, [&](JobMachine& machine) {
        return machine.refuse(row.fence, DeadReason::refused, 0, problem);
    });
}

}  // namespace twiliowa::detail
