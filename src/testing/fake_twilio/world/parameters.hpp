/// @file
/// The parameters of a request to the fake: a query or a form.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace twiliowa::testing::fake {

/// Names and values in the order they came; a name may occur more than once.
class FakeParameters {
public:
    using Entry = std::pair<std::string, std::string>;

    FakeParameters() = default;
    explicit FakeParameters(std::vector<Entry> entries) noexcept : entries_(std::move(entries)) {}

    /// Reads `a=1&b=2`; nullopt when an escape is broken or the text is not UTF-8.
    static std::optional<FakeParameters> parse(std::string_view text);
    /// Nullopt when one of them is not UTF-8.
    static std::optional<FakeParameters> of(std::vector<Entry> entries);

    /// The first value of that name; empty when there is none.
    std::string_view get(std::string_view name) const noexcept;
    bool has(std::string_view name) const noexcept;
    /// All values of that name that are not empty.
    std::vector<std::string> all(std::string_view name) const;
    const std::vector<Entry>& entries() const noexcept { return entries_; }

private:
    std::vector<Entry> entries_;
};

/// Whether every `%` begins an escape.
bool has_whole_escapes(std::string_view text) noexcept;

/// Appends `name=value`, percent-encoded, after a `&` unless `query` is empty.
void append_query(std::string& query, std::string_view name, std::string_view value);

}  // namespace twiliowa::testing::fake
