/// @file
/// Taking a URL apart without changing a byte of it: a signature is over its text.
#pragma once

#include <optional>
#include <string_view>

namespace twiliowa::detail {

/// The pieces of `user:password@example.com:8080`, views into its text; put together they are it.
struct Authority {
    std::string_view user;  ///< `user:password@`, or empty
    std::string_view host;  ///< `example.com`, or `[::1]`
    std::string_view port;  ///< `:8080`, or empty

    /// Its number; `otherwise` without one, nullopt if it is none from 1 to 65535.
    std::optional<int> port_or(int otherwise) const noexcept;
};

/// Nullopt without a host, with a bracket that is not around all of it, or with a port that is not
/// made of five digits at most. What the host is made of is not looked at.
std::optional<Authority> split_authority(std::string_view text) noexcept;

/// Whether both name one place: a host in any case of letters, and a port, which is that of the
/// scheme where none is named. False where one of them names none.
bool is_same_place(std::string_view scheme, std::string_view one, std::string_view other) noexcept;

/// The pieces of an absolute URL, views into its text; put together (origin, port, rest) they are
/// that text without its fragment.
struct UrlParts {
    std::string_view origin;  ///< `https://user:password@host`
    std::string_view scheme;  ///< `https`, in the case given
    std::string_view host;    ///< `host`, or `[::1]`
    std::string_view port;    ///< `:8080`, or empty
    std::string_view rest;    ///< Path and query; may be empty.

    bool is_https() const noexcept;
    /// `:443` or `:80`
    std::string_view default_port() const noexcept;
    std::string_view query() const noexcept;
};

/// Nullopt if it is no absolute http or https URL with an authority that can be split.
std::optional<UrlParts> split_url(std::string_view url) noexcept;

/// Where a URL leads to; no host and 0 if it cannot be split.
struct HostAndPort {
    std::string_view host;
    int port = 0;
};
HostAndPort host_and_port(std::string_view url) noexcept;

/// Why it is no URL that Twilio could call or fetch; empty if it is one.
std::string_view web_url_problem(std::string_view url) noexcept;

/// Without the part from # on.
std::string_view without_fragment(std::string_view url) noexcept;

/// What follows the first ?, up to a #; empty without one.
std::string_view query_of(std::string_view target) noexcept;

/// The raw value of the query's first parameter of that name; neither is decoded.
std::optional<std::string_view> raw_query_value(std::string_view query,
                                                std::string_view name) noexcept;

}  // namespace twiliowa::detail
