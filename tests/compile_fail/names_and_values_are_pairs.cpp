// expect: no matching|could not convert|conver
#include <twiliowa/types/template_variables.hpp>

twiliowa::TemplateVariables variables() {
#ifdef TWILIOWA_COMPILE_FAIL
    return {{"1", "Lee", "A"}};
#else
    return {{"1", "Lee"}};
#endif
}
