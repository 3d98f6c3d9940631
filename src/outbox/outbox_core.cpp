#include "outbox/outbox_core.hpp"

#include <openssl/rand.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <random>
#include <utility>

#include <twiliowa/types/money.hpp>

#include "outbox/chain_steps.hpp"
#include "outbox/job_pages.hpp"
#include "outbox/job_values.hpp"

namespace twiliowa::detail {
namespace {

/// Random bytes, drawn many at a time: OpenSSL takes as long for a few. A process that was forked
/// draws its own.
class RandomBytes {
public:
    void fill(std::span<unsigned char> bytes) {
        const auto process = ::getpid();
        if (process != drawn_by_ || pool_.size() - used_ < bytes.size()) draw(process);
        std::memcpy(bytes.data(), pool_.data() + used_, bytes.size());
        used_ += bytes.size();
    }

private:
    void draw(pid_t process) {
        drawn_by_ = 0;
        if (RAND_bytes(pool_.data(), static_cast<int>(pool_.size())) != 1) {
            Error::transport(Effect::none, Stage::prepare, "there is no randomness to be had")
                .raise();
        }
        used_ = 0;
        drawn_by_ = process;
    }

    std::array<unsigned char, 240> pool_ = {};
    std::size_t used_ = 0;
    pid_t drawn_by_ = 0;
};

void fill_random(std::span<unsigned char> bytes) {
    thread_local RandomBytes random;
    random.fill(bytes);
}

OutboxOptions with_outbox_defaults(OutboxOptions options) {
    if (!options.clock) options.clock = system_clock();
    if (!options.random) {
        options.random = [] {
            thread_local std::minstd_rand generator{std::random_device{}()};
            return std::uniform_real_distribution<double>{}(generator);
        };
    }
    return options;
}

JobRules rules_of(const OutboxOptions& options) {
    JobRules rules;
    rules.max_tries = options.max_tries;
    rules.send_suspects = options.after_restore == AfterRestore::look_then_send;
    return rules;
}

constexpr std::string_view identity_fact = "identity";
/// When the storage was last found to have gone back in time.
constexpr std::string_view went_back_fact = "went_back";
/// By which the clocks of those who take events in may differ from the storage's.
constexpr std::chrono::minutes clocks_differ{1};

std::string stranger_fact(const std::string& sid) {
    return "stranger " + sid;
}
/// Set while observers were told last that the campaign is finished.
std::string finished_fact(const std::string& campaign) {
    return "campaign_finished " + campaign;
}
constexpr std::string_view another_outboxs = "another outbox's";
constexpr std::string_view unmarked = "unmarked";

}  // namespace

bool is_marked(const StoredJob& job) noexcept {
    return !job.attempts.empty() &&
           std::all_of(job.attempts.begin(), job.attempts.end(),
                       [](const StoredAttempt& attempt) { return attempt.marked; });
}

bool is_campaign_over(std::span<const CampaignCount> counts) noexcept {
    bool has_recipients = false;
    for (const auto& count : counts) {
        if (count.step != 0 || count.jobs == 0) continue;
        if (count.state <= JobState::unknown) return false;
        has_recipients = true;
    }
    return has_recipients;
}

OutboxCore::OutboxCore(std::shared_ptr<OutboxStorage> chosen, OutboxOptions asked)
    : storage(std::move(chosen)),
      options(with_outbox_defaults(std::move(asked))),
      rules(rules_of(options)),
      codec(options.on_unknown, options.sealer) {}

Result<void> OutboxCore::transact(const OutboxStorage::Work& work) const {
    OutboxNews::Endings endings;
    auto done = transact(work, endings);
    conclude(endings);
    return done;
}

Result<void> OutboxCore::transact(const OutboxStorage::Work& work,
                                  OutboxNews::Endings& endings) const {
    if (!options.observer) return storage->transact(work);
    OutboxNews news;
    auto done = storage->transact([&](OutboxTransaction& transaction) {
        news = {};
        const OutboxNews::Gathering gathering{transaction, news};
        return work(transaction);
    });
    news.tell(*options.observer, done.has_value());
    if (!done) return done;
    for (const auto& [campaign, runs_anew] : news.endings()) {
        auto& anew = endings[campaign];
        anew = anew || runs_anew;
    }
    return done;
}

Result<void> OutboxCore::conclude(OutboxTransaction& transaction,
                                  const OutboxNews::Endings& endings) const {
    auto* const news = OutboxNews::of(transaction);
    if (news == nullptr || endings.empty()) return {};
    std::vector<std::string> ids;
    for (const auto& each : endings) ids.push_back(each.first);
    const auto campaigns = transaction.campaigns(ids);
    if (!campaigns) return campaigns.error();
    for (const auto& campaign : *campaigns) {
        if (campaign.state != CampaignState::running) continue;
        const auto counts = transaction.campaign_counts(campaign.id);
        if (!counts) return counts.error();
        const auto fact = finished_fact(campaign.id);
        const auto told = transaction.fact(fact);
        if (!told) return told.error();
        const bool over = is_campaign_over(*counts);
        // One that was resumed with nothing left to send is finished again.
        const bool runs_anew = endings.at(campaign.id);
        if (over != told->empty() && !(over && runs_anew)) continue;
        if (auto noted = transaction.set_fact(fact, over ? "1" : ""); !noted) return noted;
        // That it runs was told when it was resumed.
        if (over || !runs_anew) news->campaign_ended(campaign.id, over);
    }
    return {};
}

void OutboxCore::conclude(const OutboxNews::Endings& endings) const {
    if (!options.observer || endings.empty()) return;
    OutboxNews::Endings more;
    // What was committed before stays so, whatever becomes of this.
    static_cast<void>(without_exceptions([&] {
        return transact(
            [&](OutboxTransaction& transaction) { return conclude(transaction, endings); }, more);
    }));
}

JobId JobIds::next() noexcept {
    const JobId id{next_};
    for (auto byte = next_.rbegin(); byte != next_.rend() && ++*byte == 0; ++byte) {
    }
    return id;
}

JobIds OutboxCore::new_job_ids(TimePoint now) const {
    JobId::Bytes bytes{};
    const auto milliseconds = static_cast<std::uint64_t>(
        std::chrono::floor<std::chrono::milliseconds>(now.time_since_epoch()).count());
    // They come again after 50 days: more bits would leave fewer that are random.
    for (std::size_t i = 0; i < 4; ++i) {
        bytes[i] = static_cast<unsigned char>(milliseconds >> (24 - 8 * i));
    }
    fill_random(std::span{bytes}.subspan(4));
    return JobIds{bytes};
}

AttemptNonce OutboxCore::new_nonce() const {
    AttemptNonce nonce{};
    fill_random(nonce);
    return nonce;
}

std::string OutboxCore::new_worker_name() const {
    JobId::Bytes bytes{};
    fill_random(bytes);
    return JobId{bytes}.str();
}

OutboxAccount OutboxCore::account(const std::string& name) const {
    try {
        return options.client(name);
    } catch (...) {
        return OutboxAccount::switched_off();
    }
}

std::string OutboxCore::account_sid(const OutboxAccount& account) {
    if (account.client() == nullptr) return {};
    try {
        const auto sid = account.client()->try_account_sid();
        return sid ? sid->str() : std::string{};
    } catch (...) {
        return {};
    }
}

std::string OutboxCore::credentials_mark(const OutboxAccount& account) {
    if (account.client() == nullptr) return {};
    try {
        const auto mark = account.client()->try_credentials_mark();
        return mark ? *mark : std::string{};
    } catch (...) {
        return {};
    }
}

Result<void> OutboxCore::write(OutboxTransaction& transaction, StoredJob& job,
                               const JobMachine& machine) const {
    if (auto counted = recount(transaction, job); !counted) return counted;
    if (job.spend != 0 || options.ask_prices || job.price_due) plan_price(job, transaction.now());
    if (auto kept = keep_chain(*this, transaction, job, machine.outcomes()); !kept) return kept;
    if (auto saved = transaction.save(job); !saved) return saved;
    for (const auto outcome : machine.outcomes()) {
        auto added = transaction.add_outcome({0, job.id, outcome, job.updated_at});
        if (!added) return added;
    }
    const bool is_news = !machine.outcomes().empty() || job.state == JobState::unknown;
    if (job.campaign.empty() || !options.gate || !is_news) return {};
    return note_failure(transaction, job);
}

/// Of a campaign that is running, what `change` says that it changed; of another nothing.
template <class Change>
Result<void> OutboxCore::change_running(OutboxTransaction& transaction, const std::string& id,
                                        Change change) {
    auto campaigns = transaction.campaigns(std::span{&id, 1});
    if (!campaigns) return campaigns.error();
    if (campaigns->empty() || campaigns->front().state != CampaignState::running) return {};
    auto& campaign = campaigns->front();
    const auto before = campaign.state;
    const auto changed = change(campaign);
    if (!changed) return changed.error();
    if (!*changed) return {};
    campaign.updated_at = transaction.now();
    if (auto* const news = OutboxNews::of(transaction)) news->campaign_changed(before, campaign);
    return transaction.save_campaign(campaign);
}

/// Its campaign's guards may have enough of it.
Result<void> OutboxCore::note_failure(OutboxTransaction& transaction, const StoredJob& job) const {
    if (job.state != JobState::unknown && job.state != JobState::held &&
        job.state != JobState::undelivered && job.state != JobState::dead) {
        return {};
    }
    return change_running(transaction, job.campaign, [&](StoredCampaign& campaign) -> Result<bool> {
        const auto counts = transaction.campaign_counts(job.campaign);
        if (!counts) return counts.error();
        return options.gate->note_failure(campaign, job, *counts);
    });
}

Result<void> OutboxCore::pause_campaign(OutboxTransaction& transaction, const std::string& id,
                                        std::string_view problem) const {
    return change_running(transaction, id, [&](StoredCampaign& campaign) -> Result<bool> {
        campaign.state = CampaignState::paused;
        campaign.problem = problem;
        return true;
    });
}

/// Asked for while it is an estimate, and of all jobs where the program wants it so.
void OutboxCore::plan_price(StoredJob& job, TimePoint now) const {
    const bool is_wanted = job.spend != 0 || options.ask_prices;
    const auto sent = std::find_if(job.attempts.begin(), job.attempts.end(),
                                   [&](const auto& each) { return each.sid == job.sid; });
    if (!is_wanted || !job.price.empty() || job.sid.empty() || sent == job.attempts.end() ||
        now >= sent->started_at + price_given_up_after) {
        job.price_due.reset();
    } else if (!job.price_due) {
        job.price_due = sent->started_at + price_asked_after;
    }
}

Result<void> OutboxCore::take_price(OutboxTransaction& transaction, StoredJob& job,
                                    const Message& message) const {
    const auto estimated_in = std::exchange(job.price_unit, message.price_unit);
    job.price = message.price;
    const auto price = Money::parse(message.price, message.price_unit);
    if (!price || job.spend == 0 || price->currency() != estimated_in) return {};
    const auto actual = std::abs(price->micros());
    for (auto& each : job.counted) {
        const auto attempt =
            std::find_if(job.attempts.begin(), job.attempts.end(),
                         [&](const auto& one) { return one.number == each.number; });
        const bool is_its = attempt != job.attempts.end() && attempt->sid == job.sid;
        if (each.of.empty() || !each.counts || !is_its) continue;
        const auto more = actual - each.amount;
        each.amount = actual;
        if (more == 0) continue;
        for (const auto& slot : each.time_slots) {
            auto changed = transaction.count_quota({.quota = each.of, .slot = slot, .more = more});
            if (!changed) return changed;
        }
        if (each.of.starts_with(spend_counts)) job.spend += more;
    }
    return {};
}

/// What certainly was not sent is given back to the job's quota and its budgets, and counts again
/// if it turns out that it was: in the slots that it was taken from.
Result<void> OutboxCore::recount(OutboxTransaction& transaction, StoredJob& job) {
    for (auto& each : job.counted) {
        const auto attempt =
            std::find_if(job.attempts.begin(), job.attempts.end(),
                         [&](const auto& one) { return one.number == each.number; });
        if (attempt == job.attempts.end()) continue;
        const bool counts = attempt->state != AttemptState::not_sent;
        if (counts == each.counts) continue;
        each.counts = counts;
        const auto amount = each.of.empty() ? job.cost : each.amount;
        for (const auto& slot : each.time_slots) {
            auto changed = transaction.count_quota({.quota = each.of.empty() ? job.quota : each.of,
                                                    .slot = slot,
                                                    .more = counts ? amount : -amount});
            if (!changed) return changed;
        }
        if (each.of.starts_with(spend_counts)) job.spend += counts ? amount : -amount;
    }
    return {};
}

Result<bool> OutboxCore::take_proof(OutboxTransaction& transaction, StoredJob& job,
                                    const AttemptNonce& nonce, const SentProof& proof) const {
    const auto owner = transaction.find_sid(proof.sid);
    if (!owner) return owner.error();
    if (*owner && **owner != job.id) {
        auto freed = apply_to(transaction, **owner,
                              [&](JobMachine& machine) { return machine.not_the_one(proof.sid); });
        if (!freed) return freed;
    }
    return apply(transaction, job, [&](JobMachine& machine) { return machine.sent(nonce, proof); });
}

Result<void> OutboxCore::note_stranger(OutboxTransaction& transaction,
                                       const StatusCallback& callback, bool is_anothers) const {
    if (callback.to.empty()) return {};
    const auto customers = codec.customers_of(Address::from_wire(callback.to));
    if (!customers) return customers.error();
    // Who can sign for another account knows nothing of this one's messages.
    const auto may_be_misled = [&](const StoredJob& job) {
        return std::any_of(job.attempts.begin(), job.attempts.end(), [&](const auto& attempt) {
            return attempt.state == AttemptState::open &&
                   attempt.account_sid == callback.account_sid.str();
        });
    };
    bool matters = false;
    for (const auto state : {JobState::sending, JobState::unknown, JobState::held}) {
        const auto jobs = transaction.list({.state = state, .customers = *customers, .limit = 200});
        if (!jobs) return jobs.error();
        matters = matters || std::any_of(jobs->begin(), jobs->end(), may_be_misled);
    }
    if (!matters) return {};
    const auto name = stranger_fact(callback.sid.str());
    const auto known = transaction.fact(name);
    if (!known) return known.error();
    if (!known->empty()) return {};
    return transaction.set_fact(name, is_anothers ? another_outboxs : unmarked);
}

Result<bool> OutboxCore::is_stranger(OutboxTransaction& transaction, const StoredJob& job,
                                     const std::string& sid) const {
    const auto known = transaction.fact(stranger_fact(sid));
    if (!known) return known.error();
    return *known == another_outboxs || (*known == unmarked && is_marked(job));
}

Result<std::int64_t> OutboxCore::suspect_since(
    OutboxTransaction& transaction, TimePoint since, std::string_view problem,
    const std::function<bool(const std::string&)>& of) const {
    std::int64_t marked = 0;
    const auto mark = [&](StoredJob& job) -> Result<void> {
        if (job.created_at < since && job.updated_at < since) return {};
        if (of && !of(job.account)) return {};
        const auto done =
            apply(transaction, job, [&](JobMachine& machine) { return machine.suspect(problem); });
        if (!done) return done.error();
        if (*done) ++marked;
        return {};
    };
    for (const auto state : {JobState::ready, JobState::claimed}) {
        const auto done = for_each_job(transaction, {.state = state, .limit = 500}, mark);
        if (!done) return done.error();
    }
    const auto now = std::to_string(stored_time(transaction.now()));
    if (auto noted = transaction.set_fact(went_back_fact, now); !noted) return noted.error();
    return marked;
}

Result<std::optional<TimePoint>> OutboxCore::went_back_at(OutboxTransaction& transaction) const {
    const auto noted = transaction.fact(went_back_fact);
    if (!noted) return noted.error();
    std::int64_t microseconds = 0;
    const auto* const end = noted->data() + noted->size();
    if (std::from_chars(noted->data(), end, microseconds).ptr != end || noted->empty()) {
        return std::optional<TimePoint>{};
    }
    return std::optional{time_of_stored(microseconds)};
}

Result<bool> OutboxCore::went_back_since(OutboxTransaction& transaction, TimePoint moment) const {
    const auto at = went_back_at(transaction);
    if (!at) return at.error();
    return *at && moment <= **at + clocks_differ;
}

Result<void> OutboxCore::doubt_if_lost(OutboxTransaction& transaction, const JobId& inserted,
                                       TimePoint moment) const {
    const auto doubtful = went_back_since(transaction, moment);
    if (!doubtful) return doubtful.error();
    if (!*doubtful) return {};
    const auto marked = apply_to(transaction, inserted, [](JobMachine& machine) {
        return machine.suspect(
            "its storage went back in time after it was asked for: it may have been sent");
    });
    return marked ? Result<void>{} : marked.error();
}

bool OutboxCore::is_another_storage() const {
    const auto identity = storage->identity();
    const std::lock_guard lock(identity_mutex_);
    return identity != seen_identity_;
}

Result<void> OutboxCore::check_identity(std::optional<TimePoint> last_used) const {
    const auto identity = storage->identity();
    if (identity.empty()) return {};
    std::string seen;
    {
        const std::lock_guard lock(identity_mutex_);
        seen = seen_identity_;
    }
    // One that others use, or used before, knows nothing of what was done in the other one: a
    // primary that comes back calls itself what it was.
    const bool came_from_another = !seen.empty() && seen != identity;
    auto checked = transact([&](OutboxTransaction& transaction) -> Result<void> {
        const auto before = transaction.fact(identity_fact);
        if (!before) return before.error();
        bool went_back = !before->empty() && *before != identity;
        if (!went_back && came_from_another) {
            // Unless somebody has noticed since.
            const auto noticed = went_back_at(transaction);
            if (!noticed) return noticed.error();
            went_back = !last_used || !*noticed || **noticed < *last_used;
        }
        if (went_back) {
            const auto marked = suspect_since(
                transaction, TimePoint{},
                "its storage is a copy, or was restored: it may have been sent since");
            if (!marked) return marked.error();
        }
        if (*before == identity) return {};
        return transaction.set_fact(identity_fact, identity);
    });
    if (!checked) return checked;
    const std::lock_guard lock(identity_mutex_);
    seen_identity_ = identity;
    return {};
}

}  // namespace twiliowa::detail
