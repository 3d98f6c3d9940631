#include "types/duration_bound.hpp"

namespace twiliowa::detail {

std::optional<Error> wrong_duration(std::string_view option, std::chrono::milliseconds duration,
                                    std::chrono::milliseconds least) {
    const auto refuse_duration = [option](const char* problem) {
        return Error::invalid_request(option, problem);
    };
    if (duration < least) {
        return refuse_duration(least.count() > 0 ? "is not positive" : "is negative");
    }
    if (duration > longest_duration) return refuse_duration("is longer than a hundred years");
    return std::nullopt;
}

void require_duration(std::string_view option, std::chrono::milliseconds duration,
                      std::chrono::milliseconds least) {
    if (const auto wrong = wrong_duration(option, duration, least)) wrong->raise();
}

}  // namespace twiliowa::detail
