/// @file
/// What all sending clients make of their ClientOptions.
#pragma once

#include <memory>

#include <twiliowa/client_options.hpp>

#include "call/call_driver.hpp"

namespace twiliowa::detail {

/// Checks the options that every client has, and takes them over; the refusal names the option.
Result<std::shared_ptr<const CallEnvironment>> make_call_environment(CredentialsProvider provider,
                                                                     const ClientOptions& options);

}  // namespace twiliowa::detail
