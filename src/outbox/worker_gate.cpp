#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "outbox/worker_plan.hpp"
#include "state/quota_windows.hpp"
#include "types/duration_bound.hpp"

namespace twiliowa::detail {
namespace {

/// How long what a gate has said holds, and how long it is left alone that could not say.
constexpr std::chrono::seconds verdict_holds{1};
constexpr std::chrono::seconds gate_pause{1};
/// How long it is known how many of a campaign wait.
constexpr std::chrono::minutes waiting_holds{1};
/// How long it is known what was sent of a campaign in each minute.
constexpr std::chrono::milliseconds minutes_kept = std::chrono::hours{24 * 7};

std::string sent_count(const std::string& campaign) {
    return std::string{campaign_counts_name} + campaign;
}

}  // namespace

bool OutboxWorker::is_gated(const ReadyGroup& group) const {
    const auto& gate = core_->options.gate;
    return gate && (!group.campaign.empty() || gate->concerns(group));
}

/// All that wait for a verdict together, before the transaction in which they may go.
void OutboxWorker::judge_candidates() {
    if (candidates_.empty()) return;
    const auto monotonic = core_->options.clock->monotonic_now();
    std::vector<GatedJob> jobs;
    std::vector<Candidate*> asked;
    for (auto& [group, candidates] : candidates_) {
        std::erase_if(candidates, [](const auto& each) { return each->spent; });
        for (const auto& each : candidates) {
            if (each->verdict && monotonic - each->judged_at < verdict_holds) continue;
            each->verdict.reset();
            const auto campaign = campaigns_.find(each->job.campaign);
            const auto waiting = campaign_waiting_.find(each->job.campaign);
            asked.push_back(each.get());
            jobs.push_back(
                {.job = &each->job,
                 .message = &each->content.message,
                 .time_zone = each->content.time_zone,
                 .campaign = campaign == campaigns_.end() ? nullptr : &campaign->second,
                 .waiting = waiting == campaign_waiting_.end() ? 0 : waiting->second.jobs});
        }
    }
    if (jobs.empty() || monotonic < gate_away_until_) return;
    auto verdicts =
        without_exceptions([&] { return core_->options.gate->judge(jobs, core_->now()); });
    if (!verdicts || verdicts->size() != jobs.size()) {
        gate_away_until_ = monotonic + gate_pause;
        return;
    }
    for (std::size_t i = 0; i < asked.size(); ++i) {
        asked[i]->verdict = std::move((*verdicts)[i]);
        asked[i]->judged_at = monotonic;
    }
}

Result<void> OutboxWorker::count_waiting(OutboxTransaction& transaction, Plan& plan,
                                         const std::string& campaign) const {
    auto& waiting = plan.campaign_waiting[campaign];
    if (const auto known = campaign_waiting_.find(campaign);
        known != campaign_waiting_.end() &&
        plan.monotonic - known->second.counted_at < waiting_holds) {
        waiting = known->second;
        return {};
    }
    const auto counts = transaction.campaign_counts(campaign);
    if (!counts) return counts.error();
    waiting = {.counted_at = plan.monotonic};
    for (const auto& count : *counts) {
        if (count.state == JobState::ready) waiting.jobs += count.jobs;
    }
    return {};
}

bool OutboxWorker::may_go(const Plan& plan, const std::string& campaign) const {
    const auto room = plan.campaign_room.find(campaign);
    return room != plan.campaign_room.end() && room->second > 0;
}

Result<void> OutboxWorker::read_campaigns(OutboxTransaction& transaction, Plan& plan,
                                          const std::vector<ReadyGroup>& groups) const {
    std::vector<std::string> ids;
    for (const auto& group : groups) {
        if (!group.campaign.empty()) ids.push_back(group.campaign);
    }
    std::sort(ids.begin(), ids.end());
    ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    // Who knows no rules sends nothing that has some.
    if (ids.empty() || !core_->options.gate) return {};
    auto campaigns = transaction.campaigns(ids);
    if (!campaigns) return campaigns.error();
    for (auto& campaign : *campaigns) {
        const auto before = campaign.state;
        const auto standing = core_->options.gate->stand(campaign, plan.now);
        if (standing.changed) {
            campaign.updated_at = plan.now;
            if (auto saved = transaction.save_campaign(campaign); !saved) return saved;
        }
        const auto look_again = [&](TimePoint at) {
            if (!plan.campaign_due || at < *plan.campaign_due) plan.campaign_due = at;
        };
        if (standing.look_again) look_again(*standing.look_again);
        if (standing.counts_waiting) {
            if (auto done = count_waiting(transaction, plan, campaign.id); !done) return done;
        }
        auto room = standing.may_go ? (std::numeric_limits<std::size_t>::max)() : 0;
        if (room > 0 && standing.rate) {
            const auto slot = quota_slot(*standing.rate, plan.now);
            const CountedSlot place{slot.period, slot.begin};
            const auto taken =
                transaction.take_quota(sent_count(campaign.id), std::span{&place, 1});
            if (!taken) return taken.error();
            const auto limit = standing.rate->limit.thousandths();
            const auto used = *taken ? (*taken)->front().used : limit;
            room = static_cast<std::size_t>(std::max<std::int64_t>(limit - used, 0));
            // Another worker that has it sends of it now.
            look_again(*taken ? slot.end : plan.now + std::chrono::milliseconds{20});
            plan.campaign_rates.emplace(campaign.id, *standing.rate);
        }
        if (room > 0 && standing.most_a_day > 0) {
            const auto day = quota_slot(QuotaWindow::per_day({}), plan.now);
            const auto counts =
                transaction.quota_history(sent_count(campaign.id), day.period, day.begin, day.end);
            if (!counts) return counts.error();
            const auto used = counts->empty() ? 0 : counts->front().used;
            const auto left = std::max<std::int64_t>(standing.most_a_day - used, 0);
            room = std::min(room, static_cast<std::size_t>(left));
            if (left == 0) {
                campaign.state = CampaignState::paused;
                campaign.problem = "the messaging limit of its sender is near";
                campaign.updated_at = plan.now;
                if (auto saved = transaction.save_campaign(campaign); !saved) return saved;
            }
        }
        if (auto* const news = OutboxNews::of(transaction)) {
            news->campaign_changed(before, campaign);
        }
        plan.campaign_room[campaign.id] = room;
        plan.campaigns.emplace(campaign.id, std::move(campaign));
    }
    return {};
}

Result<std::size_t> OutboxWorker::send_gated(OutboxTransaction& transaction, Plan& plan,
                                             const ReadyGroup& group, std::size_t wanted) {
    std::size_t moved = 0;
    const auto sent_before = plan.launches.size();
    auto& next = plan.candidates[group];
    const auto room = [&] {
        const auto left = plan.campaign_room.find(group.campaign);
        return group.campaign.empty() || left == plan.campaign_room.end() ? wanted : left->second;
    };
    if (const auto hand = candidates_.find(group); hand != candidates_.end() && next.empty()) {
        std::vector<const StoredJob*> jobs;
        std::vector<const std::shared_ptr<Candidate>*> unspent;
        for (const auto& each : hand->second) {
            if (each->spent) continue;
            jobs.push_back(&each->job);
            unspent.push_back(&each);
        }
        const auto ours = transaction.take_again(jobs);
        if (!ours) return ours.error();
        for (std::size_t i = 0; i < jobs.size(); ++i) {
            if (!(*ours)[i]) continue;
            const auto& candidate = *unspent[i];
            const bool full = plan.launches.size() - sent_before >= wanted || room() == 0;
            if (full || !candidate->verdict) {
                next.push_back(candidate);
                continue;
            }
            const auto launched = plan.launches.size();
            const auto revision = candidate->job.revision;
            candidate->spent = true;
            const auto gone = send_off(transaction, plan, candidate->job, candidate.get());
            if (!gone) return gone.error();
            if (*gone) ++moved;
            if (plan.launches.size() > launched && !group.campaign.empty()) {
                --plan.campaign_room[group.campaign];
            }
            // What its quota or budget does not let go now is asked about again.
            if (*gone || candidate->job.revision != revision) continue;
            candidate->spent = false;
            next.push_back(candidate);
        }
    }
    const bool is_away = plan.monotonic < gate_away_until_;
    if (is_away && (!plan.step.next_probe || gate_away_until_ < *plan.step.next_probe)) {
        plan.step.next_probe = gate_away_until_;
    }
    const auto most = std::min(wanted, room());
    if (is_away || next.size() >= most) return moved;
    std::set<JobId> known;
    for (const auto& each : next) known.insert(each->job.id);
    auto jobs = transaction.ready(
        {group, plan.now, plan.now - ReadyQuery::order_wait, most + next.size(), true});
    if (!jobs) return jobs.error();
    for (auto& job : *jobs) {
        if (known.contains(job.id) || next.size() >= most) continue;
        auto content = core_->codec.read(job);
        if (!content) {
            // It says what is wrong with it, and goes nowhere.
            const auto gone = send_off(transaction, plan, job);
            if (!gone) return gone.error();
            if (*gone) ++moved;
            continue;
        }
        auto candidate = std::make_shared<Candidate>();
        candidate->job = std::move(job);
        candidate->content = std::move(*content);
        next.push_back(std::move(candidate));
        // It is judged before the next step.
        plan.step.progress = true;
    }
    return moved;
}

Result<bool> OutboxWorker::obey(OutboxTransaction& transaction, Plan& plan, StoredJob& job,
                                const JobVerdict& verdict) const {
    constexpr std::chrono::minutes pause_of_others{5};
    const bool pauses = verdict.kind == JobVerdict::Kind::pause;
    if (pauses && !job.campaign.empty()) {
        plan.campaign_room[job.campaign] = 0;
        auto paused = core_->pause_campaign(transaction, job.campaign, verdict.problem);
        return paused ? Result<bool>{false} : paused.error();
    }
    return core_->apply(transaction, job, [&](JobMachine& machine) {
        if (verdict.kind == JobVerdict::Kind::never) {
            return machine.refuse(job.fence, verdict.reason, verdict.error_code, verdict.problem);
        }
        // One that waits for no time would be asked about for ever.
        const auto until =
            pauses ? plan.now + pause_of_others
                   : std::max(verdict.until.value_or(plan.now), plan.now + std::chrono::seconds{1});
        return machine.postpone(job.fence, until, verdict.problem);
    });
}

void OutboxWorker::keep_candidates(Plan& plan, const std::vector<ReadyGroup>& groups) const {
    for (const auto& group : groups) {
        const auto hand = candidates_.find(group);
        if (hand != candidates_.end()) plan.candidates.emplace(group, hand->second);
    }
}

Result<void> OutboxWorker::count_campaigns(OutboxTransaction& transaction, const Plan& plan) const {
    for (const auto& each : plan.campaign_sent) {
        // Not captured as bindings: clang 14 does not know how.
        const auto& campaign = each.first;
        const auto sent = static_cast<std::int64_t>(each.second);
        const auto count = [&](const QuotaWindow& window) {
            const auto slot = quota_slot(window, plan.now);
            return transaction.count_quota({.quota = sent_count(campaign),
                                            .slot = {slot.period, slot.begin},
                                            .more = sent,
                                            .keep_until = time_after(slot.end, minutes_kept)});
        };
        const auto minute = QuotaWindow::per_minute({});
        const auto day = QuotaWindow::per_day({});
        for (const auto& window : {minute, day}) {
            if (auto counted = count(window); !counted) return counted;
        }
        const auto rate = plan.campaign_rates.find(campaign);
        if (rate == plan.campaign_rates.end() || rate->second.period == minute.period ||
            rate->second.period == day.period) {
            continue;
        }
        if (auto counted = count(rate->second); !counted) return counted;
    }
    for (const auto& [campaign, currency] : plan.campaign_currencies) {
        auto noted = transaction.set_fact(campaign_currency_fact(campaign), currency);
        if (!noted) return noted;
    }
    return {};
}

Result<void> OutboxWorker::conclude_campaigns(OutboxTransaction& transaction, Plan& plan) const {
    for (const auto& each : endings_) {
        if (!plan.waiting_campaigns.contains(each.first)) plan.concluded.insert(each);
    }
    return core_->conclude(transaction, plan.concluded);
}

}  // namespace twiliowa::detail
