/// @file
/// The statements of one work, and the first of them that failed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/state/sealer.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/types/result.hpp>

#include "sqlite/connection.hpp"

namespace twiliowa::detail {

inline constexpr auto no_values = [](SqliteStatement&) {};

/// What works leave in the log that the file holds no more.
struct Erasing {
    bool some = false;   ///< They have erased something.
    bool ended = false;  ///< Nothing more is about to follow.

    void add(const Erasing& more) noexcept {
        some = some || more.some;
        ended = ended || more.ended;
    }
    /// Of what is kept no longer `rows` went, of at most `limit`: all of them means that there may
    /// be more, which then go next.
    void add_sweep(std::int64_t rows, std::size_t limit) noexcept {
        add({.some = rows > 0, .ended = static_cast<std::uint64_t>(rows) < limit});
    }
};

/// Whether a payload that is written anew leaves one behind that is not to be read any more.
inline bool erases_what_was(std::string_view payload) noexcept {
    return payload.empty() || Sealer::is_sealed(payload);
}

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

    Erasing& erasing() noexcept { return erasing_; }

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
    Erasing erasing_ = {};
};

}  // namespace twiliowa::detail
