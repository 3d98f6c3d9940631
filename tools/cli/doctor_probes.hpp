/// @file
/// What `twiliowa doctor` looks at beside check_setup: this machine, and the bot.
#pragma once

#include <string>
#include <vector>

#include <twiliowa/check_setup.hpp>
#include <twiliowa/client_options.hpp>

#include "context.hpp"

namespace cli {

/// Which variables say who sends.
std::vector<twiliowa::SetupFinding> environment_findings();

/// By one request without credentials to `url`, Twilio's: certificate, proxy, clock; and the
/// region.
std::vector<twiliowa::SetupFinding> network_findings(const std::string& url,
                                                     const twiliowa::ClientOptions& options,
                                                     const twiliowa::CallOptions& call);

/// Whether Twilio is asked to try again, and, with a token, how the bot answers requests that
/// belong to no message: one that is signed, one that is signed by somebody else.
std::vector<twiliowa::SetupFinding> callback_findings(const std::string& url,
                                                      const std::string& account_sid,
                                                      const twiliowa::CallOptions& call);

#ifdef TWILIOWA_CLI_SQLITE
/// Whether what TWILIOWA_STORE names can be opened; nothing where it is not set.
std::vector<twiliowa::SetupFinding> store_findings();
#endif

}  // namespace cli
