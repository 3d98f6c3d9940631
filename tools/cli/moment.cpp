#include "moment.hpp"

#include <array>
#include <chrono>
#include <ctime>

namespace cli {

std::string text_of(const std::optional<twiliowa::TimePoint>& time) {
    if (!time) return {};
    const auto seconds = std::chrono::system_clock::to_time_t(*time);
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

nlohmann::ordered_json json_of(const std::optional<twiliowa::TimePoint>& time) {
    if (!time) return nullptr;
    return text_of(time);
}

}  // namespace cli
