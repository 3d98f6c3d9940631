// What organisations use of their subscriptions: tokens, times 1.2 on WhatsApp.
#pragma once

#include <cstdint>
#include <string>

#include <nlohmann/json_fwd.hpp>
#include <twiliowa/state/quotas.hpp>

#include "support/log.hpp"
#include "support/postgres_database.hpp"
#include "tenants.hpp"

namespace platform {

/// Thread-safe.
class Usage {
public:
    Usage(const std::string& database_url, support::PostgresDatabase& database,
          const Tenants& tenants, const support::Log& log);

    /// What a send will cost, or at most: so much of the month, under the send's key once.
    twiliowa::QuotaAnswer reserve(const std::string& organisation, const std::string& send,
                                  std::int64_t tokens) const;
    void settle(const std::string& organisation, const std::string& send,
                std::int64_t tokens) const;
    void release(const std::string& organisation, const std::string& send) const;

    /// Logs a message's and its day's; the second time it is there. `within` as
    /// support::PostgresDatabase::run.
    void record(const std::string& organisation, const std::string& id, const std::string& sid,
                std::int64_t tokens, PGconn* within = nullptr) const;
    /// What is left of the month, what each day has used, and which levels were told.
    nlohmann::ordered_json report(const std::string& organisation) const;
    static nlohmann::ordered_json view_of(const twiliowa::QuotaState& month);

private:
    class Bell;
    support::PostgresDatabase& database_;
    const twiliowa::Quotas quotas_;
};

}  // namespace platform
