#include "text/csv.hpp"

#include <streambuf>
#include <string_view>

namespace twiliowa::detail {

namespace {
constexpr std::size_t longest_csv_record = std::size_t{1} << 20U;
constexpr int csv_end = std::char_traits<char>::eof();
}  // namespace

void CsvReader::skip_mark() {
    for (const char expected : std::string_view{"\xEF\xBB\xBF"}) {
        if (in_.peek() != static_cast<unsigned char>(expected)) return;
        in_.get();
    }
}

/// After a fault, to where the next record begins.
CsvRead CsvReader::skip_line() {
    for (int c = in_.get(); c != csv_end && c != '\n';) c = in_.get();
    ++next_line_;
    return CsvRead::malformed;
}

CsvRead CsvReader::next(std::vector<std::string>& fields) {
    if (!begun_) skip_mark();
    begun_ = true;
    fields.clear();
    enum class At { begin, plain, quoted, after_quote };
    auto at = At::begin;
    std::size_t size = 0;
    std::string field;
    line_ = next_line_;
    const auto take_field = [&] {
        fields.push_back(std::move(field));
        field.clear();
        at = At::begin;
    };
    while (true) {
        const int c = in_.get();
        if (c != csv_end && ++size > longest_csv_record) return CsvRead::too_long;
        if (at == At::quoted) {
            if (c == csv_end) return CsvRead::malformed;
            if (c == '\n') ++next_line_;
            if (c == '"') {
                at = At::after_quote;
            } else {
                field += static_cast<char>(c);
            }
            continue;
        }
        if (c == '\r' && in_.peek() == '\n') continue;
        if (c == csv_end || c == '\n') {
            const bool empty = fields.empty() && field.empty() && at == At::begin;
            if (c == '\n') ++next_line_;
            if (empty && c == csv_end) return CsvRead::end;
            if (empty) {
                line_ = next_line_;
                size = 0;
                continue;
            }
            take_field();
            return CsvRead::record;
        }
        if (c == ',') {
            take_field();
        } else if (c == '"') {
            if (at == At::plain) return skip_line();
            if (at == At::after_quote) field += '"';
            at = At::quoted;
        } else if (at == At::after_quote) {
            return skip_line();
        } else {
            at = At::plain;
            field += static_cast<char>(c);
        }
    }
}

}  // namespace twiliowa::detail
