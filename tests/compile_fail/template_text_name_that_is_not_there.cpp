// expect: the template has no variable of that name
#include <twiliowa/content/template_text.hpp>

twiliowa::TemplateVariables greeting() {
    using twiliowa::named;
    constexpr auto hello = twiliowa::template_text<"Hi {{name}}, welcome">;
#ifdef TWILIOWA_COMPILE_FAIL
    // [wrong]
    return hello.variables(named<"nmae">("Ann"));
    // [wrong]
#else
    // [right]
    return hello.variables(named<"name">("Ann"));
    // [right]
#endif
}
