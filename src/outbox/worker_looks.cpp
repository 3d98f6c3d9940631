#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "outbox/worker_plan.hpp"

namespace twiliowa::detail {
namespace {

/// Without a report for so long, a message is asked for.
constexpr std::chrono::hours fetched_after{24};
constexpr std::chrono::hours sms_fetched_after{36};
constexpr std::size_t looks_at_once = 500;
/// More than that of one day are read in Twilio's list, a page of messages at a time.
constexpr std::size_t fetches_at_once = 20;
constexpr int walked_at_once = 1'000;
/// What a walk of a day did not show is fetched one by one until then.
constexpr std::chrono::hours walk_holds{1};
constexpr std::size_t crowd = 20;
/// Of the messages that may be a job's, so many are told to who decides.
constexpr std::size_t most_candidates = 20;

/// A sender of SMS; what a messaging service sends is not told by it.
bool sends_sms(const std::string& sender) {
    return !sender.empty() && !MessagingServiceSid::parse(sender) &&
           sender.find(':') == std::string::npos;
}

AccountDay day_of(const StoredJob& job) {
    const auto sent = job.attempts.empty() ? job.created_at : job.attempts.back().started_at;
    return {job.account, std::chrono::floor<std::chrono::days>(sent)};
}

/// What Twilio says of a job's message, whose SID is known; it was asked now.
Result<bool> take_report(const OutboxCore& core, OutboxTransaction& transaction, StoredJob& job,
                         const Message& message) {
    if (!message.price.empty() && job.sid == message.sid.str()) {
        auto priced = core.take_price(transaction, job, message);
        if (!priced) return priced.error();
    }
    return core.apply(transaction, job, [&](JobMachine& machine) {
        machine.status_changed(message.sid.str(), message.status.str(),
                               message.error_code.value_or(0));
        // One whose price is asked for may be of any state: nothing has changed it then.
        if (job.state == JobState::accepted) job.updated_at = transaction.now();
        if (job.price_due) job.price_due = transaction.now() + price_asked_after;
        return true;
    });
}

}  // namespace

// ---- What looks have shown

Result<void> OutboxWorker::take_in(OutboxTransaction& transaction, Plan& plan,
                                   const FinishedLook& finished) const {
    auto jobs = transaction.load(std::span{&finished.job, 1});
    if (!jobs) return jobs.error();
    if (jobs->empty()) return {};
    auto& job = jobs->front();
    if (finished.fetched) {
        // Whatever it says, it was asked now.
        const auto told = take_report(*core_, transaction, job, *finished.fetched);
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

Result<void> OutboxWorker::take_in(OutboxTransaction& transaction,
                                   const FinishedPage& finished) const {
    for (const auto& message : finished.page.items) {
        const auto owner = transaction.find_sid(message.sid.str());
        if (!owner) return owner.error();
        if (!*owner) continue;
        auto jobs = transaction.load(std::span{&**owner, 1});
        if (!jobs) return jobs.error();
        if (jobs->empty()) continue;
        const auto& job = jobs->front();
        if (job.state != JobState::accepted && !job.price_due) continue;
        const auto told = take_report(*core_, transaction, jobs->front(), message);
        if (!told) return told.error();
    }
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
    auto due = transaction.due(Due::look, plan.now, looks_at_once);
    if (!due) return due.error();
    for (auto& job : *due) {
        if (auto chosen = choose_look(transaction, plan, job); !chosen) return chosen;
    }
    return choose_fetches(transaction, plan);
}

bool OutboxWorker::can_ask(Plan& plan, const std::string& name) const {
    plan.accounts.insert(name);
    const auto account = accounts_.find(name);
    if (account == accounts_.end()) plan.lacks_account = true;
    return account != accounts_.end() && account->second.client() != nullptr;
}

Result<void> OutboxWorker::choose_fetches(OutboxTransaction& transaction, Plan& plan) const {
    auto silent = transaction.due(Due::fetch, plan.now - fetched_after, looks_at_once);
    if (!silent) return silent.error();
    std::erase_if(*silent, [&](const StoredJob& job) {
        return sends_sms(job.sender) && job.updated_at > plan.now - sms_fetched_after;
    });
    if (core_->options.gate || core_->options.ask_prices) {
        auto unpriced = transaction.due(Due::price, plan.now, looks_at_once);
        if (!unpriced) return unpriced.error();
        for (auto& job : *unpriced) {
            const bool known = std::any_of(silent->begin(), silent->end(),
                                           [&](const auto& each) { return each.id == job.id; });
            if (!known) silent->push_back(std::move(job));
        }
    }
    std::map<AccountDay, std::size_t> of_day;
    for (const auto& job : *silent) ++of_day[day_of(job)];
    std::size_t fetches = 0;
    for (auto& job : *silent) {
        const auto day = day_of(job);
        const auto walk = walks_.find(day);
        if (walk == walks_.end() && of_day[day] > fetches_at_once && can_ask(plan, job.account)) {
            plan.walks.insert(day);
        }
        if (plan.walks.contains(day) || (walk != walks_.end() && !walk->second.ended)) continue;
        if (++fetches > fetches_at_once) continue;
        if (auto chosen = choose_look(transaction, plan, job); !chosen) return chosen;
    }
    return {};
}

Result<void> OutboxWorker::choose_look(OutboxTransaction& transaction, Plan& plan,
                                       StoredJob& job) const {
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
            if (job.price_due) job.price_due = plan.now + price_asked_after;
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
        look.item.attempted_at =
            look.suspect || job.attempts.empty() ? job.created_at : job.attempts.back().started_at;
        for (const auto& attempt : job.attempts) {
            if (attempt.state != AttemptState::open || look.suspect) continue;
            look.item.first_attempted_at = attempt.started_at;
            break;
        }
        look.item.message = std::move(*message);
    }
    plan.looks.push_back(std::move(look));
    return {};
}

void OutboxWorker::launch_walks(Plan& plan, bool blocking) {
    for (const auto& day : plan.walks) walks_.try_emplace(day);
    std::erase_if(walks_, [&](const auto& each) {
        const auto& ended = each.second.ended;
        return ended && plan.monotonic - *ended >= walk_holds;
    });
    const CallOptions call{.timeout = core_->options.send_timeout, .cancel = stop_.token()};
    for (auto& [day, walk] : walks_) {
        if (walk.ended) continue;
        // Its next page needs the account again, whatever else the next step is about.
        wanted_accounts_.insert(day.first);
        if (walk.under_way) continue;
        const auto account = accounts_.find(day.first);
        if (account == accounts_.end()) {
            plan.step.progress = true;  // The next step knows it.
            continue;
        }
        if (account->second.client() == nullptr) {
            // Begun anew when its jobs are asked for again.
            walk.ended = plan.monotonic - walk_holds;
            continue;
        }
        walk.under_way = true;
        plan.step.progress = true;
        const auto& client = *account->second.client();
        const auto done = [finished = finished_, day = day](const Result<Page<Message>>& page) {
            finished->add(FinishedPage{day, page ? *page : Page<Message>{}});
        };
        const MessageFilter of_day{.sent_on = day.second, .page_size = walked_at_once};
        const bool first = walk.before.next.empty();
        try {
            if (blocking) {
                done(first ? client.try_list_page(of_day, call)
                           : client.try_next_page(walk.before, call));
            } else if (first) {
                client.async_list_page(of_day, done, call);
            } else {
                client.async_next_page(walk.before, done, call);
            }
        } catch (...) {
            walk.under_way = false;
            throw;
        }
    }
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
    const CallOptions shared{.timeout = core_->options.send_timeout, .cancel = stop_.token()};
    const auto call_for = [&](const JobId& job) {
        auto call = shared;
        call.correlation_id = job.str();
        return call;
    };
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
            const auto of_job = call_for(look.job);
            if (blocking) {
                done(client.try_fetch(sid, of_job));
            } else {
                client.async_fetch(sid, done, of_job);
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
        const auto call = batch.looks.size() == 1 ? call_for(batch.looks.front().job) : shared;
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
