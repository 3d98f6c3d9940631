// What a caller may hand over: addresses, SIDs, variables. A refusal is an error, never a crash.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <twiliowa/types/sid.hpp>

#include "messages_client/outbound_form.hpp"
#include "text/utf8.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace twiliowa;
    const std::string text(reinterpret_cast<const char*>(data), size);
    static_cast<void>(Address::parse(text));
    static_cast<void>(MessageSid::parse(text));
    if (const auto variables = TemplateVariables::from_json(text)) {
        const auto again = TemplateVariables::from_json(variables->to_json());
        if (!again || !(*again == *variables)) std::abort();
        if (variables->check(WhitespacePolicy::normalise)) {
            const auto normal =
                TemplateVariables::from_json(variables->to_json(WhitespacePolicy::normalise));
            if (!normal || !normal->check(WhitespacePolicy::refuse)) std::abort();
        }
    }
    OutboundMessage message;
    message.to = text.substr(0, size / 2);
    message.from = "+15005550006";
    message.body = text.substr(size / 2);
    message.media_url = {text};
    message.status_callback = text;
    const detail::OutboundDefaults defaults;
    if (const auto checked = detail::check_outbound(message, defaults, TimePoint{})) {
        if (!detail::is_valid_utf8(detail::encode_outbound(*checked))) std::abort();
    }
    return 0;
}
