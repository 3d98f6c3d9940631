#include "outbox/outbox_news.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include <twiliowa/types/sid.hpp>

namespace twiliowa::detail {
namespace {

std::chrono::milliseconds whole_milliseconds(TimePoint::duration time) {
    return std::max(std::chrono::duration_cast<std::chrono::milliseconds>(time),
                    std::chrono::milliseconds{0});
}

/// As to_string(CampaignPhase), which lies above.
constexpr std::string_view finished_phase = "finished";

/// Whether the campaign of a job waits for it.
bool is_awaited(JobState state) noexcept {
    return state <= JobState::unknown;
}

JobChange change_of(Outcome outcome) noexcept {
    switch (outcome) {
        case Outcome::accepted:
            return JobChange::accepted;
        case Outcome::delivered:
            return JobChange::delivered;
        case Outcome::read:
            return JobChange::read;
        case Outcome::undelivered:
            return JobChange::undelivered;
        case Outcome::dead:
            return JobChange::dead;
        case Outcome::held:
            return JobChange::held;
        case Outcome::cancelled:
            return JobChange::cancelled;
        case Outcome::doubled:
            break;
    }
    return JobChange::doubled;
}

}  // namespace

JobMark::JobMark(const StoredJob& job) noexcept
    : state(job.state),
      suspect(job.suspect_since.has_value()),
      looks(job.looks),
      attempts(job.attempts.size()),
      unsent(static_cast<std::size_t>(
          std::count_if(job.attempts.begin(), job.attempts.end(),
                        [](const auto& each) { return each.state == AttemptState::not_sent; }))),
      not_before(job.not_before) {}

std::string_view name_of(Pause::Of of) noexcept {
    switch (of) {
        case Pause::Of::outbox:
            return "outbox";
        case Pause::Of::sender:
            return "sender";
        case Pause::Of::tenant:
            return "tenant";
        case Pause::Of::account:
            break;
    }
    return "account";
}

std::string_view told_sender(std::string_view sender) noexcept {
    return MessagingServiceSid::parse(sender) ? sender : std::string_view{};
}

// ---- Gathering

void OutboxNews::add(JobChange change, std::optional<JobState> before, const StoredJob& job,
                     TimePoint now) {
    auto& news = std::get<OfJob>(news_.emplace_back(OfJob{}));
    news.change = change;
    news.job = job.id;
    news.before = before;
    news.state = job.state;
    news.reason = job.reason;
    news.evidence = job.evidence;
    news.problem = job.problem;
    news.account = job.account;
    news.tag = job.tag;
    news.campaign = job.campaign;
    news.lane = job.lane;
    news.message_sid =
        change == JobChange::doubled && !job.doubles.empty() ? job.doubles.back() : job.sid;
    // Of what goes again it is the earlier attempt's.
    if (change != JobChange::sending) news.error_code = job.error_code;
    news.attempts = job.attempts.size();
    news.looks = job.looks;
    news.since_created = whole_milliseconds(now - job.created_at);
    if (job.state == JobState::ready) news.wait = whole_milliseconds(job.not_before - now);
}

void OutboxNews::enqueued(const StoredJob& job, TimePoint now) {
    add(JobChange::enqueued, std::nullopt, job, now);
}

void OutboxNews::adopted(const StoredJob& job, TimePoint now) {
    add(JobChange::adopted, std::nullopt, job, now);
}

void OutboxNews::changed(const JobMark& before, const StoredJob& job,
                         std::span<const Outcome> outcomes, TimePoint now) {
    if (!job.campaign.empty() && job.step == 0 &&
        is_awaited(before.state) != is_awaited(job.state)) {
        endings_.try_emplace(job.campaign, false);
    }
    const JobMark after{job};
    if (after.suspect && !before.suspect) {
        // There may be as many as there are jobs.
        ++suspects_[job.problem];
        return;
    }
    const auto tell_of = [&](JobChange change) { add(change, before.state, job, now); };
    const bool is_ready = after.state == JobState::ready;
    const bool was_decided = before.state == JobState::dead || before.state == JobState::held ||
                             before.state == JobState::unknown;
    // What is sent again at once was unknown in between.
    const bool goes_again = before.state == JobState::sending && is_ready && job.in_doubt();
    if (after.attempts > before.attempts && after.state == JobState::sending) {
        tell_of(JobChange::sending);
    }
    if (after.unsent > before.unsent && !(is_ready && was_decided)) tell_of(JobChange::not_sent);
    if (after.looks > before.looks) tell_of(JobChange::looked);
    if (goes_again || (after.state == JobState::unknown && before.state != JobState::unknown)) {
        tell_of(JobChange::unknown);
    }
    for (const auto outcome : outcomes) tell_of(change_of(outcome));
    if (!is_ready) return;
    const bool is_cleared = before.state == JobState::ready && before.suspect && !after.suspect;
    const bool was_in_hand = before.state == JobState::ready || before.state == JobState::claimed;
    if (was_decided || goes_again || is_cleared) {
        tell_of(JobChange::requeued);
    } else if (was_in_hand && after.not_before > before.not_before) {
        tell_of(JobChange::postponed);
    }
}

void OutboxNews::paused(const Pause& pause, bool by_itself) {
    news_.emplace_back(OfPause{true, pause, by_itself});
}

void OutboxNews::resumed(Pause::Of of, std::string_view name, bool by_itself) {
    news_.emplace_back(OfPause{false, {.of = of, .name = std::string{name}}, by_itself});
}

void OutboxNews::campaign_changed(std::optional<CampaignState> before,
                                  const StoredCampaign& campaign) {
    if (before == campaign.state) return;
    news_.emplace_back(OfCampaign{campaign.id, before ? to_string(*before) : std::string_view{},
                                  to_string(campaign.state), campaign.problem});
    if (campaign.state == CampaignState::running) endings_[campaign.id] = true;
}

void OutboxNews::campaign_ended(const std::string& id, bool is_over) {
    const auto running = to_string(CampaignState::running);
    news_.emplace_back(
        OfCampaign{id, is_over ? running : finished_phase, is_over ? finished_phase : running, {}});
}

// ---- Telling

void OutboxNews::tell_of(Observer& observer, const OfJob& news) {
    const auto id = news.job.str();
    JobEvent event;
    event.change = news.change;
    event.job = id;
    if (news.before) event.before = to_string(*news.before);
    event.state = to_string(news.state);
    if (news.reason != DeadReason::none) event.reason = to_string(news.reason);
    if (news.evidence != Evidence::none) event.evidence = to_string(news.evidence);
    event.problem = news.problem;
    event.account = news.account;
    event.tag = news.tag;
    event.campaign = news.campaign;
    event.lane = to_string(news.lane);
    event.message_sid = news.message_sid;
    event.error_code = news.error_code;
    event.attempts = static_cast<int>(news.attempts);
    event.looks = news.looks;
    event.since_created = news.since_created;
    event.wait = news.wait;
    observer.on_job(event);
}

void OutboxNews::tell_of(Observer& observer, const OfPause& news) {
    const bool is_sender = news.pause.of == Pause::Of::sender;
    observer.on_pause({.paused = news.paused,
                       .of = name_of(news.pause.of),
                       .name = is_sender ? told_sender(news.pause.name) : news.pause.name,
                       .reason = news.pause.reason,
                       .by_itself = news.by_itself});
}

void OutboxNews::tell_of(Observer& observer, const OfCampaign& news) {
    observer.on_campaign(
        {.campaign = news.id, .before = news.before, .phase = news.phase, .problem = news.problem});
}

void OutboxNews::tell(Observer& observer, bool committed) const {
    for (const auto& event : full_) observer.on_outbox_full(event);
    if (!committed) return;
    for (const auto& [problem, jobs] : suspects_) {
        observer.on_suspect_jobs({.jobs = jobs, .problem = problem});
    }
    for (const auto& news : news_) {
        std::visit([&](const auto& one) { tell_of(observer, one); }, news);
    }
}

}  // namespace twiliowa::detail
