// expect: deleted
#include <iostream>
#include <twiliowa/types/secret.hpp>

void log(const twiliowa::Secret& secret) {
#ifdef TWILIOWA_COMPILE_FAIL
    // [wrong]
    std::cout << secret;
    // [wrong]
#else
    // [right]
    std::cout << (secret.empty() ? "no token" : "a token");
    // [right]
#endif
}
