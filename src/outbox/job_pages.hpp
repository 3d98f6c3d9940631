/// @file
/// All jobs of a filter, page by page.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include <twiliowa/outbox/storage.hpp>
#include <twiliowa/types/result.hpp>

#include "outbox/outbox_core.hpp"

namespace twiliowa::detail {

/// Every job of that filter, in one transaction.
/// @param work  `Result<void>(StoredJob&)`; an error ends it.
template <class Work>
Result<void> for_each_job(OutboxTransaction& transaction, JobFilter filter, Work work) {
    while (true) {
        auto jobs = transaction.list(filter);
        if (!jobs) return jobs.error();
        for (auto& job : *jobs) {
            filter.after = job.sequence;
            if (auto done = work(job); !done) return done;
        }
        if (jobs->size() < filter.limit) return {};
    }
}

/// Each page in a transaction of its own, so that nobody waits for all of them.
/// @param work   `Result<void>(OutboxTransaction&, std::vector<StoredJob>&)`: in the transaction,
///     which may begin anew.
/// @param after  `Result<void>(std::vector<StoredJob>&)`: of the same page, when that has ended.
template <class Work, class After>
Result<void> for_each_page(const OutboxCore& core, JobFilter filter, Work work, After after) {
    while (true) {
        std::vector<StoredJob> jobs;
        auto done = core.transact([&](OutboxTransaction& transaction) -> Result<void> {
            auto page = transaction.list(filter);
            if (!page) return page.error();
            jobs = std::move(*page);
            return work(transaction, jobs);
        });
        if (!done) return done;
        if (!jobs.empty()) filter.after = jobs.back().sequence;
        const bool is_last = jobs.size() < filter.limit;
        if (auto gone_on = after(jobs); !gone_on || is_last) return gone_on;
    }
}

/// The same for what is done to each job by itself; how many it was done to.
/// @param change  `Result<bool>(OutboxTransaction&, StoredJob&)`: whether it was.
template <class Change>
Result<std::int64_t> change_jobs(const OutboxCore& core, const JobFilter& filter, Change change) {
    std::int64_t changed = 0;
    std::int64_t of_page = 0;
    const auto done = for_each_page(
        core, filter,
        [&](OutboxTransaction& transaction, std::vector<StoredJob>& jobs) -> Result<void> {
            of_page = 0;
            for (auto& job : jobs) {
                const auto is_changed = change(transaction, job);
                if (!is_changed) return is_changed.error();
                if (*is_changed) ++of_page;
            }
            return {};
        },
        [&](std::vector<StoredJob>&) -> Result<void> {
            changed += of_page;
            return {};
        });
    if (!done) return done.error();
    return changed;
}

}  // namespace twiliowa::detail
