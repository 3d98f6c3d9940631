/// @file
/// What checks of an outbox's storage are made with: jobs that are nobody else's, works whose
/// errors are faults, and the list of faults.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/testing/check_outbox_storage.hpp>

namespace twiliowa::testing::outbox_check {

using OutboxStorageFactory = std::function<std::shared_ptr<OutboxStorage>()>;

/// The beginning of a year, near enough.
TimePoint checked_year(int year);
/// Every byte there is, and what it is for.
std::string any_bytes(std::string_view what);
/// The first member of two jobs that differs, but for `revision` and what the storage gives a new
/// job; empty: none.
std::string different_member(const StoredJob& a, const StoredJob& b);
std::vector<JobId> ids_of(const std::vector<StoredJob>& jobs);

class OutboxCheck {
protected:
    /// @param first_number  What begins names and ids: checks of one storage are that far apart.
    OutboxCheck(const OutboxStorageFactory& open, const CheckOutboxStorageOptions& options,
                std::uint64_t first_number);
    OutboxCheck(const OutboxCheck&) = delete;
    OutboxCheck& operator=(const OutboxCheck&) = delete;
    ~OutboxCheck() = default;

    StoredJob new_job();
    StoredJob job_of(const ReadyGroup& group, TimePoint not_before);
    ReadyGroup next_group();
    StoredAttempt attempt(int number);
    JobId next_id();
    std::string next_sid();
    std::uint64_t next();

    /// As it is in the storage.
    StoredJob insert(const StoredJob& job);
    StoredJob load(const JobId& id);
    void save(StoredJob& job);
    static void finish_in(OutboxTransaction& t, const JobId& id);
    /// Out of the way of the checks that follow.
    void finish(const JobId& id);
    /// What both handles read of it.
    void expect_same(const StoredJob& job, const std::string& what);

    /// Errors and exceptions of it are faults.
    template <class Work>
    void work(const std::string& what, const Work& do_it) {
        const auto result = transact(*storage_, what, [&](OutboxTransaction& t) -> Result<void> {
            do_it(t);
            return {};
        });
        if (result && !*result) fault(what + " answered an error: " + result->error().what());
    }
    /// Nullopt: it threw, which has been told.
    template <class Work>
    std::optional<Result<void>> transact(OutboxStorage& storage, const std::string& what,
                                         const Work& do_it) {
        std::vector<std::string> found;
        std::optional<Result<void>> result;
        try {
            result = storage.transact([&](OutboxTransaction& t) -> Result<void> {
                // A storage may begin anew: what was seen the last time counts.
                found.clear();
                const FaultsOfRun of_this_run{found};
                return do_it(t);
            });
        } catch (const std::exception& exception) {
            found.push_back(what + " threw an exception: " + exception.what());
        } catch (...) {
            found.push_back(what + " threw an exception");
        }
        for (const auto& text : found) fault(text);
        return result;
    }

    void expect(bool holds, const std::string& otherwise) {
        if (!holds) fault(otherwise);
    }
    /// Each once: some are found many times.
    void fault(const std::string& text);

    const OutboxStorageFactory& open_;
    const CheckOutboxStorageOptions& options_;
    std::shared_ptr<OutboxStorage> storage_;
    std::shared_ptr<OutboxStorage> other_;
    std::vector<std::string> faults_ = {};

private:
    /// While it is there, faults that this thread finds go to a list of their own.
    class FaultsOfRun {
    public:
        explicit FaultsOfRun(std::vector<std::string>& faults) { of_run_ = &faults; }
        FaultsOfRun(const FaultsOfRun&) = delete;
        FaultsOfRun& operator=(const FaultsOfRun&) = delete;
        ~FaultsOfRun() { of_run_ = nullptr; }
    };
    static inline thread_local std::vector<std::string>* of_run_ = nullptr;

    std::mutex mutex_;
    std::uint64_t numbers_;
};

/// What a storage does with campaigns, and with several quotas at once; what an engine says that it
/// does not keep is not looked for.
std::vector<std::string> check_outbox_campaigns(const OutboxStorageFactory& open,
                                                const CheckOutboxStorageOptions& options);

}  // namespace twiliowa::testing::outbox_check
