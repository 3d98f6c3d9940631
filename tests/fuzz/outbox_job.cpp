// What an outbox reads: messages that other programs put in, markers out of URLs, policies.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <twiliowa/outbox/job.hpp>

#include "outbox/marker.hpp"
#include "outbox/message_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace twiliowa;
    const std::string_view text{reinterpret_cast<const char*>(data), size};
    if (const auto message = detail::read_message_json(text)) {
        // What was read is written, and reads the same again.
        const auto written = detail::write_message_json(*message);
        if (!written) std::abort();
        const auto again = detail::read_message_json(*written);
        if (!again || *detail::write_message_json(*again) != *written) std::abort();
    }
    if (const auto marker = detail::Marker::parse(text); marker && marker->str() != text) {
        std::abort();
    }
    if (const auto policy = OnUnknown::parse(text)) {
        const auto again = OnUnknown::parse(policy->str());
        if (!again || *again != *policy) std::abort();
    }
    if (const auto id = JobId::parse(text); id && id->str() != text) std::abort();
    return 0;
}
