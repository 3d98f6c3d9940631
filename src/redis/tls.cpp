#include "redis/tls.hpp"

#ifdef TWILIOWA_REDIS_TLS
#include <arpa/inet.h>
#include <hiredis/hiredis.h>
#include <hiredis/hiredis_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "redis/quiet_pipe.hpp"
#include "redis/waiting.hpp"
#endif

namespace twiliowa::detail {

#ifdef TWILIOWA_REDIS_TLS

struct RedisTls::Settings {
    struct End {
        void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
    };
    std::unique_ptr<SSL_CTX, End> context;
    std::string host;
};

namespace {

bool is_ip_address(const std::string& host) noexcept {
    unsigned char bytes[16];
    return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

bool set_expected_host(SSL* tls, const std::string& host) {
    if (is_ip_address(host)) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), host.c_str()) == 1;
    }
    return SSL_set_tlsext_host_name(tls, host.c_str()) == 1 &&
           SSL_set1_host(tls, host.c_str()) == 1;
}

}  // namespace

bool RedisTls::is_built_in() noexcept {
    return true;
}

Result<std::shared_ptr<const RedisTls>> RedisTls::create(const std::string& host,
                                                         const std::string& ca_file) {
    auto settings = std::make_shared<Settings>();
    settings->host = host;
    settings->context.reset(SSL_CTX_new(TLS_client_method()));
    auto* const context = settings->context.get();
    const bool made = context != nullptr && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    if (!made) return Error::invalid_request("url", "wants TLS, which OpenSSL does not give");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    const int trusts = ca_file.empty()
                           ? SSL_CTX_set_default_verify_paths(context)
                           : SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr);
    ERR_clear_error();
    if (trusts != 1) {
        return Error::invalid_request("ca_file", "cannot be read",
                                      "name a file of certificates in PEM");
    }
    return std::shared_ptr<const RedisTls>{new RedisTls{std::move(settings)}};
}

ssl_st* RedisTls::secure(redisContext* context, MonotonicTime deadline) const {
    const QuietPipe quiet;
    auto* const tls = SSL_new(settings_->context.get());
    if (tls == nullptr) return nullptr;
    if (!set_expected_host(tls, settings_->host)) {
        SSL_free(tls);
        return nullptr;
    }
    // It begins, and owns it from here; without blocking, the rest is left to who waits. Where it
    // fails at once it has given it back.
    if (redisInitiateSSL(context, tls) != REDIS_OK) {
        ERR_clear_error();
        SSL_free(tls);
        return nullptr;
    }
    while (true) {
        ERR_clear_error();
        const int done = SSL_do_handshake(tls);
        if (done == 1) return tls;
        const int wants = SSL_get_error(tls, done);
        ERR_clear_error();
        if (wants != SSL_ERROR_WANT_READ && wants != SSL_ERROR_WANT_WRITE) return nullptr;
        const short events = wants == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT;
        if (!await_socket(context->fd, events, deadline)) return nullptr;
    }
}

bool RedisTls::has_pending(const ssl_st* tls) noexcept {
    return SSL_pending(tls) > 0;
}

#else

struct RedisTls::Settings {};

bool RedisTls::is_built_in() noexcept {
    return false;
}

Result<std::shared_ptr<const RedisTls>> RedisTls::create(const std::string&, const std::string&) {
    return Error::invalid_request("url", "wants TLS (rediss://), which this hiredis lacks",
                                  "build with a hiredis 1.0 or later that has it (libhiredis_ssl), "
                                  "or take another client behind RedisConnection");
}

ssl_st* RedisTls::secure(redisContext*, MonotonicTime) const {
    return nullptr;
}

bool RedisTls::has_pending(const ssl_st*) noexcept {
    return false;
}

#endif

}  // namespace twiliowa::detail
