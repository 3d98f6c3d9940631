#include <twiliowa/client_options.hpp>

#include <utility>

#include <twiliowa/types/address.hpp>

#include "call/api_host.hpp"
#include "types/environment.hpp"

namespace twiliowa {

Result<ClientOptions> ClientOptions::try_from_environment() {
    ClientOptions options;
    options.from = detail::environment_variable("TWILIO_WHATSAPP_NUMBER");
    options.edge = detail::environment_variable("TWILIO_EDGE");
    options.region = detail::environment_variable("TWILIO_REGION");
    options.base_url = detail::environment_variable("TWILIOWA_BASE_URL");
    if (options.from.empty()) {
        return Error::invalid_request("TWILIO_WHATSAPP_NUMBER", "environment variable is not set",
                                      "set it to your WhatsApp sender: +<country code><number>");
    }
    if (auto from = Address::parse(options.from, "TWILIO_WHATSAPP_NUMBER"); !from) {
        return from.error();
    }
    const auto origin = detail::api_origin("api", options.edge, options.region, options.base_url);
    if (!origin) {
        return origin.error().with([](ErrorData& data) {
            if (data.field == "edge") data.field = "TWILIO_EDGE";
            if (data.field == "region") data.field = "TWILIO_REGION";
            if (data.field == "base_url") data.field = "TWILIOWA_BASE_URL";
        });
    }
    return options;
}

ClientOptions ClientOptions::from_environment() {
    return try_from_environment().value();
}

}  // namespace twiliowa
