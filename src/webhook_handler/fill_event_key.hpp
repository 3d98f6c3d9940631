/// @file
/// `event_key` into a key that is there already.
#pragma once

#include <optional>
#include <string_view>

#include <twiliowa/event_key.hpp>
#include <twiliowa/types/error.hpp>

namespace twiliowa::detail {

/// Fills an empty key, or leaves it empty and says why.
std::optional<Error> fill_event_key(EventKey& key, const WebhookEvent& event,
                                    std::string_view signature);

}  // namespace twiliowa::detail
