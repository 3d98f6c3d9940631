// What the machine is set up with decides no test: no proxy or authority of its environment, and an
// OpenSSL that allows everything.
#include <openssl/conf.h>

#include <cstdio>
#include <cstdlib>
#include <initializer_list>

namespace {

const bool machine_is_neutral = [] {
    for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY",
                             "no_proxy", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"}) {
        unsetenv(name);
    }
    // A library may have had OpenSSL read the machine's before: Debian's cpp-httplib does.
    const bool read = CONF_modules_load_file(TWILIOWA_TEST_DATA "/openssl.cnf", nullptr, 0) == 1;
    if (!read) std::fputs("OpenSSL did not read the tests' configuration\n", stderr);
    return read;
}();

}  // namespace
