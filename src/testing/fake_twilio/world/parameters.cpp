#include "testing/fake_twilio/world/parameters.hpp"

#include "text/form.hpp"
#include "text/percent.hpp"
#include "text/utf8.hpp"

namespace twiliowa::testing::fake {

bool has_whole_escapes(std::string_view text) noexcept {
    constexpr std::string_view hex = "0123456789abcdefABCDEF";
    for (auto at = text.find('%'); at != std::string_view::npos; at = text.find('%', at + 1)) {
        const auto digits = text.substr(at + 1, 2);
        if (digits.size() < 2 || digits.find_first_not_of(hex) != std::string_view::npos) {
            return false;
        }
    }
    return true;
}

std::optional<FakeParameters> FakeParameters::parse(std::string_view text) {
    if (!has_whole_escapes(text)) return std::nullopt;
    return of(detail::parse_form(text));
}

std::optional<FakeParameters> FakeParameters::of(std::vector<Entry> entries) {
    for (const auto& [name, value] : entries) {
        if (!detail::is_valid_utf8(name) || !detail::is_valid_utf8(value)) return std::nullopt;
    }
    return FakeParameters{std::move(entries)};
}

std::string_view FakeParameters::get(std::string_view name) const noexcept {
    for (const auto& [key, value] : entries_) {
        if (key == name) return value;
    }
    return {};
}

bool FakeParameters::has(std::string_view name) const noexcept {
    for (const auto& entry : entries_) {
        if (entry.first == name) return true;
    }
    return false;
}

std::vector<std::string> FakeParameters::all(std::string_view name) const {
    std::vector<std::string> values;
    for (const auto& [key, value] : entries_) {
        if (key == name && !value.empty()) values.push_back(value);
    }
    return values;
}

void append_query(std::string& query, std::string_view name, std::string_view value) {
    if (!query.empty()) query += '&';
    detail::append_percent_encoded(query, name);
    query += '=';
    detail::append_percent_encoded(query, value);
}

}  // namespace twiliowa::testing::fake
