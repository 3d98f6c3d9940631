// What organisations may ask for, each of its own. README.md lists the requests.
#pragma once

#include <string>

#include <twiliowa/outbox/outbox.hpp>

#include "messages.hpp"
#include "support/api.hpp"

namespace platform {

struct ApiParts {
    const Tenants& tenants;
    const History& history;
    const Usage& usage;
    const Messages& messages;
    twiliowa::Outbox& outbox;
    std::string webhook_url;  ///< What organisations give to Twilio.
};

/// @param log, parts  live as long as it.
support::Api make_api(const support::Log& log, const ApiParts& parts);

}  // namespace platform
