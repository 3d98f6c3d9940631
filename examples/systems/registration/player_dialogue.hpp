// The conversation after the template: who the player is, and whether that is right.
#pragma once

#include <twiliowa/outbox/dialogue.hpp>

#include "registrations.hpp"
#include "support/log.hpp"

namespace registration {

/// All of them live as long as the dialogue.
void add_steps(twiliowa::Dialogue& dialogue, Registrations& registrations, const support::Log& log);

}  // namespace registration
