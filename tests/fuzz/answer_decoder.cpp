// Answers of Twilio's, good and bad: decoding must never crash, and what it calls a SID must be
// safe in a URL.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "call/api_error.hpp"
#include "messages_client/message_codec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace twiliowa;
    const std::string text(reinterpret_cast<const char*>(data), size);
    Message message;
    static_cast<void>(detail::decode_message(text, message));
    if (!message.sid.empty() && !detail::is_readable_sid(message.sid.str())) std::abort();
    Page<Message> page;
    static_cast<void>(detail::decode_message_page(text, page));
    Page<Media> media;
    static_cast<void>(detail::decode_media_page(text, media));
    const auto error = detail::api_error(HttpResponse{400, {}, text}, TimePoint{});
    if (error.code() < 0) std::abort();
    return 0;
}
