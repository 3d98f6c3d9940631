// The queue that jobs come from. A cloud's queue fits behind it: of SQS the five are SendMessage,
// ReceiveMessage, ChangeMessageVisibility, DeleteMessage, and SendMessage to the dead letters.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "support/sqlite_database.hpp"

namespace processor {

struct QueuedJob {
    std::string id = {};       ///< The same at each delivery.
    std::string body = {};     ///< A context object.
    std::string receipt = {};  ///< Of this delivery; empty once it is over.
    int deliveries = 0;        ///< This one counted.
};

/// Delivers a job again when it was not acknowledged within the visibility time-out. Thread-safe.
class JobQueue {
public:
    virtual ~JobQueue() = default;
    virtual void send(const std::string& id, const std::string& body) = 0;
    /// Nobody else gets it for that long.
    virtual std::optional<QueuedJob> receive(std::chrono::milliseconds visibility) = 0;
    /// It comes again after `pause`.
    virtual void give_back(const QueuedJob& job, std::chrono::milliseconds pause) = 0;
    /// It does not come again.
    virtual void acknowledge(const QueuedJob& job) = 0;
    /// Puts it among the dead letters, once, and acknowledges it. A delivery that is over, since
    /// the job came to somebody else, changes nothing; without a receipt it is a job that was
    /// acknowledged.
    virtual void bury(const QueuedJob& job, const std::string& reason) = 0;
};

struct DeadLetter {
    std::string id = {};
    std::string body = {};
    std::string reason = {};
};

/// In a file, for any number of processes of one machine.
class SqliteJobQueue final : public JobQueue {
public:
    explicit SqliteJobQueue(const std::string& path);
    void send(const std::string& id, const std::string& body) override;
    std::optional<QueuedJob> receive(std::chrono::milliseconds visibility) override;
    void give_back(const QueuedJob& job, std::chrono::milliseconds pause) override;
    void acknowledge(const QueuedJob& job) override;
    void bury(const QueuedJob& job, const std::string& reason) override;

    /// For people: what waits, or is with a worker, and what is dead.
    std::vector<QueuedJob> waiting();
    std::vector<DeadLetter> dead_letters();

private:
    support::SqliteDatabase database_;
};

}  // namespace processor
