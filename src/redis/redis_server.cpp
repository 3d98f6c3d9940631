#include "redis/redis_server.hpp"

#include <charconv>
#include <string>

#include <twiliowa/state/store.hpp>

#include "redis/fault.hpp"

namespace twiliowa::detail {
namespace {

/// A script may ask for the time and write all the same from this version on.
constexpr int oldest_redis = 5;

/// Of the line `name:value`; empty if there is none.
std::string_view info_value(std::string_view info, std::string_view name) noexcept {
    while (!info.empty()) {
        const auto end = info.find('\n');
        auto line = info.substr(0, end);
        info.remove_prefix(end == std::string_view::npos ? info.size() : end + 1);
        if (line.substr(0, name.size()) != name) continue;
        line.remove_prefix(name.size());
        if (line.empty() || line.front() != ':') continue;
        line.remove_prefix(1);
        if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
        return line;
    }
    return {};
}

/// A word of Redis' own, which an error may hold.
bool is_policy_name(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 32 &&
           text.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == std::string_view::npos;
}

}  // namespace

Result<void> check_redis_server(std::string_view info) {
    const auto version = info_value(info, "redis_version");
    int major = 0;
    std::from_chars(version.data(), version.data() + version.size(), major);
    if (major == 0) {
        return store_error("does not say what it is", "let it answer INFO as Redis does");
    }
    if (major < oldest_redis) {
        return store_error("needs Redis 5 or later", "the server is older");
    }
    const auto role = info_value(info, "role");
    if (role == "slave" || role == "replica") return redis_error(RedisFault::read_only);
    const auto policy = info_value(info, "maxmemory_policy");
    if (policy == "noeviction") return {};
    if (!is_policy_name(policy)) {
        return store_error("does not say whether it drops entries",
                           "let INFO answer with maxmemory_policy");
    }
    return store_error(
        "may drop entries before their time (maxmemory-policy " + std::string{policy} + ")",
        "set maxmemory-policy to noeviction, or give the store a Redis of its own");
}

}  // namespace twiliowa::detail
