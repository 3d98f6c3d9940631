// expect: ambiguous|deleted
#include <twiliowa/types/outbound.hpp>

void address(twiliowa::OutboundText& message) {
#ifdef TWILIOWA_COMPILE_FAIL
    message.to = {"+447700900123", "+447700900124"};
#else
    message.to = "+447700900123";
#endif
}
