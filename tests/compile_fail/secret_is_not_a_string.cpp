// expect: conver|could not|no viable
#include <string>
#include <twiliowa/types/secret.hpp>

std::string copy(const twiliowa::Secret& secret) {
#ifdef TWILIOWA_COMPILE_FAIL
    return secret;
#else
    return std::string(secret.reveal());
#endif
}
