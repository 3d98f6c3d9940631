/// @file
/// Telling the program what became of its jobs: one of all who work on a storage does.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/outbox/storage.hpp>

#include "outbox/outbox_core.hpp"

namespace twiliowa::detail {

/// Calls the handler of an outbox once for each outcome, in order. Who tells has a lease in the
/// storage, which is taken with the first outcomes that there are to tell of: two who did so at
/// once would tell all of it twice, and one job's outcomes in no order.
///
/// One thread tells and leaves; another may keep its lease for it meanwhile.
class OutcomeTeller {
public:
    explicit OutcomeTeller(std::shared_ptr<const OutboxCore> core) noexcept
        : core_(std::move(core)) {}

    void set_handler(std::function<void(const JobOutcome&)> handler);
    /// Who has the lease from now on; before anything is told.
    void be(std::string name);

    /// Tells of some outcomes; whether there may be more for this one to tell.
    Result<bool> tell_some();
    /// Renews the lease while a handler takes its time. Does nothing if it is not time yet.
    void keep_lease();
    /// Lets another tell at once.
    void leave();

    /// The latest change of jobs that may go: those that are not told yet stay.
    Result<TimePoint> purged_before(OutboxTransaction& transaction, TimePoint before) const;
    /// Returns the cursor up to which it has read: jobs that are gone are passed over.
    Result<std::int64_t> read(OutboxTransaction& transaction, std::int64_t after, std::size_t limit,
                              std::vector<JobOutcome>& outcomes) const;

private:
    /// What is told at once.
    struct Batch {
        std::vector<JobOutcome> outcomes = {};
        std::int64_t before = 0;               ///< Up to where all was told.
        std::optional<std::int64_t> end = {};  ///< Nullopt: nothing is there, or another tells.
        LeaseTime lease_until = {};
    };

    std::function<void(const JobOutcome&)> handler() const;
    Result<void> take_batch(OutboxTransaction& transaction, Batch& batch) const;
    /// Calls the handler for all of them, or until one throws. The cursor up to which all was told;
    /// nullopt if another tells by now.
    Result<std::optional<std::int64_t>> tell(const Batch& batch,
                                             const std::function<void(const JobOutcome&)>& handler,
                                             bool& failed);
    /// Calls it for one; whether it did not throw.
    bool call(const std::function<void(const JobOutcome&)>& handler,
              const JobOutcome& outcome) const;
    /// Writes down up to where all was told, unless another tells by now: whether it was.
    Result<bool> note(std::int64_t told, bool keep);
    /// Renews the lease, or ends it, if it is still this one's.
    Result<bool> change_lease(OutboxTransaction& transaction, bool keep, LeaseTime& until) const;
    bool is_ending(std::chrono::microseconds with) const;
    void set_lease(std::optional<LeaseTime> until);

    std::shared_ptr<const OutboxCore> core_;
    std::string name_ = {};
    std::atomic<bool> telling_{false};
    mutable std::mutex mutex_ = {};
    std::function<void(const JobOutcome&)> handler_ = {};
    std::optional<LeaseTime> lease_until_ = {};  ///< As far as is known here.
};

}  // namespace twiliowa::detail
