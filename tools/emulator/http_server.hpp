/// @file
/// httplib's server, with connections that have limits.
#pragma once

#include <httplib.h>
#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "connection.hpp"
#include "tls.hpp"

namespace emulator {

/// What a request may be, before anyone who serves it is asked.
constexpr std::size_t max_target_bytes = 4 * 1024;
constexpr std::size_t max_order_bytes = 4u << 20;   ///< With a customer's file.
constexpr std::size_t max_api_bytes = 512u * 1024;  ///< Far more than Twilio's API is sent.

class HttpServer final : public httplib::Server {
public:
    /// Without a certificate: HTTP.
    explicit HttpServer(const std::optional<Certificate>& certificate);

    /// httplib's backlog is 5.
    void widen_backlog();
    void end_idle() { connections_.end_idle(); }

private:
    bool process_and_close_socket(socket_t socket) override;
    template <class Self>
    static bool serve(Self& self, httplib::Stream& stream, bool& closed);
    void set_limits();

    std::shared_ptr<SSL_CTX> tls_;
    Connections connections_;
};

/// The body, or nullopt when it is larger than `most`, compressed or not, or breaks off.
std::optional<std::string> read_body(const httplib::Request& request,
                                     const httplib::ContentReader& reader, std::size_t most);

}  // namespace emulator
