// expect: have names, or numbers with gaps: give each value as named
#include <twiliowa/content/template_text.hpp>

twiliowa::TemplateVariables greeting() {
#ifdef TWILIOWA_COMPILE_FAIL
    return twiliowa::template_text<"Hi {{1}}, your {{3}}">.variables("Ann", "order");
#else
    return twiliowa::template_text<"Hi {{1}}, your {{2}}">.variables("Ann", "order");
#endif
}
