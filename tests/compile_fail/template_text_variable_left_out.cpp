// expect: the template has variables that are not given a value
#include <twiliowa/content/template_text.hpp>

twiliowa::TemplateVariables ready() {
    using twiliowa::named;
    constexpr auto order_ready = twiliowa::template_text<"Hi {{name}}, your {{order}} is ready">;
#ifdef TWILIOWA_COMPILE_FAIL
    return order_ready.variables(named<"name">("Ann"));
#else
    return order_ready.variables(named<"order">("order"), named<"name">("Ann"));
#endif
}
