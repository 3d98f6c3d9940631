#include "postgresql/values.hpp"

#include <libpq-fe.h>

#include <charconv>

namespace twiliowa::detail {
namespace {

template <class Number>
void append_number(std::string& to, Number number) {
    const auto bits = static_cast<std::make_unsigned_t<Number>>(number);
    for (int shift = static_cast<int>(sizeof bits) * 8 - 8; shift >= 0; shift -= 8) {
        to += static_cast<char>((bits >> shift) & 0xffU);
    }
}

std::string number_bytes(std::int64_t number) {
    std::string bytes;
    append_number(bytes, number);
    return bytes;
}

constexpr unsigned array_type(PostgresType type) noexcept {
    switch (type) {
        case PostgresType::flag:
            return 1'000;
        case PostgresType::bytes:
            return 1'001;
        case PostgresType::number:
            return 1'016;
        case PostgresType::text:
            break;
    }
    return 1'009;
}

}  // namespace

// ---- PostgresArray

void PostgresArray::add(std::optional<std::string_view> bytes) {
    append_number(elements_, bytes ? static_cast<std::int32_t>(bytes->size()) : std::int32_t{-1});
    if (bytes) elements_ += *bytes;
    has_null_ = has_null_ || !bytes;
    ++size_;
}

void PostgresArray::add_number(std::optional<std::int64_t> number) {
    if (!number) return add(std::nullopt);
    add(number_bytes(*number));
}

void PostgresArray::add_flag(std::optional<bool> flag) {
    if (!flag) return add(std::nullopt);
    add(std::string(1, *flag ? '\1' : '\0'));
}

// ---- PostgresValues

PostgresValues& PostgresValues::add(unsigned type, std::optional<std::string_view> value) {
    const auto size = value ? value->size() : 0;
    places_.push_back({type, buffer_.size(), size, !value});
    if (value) buffer_ += *value;
    return *this;
}

PostgresValues& PostgresValues::bytes(std::optional<std::string_view> value) {
    return add(static_cast<unsigned>(PostgresType::bytes), value);
}

PostgresValues& PostgresValues::text(std::optional<std::string_view> value) {
    return add(static_cast<unsigned>(PostgresType::text), value);
}

PostgresValues& PostgresValues::number(std::optional<std::int64_t> value) {
    constexpr auto type = static_cast<unsigned>(PostgresType::number);
    if (!value) return add(type, std::nullopt);
    return add(type, number_bytes(*value));
}

PostgresValues& PostgresValues::flag(std::optional<bool> value) {
    constexpr auto type = static_cast<unsigned>(PostgresType::flag);
    if (!value) return add(type, std::nullopt);
    return add(type, *value ? std::string_view{"\1", 1} : std::string_view{"\0", 1});
}

PostgresValues& PostgresValues::array(const PostgresArray& value) {
    std::string bytes;
    append_number(bytes, std::int32_t{value.size_ == 0 ? 0 : 1});  // dimensions
    append_number(bytes, std::int32_t{value.has_null_ ? 1 : 0});
    append_number(bytes, static_cast<std::uint32_t>(value.type_));
    if (value.size_ != 0) {
        append_number(bytes, static_cast<std::int32_t>(value.size_));
        append_number(bytes, std::int32_t{1});  // where it begins to count
        bytes += value.elements_;
    }
    return add(array_type(value.type_), bytes);
}

// ---- PostgresRows

void PostgresRows::End::operator()(pg_result* result) const noexcept {
    PQclear(result);
}

std::size_t PostgresRows::size() const noexcept {
    return static_cast<std::size_t>(PQntuples(result_.get()));
}

std::size_t PostgresRows::changed() const noexcept {
    const std::string_view text{PQcmdTuples(result_.get())};
    std::size_t count = 0;
    std::from_chars(text.data(), text.data() + text.size(), count);
    return count;
}

bool PostgresRows::is_null(std::size_t row, int column) const noexcept {
    return PQgetisnull(result_.get(), static_cast<int>(row), column) != 0;
}

std::string_view PostgresRows::bytes(std::size_t row, int column) const noexcept {
    const auto at = static_cast<int>(row);
    const auto* const value = PQgetvalue(result_.get(), at, column);
    if (value == nullptr) return {};
    return {value, static_cast<std::size_t>(PQgetlength(result_.get(), at, column))};
}

std::int64_t PostgresRows::number(std::size_t row, int column) const noexcept {
    const auto value = bytes(row, column);
    if (value.size() != 2 && value.size() != 4 && value.size() != 8) return 0;
    // The first byte has the sign.
    std::uint64_t bits = (value.front() & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (const char byte : value) bits = (bits << 8U) | static_cast<unsigned char>(byte);
    return static_cast<std::int64_t>(bits);
}

bool PostgresRows::flag(std::size_t row, int column) const noexcept {
    const auto value = bytes(row, column);
    return value.size() == 1 && value.front() == '\1';
}

}  // namespace twiliowa::detail
