#include <algorithm>
#include <utility>

#include "outbox/worker_plan.hpp"
#include "state/quota_windows.hpp"
#include "types/duration_bound.hpp"

namespace twiliowa::detail {
namespace {

/// How long a job waits whose plan the program cannot tell.
constexpr std::chrono::minutes plan_wait{1};
/// When it is asked again for a quota that another transaction has.
constexpr std::chrono::milliseconds busy_quota_wait{20};
/// What was spent can be read that long.
constexpr std::chrono::milliseconds budgets_kept = std::chrono::hours{24 * 400};

std::string quota_problem(const StoredJob& job, std::string_view rest) {
    return std::string{quota_waits}.append(job.quota).append(" ").append(rest);
}

CountedSlot slot_of(const QuotaPlace& place) {
    return {place.period, quota_time(place.begin)};
}

void note_on(QuotaPage& page, const QuotaTally& tally) {
    const auto known = std::find_if(page.tallies.begin(), page.tallies.end(),
                                    [&](const auto& one) { return one.place == tally.place; });
    if (known == page.tallies.end()) {
        page.tallies.push_back(tally);
    } else {
        *known = tally;
    }
}

/// Notes the tallies of a reservation on its page, and in the storage, where so much more is used.
Result<void> count_tallies(OutboxTransaction& transaction, QuotaPage& page,
                           const std::string& quota, const std::vector<QuotaTally>& tallies,
                           std::int64_t more) {
    for (const auto& tally : tallies) {
        note_on(page, tally);
        auto counted = transaction.count_quota({.quota = quota,
                                                .slot = slot_of(tally.place),
                                                .more = more,
                                                .peak = tally.peak,
                                                .keep_until = quota_time(tally.keep_until)});
        if (!counted) return counted;
    }
    return {};
}

/// Takes the quota for this transaction; nullopt: another has it.
Result<std::optional<QuotaPage>> open_page(OutboxTransaction& transaction, const std::string& quota,
                                           const std::vector<QuotaSlot>& time_slots,
                                           TimePoint now) {
    std::vector<CountedSlot> slots;
    slots.reserve(time_slots.size());
    for (const auto& slot : time_slots) slots.push_back({slot.period, slot.begin});
    const auto counts = transaction.take_quota(quota, slots);
    if (!counts) return counts.error();
    if (!*counts) return std::optional<QuotaPage>{};
    QuotaPage page{.now = quota_micros(now)};
    for (const auto& count : **counts) {
        page.tallies.push_back({.place = {count.period, quota_micros(count.begin)},
                                .used = count.used,
                                .peak = count.peak});
    }
    return std::optional{std::move(page)};
}

}  // namespace

CountedAttempt OutboxWorker::Reservation::counted(int attempt) const {
    CountedAttempt where{.number = attempt};
    for (const auto& tally : change.tallies) where.time_slots.push_back(slot_of(tally.place));
    return where;
}

/// What is counted elsewhere is asked first, before the transaction. The rest is counted in it: so
/// a worker that dies leaves counts that its jobs' records explain.
Result<OutboxWorker::QuotaSays> OutboxWorker::ask_quota(OutboxTransaction& transaction, Plan& plan,
                                                        StoredJob& job,
                                                        Reservation& reservation) const {
    const auto put_off = [&](auto event) -> Result<QuotaSays> {
        const auto moved = core_->apply(transaction, job, event);
        if (!moved) return moved.error();
        return QuotaSays::moved;
    };
    const auto* const options = quotas_.options();
    if (options == nullptr) {
        return put_off([&](JobMachine& machine) {
            return machine.hold(job.fence,
                                quota_problem(job, "has no windows: give OutboxOptions::quotas"));
        });
    }
    plan.quotas.insert(job.quota);
    const auto* const told = quotas_.windows_of(job.quota);
    if (told == nullptr) {
        plan.lacks_account = true;
        return QuotaSays::not_now;
    }
    if (!*told) {
        const auto& error = told->error();
        const auto problem = quota_problem(job, std::string{"has no windows: "} + error.what());
        return put_off([&](JobMachine& machine) {
            return error.kind() == ErrorKind::invalid_request
                       ? machine.hold(job.fence, problem)
                       : machine.postpone(job.fence, plan.now + plan_wait, problem);
        });
    }
    const auto& all = **told;
    const bool elsewhere = quotas_.has_rates();
    if (elsewhere && std::any_of(all.begin(), all.end(),
                                 [](const QuotaWindow& window) { return !window.is_plan; })) {
        const auto* const permit = quotas_.permit_of(job);
        if (permit == nullptr) {
            if (quotas_.are_rates_away(plan.monotonic)) return QuotaSays::not_now;
            plan.permits_wanted.push_back({job.id, job.fence, job.quota, job.cost});
            plan.lacks_account = true;
            return QuotaSays::not_now;
        }
        if (!permit->answer.granted) {
            return refuse_by_quota(transaction, plan, job, permit->answer);
        }
        reservation.permit = *permit;
    }
    const auto windows = elsewhere ? some_quota_windows(all, true) : all;
    const auto time_slots = quota_time_slots(windows, plan.now, *options, true);
    auto page = plan.quota_pages.find(job.quota);
    if (page == plan.quota_pages.end()) {
        auto opened = open_page(transaction, job.quota, time_slots, plan.now);
        if (!opened) return opened.error();
        page = plan.quota_pages.emplace(job.quota, std::move(*opened)).first;
    }
    if (!page->second) {
        plan.quota_busy_until = plan.now + busy_quota_wait;
        return QuotaSays::not_now;
    }
    const auto key = job.id.str();
    auto decision = decide_quota_reserve(*page->second, {.quota = job.quota,
                                                         .send = key,
                                                         .cost = job.cost,
                                                         .lapses_after = {},
                                                         .remembered = {},
                                                         .time_slots = time_slots});
    const auto answer = quota_answer(windows, time_slots, decision.answer, job.cost);
    reservation.change = std::move(decision.change);
    reservation.news = {job.quota, windows, std::move(decision.answer.counts)};
    if (answer.granted) return QuotaSays::go;
    // That it was full is noted, and told.
    const auto noted =
        count_tallies(transaction, *page->second, job.quota, reservation.change.tallies, 0);
    if (!noted) return noted.error();
    if (options->observer) plan.quota_news.push_back(std::move(reservation.news));
    return refuse_by_quota(transaction, plan, job, answer);
}

/// Where waiting helps it waits for the window in which it has its turn; else a person decides.
Result<OutboxWorker::QuotaSays> OutboxWorker::refuse_by_quota(OutboxTransaction& transaction,
                                                              Plan& plan, StoredJob& job,
                                                              const QuotaAnswer& refusal) const {
    const auto problem = quota_problem(job, quota_problem_of(refusal));
    if (quotas_.options()->observer) plan.quota_refusals.emplace_back(job.quota, refusal);
    if (!refusal.retry_after) {
        const auto held = core_->apply(transaction, job, [&](JobMachine& machine) {
            return machine.hold(job.fence, problem);
        });
        return held ? Result<QuotaSays>{QuotaSays::moved} : held.error();
    }
    const QuotaState* last = nullptr;
    for (const auto& state : refusal.windows) {
        if (state.refused && (last == nullptr || last->renews < state.renews)) last = &state;
    }
    // As many are sent to a window as fit into it: else all would come at its beginning, and all
    // but a few would be put off again.
    auto& turn = plan.quota_turns[job.quota];
    if (turn.begin < last->renews) turn = {last->renews, 0};
    if (turn.taken + job.cost > last->window.limit.thousandths()) {
        turn = {quota_slot(last->window, turn.begin).end, 0};
    }
    turn.taken += job.cost;
    const auto until = turn.begin;
    const auto put_off = core_->apply(transaction, job, [&](JobMachine& machine) {
        return machine.postpone(job.fence, until, problem);
    });
    return put_off ? Result<QuotaSays>{QuotaSays::moved} : put_off.error();
}

Result<void> OutboxWorker::take_from_quota(OutboxTransaction& transaction, Plan& plan,
                                           const StoredJob& job,
                                           const Reservation& reservation) const {
    auto counted = count_tallies(transaction, *plan.quota_pages.at(job.quota), job.quota,
                                 reservation.change.tallies, job.cost);
    if (!counted) return counted;
    if (reservation.permit) plan.permits_used.insert(job.id);
    if (quotas_.options()->observer) plan.quota_news.push_back(reservation.news);
    return {};
}

// ---- Budgets

/// All of them, or none. What no limit is of is only counted: nobody waits for it.
Result<OutboxWorker::QuotaSays> OutboxWorker::ask_budgets(
    OutboxTransaction& transaction, Plan& plan, StoredJob& job, const JobVerdict& verdict,
    std::vector<BudgetReservation>& reservations) const {
    for (const auto& charge : verdict.charges) {
        auto& reservation = reservations.emplace_back();
        reservation.charge = &charge;
        for (const auto& window : charge.windows) {
            auto& slot = reservation.time_slots.emplace_back(quota_slot(window, plan.now));
            slot.keep_until = time_after(slot.end, budgets_kept);
        }
        if (charge.windows.empty()) {
            auto& day =
                reservation.time_slots.emplace_back(quota_slot(QuotaWindow::per_day({}), plan.now));
            day.limit = QuotaSlot::no_limit;
            day.keep_until = time_after(day.end, budgets_kept);
            continue;
        }
        auto page = plan.quota_pages.find(charge.budget);
        if (page == plan.quota_pages.end()) {
            auto opened = open_page(transaction, charge.budget, reservation.time_slots, plan.now);
            if (!opened) return opened.error();
            page = plan.quota_pages.emplace(charge.budget, std::move(*opened)).first;
        }
        if (!page->second) {
            plan.quota_busy_until = plan.now + busy_quota_wait;
            return QuotaSays::not_now;
        }
        const auto key = job.id.str();
        auto decision = decide_quota_reserve(*page->second, {.quota = charge.budget,
                                                             .send = key,
                                                             .cost = charge.micros,
                                                             .lapses_after = {},
                                                             .remembered = {},
                                                             .time_slots = reservation.time_slots});
        reservation.change = std::move(decision.change);
        reservation.news = {charge.budget, charge.windows, std::move(decision.answer.counts),
                            charge.warn_at, charge.observer};
        if (decision.answer.taken == QuotaTaken::taken) continue;
        return refuse_by_budget(transaction, plan, job, reservation);
    }
    return QuotaSays::go;
}

/// Its campaign waits for a person; without one, the job does.
Result<OutboxWorker::QuotaSays> OutboxWorker::refuse_by_budget(
    OutboxTransaction& transaction, Plan& plan, StoredJob& job,
    const BudgetReservation& refused) const {
    const auto& charge = *refused.charge;
    const auto problem = "the budget " + charge.budget + " is used up";
    const auto noted = count_tallies(transaction, *plan.quota_pages.at(charge.budget),
                                     charge.budget, refused.change.tallies, 0);
    if (!noted) return noted.error();
    if (charge.observer) plan.quota_news.push_back(refused.news);
    if (!job.campaign.empty()) {
        plan.campaign_room[job.campaign] = 0;
        auto paused = core_->pause_campaign(transaction, job.campaign, problem);
        return paused ? Result<QuotaSays>{QuotaSays::not_now} : paused.error();
    }
    const auto held = core_->apply(transaction, job, [&](JobMachine& machine) {
        return machine.hold(job.fence, std::string{quota_waits} + problem);
    });
    return held ? Result<QuotaSays>{QuotaSays::moved} : held.error();
}

std::vector<CountedAttempt> OutboxWorker::counted(
    const std::vector<BudgetReservation>& reservations, int attempt) {
    std::vector<CountedAttempt> all;
    for (const auto& each : reservations) {
        auto& where = all.emplace_back();
        where.number = attempt;
        where.of = each.charge->budget;
        where.amount = each.charge->micros;
        for (const auto& slot : each.time_slots) {
            where.time_slots.push_back({slot.period, slot.begin});
        }
    }
    return all;
}

Result<void> OutboxWorker::take_from_budgets(
    OutboxTransaction& transaction, Plan& plan,
    const std::vector<BudgetReservation>& reservations) const {
    for (const auto& each : reservations) {
        const auto& charge = *each.charge;
        if (charge.windows.empty()) {
            const auto& day = each.time_slots.front();
            auto counted = transaction.count_quota({.quota = charge.budget,
                                                    .slot = {day.period, day.begin},
                                                    .more = charge.micros,
                                                    .keep_until = day.keep_until});
            if (!counted) return counted;
            continue;
        }
        auto counted = count_tallies(transaction, *plan.quota_pages.at(charge.budget),
                                     charge.budget, each.change.tallies, charge.micros);
        if (!counted) return counted;
        if (charge.observer) plan.quota_news.push_back(each.news);
    }
    return {};
}

/// What the transaction has decided is carried out where it is counted elsewhere, and told.
void OutboxWorker::conclude_quotas(Plan& plan, const std::vector<FinishedWork::Item>& finished) {
    wanted_quotas_ = std::move(plan.quotas);
    wanted_permits_ = std::move(plan.permits_wanted);
    quota_turns_ = std::move(plan.quota_turns);
    std::erase_if(quota_turns_, [&](const auto& each) { return each.second.begin <= plan.now; });
    quotas_.give_back_but(plan.permits_used);
    for (const auto& charge : plan.vanished) {
        quotas_.conclude(charge.quota, charge.send, charge.cost.thousandths(), true);
    }
    for (const auto& item : finished) {
        const auto* const send = std::get_if<FinishedSend>(&item);
        if (send == nullptr || send->attempt.quota_send.empty()) continue;
        const auto& job = *send->attempt.job;
        quotas_.conclude(job.quota, send->attempt.quota_send, job.cost,
                         !std::holds_alternative<NotSentProof>(send->answer.what));
    }
    for (const auto& news : plan.quota_news) {
        if (news.observer) {
            tell_quota_levels({.warn_at = news.warn_at, .observer = news.observer}, news.quota,
                              news.windows, news.counts);
        } else {
            tell_quota_levels(*quotas_.options(), news.quota, news.windows, news.counts);
        }
    }
    for (const auto& [quota, refusal] : plan.quota_refusals) {
        tell_quota_refusal(quotas_.options()->observer, quota, refusal);
    }
    // Only if nothing else comes before.
    if (plan.quota_busy_until && !plan.step.progress) {
        auto& next = plan.step.next_due;
        if (!next || *next <= plan.now || *next > *plan.quota_busy_until) {
            next = *plan.quota_busy_until;
        }
    }
}

}  // namespace twiliowa::detail
