/// @file
/// Certificates made for a test: an authority and a server's, valid or not.
#pragma once

#include <string>

namespace twiliowa::test {

struct Certificates {
    std::string ca_pem = {};      ///< What a client must trust.
    std::string server_pem = {};  ///< The server's certificate.
    std::string key_pem = {};     ///< Its private key.
};

struct CertificateOptions {
    std::string host = "localhost";  ///< The only name in it; 127.0.0.1 is added if `ip`.
    bool ip = true;
    bool expired = false;
};

/// Throws std::runtime_error if OpenSSL fails.
Certificates make_certificates(const CertificateOptions& options = {});

/// The name of the file in which OpenSSL looks for this authority, in a directory of them.
std::string file_name_in_ca_directory(const std::string& ca_pem);

}  // namespace twiliowa::test
