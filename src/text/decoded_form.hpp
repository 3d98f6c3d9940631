/// @file
/// A form body, decoded once for all who read it.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace twiliowa::detail {

/// The fields of a form in the order received, decoded into one buffer: its own, so that the usual
/// form needs no allocation, or a larger one. Reads leniently: an escape
/// that is none stays as it is, a field without `=` is a name, what is empty between two `&` is
/// none.
class DecodedForm {
public:
    struct Field {
        const char* data;  ///< The name, right after it the value.
        std::size_t name_size;
        std::size_t value_size;
        std::string_view name() const noexcept { return {data, name_size}; }
        std::string_view value() const noexcept { return {data + name_size, value_size}; }
        std::string_view name_and_value() const noexcept { return {data, name_size + value_size}; }
    };

    // few_ and own_ are left as they are: read() writes there before it reads.
    DecodedForm() noexcept {}  // NOLINT
    ~DecodedForm() = default;
    DecodedForm(const DecodedForm&) = delete;
    DecodedForm& operator=(const DecodedForm&) = delete;

    /// False if there are more fields than `max_fields`; the first so many are then there. What was
    /// read before is forgotten.
    bool read(std::string_view form, std::size_t max_fields);

    /// Whether read() was called.
    bool is_read() const noexcept { return is_read_; }
    std::span<const Field> fields() const noexcept {
        return {many_.empty() ? few_.data() : many_.data(), count_};
    }
    /// All names and values, one after the other.
    std::string_view text() const noexcept {
        return count_ == 0 ? std::string_view{} : std::string_view{fields()[0].data, room_};
    }
    /// The value of the first field of that name.
    std::optional<std::string_view> first(std::string_view name) const noexcept;
    /// Room for names and values of all fields, for who puts them together anew: one allocation
    /// less.
    char* room() const noexcept { return room_; }

private:
    static constexpr std::size_t inline_fields = 64;
    static constexpr std::size_t own_bytes = 2048;

    void add(const Field& field);

    std::unique_ptr<char[]> larger_;
    std::array<char, own_bytes> own_;       // NOLINT
    std::array<Field, inline_fields> few_;  // NOLINT
    std::vector<Field> many_;
    std::size_t count_ = 0;
    char* room_ = nullptr;
    bool is_read_ = false;
};

}  // namespace twiliowa::detail
