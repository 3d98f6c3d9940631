// expect: give as many values as the template has variables
#include <twiliowa/content/template_text.hpp>

twiliowa::TemplateVariables ready() {
    constexpr auto order_ready = twiliowa::template_text<"Hi {{1}}, your {{2}} is ready">;
#ifdef TWILIOWA_COMPILE_FAIL
    // [wrong]
    return order_ready.variables("Ann");
    // [wrong]
#else
    // [right]
    return order_ready.variables("Ann", "order");
    // [right]
#endif
}
