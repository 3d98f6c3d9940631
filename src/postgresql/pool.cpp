#include "postgresql/pool.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include <twiliowa/state/store.hpp>

#include "postgresql/server_check.hpp"
#include "state/store_deadline.hpp"

namespace twiliowa::detail {

PostgresConnectionOptions durable_connection(std::chrono::milliseconds connect_timeout,
                                             std::chrono::milliseconds statement_timeout) {
    return {connect_timeout, statement_timeout, [](PostgresConnection& connection) -> Result<void> {
                if (auto checked = check_durable(connection); !checked) return checked.error();
                return {};
            }};
}

PostgresPool::PostgresPool(PostgresTarget target, PostgresConnectionOptions options, int size)
    : target_(std::move(target)), options_(std::move(options)), process_(::getpid()), left_(size) {
    idle_.reserve(static_cast<std::size_t>(size));
}

PostgresPool::~PostgresPool() {
    if (::getpid() == process_) return;
    for (const auto& connection : idle_) connection->abandon();
}

Result<PostgresPool::Lease> PostgresPool::lend() {
    // Before the mutex, which the parent may have held.
    if (::getpid() != process_) {
        return store_error("was opened before fork()", "open one in each process");
    }
    std::unique_lock lock(mutex_);
    const auto wanted = store_deadline();
    const auto patience =
        std::min<std::chrono::milliseconds>(options_.statement_timeout, std::chrono::hours{24});
    const auto until = std::min(wanted, std::chrono::steady_clock::now() + patience);
    if (!returned_.wait_until(lock, until, [&] { return !idle_.empty() || left_ > 0; })) {
        return store_error("has no connection free", "raise connections, or statement_timeout");
    }
    std::unique_ptr<PostgresConnection> connection;
    if (idle_.empty()) {
        connection = std::make_unique<PostgresConnection>(target_, options_);
        --left_;
    } else {
        connection = std::move(idle_.back());
        idle_.pop_back();
    }
    connection->end_by(wanted);
    return Lease{*this, std::move(connection)};
}

void PostgresPool::take_back(std::unique_ptr<PostgresConnection> connection) noexcept {
    // There is room for all of them.
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
    returned_.notify_one();
}

}  // namespace twiliowa::detail
