/// @file
/// JSON as the Content API's documents need it: read with a limit, kept in its order.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

using ContentJson = nlohmann::ordered_json;

/// How deep a document may nest.
inline constexpr std::size_t deepest_content = 32;

/// One JSON document; the error's field is `field`, and nothing of the text is in it.
Result<ContentJson> parse_content_json(std::string_view json, std::string_view field);

/// One JSON object.
Result<ContentJson> parse_content_object(std::string_view json, std::string_view field);

/// @param indent  blanks for each level; -1: one line. What is not UTF-8 becomes U+FFFD.
std::string dump_content_json(const ContentJson& json, int indent = -1);

/// The member of that name, or null.
const ContentJson* find_member(const ContentJson& json, std::string_view name) noexcept;
/// The text of the member of that name, or empty.
std::string_view text_member(const ContentJson& json, std::string_view name) noexcept;

/// Whether there is none, or null, which is the same.
bool is_absent(const ContentJson* json) noexcept;
/// Whether it is absent, or a text, list or object without anything in it.
bool is_empty_member(const ContentJson* json) noexcept;

/// `a number`, `text`, ...
std::string_view kind_of_json(const ContentJson& json) noexcept;

}  // namespace twiliowa::detail
