// What other programs of the club may ask for. README.md lists the requests.
#pragma once

#include <string>

#include <twiliowa/outbox/outbox.hpp>
#include <twiliowa/state/conversation_window.hpp>

#include "registrations.hpp"
#include "support/api.hpp"

namespace registration {

/// 25 requests a second are answered, 50 after a pause. What it names lives as long as it.
support::Api make_api(const std::string& key, const std::string& sender,
                      Registrations& registrations, twiliowa::Outbox& outbox,
                      const twiliowa::ConversationWindow& window, const support::Log& log);

}  // namespace registration
