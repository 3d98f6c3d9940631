/// @file
/// Connections to one server, each lent to a thread at a time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <twiliowa/types/result.hpp>

#include "postgresql/connection.hpp"

namespace twiliowa::detail {

/// How connections of those times are made, to a server that check_durable takes.
PostgresConnectionOptions durable_connection(std::chrono::milliseconds connect_timeout,
                                             std::chrono::milliseconds statement_timeout);

/// Where to, if what each store over a pool is told can be: `connections`, `connect_timeout` and
/// `statement_timeout` of its options.
template <class Options>
Result<PostgresTarget> pool_target(const std::string& url, const Options& options) {
    if (options.connections < 1) return Error::invalid_request("connections", "is less than 1");
    if (options.connect_timeout.count() <= 0) {
        return Error::invalid_request("connect_timeout", "is not positive");
    }
    if (options.statement_timeout.count() <= 0) {
        return Error::invalid_request("statement_timeout", "is not positive");
    }
    return parse_postgres_url(url);
}

/// Thread-safe.
class PostgresPool {
public:
    /// A connection that goes back where it came from.
    class Lease {
    public:
        Lease(PostgresPool& pool, std::unique_ptr<PostgresConnection> connection) noexcept
            : pool_(&pool), connection_(std::move(connection)) {}
        Lease(Lease&&) noexcept = default;
        Lease& operator=(Lease&&) = delete;
        Lease(const Lease&) = delete;
        Lease& operator=(const Lease&) = delete;
        ~Lease() {
            if (connection_) pool_->take_back(std::move(connection_));
        }
        PostgresConnection& operator*() const noexcept { return *connection_; }
        PostgresConnection* operator->() const noexcept { return connection_.get(); }

    private:
        PostgresPool* pool_;
        std::unique_ptr<PostgresConnection> connection_;
    };

    /// @param size  at least 1
    PostgresPool(PostgresTarget target, PostgresConnectionOptions options, int size);
    PostgresPool(const PostgresPool&) = delete;
    PostgresPool& operator=(const PostgresPool&) = delete;
    ~PostgresPool();

    /// Waits for one at most as long as for a statement; with it nothing is waited for longer than
    /// who asks a store in this thread has time (StoreDeadline). A store_error in a process that
    /// was forked.
    Result<Lease> lend();

private:
    void take_back(std::unique_ptr<PostgresConnection> connection) noexcept;

    const PostgresTarget target_;
    const PostgresConnectionOptions options_;
    const pid_t process_;
    std::mutex mutex_ = {};
    std::condition_variable returned_ = {};
    int left_;  ///< Connections that may still be made.
    /// The last that came back is the first that goes out: few stay open where few are needed.
    std::vector<std::unique_ptr<PostgresConnection>> idle_ = {};
};

}  // namespace twiliowa::detail
