/// @file
/// Texts that stand for what must not be read: HMAC-SHA256.
#pragma once

#include <string>
#include <string_view>

namespace twiliowa::detail {

/// HMAC-SHA256 of `text`, in lower-case hex.
std::string keyed_hash(std::string_view key, std::string_view text);

/// 256 random bits, in lower-case hex.
std::string random_hash_key();

}  // namespace twiliowa::detail
