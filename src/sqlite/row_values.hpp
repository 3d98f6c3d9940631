/// @file
/// What rows and statements hold, read and bound one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

#include "outbox/job_values.hpp"
#include "sqlite/connection.hpp"

namespace twiliowa::detail {

/// Reads a row's columns one after the other.
class ColumnReader {
public:
    explicit ColumnReader(const SqliteStatement& row) noexcept : row_(row) {}

    std::string_view bytes() noexcept { return row_.bytes(column_++); }
    std::string text() { return std::string{bytes()}; }
    std::int64_t number() noexcept { return row_.number(column_++); }
    int small() noexcept { return static_cast<int>(number()); }
    bool flag() noexcept { return number() != 0; }
    template <class Enum>
    Enum one_of() noexcept {
        return static_cast<Enum>(number());
    }
    TimePoint time() noexcept { return time_of_stored(number()); }
    std::optional<TimePoint> optional_time() noexcept {
        if (!row_.is_null(column_)) return time();
        ++column_;
        return std::nullopt;
    }

private:
    const SqliteStatement& row_;
    int column_ = 0;
};

/// Binds a statement's values one after the other.
class ValueWriter {
public:
    explicit ValueWriter(SqliteStatement& statement) noexcept : statement_(statement) {}

    void text(std::string_view text) noexcept { statement_.bind_text(position_++, text); }
    void blob(std::string_view bytes) noexcept { statement_.bind(position_++, bytes); }
    void number(std::int64_t number) noexcept { statement_.bind(position_++, number); }
    void flag(bool value) noexcept { number(value ? 1 : 0); }
    template <class Enum>
    void one_of(Enum value) noexcept {
        number(static_cast<std::int64_t>(value));
    }
    void time(TimePoint time) noexcept { number(stored_time(time)); }
    void time(const std::optional<TimePoint>& time) noexcept {
        if (time) return number(stored_time(*time));
        null();
    }
    void null() noexcept { statement_.bind_null(position_++); }

private:
    SqliteStatement& statement_;
    int position_ = 1;
};

/// Runs a statement to its end; `bind` gives its values, `read` is shown each row.
template <class Bind, class Read>
Result<void> each_row(SqliteConnection& file, const std::string& sql, const Bind& bind,
                      const Read& read) {
    const auto prepared = file.prepare(sql);
    if (!prepared) return prepared.error();
    SqliteStatement statement{*prepared};
    ValueWriter values{statement};
    bind(values);
    while (true) {
        const auto row = statement.step();
        if (!row) return row.error();
        if (!*row) return {};
        ColumnReader columns{statement};
        read(columns);
    }
}

}  // namespace twiliowa::detail
