/// @file
/// Rows of PostgreSQL as columns with names, one after the other, on both ways.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/types/clock.hpp>

#include "postgresql/values.hpp"

namespace twiliowa::detail {

/// Reads a row's columns one after the other.
class PostgresColumns {
public:
    PostgresColumns(const PostgresRows& rows, std::size_t row) noexcept : rows_(rows), row_(row) {}

    std::string_view bytes() noexcept { return rows_.bytes(row_, column_++); }
    std::string text() { return std::string{bytes()}; }
    std::int64_t number() noexcept { return rows_.number(row_, column_++); }
    int small() noexcept { return static_cast<int>(number()); }
    bool flag() noexcept { return rows_.flag(row_, column_++); }
    template <class Enum>
    Enum one_of() noexcept {
        return static_cast<Enum>(number());
    }
    TimePoint time() noexcept;
    std::optional<TimePoint> optional_time() noexcept;

private:
    const PostgresRows& rows_;
    const std::size_t row_;
    int column_ = 0;
};

/// The columns of rows that are sent as one array each.
class ColumnArrays {
public:
    void bytes(std::optional<std::string_view> value) { next(PostgresType::bytes).add(value); }
    void text(std::string_view value) { next(PostgresType::text).add(value); }
    void number(std::optional<std::int64_t> value) { next(PostgresType::number).add_number(value); }
    void flag(bool value) { next(PostgresType::flag).add_flag(value); }
    template <class Enum>
    void one_of(Enum value) {
        number(static_cast<std::int64_t>(value));
    }
    void time(const std::optional<TimePoint>& time);
    void end_row() noexcept { column_ = 0; }

    PostgresValues values() const;

private:
    PostgresArray& next(PostgresType type);

    std::vector<PostgresArray> arrays_ = {};
    std::size_t column_ = 0;
};

struct ColumnName {
    std::string_view name;
    std::string_view array;  ///< The type of an array of it.
};

inline constexpr std::string_view bytes_array = "bytea[]";
inline constexpr std::string_view number_array = "bigint[]";
inline constexpr std::string_view flag_array = "boolean[]";
inline constexpr std::string_view text_array = "text[]";

/// "a.x, a.y"
std::string list_of(std::span<const ColumnName> columns, std::string_view alias);
/// "x = a.x, y = a.y"
std::string settings_of(std::span<const ColumnName> columns, std::string_view alias);
/// "unnest($1::bytea[], ...)"
std::string unnest(std::initializer_list<std::span<const ColumnName>> lists);

/// A join of what stands beside the rows `found`, under the same sequence: one row at most for
/// each, each looked for by itself. However many rows the planner takes `found` for, it reads no
/// table whole.
/// @param table  with its alias: "twiliowa.job_payload as payload"
std::string beside_found(std::string_view table, std::string_view key);

}  // namespace twiliowa::detail
