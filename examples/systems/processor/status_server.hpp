// The web server that Twilio reports to.
#pragma once

#include <memory>
#include <string>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/webhook/public_url.hpp>

#include "companies.hpp"
#include "conversation_record.hpp"
#include "log.hpp"

namespace processor {

/// Serves `/status/ID` for each company, in threads of its own. TLS is a proxy's.
class StatusServer {
public:
    StatusServer(int port, twiliowa::PublicUrl public_url, Companies& companies,
                 twiliowa::Outbox& outbox, ConversationRecord& record,
                 std::shared_ptr<twiliowa::Observer> observer);
    /// Ends it; answers under way are given.
    ~StatusServer();
    StatusServer(const StatusServer&) = delete;
    StatusServer& operator=(const StatusServer&) = delete;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace processor
