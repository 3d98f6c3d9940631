// What the machine is set up with decides no test: no proxy or authority of its environment, and an
// OpenSSL that allows everything.
#include <openssl/crypto.h>

#include <cstdio>
#include <cstdlib>
#include <initializer_list>

namespace {

const bool machine_is_neutral = [] {
    for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                             "no_proxy", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"}) {
        unsetenv(name);
    }
    auto* const settings = OPENSSL_INIT_new();
    OPENSSL_INIT_set_config_filename(settings, TWILIOWA_TEST_DATA "/openssl.cnf");
    const bool read = OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, settings) == 1;
    OPENSSL_INIT_free(settings);
    if (!read) std::fputs("OpenSSL did not read the tests' configuration\n", stderr);
    return read;
}();

}  // namespace
