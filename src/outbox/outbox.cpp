#include <twiliowa/outbox/outbox.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

#include "outbox/callback_intake.hpp"
#include "outbox/chain_steps.hpp"
#include "outbox/job_intake.hpp"
#include "outbox/job_pages.hpp"
#include "outbox/outbox_core.hpp"
#include "outbox/outbox_personal_data.hpp"
#include "outbox/outcome_teller.hpp"
#include "outbox/worker.hpp"
#include "state/quota_windows.hpp"

namespace twiliowa {

namespace detail {
namespace {

/// What other processes have done is seen within that time.
constexpr std::chrono::milliseconds outbox_poll{1'000};
constexpr std::chrono::milliseconds pause_after_failure{1'000};
/// For what was cancelled to end.
constexpr std::chrono::seconds longest_stop{5};
/// Each takes pages all over the file with it, and others wait for the disk meanwhile.
constexpr std::size_t purged_at_once = 100;
constexpr std::size_t resealed_at_once = 200;
/// When it is looked again for what is kept no longer; sooner where there was more than goes at
/// once.
constexpr std::chrono::minutes maintenance_every{1};
constexpr std::chrono::milliseconds maintenance_pause{100};

Result<void> check_outbox_options(const std::shared_ptr<OutboxStorage>& storage,
                                  const OutboxOptions& options) {
    const auto wrong = [](std::string_view field, std::string_view problem) {
        return Error::invalid_request(field, problem);
    };
    if (!storage) return wrong("storage", "is null");
    if (options.concurrency < 1 || options.concurrency > 10'000) {
        return wrong("concurrency", "is not between 1 and 10000");
    }
    if (options.send_timeout < std::chrono::seconds{2} ||
        options.send_timeout > std::chrono::minutes{10}) {
        return wrong("send_timeout", "is not between 2 seconds and 10 minutes");
    }
    if (options.max_tries < 1) return wrong("max_tries", "is less than 1");
    if (options.max_waiting < 0) return wrong("max_waiting", "is negative");
    if (options.max_waiting_per_tenant < 0) {
        return wrong("max_waiting_per_tenant", "is negative");
    }
    const std::pair<std::string_view, std::chrono::milliseconds> kept[] = {
        {"payload_kept", options.payload_kept},
        {"jobs_kept", options.jobs_kept},
        {"keys_kept", options.keys_kept}};
    for (const auto& [field, time] : kept) {
        if (time.count() < 0) return wrong(field, "is negative");
    }
    if (options.refuse_unsealed_rows && !options.sealer) {
        return wrong("refuse_unsealed_rows", "is set, and there is no sealer");
    }
    if (options.quota_rates && !options.quotas) {
        return wrong("quota_rates", "counts windows that OutboxOptions::quotas does not give");
    }
    if (options.quotas) {
        if (auto fit = check_quotas_options(*options.quotas); !fit) return fit;
    }
    return check_policy(options.on_unknown);
}

}  // namespace
}  // namespace detail

struct Outbox::Impl {
    Impl(std::shared_ptr<OutboxStorage> storage, OutboxOptions options)
        : core(std::make_shared<detail::OutboxCore>(std::move(storage), std::move(options))),
          intake(core),
          callbacks(core),
          teller(core) {
        if (!core->options.customers) return;
        personal_data = detail::outbox_personal_data(core);
        core->options.customers->add_part(personal_data);
    }

    // ---- Handing over

    Result<EnqueuedJob> enqueue(const OutboundMessage& message, const JobOptions& options) {
        std::vector<Result<detail::PreparedJob>> prepared;
        prepared.push_back(intake.prepare(message, options));
        if (!prepared.front()) return prepared.front().error();
        auto answers = take_in_all(prepared);
        if (!answers) return answers.error();
        return std::move(answers->front());
    }

    Result<std::vector<Result<EnqueuedJob>>> enqueue(std::span<const NewJob> jobs) {
        std::vector<Result<detail::PreparedJob>> prepared;
        prepared.reserve(jobs.size());
        const auto now = core->now();
        auto ids = core->new_job_ids(now);
        for (const auto& [message, options] : jobs) {
            prepared.push_back(intake.prepare(message, options, ids.next(), now));
        }
        return take_in_all(prepared);
    }

    Result<std::vector<Result<EnqueuedJob>>> take_in_all(
        const std::vector<Result<detail::PreparedJob>>& prepared) {
        std::vector<Result<EnqueuedJob>> answers;
        const auto done = core->transact([&](OutboxTransaction& transaction) -> Result<void> {
            answers.clear();
            for (const auto& job : prepared) {
                if (!job) {
                    answers.emplace_back(job.error());
                    continue;
                }
                auto answer = intake.take_in(transaction, *job);
                // A refusal is this job's; a storage that fails is everybody's.
                if (!answer && answer.error().kind() != ErrorKind::invalid_request) {
                    return answer.error();
                }
                answers.push_back(std::move(answer));
            }
            return {};
        });
        if (!done) return done.error();
        wake();
        return answers;
    }

    // ---- Looking and deciding

    /// A person decides about the account from now on.
    Result<void> forget_refusal(OutboxTransaction& transaction, Pause::Of of,
                                std::string_view name) const {
        if (of != Pause::Of::account) return {};
        return transaction.set_fact(core->refused_fact(name), "");
    }

    Result<std::optional<Job>> find(
        const std::function<Result<std::optional<JobId>>(OutboxTransaction&)>& id_of) const {
        std::optional<Job> found;
        const auto done = core->transact([&](OutboxTransaction& transaction) -> Result<void> {
            found.reset();
            const auto id = id_of(transaction);
            if (!id) return id.error();
            if (!*id) return {};
            const auto jobs = transaction.load(std::span{&**id, 1});
            if (!jobs) return jobs.error();
            if (!jobs->empty()) found = core->codec.view(jobs->front());
            return {};
        });
        if (!done) return done.error();
        return found;
    }

    template <class Event>
    Result<bool> decide(const JobId& id, Event event) {
        bool applied = false;
        const auto done = core->transact([&](OutboxTransaction& transaction) -> Result<void> {
            const auto done_to = core->apply_to(transaction, id, event);
            if (!done_to) return done_to.error();
            applied = *done_to;
            return {};
        });
        if (!done) return done.error();
        wake();
        return applied;
    }

    Result<bool> retry(const JobId& id) {
        bool retried = false;
        const auto done = core->transact([&](OutboxTransaction& transaction) -> Result<void> {
            retried = false;
            auto jobs = transaction.load(std::span{&id, 1});
            if (!jobs) return jobs.error();
            if (jobs->empty()) return {};
            const auto done_to = detail::retry_job(*core, transaction, jobs->front());
            if (!done_to) return done_to.error();
            retried = *done_to;
            return {};
        });
        if (!done) return done.error();
        wake();
        return retried;
    }

    static auto event_of(const Resolution& resolution) {
        return [resolution](detail::JobMachine& machine) {
            const detail::Person person{resolution.person(), resolution.why()};
            switch (resolution.kind()) {
                case Resolution::Kind::sent:
                    return machine.person_sent(resolution.sid().str(), person);
                case Resolution::Kind::not_sent:
                    return machine.person_not_sent(person);
                case Resolution::Kind::drop:
                    return machine.person_gave_up(person);
            }
            return false;
        };
    }

    // ---- Running

    /// Takes the lock only if somebody sleeps: many threads hand over at once.
    void wake() {
        ++wakes;
        if (sleeping == 0) return;
        { const std::lock_guard lock(mutex); }
        changed.notify_all();
    }

    /// Counted before it looks whether something has come, so that who comes then sees it.
    template <class Condition>
    void sleep(std::unique_lock<std::mutex>& lock, std::chrono::nanoseconds at_most,
               Condition condition) {
        ++sleeping;
        changed.wait_for(lock, at_most, condition);
        --sleeping;
    }

    /// Does in this thread what both threads do, as long as something is due.
    Result<IdleReport> run_until_idle() {
        IdleReport report;
        while (true) {
            const auto step = worker->step(true, true);
            if (!step) return step.error();
            report.sent += step->sent;
            report.looks += step->looks;
            report.next_due = step->next_due;
            if (step->progress) continue;
            if (step->next_slot && *step->next_slot != (MonotonicTime::max)()) {
                core->options.clock->sleep_until(*step->next_slot, {});
                continue;
            }
            const auto more = detail::without_exceptions([&] { return teller.tell_some(); });
            if (!more) return more.error();
            if (!*more) return report;
        }
    }

    /// Waits until something may have to be done, at most that long.
    void wait(std::uint64_t& seen, std::chrono::nanoseconds at_most) {
        std::unique_lock lock(mutex);
        sleep(lock, at_most, [&] { return stopping || wakes != seen; });
        seen = wakes;
    }
    /// The same of who is stopping: until something that was under way has ended.
    void wait_for_end(std::uint64_t& seen) {
        std::unique_lock lock(mutex);
        sleep(lock, detail::outbox_poll, [&] { return wakes != seen; });
        seen = wakes;
    }
    /// The same until there may be something to tell of.
    void wait_to_tell(std::uint64_t& seen, std::chrono::nanoseconds at_most) {
        std::unique_lock lock(mutex);
        sleep(lock, at_most, [&] { return stopping || wakes + steps != seen; });
        seen = wakes + steps;
    }

    bool is_stopping() const {
        const std::lock_guard lock(mutex);
        return stopping;
    }

    std::chrono::nanoseconds pause_until_next(const detail::OutboxWorker::Step& step) const {
        std::chrono::nanoseconds pause = detail::outbox_poll;
        if (step.next_due) {
            const auto due = *step.next_due - core->now();
            if (due.count() > 0) pause = std::min<std::chrono::nanoseconds>(pause, due);
        }
        const auto now = core->options.clock->monotonic_now();
        if (step.next_probe && *step.next_probe > now) {
            pause = std::min<std::chrono::nanoseconds>(pause, *step.next_probe - now);
        }
        // One that has come since the step looked at the clock waits to be used.
        if (step.next_slot) {
            pause = std::min<std::chrono::nanoseconds>(
                pause, *step.next_slot > now ? *step.next_slot - now : MonotonicTime::duration{0});
        }
        return pause;
    }

    void tell_of_failure(std::string_view queue, const Error& error) const {
        const auto& observer = core->options.observer;
        if (observer) observer->on_queue_failed({.queue = queue, .error = error});
    }

    /// Notes which threads may not wait for themselves.
    void note_thread(std::thread::id& id) {
        const std::lock_guard lock(mutex);
        id = std::this_thread::get_id();
    }

    void run_worker() {
        note_thread(sender_id);
        std::uint64_t seen = 0;
        std::optional<MonotonicTime> stopped;
        while (true) {
            bool take_new = true;
            {
                const std::lock_guard lock(mutex);
                const auto now = core->options.clock->monotonic_now();
                if (stopping && !stopped) stopped = now;
                // What could not be written down, or whose transport tells no end, is found as
                // unknown by who comes next.
                if (stopped && (worker->under_way() == 0 || failed_steps > 3 ||
                                now - *stopped > detail::longest_stop)) {
                    break;
                }
                take_new = !stopping && !draining;
            }
            teller.keep_lease();
            const auto step = worker->step(false, take_new);
            {
                const std::lock_guard lock(mutex);
                idle = step && worker->under_way() == 0 && !step->progress;
                if (step && step->progress) ++steps;
            }
            changed.notify_all();
            if (!step) {
                tell_of_failure("outbox", step.error());
                wait_for_failure(seen);
            } else if (!step->progress) {
                if (stopped) {
                    wait_for_end(seen);
                    continue;
                }
                const bool more = maintain();
                const auto pause = pause_until_next(*step);
                wait(seen,
                     more ? std::min<std::chrono::nanoseconds>(pause, detail::maintenance_pause)
                          : pause);
            }
        }
        static_cast<void>(worker->step(false, false));
        worker->forget_breakers();
    }

    /// A storage that fails is asked again after a while, also by who is stopping.
    void wait_for_failure(std::uint64_t& seen) {
        std::unique_lock lock(mutex);
        if (stopping) ++failed_steps;
        changed.wait_for(lock, detail::pause_after_failure, [&] { return stopping; });
        seen = wakes;
    }

    void run_teller() {
        note_thread(teller_id);
        std::uint64_t seen = 0;
        while (!is_stopping()) {
            const auto more = detail::without_exceptions([&] { return teller.tell_some(); });
            if (!more) {
                // That its handler threw is told already.
                if (is_store_error(more.error())) tell_of_failure("outcomes", more.error());
                wait_to_tell(seen, detail::pause_after_failure);
            } else if (!*more) {
                wait_to_tell(seen, detail::outbox_poll);
            }
        }
        teller.leave();
    }

    /// What is kept no longer goes, a little at a time. Whether there is more.
    bool maintain() {
        const auto now = core->options.clock->monotonic_now();
        if (now < next_maintenance) return more_to_purge;
        more_to_purge = false;
        const auto purge = [&](OutboxTransaction& transaction) -> Result<void> {
            const auto& options = core->options;
            const auto at = transaction.now();
            const auto erased = transaction.redact(detail::kept_since(at, options.payload_kept),
                                                   detail::purged_at_once);
            if (!erased) return erased.error();
            const auto before =
                teller.purged_before(transaction, detail::kept_since(at, options.jobs_kept));
            if (!before) return before.error();
            const auto gone = transaction.purge(*before, detail::kept_since(at, options.keys_kept),
                                                detail::purged_at_once);
            if (!gone) return gone.error();
            const auto full = static_cast<std::int64_t>(detail::purged_at_once);
            more_to_purge = *erased == full || *gone == full;
            return {};
        };
        // What cannot be done now is done later.
        if (!detail::without_exceptions([&] { return core->transact(purge); })) {
            more_to_purge = false;
        }
        next_maintenance = now;
        if (more_to_purge) {
            next_maintenance += detail::maintenance_pause;
        } else {
            next_maintenance += detail::maintenance_every;
        }
        return more_to_purge;
    }

    void make_worker() {
        if (!core->options.client) {
            Error::invalid_request("client", "is not given: who enqueues only cannot run",
                                   "give OutboxOptions::client")
                .raise();
        }
        if (worker) return;
        const auto name = core->new_worker_name();
        teller.be(name);
        worker = std::make_unique<detail::OutboxWorker>(core, name, [this] { wake(); });
    }

    const std::shared_ptr<const detail::OutboxCore> core;
    const detail::JobIntake intake;
    std::shared_ptr<const PersonalData> personal_data = {};  ///< Null without customers.
    const detail::CallbackIntake callbacks;
    detail::OutcomeTeller teller;
    mutable std::mutex mutex = {};
    std::condition_variable changed = {};
    std::atomic<std::uint64_t> wakes{0};
    std::atomic<int> sleeping{0};
    std::uint64_t steps = 0;  ///< In which the worker did something.
    bool stopping = false;
    bool draining = false;
    bool idle = false;
    int failed_steps = 0;
    MonotonicTime next_maintenance = {};
    bool more_to_purge = false;  ///< Used by the worker's thread alone.
    std::unique_ptr<detail::OutboxWorker> worker = {};
    bool running = false;
    std::thread::id sender_id = {};
    std::thread::id teller_id = {};
    std::mutex lifecycle = {};  ///< Held by who starts or stops; taken before `mutex`.
    std::thread sender = {};
    std::thread telling = {};
};

Outbox::Outbox(std::shared_ptr<OutboxStorage> storage, OutboxOptions options) {
    detail::check_outbox_options(storage, options).value();
    impl_ = std::make_unique<Impl>(std::move(storage), std::move(options));
    impl_->core->codec.check_callback(impl_->core->options.status_callback).value();
    impl_->core->check_identity().value();
}

Outbox::~Outbox() {
    stop();
}

EnqueuedJob Outbox::enqueue(const OutboundMessage& message, const JobOptions& options) {
    return try_enqueue(message, options).value();
}

Result<EnqueuedJob> Outbox::try_enqueue(const OutboundMessage& message, const JobOptions& options) {
    return impl_->enqueue(message, options);
}

std::vector<Result<EnqueuedJob>> Outbox::enqueue_all(std::span<const NewJob> jobs) {
    return try_enqueue_all(jobs).value();
}

Result<std::vector<Result<EnqueuedJob>>> Outbox::try_enqueue_all(std::span<const NewJob> jobs) {
    return impl_->enqueue(jobs);
}

Result<EnqueuedJob> Outbox::try_enqueue_by(const JobInserter& insert,
                                           const OutboundMessage& message,
                                           const JobOptions& options) {
    const auto job = impl_->intake.prepare(message, options);
    if (!job) return job.error();
    if (job->too_late) return *job->too_late;
    const auto inserted = insert(job->stored);
    if (!inserted) return inserted.error();
    return impl_->intake.answer_of(*job, *inserted);
}

void Outbox::learn(const StatusCallback& callback) {
    try_learn(callback).value();
}

Result<void> Outbox::try_learn(const StatusCallback& callback) {
    auto learnt = impl_->callbacks.take_in(callback, [&](const detail::CallbackIntake::Work& work) {
        return impl_->core->transact(work);
    });
    if (learnt) impl_->wake();
    return learnt;
}

Result<std::optional<Job>> Outbox::try_find(std::string_view tenant, std::string_view key) {
    const auto keys = impl_->core->codec.keys_of(tenant, key);
    if (!keys) return keys.error();
    return impl_->find([&](OutboxTransaction& transaction) -> Result<std::optional<JobId>> {
        for (const auto& each : *keys) {
            const auto holder = transaction.find_key(tenant, each);
            if (!holder) return holder.error();
            if (*holder) return std::optional<JobId>{(*holder)->id};
        }
        return std::optional<JobId>{};
    });
}

std::optional<Job> Outbox::find(std::string_view tenant, std::string_view key) {
    return try_find(tenant, key).value();
}

Result<std::optional<Job>> Outbox::try_find(const JobId& id) {
    return impl_->find([&](OutboxTransaction&) -> Result<std::optional<JobId>> {
        return std::optional<JobId>{id};
    });
}

std::optional<Job> Outbox::find(const JobId& id) {
    return try_find(id).value();
}

Result<std::vector<Job>> Outbox::try_steps_after(const JobId& id) {
    std::vector<Job> steps;
    const auto done =
        impl_->core->storage->transact([&](OutboxTransaction& transaction) -> Result<void> {
            steps.clear();
            auto jobs = transaction.load(std::span{&id, 1});
            if (!jobs) return jobs.error();
            while (!jobs->empty()) {
                auto next = detail::next_step_of(*impl_->core, transaction, jobs->front());
                if (!next) return next.error();
                if (!*next) break;
                steps.push_back(impl_->core->codec.view(**next));
                jobs->front() = std::move(**next);
            }
            return {};
        });
    if (!done) return done.error();
    return steps;
}

std::vector<Job> Outbox::steps_after(const JobId& id) {
    return try_steps_after(id).value();
}

Result<std::vector<Job>> Outbox::try_list(const JobFilter& filter) {
    std::vector<Job> found;
    const auto done = impl_->core->transact([&](OutboxTransaction& transaction) -> Result<void> {
        found.clear();
        const auto jobs = transaction.list(filter);
        if (!jobs) return jobs.error();
        for (const auto& job : *jobs) found.push_back(impl_->core->codec.view(job));
        return {};
    });
    if (!done) return done.error();
    return found;
}

std::vector<Job> Outbox::list(const JobFilter& filter) {
    return try_list(filter).value();
}

Result<OutboxCounts> Outbox::try_counts() {
    OutboxCounts counts;
    const auto done = impl_->core->transact([&](OutboxTransaction& transaction) -> Result<void> {
        auto counted = transaction.counts();
        if (!counted) return counted.error();
        counts = {.by_state = std::move(*counted), .now = transaction.now()};
        return {};
    });
    if (!done) return done.error();
    return counts;
}

OutboxCounts Outbox::counts() {
    return try_counts().value();
}

Result<std::optional<TimePoint>> Outbox::try_oldest_due() {
    std::optional<TimePoint> oldest;
    const auto done = impl_->core->transact([&](OutboxTransaction& transaction) -> Result<void> {
        oldest.reset();
        const auto now = transaction.now();
        const auto groups = transaction.ready_groups();
        if (!groups) return groups.error();
        for (const auto& group : *groups) {
            const auto first = transaction.ready({group, now, now - ReadyQuery::order_wait, 1});
            if (!first) return first.error();
            if (first->empty()) continue;
            const auto since = first->front().not_before;
            if (!oldest || since < *oldest) oldest = since;
        }
        return {};
    });
    if (!done) return done.error();
    return oldest;
}

std::optional<TimePoint> Outbox::oldest_due() {
    return try_oldest_due().value();
}

Result<std::vector<JobOutcome>> Outbox::try_outcomes(std::int64_t after, std::size_t limit) {
    std::vector<JobOutcome> outcomes;
    const auto done = impl_->core->transact([&](OutboxTransaction& transaction) -> Result<void> {
        outcomes.clear();
        const auto end = impl_->teller.read(transaction, after, limit, outcomes);
        return end ? Result<void>{} : end.error();
    });
    if (!done) return done.error();
    return outcomes;
}

void Outbox::on_outcome(std::function<void(const JobOutcome&)> handler) {
    impl_->teller.set_handler(std::move(handler));
}

Result<bool> Outbox::try_resolve(const JobId& id, const Resolution& resolution) {
    if (auto fits = detail::check_resolution(resolution); !fits) return fits.error();
    return impl_->decide(id, Impl::event_of(resolution));
}

bool Outbox::resolve(const JobId& id, const Resolution& resolution) {
    return try_resolve(id, resolution).value();
}

Result<std::int64_t> Outbox::try_resolve_suspects(const Resolution& resolution) {
    if (resolution.kind() == Resolution::Kind::sent) {
        return Error::invalid_request("resolution", "gives several jobs one SID",
                                      "resolve each by itself");
    }
    if (auto fits = detail::check_resolution(resolution); !fits) return fits.error();
    std::int64_t resolved = 0;
    const auto done = impl_->core->transact([&](OutboxTransaction& transaction) -> Result<void> {
        resolved = 0;
        return detail::for_each_job(
            transaction, {.state = JobState::held, .suspect_only = true, .limit = 500},
            [&](StoredJob& job) -> Result<void> {
                const auto changed =
                    impl_->core->apply(transaction, job, Impl::event_of(resolution));
                if (!changed) return changed.error();
                if (*changed) ++resolved;
                return {};
            });
    });
    if (!done) return done.error();
    impl_->wake();
    return resolved;
}

Result<bool> Outbox::try_retry(const JobId& id) {
    return impl_->retry(id);
}

bool Outbox::retry(const JobId& id) {
    return try_retry(id).value();
}

Result<bool> Outbox::try_cancel(const JobId& id) {
    return impl_->decide(id, [](detail::JobMachine& machine) { return machine.cancel(); });
}

bool Outbox::cancel(const JobId& id) {
    return try_cancel(id).value();
}

Result<std::int64_t> Outbox::try_suspect(TimePoint since) {
    std::int64_t marked = 0;
    const auto done = impl_->core->transact([&](OutboxTransaction& transaction) -> Result<void> {
        const auto count = impl_->core->suspect_since(
            transaction, since, "somebody said that its storage went back in time");
        if (!count) return count.error();
        marked = *count;
        return {};
    });
    if (!done) return done.error();
    impl_->wake();
    return marked;
}

Result<void> Outbox::try_pause(const Pause& pause) {
    return impl_->core->transact([&](OutboxTransaction& transaction) -> Result<void> {
        auto now = pause;
        now.since = transaction.now();
        if (auto forgot = impl_->forget_refusal(transaction, pause.of, pause.name); !forgot) {
            return forgot;
        }
        if (auto* const news = detail::OutboxNews::of(transaction)) news->paused(now, false);
        return transaction.pause(now);
    });
}

void Outbox::pause(const Pause& pause) {
    try_pause(pause).value();
}

Result<void> Outbox::try_resume(Pause::Of of, std::string_view name) {
    auto done = impl_->core->transact([&](OutboxTransaction& transaction) -> Result<void> {
        if (auto forgot = impl_->forget_refusal(transaction, of, name); !forgot) return forgot;
        if (auto* const news = detail::OutboxNews::of(transaction)) {
            const auto known = transaction.pauses();
            if (!known) return known.error();
            const Pause ended{.of = of, .name = std::string{name}};
            const bool is_known = std::any_of(known->begin(), known->end(), [&](const Pause& each) {
                return each.same_place(ended);
            });
            if (is_known) news->resumed(of, name, false);
        }
        return transaction.resume(of, name);
    });
    if (done) impl_->wake();
    return done;
}

void Outbox::resume(Pause::Of of, std::string_view name) {
    try_resume(of, name).value();
}

Result<std::vector<Pause>> Outbox::try_pauses() {
    std::vector<Pause> pauses;
    const auto done = impl_->core->transact([&](OutboxTransaction& transaction) -> Result<void> {
        auto read = transaction.pauses();
        if (!read) return read.error();
        pauses = std::move(*read);
        return {};
    });
    if (!done) return done.error();
    return pauses;
}

Result<std::int64_t> Outbox::try_purge(TimePoint unchanged_since, bool keys) {
    std::int64_t removed = 0;
    while (true) {
        std::int64_t some = 0;
        const auto done =
            impl_->core->transact([&](OutboxTransaction& transaction) -> Result<void> {
                const auto before = impl_->teller.purged_before(transaction, unchanged_since);
                if (!before) return before.error();
                const auto gone = transaction.purge(
                    *before, keys ? std::optional{transaction.now()} : std::nullopt,
                    detail::purged_at_once);
                if (!gone) return gone.error();
                some = *gone;
                return {};
            });
        if (!done) return done.error();
        removed += some;
        if (some < static_cast<std::int64_t>(detail::purged_at_once)) return removed;
    }
}

Result<std::int64_t> Outbox::try_reseal() {
    const auto& codec = impl_->core->codec;
    return detail::change_jobs(
        *impl_->core, {.limit = detail::resealed_at_once},
        [&](OutboxTransaction& transaction, const StoredJob& job) -> Result<bool> {
            const auto is_sealed = codec.is_sealed_as_now(job);
            if (!is_sealed) return is_sealed.error();
            if (*is_sealed) return false;
            auto whole = codec.complete(job, {});
            if (!whole) return whole.error();
            if (auto written = transaction.rewrite(*whole); !written) return written.error();
            return true;
        });
}

detail::OutboxParts detail::OutboxParts::of(Outbox& outbox) {
    return {outbox.impl_->core, [impl = outbox.impl_.get()] { impl->wake(); }};
}

std::shared_ptr<const PersonalData> Outbox::personal_data() const {
    return detail::outbox_personal_data(impl_->core);
}

void Outbox::start() {
    const std::lock_guard lifecycle(impl_->lifecycle);
    impl_->make_worker();
    if (impl_->sender.joinable()) return;
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->running = true;
    }
    impl_->sender = std::thread([this] { impl_->run_worker(); });
    impl_->telling = std::thread([this] { impl_->run_teller(); });
}

bool Outbox::drain(std::chrono::milliseconds at_most) {
    constexpr std::chrono::milliseconds for_ever = std::chrono::hours{24 * 365};
    std::unique_lock lock(impl_->mutex);
    if (!impl_->running) return true;
    impl_->draining = true;
    impl_->idle = false;
    ++impl_->wakes;
    impl_->changed.notify_all();
    impl_->changed.wait_for(lock, std::min(at_most, for_ever),
                            [&] { return impl_->idle || !impl_->running; });
    return impl_->idle;
}

void Outbox::stop() {
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
        const auto self = std::this_thread::get_id();
        impl_->changed.notify_all();
        // A handler that stops its outbox: whoever stops it next waits for the end.
        if (self == impl_->sender_id || self == impl_->teller_id) return;
    }
    const std::lock_guard lifecycle(impl_->lifecycle);
    {
        const std::lock_guard lock(impl_->mutex);
        impl_->stopping = true;
    }
    impl_->changed.notify_all();
    if (impl_->worker) impl_->worker->cancel();
    if (impl_->sender.joinable()) impl_->sender.join();
    if (impl_->telling.joinable()) impl_->telling.join();
    // What is still under way wakes nobody then; it holds `mutex` while it does.
    impl_->worker.reset();
    const std::lock_guard lock(impl_->mutex);
    impl_->running = false;
    impl_->stopping = false;
    impl_->draining = false;
    impl_->failed_steps = 0;
    impl_->sender_id = {};
    impl_->teller_id = {};
    impl_->changed.notify_all();
}

Result<IdleReport> Outbox::try_run_until_idle() {
    impl_->make_worker();
    auto report = impl_->run_until_idle();
    // Whoever runs next tells, though it be another.
    impl_->teller.leave();
    return report;
}

IdleReport Outbox::run_until_idle() {
    return try_run_until_idle().value();
}

}  // namespace twiliowa
