/// @file
/// A certificate for this machine, made when the emulator starts.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openssl/evp.h>
#include <openssl/x509.h>

namespace emulator {

struct Certificate {
    std::shared_ptr<X509> certificate;
    std::shared_ptr<EVP_PKEY> key;
    std::string pem;
};

/// Self-signed, for localhost, 127.0.0.1, ::1 and `hosts`; good for a day. @throws
/// std::runtime_error
Certificate make_certificate(const std::vector<std::string>& hosts);

}  // namespace emulator
