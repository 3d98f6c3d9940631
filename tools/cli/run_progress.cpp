#include "run_progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <span>
#include <vector>

#include <twiliowa/types/error_advice.hpp>

#include "outbox_view.hpp"

namespace cli {

namespace {

using twiliowa::JobFilter;
using twiliowa::JobState;
using twiliowa::OutboxTransaction;
using twiliowa::Pause;
using twiliowa::ReadyGroup;
using twiliowa::ReadyQuery;
using twiliowa::Result;
using twiliowa::StoredJob;
using twiliowa::TimePoint;

constexpr std::size_t jobs_at_once = 200;

/// Answers the questions of WorkLeft, within one transaction.
class Question {
public:
    Question(OutboxTransaction& transaction, const std::optional<std::string>& account,
             std::chrono::seconds settle, const twiliowa::JobGate* gate)
        : transaction_(transaction),
          account_(account),
          settle_(settle),
          gate_(gate),
          now_(transaction.now()) {}

    Result<bool> is_under_way() const {
        for (const auto state : {JobState::claimed, JobState::sending}) {
            const auto jobs = transaction_.list({.state = state, .limit = 1});
            if (!jobs) return jobs.error();
            if (!jobs->empty()) return true;
        }
        return false;
    }

    /// What other programs have put in, and no worker has looked at.
    Result<bool> has_strangers() const {
        const auto jobs = transaction_.strangers(1);
        if (!jobs) return jobs.error();
        return !jobs->empty();
    }

    Result<bool> is_ready() const {
        const auto pauses = transaction_.pauses();
        if (!pauses) return pauses.error();
        const auto groups = transaction_.ready_groups();
        if (!groups) return groups.error();
        for (const auto& group : *groups) {
            const bool held = std::any_of(pauses->begin(), pauses->end(), [&](const auto& pause) {
                return pause.holds_back(group);
            });
            if (held || (account_ && *account_ != group.account)) continue;
            const auto goes = may_go(group.campaign);
            if (!goes) return goes.error();
            if (!*goes) continue;
            const auto jobs = transaction_.ready(
                {group, now_ + settle_, now_ - ReadyQuery::order_wait, jobs_at_once});
            if (!jobs) return jobs.error();
            const auto any = [&jobs](const auto& is_so) {
                return std::any_of(jobs->begin(), jobs->end(), is_so);
            };
            if (any([this](const auto& job) { return has_reached_daily_limit(job); })) continue;
            if (any([this](const auto& job) {
                    return job.not_before <= now_ || !job.attempts.empty();
                })) {
                return true;
            }
        }
        return false;
    }

    Result<bool> is_looked_for(JobFilter filter) const {
        filter.limit = jobs_at_once;
        while (true) {
            const auto jobs = transaction_.list(filter);
            if (!jobs) return jobs.error();
            for (const auto& job : *jobs) {
                if (has_look_ahead(job)) return true;
                filter.after = job.sequence;
            }
            if (jobs->size() < filter.limit) return false;
        }
    }

    Result<bool> has_suspects() const {
        const auto jobs =
            transaction_.list({.state = JobState::ready, .suspect_only = true, .limit = 1});
        if (!jobs) return jobs.error();
        return !jobs->empty();
    }

private:
    /// What is of a campaign waits until that runs.
    Result<bool> may_go(const std::string& campaign) const {
        if (campaign.empty()) return true;
        if (gate_ == nullptr) return false;
        auto campaigns = transaction_.campaigns(std::span{&campaign, 1});
        if (!campaigns) return campaigns.error();
        return !campaigns->empty() && gate_->stand(campaigns->front(), now_).may_go;
    }

    /// The worker sends nothing more of that account before the day is over.
    bool has_reached_daily_limit(const StoredJob& job) const {
        if (job.attempts.empty()) return false;
        const auto& last = job.attempts.back();
        return twiliowa::advise(last.error_code).category == twiliowa::ErrorCategory::daily_limit &&
               std::chrono::floor<std::chrono::days>(last.started_at) ==
                   std::chrono::floor<std::chrono::days>(now_);
    }

    bool has_look_ahead(const StoredJob& job) const {
        if (!job.next_look || (account_ && *account_ != job.account)) return false;
        const auto since = job.unknown_since ? job.unknown_since : job.suspect_since;
        return *job.next_look <= now_ || (since && *job.next_look <= *since + settle_);
    }

    OutboxTransaction& transaction_;
    const std::optional<std::string>& account_;
    const std::chrono::seconds settle_;
    const twiliowa::JobGate* const gate_;
    const TimePoint now_;
};

}  // namespace

Result<WorkLeft> work_left(twiliowa::OutboxStorage& storage,
                           const std::optional<std::string>& account, std::chrono::seconds settle,
                           const twiliowa::JobGate* gate) {
    WorkLeft left;
    const auto done = storage.transact([&](OutboxTransaction& transaction) -> Result<void> {
        left = {};
        const Question question{transaction, account, settle, gate};
        const auto suspects = question.has_suspects();
        if (!suspects) return suspects.error();
        left.suspects = *suspects;
        for (const auto& ask :
             {&Question::is_under_way, &Question::has_strangers, &Question::is_ready}) {
            const auto answer = (question.*ask)();
            if (!answer) return answer.error();
            left.to_send = left.to_send || *answer;
            if (left.to_send) return {};
        }
        for (const auto& filter : {JobFilter{.state = JobState::unknown},
                                   JobFilter{.state = JobState::ready, .suspect_only = true}}) {
            const auto answer = question.is_looked_for(filter);
            if (!answer) return answer.error();
            left.to_look = left.to_look || *answer;
        }
        return {};
    });
    if (!done) return done.error();
    return left;
}

ProgressLine::ProgressLine() : on_terminal_(::isatty(STDERR_FILENO) != 0) {}

void ProgressLine::show(twiliowa::Outbox& outbox, twiliowa::MonotonicTime now) {
    const auto pause = on_terminal_ ? std::chrono::seconds{1} : std::chrono::seconds{10};
    if (shown_at_ && now < *shown_at_ + pause) return;
    shown_at_ = now;
    const auto counts = outbox.try_counts();
    const auto text = counts ? text_of_counts(*counts) : std::string{counts.error().what()};
    if (text == shown_) return;
    shown_ = text;
    if (on_terminal_) {
        std::cerr << '\r' << text << "\033[K" << std::flush;
        has_line_ = true;
    } else {
        std::cerr << text << '\n';
    }
}

void ProgressLine::end() {
    if (has_line_) std::cerr << "\r\033[K" << std::flush;
    has_line_ = false;
}

}  // namespace cli
