#include "http/certificate_authorities.hpp"

namespace twiliowa::detail {

namespace {

/// Where Linux distributions keep the bundle of certificate authorities.
constexpr const char* well_known_ca_files[] = {
    "/etc/ssl/certs/ca-certificates.crt",                 // Debian, Ubuntu, Arch
    "/etc/pki/tls/certs/ca-bundle.crt",                   // Fedora, RHEL
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  // newer RHEL
    "/etc/ssl/ca-bundle.pem",                             // openSUSE
    "/etc/ssl/cert.pem",                                  // Alpine, macOS
};

void add_tried_place(CertificateAuthorities& found, const std::string& place) {
    if (place.empty()) return;
    if (!found.tried.empty()) found.tried += ", ";
    found.tried += place;
}

CertificateAuthorities as_given(const GivenAuthorities& given) {
    CertificateAuthorities found;
    found.file = given.file;
    found.directory = given.directory;
    add_tried_place(found, found.file);
    add_tried_place(found, found.directory);
    if (!given.pem.empty()) add_tried_place(found, "the PEM text given");
    return found;
}

}  // namespace

CertificateAuthorities find_certificate_authorities(const GivenAuthorities& given,
                                                    const CaSurroundings& surroundings) {
    auto found = as_given(given);
    if (!found.tried.empty()) return found;
    const auto try_file = [&](const std::string& path) {
        if (path.empty() || !found.file.empty()) return;
        add_tried_place(found, path);
        if (surroundings.file_exists(path)) found.file = path;
    };
    try_file(surroundings.variable);
    try_file(surroundings.libcurl_file);
    for (const char* path : well_known_ca_files) try_file(path);
    if (found.file.empty()) {
        found.directory = surroundings.libcurl_directory;
        add_tried_place(found, found.directory);
    }
    return found;
}

}  // namespace twiliowa::detail
