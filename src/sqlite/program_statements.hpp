/// @file
/// Statements of a program on the connection of an outbox, within a work.
#pragma once

#include <twiliowa/types/error.hpp>

#include "sqlite/connection.hpp"

namespace twiliowa::detail {

Error ended_by_program();

/// While the connection is a program's, too: a COMMIT of it is refused by SQLite, and rolls back.
class ProgramStatements {
public:
    explicit ProgramStatements(sqlite3* database) noexcept;
    ProgramStatements(const ProgramStatements&) = delete;
    ProgramStatements& operator=(const ProgramStatements&) = delete;
    /// Resets what was left running: it would stop the commit, and hold the file as it was.
    ~ProgramStatements();

    /// Whether the transaction that there was has ended.
    bool have_ended_it() const noexcept { return ended_; }

private:
    sqlite3* database_;
    bool ended_ = false;
};

}  // namespace twiliowa::detail
