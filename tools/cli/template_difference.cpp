#include "template_difference.hpp"

#include <map>
#include <string_view>

#include <twiliowa/types/placeholders.hpp>

namespace cli {

namespace {

using Json = nlohmann::ordered_json;

std::string in_one_spelling(std::string_view text) {
    std::string spelled;
    std::size_t done = 0;
    while (const auto placeholder = twiliowa::find_placeholder(text, done)) {
        spelled += text.substr(done, placeholder->begin - done);
        if (placeholder->name.empty()) {
            spelled += text.substr(placeholder->begin, placeholder->end - placeholder->begin);
        } else {
            spelled.append("{{").append(placeholder->name).append("}}");
        }
        done = placeholder->end;
    }
    return spelled += text.substr(done);
}

struct Sides {
    Json file = {};
    Json remote = {};
};

/// Every text, number and flag under its path; what is empty, too.
void spread(const Json& json, const std::string& path, std::map<std::string, Sides>& values,
            Json Sides::*side) {
    if (json.is_object() && !json.empty()) {
        for (const auto& [name, value] : json.items()) {
            spread(value, path.empty() ? name : path + "." + name, values, side);
        }
    } else if (json.is_array() && !json.empty()) {
        for (std::size_t i = 0; i < json.size(); ++i) {
            spread(json[i], path + "[" + std::to_string(i) + "]", values, side);
        }
    } else {
        values[path].*side =
            json.is_string() ? Json(in_one_spelling(json.get_ref<const std::string&>())) : json;
    }
}

}  // namespace

std::vector<Difference> differences(const Json& file, const Json& remote) {
    std::map<std::string, Sides> values;
    spread(file, "", values, &Sides::file);
    spread(remote, "", values, &Sides::remote);
    std::vector<Difference> found;
    for (auto& [path, sides] : values) {
        if (sides.file == sides.remote) continue;
        found.push_back({path, std::move(sides.file), std::move(sides.remote)});
    }
    return found;
}

}  // namespace cli
