/// @file
/// JSON that campaigns and recipients are read from, which is not deep.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

namespace twiliowa::detail {

/// Discarded, as what is no JSON, if it nests deeper than any of them: to write a part of that
/// again, which some are read from, would take a stack as deep.
inline nlohmann::json parse_shallow_json(std::string_view text) {
    constexpr int deepest = 32;
    bool is_deep = false;
    auto json = nlohmann::json::parse(
        text,
        [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
            is_deep = is_deep || depth > deepest;
            return depth <= deepest;
        },
        false);
    if (is_deep) return nlohmann::json(nlohmann::json::value_t::discarded);
    return json;
}

}  // namespace twiliowa::detail
