/// @file
/// Where a server of Redis is.
#pragma once

#include <string>
#include <string_view>

#include <twiliowa/types/result.hpp>

namespace twiliowa::detail {

struct RedisAddress {
    std::string host = {};  ///< Without brackets; empty: `path` is its socket.
    std::string port = "6379";
    std::string path = {};
    std::string user = {};
    int database = 0;
    bool tls = false;
};

/// An InvalidRequestError of field "url" refuses what is no address, and one that holds a password:
/// it would be in the list of processes, in a history, in a log. It quotes nothing.
Result<RedisAddress> parse_redis_url(std::string_view url);

}  // namespace twiliowa::detail
