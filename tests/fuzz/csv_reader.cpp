// Comma-separated values: what is read ends, and written down with quotes it is read as the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

#include "text/csv.hpp"

namespace {

void expect(bool holds) {
    if (!holds) std::abort();
}

std::string quoted(const std::vector<std::string>& fields) {
    std::string line;
    for (const auto& field : fields) {
        line += line.empty() ? "\"" : ",\"";
        for (const char c : field) {
            if (c == '"') line += '"';
            line += c;
        }
        line += '"';
    }
    return line + "\r\n";
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace twiliowa::detail;
    std::istringstream in{std::string(reinterpret_cast<const char*>(data), size)};
    CsvReader reader{in};
    std::vector<std::string> fields;
    std::size_t line = 0;
    for (std::size_t records = 0; true; ++records) {
        expect(records <= size);
        const auto read = reader.next(fields);
        if (read == CsvRead::end || read == CsvRead::too_long) break;
        expect(reader.line() > line);
        line = reader.line();
        if (read != CsvRead::record) continue;
        expect(!fields.empty());
        std::istringstream again{quoted(fields)};
        CsvReader second{again};
        std::vector<std::string> same;
        expect(second.next(same) == CsvRead::record && same == fields);
        expect(second.next(same) == CsvRead::end);
    }
    return 0;
}
