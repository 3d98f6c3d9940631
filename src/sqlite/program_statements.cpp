#include "sqlite/program_statements.hpp"

#include <twiliowa/state/store.hpp>

namespace twiliowa::detail {

Error ended_by_program() {
    return store_error("lost its transaction to a statement of the program's",
                       "use no COMMIT, no ROLLBACK and no conflict clause ROLLBACK in a work");
}

ProgramStatements::ProgramStatements(sqlite3* database) noexcept : database_(database) {
    sqlite3_commit_hook(
        database, [](void*) { return 1; }, nullptr);
    sqlite3_rollback_hook(
        database, [](void* ended) { *static_cast<bool*>(ended) = true; }, &ended_);
}

ProgramStatements::~ProgramStatements() {
    sqlite3_commit_hook(database_, nullptr, nullptr);
    sqlite3_rollback_hook(database_, nullptr, nullptr);
    sqlite3_stmt* statement = nullptr;
    while ((statement = sqlite3_next_stmt(database_, statement)) != nullptr) {
        if (sqlite3_stmt_busy(statement) != 0) sqlite3_reset(statement);
    }
}

}  // namespace twiliowa::detail
