/// @file
/// What differs between two definitions of a template.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace cli {

struct Difference {
    std::string path = {};               ///< `types.twilio/quick-reply.actions[1].title`
    nlohmann::ordered_json file = {};    ///< Null where it has none.
    nlohmann::ordered_json remote = {};  ///< Null where it has none.
};

/// By path. The order of what is named does not count, nor how a placeholder is spelled: Twilio may
/// answer `{{ 1 }}` for `{{1}}`.
std::vector<Difference> differences(const nlohmann::ordered_json& file,
                                    const nlohmann::ordered_json& remote);

}  // namespace cli
