#include <algorithm>
#include <atomic>
#include <utility>

#include "outbox/marker.hpp"
#include "outbox/worker_plan.hpp"

namespace twiliowa::detail {
namespace {

/// What a lease has beyond the time of the send: for the commit before it and the one after it.
constexpr std::chrono::milliseconds lease_margin{30'000};
/// Less than that is left: the attempt is not begun.
constexpr std::chrono::milliseconds shortest_send{1'000};
/// How long a job waits whose message cannot be opened.
constexpr std::chrono::minutes keys_wait{1};
constexpr std::size_t most_slots = 64;

LeaseTime later(LeaseTime time, std::chrono::milliseconds by) {
    time.microseconds += std::chrono::microseconds{by}.count();
    return time;
}

std::chrono::milliseconds left_until(const LeaseTime& end, const LeaseTime& now) {
    if (end.ended(now)) return {};
    return std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::microseconds{end.microseconds - now.microseconds});
}

TimePoint next_day(TimePoint now) {
    return std::chrono::ceil<std::chrono::days>(now + std::chrono::seconds{1});
}

/// Whether Twilio has said anything.
bool was_answered(const SendAnswer& answer) {
    const auto* const unsent = std::get_if<NotSentProof>(&answer.what);
    return unsent == nullptr || unsent->http_status != 0;
}

}  // namespace

OutboundMessage as_sender(const std::string& sender) {
    OutboundMessage message;
    if (MessagingServiceSid::parse(sender)) {
        message.messaging_service_sid = sender;
    } else {
        message.from = Address::from_wire(sender).text();
    }
    return message;
}

std::string callback_of(const OutboundMessage& message, const MessagesClient& client,
                        const OutboxOptions& options) {
    if (!message.status_callback.empty()) return message.status_callback;
    auto url = client.send_defaults().status_callback;
    return url.empty() ? std::string{options.status_callback} : url;
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
            blocked_until_[attempt.account] = next_day(core_->now());
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
    if (auto read = read_campaigns(transaction, plan, *waiting); !read) return read;
    std::vector<ReadyGroup> able;
    for (const auto& group : *waiting) {
        if (!group.campaign.empty() && !may_go(plan, group.campaign)) continue;
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
            if (is_gated(turn.group)) {
                const auto moved = send_gated(transaction, plan, turn.group, wanted);
                if (!moved) return moved.error();
                if (*moved >= wanted) more.push_back(turn.group);
                plan.step.progress = plan.step.progress || *moved > 0;
                continue;
            }
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
    if (auto counted = count_campaigns(transaction, plan); !counted) return counted;
    keep_candidates(plan, *waiting);
    // One of each group after the other, as they were dealt: who has few waits for few.
    std::stable_sort(plan.launches.begin(), plan.launches.end(),
                     [](const auto& a, const auto& b) { return a.turn < b.turn; });
    return {};
}

Result<bool> OutboxWorker::send_off(OutboxTransaction& transaction, Plan& plan, StoredJob& job,
                                    const Candidate* judged) {
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
    auto message = judged != nullptr ? Result<OutboundMessage>{judged->content.message}
                                     : core_->codec.message_of(job);
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
    if (judged != nullptr && judged->verdict->kind != JobVerdict::Kind::go) {
        return obey(transaction, plan, job, *judged->verdict);
    }
    Plan::Launch launch;
    launch.attempt.nonce = core_->new_nonce();
    std::vector<BudgetReservation> budgets;
    if (judged != nullptr && !judged->verdict->charges.empty()) {
        const auto says = ask_budgets(transaction, plan, job, *judged->verdict, budgets);
        if (!says) return says.error();
        if (*says == QuotaSays::moved) plan.step.progress = true;
        if (*says != QuotaSays::go) return false;
    }
    std::optional<Reservation> reservation;
    if (!job.quota.empty()) {
        const auto says = ask_quota(transaction, plan, job, reservation.emplace());
        if (!says) return says.error();
        // Of a quota that is used up all are as this one: they are for the next step.
        if (*says == QuotaSays::moved) plan.step.progress = true;
        if (*says != QuotaSays::go) return false;
        if (reservation->permit) launch.attempt.nonce = reservation->permit->nonce;
    }
    const auto url = callback_of(*message, client, core_->options);
    launch.until = later(transaction.lease_now(), core_->options.send_timeout + lease_margin);
    const auto went = core_->apply(transaction, job, [&](JobMachine& machine) {
        const auto* const attempt = machine.go(job.fence, name_, launch.until, launch.attempt.nonce,
                                               account.sid, !url.empty());
        if (attempt == nullptr) return false;
        launch.attempt.number = attempt->number;
        if (reservation) job.counted.push_back(reservation->counted(attempt->number));
        if (!budgets.empty()) {
            for (auto& each : counted(budgets, attempt->number)) {
                job.counted.push_back(std::move(each));
            }
            job.spend += judged->verdict->spend;
            job.price_unit = judged->verdict->currency;
        }
        return true;
    });
    if (!went) return went.error();
    // It may have expired before the sweep came to it.
    if (!*went) return refuse([](JobMachine& machine) { return machine.tick(); });
    if (reservation) {
        auto taken = take_from_quota(transaction, plan, job, *reservation);
        if (!taken) return taken.error();
        if (reservation->permit) {
            launch.attempt.quota_send = quota_send_key(job.id, launch.attempt.nonce);
        }
    }
    if (auto taken = take_from_budgets(transaction, plan, budgets); !taken) return taken.error();
    if (!job.campaign.empty()) {
        ++plan.campaign_sent[job.campaign];
        if (job.spend != 0 && !noted_currencies_.contains(job.campaign)) {
            plan.campaign_currencies.emplace(job.campaign, job.price_unit);
        }
    }
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
    if (judged != nullptr) {
        const auto& verdict = *judged->verdict;
        launch.leave_by = verdict.until;
        if (verdict.validity_period) {
            const auto most = std::clamp(*verdict.validity_period, 1, 36'000);
            message->validity_period = std::min(message->validity_period.value_or(most), most);
        }
    }
    launch.message = std::move(*message);
    if (job.lane != Lane::urgent) {
        launch.turn = ++plan.turns[{job.sender, job.lane, job.tenant, job.account, job.campaign}];
    }
    const SendRoad road{job.account, job.sender};
    launch.slot_held = traffic_[road].limited;
    ++plan.slots_used[road];
    launch.attempt.job = std::make_shared<StoredJob>(std::move(job));
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
        const bool too_late = each.leave_by && core_->now() >= *each.leave_by;
        if (left < shortest_send || token.is_cancelled() || too_late) {
            NotSentProof unbegun;
            unbegun.may_retry = true;
            unbegun.counts = false;
            unbegun.problem = too_late ? "quiet hours had begun before it left"
                                       : "the time of the attempt was over before it began";
            end({std::move(unbegun)}, each.slot_held);
            continue;
        }
        const CallOptions call{.timeout = std::min(left, core_->options.send_timeout),
                               .cancel = token,
                               .slot_held = each.slot_held,
                               .correlation_id = each.attempt.job->id.str()};
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

}  // namespace twiliowa::detail
