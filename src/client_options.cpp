#include <twiliowa/client_options.hpp>

#include <utility>

#include <twiliowa/types/address.hpp>

#include "call/api_host.hpp"
#include "types/environment.hpp"

namespace twiliowa {

Result<ClientOptions> ClientOptions::try_from_environment(const EnvironmentNames& names) {
    ClientOptions options;
    options.from = detail::environment_variable(names.sender.c_str());
    options.edge = detail::environment_variable(names.edge.c_str());
    options.region = detail::environment_variable(names.region.c_str());
    options.base_url = detail::environment_variable(names.base_url.c_str());
    if (!names.sender.empty() && options.from.empty()) {
        return Error::invalid_request(names.sender, "environment variable is not set",
                                      "set it to your WhatsApp sender: +<country code><number>");
    }
    if (!options.from.empty()) {
        if (auto from = Address::parse(options.from, names.sender); !from) return from.error();
    }
    const auto origin = detail::api_origin("api", options.edge, options.region, options.base_url);
    if (!origin) {
        return origin.error().with([&](ErrorData& data) {
            if (data.field == "edge") data.field = names.edge;
            if (data.field == "region") data.field = names.region;
            if (data.field == "base_url") data.field = names.base_url;
        });
    }
    return options;
}

ClientOptions ClientOptions::from_environment(const EnvironmentNames& names) {
    return try_from_environment(names).value();
}

}  // namespace twiliowa
