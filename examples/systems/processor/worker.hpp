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
#include "log.hpp"

namespace processor {

struct WorkerOptions {
    std::chrono::milliseconds visibility{30'000};
    std::chrono::milliseconds pause_after_failure{10'000};
    int max_deliveries = 5;
};

/// Thread-safe: any number of threads may work with one.
class Worker {
public:
    Worker(JobQueue& queue, Companies& companies, LanguageModel& model, ConversationRecord& record,
           twiliowa::Outbox& outbox, const Log& log, WorkerOptions options)
        : queue_(queue),
          companies_(companies),
          model_(model),
          record_(record),
          outbox_(outbox),
          log_(log),
          options_(options) {}

    /// Takes one job and does what there is to do; false if none was there.
    bool work_once();
    /// Of the outbox: at least once for each, in order for each job.
    void on_outcome(const twiliowa::JobOutcome& outcome);

private:
    struct Failure {
        twiliowa::Error error;
        bool pointless = false;  ///< To try again.
    };
    std::optional<Failure> work_on(const QueuedJob& job);
    bool is_handed_over(const ContextObject& context, const QueuedJob& job);
    std::optional<Failure> hand_over(const ContextObject& context, const QueuedJob& job);

    JobQueue& queue_;
    Companies& companies_;
    LanguageModel& model_;
    ConversationRecord& record_;
    twiliowa::Outbox& outbox_;
    const Log& log_;
    WorkerOptions options_;
};

}  // namespace processor
