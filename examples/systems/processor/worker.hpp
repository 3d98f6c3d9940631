// From a job of the queue to a message in the outbox, and from the outbox's outcomes to the record
// and the dead letters.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include <twiliowa/outbox/outbox.hpp>

#include "companies.hpp"
#include "conversation_record.hpp"
#include "job_queue.hpp"
#include "language_model.hpp"
#include "support/log.hpp"

namespace processor {

struct WorkerOptions {
    std::chrono::milliseconds visibility{30'000};
    std::chrono::milliseconds pause_after_failure{10'000};
    int max_deliveries = 5;
};

/// Thread-safe: any number of threads may work with one.
struct Worker {
    /// Takes one job and does what there is to do; false if none was there.
    bool work_once() const;
    /// Of the outbox: at least once for each, in order for each job.
    void on_outcome(const twiliowa::JobOutcome& outcome) const;

    JobQueue& queue;
    Companies& companies;
    LanguageModel& model;
    ConversationRecord& record;
    twiliowa::Outbox& outbox;
    const support::Log& log;
    WorkerOptions options = {};

private:
    struct Failure {
        twiliowa::Error error;
        bool pointless = false;  ///< To try again.
    };
    std::optional<Failure> work_on(const QueuedJob& job) const;
    bool is_handed_over(const ContextObject& context, const QueuedJob& job) const;
    std::optional<Failure> hand_over(const ContextObject& context, const QueuedJob& job) const;
};

}  // namespace processor
