// expect: the same variable is given twice
#include <twiliowa/content/template_text.hpp>

twiliowa::TemplateVariables ready() {
    using twiliowa::named;
    constexpr auto order_ready = twiliowa::template_text<"Hi {{name}}, your {{order}} is ready">;
#ifdef TWILIOWA_COMPILE_FAIL
    return order_ready.variables(named<"name">("Ann"), named<"name">("Lee"));
#else
    return order_ready.variables(named<"name">("Ann"), named<"order">("order"));
#endif
}
