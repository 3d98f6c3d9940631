/// @file
/// Scripts that a server of Redis runs as one.
#pragma once

#include <string>
#include <string_view>

namespace twiliowa::detail {

struct RedisScript {
    explicit RedisScript(std::string_view script);

    std::string_view text;
    std::string sha;  ///< By which the server knows it once it has run it.
};

}  // namespace twiliowa::detail
