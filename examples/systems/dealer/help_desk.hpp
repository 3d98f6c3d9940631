// The help desk: every message and answer is given to it, in the form of Chatwoot's API.
#pragma once

#include <string>
#include <thread>

#include <twiliowa/types/secret.hpp>

#include "conversations.hpp"
#include "telemetry.hpp"

namespace dealer {

struct HelpDeskOptions {
    std::string url = {};                ///< `http://127.0.0.1:3000`
    twiliowa::Secret access_token = {};  ///< `api_access_token`
    std::string account = "1";
    int inbox = 1;
};

/// Gives the help desk what `Conversations` says that it lacks, in a thread of its own: each entry
/// once, since one that may be there already is looked for.
class HelpDesk {
public:
    HelpDesk(HelpDeskOptions options, Conversations& conversations, Telemetry& telemetry);
    ~HelpDesk() = default;
    HelpDesk(const HelpDesk&) = delete;
    HelpDesk& operator=(const HelpDesk&) = delete;

private:
    /// Whether there was something to post.
    bool post_next();
    void post(Posting posting);
    std::string find(const Posting& posting);
    /// An answer's body; throws std::runtime_error if there is none, or not 2xx.
    std::string ask(const std::string& method, const std::string& path, const std::string& body);

    HelpDeskOptions options_;
    Conversations& conversations_;
    Telemetry& telemetry_;
    std::jthread thread_;
};

}  // namespace dealer
