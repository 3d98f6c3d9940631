#include "settings.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <random>
#include <thread>

#include <twiliowa/types/error.hpp>

namespace support {

namespace wa = twiliowa;

std::string setting(const char* name, const char* otherwise) {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') value = otherwise;
    if (value == nullptr) {
        wa::Error::invalid_request(name, "this environment variable is not set").raise();
    }
    return value;
}

int number_setting(const char* name, const char* otherwise, int most) {
    return to_number(name, setting(name, otherwise), 1, most);
}

int to_number(const char* name, const std::string& text, int least, int most) {
    int number = 0;
    const char* const last = text.data() + text.size();
    const auto [end, problem] = std::from_chars(text.data(), last, number);
    if (problem != std::errc{} || end != last || number < least || number > most) {
        wa::Error::invalid_request(
            name, "is no number from " + std::to_string(least) + " to " + std::to_string(most))
            .raise();
    }
    return number;
}

Waits waits_setting(const char* name, const char* otherwise) {
    const auto text = setting(name, otherwise);
    const auto dash = text.find('-');
    const int least = to_number(name, text.substr(0, dash), 0, 60'000);
    const int most =
        dash == std::string::npos ? least : to_number(name, text.substr(dash + 1), 0, 60'000);
    if (most < least) wa::Error::invalid_request(name, "is not LEAST-MOST").raise();
    return {std::chrono::milliseconds{least}, std::chrono::milliseconds{most}};
}

void think(const Waits& waits, const wa::CancelToken& lost) {
    thread_local std::mt19937 chance{std::random_device{}()};
    std::uniform_int_distribution<std::int64_t> wait{waits.first.count(), waits.second.count()};
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds{wait(chance)};
    while (std::chrono::steady_clock::now() < until && !lost.is_cancelled()) {
        const auto left = until - std::chrono::steady_clock::now();
        std::this_thread::sleep_for(
            std::min<std::chrono::nanoseconds>(left, std::chrono::milliseconds{20}));
    }
}

}  // namespace support
