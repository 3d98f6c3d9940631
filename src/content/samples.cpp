#include "content/samples.hpp"

#include "content/variable_text.hpp"

namespace twiliowa::detail {

ContentSamples samples_of(const ContentJson& definition) {
    ContentSamples samples;
    const auto* variables = find_member(definition, "variables");
    if (variables == nullptr || !variables->is_object()) return samples;
    for (const auto& [name, value] : variables->items()) {
        samples[name] = value.is_string() ? value.get<std::string>() : std::string("x");
    }
    return samples;
}

bool has_all_samples(std::string_view text, const ContentSamples& samples) {
    for (const auto& each : placeholders_of(text)) {
        if (!each.name.empty() && samples.find(each.name) == samples.end()) return false;
    }
    return true;
}

std::string with_samples(std::string_view text, const ContentSamples& samples) {
    return with_values(text, [&](std::string_view name) {
        const auto found = samples.find(name);
        return found == samples.end() ? std::string_view("x") : std::string_view(found->second);
    });
}

}  // namespace twiliowa::detail
