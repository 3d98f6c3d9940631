/// @file
/// Keeping what a user's store throws away from the parts of state/.
#pragma once

#include <memory>

#include <twiliowa/export.hpp>
#include <twiliowa/state/store.hpp>

namespace twiliowa::detail {

/// The store, with whatever it throws turned into a store_error.
/// @throws InvalidRequestError if it is null.
TWILIOWA_EXPORT std::shared_ptr<Store> guarded_store(std::shared_ptr<Store> store);

}  // namespace twiliowa::detail
