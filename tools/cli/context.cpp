#include "context.hpp"

#include <cstdlib>
#include <utility>

namespace cli {

Context::Context(const CommonOptions& common, Output& output_, const CLI::App& tree_,
                 twiliowa::CancelToken cancel)
    : output(output_), tree(tree_), common_(common), cancel_(std::move(cancel)) {}

twiliowa::Credentials Context::credentials() const {
    return twiliowa::Credentials::from_environment();
}

twiliowa::ClientOptions Context::client_options() const {
    twiliowa::EnvironmentNames names;
    const char* const sender = std::getenv(names.sender.c_str());
    if (sender == nullptr || *sender == '\0') names.sender = "";
    if (!common_.base_url.empty()) names.base_url = "";
    auto options = twiliowa::ClientOptions::from_environment(names);
    if (!common_.base_url.empty()) options.base_url = common_.base_url;
    return options;
}

}  // namespace cli
