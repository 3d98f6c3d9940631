/// @file
/// The form parameters as a signature covers them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace twiliowa::detail {

/// Decodes a form once, into one buffer: parameters sorted by the bytes of their names, each name
/// followed by its value; several values of a name sorted, each once. Reads like `parse_form`:
/// leniently, an escape that is none stays as it is.
class SignatureForm {
public:
    // few_ is left as it is: read() writes there before it reads.
    SignatureForm() noexcept {}  // NOLINT
    ~SignatureForm() = default;
    SignatureForm(const SignatureForm&) = delete;
    SignatureForm& operator=(const SignatureForm&) = delete;

    /// False if there are more than `max_fields`. Call it once.
    bool read(std::string_view body, std::size_t max_fields);

    /// What is signed after the URL. Valid as long as this object lives.
    std::string_view text() const noexcept { return text_; }
    /// The value of the first parameter of that name, in the order received.
    std::optional<std::string_view> first(std::string_view name) const noexcept;

private:
    struct Field {
        std::uint64_t prefix;  // the name's first eight bytes, as a number that sorts like them
        const char* data;      // the name, right after it the value
        std::size_t name_size;
        std::size_t value_size;
        std::string_view name() const noexcept { return {data, name_size}; }
        std::string_view value() const noexcept { return {data + name_size, value_size}; }
    };
    static constexpr std::size_t inline_fields = 64;

    static bool sorts_before(const Field& a, const Field& b) noexcept;
    void add(const Field& field);

    std::unique_ptr<char[]> buffer_;
    std::array<Field, inline_fields> few_;  // NOLINT
    std::vector<Field> many_;
    Field* fields_ = few_.data();
    std::size_t count_ = 0;
    std::string_view text_;
};

}  // namespace twiliowa::detail
