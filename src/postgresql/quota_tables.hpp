/// @file
/// The tables of PostgresQuotas, and what a transaction does with them.
#pragma once

#include "postgresql/connection.hpp"
#include "postgresql/migration.hpp"
#include "state/quota_book.hpp"

namespace twiliowa::detail {

const PostgresMigration& quota_migration();

/// Begins the transaction with what it loads, in one round trip.
class PostgresQuotaDesk final : public QuotaDesk {
public:
    PostgresQuotaDesk(PostgresConnection& connection, PostgresTransaction& transaction) noexcept
        : connection_(connection), transaction_(transaction) {}

    Result<QuotaPage> load(std::string_view quota, std::string_view send,
                           const std::vector<QuotaPlace>& places) override;
    Result<void> store(std::string_view quota, std::string_view send,
                       const QuotaChange& change) override;
    Result<std::vector<QuotaCount>> history(std::string_view quota, std::int64_t period,
                                            QuotaMicros from, QuotaMicros to);

private:
    PostgresConnection& connection_;
    PostgresTransaction& transaction_;
};

}  // namespace twiliowa::detail
