#include "support/certificates.hpp"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <cstdio>
#include <memory>
#include <stdexcept>

namespace twiliowa::test {

namespace {

template <auto Free>
struct OpensslFree {
    template <class T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};
using Key = std::unique_ptr<EVP_PKEY, OpensslFree<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, OpensslFree<X509_free>>;
using Bio = std::unique_ptr<BIO, OpensslFree<BIO_free>>;

void require(bool good) {
    if (!good) throw std::runtime_error("OpenSSL could not make a certificate");
}

Key make_key() {
    Key key(EVP_EC_gen("P-256"));
    require(key != nullptr);
    return key;
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
    require(extension != nullptr);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

Certificate make_certificate(const std::string& name, EVP_PKEY* key, X509* issuer,
                             long begins_in_seconds, long ends_in_seconds) {
    static int serial = 1;
    Certificate certificate(X509_new());
    require(certificate != nullptr);
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial++);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), begins_in_seconds);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), ends_in_seconds);
    X509_NAME* const subject = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(certificate.get(),
                         issuer == nullptr ? subject : X509_get_subject_name(issuer));
    X509_set_pubkey(certificate.get(), key);
    return certificate;
}

std::string take(Bio bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

std::string to_pem(X509* certificate) {
    Bio bio(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_X509(bio.get(), certificate) == 1);
    return take(std::move(bio));
}

std::string to_pem(EVP_PKEY* key) {
    Bio bio(BIO_new(BIO_s_mem()));
    require(PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1);
    return take(std::move(bio));
}

}  // namespace

Certificates make_certificates(const CertificateOptions& options) {
    constexpr long day = 86'400;
    static int authority = 0;
    const auto ca_key = make_key();
    const auto ca = make_certificate("twiliowa test authority " + std::to_string(++authority),
                                     ca_key.get(), nullptr, -day, day);
    add_extension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE");
    require(X509_sign(ca.get(), ca_key.get(), EVP_sha256()) > 0);

    const auto key = make_key();
    const auto server =
        make_certificate(options.host, key.get(), ca.get(), -2 * day, options.expired ? -day : day);
    add_extension(server.get(), ca.get(), NID_subject_alt_name,
                  "DNS:" + options.host + (options.ip ? ",IP:127.0.0.1" : ""));
    require(X509_sign(server.get(), ca_key.get(), EVP_sha256()) > 0);
    return {to_pem(ca.get()), to_pem(server.get()), to_pem(key.get())};
}

std::string file_name_in_ca_directory(const std::string& ca_pem) {
    const Bio bio(BIO_new_mem_buf(ca_pem.data(), static_cast<int>(ca_pem.size())));
    const Certificate ca(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    require(ca != nullptr);
    std::array<char, 32> name{};
    std::snprintf(name.data(), name.size(), "%08lx.0", X509_subject_name_hash(ca.get()));
    return name.data();
}

}  // namespace twiliowa::test
