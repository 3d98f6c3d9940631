/// @file
/// What a KeyRing is made of.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <twiliowa/state/key_ring.hpp>
#include <twiliowa/types/error.hpp>
#include <twiliowa/types/result.hpp>
#include <twiliowa/types/secret.hpp>

namespace twiliowa::detail {

inline constexpr std::size_t key_bytes = 32;

/// What the ring, or OpenSSL, cannot do for now.
Error keys_error(std::string_view problem, std::string_view hint = {});

bool is_key_id(std::string_view id) noexcept;

}  // namespace twiliowa::detail

namespace twiliowa {

struct KeyRing::Data {
    struct Key {
        std::string id = {};
        Secret bytes = {};  ///< 32, not base64.
    };

    /// @param ends  characters that end a line
    /// @param what  what a line is called in an error: "line "
    static Result<KeyRing> read(std::string_view text, std::string_view ends,
                                std::string_view what);

    std::vector<Key> keys = {};  ///< At least one, newest first.
};

}  // namespace twiliowa
