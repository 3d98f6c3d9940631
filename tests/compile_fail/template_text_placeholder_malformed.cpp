// flags:
// expect: the template's text has a malformed placeholder
#include <twiliowa/content/template_text.hpp>

twiliowa::TextField body() {
#ifdef TWILIOWA_COMPILE_FAIL
    // [wrong]
    return twiliowa::template_text<"Hi {{first-name}}, welcome">;
    // [wrong]
#else
    // [right]
    return twiliowa::template_text<"Hi {{first_name}}, welcome">;
    // [right]
#endif
}
