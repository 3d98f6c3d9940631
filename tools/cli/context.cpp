#include "context.hpp"

#include <utility>

#include <twiliowa/types/error.hpp>

#include "environment.hpp"

namespace cli {

Context::Context(const CommonOptions& common, Output& output_, const CLI::App& tree_,
                 twiliowa::CancelToken cancel)
    : output(output_), tree(tree_), common_(common), cancel_(std::move(cancel)) {}

twiliowa::Credentials Context::credentials() const {
    return twiliowa::Credentials::from_environment();
}

twiliowa::Secret Context::auth_token() const {
    const auto token = environment("TWILIO_AUTH_TOKEN");
    if (token.empty()) {
        twiliowa::Error::invalid_request("TWILIO_AUTH_TOKEN", "is not set",
                                         "webhooks are signed with it, whatever signs the requests")
            .raise();
    }
    return twiliowa::Secret{token};
}

twiliowa::ClientOptions Context::client_options() const {
    twiliowa::EnvironmentNames names;
    if (environment(names.sender.c_str()).empty()) names.sender = "";
    if (!common_.base_url.empty()) names.base_url = "";
    auto options = twiliowa::ClientOptions::from_environment(names);
    if (!common_.base_url.empty()) options.base_url = common_.base_url;
    return options;
}

}  // namespace cli
