// The conversation after the template: who the player is, and whether that is right.
#pragma once

#include <twiliowa/outbox/dialogue.hpp>

#include "log.hpp"
#include "registrations.hpp"

namespace registration {

/// All of them live as long as the dialogue.
void add_steps(twiliowa::Dialogue& dialogue, Registrations& registrations, const Log& log);

}  // namespace registration
