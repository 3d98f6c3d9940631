/// @file
/// What an outbox keeps of a customer who asks.
#pragma once

#include <memory>

#include <twiliowa/state/customers.hpp>

#include "outbox/outbox_core.hpp"

namespace twiliowa::detail {

std::shared_ptr<const PersonalData> outbox_personal_data(std::shared_ptr<const OutboxCore> core);

}  // namespace twiliowa::detail
