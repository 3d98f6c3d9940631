#include "postgresql/row_columns.hpp"

#include "outbox/job_values.hpp"

namespace twiliowa::detail {

TimePoint PostgresColumns::time() noexcept {
    return time_of_stored(number());
}

std::optional<TimePoint> PostgresColumns::optional_time() noexcept {
    if (!rows_.is_null(row_, column_)) return time();
    ++column_;
    return std::nullopt;
}

void ColumnArrays::time(const std::optional<TimePoint>& time) {
    number(time ? std::optional{stored_time(*time)} : std::nullopt);
}

PostgresValues ColumnArrays::values() const {
    PostgresValues values;
    for (const auto& array : arrays_) values.array(array);
    return values;
}

PostgresArray& ColumnArrays::next(PostgresType type) {
    if (column_ == arrays_.size()) arrays_.emplace_back(type);
    return arrays_[column_++];
}

std::string list_of(std::span<const ColumnName> columns, std::string_view alias) {
    std::string list;
    for (const auto& column : columns) {
        if (!list.empty()) list += ", ";
        if (!alias.empty()) list.append(alias).append(".");
        list += column.name;
    }
    return list;
}

std::string settings_of(std::span<const ColumnName> columns, std::string_view alias) {
    std::string list;
    for (const auto& column : columns) {
        if (!list.empty()) list += ", ";
        list.append(column.name).append(" = ").append(alias).append(".").append(column.name);
    }
    return list;
}

std::string unnest(std::initializer_list<std::span<const ColumnName>> lists) {
    std::string sql = "unnest(";
    int position = 0;
    for (const auto& columns : lists) {
        for (const auto& column : columns) {
            if (position > 0) sql += ", ";
            sql += '$' + std::to_string(++position) + "::";
            sql += column.array;
        }
    }
    return sql + ")";
}

std::string beside_found(std::string_view table, std::string_view key) {
    const auto alias = table.substr(table.rfind(' ') + 1);
    std::string sql = " left join lateral (select * from ";
    sql.append(table).append(" where ").append(alias).append(".").append(key);
    sql.append(" = found.sequence limit 1) as ").append(alias).append(" on true");
    return sql;
}

}  // namespace twiliowa::detail
