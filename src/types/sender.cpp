#include <twiliowa/types/sender.hpp>

namespace twiliowa {

Result<Sender> Sender::parse(std::string_view text) {
    if (text.starts_with("MG")) {
        const auto service = MessagingServiceSid::parse(text);
        if (!service) return service.error();
        return Sender{*service};
    }
    const auto address = Address::parse(text, "From");
    if (!address) return address.error();
    return Sender{*address};
}

}  // namespace twiliowa
