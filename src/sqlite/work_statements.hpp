/// @file
/// The statements of one work, and the first of them that failed.
#pragma once

#include <optional>
#include <string>

#include <twiliowa/types/error.hpp>
#include <twiliowa/types/result.hpp>

#include "sqlite/connection.hpp"

namespace twiliowa::detail {

inline constexpr auto no_values = [](SqliteStatement&) {};

class WorkStatements {
public:
    explicit WorkStatements(SqliteConnection& file) noexcept : file_(file) {}

    SqliteConnection& file() noexcept { return file_; }
    /// The first statement that failed: the work is undone, even if it took no notice.
    const std::optional<Error>& failure() const noexcept { return failure_; }
    /// Keeps the first failure.
    Error failed(Error error) {
        if (!failure_) failure_ = error;
        return error;
    }

    /// Calls `read` with each row.
    template <class Bind, class Read>
    Result<void> query(const std::string& sql, const Bind& bind, const Read& read) {
        // Some failures end it all at once; what comes after must not be committed by itself.
        if (failure_) return *failure_;
        const auto prepared = file_.prepare(sql);
        if (!prepared) return failed(prepared.error());
        SqliteStatement statement{*prepared};
        bind(statement);
        while (true) {
            const auto row = statement.step();
            if (!row) return failed(row.error());
            if (!*row) return {};
            read(statement);
        }
    }

    template <class Bind>
    Result<void> change(const std::string& sql, const Bind& bind) {
        return query(sql, bind, [](const SqliteStatement&) {});
    }

private:
    SqliteConnection& file_;
    std::optional<Error> failure_ = {};
};

}  // namespace twiliowa::detail
