#include "postgresql/work_statements.hpp"

#include <utility>

namespace twiliowa::detail {

Error PostgresWorkStatements::begin_anew(BeginAnew why) {
    anew_ = why;
    return failed(postgres_error(PostgresFault::conflict));
}

Error PostgresWorkStatements::failed(const Error& error) {
    if (!failure_) failure_ = error;
    return *failure_;
}

Result<PostgresRows> PostgresWorkStatements::ask(const PostgresStatement& statement) {
    auto rows = ask_all({&statement, 1});
    if (!rows) return rows.error();
    return std::move(rows->front());
}

Result<std::vector<PostgresRows>> PostgresWorkStatements::ask_all(
    std::span<const PostgresStatement> statements) {
    if (failure_) return *failure_;
    auto answer = [&]() -> Result<std::vector<PostgresRows>> {
        if (statements.size() != 1) return connection_.execute_all(statements);
        auto rows = connection_.execute(statements.front());
        if (!rows) return rows.error();
        std::vector<PostgresRows> all;
        all.push_back(std::move(*rows));
        return all;
    }();
    if (answer) return answer;
    switch (connection_.fault()) {
        case PostgresFault::conflict:
            anew_ = BeginAnew::conflict;
            break;
        case PostgresFault::exists:
            anew_ = BeginAnew::key;
            break;
        case PostgresFault::lost:
            anew_ = BeginAnew::lost;
            break;
        default:
            break;
    }
    return failed(answer.error());
}

Result<PostgresRows> PostgresWorkStatements::change(const PostgresStatement& statement) {
    note_write();
    return ask(statement);
}

}  // namespace twiliowa::detail
