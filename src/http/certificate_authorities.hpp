/// @file
/// Where the certificate authorities to trust are.
#pragma once

#include <functional>
#include <string>

namespace twiliowa::detail {

struct CertificateAuthorities {
    std::string file = {};
    std::string directory = {};
    std::string tried = {};  ///< For errors: where they were looked for.
};

/// Those that the user named: CurlOptions has the same three.
struct GivenAuthorities {
    std::string file = {};
    std::string directory = {};
    std::string pem = {};
};

/// What of the machine the search depends on.
struct CaSurroundings {
    std::string variable = {};           ///< SSL_CERT_FILE.
    std::string libcurl_file = {};       ///< What libcurl was built with, if anything.
    std::string libcurl_directory = {};  ///< The same.
    std::function<bool(const std::string& path)> file_exists = {};
};

/// The given ones; else the first file there is of the variable's, libcurl's and the usual
/// places of Linux distributions; else libcurl's directory.
CertificateAuthorities find_certificate_authorities(const GivenAuthorities& given,
                                                    const CaSurroundings& surroundings);

}  // namespace twiliowa::detail
