/// @file
/// Values on their way to a server of PostgreSQL, and rows on their way back: in binary, so that
/// any byte passes and nothing is parsed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct pg_result;

namespace twiliowa::detail {

/// The types that are sent, by PostgreSQL's numbers for them.
enum class PostgresType : unsigned {
    flag = 16,    ///< boolean
    bytes = 17,   ///< bytea
    number = 20,  ///< bigint; taken where a column is an integer, too
    text = 25,    ///< text: UTF-8 without NUL
};

/// An array of one dimension, for statements over many rows: `unnest($1, $2)`. nullopt is NULL.
class PostgresArray {
public:
    explicit PostgresArray(PostgresType type) noexcept : type_(type) {}

    /// Of bytes or text.
    void add(std::optional<std::string_view> bytes);
    /// Of numbers.
    void add_number(std::optional<std::int64_t> number);
    void add_flag(std::optional<bool> flag);
    std::size_t size() const noexcept { return size_; }

private:
    friend class PostgresValues;
    PostgresType type_;
    std::size_t size_ = 0;
    bool has_null_ = false;
    std::string elements_ = {};
};

/// The values of a statement, in the order of $1, $2, and so on; they are copied. nullopt is NULL.
class PostgresValues {
public:
    PostgresValues& bytes(std::optional<std::string_view> value);
    PostgresValues& text(std::optional<std::string_view> value);
    PostgresValues& number(std::optional<std::int64_t> value);
    PostgresValues& flag(std::optional<bool> value);
    PostgresValues& array(const PostgresArray& value);

    std::size_t size() const noexcept { return places_.size(); }

private:
    friend class PostgresConnection;
    struct Place {
        unsigned type;
        std::size_t begin;
        std::size_t size;
        bool is_null;
    };
    PostgresValues& add(unsigned type, std::optional<std::string_view> value);

    std::string buffer_ = {};
    std::vector<Place> places_ = {};
};

/// A statement that is sent once, unnamed: nothing of it stays in the session, which a pooler may
/// lend to somebody else next.
struct PostgresStatement {
    std::string sql = {};
    PostgresValues values = {};
};

/// What a statement answered. Rows and columns count from 0; a column that is read as what it is
/// not is empty, or 0.
class PostgresRows {
public:
    explicit PostgresRows(pg_result* result) noexcept : result_(result) {}

    std::size_t size() const noexcept;
    bool empty() const noexcept { return size() == 0; }
    /// Rows that the statement changed.
    std::size_t changed() const noexcept;

    bool is_null(std::size_t row, int column) const noexcept;
    /// Of bytea or text; as long as the rows are there.
    std::string_view bytes(std::size_t row, int column) const noexcept;
    /// Of smallint, integer or bigint.
    std::int64_t number(std::size_t row, int column) const noexcept;
    bool flag(std::size_t row, int column) const noexcept;

private:
    struct End {
        void operator()(pg_result* result) const noexcept;
    };
    std::unique_ptr<pg_result, End> result_;
};

}  // namespace twiliowa::detail
