// Retry-After and the dates behind it: a wait is never negative and never longer than a year.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "call/api_error.hpp"
#include "text/dates.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace twiliowa;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto wait = detail::parse_retry_after(text, TimePoint{});
    if (wait && (wait->count() < 0 || *wait > std::chrono::hours{24 * 365})) std::abort();
    if (const auto time = detail::parse_iso8601(text)) {
        if (!detail::parse_iso8601(detail::format_iso8601_utc(*time))) std::abort();
    }
    if (const auto time = detail::parse_rfc2822(text)) {
        if (!detail::parse_rfc2822(detail::format_rfc2822(*time))) std::abort();
    }
    return 0;
}
