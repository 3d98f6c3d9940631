// What Twilio reports to.
#pragma once

#include <httplib.h>

#include <memory>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/webhook/public_url.hpp>

#include "companies.hpp"
#include "conversation_record.hpp"

namespace processor {

struct ReportParts {
    twiliowa::PublicUrl public_url;
    Companies& companies;
    twiliowa::Outbox& outbox;
    ConversationRecord& record;
    std::shared_ptr<twiliowa::Observer> observer;
};

/// Serves `/status/ID` for each company: its token, and no other, signs for its account. TLS is a
/// proxy's.
void serve_reports(httplib::Server& server, const ReportParts& parts);

}  // namespace processor
