/// @file
/// Taking a URL apart without changing a byte of it: a signature is over its text.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace twiliowa::detail {

/// The pieces of an absolute URL, views into its text; put together they are that text without its
/// fragment.
struct SignatureUrl {
    std::string_view origin;  ///< `https://user:password@host`
    std::string_view scheme;  ///< `https`, in the case given
    std::string_view host;    ///< `host`, or `[::1]`
    std::string_view port;    ///< `:8080`, or empty
    std::string_view rest;    ///< Path and query; may be empty.

    bool is_https() const noexcept;
    /// `:443` or `:80`
    std::string_view default_port() const noexcept;
    /// What follows the ?; empty without one.
    std::string_view query() const noexcept;
};

/// Without the part from # on.
std::string_view without_fragment(std::string_view url) noexcept;

/// Nullopt if it is no absolute http or https URL with a host and, if any, a port of digits.
std::optional<SignatureUrl> split_signature_url(std::string_view url) noexcept;

/// Which ports to try, the one given first.
struct SignaturePorts {
    std::array<std::string_view, 3> list = {};
    std::size_t count = 0;
    const std::string_view* begin() const noexcept { return list.data(); }
    const std::string_view* end() const noexcept { return list.data() + count; }
};
SignaturePorts ports_to_try(const SignatureUrl& url) noexcept;

/// The raw value of the query's first parameter of that name; neither is decoded.
std::optional<std::string_view> raw_query_value(std::string_view query,
                                                std::string_view name) noexcept;

/// `rest` with `from` replaced by `to` wherever it is in the query; empty if it is not.
std::string respell_query(std::string_view rest, std::string_view from, std::string_view to);

}  // namespace twiliowa::detail
