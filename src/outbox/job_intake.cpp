#include "outbox/job_intake.hpp"

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "outbox/chain.hpp"

namespace twiliowa::detail {
namespace {

Error other_content() {
    return Error::invalid_request("key", "was used for another message",
                                  "give each message a key of its own; for the same one hand over "
                                  "the same message");
}

Error too_many_waiting(std::string_view option) {
    return Error::invalid_request(option, "is reached: too many jobs wait",
                                  "let them go first, or raise the limit");
}

}  // namespace

Result<PreparedJob> JobIntake::prepare(const OutboundMessage& message,
                                       const JobOptions& options) const {
    const auto now = core_->now();
    return prepare(message, options, core_->new_job_ids(now).next(), now);
}

Result<PreparedJob> JobIntake::prepare(const OutboundMessage& message, const JobOptions& options,
                                       const JobId& id, TimePoint now) const {
    auto stored =
        core_->codec.encode(message, options, defaults_of(message, options.account), id, now);
    if (!stored) return stored.error();
    const auto in_time = check_in_time(options, now);
    if (options.key.empty() && !in_time) return in_time.error();
    PreparedJob prepared{std::move(*stored), options.key, {}, {}};
    if (prepared.key.empty()) return prepared;
    if (!in_time) prepared.too_late = in_time.error();
    auto keys = core_->codec.keys_of(options.tenant, options.key);
    if (!keys) return keys.error();
    prepared.keys = std::move(*keys);
    return prepared;
}

Result<EnqueuedJob> JobIntake::take_in(OutboxTransaction& transaction,
                                       const PreparedJob& job) const {
    if (has_fallbacks(job.stored)) {
        // An engine that keeps no chains says so now, and not when the next step is due.
        const std::string none;
        if (auto kept = transaction.campaigns(std::span{&none, 1}); !kept) return kept.error();
    }
    if (asks_first(job)) {
        const auto holder = holder_of(transaction, job);
        if (!holder) return holder.error();
        if (*holder) return answer_of(job, **holder);
        if (job.too_late) return *job.too_late;
        if (auto room = check_room(transaction, job.stored); !room) return room.error();
    }
    const auto inserted = transaction.insert(job.stored);
    if (!inserted) return inserted.error();
    auto* const news = OutboxNews::of(transaction);
    if (news != nullptr && inserted->inserted) news->enqueued(job.stored, transaction.now());
    return answer_of(job, *inserted);
}

Result<EnqueuedJob> JobIntake::take_in(OutboxTransaction& transaction, const PreparedJob& job,
                                       TimePoint arrived_at) const {
    const auto doubtful = core_->went_back_since(transaction, arrived_at);
    if (!doubtful) return doubtful.error();
    if (!*doubtful) return take_in(transaction, job);
    auto since = job;
    // From when on it may have been sent.
    since.stored.created_at = std::min(since.stored.created_at, arrived_at);
    auto taken = take_in(transaction, since);
    if (!taken || taken->existed) return taken;
    if (auto marked = core_->doubt_if_lost(transaction, taken->id, arrived_at); !marked) {
        return marked.error();
    }
    return taken;
}

Result<EnqueuedJob> JobIntake::answer_of(const PreparedJob& job,
                                         const InsertedJob& inserted) const {
    const auto named = job.key.empty() ? job.stored.id.str() : job.key;
    if (!inserted.inserted) {
        const auto same = core_->codec.is_same_content(job.stored, inserted.content_hash);
        if (!same) return same.error();
        if (!*same) return other_content();
    }
    return EnqueuedJob{inserted.id, named, !inserted.inserted,
                       inserted.inserted ? JobState::ready : inserted.state};
}

/// Who has the job's key already, under whichever key of the ring.
Result<std::optional<InsertedJob>> JobIntake::holder_of(OutboxTransaction& transaction,
                                                        const PreparedJob& job) const {
    for (const auto& key : job.keys) {
        auto holder = transaction.find_key(job.stored.tenant, key);
        if (!holder || *holder) return holder;
    }
    return std::optional<InsertedJob>{};
}

/// Whether something is to be known before a job is inserted. Its only key's holder is found by the
/// insert itself.
bool JobIntake::asks_first(const PreparedJob& job) const noexcept {
    const auto& options = core_->options;
    return job.too_late || job.keys.size() > 1 || options.max_waiting > 0 ||
           options.max_waiting_per_tenant > 0;
}

/// Whether there is room for a job that is new.
Result<void> JobIntake::check_room(OutboxTransaction& transaction, const StoredJob& job) const {
    const auto full = [&](std::int64_t most, const std::optional<std::string>& tenant,
                          std::string_view option) -> Result<void> {
        if (most == 0) return {};
        const auto waiting = transaction.waiting(tenant);
        if (!waiting) return waiting.error();
        if (*waiting < most) return {};
        if (auto* const news = OutboxNews::of(transaction)) {
            news->refused_as_full(
                {.of_tenant = tenant.has_value(), .limit = most, .waiting = *waiting});
        }
        return too_many_waiting(option);
    };
    const auto& options = core_->options;
    if (auto room = full(options.max_waiting, std::nullopt, "max_waiting"); !room) return room;
    return full(options.max_waiting_per_tenant, job.tenant, "max_waiting_per_tenant");
}

/// What the account's client sends as; nothing if it is not here, or need not be known.
JobDefaults JobIntake::defaults_of(const OutboundMessage& message,
                                   const std::string& account) const {
    const bool names_sender = !message.from.empty() || !message.messaging_service_sid.empty();
    if (names_sender || !core_->options.client) return {};
    const auto known = core_->account(account);
    if (known.client() == nullptr) return {};
    const auto defaults = known.client()->send_defaults();
    return {Address::from_wire(defaults.from).text(), defaults.messaging_service_sid};
}

}  // namespace twiliowa::detail
