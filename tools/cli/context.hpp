/// @file
/// What a command has to work with.
#pragma once

#include <string>

#include <twiliowa/client_options.hpp>
#include <twiliowa/types/call_options.hpp>
#include <twiliowa/types/cancel.hpp>
#include <twiliowa/types/credentials.hpp>
#include <twiliowa/types/secret.hpp>

#include "output.hpp"

namespace CLI {
class App;
}

namespace cli {

/// What may be said with every command.
struct CommonOptions {
    std::string env_file = {};
    std::string base_url = {};
    bool json = false;
};

class Context {
public:
    Context(const CommonOptions& common, Output& output, const CLI::App& tree,
            twiliowa::CancelToken cancel);

    Output& output;
    const CLI::App& tree;  ///< All commands.

    /// Of the environment. @throws InvalidRequestError naming the variable.
    twiliowa::Credentials credentials() const;
    /// TWILIO_AUTH_TOKEN: webhooks are signed with it, whatever signs the requests.
    /// @throws InvalidRequestError
    twiliowa::Secret auth_token() const;
    /// Of the environment, with --base-url. The sender is empty where none is set.
    /// @throws InvalidRequestError naming the variable.
    twiliowa::ClientOptions client_options() const;
    /// Cancelled by Ctrl-C.
    twiliowa::CallOptions call_options() const { return {.cancel = cancel_}; }

private:
    const CommonOptions& common_;
    twiliowa::CancelToken cancel_;
};

}  // namespace cli
