// expect: deleted
#include <iostream>
#include <twiliowa/types/secret.hpp>

void log(const twiliowa::Secret& secret) {
#ifdef TWILIOWA_COMPILE_FAIL
    std::cout << secret;
#else
    std::cout << secret.empty();
#endif
}
