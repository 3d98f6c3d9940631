#include <twiliowa/testing/memory_outbox.hpp>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include <twiliowa/state/store.hpp>

#include "testing/memory_inbox.hpp"

namespace twiliowa::testing {

namespace memory_outbox {

using KeyOf = std::pair<std::string, std::string>;  ///< Tenant and key.

struct KeptKey {
    JobId id = {};
    std::string content_hash = {};
    std::optional<TimePoint> removed_at = {};  ///< When its job's row went.
};

struct KeptAttempt {
    int number = 0;
    std::optional<TimePoint> removed_at = {};
};

using SlotOf = std::tuple<std::string, std::int64_t, TimePoint>;  ///< Quota, period and begin.

struct KeptCount {
    std::int64_t used = 0;
    std::int64_t peak = 0;
    TimePoint keep_until = {};
};

/// A campaign, variant, step, state and reason.
using CampaignPlace = std::tuple<std::string, int, int, JobState, DeadReason>;

struct CampaignSum {
    std::int64_t jobs = 0;
    std::int64_t spend = 0;
};

/// All that a MemoryOutbox holds.
struct OutboxTables {
    std::map<JobId, StoredJob> jobs = {};
    std::map<std::int64_t, JobId> by_sequence = {};
    std::map<KeyOf, KeptKey> keys = {};
    std::map<std::pair<JobId, AttemptNonce>, KeptAttempt> attempts = {};
    std::map<std::int64_t, StoredOutcome> outcomes = {};
    std::map<std::string, std::string> facts = {};
    std::map<SlotOf, KeptCount> quotas = {};
    std::vector<Pause> pauses = {};
    std::map<std::string, StoredCampaign> campaigns = {};
    std::map<CampaignPlace, CampaignSum> campaign_sums = {};
    InboxTables inbox = {};
    std::int64_t last_sequence = 0;
    std::int64_t last_cursor = 0;
    std::int64_t told = 0;
};

}  // namespace memory_outbox

namespace {

using namespace memory_outbox;

LeaseTime lease_time_of(const Clock& clock) {
    return {"memory", std::chrono::duration_cast<std::chrono::microseconds>(
                          clock.monotonic_now().time_since_epoch())
                          .count()};
}

bool is_unfinished(const StoredJob& job) {
    return job.state < JobState::accepted;
}

/// Works on the tables, and knows how to undo it.
class MemoryTransaction final : public OutboxTransaction {
public:
    MemoryTransaction(OutboxTables& tables, const Clock& clock)
        : tables_(tables), clock_(clock), inbox_(tables.inbox, clock, undo_) {}

    void undo() noexcept {
        for (auto step = undo_.rbegin(); step != undo_.rend(); ++step) (*step)();
        undo_.clear();
    }

    TimePoint now() override { return clock_.now(); }
    LeaseTime lease_now() override { return lease_time_of(clock_); }

    Result<InsertedJob> insert(const StoredJob& job) override {
        const auto holder = find_key(job.tenant, job.key);
        if (!holder) return holder.error();
        if (*holder) return **holder;
        const KeyOf key{job.tenant, job.key};
        auto row = job;
        row.sequence = ++tables_.last_sequence;
        row.revision = 1;
        tables_.keys[key] = {job.id, job.content_hash, std::nullopt};
        tables_.by_sequence[row.sequence] = job.id;
        undo_.emplace_back([this, key, id = job.id, sequence = row.sequence] {
            tables_.keys.erase(key);
            tables_.by_sequence.erase(sequence);
            tables_.jobs.erase(id);
        });
        count_campaign(row, 1);
        tables_.jobs[job.id] = std::move(row);
        return InsertedJob{.inserted = true, .id = job.id};
    }

    Result<std::vector<StoredJob>> load(std::span<const JobId> ids) override {
        std::vector<StoredJob> found;
        for (const auto& id : ids) {
            const auto row = tables_.jobs.find(id);
            if (row != tables_.jobs.end()) found.push_back(row->second);
        }
        return found;
    }

    Result<std::optional<InsertedJob>> find_key(std::string_view tenant,
                                                std::string_view key) override {
        const auto known = tables_.keys.find(KeyOf{tenant, key});
        if (known == tables_.keys.end()) return std::optional<InsertedJob>{};
        InsertedJob holder{.id = known->second.id, .content_hash = known->second.content_hash};
        const auto row = tables_.jobs.find(holder.id);
        holder.state = row == tables_.jobs.end() ? JobState::delivered : row->second.state;
        return std::optional{holder};
    }

    Result<std::optional<int>> find_attempt(const JobId& job, const AttemptNonce& nonce) override {
        const auto known = tables_.attempts.find({job, nonce});
        if (known == tables_.attempts.end()) return std::optional<int>{};
        return std::optional<int>{known->second.number};
    }

    Result<std::optional<JobId>> find_sid(std::string_view sid) override {
        if (sid.empty()) return std::optional<JobId>{};
        for (const auto& [id, job] : tables_.jobs) {
            if (job.sid == sid) return std::optional<JobId>{id};
        }
        return std::optional<JobId>{};
    }

    Result<void> save(StoredJob& job) override {
        const auto row = tables_.jobs.find(job.id);
        if (row == tables_.jobs.end() || row->second.revision != job.revision) {
            return store_error("has a job that another changed meanwhile", "read it again");
        }
        keep_row(row->second);
        ++job.revision;
        for (const auto& attempt : job.attempts) {
            const auto at = std::pair{job.id, attempt.nonce};
            if (tables_.attempts.try_emplace(at, KeptAttempt{attempt.number, {}}).second) {
                undo_.emplace_back([this, at] { tables_.attempts.erase(at); });
            }
        }
        count_campaign(row->second, -1);
        count_campaign(job, 1);
        row->second = job;
        return {};
    }

    Result<std::vector<ReadyGroup>> ready_groups() override {
        std::set<ReadyGroup> groups;
        for (const auto& each : tables_.jobs) {
            if (can_wait(each.second)) groups.insert(group_of(each.second));
        }
        return std::vector<ReadyGroup>(groups.begin(), groups.end());
    }

    Result<std::vector<StoredJob>> ready(const ReadyQuery& query) override {
        std::vector<StoredJob> found;
        std::set<std::pair<std::string, std::string>> blocked;
        for (const auto& [sequence, id] : tables_.by_sequence) {
            const auto& job = tables_.jobs.at(id);
            const std::pair<std::string, std::string> order{job.tenant, job.order_key};
            const bool free = job.order_key.empty() || !blocked.contains(order);
            const bool overtaken =
                job.state == JobState::held && job.updated_at < query.held_before;
            if (is_unfinished(job) && !overtaken && !job.order_key.empty()) blocked.insert(order);
            if (!free) continue;
            if (can_wait(job) && group_of(job) == query.group && job.not_before <= query.now) {
                found.push_back(job);
            }
        }
        std::stable_sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
            return std::tie(a.not_before, a.sequence) < std::tie(b.not_before, b.sequence);
        });
        found.resize(std::min(found.size(), query.limit));
        return found;
    }

    Result<std::vector<StoredJob>> due(Due what, TimePoint before, std::size_t limit) override {
        std::vector<std::pair<TimePoint, const StoredJob*>> found;
        const auto lease = lease_now();
        for (const auto& each : tables_.jobs) {
            const auto& job = each.second;
            if (const auto at = due_at(what, job, lease); at && *at <= before) {
                found.emplace_back(*at, &job);
            }
        }
        std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) {
            return std::tie(a.first, a.second->sequence) < std::tie(b.first, b.second->sequence);
        });
        std::vector<StoredJob> jobs;
        for (const auto& each : found) {
            if (jobs.size() == limit) break;
            jobs.push_back(*each.second);
        }
        return jobs;
    }

    Result<std::optional<TimePoint>> next_due() override {
        std::optional<TimePoint> next;
        const auto take = [&](std::optional<TimePoint> at) {
            if (at && (!next || *at < *next)) next = at;
        };
        for (const auto& each : tables_.jobs) {
            const auto& job = each.second;
            if (job.state == JobState::ready) {
                take(job.expires_at);
                if (!job.suspect_since) take(job.not_before);
            }
            take(job.next_look);
            take(job.chain_due);
            take(job.price_due);
        }
        return next;
    }

    Result<std::optional<TimePoint>> last_change() override {
        std::optional<TimePoint> last;
        for (const auto& each : tables_.jobs) {
            const auto& job = each.second;
            if (job.state == JobState::ready) continue;
            if (!last || *last < job.updated_at) last = job.updated_at;
        }
        return last;
    }

    Result<std::vector<StoredJob>> list(const JobFilter& filter) override {
        std::vector<StoredJob> found;
        for (auto each = tables_.by_sequence.upper_bound(filter.after);
             each != tables_.by_sequence.end() && found.size() < filter.limit; ++each) {
            const auto& job = tables_.jobs.at(each->second);
            if (passes(filter, job)) found.push_back(job);
        }
        return found;
    }

    Result<std::map<JobState, std::int64_t>> counts() override {
        std::map<JobState, std::int64_t> counted;
        for (const auto& each : tables_.jobs) ++counted[each.second.state];
        return counted;
    }

    Result<std::int64_t> waiting(const std::optional<std::string>& tenant) override {
        std::int64_t counted = 0;
        for (const auto& each : tables_.jobs) {
            if (is_unfinished(each.second) && (!tenant || each.second.tenant == *tenant)) ++counted;
        }
        return counted;
    }

    Result<std::vector<StoredJob>> strangers(std::size_t) override {
        return std::vector<StoredJob>{};
    }
    Result<void> rewrite(StoredJob& job) override {
        const auto before = tables_.jobs.find(job.id);
        if (before != tables_.jobs.end()) {
            undo_.emplace_back([this, old = tables_.keys] { tables_.keys = old; });
            auto kept = tables_.keys.extract(KeyOf{job.tenant, before->second.key});
            if (!kept.empty()) {
                kept.key() = KeyOf{job.tenant, job.key};
                kept.mapped().content_hash = job.content_hash;
                tables_.keys.insert(std::move(kept));
            }
        }
        return save(job);
    }

    Result<void> add_outcome(const StoredOutcome& outcome) override {
        const auto cursor = ++tables_.last_cursor;
        auto& row = tables_.outcomes[cursor];
        row = outcome;
        row.cursor = cursor;
        undo_.emplace_back([this, cursor] { tables_.outcomes.erase(cursor); });
        return {};
    }

    Result<std::vector<StoredOutcome>> outcomes(std::int64_t after, std::size_t limit) override {
        std::vector<StoredOutcome> found;
        for (auto each = tables_.outcomes.upper_bound(after);
             each != tables_.outcomes.end() && found.size() < limit; ++each) {
            found.push_back(each->second);
        }
        return found;
    }

    Result<std::int64_t> told() override { return tables_.told; }
    Result<void> set_told(std::int64_t cursor) override {
        undo_.emplace_back([this, old = tables_.told] { tables_.told = old; });
        tables_.told = std::max(tables_.told, cursor);
        return {};
    }

    Result<std::optional<std::vector<QuotaCount>>> take_quota(
        std::string_view quota, std::span<const CountedSlot> slots) override {
        std::vector<QuotaCount> counts;
        for (const auto& slot : slots) {
            const auto kept = tables_.quotas.find({std::string{quota}, slot.period, slot.begin});
            counts.push_back(count_of(slot.period, slot.begin,
                                      kept == tables_.quotas.end() ? KeptCount{} : kept->second));
        }
        return std::optional{std::move(counts)};
    }
    Result<void> count_quota(const QuotaUse& use) override {
        const SlotOf at{use.quota, use.slot.period, use.slot.begin};
        const auto before = tables_.quotas.find(at);
        if (before == tables_.quotas.end()) {
            undo_.emplace_back([this, at] { tables_.quotas.erase(at); });
        } else {
            undo_.emplace_back([this, at, old = before->second] { tables_.quotas[at] = old; });
        }
        auto& kept = tables_.quotas[at];
        kept.used = std::max<std::int64_t>(kept.used + use.more, 0);
        kept.peak = std::max({kept.peak, use.peak, kept.used});
        kept.keep_until = std::max(kept.keep_until, use.keep_until);
        return {};
    }
    Result<std::vector<QuotaCount>> quota_history(std::string_view quota, std::int64_t period,
                                                  TimePoint from, TimePoint to) override {
        std::vector<QuotaCount> counts;
        for (auto each = tables_.quotas.lower_bound({std::string{quota}, period, from});
             each != tables_.quotas.end(); ++each) {
            const auto& [name, its_period, begin] = each->first;
            if (name != quota || its_period != period || begin >= to) break;
            counts.push_back(count_of(period, begin, each->second));
        }
        return counts;
    }

    Result<std::vector<NamedQuotaCount>> quota_histories(std::string_view prefix,
                                                         std::int64_t period, TimePoint from,
                                                         TimePoint to, std::string_view after,
                                                         std::size_t limit) override {
        std::vector<NamedQuotaCount> counts;
        for (const auto& [at, kept] : tables_.quotas) {
            const auto& [name, its_period, begin] = at;
            if (!name.starts_with(prefix) || name <= after || its_period != period) continue;
            if (begin < from || begin >= to) continue;
            // All of a name, so that `after` leaves none out.
            if (counts.size() >= limit && (limit == 0 || counts.back().quota != name)) break;
            counts.push_back({name, count_of(period, begin, kept)});
        }
        return counts;
    }

    Result<std::vector<StoredCampaign>> campaigns(std::span<const std::string> ids) override {
        std::vector<StoredCampaign> found;
        for (const auto& [id, campaign] : tables_.campaigns) {
            if (ids.empty() || std::find(ids.begin(), ids.end(), id) != ids.end()) {
                found.push_back(campaign);
            }
        }
        std::stable_sort(found.begin(), found.end(),
                         [](const auto& a, const auto& b) { return a.created_at < b.created_at; });
        return found;
    }
    Result<bool> insert_campaign(const StoredCampaign& campaign) override {
        auto row = campaign;
        row.revision = 1;
        const bool is_new = tables_.campaigns.try_emplace(row.id, std::move(row)).second;
        if (is_new) {
            undo_.emplace_back([this, id = campaign.id] { tables_.campaigns.erase(id); });
        }
        return is_new;
    }
    Result<void> save_campaign(StoredCampaign& campaign) override {
        const auto row = tables_.campaigns.find(campaign.id);
        if (row == tables_.campaigns.end() || row->second.revision != campaign.revision) {
            return store_error("has a campaign that another changed meanwhile", "read it again");
        }
        undo_.emplace_back([this, old = row->second] { tables_.campaigns[old.id] = old; });
        ++campaign.revision;
        row->second = campaign;
        return {};
    }
    Result<std::vector<CampaignCount>> campaign_counts(std::string_view campaign) override {
        std::vector<CampaignCount> counts;
        for (const auto& [at, sum] : tables_.campaign_sums) {
            const auto& [id, variant, step, state, reason] = at;
            if (id != campaign || (sum.jobs == 0 && sum.spend == 0)) continue;
            counts.push_back({variant, step, state, reason, sum.jobs, sum.spend});
        }
        return counts;
    }

    Result<std::vector<Pause>> pauses() override { return tables_.pauses; }
    Result<void> pause(const Pause& pause) override {
        keep_pauses();
        std::erase_if(tables_.pauses, [&](const auto& each) { return each.same_place(pause); });
        tables_.pauses.push_back(pause);
        return {};
    }
    Result<void> resume(Pause::Of of, std::string_view name) override {
        keep_pauses();
        std::erase_if(tables_.pauses,
                      [&](const auto& each) { return each.of == of && each.name == name; });
        return {};
    }

    Result<std::string> fact(std::string_view name) override {
        const auto known = tables_.facts.find(std::string{name});
        return known == tables_.facts.end() ? std::string{} : known->second;
    }
    Result<void> set_fact(std::string_view name, std::string_view value) override {
        undo_.emplace_back([this, old = tables_.facts] { tables_.facts = old; });
        tables_.facts[std::string{name}] = value;
        return {};
    }

    Result<std::int64_t> redact(TimePoint before, std::size_t limit) override {
        std::int64_t erased = 0;
        for (auto& each : tables_.jobs) {
            auto& job = each.second;
            if (!is_final(job.state) || job.updated_at >= before || job.payload.empty()) continue;
            if (static_cast<std::size_t>(erased) == limit) break;
            keep_row(job);
            job.payload.clear();
            ++job.revision;
            ++erased;
        }
        return erased;
    }

    Result<std::int64_t> purge(TimePoint before, std::optional<TimePoint> keys_before,
                               std::size_t limit) override {
        std::vector<JobId> gone;
        for (const auto& [id, job] : tables_.jobs) {
            if (gone.size() == limit) break;
            if (is_final(job.state) && job.updated_at < before) gone.push_back(id);
        }
        const auto at = now();
        undo_.emplace_back([this, old = tables_] { tables_ = old; });
        for (const auto& id : gone) {
            tables_.by_sequence.erase(tables_.jobs.at(id).sequence);
            tables_.jobs.erase(id);
        }
        for (auto& [key, kept] : tables_.keys) {
            if (!kept.removed_at && !tables_.jobs.contains(kept.id)) kept.removed_at = at;
        }
        for (auto& [marker, kept] : tables_.attempts) {
            if (!kept.removed_at && !tables_.jobs.contains(marker.first)) kept.removed_at = at;
        }
        const auto is_over = [&](const auto& each) {
            return keys_before && each.second.removed_at && *each.second.removed_at <= *keys_before;
        };
        std::erase_if(tables_.keys, is_over);
        std::erase_if(tables_.attempts, is_over);
        std::erase_if(tables_.quotas,
                      [&](const auto& each) { return each.second.keep_until <= at; });
        std::erase_if(tables_.outcomes,
                      [&](const auto& each) { return !tables_.jobs.contains(each.second.job); });
        return static_cast<std::int64_t>(gone.size());
    }

    InboxTransaction* inbox() override { return &inbox_; }

private:
    static QuotaCount count_of(std::int64_t period, TimePoint begin, const KeptCount& kept) {
        return {.period = period,
                .begin = begin,
                .used = kept.used,
                .peak = kept.peak,
                .peak_before = kept.peak};
    }
    static bool can_wait(const StoredJob& job) {
        return job.state == JobState::ready && !job.suspect_since;
    }
    static ReadyGroup group_of(const StoredJob& job) {
        return {job.sender, job.lane, job.tenant, job.account, job.campaign};
    }
    static bool passes(const JobFilter& filter, const StoredJob& job) {
        return (!filter.state || job.state == *filter.state) &&
               (!filter.tenant || job.tenant == *filter.tenant) &&
               (filter.account.empty() || job.account == filter.account) &&
               (filter.sender.empty() || job.sender == filter.sender) &&
               (filter.tag.empty() || job.tag == filter.tag) &&
               (filter.campaign.empty() || job.campaign == filter.campaign) &&
               (filter.customers.empty() ||
                std::find(filter.customers.begin(), filter.customers.end(), job.customer) !=
                    filter.customers.end()) &&
               (!filter.suspect_only || job.suspect_since);
    }
    static std::optional<TimePoint> due_at(Due what, const StoredJob& job, const LeaseTime& lease) {
        switch (what) {
            case Due::lease:
                if ((job.state == JobState::claimed || job.state == JobState::sending) &&
                    job.lease_until.ended(lease)) {
                    return job.updated_at;
                }
                return std::nullopt;
            case Due::look:
                return job.next_look;
            case Due::expiry:
                return job.state == JobState::ready ? job.expires_at : std::nullopt;
            case Due::fetch:
                if (job.state == JobState::accepted) return job.updated_at;
                return std::nullopt;
            case Due::chain:
                return job.chain_due;
            case Due::price:
                return job.price_due;
        }
        return std::nullopt;
    }
    void count_campaign(const StoredJob& job, std::int64_t jobs) {
        if (job.campaign.empty()) return;
        const CampaignPlace at{job.campaign, job.variant, job.step, job.state, job.reason};
        undo_.emplace_back(
            [this, at, old = tables_.campaign_sums[at]] { tables_.campaign_sums[at] = old; });
        auto& sum = tables_.campaign_sums[at];
        sum.jobs += jobs;
        sum.spend += jobs * job.spend;
    }
    void keep_row(const StoredJob& job) {
        undo_.emplace_back([this, old = job] { tables_.jobs[old.id] = old; });
    }
    void keep_pauses() {
        undo_.emplace_back([this, old = tables_.pauses] { tables_.pauses = old; });
    }

    OutboxTables& tables_;
    const Clock& clock_;
    UndoSteps undo_ = {};
    MemoryInbox inbox_;
};

}  // namespace

struct MemoryOutbox::State {
    explicit State(std::shared_ptr<Clock> chosen) : clock(std::move(chosen)) {}

    const std::shared_ptr<Clock> clock;
    mutable std::mutex mutex;
    memory_outbox::OutboxTables tables = {};
    bool works = true;
    std::string identity = "memory";
};

MemoryOutbox::MemoryOutbox(std::shared_ptr<Clock> clock)
    : state_(std::make_unique<State>(clock ? std::move(clock) : system_clock())) {}
MemoryOutbox::~MemoryOutbox() = default;

Result<void> MemoryOutbox::transact(const Work& work) {
    const std::lock_guard lock(state_->mutex);
    if (!state_->works) return store_error("has no room to write");
    MemoryTransaction transaction{state_->tables, *state_->clock};
    try {
        auto done = work(transaction);
        if (!done) transaction.undo();
        return done;
    } catch (...) {
        transaction.undo();
        throw;
    }
}

std::uint32_t MemoryOutbox::outbox_id() const {
    return 0x6d656d30;
}

LeaseTime MemoryOutbox::lease_now() const {
    return lease_time_of(*state_->clock);
}

std::string MemoryOutbox::identity() const {
    const std::lock_guard lock(state_->mutex);
    return state_->identity;
}

void MemoryOutbox::set_works(bool works) {
    const std::lock_guard lock(state_->mutex);
    state_->works = works;
}

std::shared_ptr<MemoryOutbox> MemoryOutbox::copy() const {
    const std::lock_guard lock(state_->mutex);
    auto copied = std::make_shared<MemoryOutbox>(state_->clock);
    copied->state_->tables = state_->tables;
    return copied;
}

void MemoryOutbox::set_identity(std::string identity) {
    const std::lock_guard lock(state_->mutex);
    state_->identity = std::move(identity);
}

}  // namespace twiliowa::testing
