#include "tls.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <stdexcept>

namespace emulator {

namespace {

void require(bool done) {
    if (!done) throw std::runtime_error("OpenSSL cannot make a certificate");
}

bool is_address(const std::string& host) {
    const std::shared_ptr<ASN1_OCTET_STRING> parsed{a2i_IPADDRESS(host.c_str()),
                                                    ASN1_OCTET_STRING_free};
    return parsed != nullptr;
}

void add_extension(X509& certificate, int id, const std::string& value) {
    X509V3_CTX context{};
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, &certificate, &certificate, nullptr, nullptr, 0);
    const std::shared_ptr<X509_EXTENSION> extension{
        X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str()), X509_EXTENSION_free};
    require(extension && X509_add_ext(&certificate, extension.get(), -1) == 1);
}

}  // namespace

Certificate make_certificate(const std::vector<std::string>& hosts) {
    Certificate made;
    made.key = {EVP_EC_gen("P-256"), EVP_PKEY_free};
    made.certificate = {X509_new(), X509_free};
    require(made.key && made.certificate);
    X509& certificate = *made.certificate;
    std::uint32_t serial = 0;
    require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
    X509_set_version(&certificate, 2);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(&certificate), serial);
    X509_gmtime_adj(X509_getm_notBefore(&certificate), -3600);
    X509_gmtime_adj(X509_getm_notAfter(&certificate), 24L * 3600);
    X509_set_pubkey(&certificate, made.key.get());
    X509_NAME* const name = X509_get_subject_name(&certificate);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("twiliowa-emulator"), -1, -1,
                               0);
    X509_set_issuer_name(&certificate, name);
    std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";
    for (const auto& host : hosts) {
        if (host == "localhost" || host == "127.0.0.1" || host == "::1") continue;
        names += (is_address(host) ? ",IP:" : ",DNS:") + host;
    }
    add_extension(certificate, NID_subject_alt_name, names);
    add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    require(X509_sign(&certificate, made.key.get(), EVP_sha256()) > 0);

    const std::shared_ptr<BIO> memory{BIO_new(BIO_s_mem()), BIO_free_all};
    require(memory && PEM_write_bio_X509(memory.get(), &certificate) == 1);
    char* text = nullptr;
    const long length = BIO_get_mem_data(memory.get(), &text);
    made.pem.assign(text, static_cast<std::size_t>(length));
    return made;
}

}  // namespace emulator
