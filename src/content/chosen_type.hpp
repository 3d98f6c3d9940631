/// @file
/// Which of a template's types a channel shows.
#pragma once

#include <vector>

#include <twiliowa/content/definition.hpp>
#include <twiliowa/types/address.hpp>

namespace twiliowa::detail {

/// The richest that the channel shows; the first if it shows none of them, null if there is none.
const ContentType* chosen_type(const std::vector<ContentType>& types,
                               Address::Channel channel) noexcept;

}  // namespace twiliowa::detail
