#include "outbox/chain_steps.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "outbox/chain.hpp"

namespace twiliowa::detail {
namespace {

/// The next step of a job.
struct TakenStep {
    std::optional<StoredJob> job = {};  ///< Nullopt: it was removed.
};

bool is_told(std::span<const Outcome> outcomes, Outcome outcome) {
    return std::find(outcomes.begin(), outcomes.end(), outcome) != outcomes.end();
}

void note_end(StoredJob& job, std::string_view problem) {
    // Told again with each report, and noted once.
    if (job.problem.find(problem) != std::string::npos) return;
    if (!job.problem.empty()) job.problem += "; ";
    job.problem += problem;
}

/// One message has one that follows it, whatever called for it. A job of the program's own under
/// such a key is none.
/// @param own_key  the job's, as it was given
Result<std::optional<TakenStep>> taken_step(const OutboxCore& core, OutboxTransaction& transaction,
                                            const StoredJob& job, const std::string& own_key) {
    for (const auto name : chain_step_names) {
        const auto keys = core.codec.keys_of(job.tenant, own_key + std::string{name});
        if (!keys) return keys.error();
        for (const auto& key : *keys) {
            const auto holder = transaction.find_key(job.tenant, key);
            if (!holder) return holder.error();
            if (!*holder) continue;
            auto jobs = transaction.load(std::span{&(*holder)->id, 1});
            if (!jobs) return jobs.error();
            if (jobs->empty()) return std::optional{TakenStep{}};
            if (jobs->front().step != job.step + 1) continue;
            return std::optional{TakenStep{std::move(jobs->front())}};
        }
    }
    return std::optional<TakenStep>{};
}

Result<bool> is_of_cancelled_campaign(OutboxTransaction& transaction, const StoredJob& job) {
    if (job.campaign.empty()) return false;
    const auto campaigns = transaction.campaigns(std::span{&job.campaign, 1});
    if (!campaigns) return campaigns.error();
    return !campaigns->empty() && campaigns->front().state == CampaignState::cancelled;
}

/// The job that fallback `index` of `content` makes.
Result<StoredJob> make_step(const OutboxCore& core, TimePoint now, const StoredJob& job,
                            JobCodec::Content content, std::size_t index) {
    const auto& fallback = content.fallbacks[index];
    auto message = message_of_step(fallback, content.message);
    if (!message) return Error::invalid_request("to", "has no phone number");
    const JobOptions options{
        .key = content.key + std::string{chain_step_name(fallback)},
        .tenant = job.tenant,
        .tag = job.tag,
        .account = job.account,
        .expires_at = job.expires_at,
        .lane = job.lane,
        .on_unknown = job.on_unknown,
        .quota = job.quota,
        .cost = job.quota.empty() ? QuotaAmount{1} : QuotaAmount::thousandths(job.cost),
        .time_zone = content.time_zone,
        .fallbacks = {content.fallbacks.begin() + static_cast<std::ptrdiff_t>(index) + 1,
                      content.fallbacks.end()}};
    auto step =
        core.codec.encode(std::move(*message), options, {}, core.new_job_ids(now).next(), now);
    if (!step) return step;
    step->campaign = job.campaign;
    step->variant = job.variant;
    step->step = job.step + 1;
    return step;
}

/// @param failure  what calls for it; nullopt: that it takes so long
Result<void> take_next_step(const OutboxCore& core, OutboxTransaction& transaction, StoredJob& job,
                            JobCodec::Content content, std::optional<FallbackWhen> failure) {
    const auto index = failure ? next_step_for(content.fallbacks, content.message, *failure)
                               : next_step_in_time(content.fallbacks, content.message);
    if (!index) return {};
    const auto taken = taken_step(core, transaction, job, content.key);
    if (!taken) return taken.error();
    if (*taken) return {};
    const auto stopped = is_of_cancelled_campaign(transaction, job);
    if (!stopped) return stopped.error();
    if (*stopped) return {};
    const auto now = transaction.now();
    const auto step = make_step(core, now, job, std::move(content), *index);
    if (!step) {
        // It was checked when it was handed over; another version may see that otherwise.
        note_end(job, "what was to follow it did not: it is refused now");
        return {};
    }
    const auto inserted = transaction.insert(*step);
    if (!inserted) return inserted.error();
    if (!inserted->inserted) {
        note_end(job, "what was to follow it did not: its key was used for another message");
        return {};
    }
    if (auto* const news = OutboxNews::of(transaction)) news->enqueued(*step, now);
    // A later state of the storage may have taken it in, and sent it.
    const auto since = job.attempts.empty() ? job.created_at : job.attempts.back().started_at;
    return core.doubt_if_lost(transaction, step->id, since);
}

/// Whether it was read where the keys of its seal are not.
bool needs_keys(const Error& error) {
    return error.kind() != ErrorKind::invalid_request;
}

std::optional<TimePoint> time_of_next_step(const JobCodec::Content& content, TimePoint accepted) {
    const auto next = next_step_in_time(content.fallbacks, content.message);
    if (!next) return std::nullopt;
    return accepted + *content.fallbacks[*next].after_may_reach_twice;
}

Result<void> follow_failure(const OutboxCore& core, OutboxTransaction& transaction, StoredJob& job,
                            Result<JobCodec::Content> content) {
    if (!content) {
        note_end(job, job.payload.empty()
                          ? "what was to follow it did not: its message was erased"
                          : "what was to follow it did not: its message cannot be read");
        return {};
    }
    const auto failure = called_for_by(job.error_code, content->message.category);
    if (!failure) return {};
    return take_next_step(core, transaction, job, std::move(*content), failure);
}

Result<void> cancel_next_steps(const OutboxCore& core, OutboxTransaction& transaction,
                               const StoredJob& job) {
    auto next = next_step_of(core, transaction, job);
    while (next && *next) {
        auto& step = **next;
        const auto done =
            core.apply(transaction, step, [](JobMachine& machine) { return machine.cancel(); });
        if (!done) return done.error();
        next = next_step_of(core, transaction, step);
    }
    return next ? Result<void>{} : next.error();
}

}  // namespace

Result<std::optional<StoredJob>> next_step_of(const OutboxCore& core,
                                              OutboxTransaction& transaction,
                                              const StoredJob& job) {
    if (!has_fallbacks(job)) return std::optional<StoredJob>{};
    const auto content = core.codec.read(job);
    // Where the message was erased, and keys are not sealed, it is found all the same.
    auto taken = taken_step(core, transaction, job, content ? content->key : job.key);
    if (!taken) return taken.error();
    if (!*taken) return std::optional<StoredJob>{};
    return std::move((*taken)->job);
}

Result<bool> retry_job(const OutboxCore& core, OutboxTransaction& transaction, StoredJob& job) {
    // It would be refused anew.
    if (job.payload.empty()) return false;
    auto next = next_step_of(core, transaction, job);
    while (next && *next) {
        const auto& step = **next;
        const bool did_nothing =
            step.state == JobState::cancelled ||
            (step.state == JobState::dead && step.reason != DeadReason::unknown);
        if (!did_nothing || step.in_doubt()) return false;
        next = next_step_of(core, transaction, step);
    }
    if (!next) return next.error();
    return core.apply(transaction, job, [](JobMachine& machine) { return machine.retry(); });
}

Result<void> keep_chain(const OutboxCore& core, OutboxTransaction& transaction, StoredJob& job,
                        std::span<const Outcome> outcomes) {
    if (!has_fallbacks(job)) return {};
    const bool failed = has_failed(job);
    if (job.state != JobState::accepted) job.chain_due.reset();
    if (is_told(outcomes, Outcome::delivered)) {
        job.problem.clear();
        return cancel_next_steps(core, transaction, job);
    }
    const bool begins = job.state == JobState::accepted && is_told(outcomes, Outcome::accepted) &&
                        !job.cancel_requested;
    if (!begins && !failed) return {};
    auto content = core.codec.read(job);
    if (!content && needs_keys(content.error())) {
        // A worker that has the keys goes on with it.
        job.chain_due = transaction.now();
        return {};
    }
    if (failed) return follow_failure(core, transaction, job, std::move(content));
    if (content) job.chain_due = time_of_next_step(*content, transaction.now());
    return {};
}

Result<bool> overtake(const OutboxCore& core, OutboxTransaction& transaction, StoredJob& job) {
    const auto now = transaction.now();
    if (!job.chain_due || *job.chain_due > now) return false;
    auto content = core.codec.read(job);
    if (!content && needs_keys(content.error())) return false;
    std::optional<TimePoint> again;
    Result<void> followed;
    if (has_failed(job)) {
        followed = follow_failure(core, transaction, job, std::move(content));
    } else if (content && may_overtake(job)) {
        // Whoever took its acceptance in may not have known when it is due.
        const auto at = time_of_next_step(*content, job.attempts.back().started_at);
        if (at && *at > now) {
            again = at;
        } else {
            followed = take_next_step(core, transaction, job, std::move(*content), std::nullopt);
        }
    }
    if (!followed) return followed.error();
    return core.apply(transaction, job,
                      [&](JobMachine& machine) { return machine.chain_came(again); });
}

}  // namespace twiliowa::detail
