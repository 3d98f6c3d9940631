/// @file
/// TLS to a server of Redis, where hiredis has it (TWILIOWA_REDIS_TLS).
#pragma once

#include <memory>
#include <string>

#include <twiliowa/types/clock.hpp>
#include <twiliowa/types/result.hpp>

struct redisContext;
struct ssl_st;

namespace twiliowa::detail {

/// What connections to one server share. Thread-safe.
class RedisTls {
public:
    static bool is_built_in() noexcept;

    /// Trusts the certificates of the file, or the system's, for that host alone. An
    /// InvalidRequestError names what is wrong: hiredis without TLS (field "url"), the file (field
    /// "ca_file").
    static Result<std::shared_ptr<const RedisTls>> create(const std::string& host,
                                                          const std::string& ca_file);

    /// Shakes hands on a connection, which keeps what comes of it; null if the server does not
    /// prove itself, or not in time.
    ssl_st* secure(redisContext* context, MonotonicTime deadline) const;
    /// Whether bytes have come that are not read yet.
    static bool has_pending(const ssl_st* tls) noexcept;

private:
    struct Settings;
    explicit RedisTls(std::shared_ptr<Settings> settings) noexcept
        : settings_(std::move(settings)) {}
    std::shared_ptr<Settings> settings_;
};

}  // namespace twiliowa::detail
