/// @file
/// What stands for a sender where it must not be read.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <twiliowa/export.hpp>
#include <twiliowa/state/sealer.hpp>
#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

/// The blind index of `text` by that key of the ring; nullopt if the ring does not have it.
Result<std::optional<std::string>> blind_index_of(const Sealer& sealer, std::string_view text,
                                                  std::string_view purpose,
                                                  std::string_view key_id);

/// With a Sealer a blind index by the key of that id; without one a hash that anybody can make,
/// too. Errors: those of the Sealer; TransportError (field "keys") if the ring does not have the
/// key.
TWILIOWA_EXPORT Result<std::string> masked_sender(std::string_view sender,
                                                  const std::optional<Sealer>& sealer,
                                                  std::string_view key_id);

}  // namespace twiliowa::detail
