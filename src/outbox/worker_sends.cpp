#include <algorithm>
#include <atomic>
#include <span>
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

/// Twilio keeps it no longer than so long, whatever else it was to be.
void expire_before(OutboundMessage& message, TimePoint::duration left) {
    constexpr int longest = 36'000;
    const auto most = message.validity_period.value_or(longest);
    const auto seconds = std::chrono::floor<std::chrono::seconds>(left).count();
    if (seconds < most) message.validity_period = std::max(static_cast<int>(seconds), 1);
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
    const auto before = traffic.breaker;
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
            block_for_the_day(attempt.account);
            [[fallthrough]];
        default:
            if (was_answered(finished.answer)) {
                traffic.breaker.answered();
            } else {
                traffic.breaker.unanswered();
            }
    }
    tell_of_breaker({attempt.account, attempt.sender}, before, traffic.breaker, now);
    if (!finished.slot_unused) return;
    if (const auto account = accounts_.find(attempt.account);
        account != accounts_.end() && account->second.client() != nullptr) {
        account->second.client()->give_slot_back(as_sender(attempt.sender));
    }
}

void OutboxWorker::block_for_the_day(const std::string& account) {
    const auto until = next_day(core_->now());
    auto& blocked = blocked_until_[account];
    if (blocked == until) return;
    blocked = until;
    if (!core_->options.observer) return;
    core_->options.observer->on_pause({.paused = true,
                                       .of = name_of(Pause::Of::account),
                                       .name = account,
                                       .reason = "its limit for the day is reached",
                                       .by_itself = true,
                                       .until = until});
}

void OutboxWorker::tell_of_breaker(const SendRoad& road, const SendBreaker& before,
                                   const SendBreaker& after, MonotonicTime now) const {
    if (!core_->options.observer || (!before.is_open() && !after.is_open())) return;
    if (before.is_open() && after.is_open() && before.next_probe() == after.next_probe()) return;
    BreakerEvent event{
        .change = BreakerChange::closed, .account = road.first, .sender = told_sender(road.second)};
    if (after.is_open()) {
        event.change = before.is_open() ? BreakerChange::still_open : BreakerChange::opened;
        event.next_try =
            std::chrono::duration_cast<std::chrono::milliseconds>(after.next_probe() - now);
    }
    core_->options.observer->on_breaker(event);
}

void OutboxWorker::forget_breakers() {
    for (auto& [road, traffic] : traffic_) {
        const auto before = std::exchange(traffic.breaker, SendBreaker{});
        tell_of_breaker(road, before, traffic.breaker, {});
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

std::size_t OutboxWorker::allowed(const SendRoad& road, std::size_t wanted) {
    const auto& client = *accounts_.at(road.first).client();
    auto& traffic = traffic_[road];
    const auto& clock = *core_->options.clock;
    auto now = clock.monotonic_now();
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
        // The limiter reads it for each slot: one of "now" is later than when this step began.
        now = clock.monotonic_now();
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
                if (auto* const news = OutboxNews::of(transaction)) {
                    news->resumed(pause.of, pause.name, true);
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
    for (const auto& group : *waiting) {
        if (!group.campaign.empty()) plan.waiting_campaigns.insert(group.campaign);
    }
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
                const auto able_to = allowed(road, gone + plan.free);
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
                                    Candidate* judged) {
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
    Result<OutboundMessage> read = OutboundMessage{};
    if (judged == nullptr) read = core_->codec.message_of(job);
    if (!read) {
        const auto& error = read.error();
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
    auto& message = judged != nullptr ? judged->content.message : *read;
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
    const auto url = callback_of(message, client, core_->options);
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
        message.status_callback =
            with_marker(url, {core_->storage->outbox_id(), job.id, launch.attempt.nonce});
    }
    if (job.expires_at && !message.validity_period) {
        const auto left =
            std::chrono::duration_cast<std::chrono::seconds>(*job.expires_at - plan.now).count();
        message.validity_period = static_cast<int>(std::clamp<std::int64_t>(left, 1, 36'000));
    }
    if (judged != nullptr) {
        const auto& verdict = *judged->verdict;
        launch.leave_by = verdict.until;
        launch.condition = verdict.condition;
    }
    launch.message = std::move(message);
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

std::vector<bool> OutboxWorker::ask_to_leave(const Plan& plan, std::size_t from,
                                             std::size_t until) const {
    const auto launches = std::span{plan.launches}.subspan(from, until - from);
    std::vector<bool> all(launches.size(), true);
    std::vector<LeavingJob> jobs;
    for (const auto& each : launches) {
        if (each.condition.empty()) continue;
        jobs.push_back({each.attempt.job.get(), &each.message, each.condition});
    }
    if (jobs.empty()) return all;
    const auto answers = without_exceptions([&] { return core_->options.gate->may_leave(jobs); });
    const bool is_answered = answers && answers->size() == jobs.size();
    std::size_t next = 0;
    for (std::size_t i = 0; i < launches.size(); ++i) {
        if (launches[i].condition.empty()) continue;
        all[i] = is_answered && (*answers)[next];
        ++next;
    }
    return all;
}

void OutboxWorker::launch(Plan& plan, bool blocking) {
    std::vector<bool> may_leave;
    std::size_t asked = 0;
    for (std::size_t i = 0; i < plan.launches.size(); ++i) {
        auto& each = plan.launches[i];
        // All that leave at once are asked about together.
        if (i == asked) {
            asked = blocking ? i + 1 : plan.launches.size();
            may_leave = ask_to_leave(plan, i, asked);
        }
        const bool is_held_back = !may_leave[blocking ? 0 : i];
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
        if (left < shortest_send || token.is_cancelled() || too_late || is_held_back) {
            NotSentProof unbegun;
            unbegun.may_retry = true;
            unbegun.counts = false;
            unbegun.problem = too_late       ? "quiet hours had begun before it left"
                              : is_held_back ? "what it was judged by had changed before it left"
                                             : "the time of the attempt was over before it began";
            end({std::move(unbegun)}, each.slot_held);
            continue;
        }
        const auto timeout = std::min(left, core_->options.send_timeout);
        if (each.leave_by) expire_before(each.message, *each.leave_by - core_->now() - timeout);
        const CallOptions call{.timeout = timeout,
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
