#include <twiliowa/sqlite/sqlite_quotas.hpp>

#include <unistd.h>

#include <mutex>
#include <utility>

#include <twiliowa/state/store.hpp>

#include "sqlite/connection.hpp"
#include "sqlite/database_file.hpp"
#include "sqlite/quota_file.hpp"

namespace twiliowa {

struct SqliteQuotas::State {
    State(const std::string& path, SqliteQuotasOptions chosen)
        : options(std::move(chosen)),
          file(detail::open_quota_file(path, options.busy_timeout).value()) {}
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() {
        if (::getpid() != process) file->abandon();
    }

    /// `work(desk)`, alone in the file.
    template <class Work>
    auto transact(const Work& work) -> std::invoke_result_t<Work, detail::SqliteQuotaDesk&> {
        if (::getpid() != process) {
            return store_error("was opened before fork()", "open one in each process");
        }
        const std::lock_guard lock(mutex);
        detail::SqliteTransaction transaction{*file};
        if (auto begun = transaction.begin(); !begun) return begun.error();
        // Read when it is our turn: meanwhile time has passed.
        detail::SqliteQuotaDesk desk{*file, detail::quota_micros(options.clock->now())};
        auto done = work(desk);
        if (!done) return done;
        if (auto committed = transaction.commit(); !committed) return committed.error();
        return done;
    }

    const SqliteQuotasOptions options;
    const pid_t process = ::getpid();
    std::mutex mutex = {};
    std::unique_ptr<detail::SqliteConnection> file;
};

SqliteQuotas::SqliteQuotas(const std::string& path, SqliteQuotasOptions options) {
    // An empty name and ":memory:" are databases that nobody else sees.
    if (path.empty() || path.front() == ':') {
        Error::invalid_request("path", "names no file").raise();
    }
    if (options.busy_timeout.count() < 0) {
        Error::invalid_request("busy_timeout", "is negative").raise();
    }
    if (!options.clock) options.clock = system_clock();
    if (options.create) detail::make_database_file(path).value();
    state_ = std::make_unique<State>(path, std::move(options));
}

SqliteQuotas::~SqliteQuotas() = default;

Result<QuotaReply> SqliteQuotas::reserve(const QuotaRequest& request) {
    if (auto checked = detail::check_quota_request(request); !checked) return checked.error();
    return state_->transact(
        [&](detail::SqliteQuotaDesk& desk) { return detail::reserve_quota(desk, request); });
}

Result<QuotaSettlement> SqliteQuotas::settle(std::string_view quota, std::string_view send,
                                             std::int64_t actual,
                                             std::chrono::milliseconds remembered) {
    if (auto checked = detail::check_quota_keys(quota, send); !checked) return checked.error();
    if (auto checked = detail::check_quota_actual(actual); !checked) return checked.error();
    return state_->transact([&](detail::SqliteQuotaDesk& desk) {
        return detail::settle_quota(desk, quota, send, actual, remembered);
    });
}

Result<QuotaEnd> SqliteQuotas::release(std::string_view quota, std::string_view send) {
    if (auto checked = detail::check_quota_keys(quota, send); !checked) return checked.error();
    return state_->transact(
        [&](detail::SqliteQuotaDesk& desk) { return detail::release_quota(desk, quota, send); });
}

Result<QuotaReply> SqliteQuotas::read(std::string_view quota,
                                      const std::vector<QuotaSlot>& time_slots) {
    if (auto checked = detail::check_quota_keys(quota, quota); !checked) return checked.error();
    if (auto checked = detail::check_quota_slots(time_slots); !checked) return checked.error();
    return state_->transact(
        [&](detail::SqliteQuotaDesk& desk) { return detail::read_quota(desk, quota, time_slots); });
}

Result<std::vector<QuotaCount>> SqliteQuotas::history(std::string_view quota, std::int64_t period,
                                                      TimePoint from, TimePoint to) {
    if (auto checked = detail::check_quota_keys(quota, quota); !checked) return checked.error();
    return state_->transact([&](detail::SqliteQuotaDesk& desk) {
        return desk.history(quota, period, detail::quota_micros(from), detail::quota_micros(to));
    });
}

}  // namespace twiliowa
