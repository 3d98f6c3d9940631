/// @file
/// A webhook's URL, and what its fragment says about delivery.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace twiliowa::testing::fake {

struct FakeWebhookUrl {
    std::string text = {};    ///< Without the fragment.
    std::string scheme = {};  ///< `https`
    std::string host = {};    ///< With the port, if the URL has one; without user and password.
    std::string user = {};
    std::string password = {};
    std::string target = {};  ///< Path and query.
    std::string fragment = {};
    std::chrono::milliseconds connect_timeout{5'000};
    std::chrono::milliseconds read_timeout{15'000};
    std::chrono::milliseconds total_timeout{15'000};
    int retries = 1;
    std::string retry_on = "ct";  ///< `4xx`, `5xx`, `ct`, `rt`, `all`, separated by commas.

    /// Reads `https://host/path?query#rc=2&rp=all`. Values out of their ranges count as not given.
    static FakeWebhookUrl parse(std::string_view url);
    bool has_login() const noexcept { return !user.empty() || !password.empty(); }
    /// The URL with further parameters in its query.
    std::string with_query(std::string_view query) const;
    /// Whether a failure of that kind (`ct`, `rt`, `4xx`, `5xx`) is tried again.
    bool retries_on(std::string_view failure) const noexcept;
};

/// `reference`, a whole URL or part of one, as seen from `base`.
std::string resolve_url(const FakeWebhookUrl& base, std::string_view reference);

}  // namespace twiliowa::testing::fake
