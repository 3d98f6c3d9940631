/// @file
/// Comma-separated values (RFC 4180), one record at a time.
#pragma once

#include <cstddef>
#include <istream>
#include <string>
#include <vector>

#include <twiliowa/export.hpp>

namespace twiliowa::detail {

enum class CsvRead {
    record,
    end,
    malformed,  ///< A quote where none belongs, or none where one does; it went on to the line end.
    too_long,   ///< A record of more than a mebibyte, which has no end: nothing is read after it.
};

/// Reads in UTF-8, with or without a byte order mark. Lines end with LF or CR LF. Empty lines are
/// passed over.
class TWILIOWA_EXPORT CsvReader {
public:
    explicit CsvReader(std::istream& in) noexcept : in_(in) {}

    /// The next record's fields, in place of those that were there.
    CsvRead next(std::vector<std::string>& fields);
    /// Where the last record begins, from 1.
    std::size_t line() const noexcept { return line_; }

private:
    CsvRead skip_line();
    void skip_mark();

    std::istream& in_;
    std::size_t line_ = 0;
    std::size_t next_line_ = 1;
    bool begun_ = false;
};

}  // namespace twiliowa::detail
