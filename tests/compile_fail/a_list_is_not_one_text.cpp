// expect: deleted
#include <twiliowa/types/outbound.hpp>

twiliowa::OutboundMedia picture() {
#ifdef TWILIOWA_COMPILE_FAIL
    return {.media_url = {"https://example.com/a", "https://example.com/b"}};
#else
    return {.media_url = {"https://example.com/a"}};
#endif
}
