// The help desk: every message and answer is given to it, in the form of Chatwoot's API.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>
#include <twiliowa/metrics_observer.hpp>
#include <twiliowa/types/secret.hpp>

#include "conversations.hpp"
#include "support/log.hpp"
#include "support/program.hpp"

namespace dealer {

struct HelpDeskOptions {
    std::string url = {};                ///< `http://127.0.0.1:3000`
    twiliowa::Secret access_token = {};  ///< `api_access_token`
};

/// Gives the help desk what `Conversations` says that it lacks, in a thread of its own: each entry
/// once, since one that may be there already is looked for.
class HelpDesk {
public:
    HelpDesk(HelpDeskOptions options, Conversations& conversations, const support::Log& log);

    /// What it counts, at a scrape.
    void add_to(twiliowa::MetricSamples& samples) const;

private:
    /// Whether there was something to post.
    bool post_next();
    void post(Posting posting);
    /// @param path  below the conversations. Throws std::runtime_error if there is no answer, or
    /// not 2xx.
    nlohmann::json ask(const std::string& method, const std::string& path, const std::string& body);

    HelpDeskOptions options_;
    Conversations& conversations_;
    const support::Log& log_;
    std::atomic<std::uint64_t> posts_{0};
    std::atomic<std::uint64_t> failed_posts_{0};
    support::Workers worker_;
};

}  // namespace dealer
