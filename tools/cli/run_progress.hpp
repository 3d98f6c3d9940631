/// @file
/// How far a worker of an outbox has come.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <twiliowa/outbox/job_gate.hpp>
#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/types/result.hpp>

namespace cli {

/// What is left for a worker that ends when nothing is.
struct WorkLeft {
    /// Something is ready now, or was tried and goes on within the settle time, or is under way.
    bool to_send = false;
    /// A look is due now, or within the settle time of a job that is unknown or suspect.
    bool to_look = false;
    /// Something is suspect: it may have been sent by a later state of the storage.
    bool suspects = false;

    bool any() const noexcept { return to_send || to_look; }
};

/// @param account  whose jobs the worker sends; nullopt: of all.
/// @param settle   how long after it became unknown a job is looked for.
/// @param gate     of the worker, which knows which campaigns may go; null: none may.
twiliowa::Result<WorkLeft> work_left(twiliowa::OutboxStorage& storage,
                                     const std::optional<std::string>& account,
                                     std::chrono::seconds settle, const twiliowa::JobGate* gate);

/// Tells people how far it is: one line that changes on a terminal, a line now and then elsewhere.
class ProgressLine {
public:
    ProgressLine();
    /// What is shown from now on; cheap to call often.
    void show(twiliowa::Outbox& outbox, twiliowa::MonotonicTime now);
    /// Leaves the line for what is written next.
    void end();

private:
    bool on_terminal_ = false;
    bool has_line_ = false;
    std::optional<twiliowa::MonotonicTime> shown_at_ = {};
    std::string shown_ = {};
};

}  // namespace cli
