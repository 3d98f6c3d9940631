#include <twiliowa/postgresql/postgres_quotas.hpp>

#include <utility>

#include "postgresql/connection.hpp"
#include "postgresql/migration.hpp"
#include "postgresql/pool.hpp"
#include "postgresql/quota_tables.hpp"

namespace twiliowa {

namespace detail {
namespace {

constexpr int quota_attempts_beside_others = 5;

}  // namespace
}  // namespace detail

struct PostgresQuotas::State {
    State(detail::PostgresTarget target, const PostgresQuotasOptions& options)
        : pool(std::move(target),
               detail::durable_connection(options.connect_timeout, options.statement_timeout),
               options.connections) {}

    Result<void> prepare(bool create) {
        auto lease = pool.lend();
        if (!lease) return lease.error();
        auto& connection = **lease;
        const auto version = detail::schema_version(connection, detail::quota_migration());
        if (!version) return version.error();
        if (*version == 0 && create) return detail::migrate(connection, detail::quota_migration());
        return detail::check_schema(connection, detail::quota_migration());
    }

    /// `work(desk)`, which begins the transaction, alone with its quota.
    template <class Work>
    auto transact(const Work& work) -> std::invoke_result_t<Work, detail::PostgresQuotaDesk&> {
        auto lease = pool.lend();
        if (!lease) return lease.error();
        auto& connection = **lease;
        for (int attempts = 1; true; ++attempts) {
            detail::PostgresTransaction transaction{connection};
            detail::PostgresQuotaDesk desk{connection, transaction};
            auto done = work(desk);
            if (done) {
                auto committed = transaction.commit();
                if (committed) return done;
                done = committed.error();
            }
            if (connection.fault() != detail::PostgresFault::conflict ||
                attempts == detail::quota_attempts_beside_others) {
                return done;
            }
        }
    }

    detail::PostgresPool pool;
};

PostgresQuotas::PostgresQuotas(const std::string& url, PostgresQuotasOptions options)
    : state_(std::make_unique<State>(detail::pool_target(url, options).value(), options)) {
    state_->prepare(options.create).value();
}

PostgresQuotas::~PostgresQuotas() = default;

Result<void> PostgresQuotas::try_migrate(const std::string& url,
                                         const PostgresQuotasOptions& options) {
    auto target = detail::pool_target(url, options);
    if (!target) return target.error();
    detail::PostgresConnection connection{
        std::move(target).value(),
        detail::durable_connection(options.connect_timeout, options.statement_timeout)};
    return detail::migrate(connection, detail::quota_migration());
}

void PostgresQuotas::migrate(const std::string& url, const PostgresQuotasOptions& options) {
    try_migrate(url, options).value();
}

std::string PostgresQuotas::migration_sql() {
    return detail::migration_sql(detail::quota_migration());
}

Result<QuotaReply> PostgresQuotas::reserve(const QuotaRequest& request) {
    if (auto checked = detail::check_quota_request(request); !checked) return checked.error();
    return state_->transact(
        [&](detail::PostgresQuotaDesk& desk) { return detail::reserve_quota(desk, request); });
}

Result<QuotaSettlement> PostgresQuotas::settle(std::string_view quota, std::string_view send,
                                               std::int64_t actual,
                                               std::chrono::milliseconds remembered) {
    if (auto checked = detail::check_quota_keys(quota, send); !checked) return checked.error();
    if (auto checked = detail::check_quota_actual(actual); !checked) return checked.error();
    return state_->transact([&](detail::PostgresQuotaDesk& desk) {
        return detail::settle_quota(desk, quota, send, actual, remembered);
    });
}

Result<QuotaEnd> PostgresQuotas::release(std::string_view quota, std::string_view send) {
    if (auto checked = detail::check_quota_keys(quota, send); !checked) return checked.error();
    return state_->transact(
        [&](detail::PostgresQuotaDesk& desk) { return detail::release_quota(desk, quota, send); });
}

Result<QuotaReply> PostgresQuotas::read(std::string_view quota,
                                        const std::vector<QuotaSlot>& time_slots) {
    if (auto checked = detail::check_quota_keys(quota, quota); !checked) return checked.error();
    if (auto checked = detail::check_quota_slots(time_slots); !checked) return checked.error();
    return state_->transact([&](detail::PostgresQuotaDesk& desk) {
        return detail::read_quota(desk, quota, time_slots);
    });
}

Result<std::vector<QuotaCount>> PostgresQuotas::history(std::string_view quota, std::int64_t period,
                                                        TimePoint from, TimePoint to) {
    if (auto checked = detail::check_quota_keys(quota, quota); !checked) return checked.error();
    return state_->transact([&](detail::PostgresQuotaDesk& desk) {
        return desk.history(quota, period, detail::quota_micros(from), detail::quota_micros(to));
    });
}

}  // namespace twiliowa
