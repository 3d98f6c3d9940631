// expect: give all values with their names, or none
#include <twiliowa/content/template_text.hpp>

twiliowa::TemplateVariables greeting() {
    using twiliowa::named;
    constexpr auto hello = twiliowa::template_text<"Hi {{1}}, your {{2}}">;
#ifdef TWILIOWA_COMPILE_FAIL
    return hello.variables("Ann", named<"2">("order"));
#else
    return hello.variables(named<"1">("Ann"), named<"2">("order"));
#endif
}
