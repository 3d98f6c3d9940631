#include "order.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "common/numbers.hpp"
#include "options.hpp"
#include "text/base64.hpp"

namespace emulator {

using nlohmann::json;

json parse_order(const std::string& body) {
    constexpr int most_values = 10'000;  // A value may be one byte of the body, and far more here.
    int left = most_values;
    const auto count = [&](int, json::parse_event_t, const json&) {
        if (--left <= 0) throw std::length_error("too many values");
        return true;
    };
    try {
        return json::parse(body, count, false);
    } catch (const std::length_error&) {
        return {};
    }
}

std::string text_of(const json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end()) return {};
    if (!found->is_string()) throw std::invalid_argument(std::string{name} + " is not text");
    return found->get<std::string>();
}

double number_of(const json& object, const char* name, double otherwise) {
    const auto found = object.find(name);
    if (found == object.end()) return otherwise;
    if (!found->is_number()) throw std::invalid_argument(std::string{name} + " is not a number");
    return found->get<double>();
}

bool flag_of(const json& object, const char* name) {
    const auto found = object.find(name);
    if (found == object.end()) return true;
    if (!found->is_boolean()) throw std::invalid_argument(std::string{name} + " is not a flag");
    return found->get<bool>();
}

double share_of(const json& object, const char* name, double otherwise) {
    const double share = number_of(object, name, otherwise);
    if (!(share >= 0 && share <= 1)) {
        throw std::invalid_argument(std::string{name} + " is not from 0 to 1");
    }
    return share;
}

std::chrono::milliseconds seconds_of(const json& order, const char* name,
                                     std::chrono::milliseconds otherwise) {
    if (!order.contains(name)) return otherwise;
    constexpr double most = 366.0 * 86'400.0;
    const double seconds = number_of(order, name);
    if (!(seconds >= 0 && seconds <= most)) {
        throw std::invalid_argument(std::string{name} + " is not from 0 to those of a year");
    }
    return std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::duration<double>{seconds});
}

std::uint64_t seed_of(const json& seed) {
    if (seed.is_number_unsigned()) return seed.get<std::uint64_t>();
    const auto text = seed.is_string() ? seed.get<std::string>() : std::string{};
    if (const auto number = tools::read_number<std::uint64_t>(text)) return *number;
    throw std::invalid_argument("seed is not a number from 0");
}

int count_of(const json& object, const char* name, int least, int most) {
    const double count = number_of(object, name);
    if (!(count >= least && count <= most && count == std::floor(count))) {
        throw std::invalid_argument(std::string{name} + " is not a whole number from " +
                                    std::to_string(least) + " to " + std::to_string(most));
    }
    return static_cast<int>(count);
}

std::optional<int> limit_of(const json& object, const char* name) {
    if (object.value(name, json()).is_null()) return std::nullopt;
    return count_of(object, name, 0, 1'000'000);
}

std::string content_type_of(const json& object) {
    auto type = text_of(object, "content_type");
    const bool printable =
        std::all_of(type.begin(), type.end(), [](char c) { return c >= ' ' && c <= '~'; });
    const auto slash = type.find('/');
    if (!printable || slash == 0 || slash == std::string::npos || slash + 1 == type.size()) {
        throw std::invalid_argument("content_type is not like image/png");
    }
    return type;
}

std::vector<std::pair<std::string, std::string>> parameters_of(const json& object) {
    std::vector<std::pair<std::string, std::string>> parameters;
    const auto found = object.find("parameters");
    if (found == object.end()) return parameters;
    if (!found->is_object()) throw std::invalid_argument("parameters is not an object");
    for (const auto& [name, value] : found->items()) {
        if (!value.is_string()) throw std::invalid_argument("parameters: " + name + " is not text");
        parameters.emplace_back(name, value.get<std::string>());
    }
    return parameters;
}

std::string bytes_of(const json& object) {
    auto bytes = twiliowa::detail::decode_base64(text_of(object, "base64"));
    if (!bytes) throw std::invalid_argument("base64 is not base64");
    return std::move(*bytes);
}

twiliowa::testing::Fault fault_of(const std::string& name) {
    for (const auto& [known, fault] : twiliowa::testing::fault_names) {
        if (known == name) return fault;
    }
    throw std::invalid_argument("there is no fault " + name);
}

void require_known(const json& order, std::initializer_list<const char*> known) {
    for (const auto& [name, value] : order.items()) {
        if (std::find(known.begin(), known.end(), name) == known.end()) {
            throw std::invalid_argument("there is no " + name);
        }
    }
}

void require_address(const char* name, const std::string& url) {
    if (url.empty() || is_web_address(url)) return;
    throw std::invalid_argument(std::string{name} +
                                " does not begin with http:// or https:// and a host");
}

}  // namespace emulator
