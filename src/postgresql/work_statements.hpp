/// @file
/// The statements of the works of one transaction, and why it is run again or is of no more use.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include <twiliowa/types/error.hpp>
#include <twiliowa/types/result.hpp>

#include "postgresql/connection.hpp"

namespace twiliowa::detail {

/// Why a transaction is rolled back and its works are run again.
enum class BeginAnew {
    no,
    conflict,  ///< What it has read was changed by another meanwhile.
    key,       ///< A job's key is known: jobs are inserted one by one then.
    lost,      ///< The connection is gone, before the commit.
};

class PostgresWorkStatements {
public:
    explicit PostgresWorkStatements(PostgresConnection& connection) noexcept
        : connection_(connection) {}

    PostgresConnection& connection() noexcept { return connection_; }
    BeginAnew anew() const noexcept { return anew_; }
    /// The first statement that failed: the transaction is of no more use.
    const std::optional<Error>& failure() const noexcept { return failure_; }
    /// After a rollback to a savepoint.
    void recover() noexcept { failure_.reset(); }

    /// Whether something of the work that is run was sent: only a rollback undoes that.
    bool has_sent() const noexcept { return sent_; }
    bool has_written() const noexcept { return wrote_; }
    void begin_work() noexcept { sent_ = false; }
    void note_write(bool of_this_work = true) noexcept {
        sent_ = sent_ || of_this_work;
        wrote_ = true;
    }

    Error begin_anew(BeginAnew why);
    /// Keeps the first failure; that one.
    Error failed(const Error& error);
    Result<PostgresRows> ask(const PostgresStatement& statement);
    Result<std::vector<PostgresRows>> ask_all(std::span<const PostgresStatement> statements);
    Result<PostgresRows> change(const PostgresStatement& statement);

private:
    PostgresConnection& connection_;
    std::optional<Error> failure_ = {};
    BeginAnew anew_ = BeginAnew::no;
    bool sent_ = false;
    bool wrote_ = false;
};

}  // namespace twiliowa::detail
