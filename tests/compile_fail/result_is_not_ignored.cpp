// expect: unused-result|nodiscard
#include <twiliowa/types/address.hpp>

void parse() {
#ifdef TWILIOWA_COMPILE_FAIL
    twiliowa::Address::parse("+14155238886");
#else
    (void)twiliowa::Address::parse("+14155238886");
#endif
}
