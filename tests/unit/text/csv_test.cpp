#include "text/csv.hpp"

#include <doctest/doctest.h>

#include <sstream>
#include <string>
#include <vector>

namespace csv_test {

using twiliowa::detail::CsvRead;
using twiliowa::detail::CsvReader;

namespace {

/// Fields with a bar between them, a line for each record with its number; `!` for what is none.
std::string read_all(const std::string& text) {
    std::istringstream in{text};
    CsvReader csv{in};
    std::string all;
    std::vector<std::string> fields;
    while (true) {
        const auto read = csv.next(fields);
        if (read == CsvRead::end) return all;
        all += std::to_string(csv.line()) + ':';
        if (read != CsvRead::record) {
            all += "!\n";
            if (read == CsvRead::too_long) return all;
            continue;
        }
        for (std::size_t i = 0; i < fields.size(); ++i) all += (i > 0 ? "|" : "") + fields[i];
        all += '\n';
    }
}

}  // namespace

TEST_CASE("records are lines, and fields are between commas") {
    CHECK(read_all("a,b\nc,d\n") == "1:a|b\n2:c|d\n");
    CHECK(read_all("a,b\r\nc,d") == "1:a|b\n2:c|d\n");
    CHECK(read_all("a,,\n,\n") == "1:a||\n2:|\n");
    CHECK(read_all("\xEF\xBB\xBF"
                   "a\n\n\r\nb\n") == "1:a\n4:b\n");
    CHECK(read_all("").empty());
    CHECK(read_all("\n\n").empty());
}

TEST_CASE("quotes hold commas, lines and doubled quotes") {
    CHECK(read_all("\"a,b\",\"c \"\"d\"\"\"\n") == "1:a,b|c \"d\"\n");
    CHECK(read_all("\"a\nb\",c\nd\n") == "1:a\nb|c\n3:d\n");
    CHECK(read_all("\"\"\n") == "1:\n");
    CHECK(read_all("\"a\r\nb\"\r\nc") == "1:a\r\nb\n3:c\n");
}

TEST_CASE("a quote where none belongs costs its line alone") {
    CHECK(read_all("a\"b,c\nd\n") == "1:!\n2:d\n");
    CHECK(read_all("\"a\"b,c\nd\n") == "1:!\n2:d\n");
    CHECK(read_all("\"a\nb") == "1:!\n");
}

TEST_CASE("a record without an end is not read for ever") {
    CHECK(read_all('"' + std::string(2'000'000, 'x')) == "1:!\n");
}

}  // namespace csv_test
