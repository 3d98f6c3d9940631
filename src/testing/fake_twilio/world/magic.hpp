/// @file
/// Recipients whose numbers stand for an outcome.
#pragma once

#include <string_view>

#include <twiliowa/testing/fake_types.hpp>

namespace twiliowa::testing::fake {

/// The fate of `+15005550001` and the like; null for other recipients.
const MagicRecipient* find_magic_recipient(std::string_view address) noexcept;

}  // namespace twiliowa::testing::fake
