/// @file
/// What an inbox keeps about a customer.
#pragma once

#include <memory>

#include <twiliowa/state/customers.hpp>

#include "outbox/inbox_core.hpp"

namespace twiliowa::detail {

std::shared_ptr<const PersonalData> inbox_personal_data(std::shared_ptr<const InboxCore> core);

}  // namespace twiliowa::detail
