#include "template_places.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>
#include <utility>

#include <twiliowa/types/placeholders.hpp>

#include "identifiers.hpp"
#include "template_json.hpp"

namespace cli {

using twiliowa::AuthenticationContent;
using twiliowa::ContentDefinition;
using Json = nlohmann::ordered_json;

namespace {

bool is_number(std::string_view name) {
    return std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// Numbers by their value, before all names.
bool goes_before(const VariablePlace& a, const VariablePlace& b) {
    const bool number = is_number(a.name);
    if (number != is_number(b.name)) return number;
    if (number && a.name.size() != b.name.size()) return a.name.size() < b.name.size();
    return a.name < b.name;
}

void add_place(VariablePlace place, std::vector<VariablePlace>& places) {
    const auto same = [&](const VariablePlace& other) { return other.name == place.name; };
    if (std::none_of(places.begin(), places.end(), same)) places.push_back(std::move(place));
}

void add_places(const Json& json, const std::string& member, std::vector<VariablePlace>& places) {
    if (json.is_object()) {
        for (const auto& [name, value] : json.items()) add_places(value, name, places);
    } else if (json.is_array()) {
        for (const auto& value : json) add_places(value, member, places);
    } else if (json.is_string()) {
        const auto& text = json.get_ref<const std::string&>();
        std::size_t done = 0;
        while (const auto placeholder = twiliowa::find_placeholder(text, done)) {
            done = placeholder->end;
            if (placeholder->name.empty()) continue;
            add_place({std::string{placeholder->name}, text.substr(0, placeholder->begin), member},
                      places);
        }
    }
}

bool is_among(std::string_view word, const auto& words) {
    return std::find(std::begin(words), std::end(words), word) != std::end(words);
}

/// Say nothing of the value that follows.
constexpr std::string_view fillers[] = {
    "a",    "an",  "and",   "are",  "as", "at",    "be",  "by",   "for",  "from", "had", "has",
    "have", "her", "his",   "in",   "is", "it",    "its", "my",   "of",   "on",   "or",  "our",
    "that", "the", "their", "this", "to", "until", "was", "were", "will", "with", "your"};
constexpr std::string_view greetings[] = {"bonjour", "ciao", "dear", "hallo", "hello",
                                          "hey",     "hi",   "hola", "ola"};

bool is_blank(char c) {
    return c == ' ' || c == '\n' || c == '\t';
}

/// The last word of `text`, taken off it; empty where the sentence begins, or another value stands.
std::string last_word(std::string_view& text) {
    const auto end = text.find_last_not_of(" \n\t:#*_~-(\"'");
    text = end == std::string_view::npos ? "" : text.substr(0, end + 1);
    auto begin = text.size();
    while (begin > 0 && !is_blank(text[begin - 1])) --begin;
    const auto word = text.substr(begin);
    const auto letters = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    if (!std::all_of(word.begin(), word.end(), letters)) return {};
    text = text.substr(0, begin);
    std::string lower{word};
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

/// One or two words before the variable that are no fillers.
std::string words_before(std::string_view text) {
    auto word = last_word(text);
    if (is_among(word, greetings)) return "name";
    std::string particle;
    if (is_among(word, fillers)) {
        particle = word == "is" || word == "are" || word == "was" ? "" : "_" + word;
        word = last_word(text);
    }
    if (word.empty() || is_among(word, fillers) || is_among(word, greetings)) return {};
    const auto other = last_word(text);
    if (particle.empty() && !other.empty() && !is_among(other, fillers) &&
        !is_among(other, greetings)) {
        return other + "_" + word;
    }
    return word + particle;
}

}  // namespace

std::vector<VariablePlace> variable_places(const ContentDefinition& definition) {
    std::vector<VariablePlace> places;
    auto json = json_of_definition(definition);
    // Twilio's order of the types means nothing, and may change.
    std::vector<std::pair<std::string, Json>> types;
    for (const auto& [name, type] : json["types"].items()) types.emplace_back(name, type);
    std::sort(types.begin(), types.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [name, type] : types) {
        add_places(type, {}, places);
        if (name == AuthenticationContent::type) add_place({"1", "code", "body"}, places);
    }
    std::sort(places.begin(), places.end(), goes_before);
    return places;
}

std::string readable_name(const VariablePlace& place) {
    const auto fallback = "variable_" + place.name;
    if (!is_number(place.name)) {
        auto name = snake_identifier(place.name, "variable_");
        return name.empty() ? "variable" : name;
    }
    if (place.member == "media" || place.member == "media_url") return "media";
    if (place.before.find("://") != std::string::npos && !is_blank(place.before.back()) &&
        place.before.find_last_of(" \n\t") + 1 <= place.before.rfind("://")) {
        return "link";
    }
    const auto name = snake_identifier(words_before(place.before), "variable_");
    return name.empty() ? fallback : name;
}

}  // namespace cli
